"""How well the figures are known: evidence, gaps, days that did not arrive, days that a vendor restated.

What does not belong here: the figures themselves.
"""

import pandas

from dashboards.book import Book


def evidence(book: Book) -> pandas.DataFrame:
    """Known energy by evidence tier, the largest first."""
    return book.ask(
        """
        select evidence_tier, sum(energy_kwh)::double as energy_kwh
        from fct_footprint_daily
        where {days} and energy_kwh is not null
        group by evidence_tier
        order by energy_kwh desc, evidence_tier
        """
    )


def gaps(book: Book) -> pandas.DataFrame:
    """Calls and GPU time whose energy is not known, by model and reason."""
    return book.ask(
        """
        select model_id, gap_reason,
            coalesce(sum(call_count), 0)::bigint as calls,
            coalesce(sum(gpu_seconds), 0)::bigint as gpu_seconds,
            sum(energy_kwh_high)::double as energy_kwh_high
        from fct_gap_daily
        where {days}
        group by model_id, gap_reason
        order by calls desc, gpu_seconds desc, model_id, gap_reason
        """
    )


def missing_days(book: Book) -> pandas.DataFrame:
    """Days on which a source delivered fewer tables than expected."""
    return book.ask(
        """
        select source, usage_date, expected_tables::bigint as expected, received_tables::bigint as received
        from fct_coverage_daily
        where {days} and received_tables < expected_tables
        order by source, usage_date
        """
    )


def restated(book: Book) -> pandas.DataFrame:
    """Quantities of a day that differ between the newest landed version and the one before it.

    Sums of time stamps say nothing about what was used, so they are left out.
    """
    return book.ask(
        """
        with versions as (
            select source, table_name, usage_date, quantity, version, is_current,
                landed_total::double as now_total,
                lag(landed_total::double) over (
                    partition by source, table_name, usage_date, quantity order by version
                ) as before_total
            from fct_restatement
            where {days} and quantity not in ('start_time', 'end_time')
        )
        select source, table_name, usage_date, quantity, version, before_total, now_total
        from versions
        where is_current and before_total is not null and before_total <> now_total
        order by source, usage_date, table_name, quantity
        """
    )


def sources(book: Book) -> pandas.DataFrame:
    """Expected and received daily tables by source."""
    return book.ask(
        """
        select source, count(distinct usage_date) as days,
            sum(expected_tables)::bigint as expected, sum(received_tables)::bigint as received
        from fct_coverage_daily
        where {days}
        group by source
        order by source
        """
    )
