"""How good the evidence is: rungs of the ladder, ranges of totals, what better evidence would gain, deliveries.

What does not belong here: reconciliation of one account with another.
"""

import pandas

from dashboards.book import Book

# A row is known by one rung, or it has no energy: a meter holds it elsewhere, or nobody knows.
_RUNG = """
    case
        when energy_kwh is not null then coalesce(cast(evidence_tier as varchar), 'unknown')
        when gap_reason = 'metered_elsewhere' then 'metered_elsewhere'
        else 'unknown'
    end
"""
_AMOUNTS = """
    sum(energy_kwh)::double as energy_kwh,
    (sum(energy_kwh_high) filter (where energy_kwh is null))::double as most_kwh,
    coalesce(sum(call_count), 0)::bigint as calls,
    coalesce(sum(gpu_seconds) filter (where energy_kwh is null), 0)::bigint as gpu_seconds
"""


def rungs(book: Book) -> pandas.DataFrame:
    """Energy and calls by rung of evidence, over the days shown."""
    return book.ask(f"select {_RUNG} as rung, {_AMOUNTS} from fct_footprint_daily where {{days}} group by 1 order by 1")


def rungs_by_week(book: Book) -> pandas.DataFrame:
    """Energy and calls by week that begins on Monday and rung of evidence."""
    return book.ask(
        f"""
        select date_trunc('week', usage_date)::timestamp as week, {_RUNG} as rung, {_AMOUNTS}
        from fct_footprint_daily
        where {{days}}
        group by 1, 2
        order by 1, 2
        """
    )


def ranges(book: Book) -> pandas.DataFrame:
    """The joint range of the organisation's totals by month; energy in kWh, carbon in kgCO2e."""
    return book.ask(
        """
        select usage_month, metric,
            low::double as low, central::double as central, mean::double as mean, high::double as high
        from fct_range_monthly
        where {months} and perimeter_type = 'organisation'
        order by metric, usage_month
        """
    )


def upgrades(book: Book) -> pandas.DataFrame:
    """By how much the range of a month's total would shrink if one factor were known one rung better."""
    return book.ask(
        """
        select gain.usage_month, gain.factor_id, gain.method, factor.provider, factor.model_name,
            gain.evidence_tier, gain.upgraded_tier,
            gain.energy_kwh::double as energy_kwh, gain.energy_ratio::double as energy_ratio,
            total_low_kwh::double as total_low_kwh, total_high_kwh::double as total_high_kwh,
            upgraded_low_kwh::double as upgraded_low_kwh, upgraded_high_kwh::double as upgraded_high_kwh,
            width_reduction_ratio::double as width_reduction_ratio
        from fct_factor_upgrade_monthly as gain
        left join dim_factor as factor on factor.factor_id = gain.factor_id
        where {months}
        order by gain.usage_month desc, width_reduction_ratio desc nulls last, gain.energy_kwh desc, gain.factor_id
        """
    )


def deliveries(book: Book) -> pandas.DataFrame:
    """Tables, accounts and account hours of each source, expected and received, over the days shown."""
    return book.ask(
        f"""
        select source, count(distinct usage_date)::bigint as days,
            sum(expected_tables)::bigint as expected_tables, sum(received_tables)::bigint as received_tables
            {_ACCOUNTS if _has_accounts(book) else ""}
        from fct_coverage_daily
        where {{days}}
        group by source
        order by source
        """
    )


_ACCOUNTS = """,
    sum(expected_account_count)::bigint as expected_account_count,
    sum(received_account_count)::bigint as received_account_count,
    sum(received_account_hour_count)::bigint as received_account_hour_count,
    (sum(received_account_count) * 24)::bigint as most_account_hours
"""


def deliveries_by_day(book: Book) -> pandas.DataFrame:
    """Tables and accounts of each source, expected and received, by day."""
    names = ("expected_account_count", "received_account_count")
    accounts = ", ".join(f"{name if _has_accounts(book) else 'null'}::bigint as {name}" for name in names)
    return book.ask(
        f"""
        select source, usage_date, expected_tables::bigint as expected_tables,
            received_tables::bigint as received_tables, {accounts}
        from fct_coverage_daily
        where {{days}}
        order by source, usage_date
        """
    )


def _has_accounts(book: Book) -> bool:
    columns = ("expected_account_count", "received_account_count", "received_account_hour_count")
    return book.holds("fct_coverage_daily", *columns)
