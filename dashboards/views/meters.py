"""Meters against counters, and estimates against meters: is the better evidence what the weaker one said?

What does not belong here: vendors' accounts.
"""

from typing import Any

from dashboards import parts, tables, words_of_evidence, words_of_gaps
from dashboards.book import Book
from dashboards.questions import reconciliation
from dashboards.tables import Column
from pipelines import units


def section(book: Book) -> None:
    """Meters held against the counters behind them, then estimates held against meters."""
    if book.holds("fct_meter_reconciliation_daily"):
        _meters(book)
    if book.holds("fct_estimate_backtest"):
        _backtests(book)


def _meters(book: Book) -> None:
    meters = reconciliation.meters(book)
    if meters.empty:
        parts.heading("No meter stands before the machines, as far as is known")
        parts.empty(
            "Meters of sites, racks and hosts are held against the counters of the GPUs behind them. Name one in "
            "jevons.toml and check:",
            "jevons doctor",
        )
        return
    meters = meters.assign(
        name=[words_of_gaps.meter(row) for row in meters.itertuples()],
        why=[words_of_gaps.meter_cause(row.cause) for row in meters.itertuples()],
    )
    parts.heading(
        words_of_gaps.meter_finding(meters),
        "Only hours that a meter read whole are compared. Counters: what the GPUs behind it count. Without it: what "
        "would be estimated if there were no meter; the gap is the meter beyond that, over the meter. Finding and age "
        "are those of the newest day shown.",
    )
    columns = [
        Column("name", "Meter"),
        Column("compared_hours", "Hours", units.count),
        Column("meter_kwh", "Meter, kWh", units.number),
        Column("counters_kwh", "Counters, kWh", units.number),
        Column("estimate_kwh", "Without it, kWh", units.number),
        Column("gap_ratio", "Gap", units.percent),
        Column("why", "Finding"),
        Column("age_days", "Age, days", units.count, missing="–"),
    ]
    tables.table(
        meters,
        columns,
        "Meters against counters",
        cells={
            "name": lambda row: tables.named(
                row.name, row.meter_kind.upper() if row.meter_kind == "pdu" else row.meter_kind,
                words_of_gaps.boundary(row.boundary),
            ),
            "gap_ratio": tables.gap,
            "why": lambda row: tables.named(row.why, f"{row.agreed_days} of {row.days} days agreed"),
            "age_days": _age,
        },
    )  # fmt: skip
    more = [
        Column("site_id", "Site"), Column("host", "Host"), Column("meter_kind", "Kind"), Column("boundary", "Boundary"),
        *columns[1:6], Column("tolerance_ratio", "Tolerance", units.percent), columns[6],
        Column("opened_date", "Since", units.day), columns[7], Column("days", "Days compared", units.count),
        Column("agreed_days", "Days in agreement", units.count),
    ]  # fmt: skip
    tables.download(book, "meters", meters, more)


def _age(row: Any) -> str:
    if units.is_unknown(row.age_days):
        return '<td class="n u">–</td>'
    return f'<td class="n">{units.count(row.age_days)}<small>{units.day(row.opened_date)}</small></td>'


def _backtests(book: Book) -> None:
    tried = reconciliation.backtests(book)
    if tried.empty:
        return
    parts.heading(
        words_of_evidence.backtest_finding(tried),
        "Calls whose energy a meter holds, against what the best factor would have said of them. Ratio: meter over "
        "estimate, geometric mean of the days; above 1, the factor is too low, or a GPU stood idle for its workflow.",
    )
    tried = tried.assign(rung=[words_of_evidence.rung(tier) for tier in tried["evidence_tier"]])
    columns = [
        Column("rung", "Estimate known by"),
        Column("model_id", "Model"),
        Column("usage_month", "Month", units.month),
        Column("days", "Days", units.count),
        Column("compared_calls", "Calls", units.count),
        Column("metered_kwh", "Meter, kWh", units.number),
        Column("estimated_kwh", "Estimate, kWh", units.number),
        Column("bias", "Ratio", units.number),
        Column("gsd_ratio", "Spread of days, GSD", units.number, missing="one day"),
    ]
    tables.table(tried, columns, "Estimates against meters")
    plain = [*columns[:2], Column("factor_id", "Factor"), *columns[2:]]
    tables.download(book, "backtests", tried, plain)
