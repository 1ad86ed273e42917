"""Where each ceiling stands, day by day.

What does not belong here: judging it; the status is made by the marts, and put into words in `dashboards.words`.
"""

import pandas

from dashboards.book import Book


def positions(book: Book) -> pandas.DataFrame:
    """Every day's position of each ceiling.

    `is_latest` marks the newest day of a ceiling, `is_over` a period whose last day is in the build.
    A ceiling has its own period, so the days shown do not matter here.
    """
    return book.ask(
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
            place.usage_date = latest.latest_date as is_latest,
            latest.latest_date + 1 >= period_end as is_over
        from fct_ceiling_position_daily as place
        inner join latest on latest.ceiling_id = place.ceiling_id
        left join dim_team as team on perimeter_type = 'team' and team.team_id = perimeter_id
        left join units on perimeter_type = 'unit' and units.unit_id = perimeter_id
        left join dim_workflow as flow on perimeter_type = 'workflow' and flow.workflow_id = perimeter_id
        order by perimeter_type <> 'organisation', perimeter_id, metric, place.ceiling_id, place.usage_date
        """
    )
