"""The rules that several entries keep together: shares of one identity sum to 1, nothing is levied or answered twice.

Single entries are looked at in `drafts`; the sums themselves are in `shares`, recording in `book`.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.registry import levies, shares, vendors
from pipelines.registry.ceilings import plain
from pipelines.registry.drafts import Draft, TeamDraft
from pipelines.registry.models import Kind, Team
from pipelines.registry.recorded import Recorded

Objection = tuple[str, str, str]  # the field at fault, the rule that is broken, the way out


@dataclass(frozen=True)
class _Rule:
    """A rule over all entries of one key.

    Attributes:
        keys_of: The keys that a draft touches, given what stood before.
        broken: The keys for which these entries break it, each with what is wrong.
        say: What is wrong, as an objection.
    """

    keys_of: Callable[[Any, Any], list[Hashable]]
    broken: Callable[[Iterable[Any]], Mapping[Hashable, Any]]
    say: Callable[[Any], Objection]


def objections(kind: Kind, newest: Mapping[str, Recorded], pending: Mapping[int, Draft]) -> dict[int, Objection]:
    """Why some of the drafts cannot be recorded beside the others and what stands, by their position.

    An entry may leave one key for another, so holding it back can break the rule of the other one: repeat.
    """
    rule = _RULES.get(kind.name)
    found: dict[int, Objection] = {}
    while rule is not None:
        taken = {getattr(draft, kind.id_field): draft for at, draft in pending.items() if at not in found}
        wrong = rule.broken({**newest, **taken}.values())
        held = {}
        for at, draft in pending.items():
            keys = rule.keys_of(draft, newest.get(getattr(draft, kind.id_field)))
            key = next((key for key in keys if key in wrong), None)
            if at not in found and key is not None:
                held[at] = rule.say(wrong[key])
        if not held:
            break
        found.update(held)
    return found


def names_of_units(teams: Iterable[TeamDraft | Team]) -> dict[str, list[TeamDraft | Team]]:
    """Units that have more than one name, and their teams."""
    units: dict[str, list[TeamDraft | Team]] = defaultdict(list)
    for team in teams:
        units[team.unit_id].append(team)
    return {unit: members for unit, members in units.items() if len({team.unit_name for team in members}) > 1}


def _say_names(members: list[TeamDraft | Team]) -> Objection:
    names = {team.unit_name: team.team_id for team in sorted(members, key=lambda team: team.team_id, reverse=True)}
    said = " and ".join(f"{name!r} (team {team})" for name, team in sorted(names.items()))
    return (
        "unit_name", f"the unit {members[0].unit_id} would be called {said}",
        "write one name; to rename a unit, give all its teams together with the new name",
    )


def _say_sum(wrong: shares.WrongSum) -> Objection:
    match_type, source, match_value = wrong.key
    return (
        "share",
        f"the shares of {match_type} {match_value!r} ({source or 'any source'}) sum to"
        f" {plain(wrong.total)} on {wrong.day}, not to 1",
        "give all rules of that identity together, with shares that sum to exactly 1 on each day",
    )


def _say_levied(twice: tuple[str, str, date]) -> Objection:
    earlier, later, day = twice
    return (
        "valid_from", f"{earlier} and {later} would both price the same carbon on {day}",
        "end the earlier one on the day on which the later begins",
    )


def _say_claimed(ids: list[str]) -> Objection:
    return "providers", f"{' and '.join(ids)} would share a provider", "give each provider to one vendor"


def _say_answered(ids: list[str]) -> Objection:
    return "answer_id", f"{' and '.join(ids)} answer one question on one day", "keep one of them, or correct its day"


_RULES = {
    # whoever leaves a unit cannot give it a second name
    "teams": _Rule(lambda draft, before: [draft.unit_id], names_of_units, _say_names),
    "rules": _Rule(
        lambda draft, before: [shares.key_of(rule) for rule in (draft, before) if rule is not None],
        shares.wrong_sums, _say_sum,
    ),
    "levies": _Rule(lambda draft, before: [levies.key_of(draft)], levies.doubled, _say_levied),
    "vendors": _Rule(lambda draft, before: draft.providers.split(), vendors.shared, _say_claimed),
    "vendor_answers": _Rule(lambda draft, before: [vendors.asked_of(draft)], vendors.contradicting, _say_answered),
}
