"""What the energy was for: outcomes with the calls and the energy behind them.

What does not belong here: adding outcomes of different kinds.
"""

import pandas

from dashboards.book import Book


def outcomes(book: Book) -> pandas.DataFrame:
    """Sums by workflow and outcome type; accepted counts only over days that were judged."""
    return book.ask(
        """
        select
            reached.workflow_id,
            coalesce(max(flow.workflow_name), reached.workflow_id) as workflow_name,
            max(reached.team_id) as team_id,
            coalesce(max(team.team_name), max(reached.team_id)) as team_name,
            outcome_type,
            sum(outcome_count)::bigint as outcomes,
            sum(accepted_count)::bigint as accepted,
            (sum(outcome_count) filter (where accepted_count is not null))::bigint as judged,
            sum(call_count)::bigint as calls,
            sum(energy_kwh)::double as energy_kwh,
            (sum(outcome_count) filter (where energy_kwh is not null))::bigint as measured_outcomes
        from fct_outcome_daily as reached
        left join dim_workflow as flow on flow.workflow_id = reached.workflow_id
        left join dim_team as team on team.team_id = reached.team_id
        where {days}
        group by reached.workflow_id, outcome_type
        order by energy_kwh desc nulls last, reached.workflow_id, outcome_type
        """
    )


def by_week(book: Book) -> pandas.DataFrame:
    """Sums by week that begins on Monday, workflow and outcome type; `complete` if all seven days are reported."""
    return book.ask(
        """
        select
            workflow_id, outcome_type, date_trunc('week', usage_date)::timestamp as week,
            sum(outcome_count)::bigint as outcomes, sum(call_count)::bigint as calls,
            sum(energy_kwh)::double as energy_kwh,
            (sum(energy_kwh) / nullif(sum(outcome_count) filter (where energy_kwh is not null), 0) * 1000)::double
                as wh_per_outcome,
            (sum(call_count) / nullif(sum(outcome_count), 0))::double as calls_per_outcome,
            count(distinct usage_date) as days, count(distinct usage_date) = 7 as complete
        from fct_outcome_daily
        where {days}
        group by workflow_id, outcome_type, date_trunc('week', usage_date)
        order by workflow_id, outcome_type, week
        """
    )
