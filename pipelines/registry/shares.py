"""The rule that an identity's usage is given away exactly once: shares sum to 1 on each day.

Reading and writing rules belongs in `book`; splitting usage belongs in the dbt project.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

# What rules speak about: (match_type, source or None for any, match_value).
Key = tuple[str, str | None, str]


class Share(Protocol):
    """What is looked at in a rule, drafted or recorded."""

    match_type: str
    source: str | None
    match_value: str
    share: Decimal
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class WrongSum:
    """The first day on which an identity's shares do not sum to 1."""

    key: Key
    day: date
    total: Decimal


def key_of(rule: Share) -> Key:
    """The identity that a rule speaks about."""
    return rule.match_type, rule.source, rule.match_value


def wrong_sums(rules: Iterable[Share]) -> dict[Key, WrongSum]:
    """The identities whose shares sum to something else than 1 on a day on which any of them is valid.

    The sum changes only where a rule begins or ends, so only those days are looked at.
    """
    changes: dict[Key, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    counts: dict[Key, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for rule in rules:
        if rule.valid_to is not None and rule.valid_to <= rule.valid_from:
            continue
        key = key_of(rule)
        changes[key][rule.valid_from] += rule.share
        counts[key][rule.valid_from] += 1
        if rule.valid_to is not None:
            changes[key][rule.valid_to] -= rule.share
            counts[key][rule.valid_to] -= 1
    wrong = {}
    for key, by_day in changes.items():
        total, valid = Decimal(0), 0
        for day in sorted(by_day):
            total += by_day[day]
            valid += counts[key][day]
            if valid and total != 1:
                wrong[key] = WrongSum(key, day, total)
                break
    return wrong
