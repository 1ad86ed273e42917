"""Where each ceiling stands, day by day, what stops next, and what was adopted and refused.

What does not belong here: judging it; the status is made by the marts, and put into words in `dashboards.words`.
"""

import pandas

from dashboards.book import Book

# Columns of positions that an earlier version did not publish.
_LATER = ("forecast_low", "forecast_high", "exhaustion_date_low", "exhaustion_date_high", "exceeded_since_date")
# Names of perimeters, for rows called `place`.
_NAMES = """
        left join dim_team as team on place.perimeter_type = 'team' and team.team_id = place.perimeter_id
        left join (select unit_id, max(unit_name) as unit_name from dim_team group by unit_id) as units
            on place.perimeter_type = 'unit' and units.unit_id = place.perimeter_id
        left join dim_workflow as flow on place.perimeter_type = 'workflow' and flow.workflow_id = place.perimeter_id
"""
_NAME = "coalesce(team.team_name, flow.workflow_name, units.unit_name, place.perimeter_id) as perimeter_name"


def positions(book: Book) -> pandas.DataFrame:
    """Every day's position of each ceiling.

    `is_latest` marks the newest day of a ceiling, `is_over` a period whose last day is in the build.
    A ceiling has its own period, so the days shown do not matter here.
    """
    later = ", ".join(
        (name if book.holds("fct_ceiling_position_daily", name) else "null")
        + ("::date" if name.split("_")[0] in ("exhaustion", "exceeded") else "::double")
        + f" as {name}"
        for name in _LATER
    )
    return book.ask(
        f"""
        with latest as (
            select ceiling_id, max(usage_date) as latest_date from fct_ceiling_position_daily group by ceiling_id
        )
        select
            place.usage_date, place.ceiling_id, place.perimeter_type, place.perimeter_id, metric, period_start,
            period_end, {_NAME},
            limit_quantity::double as limit_quantity, used_quantity::double as used_quantity,
            used_low::double as used_low, used_high::double as used_high,
            forecast_quantity::double as forecast_quantity, exhaustion_date, {later},
            breach_probability::double as breach_probability, place.status,
            place.usage_date = latest.latest_date as is_latest,
            latest.latest_date + 1 >= period_end as is_over
        from fct_ceiling_position_daily as place
        inner join latest on latest.ceiling_id = place.ceiling_id
        {_NAMES}
        order by place.perimeter_type <> 'organisation', place.perimeter_id, metric, place.ceiling_id, place.usage_date
        """
    )


def steps(book: Book) -> pandas.DataFrame:
    """What the gate does to which class of work, ceiling by ceiling: what is reached, then what comes first."""
    return book.ask(
        f"""
        select
            place.as_of_date, place.ceiling_id, place.perimeter_type, place.perimeter_id, {_NAME}, metric,
            place.usefulness_class, action, gate_rule_id, rule_perimeter_type, rule_perimeter_id,
            from_ratio::double as from_ratio, from_quantity::double as from_quantity, is_reached,
            begins_date_low, begins_date, begins_date_high,
            workflow_count, workflow_names, unknown_workflow_count, touched_quantity::double as touched_quantity,
            touched_ratio::double as touched_ratio
        from fct_ceiling_step as place
        {_NAMES}
        order by is_reached desc, begins_date nulls last, begins_date_low nulls last,
            touched_ratio desc nulls last, place.ceiling_id, place.usefulness_class, from_ratio, gate_rule_id
        """
    )


def adopted(book: Book) -> pandas.DataFrame:
    """Every ceiling with the body that adopted it; `is_coming` where its period has not begun in the build."""
    evidence = "evidence" if book.holds("dim_ceiling", "evidence") else "null::varchar as evidence"
    return book.ask(
        f"""
        select
            place.ceiling_id, place.perimeter_type, place.perimeter_id, {_NAME}, metric, period_start, period_end,
            limit_quantity::double as limit_quantity, adopted_by, adopted_at_utc, reason, {evidence},
            period_start > coalesce((select max(usage_date) from fct_organisation_daily), period_start) as is_coming
        from dim_ceiling as place
        {_NAMES}
        order by period_start, place.perimeter_type <> 'organisation', place.perimeter_id, metric
        """
    )


def refused(book: Book) -> pandas.DataFrame:
    """What was tried against ceilings and refused, the newest first; text as it was written."""
    return book.ask(
        f"""
        select
            attempt_id, attempted_at_utc, path, statement, place.ceiling_id, place.perimeter_type, place.perimeter_id,
            {_NAME}, metric, period_start, period_end, place.limit_quantity, field, rule, fix
        from fct_refused_attempt as place
        {_NAMES}
        order by attempt_id desc
        """
    )
