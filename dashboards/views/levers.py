"""Levers: what each would save of the workloads that it fits, with range and evidence.

What does not belong here: a sum over levers, which act on the same energy.
"""

from typing import Any

import streamlit as st

from dashboards import cells, parts, tables, words_of_workloads
from dashboards.book import NOBODY, Book
from dashboards.questions import workloads
from dashboards.tables import Column
from pipelines import units


def section(book: Book, anchor: str) -> None:
    """One lever at a time: the workloads that it fits, what it saves of each, and what that rests on."""
    if not book.holds("fct_workload_lever"):
        return
    rows = workloads.levers(book)
    present = [name for name in words_of_workloads.LEVERS if name in set(rows["lever"])]
    if not present:
        parts.heading("No lever applies to any workload", anchor=anchor)
        return
    kept = st.session_state.get("lever")
    chosen = kept if kept in present else present[0]
    one = rows[rows["lever"] == chosen].reset_index(drop=True)
    parts.heading(
        words_of_workloads.lever_finding(chosen, one),
        f"Holds if {one.iloc[0]['condition']}. Levers act on the same energy: never add one's saving to another's. "
        "Where a saving is unknown, its high end is all the energy there is.",
        anchor,
    )
    st.selectbox("Lever", present, format_func=words_of_workloads.LEVERS.get, key="lever", width=420)
    one = one.assign(reason=[words_of_workloads.reason(row) for row in one.itertuples()])
    columns = [
        Column("lever", "Lever", only="file"),
        Column("workflow_name", "Workflow", cell=_workflow),
        Column("team_name", "Team", only="file"),
        Column("saved_energy_kwh_low", "Saved kWh a month, low", units.number, only="file"),
        Column("saved_energy_kwh", "Saved kWh a month", units.number, cell=_saved),
        Column("saved_energy_kwh_high", "Saved kWh a month, high", units.number, only="file"),
        Column("base_energy_kwh", "Of kWh", units.number),
        Column("coverage_ratio", "Told of calls", units.percent, missing="–"),
        Column("evidence", "Rests on", wide=True, missing="nothing"),
        Column("reason", "Why unknown", wide=True),
    ]
    tables.report(book, "levers", one, columns, "Saving by workload", row_class=_nobody)


def _nobody(row: Any) -> str:
    return "nobody" if row.workflow_id in NOBODY else ""


def _workflow(row: Any) -> str:
    return cells.named(row.workflow_name, None if row.workflow_id in NOBODY else row.team_name)


def _saved(row: Any) -> str:
    if not units.is_unknown(row.saved_energy_kwh):
        return cells.ranged(row.saved_energy_kwh, row.saved_energy_kwh_low, row.saved_energy_kwh_high)
    most = row.saved_energy_kwh_high
    bound = "" if units.is_unknown(most) else f"<small>at most {units.number(most)}</small>"
    return f'<td class="n u">unknown{bound}</td>'
