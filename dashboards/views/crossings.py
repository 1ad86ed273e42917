"""Total and intensity by week, the first full week as 100: where the two part, a saving was taken back.

What does not belong here: why; the decomposition says what changed.
"""

import streamlit as st

from dashboards import charts, parts, tables, words
from dashboards.book import Book
from dashboards.questions import decompositions, usage
from dashboards.questions.decompositions import Perimeter
from dashboards.tables import Column
from dashboards.weeks import indexed, weeks
from pipelines import units

_CALLS = "A call"


def section(book: Book, of: Perimeter, anchor: str) -> None:
    """Energy, calls or outcomes, and energy per one of them."""
    title = st.container()
    types = {f"An outcome: {name.replace('_', ' ')}": name for name in decompositions.outcome_types(book, of)}
    chosen = st.selectbox("Energy per", [_CALLS, *types], key="less-per", width=420) if types else _CALLS
    mart, key = of.daily
    daily = usage.daily(book, mart, key, of.id if key else "")
    one = "call"
    if chosen in types:
        one, reached = "outcome", decompositions.outcomes(book, of, types[chosen])
        daily = daily.drop(columns="calls").merge(reached.rename(columns={"outcomes": "calls"}), on="usage_date")
    full = indexed(weeks(daily, ["calls", "energy_kwh"]))
    with title:
        finding = words.rebound_finding(full, one)
        if full.empty:
            parts.heading(finding, anchor=anchor)
            parts.empty("The first full week (Monday to Sunday) is the base; a second one is needed to draw a line.")
            return
        first, last = (units.day(full.iloc[place]["week"]) for place in (0, -1))
        also = " and fct_outcome_daily" if one == "outcome" else ""
        parts.heading(
            finding,
            f"Weekly totals of {of.name} by central estimate, in the days shown: from the week of {first} (= 100) to "
            f"that of {last}. Where energy per {one} lies below 100 and energy above it, the saving was taken back: "
            f"that is the rebound. Rows: {mart}{also}.",
            anchor,
        )
    parts.chart(charts.index_lines(full, words.cheaper_since(full), finding, one), "crossing")
    columns = [
        Column("week", "Week from", units.day),
        Column("calls", f"{one.capitalize()}s", units.count),
        Column("calls_index", f"{one.capitalize()}s, index", units.number),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("energy_index", "Energy, index", units.number),
        Column("per_call_index", f"Energy per {one}, index", units.number),
    ]
    tables.twin(book, "total_and_intensity", full, columns, "Total and intensity by week, first full week = 100")
