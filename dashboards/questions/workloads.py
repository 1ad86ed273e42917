"""The inventory of workloads, what each lever would save, and what is owed: the last 30 days of the build.

What does not belong here: sums over levers, which act on the same energy.
"""

import pandas

from dashboards.book import Book

_ENERGY = ", ".join(f"{{0}}energy_kwh{end}::double as {{1}}energy_kwh{end}" for end in ("_low", "", "_high"))


def inventory(book: Book) -> pandas.DataFrame:
    """Every workflow, and one row each for what nobody owns; the one of most energy first."""
    return book.ask(
        f"""
        select workflow_id, coalesce(workflow_name, workflow_id) as workflow_name,
            flow.team_id, coalesce(team.team_name, flow.team_id) as team_name, owner, job_description, flow.status,
            providers,
            model_ids, usefulness_class, latency_tier, cacheable, small_model_fit, as_of_date,
            day_count::bigint as day_count, call_count::bigint as calls, retry_ratio::double as retry_ratio,
            {_ENERGY.format("", "")},
            coverage_ratio::double as coverage_ratio, outcome_types, outcome_count::bigint as outcomes,
            call_trend_ratio::double - 1 as call_change, energy_trend_ratio::double - 1 as energy_change,
            expected_monthly_calls, excess_call_count::bigint as excess_calls, review_due_date,
            coalesce(is_review_overdue, false) as is_review_overdue, is_retire_candidate, retire_reasons
        from fct_workload_inventory as flow
        left join dim_team as team on team.team_id = flow.team_id
        order by energy_kwh desc nulls last, workflow_id
        """
    )


def levers(book: Book) -> pandas.DataFrame:
    """Each lever that applies to each workflow, the largest known saving first; what is unknown last."""
    return book.ask(
        f"""
        select lever, condition, flow.workflow_id, coalesce(flow.workflow_name, flow.workflow_id) as workflow_name,
            coalesce(team.team_name, flow.team_id) as team_name, finding, gap_reason,
            lever.coverage_ratio::double as coverage_ratio, {_ENERGY.format("saved_", "saved_")},
            base_energy_kwh::double as base_energy_kwh, evidence
        from fct_workload_lever as lever
        inner join fct_workload_inventory as flow on flow.workflow_id = lever.workflow_id
        left join dim_team as team on team.team_id = flow.team_id
        where finding <> 'does not apply'
        order by lever, saved_energy_kwh desc nulls last, saved_energy_kwh_high desc nulls last, flow.workflow_id
        """
    )


def accounts(book: Book) -> pandas.DataFrame:
    """Each account's states over all teams, in kWh and calls of 30 days."""
    return book.ask(
        """
        select account, state, sum(item_count)::bigint as items, sum(call_count)::bigint as calls,
            sum(energy_kwh)::double as energy_kwh,
            sum(call_count)::double / nullif(sum(sum(call_count)::double) over (partition by account), 0) as call_share
        from fct_governance
        group by account, state
        order by account, calls desc, state
        """
    )


def orphans(book: Book, team_id: str) -> pandas.DataFrame:
    """What nobody owns, by source and model, and whether the team uses the same model or hardware in it.

    A model that is empty, such as that of idle hardware, is no hint.
    """
    return book.ask(
        f"""
        with month as (
            select max(usage_date) - 29 as first_date from fct_footprint_daily
        ),
        mine as (
            select distinct concat_ws(', ', source, nullif(model_id, '')) as detail
            from fct_footprint_daily cross join month
            where team_id = ? and usage_date >= first_date and (call_count > 0 or gpu_seconds > 0) and model_id <> ''
        )
        select owed.task, owed.workflow_id, owed.detail, since_date, waiting_days_count::bigint as waiting_days,
            call_count::bigint as calls, {_ENERGY.format("", "")}, mine.detail is not null as is_alike
        from fct_governance_task as owed
        left join mine on mine.detail = owed.detail
        where owed.workflow_id in ('orphan', 'unattributed')
        order by is_alike desc, energy_kwh desc nulls last, calls desc, owed.detail
        """,
        team_id,
    )


def tasks(book: Book) -> pandas.DataFrame:
    """What is owed, by team; the thing that has waited longest first."""
    return book.ask(
        f"""
        select owed.team_id, coalesce(team.team_name, owed.team_id) as team_name, task, workflow_id,
            coalesce(workflow_name, workflow_id) as workflow_name, owner, since_date,
            waiting_days_count::bigint as waiting_days, detail, call_count::bigint as calls, {_ENERGY.format("", "")}
        from fct_governance_task as owed
        left join dim_team as team on team.team_id = owed.team_id
        order by waiting_days_count desc nulls last, task, workflow_id, detail
        """
    )
