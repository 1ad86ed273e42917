"""Why energy and carbon changed from one period to another, and what to index: of one perimeter, as the marts say it.

What does not belong here: what a change saved; that stands in `efficiency`.
"""

from dataclasses import dataclass

import pandas

from dashboards.book import Book

_DAILY = {
    "organisation": ("fct_organisation_daily", ""),
    "team": ("fct_team_daily", "team_id"),
    "workflow": ("fct_workflow_daily", "workflow_id"),
}


@dataclass(frozen=True)
class Perimeter:
    """What the page is about: the organisation, a team, or a workflow with its team."""

    kind: str
    id: str
    name: str
    team_id: str = ""

    @property
    def key(self) -> str:
        return self.kind if self.kind == "organisation" else f"{self.kind}/{self.id}"

    @property
    def daily(self) -> tuple[str, str]:
        """The daily mart that holds it, and the column that names it there; empty for the whole."""
        return _DAILY[self.kind]


ORGANISATION = Perimeter("organisation", "organisation", "the organisation")


def perimeters(book: Book) -> list[Perimeter]:
    """The organisation, its teams and its workflows, by name; what nobody owns is in the whole only."""
    teams = book.ask("select team_id, team_name from dim_team order by lower(team_name), team_id")
    flows = book.ask(
        "select workflow_id, workflow_name, team_id from dim_workflow order by lower(workflow_name), workflow_id"
    )
    return [
        ORGANISATION,
        *(Perimeter("team", row.team_id, row.team_name, row.team_id) for row in teams.itertuples()),
        *(Perimeter("workflow", row.workflow_id, row.workflow_name, row.team_id) for row in flows.itertuples()),
    ]


def effects(book: Book, of: Perimeter, measure: str, mart: str = "fct_decomposition_monthly") -> pandas.DataFrame:
    """What each factor of each part changed, between all pairs of periods of the build, the latest pair first."""
    runs = ""
    if mart == "fct_training_decomposition_monthly":
        runs = """, base_run_count as base_runs, compared_run_count as compared_runs,
            base_interval_days::double as base_interval, compared_interval_days::double as compared_interval"""
    return book.ask(
        f"""
        select chain, base_first_date, base_last_date, compared_first_date, compared_last_date,
            base_day_count as base_days, compared_day_count as compared_days, is_whole, part, factor, activity_unit,
            effect_low::double as effect_low, effect_quantity::double as effect, effect_high::double as effect_high,
            effect_ratio::double as effect_ratio, base_quantity::double as base,
            compared_quantity::double as compared, base_coverage_ratio::double as base_coverage,
            compared_coverage_ratio::double as compared_coverage, gap_reason{runs}
        from {mart}
        where perimeter_type = ? and perimeter_id = ? and measure = ?
        order by case chain when 'monthly' then 1 when 'chained' then 2 else 3 end, base_first_date desc, part, factor
        """,
        of.kind,
        of.id,
        measure,
    )


def outcome_types(book: Book, of: Perimeter) -> list[str]:
    """The outcomes of a workflow; those of several workflows are not one thing."""
    if of.kind != "workflow":
        return []
    sql = "select distinct outcome_type from fct_outcome_daily where {days} and workflow_id = ? order by outcome_type"
    return list(book.ask(sql, of.id)["outcome_type"])


def outcomes(book: Book, of: Perimeter, outcome_type: str) -> pandas.DataFrame:
    """A workflow's outcomes of one type by day."""
    return book.ask(
        "select usage_date, sum(outcome_count)::bigint as outcomes from fct_outcome_daily"
        " where {days} and workflow_id = ? and outcome_type = ? group by usage_date order by usage_date",
        of.id,
        outcome_type,
    )
