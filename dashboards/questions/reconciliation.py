"""Where two accounts of the same use differ: vendor against gateway against invoice, meter against counters.

What does not belong here: which of the two is booked; the ledger's system of record decides that.
"""

import pandas

from dashboards.book import Book


def vendor_gaps(book: Book) -> pandas.DataFrame:
    """Unbroken runs of days with a finding, over the days shown, the oldest first.

    `is_open` says whether the run still stands on the newest day on which its two sources were compared, whatever days
    are shown.
    """
    return book.ask(
        """
        with newest as (
            select provider, quantity, of_record_source, other_source,
                arg_max_null(opened_date, usage_date) as standing_date
            from fct_reconciliation_daily
            group by provider, quantity, of_record_source, other_source
        ),
        runs as (
            select provider, quantity, of_record_source, other_source, opened_date,
                max(usage_date) as last_date, count(*)::bigint as days, max(age_days)::bigint as age_days,
                arg_max(cause, usage_date) as cause,
                (sum(of_record_quantity) filter (where gap_quantity is not null))::double as of_record_quantity,
                (sum(other_quantity) filter (where gap_quantity is not null))::double as other_quantity,
                sum(gap_quantity)::double as gap_quantity,
                max(tolerance_ratio)::double as tolerance_ratio
            from fct_reconciliation_daily
            where {days} and cause is not null
            group by provider, quantity, of_record_source, other_source, opened_date
        )
        select runs.*, gap_quantity / nullif(of_record_quantity, 0) as gap_ratio,
            coalesce(opened_date = standing_date, false) as is_open
        from runs
        inner join newest using (provider, quantity, of_record_source, other_source)
        order by is_open desc, cause = 'not_told', age_days desc, provider, quantity, of_record_source, other_source
        """
    )


def vendor_accounts(book: Book) -> pandas.DataFrame:
    """How many days each pair of accounts was compared, and on how many they agreed."""
    return book.ask(
        """
        select provider, quantity, of_record_source, other_source, count(*)::bigint as days,
            (count(*) filter (where cause is null))::bigint as agreed_days,
            max(tolerance_ratio)::double as tolerance_ratio
        from fct_reconciliation_daily
        where {days}
        group by provider, quantity, of_record_source, other_source
        order by provider, quantity, of_record_source, other_source
        """
    )


def meters(book: Book) -> pandas.DataFrame:
    """Each meter against the counters behind it and the estimate without it, over its compared hours.

    The finding is that of the newest of the days shown; the share of days in agreement is over all that were compared.
    """
    return book.ask(
        """
        select site_id, host, meter_kind, boundary,
            sum(compared_hours)::bigint as compared_hours,
            (count(*) filter (where is_within is not null))::bigint as days,
            (count(*) filter (where is_within))::bigint as agreed_days,
            (sum(meter_kwh) filter (where counters_kwh is not null))::double as meter_kwh,
            sum(counters_kwh)::double as counters_kwh, sum(estimate_kwh)::double as estimate_kwh,
            (sum(gap_kwh) / nullif(sum(meter_kwh) filter (where gap_kwh is not null), 0))::double as gap_ratio,
            max(tolerance_ratio)::double as tolerance_ratio,
            arg_max_null(cause, usage_date) as cause, arg_max_null(opened_date, usage_date) as opened_date,
            arg_max_null(open_days, usage_date) as open_days
        from fct_meter_reconciliation_daily
        where {days}
        group by site_id, host, meter_kind, boundary
        order by open_days desc nulls last, meter_kwh desc nulls last, site_id, host, meter_kind, boundary
        """
    )


def backtests(book: Book) -> pandas.DataFrame:
    """What meters read against what a factor would have said of the same calls, by month, model and factor."""
    return book.ask(
        """
        select usage_month, model_id, factor_id, evidence_tier, compared_call_count::bigint as compared_calls,
            observation_count as days, metered_kwh::double as metered_kwh, busy_kwh::double as busy_kwh,
            idle_kwh::double as idle_kwh, idle_ratio::double as idle_ratio, estimated_kwh::double as estimated_kwh,
            geometric_mean_ratio::double as bias, gsd_ratio::double as gsd_ratio, range_ratio::double as range_ratio,
            finding
        from fct_estimate_backtest
        where {months} and observation_count > 0
        order by evidence_tier nulls last, usage_month desc, metered_kwh desc, model_id
        """
    )
