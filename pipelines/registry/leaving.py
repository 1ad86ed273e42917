"""The rule that nobody slips from under a ceiling: not by changing unit, team, country or tag, nor by renaming them.

What a ceiling itself may become belongs in `ceilings`; how ceilings above and below each other add up, in `tree`.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from pipelines import countries
from pipelines.registry.ceilings import scope_of
from pipelines.registry.drafts import Draft
from pipelines.registry.models import Ceiling, Kind, Team
from pipelines.registry.recorded import Recorded

# What a version of an entry may leave: its column, and the kind of perimeter that this is.
_OF_TEAMS = (("unit_id", "unit"), ("country", "country"))
_PLACES = {"teams": _OF_TEAMS, "workflows": (("team_id", "team"), ("sector_tag", "sector_tag"))}


def objection(
    kind: Kind, draft: Draft, before: Recorded | None, standing: Iterable[Ceiling], day: date, teams: Mapping[str, Team]
) -> tuple[str, str, str] | None:
    """Why an entry may not leave the perimeter that it is in, as (field, rule, fix), or None.

    It may go where a ceiling of the same metric binds for the same period, and anywhere once the period is over.

    Args:
        before: The version that stands; None for a new entry, which leaves nothing.
        standing: The ceilings that stand.
        day: The day of recording: what ended by then binds nobody.
        teams: The teams that stand: a workflow that changes team may leave a unit or a country with it.
    """
    if before is None:
        return None
    bound = {scope_of(row): row for row in standing if row.period_end > day}
    moves = [(column, place, getattr(before, column), getattr(draft, column)) for column, place in _PLACES[kind.name]]
    if kind.name == "workflows":
        old, new = teams.get(before.team_id), teams[draft.team_id]
        moves += [("team_id", place, getattr(old, name), getattr(new, name)) for name, place in _OF_TEAMS if old]
    for column, place, *names in moves:
        old, new = map(countries.stored, names) if place == "country" else names
        if old == new:
            continue
        loose = _without(bound, place, old, new)
        if loose is not None:
            return (
                column,
                f"it would leave the {place.replace('_', ' ')} {old}, where {loose.ceiling_id} binds until"
                f" {loose.period_end}, for {new or 'none'}, which has no ceiling of {loose.metric} from"
                f" {loose.period_start} to before {loose.period_end}",
                f"adopt that one first, or record the change from {loose.period_end} on",
            )
    return None


def _without(bound: Mapping, place: str, old: str, new: str) -> Ceiling | None:
    """The first ceiling of the old place that the new one has no counterpart of."""
    for scope, row in sorted(bound.items()):
        if scope[:2] == (place, old) and (place, new, *scope[2:]) not in bound:
            return row
    return None
