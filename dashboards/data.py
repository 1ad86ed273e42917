"""What a page asks of the published build: each question once, each answer small.

What does not belong here: words, colours, widgets. Energies come in kWh, carbon in kgCO2e, None where not known.
Answers are kept by build id; a new build is a new key, so a page never mixes two builds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pandas
import streamlit

from pipelines import units
from pipelines.snapshot import Snapshot

NOBODY = ("orphan", "unattributed")

_SUMS = """
    sum(call_count)::bigint as calls,
    sum(retry_count)::bigint as retries,
    sum(energy_kwh_low)::double as energy_kwh_low,
    sum(energy_kwh)::double as energy_kwh,
    sum(energy_kwh_high)::double as energy_kwh_high,
    (sum(location_gco2e) / 1000)::double as location_kgco2e,
    sum(call_count::double * coalesce(coverage_ratio::double, 0)) as covered_calls
"""


@streamlit.cache_data(max_entries=512, show_spinner=False)
def _answer(build_id: str, sql: str, params: tuple[Any, ...], _snapshot: Snapshot) -> pandas.DataFrame:
    return _snapshot.fetch_df(sql, params)


@dataclass(frozen=True)
class Book:
    """One published build and the days that the reader wants to see, both ends included."""

    snapshot: Snapshot = field(repr=False)
    first_day: date | None
    last_day: date | None

    def ask(self, sql: str, *params: Any) -> pandas.DataFrame:
        """Answer one question, from the cache if this build was asked before."""
        return _answer(self.snapshot.build_id, sql, params, self.snapshot)

    @property
    def days(self) -> tuple[date, date]:
        """The days to show; an empty build gets an interval that no row is in."""
        return (self.first_day or date(1970, 1, 1), self.last_day or date(1970, 1, 1))

    def totals(self) -> pandas.Series:
        """Sums of the organisation over the days shown."""
        frame = self.ask(f"select {_SUMS} from fct_organisation_daily where usage_date between ? and ?", *self.days)
        return frame.iloc[0]

    def daily(self) -> pandas.DataFrame:
        """The organisation's sums by day."""
        return self._by_day("fct_organisation_daily", "", ())

    def team_daily(self, team_id: str) -> pandas.DataFrame:
        """One team's sums by day."""
        return self._by_day("fct_team_daily", "and team_id = ?", (team_id,))

    def workflow_daily(self, workflow_id: str) -> pandas.DataFrame:
        """One workflow's sums by day."""
        return self._by_day("fct_workflow_daily", "and workflow_id = ?", (workflow_id,))

    def _by_day(self, table: str, where: str, params: Sequence[Any]) -> pandas.DataFrame:
        return self.ask(
            f"select usage_date, {_SUMS} from {table} where usage_date between ? and ? {where}"
            " group by usage_date order by usage_date",
            *self.days,
            *params,
        )

    def evidence(self) -> pandas.DataFrame:
        """Known energy by evidence tier, the largest first."""
        return self.ask(
            """
            select evidence_tier, sum(energy_kwh)::double as energy_kwh
            from fct_footprint_daily
            where usage_date between ? and ? and energy_kwh is not null
            group by evidence_tier
            order by energy_kwh desc, evidence_tier
            """,
            *self.days,
        )

    def teams(self) -> pandas.DataFrame:
        """Sums by team with its name; what nobody owns keeps its own rows, also when they are empty."""
        return self.ask(
            f"""
            with used as (
                select team_id, {_SUMS} from fct_team_daily where usage_date between ? and ? group by team_id
            ),
            known as (
                select team_id, max(team_name) as team_name, max(unit_name) as unit_name
                from dim_team group by team_id
                union all
                select id, null, null from (values ('orphan'), ('unattributed')) as nobody (id)
                where id not in (select team_id from dim_team)
            )
            select
                coalesce(used.team_id, known.team_id) as team_id,
                coalesce(known.team_name, used.team_id, known.team_id) as team_name,
                known.unit_name,
                coalesce(calls, 0)::bigint as calls, coalesce(retries, 0)::bigint as retries,
                energy_kwh_low, energy_kwh, energy_kwh_high, location_kgco2e,
                coalesce(covered_calls, 0) as covered_calls
            from used full outer join known on used.team_id = known.team_id
            order by energy_kwh desc nulls last, calls desc, 1
            """,
            *self.days,
        )

    def workflows(self) -> pandas.DataFrame:
        """Sums by workflow with its registry entry and the number of outcomes, None if none is recorded."""
        return self.ask(
            f"""
            with used as (
                select workflow_id, max(team_id) as used_team_id, {_SUMS}
                from fct_workflow_daily where usage_date between ? and ? group by workflow_id
            ),
            reached as (
                select workflow_id, sum(outcome_count)::bigint as outcomes
                from fct_outcome_daily where usage_date between ? and ? group by workflow_id
            ),
            named as (
                select team_id, max(team_name) as team_name from dim_team group by team_id
            )
            select
                used.workflow_id,
                coalesce(flow.workflow_name, used.workflow_id) as workflow_name,
                coalesce(flow.team_id, used.used_team_id) as team_id,
                coalesce(named.team_name, flow.team_id, used.used_team_id) as team_name,
                flow.owner, flow.job_description, flow.usefulness_class, flow.latency_tier, flow.small_model_fit,
                flow.expected_monthly_calls, flow.review_due_date, flow.status,
                calls, retries, energy_kwh_low, energy_kwh, energy_kwh_high, location_kgco2e, covered_calls,
                reached.outcomes
            from used
            left join dim_workflow as flow on flow.workflow_id = used.workflow_id
            left join named on named.team_id = coalesce(flow.team_id, used.used_team_id)
            left join reached on reached.workflow_id = used.workflow_id
            order by energy_kwh desc nulls last, calls desc, used.workflow_id
            """,
            *self.days,
            *self.days,
        )

    def calls_by_purpose(self, workflow_id: str) -> pandas.DataFrame:
        """One workflow's calls by day and purpose."""
        return self.ask(
            """
            select usage_date, call_purpose, sum(call_count)::bigint as calls
            from fct_footprint_daily
            where usage_date between ? and ? and workflow_id = ?
            group by usage_date, call_purpose
            having sum(call_count) > 0
            order by usage_date, call_purpose
            """,
            *self.days,
            workflow_id,
        )

    def outcomes(self) -> pandas.DataFrame:
        """Sums by workflow and outcome type; accepted counts only over days that were judged."""
        return self.ask(
            """
            select
                reached.workflow_id,
                coalesce(max(flow.workflow_name), reached.workflow_id) as workflow_name,
                coalesce(max(team.team_name), max(reached.team_id)) as team_name,
                outcome_type,
                sum(outcome_count)::bigint as outcomes,
                sum(accepted_count)::bigint as accepted,
                sum(outcome_count) filter (accepted_count is not null)::bigint as judged,
                sum(call_count)::bigint as calls,
                sum(energy_kwh)::double as energy_kwh,
                (sum(outcome_count) filter (energy_kwh is not null))::bigint as measured_outcomes
            from fct_outcome_daily as reached
            left join dim_workflow as flow on flow.workflow_id = reached.workflow_id
            left join dim_team as team on team.team_id = reached.team_id
            where usage_date between ? and ?
            group by reached.workflow_id, outcome_type
            order by energy_kwh desc nulls last, reached.workflow_id, outcome_type
            """,
            *self.days,
        )

    def outcomes_daily(self, workflow_id: str, outcome_type: str) -> pandas.DataFrame:
        """One workflow's outcomes of one type by day."""
        return self.ask(
            """
            select usage_date, sum(outcome_count)::bigint as outcomes, sum(call_count)::bigint as calls,
                sum(energy_kwh)::double as energy_kwh
            from fct_outcome_daily
            where usage_date between ? and ? and workflow_id = ? and outcome_type is not distinct from ?
            group by usage_date
            order by usage_date
            """,
            *self.days,
            workflow_id,
            outcome_type,
        )

    def ceilings(self) -> pandas.DataFrame:
        """Every day's position of each ceiling that was in force in the last days of the build."""
        return self.ask(
            """
            with units as (
                select unit_id, max(unit_name) as unit_name from dim_team group by unit_id
            ),
            latest as (
                select ceiling_id, max(usage_date) as latest_date from fct_ceiling_position_daily group by ceiling_id
            )
            select
                place.usage_date, place.ceiling_id, perimeter_type, perimeter_id, metric, period_start, period_end,
                coalesce(team.team_name, flow.workflow_name, units.unit_name, perimeter_id) as perimeter_name,
                limit_quantity::double as limit_quantity, used_quantity::double as used_quantity,
                used_low::double as used_low, used_high::double as used_high,
                forecast_quantity::double as forecast_quantity, exhaustion_date, place.status,
                place.usage_date = latest.latest_date as is_latest
            from fct_ceiling_position_daily as place
            inner join latest on latest.ceiling_id = place.ceiling_id
            left join dim_team as team on perimeter_type = 'team' and team.team_id = perimeter_id
            left join units on perimeter_type = 'unit' and units.unit_id = perimeter_id
            left join dim_workflow as flow on perimeter_type = 'workflow' and flow.workflow_id = perimeter_id
            order by perimeter_type <> 'organisation', perimeter_id, metric, place.ceiling_id, place.usage_date
            """
        )

    def gaps(self) -> pandas.DataFrame:
        """Calls whose energy is not known, by model and reason."""
        return self.ask(
            """
            with named as (
                select model_id, max(model_name) as model_name from dim_model group by model_id
            )
            select coalesce(named.model_name, gap.model_id) as model_name, gap_reason,
                coalesce(sum(call_count), 0)::bigint as calls
            from fct_gap_daily as gap
            left join named on named.model_id = gap.model_id
            where usage_date between ? and ?
            group by coalesce(named.model_name, gap.model_id), gap_reason
            order by calls desc, model_name, gap_reason
            """,
            *self.days,
        )

    def missing_days(self) -> pandas.DataFrame:
        """Days on which a source delivered fewer tables than expected."""
        return self.ask(
            """
            select source, usage_date, expected_tables::bigint as expected, received_tables::bigint as received
            from fct_coverage_daily
            where usage_date between ? and ? and received_tables < expected_tables
            order by source, usage_date
            """,
            *self.days,
        )

    def sources(self) -> pandas.DataFrame:
        """Expected and received daily tables by source."""
        return self.ask(
            """
            select source, count(distinct usage_date) as days,
                sum(expected_tables)::bigint as expected, sum(received_tables)::bigint as received
            from fct_coverage_daily
            where usage_date between ? and ?
            group by source
            order by source
            """,
            *self.days,
        )


def periods(first_day: date, last_day: date) -> dict[str, tuple[date, date]]:
    """The periods that a reader can choose: all days, the last 30, each calendar month."""
    chosen = {"Whole range": (first_day, last_day)}
    if (last_day - first_day).days >= 30:
        chosen["Last 30 days"] = (last_day - timedelta(days=29), last_day)
    month = first_day.replace(day=1)
    while month <= last_day and (first_day.year, first_day.month) != (last_day.year, last_day.month):
        following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
        chosen[units.month(month)] = (max(first_day, month), min(last_day, following - timedelta(days=1)))
        month = following
    return chosen


def weeks(daily: pandas.DataFrame, columns: Sequence[str]) -> pandas.DataFrame:
    """Sum days to weeks that begin on Monday; `complete` says whether all seven days are there.

    A sum over days of which none is known stays unknown.
    """
    if daily.empty:
        return pandas.DataFrame(columns=["week", *columns, "days", "complete"])
    day = pandas.to_datetime(daily["usage_date"])
    week = (day - pandas.to_timedelta(day.dt.day_of_week, unit="D")).rename("week")
    grouped = daily.assign(usage_date=day).groupby(week)
    frame = grouped[list(columns)].sum(min_count=1)
    frame["days"] = grouped["usage_date"].nunique()
    frame["complete"] = frame["days"] == 7
    return frame.reset_index()


def indexed(weekly: pandas.DataFrame) -> pandas.DataFrame:
    """Set energy and calls of the first full week to 100; empty if there is no second full week to compare."""
    full = weekly[weekly["complete"].astype(bool)].copy()
    if len(full) < 2:
        return full.iloc[0:0]
    first = full.iloc[0]
    if pandas.isna(first["energy_kwh"]) or not first["energy_kwh"] or not first["calls"]:
        return full.iloc[0:0]
    full["energy_index"] = full["energy_kwh"] / first["energy_kwh"] * 100
    full["calls_index"] = full["calls"] / first["calls"] * 100
    return full
