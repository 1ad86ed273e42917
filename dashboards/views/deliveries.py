"""Deliveries: what each source was to deliver and did, and which days a vendor restated.

What does not belong here: how much was used.
"""

from typing import Any

import pandas

from dashboards import cells, charts, parts, tables, words, words_of_gaps
from dashboards.book import Book
from dashboards.questions import evidence, knowledge
from dashboards.tables import Column
from pipelines import units


def section(book: Book, anchor: str, restated: str) -> None:
    """Each source by day at `anchor`, then what was `restated`, at an anchor of its own."""
    by_source = evidence.deliveries(book)
    if by_source.empty:
        parts.heading("No source was to deliver anything in these days", anchor=anchor)
        parts.empty("Sources are named in jevons.toml. Check them:", "jevons doctor")
    else:
        _sources(book, by_source, anchor)
    _restated(book, restated)


def _sources(book: Book, by_source: pandas.DataFrame, anchor: str) -> None:
    parts.heading(
        words_of_gaps.delivery_finding(by_source),
        "A tile is a day of a source: were all its tables delivered, and every account heard of? An account (project, "
        "key, host) is expected for four weeks after it was last heard of.",
        anchor,
    )
    daily = evidence.deliveries_by_day(book)
    daily = daily.assign(
        delivered=[words_of_gaps.delivered(row) for row in daily.itertuples()],
        said=[words_of_gaps.delivery(row) for row in daily.itertuples()],
    )
    parts.chart(charts.delivery_tiles(daily, words_of_gaps.delivery_finding(by_source)), "deliveries")
    columns = [
        Column("source", "Source"),
        Column("days", "Days", units.count),
        Column("expected_tables", "Daily tables expected", units.count),
        Column("received_tables", "Daily tables received", units.count),
    ]
    if "expected_account_count" in by_source:
        columns += [
            Column("expected_account_count", "Account days expected", units.count, missing="has none"),
            Column("received_account_count", "Account days heard of", units.count, missing="has none"),
            Column("most_account_hours", "Account hours, at most", units.count, missing="has none"),
            Column("received_account_hour_count", "Account hours heard of", units.count, missing="has none"),
        ]
    tables.report(book, "deliveries", by_source, columns, "What each source delivered")
    lacking = daily[daily["delivered"] != "all"]
    if len(lacking):
        columns = [Column("source", "Source"), Column("usage_date", "Day", units.day), Column("said", "Delivered")]
        fold = "Show days that are not whole"
        tables.twin(book, "deliveries_lacking", lacking, columns, "Days on which something was not delivered", fold)


def _restated(book: Book, anchor: str) -> None:
    changed = knowledge.restated(book)
    if changed.empty:
        parts.heading("No day was restated", anchor=anchor)
        return
    days = changed[["source", "usage_date"]].drop_duplicates()
    names = ", ".join(sorted(set(changed["source"])))
    parts.heading(
        f"{units.counted(len(days), 'day was', 'days were')} restated by {names}",
        "The figures follow the newest version; what was reported first is kept.",
        anchor,
    )
    shown = changed.assign(change=[words.ratio(row.now_total - row.before_total, row.before_total)
                                   for row in changed.itertuples()])  # fmt: skip
    columns = [*RESTATED_COLUMNS, Column("change", "Change", _signed, missing="from nothing", only="page")]
    tables.report(book, "restated", shown, columns, "Restated days")


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−'}{units.percent(abs(value))}"


def _total(value: Any) -> str:
    """A total of any unit: whole if it is a count."""
    return units.count(value) if float(value).is_integer() else f"{value:,.2f}"


RESTATED_COLUMNS = [
    Column("source", "Source"),
    Column("table_name", "Table"),
    Column("usage_date", "Day", units.day),
    Column("quantity", "Sum of", cell=lambda row: cells.named(row.quantity.replace("_", " "))),
    Column("before_total", "Before", _total),
    Column("now_total", "Now", _total),
]
