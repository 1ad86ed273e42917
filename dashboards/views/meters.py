"""Meters against counters: is the better evidence what the weaker one said?

What does not belong here: vendors' accounts, and estimates held against meters.
"""

from typing import Any

from dashboards import cells, parts, tables, words_of_gaps
from dashboards.book import Book
from dashboards.questions import reconciliation
from dashboards.tables import Column
from pipelines import units


def section(book: Book, anchor: str) -> None:
    """One row a meter."""
    if not book.holds("fct_meter_reconciliation_daily", "open_days"):
        return
    meters = reconciliation.meters(book)
    if meters.empty:
        parts.heading("No meter stands before the machines, as far as is known", anchor=anchor)
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
        anchor,
    )
    columns = [
        Column("name", "Meter", cell=_name, only="page"),
        Column("site_id", "Site", only="file"),
        Column("host", "Host", only="file"),
        Column("meter_kind", "Kind", only="file"),
        Column("boundary", "Boundary", only="file"),
        Column("compared_hours", "Hours", units.count),
        Column("meter_kwh", "Meter, kWh", units.number),
        Column("counters_kwh", "Counters, kWh", units.number),
        Column("estimate_kwh", "Without it, kWh", units.number),
        Column("gap_ratio", "Gap", units.percent, cell=cells.gap),
        Column("tolerance_ratio", "Tolerance", units.percent, only="file"),
        Column("why", "Finding", cell=lambda row: cells.named(row.why, words_of_gaps.agreed(row))),
        Column("opened_date", "Since", units.day, only="file"),
        Column("open_days", "Open for, days", units.count, cell=_open),
        Column("days", "Days compared", units.count, only="file"),
        Column("agreed_days", "Days in agreement", units.count, only="file"),
    ]
    tables.report(book, "meters", meters, columns, "Meters against counters")


def _open(row: Any) -> str:
    return cells.dated(row.open_days, row.opened_date)


def _name(row: Any) -> str:
    kind = row.meter_kind.upper() if row.meter_kind == "pdu" else row.meter_kind
    return cells.named(row.name, kind, words_of_gaps.boundary(row.boundary))
