"""How much was used: by the organisation, its teams and its workflows, over the days shown.

What does not belong here: ceilings, outcomes, and how well the figures are known.
"""

import pandas

from dashboards.book import Book

# The marts publish the share of calls whose energy is known, rounded to six decimals: whole calls come back exactly.
_SUMS = """
    sum(call_count)::bigint as calls,
    sum(energy_kwh_low)::double as energy_kwh_low,
    sum(energy_kwh)::double as energy_kwh,
    sum(energy_kwh_high)::double as energy_kwh_high,
    (sum(location_gco2e) / 1000)::double as location_kgco2e,
    sum(round(call_count::double * coalesce(coverage_ratio::double, 0)))::bigint as covered_calls
"""
_CARBON_ENDS = """,
    (sum(location_gco2e_low) / 1000)::double as location_kgco2e_low,
    (sum(location_gco2e_high) / 1000)::double as location_kgco2e_high
"""
# A vendor's usage report does not say which calls were retries: they are known for told_calls only.
_ATTEMPTS = """
    sum(retry_count)::bigint as retries,
    (sum(call_count) filter (where retry_count is not null and call_count > 0))::bigint as told_calls
"""


def totals(book: Book) -> pandas.Series:
    """Sums of the organisation, and for how much of its energy a grid and a contract are known."""
    ends = _CARBON_ENDS if book.holds("fct_organisation_daily", "location_gco2e_low", "location_gco2e_high") else ""
    frame = book.ask(
        f"""
        with used as (
            select {_SUMS}{ends} from fct_organisation_daily where {{days}}
        ),
        detail as (
            select {_ATTEMPTS},
                (sum(energy_kwh) filter (where location_gco2e is not null))::double as located_kwh,
                (sum(energy_kwh) filter (where market_gco2e is not null))::double as contracted_kwh,
                (sum(market_gco2e) / 1000)::double as market_kgco2e
            from fct_footprint_daily where {{days}}
        )
        select * from used cross join detail
        """
    )
    return frame.iloc[0]


def daily(book: Book, mart: str = "fct_organisation_daily", key: str = "", value: str = "") -> pandas.DataFrame:
    """Sums by day: of the organisation, or of the row of another mart whose `key` has the `value`."""
    where, params = (f"and {key} = ?", [value]) if key else ("", [])
    return book.ask(
        f"select usage_date, {_SUMS} from {mart} where {{days}} {where} group by usage_date order by usage_date",
        *params,
    )


def teams(book: Book) -> pandas.DataFrame:
    """Sums by team with its name; what nobody owns keeps its own rows, also when they are empty."""
    return book.ask(
        f"""
        with used as (
            select team_id, {_SUMS} from fct_team_daily where {{days}} group by team_id
        ),
        attempts as (
            select team_id, {_ATTEMPTS} from fct_footprint_daily where {{days}} group by team_id
        ),
        known as (
            select team_id, max(team_name) as team_name, max(unit_name) as unit_name from dim_team group by team_id
            union all
            select id, null, null from (values ('orphan'), ('unattributed')) as nobody (id)
            where id not in (select team_id from dim_team)
        )
        select
            coalesce(used.team_id, known.team_id) as team_id,
            coalesce(known.team_name, used.team_id, known.team_id) as team_name,
            known.unit_name,
            coalesce(calls, 0)::bigint as calls, retries, told_calls,
            energy_kwh_low, energy_kwh, energy_kwh_high, location_kgco2e,
            coalesce(covered_calls, 0)::bigint as covered_calls
        from used
        full outer join known on used.team_id = known.team_id
        left join attempts on attempts.team_id = used.team_id
        order by energy_kwh desc nulls last, calls desc, 1
        """
    )


def workflows(book: Book) -> pandas.DataFrame:
    """Sums by workflow with its registry entry and the number of outcomes, None if none is recorded."""
    return book.ask(
        f"""
        with used as (
            select workflow_id, max(team_id) as used_team_id, {_SUMS}
            from fct_workflow_daily where {{days}} group by workflow_id
        ),
        attempts as (
            select workflow_id, {_ATTEMPTS} from fct_footprint_daily where {{days}} group by workflow_id
        ),
        reached as (
            select workflow_id, sum(outcome_count)::bigint as outcomes
            from fct_outcome_daily where {{days}} group by workflow_id
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
            calls, retries, told_calls,
            energy_kwh_low, energy_kwh, energy_kwh_high, location_kgco2e, covered_calls,
            reached.outcomes
        from used
        left join attempts on attempts.workflow_id = used.workflow_id
        left join dim_workflow as flow on flow.workflow_id = used.workflow_id
        left join named on named.team_id = coalesce(flow.team_id, used.used_team_id)
        left join reached on reached.workflow_id = used.workflow_id
        order by energy_kwh desc nulls last, calls desc, used.workflow_id
        """
    )


def calls_by_purpose(book: Book, workflow_id: str) -> pandas.DataFrame:
    """One workflow's calls by day and purpose."""
    return book.ask(
        """
        select usage_date, call_purpose, sum(call_count)::bigint as calls
        from fct_footprint_daily
        where {days} and workflow_id = ?
        group by usage_date, call_purpose
        having sum(call_count) > 0
        order by usage_date, call_purpose
        """,
        workflow_id,
    )
