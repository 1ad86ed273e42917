"""Inventory: every workload with what it is for and what it takes, what levers would save, and what is owed.

What does not belong here: a sum over levers, and figures of the days chosen above; a month here ends with the ledger.
"""

from typing import Any

import pandas
import streamlit as st

from dashboards import cells, parts, tables, words_of_workloads
from dashboards.book import NOBODY, Book
from dashboards.questions import workloads
from dashboards.tables import Column
from pipelines import units

_MARTS = {
    "fct_workload_inventory": "the inventory of workloads",
    "fct_workload_lever": "what levers would save",
    "fct_governance": "the state of governance",
    "fct_governance_task": "what is owed",
}
_SECTIONS = {"inventory": "Inventory", "levers": "Levers", "governance": "Governance", "owed": "What is owed"}
_ALL = "All"
_SHOWN = {
    _ALL: lambda flows: flows["workflow_id"].notna(),
    "With a reason to retire": lambda flows: flows["is_retire_candidate"],
    "Beyond the calls declared": lambda flows: flows["excess_calls"] > 0,
    "Review overdue": lambda flows: flows["is_review_overdue"],
    "Without an outcome": lambda flows: flows["outcome_types"].isna(),
}
_ORDERS = {
    "Energy": ("energy_kwh", False),
    "Calls": ("calls", False),
    "Change of calls": ("call_change", False),
    "Calls beyond those declared": ("excess_calls", False),
    "Review due": ("review_due_date", True),
    "Name": ("workflow_name", True),
    "Team": ("team_name", True),
}


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    flows = workloads.inventory(book) if book.holds("fct_workload_inventory") else pandas.DataFrame()
    if flows.empty:
        if book.holds("fct_workload_inventory"):
            parts.heading("No workload is in this build")
            parts.empty(
                "Workflows are declared in the registry; their use comes with the days that are made. Check both:",
                "jevons doctor",
            )
    else:
        parts.contents(_SECTIONS)
        _inventory(book, flows)
        _levers(book)
        _accounts(book)
        _tasks(book)
    parts.lacking(book, _MARTS)


def _inventory(book: Book, flows: pandas.DataFrame) -> None:
    parts.heading(
        words_of_workloads.inventory_finding(flows),
        f"{words_of_workloads.month_note(flows)} Change: the last 28 days against the 28 before. A review that is late "
        "is no reason by itself.",
        "inventory",
    )
    left, middle, right = st.columns(3, gap="medium")
    team = left.selectbox("Team", [_ALL, *sorted(set(flows["team_name"]), key=str.casefold)], key="inventory-team")
    shown = middle.selectbox("Show", list(_SHOWN), key="inventory-shown")
    order = right.selectbox("Sort by", list(_ORDERS), key="inventory-order")
    flows = flows[_SHOWN[shown](flows).astype(bool)]
    if team != _ALL:
        flows = flows[flows["team_name"] == team]
    key, ascending = _ORDERS[order]
    by_name = (lambda column: column.str.casefold()) if key.endswith("_name") else None
    flows = flows.sort_values(key, ascending=ascending, kind="stable", na_position="last", key=by_name)
    if flows.empty:
        parts.empty("No workload is like that.")
        return
    columns = [
        Column("workflow_name", "Workflow", cell=_workflow),
        Column("team_name", "Team", only="file"),
        Column("owner", "Owner", only="file"),
        Column("job_description", "Job description", only="file"),
        Column("status", "Status", only="file"),
        Column("providers", "Providers", only="file"),
        Column("model_ids", "Models", cell=_models),
        Column("usefulness_class", "Usefulness", missing="not declared", cell=_declared),
        Column("latency_tier", "Latency", only="file"),
        Column("cacheable", "Cacheable", only="file"),
        Column("small_model_fit", "Small model fits", only="file"),
        Column("calls", "Calls a month", units.count, cell=_calls),
        Column("expected_monthly_calls", "Calls declared", units.count, only="file"),
        Column("excess_calls", "Calls beyond", units.count, only="file"),
        Column("retry_ratio", "Share of repeats", units.percent, only="file"),
        Column("call_change", "Change of calls", units.percent, only="file"),
        Column("energy_change", "Change of energy", units.percent, only="file"),
        Column("energy_kwh_low", "kWh a month, low", units.number, only="file"),
        Column("energy_kwh", "kWh a month", units.number, cell=_energy),
        Column("energy_kwh_high", "kWh a month, high", units.number, only="file"),
        Column("coverage_ratio", "Share of calls with known energy", units.percent, only="file"),
        Column("outcome_types", "Outcomes", cell=_outcomes, full_label="Kinds of outcomes"),
        Column("outcomes", "Outcomes a month", units.count, only="file"),
        Column("review_due_date", "Review due", units.day, only="file"),
        Column("retire_reasons", "Reasons to ask", cell=_reasons),
    ]  # fmt: skip
    tables.report(book, "inventory", flows, columns, "Inventory of workloads", row_class=_nobody)


def _nobody(row: Any) -> str:
    return "nobody" if row.workflow_id in NOBODY else ""


def _workflow(row: Any) -> str:
    owner = "no owner" if units.is_unknown(row.owner) else row.owner
    return cells.named(row.workflow_name, row.team_name, owner)


def _models(row: Any) -> str:
    if units.is_unknown(row.model_ids):
        return '<td class="u">not used</td>'
    first, *others = row.model_ids.split(", ")
    return cells.named(first.split("/", 1)[-1], *(name.split("/", 1)[-1] for name in others))


def _declared(row: Any) -> str:
    if units.is_unknown(row.usefulness_class):
        return '<td class="u">not declared</td>'
    cache = None if units.is_unknown(row.cacheable) else "cacheable" if row.cacheable else "not cacheable"
    fit = None if units.is_unknown(row.small_model_fit) else f"small model: {row.small_model_fit}"
    return cells.named(row.usefulness_class, row.latency_tier, cache, fit)


def _calls(row: Any) -> str:
    said = words_of_workloads.change(row.call_change)
    if not units.is_unknown(row.excess_calls) and row.excess_calls > 0:
        said += f"<br>{units.short_count(row.excess_calls)} beyond those declared"
    return f'<td class="n">{units.count(row.calls)}<small>{said}</small></td>'


def _energy(row: Any) -> str:
    return cells.ranged(row.energy_kwh, row.energy_kwh_low, row.energy_kwh_high)


def _outcomes(row: Any) -> str:
    if units.is_unknown(row.outcome_types):
        return '<td class="u">none recorded</td>'
    counted = None if units.is_unknown(row.outcomes) else units.count(row.outcomes)
    return cells.named(row.outcome_types.replace("_", " "), counted)


def _reasons(row: Any) -> str:
    due = None if units.is_unknown(row.review_due_date) else f"review due {units.day(row.review_due_date)}"
    if units.is_unknown(row.retire_reasons):
        return cells.named("", due)
    return cells.named(row.retire_reasons, due)


def _levers(book: Book) -> None:
    if not book.holds("fct_workload_lever"):
        return
    rows = workloads.levers(book)
    present = [name for name in words_of_workloads.LEVERS if name in set(rows["lever"])]
    if not present:
        parts.heading("No lever applies to any workload", anchor="levers")
        return
    kept = st.session_state.get("lever")
    chosen = kept if kept in present else present[0]
    one = rows[rows["lever"] == chosen].reset_index(drop=True)
    parts.heading(
        words_of_workloads.lever_finding(chosen, one),
        f"Holds if {one.iloc[0]['condition']}. Levers act on the same energy: never add one's saving to another's. "
        "Where a saving is unknown, its high end is all the energy there is.",
        "levers",
    )
    st.selectbox("Lever", present, format_func=words_of_workloads.LEVERS.get, key="lever", width=420)
    one = one.assign(reason=[words_of_workloads.reason(row) for row in one.itertuples()])
    columns = [
        Column("lever", "Lever", only="file"),
        Column("workflow_name", "Workflow", cell=lambda row: cells.named(row.workflow_name, row.team_name)),
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


def _saved(row: Any) -> str:
    if not units.is_unknown(row.saved_energy_kwh):
        return cells.ranged(row.saved_energy_kwh, row.saved_energy_kwh_low, row.saved_energy_kwh_high)
    most = row.saved_energy_kwh_high
    bound = "" if units.is_unknown(most) else f"<small>at most {units.number(most)}</small>"
    return f'<td class="n u">unknown{bound}</td>'


def _accounts(book: Book) -> None:
    if not book.holds("fct_governance"):
        return
    states = workloads.accounts(book)
    states = states.assign(
        question=[words_of_workloads.ACCOUNTS.get(name, name) for name in states["account"]],
        answer=[name.replace("_", " ") for name in states["state"]],
    )
    parts.heading(
        "Who answers for the month, and what of it is declared",
        "Each account holds the whole month: its states add up to it. Calls beyond those declared take the month's "
        "mean energy of a call. An age reaches back to the first day in the ledger at most.",
        "governance",
    )
    columns = [
        Column("question", "Account"),
        Column("answer", "State"),
        Column("items", "Workloads", units.count),
        Column("calls", "Calls a month", units.count),
        Column("call_share", "Share of calls", units.percent, missing="no calls"),
        Column("energy_kwh", "kWh a month", units.number),
    ]
    tables.report(book, "governance", states, columns, "State of governance")


def _tasks(book: Book) -> None:
    if not book.holds("fct_governance_task"):
        return
    owed = workloads.tasks(book)
    if owed.empty:
        parts.heading("Nothing is owed", anchor="owed")
        return
    parts.heading(
        words_of_workloads.tasks_finding(owed),
        "Several things may be owed of one workload, with the same energy behind each.",
        "owed",
    )
    team = st.selectbox("Owed by", [_ALL, *sorted(set(owed["team_name"]), key=str.casefold)], key="owed-by", width=420)
    if team != _ALL:
        owed = owed[owed["team_name"] == team]
    owed = owed.assign(what=[words_of_workloads.TASKS.get(name, name) for name in owed["task"]])
    columns = [
        Column("what", "Owed", cell=lambda row: cells.named(row.what, row.detail), full_label="Owed"),
        Column("workflow_name", "Workflow", cell=lambda row: cells.named(row.workflow_name, row.team_name, row.owner)),
        Column("team_name", "Team", only="file"),
        Column("owner", "Owner", only="file"),
        Column("detail", "Detail", only="file"),
        Column("since_date", "Since", units.day, only="file"),
        Column("waiting_days", "Days", units.count, cell=lambda row: cells.dated(row.waiting_days, row.since_date)),
        Column("calls", "Calls a month", units.count),
        Column("energy_kwh_low", "kWh a month, low", units.number, only="file"),
        Column("energy_kwh", "kWh a month", units.number, cell=_energy),
        Column("energy_kwh_high", "kWh a month, high", units.number, only="file"),
    ]
    tables.report(book, "owed", owed, columns, "What is owed")
