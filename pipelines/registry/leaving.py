"""The rule that nobody slips from under a ceiling: not by changing unit, team or country, nor by renaming them.

What a ceiling itself may become belongs in `ceilings`; how ceilings above and below each other add up, in `tree`.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from pipelines import countries
from pipelines.registry.ceilings import scope_of
from pipelines.registry.drafts import Draft
from pipelines.registry.models import Ceiling, Kind, Recorded

# What a version of an entry may leave: its column, and the kind of perimeter that this is.
_PLACES = {"teams": (("unit_id", "unit"), ("country", "country")), "workflows": (("team_id", "team"),)}


def objection(
    kind: Kind, draft: Draft, before: Recorded | None, standing: Iterable[Ceiling], day: date
) -> tuple[str, str, str] | None:
    """Why an entry may not leave the perimeter that it is in, as (field, rule, fix), or None.

    It may go where a ceiling of the same metric binds for the same period, and anywhere once the period is over.

    Args:
        before: The version that stands; None for a new entry, which leaves nothing.
        standing: The ceilings that stand.
        day: The day of recording: what ended by then binds nobody.
    """
    if before is None:
        return None
    bound = {scope_of(row): row for row in standing if row.period_end > day}
    for column, place in _PLACES.get(kind.name, ()):
        old, new = (countries.stored(getattr(entry, column)) for entry in (before, draft))
        if old == new:
            continue
        loose = _without(bound, place, old, new)
        if loose is not None:
            return (
                column,
                f"it would leave the {place} {old}, where {loose.ceiling_id} binds until {loose.period_end}, for {new},"
                f" which has no ceiling of {loose.metric} from {loose.period_start} to before {loose.period_end}",
                f"adopt that one first, or record the change from {loose.period_end} on",
            )
    return None


def _without(bound: Mapping, place: str, old: str, new: str) -> Ceiling | None:
    """The first ceiling of the old place that the new one has no counterpart of."""
    for scope, row in sorted(bound.items()):
        if scope[:2] == (place, old) and (place, new, *scope[2:]) not in bound:
            return row
    return None
