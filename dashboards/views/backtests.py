"""Estimates against meters: what a factor would have said of calls whose energy a meter holds.

What does not belong here: meters against counters; those stand in `meters`.
"""

from dashboards import cells, parts, tables, words_of_evidence
from dashboards.book import Book
from dashboards.questions import reconciliation
from dashboards.tables import Column
from pipelines import units


def section(book: Book, anchor: str) -> None:
    """One row a month, model and factor."""
    if not book.holds("fct_estimate_backtest", "busy_kwh"):
        return
    tried = reconciliation.backtests(book)
    if tried.empty:
        parts.heading("No estimate was held against a meter in these months", anchor=anchor)
        parts.empty("A factor is tried where a meter holds the energy of calls that it could have estimated.")
        return
    parts.heading(
        words_of_evidence.backtest_finding(tried),
        "Calls whose energy a meter holds, against what the best factor would have said of them. Idle: what the "
        "boards that the workflows held draw in any case, with its host and cooling; no factor holds it. Ratio: the "
        "rest of the meter over the estimate, geometric mean of the days. Spread: geometric standard deviation of the "
        "days' ratios.",
        anchor,
    )
    columns = [
        Column("model_id", "Model", cell=lambda row: cells.named(row.model_id, row.rung)),
        Column("rung", "Estimate known by", only="file"),
        Column("factor_id", "Factor", only="file"),
        Column("usage_month", "Month", units.month),
        Column("days", "Days", units.count),
        Column("compared_calls", "Calls", units.count),
        Column("metered_kwh", "Meter, kWh", units.number),
        Column("idle_ratio", "Idle", units.percent, full_label="Idle, share of the meter"),
        Column("idle_kwh", "Idle, kWh", units.number, only="file"),
        Column("busy_kwh", "Busy, kWh", units.number),
        Column("estimated_kwh", "Estimate, kWh", units.number),
        Column("bias", "Ratio", units.number, full_label="Ratio, busy over estimate"),
        Column("gsd_ratio", "Spread", units.number, missing="one day", full_label="Spread of days, GSD"),
        Column("range_ratio", "Range of the factor, ratio", units.number, only="file"),
        Column("why", "Finding"),
    ]
    tried = tried.assign(
        rung=[words_of_evidence.rung(tier) for tier in tried["evidence_tier"]],
        why=[words_of_evidence.backtest_cause(row) for row in tried.itertuples()],
    )
    tables.report(book, "backtests", tried, columns, "Estimates against meters")
