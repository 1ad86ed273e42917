"""SQL conditions for the triggers on ceilings: that the perimeter is there, and that what is below one fits in it.

The same in Python, with sentences for people, belongs in `book` and `tree`; all other conditions in `binding`.

SQLite has no decimals: a limit is summed as its whole and its billionths, each in whole numbers of 64 bits, and two
sums are compared as pairs. That is exact for limits of 15 and 9 digits.
"""

import json

from pipelines import countries

_BILLION = 1_000_000_000


def country(lite: bool, name: str) -> str:
    """A country's three letters, where it may have been recorded with two."""
    codes = json.dumps(dict(countries.pairs()), separators=(",", ":"))
    looked_up = f"json_extract('{codes}', '$.' || {name})" if lite else f"'{codes}'::json ->> {name}"
    return f"case when length({name}) = 2 then coalesce({looked_up}, {name}) else {name} end"


def newest(prefix: str, table: str, id_column: str, alias: str) -> str:
    """A `from` item and a condition: the rows of teams or workflows that stand."""
    return (
        f"{prefix}{table} as {alias} where not exists (select 1 from {prefix}{table} as later"
        f" where later.{id_column} = {alias}.{id_column} and later.version > {alias}.version)"
    )


class Enclosing:
    """The conditions in one dialect.

    Attributes:
        prefix: What stands before a table's name, such as a schema and a dot.
    """

    def __init__(self, lite: bool, prefix: str):
        self.lite, self.prefix = lite, prefix

    def unknown(self) -> str:
        """Whether a ceiling is for a unit, team, workflow, country or sector tag that the registry does not hold."""
        team, workflow = self._teams("team_row"), self._workflows("workflow_row")
        same = {
            "unit": f"{team} and team_row.unit_id = new.perimeter_id",
            "team": f"{team} and team_row.team_id = new.perimeter_id",
            "country": f"{team} and {country(self.lite, 'team_row.country')} = new.perimeter_id",
            "workflow": f"{workflow} and workflow_row.workflow_id = new.perimeter_id",
            "sector_tag": f"{workflow} and workflow_row.sector_tag = new.perimeter_id",
        }
        return " or ".join(
            f"(new.perimeter_type = '{name}' and not exists (select 1 from {rows}))" for name, rows in same.items()
        )

    def handed_out(self) -> str:
        """Whether the ceilings below the new one sum to more than it."""
        return f"{self._sum('new')} > {self._limit('new')}"

    def too_much(self) -> str:
        """Whether with the new one the ceilings below the one that encloses it sum to more than that."""
        return (
            f"exists (select 1 from {self.prefix}ceilings as top where {self._beside('top')}"
            f" and ({self._below('new', 'top')}) and {self._sum('top', self._parts('new'))} > {self._limit('top')})"
        )

    def _teams(self, alias: str) -> str:
        return newest(self.prefix, "teams", "team_id", alias)

    def _workflows(self, alias: str) -> str:
        return newest(self.prefix, "workflows", "workflow_id", alias)

    def _beside(self, row: str) -> str:
        """Of the metric and period of the new one, at the lowest limit that was recorded for its place."""
        lower, limit = (
            (f"length({name}.limit_quantity), {name}.limit_quantity" if self.lite else f"{name}.limit_quantity")
            for name in ("lower_row", row)
        )
        same = " and ".join(
            f"{{0}}.{name} = {{1}}.{name}" for name in ("metric", "period_start", "period_end")
        )
        place = f"lower_row.perimeter_type = {row}.perimeter_type and lower_row.perimeter_id = {row}.perimeter_id"
        return (
            f"{same.format(row, 'new')} and not exists (select 1 from {self.prefix}ceilings as lower_row where {place}"
            f" and {same.format('lower_row', row)} and ({lower}, -lower_row.row_id) < ({limit}, -{row}.row_id))"
        )

    def _bound(self, kind: str, place: str) -> str:
        """Whether a place has a ceiling of the new one's metric and period, or gets it now."""
        return (
            f"((new.perimeter_type = '{kind}' and new.perimeter_id = {place}) or exists (select 1 from"
            f" {self.prefix}ceilings as between_row where between_row.perimeter_type = '{kind}'"
            f" and between_row.perimeter_id = {place} and between_row.metric = new.metric"
            " and between_row.period_start = new.period_start and between_row.period_end = new.period_end))"
        )

    def _below(self, row: str, top: str) -> str:
        """Whether a row's place is below another's, with no ceiling of a place between them."""
        team = f"exists (select 1 from {self._teams('t')} and t.team_id = {row}.perimeter_id"
        workflow = (
            f"exists (select 1 from {self.prefix}teams as t, {self._workflows('w')}"
            f" and w.workflow_id = {row}.perimeter_id and t.team_id = w.team_id and not exists (select 1"
            f" from {self.prefix}teams as newer where newer.team_id = t.team_id and newer.version > t.version)"
        )
        unit = f"exists (select 1 from {self._teams('t')} and t.unit_id = {row}.perimeter_id)"
        free_team, free_unit = f"not {self._bound('team', 't.team_id')}", f"not {self._bound('unit', 't.unit_id')}"
        cases = {
            ("organisation", "unit"): unit,
            ("organisation", "team"): f"{team} and {free_unit})",
            ("organisation", "workflow"): f"{workflow} and {free_team} and {free_unit})",
            ("unit", "team"): f"{team} and t.unit_id = {top}.perimeter_id)",
            ("unit", "workflow"): f"{workflow} and t.unit_id = {top}.perimeter_id and {free_team})",
            ("team", "workflow"): f"{workflow} and t.team_id = {top}.perimeter_id)",
        }
        return " or ".join(
            f"({top}.perimeter_type = '{above}' and {row}.perimeter_type = '{kind}' and {found})"
            for (above, kind), found in cases.items()
        )

    def _parts(self, row: str) -> tuple[str, str]:
        """A limit of SQLite as its whole and its billionths."""
        text = f"{row}.limit_quantity"
        return f"cast(substr({text}, 1, length({text}) - 10) as integer)", f"cast(substr({text}, -9) as integer)"

    def _limit(self, row: str) -> str:
        return "({}, {})".format(*self._parts(row)) if self.lite else f"{row}.limit_quantity"

    def _sum(self, top: str, more: tuple[str, str] | None = None) -> str:
        """What the ceilings directly below one sum to, of what stands; `more` asks for the new limit on top."""
        rows = (
            f"from {self.prefix}ceilings as seat where {self._beside('seat')} and ({self._below('seat', top)})"
            " and not (seat.perimeter_type = new.perimeter_type and seat.perimeter_id = new.perimeter_id)"
        )
        if not self.lite:
            return f"(select coalesce(sum(seat.limit_quantity), 0) {'+ new.limit_quantity ' if more else ''}{rows})"
        whole, billionths = self._parts("seat")
        more_whole, more_billionths = more or ("0", "0")
        return (
            f"(select whole + billionths / {_BILLION}, billionths % {_BILLION} from (select"
            f" coalesce(sum({whole}), 0) + {more_whole} as whole,"
            f" coalesce(sum({billionths}), 0) + {more_billionths} as billionths {rows}))"
        )
