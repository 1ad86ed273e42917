"""Energy per request: how unequal requests are, by workflow, model, team, latency tier and length.

What does not belong here: sums and means over months; quantiles are never averaged.
"""

from typing import Any

import pandas
import streamlit as st

from dashboards import charts, parts, style, tables, words_of_models
from dashboards.book import Book
from dashboards.questions import models
from dashboards.tables import Column
from pipelines import units

_PERIMETERS = ("workflow", "model", "team", "latency_tier", "length_class")
_DRAWN = 12


def section(book: Book, anchor: str) -> None:
    """The organisation's finding, a chart of one kind of perimeter and its table."""
    if not book.holds("fct_request_quantile_monthly"):
        return
    spread = models.request_quantiles(book)
    whole = spread[spread["perimeter_type"] == "organisation"]
    if whole.empty:
        parts.heading("No single request is recorded in these months", anchor=anchor)
        parts.empty(
            "Requests are told one by one by a call log or traces; a vendor's usage report tells sums. Check the "
            "sources:",
            "jevons doctor",
        )
        return
    finding = words_of_models.spread_finding(whole.iloc[0])
    parts.heading(
        finding,
        f"Requests of the call log in {units.month(whole.iloc[0]['usage_month'])}, the newest month that the days "
        "shown touch, whole. Quantiles are off by 4.4 % at most; they cannot be added or averaged."
        + words_of_models.not_single_note(whole.iloc[0]),
        anchor,
    )
    present = [name for name in _PERIMETERS if name in set(spread["perimeter_type"])]
    if not present:
        return
    chosen = st.selectbox("By", present, format_func=words_of_models.perimeter, key="request-perimeter", width=420)
    rows = spread[spread["perimeter_type"] == chosen]
    rows = rows.assign(name=[_name(row) for row in rows.itertuples()])
    known = rows[rows["p50_wh"].notna()]
    if known.empty:
        parts.empty("The energy of single requests is unknown for all of them.")
    else:
        _chart(known, chosen)
    _table(book, rows, chosen)


def _name(row: Any) -> str:
    nobody = {"orphan": "Orphan", "unattributed": "Unattributed"}
    if row.perimeter_id in nobody:
        return nobody[row.perimeter_id]
    return words_of_models.plain(row.name) if row.perimeter_type in ("latency_tier", "length_class") else row.name


def _chart(known: pandas.DataFrame, chosen: str) -> None:
    drawn = known.head(_DRAWN)
    far = charts.is_far(drawn, ["p50_wh", "p95_wh", "p99_wh", "mean_wh"])
    some = f", the {_DRAWN} of most energy" if len(known) > _DRAWN else ""
    what = words_of_models.perimeter(chosen)
    note = "Wh a request, on a logarithmic axis, in even ratios." if far else "Wh a request, from zero."
    key = parts.keys((style.SIGNS[shape], colour, name) for name, shape, colour in style.QUANTILES.values())
    parts.subheading(f"Energy of a request by {what[0].lower()}{what[1:]}{some}", note, key=key)
    parts.chart(charts.quantiles(drawn, f"Energy of a request by {what}"), "requests")


def _table(book: Book, rows: pandas.DataFrame, chosen: str) -> None:
    columns = [
        Column("name", words_of_models.perimeter(chosen)),
        Column("calls", "Requests", units.count),
        Column("energy_kwh", "Energy, kWh", words_of_models.amount),
        Column("mean_wh", "Mean, Wh", words_of_models.amount),
        Column("p50_wh", "Half at most, Wh", words_of_models.amount),
        Column("p95_wh", "95 of 100, Wh", words_of_models.amount),
        Column("p99_wh", "99 of 100, Wh", words_of_models.amount),
        Column("top_ratio", "Top 1 % uses", units.percent),
    ]
    tables.table(rows, columns, "Energy of a request")
    more = [Column("gap_calls", "Requests of unknown energy", units.count)]
    tables.download(book, f"requests_{chosen}", rows, [*columns[:2], *more, *columns[2:]])
