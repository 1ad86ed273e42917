"""Burn-downs: what is left of each ceiling in force, day by day, and where the forecast leads.

What does not belong here: the table of ceilings, and whether one is exceeded.
"""

import re
from typing import Any

import pandas
import streamlit as st

from dashboards import charts, parts, tables, words
from dashboards.book import Book
from dashboards.questions.ceilings import positions
from dashboards.tables import Column
from pipelines import units

_PER_ROW = 2  # so that a chart keeps its room on a narrow page


def section(book: Book, current: pandas.DataFrame, anchor: str) -> None:
    """One chart a ceiling.

    Args:
        book: the build.
        current: newest position of each ceiling to draw.
        anchor: of the heading.
    """
    rows, places = list(current.itertuples()), positions(book)
    if not rows:
        return
    parts.heading(
        "What is left of each ceiling, day by day",
        "Solid line: the central estimate; band: low to high; dashed: the forecast, and its interval paler; "
        "thick on the wall: from the earliest to the latest day of running out; dotted: an even pace.",
        anchor,
    )
    for start in range(0, len(rows), _PER_ROW):
        for column, row in zip(st.columns(_PER_ROW, gap="medium"), rows[start : start + _PER_ROW], strict=False):
            with column:
                _burn_down(book, row, places[places["ceiling_id"] == row.ceiling_id])


def _burn_down(book: Book, row: Any, place: pandas.DataFrame) -> None:
    beyond = place[place["used_quantity"] > place["limit_quantity"]]
    since = pandas.Timestamp(beyond.iloc[0]["usage_date"]).date() if len(beyond) else None
    finding, detail = words.ceiling_finding(row, since), words.ceiling_detail(row)
    parts.subheading(finding, detail, parts.status(row.status))
    parts.chart(charts.burn_down(place, f"{finding}. {detail}"), f"burn-{row.ceiling_id}")
    unit = units.metric_unit(row.metric)
    columns = [
        Column("usage_date", "Day", units.day),
        Column("left", f"Left, {unit}", units.number),
        Column("used_quantity", f"Used, {unit}", units.number),
        Column("used_low", "Used low", units.number),
        Column("used_high", "Used high", units.number),
        Column("forecast_quantity", "Forecast of that day", units.number),
        Column("forecast_low", "Forecast low", units.number),
        Column("forecast_high", "Forecast high", units.number),
    ]
    table = place.assign(left=place["limit_quantity"] - place["used_quantity"])
    name = "ceiling_" + re.sub(r"[^A-Za-z0-9_-]", "_", str(row.ceiling_id))
    tables.twin(book, name, table, columns, f"{row.name} day by day")
