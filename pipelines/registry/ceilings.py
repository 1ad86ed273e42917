"""The rule that a ceiling may be adopted and lowered, never raised, deleted, moved or re-dated.

Writing belongs in `book`; how far a ceiling is used belongs in the marts.
"""

import hashlib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from pipelines import countries
from pipelines.registry.drafts import CeilingDraft, Recording
from pipelines.registry.models import Ceiling

# What a limit is about: (perimeter_type, perimeter_id, metric, period_start, period_end exclusive).
Scope = tuple[str, str, str, date, date]


def scope_of(ceiling: CeilingDraft | Ceiling) -> Scope:
    """What the limit is about; FR, as it may have been recorded once, and FRA are one country."""
    perimeter = ceiling.perimeter_id
    if ceiling.perimeter_type == "country":
        perimeter = countries.stored(perimeter)
    return ceiling.perimeter_type, perimeter, ceiling.metric, ceiling.period_start, ceiling.period_end


def standing(versions: Iterable[Ceiling]) -> list[Ceiling]:
    """The lowest limit ever recorded for each scope, sorted by id; the newest of equal ones.

    Not the newest version: a higher limit that reached the table before it was guarded does not stand.
    """
    lowest: dict[Scope, Ceiling] = {}
    for row in sorted(versions, key=lambda row: row.row_id):
        scope = scope_of(row)
        if scope not in lowest or row.limit_quantity <= lowest[scope].limit_quantity:
            lowest[scope] = row
    return sorted(lowest.values(), key=lambda row: (row.ceiling_id, row.row_id))


def identified(draft: CeilingDraft, rows: list[Ceiling]) -> CeilingDraft:
    """The draft with its id: the given one, the one that stands for its scope, or one derived from that."""
    if draft.ceiling_id is not None:
        return draft
    scope = scope_of(draft)
    for row in rows:
        if scope_of(row) == scope:
            return draft.model_copy(update={"ceiling_id": row.ceiling_id})
    name = ":".join(str(part) for part in scope)
    if len(name) > 64:
        name = f"{name[:47]}:{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return draft.model_copy(update={"ceiling_id": name})


def completed(draft: CeilingDraft, rows: list[Ceiling], recording: Recording) -> CeilingDraft:
    """The draft with who adopted it, when, why and on what evidence.

    What is not given is kept from the ceiling that stands with this limit; a new limit is the recorder's act.
    """
    act = (recording.recorded_by, recording.recorded_at_utc, recording.reason, None)
    for row in rows:
        if scope_of(row) == scope_of(draft) and row.limit_quantity == draft.limit_quantity:
            act = (row.adopted_by, row.adopted_at_utc, row.reason, row.evidence)
    return draft.model_copy(update={
        "adopted_by": draft.adopted_by or act[0],
        "adopted_at_utc": draft.adopted_at_utc or act[1],
        "reason": draft.reason or act[2],
        "evidence": draft.evidence or act[3],
    })


def objection(draft: CeilingDraft, rows: list[Ceiling]) -> tuple[str, str, str] | None:
    """Why the draft may not be recorded beside the ceilings that stand, as (field, rule, fix), or None.

    Args:
        draft: With its id.
        rows: The standing ceilings.
    """
    for row in rows:
        if row.ceiling_id == draft.ceiling_id and scope_of(row)[:3] != scope_of(draft)[:3]:
            return (
                "ceiling_id",
                f"{row.ceiling_id} is the ceiling of {row.perimeter_type} {row.perimeter_id} for {row.metric}"
                " and cannot be moved",
                "adopt a ceiling with another id",
            )
    for row in rows:
        same_id = row.ceiling_id == draft.ceiling_id
        if not same_id and (
            scope_of(row)[:3] != scope_of(draft)[:3]
            or draft.period_start >= row.period_end or row.period_start >= draft.period_end
        ):
            continue
        if (row.period_start, row.period_end) != (draft.period_start, draft.period_end):
            return (
                "period_start",
                f"{row.ceiling_id} already binds from {row.period_start} to before {row.period_end},"
                " and a ceiling is never re-dated",
                f"give the same period, or adopt another one from {row.period_end} on",
            )
        if not same_id:
            return (
                "ceiling_id", f"{row.ceiling_id} already binds this perimeter, metric and period",
                f"use that id, or `jevons ceilings lower {row.ceiling_id}`",
            )
        if draft.limit_quantity > row.limit_quantity:
            return (
                "limit_quantity",
                f"{plain(draft.limit_quantity)} is above the {plain(row.limit_quantity)} that stand for"
                f" {row.ceiling_id}, and a ceiling is never raised",
                "keep or lower the limit; a new one can be adopted for the next period",
            )
    if not any(row.ceiling_id == draft.ceiling_id for row in rows) and not _is_a_period(draft):
        return (
            "period_end",
            f"{draft.period_start} to before {draft.period_end} is no month, quarter or year",
            "begin on the first day of a month and end one, three or twelve months later",
        )
    return None


def _is_a_period(draft: CeilingDraft) -> bool:
    """Whether it is one, three or twelve whole months: years that do not begin in January have quarters too."""
    start, end = draft.period_start, draft.period_end
    months = (end.year - start.year) * 12 + end.month - start.month
    return start.day == end.day == 1 and months in (1, 3, 12)


def plain(quantity: Decimal) -> str:
    """A quantity without the zeros that its column adds."""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
