"""GitHub Copilot's reports, seats and credits as rows, or the reason why not; users are added up and never named.

How they are asked for, and what becomes of the rows, belongs to the source.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pipelines.errors import Finding, SourceError
from pipelines.sources._assistants import REPORT, Wrong, amount, count, named, records
from pipelines.sources._bucket_pages import Wire

COUNTS = {"interaction_count": "user_initiated_interaction_count", "generation_count": "code_generation_activity_count",
          "acceptance_count": "code_acceptance_activity_count"}
TOKENS = {"session_count": "session_count", "request_count": "request_count", "prompt_count": "prompt_count"}
WIRE = Wire("GitHub", "", "", "", str, lambda value: None, kinds=False)


def added_up(users: Sequence[Any], day: date, where: str) -> tuple[list[dict[str, Any]], tuple[Finding, ...]]:
    """The records of a day's users as counts by surface, feature and model, without the users.

    Returns:
        Rows, and a finding for each record that does not fit; then the day is held back.
    """
    sums: dict[tuple[str, str | None, str | None], Counter[str]] = defaultdict(Counter)
    seen: dict[str, tuple[int, str]] = {}
    findings = []
    for number, user in enumerate(users, start=1):
        try:
            if not isinstance(user, dict):
                raise Wrong("record", "it is no object")
            if user.get("day") != day.isoformat():
                raise Wrong("day", "it is of another day")
            if not isinstance(user.get("user_id"), int | str) or isinstance(user["user_id"], bool):
                raise Wrong("user_id", "it is not there")
            whole = json.dumps(user, sort_keys=True, default=str)
            if (before := seen.setdefault(str(user["user_id"]), (number, whole)))[0] < number:
                if before[1] != whole:
                    raise Wrong("user_id", "two records of one user differ")
                continue  # the same record again
            parts = list(_parts(user))
        except Wrong as wrong:
            findings.append(Finding(f"{where}, record {number}, field {wrong.field}", wrong.rule, REPORT,
                                    day.isoformat()))
            continue
        for key, counts in parts:
            sums[key].update({**counts, "user_count": 1})
    rows = [{"usage_date": day, "surface": key[0], "feature": key[1], "model": key[2], **counts}
            for key, counts in sums.items()]
    return rows, tuple(findings)


def _parts(user: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str | None, str | None], dict[str, int]]]:
    """What one user did in editors, by feature and model, and on each surface that tells tokens."""
    whole = {ours: count(user, theirs, ours != "acceptance_count") or 0 for ours, theirs in COUNTS.items()}
    features = _by(user, "totals_by_feature", "feature")
    by_model = _by(user, "totals_by_model_feature", "feature", "model")
    if {key[:1] for key in by_model} - features.keys():
        raise Wrong("totals_by_model_feature", "it names a feature that totals_by_feature does not")
    for feature, counts in (features | {(None,): _rest(whole, features.values(), "totals_by_feature")}).items():
        models = {key: part for key, part in by_model.items() if key[0] == feature[0]}
        rest = {(feature[0], None): _rest(counts, models.values(), "totals_by_model_feature")}
        for key, some in {**models, **rest}.items():
            if any(some.values()):
                yield ("editor", *key), some
    for name, block in sorted(user.items()):
        if not name.startswith("totals_by_") or block is None or isinstance(block, list):
            continue  # lists divide what was counted above by other things
        if not isinstance(block, dict):
            raise Wrong(name, "it is no object")
        tokens = block.get("token_usage")
        if tokens is not None and not isinstance(tokens, dict):
            raise Wrong(f"{name}.token_usage", "it is no object")
        counts = {ours: count(block, theirs, ours == "request_count") or 0 for ours, theirs in TOKENS.items()}
        feature = None
        if tokens is None:
            feature = "no_token_usage"
        else:
            counts |= {"input_tokens": count(tokens, "prompt_tokens_sum", True),
                       "output_tokens": count(tokens, "output_tokens_sum", True)}
        if any(counts.values()):
            yield (named(name.removeprefix("totals_by_"), name), feature, None), counts


def _by(user: Mapping[str, Any], block: str, *names: str) -> dict[tuple[str | None, ...], dict[str, int]]:
    found: dict[tuple[str | None, ...], dict[str, int]] = {}
    for part in records(user.get(block), block):
        key = tuple(named(part.get(name), f"{block}.{name}") for name in names)
        if None in key or key in found:
            raise Wrong(block, "a part has no name, or one that is there twice")
        found[key] = {ours: count(part, theirs) or 0 for ours, theirs in COUNTS.items()}
    return found


def _rest(whole: Mapping[str, int], parts: Any, block: str) -> dict[str, int]:
    """What the parts leave of the whole; parts that are more than the whole are a mistake of the report."""
    rest = {name: many - sum(part[name] for part in parts) for name, many in whole.items()}
    if min(rest.values()) < 0:
        raise Wrong(block, "its parts are more than the whole")
    return rest


def seat_of(seat: Any, where: str) -> tuple[Any, tuple[str | None, date, date | None]]:
    """A seat's holder, who is only told apart here, and its plan, first day and the day on which it is gone."""
    try:
        holder = seat["assignee"]["id"], seat["assignee"]["login"]
        first = datetime.fromisoformat(seat["created_at"]).date()
        last = seat.get("pending_cancellation_date")
        return holder, (named(seat.get("plan_type"), "plan_type"), first, last and date.fromisoformat(last))
    except (KeyError, TypeError, ValueError, Wrong):
        raise WIRE.misshapen(where, "a seat has no holder, plan and days") from None


def credits_of(
    body: Any, asked: Mapping[str, int], day: date, where: str
) -> tuple[list[dict[str, Any]], tuple[Finding, ...]]:
    """The items of one period, as rows of `day`.

    Raises:
        SourceError: the answer has another shape, or is of another period than was asked for.
    """
    period = body.get("timePeriod") if isinstance(body, dict) else None
    if not isinstance(period, dict) or not isinstance(body.get("usageItems"), list):
        raise WIRE.misshapen(where, "it has no timePeriod and usageItems")
    if {name: period.get(name) for name in ("year", "month", "day") if period.get(name)} != dict(asked):
        raise SourceError("GitHub sent credits of another period", where, f"it is of {str(dict(period))[:60]}", REPORT)
    rows, findings = [], []
    for number, item in enumerate(body["usageItems"], start=1):
        try:
            if not isinstance(item, dict):
                raise Wrong("item", "it is no object")
            rows.append({
                "usage_date": day,
                **{ours: named(item.get(theirs), theirs) for ours, theirs in (
                    ("product", "product"), ("sku", "sku"), ("model", "model"), ("unit_type", "unitType"))},
                **{ours: amount(item, theirs) for ours, theirs in (
                    ("gross_quantity", "grossQuantity"), ("net_quantity", "netQuantity"),
                    ("gross_amount_usd", "grossAmount"), ("net_amount_usd", "netAmount"))},
            })
        except Wrong as wrong:
            findings.append(Finding(f"{where}, item {number}, field {wrong.field}", wrong.rule, REPORT,
                                    day.isoformat()))
    return rows, tuple(findings)
