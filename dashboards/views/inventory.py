"""Inventory: every workload with what it is for and what it takes; levers and governance stand in views of their own.

What does not belong here: figures of the days chosen above; a month here ends with the ledger.
"""

from typing import Any

import pandas
import streamlit as st

from dashboards import cells, parts, tables, words_of_workloads
from dashboards.book import NOBODY, Book
from dashboards.parts import Section
from dashboards.questions import workloads
from dashboards.tables import Column
from dashboards.views import governance, levers
from pipelines import units

_SECTIONS = (
    Section("inventory", "Inventory", "fct_workload_inventory", "the inventory of workloads"),
    Section("levers", "Levers", "fct_workload_lever", "what levers would save"),
    Section("governance", "Governance", "fct_governance", "the state of governance"),
    Section("owed", "What is owed", "fct_governance_task", "what is owed"),
)
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
        parts.contents(parts.present(book, _SECTIONS))
        _inventory(book, flows)
        levers.section(book, "levers")
        governance.section(book, "governance")
        governance.tasks(book, "owed")
    parts.lacking(book, parts.told(_SECTIONS))


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
    tables.report(book, "inventory", flows, columns(), "Inventory of workloads", row_class=nobody)


def columns() -> list[Column]:
    """What the inventory tells of a workload."""
    return [
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
        Column("expected_monthly_calls", "Calls declared", units.count, only="file", missing="not declared"),
        Column("excess_calls", "Calls beyond", units.count, only="file", missing="none declared, or days missing"),
        Column("retry_ratio", "Share of repeats", units.percent, only="file", missing="not told"),
        Column("call_change", "Change of calls", units.percent, only="file", missing="not comparable"),
        Column("energy_change", "Change of energy", units.percent, only="file", missing="not comparable"),
        Column("energy_kwh_low", "kWh a month, low", units.number, only="file"),
        Column("energy_kwh", "kWh a month", units.number, cell=cells.energy),
        Column("energy_kwh_high", "kWh a month, high", units.number, only="file"),
        Column("coverage_ratio", "Share of calls with known energy", units.percent, only="file"),
        Column("outcome_types", "Outcomes", cell=_outcomes, full_label="Kinds of outcomes"),
        Column("outcomes", "Outcomes a month", units.count, only="file", missing="none, or several kinds"),
        Column("review_due_date", "Review due", units.day, only="file", missing="not declared"),
        Column("retire_reasons", "Reasons to ask", cell=_reasons),
    ]


def nobody(row: Any) -> str:
    return "nobody" if row.workflow_id in NOBODY else ""


def _workflow(row: Any) -> str:
    if row.workflow_id in NOBODY:  # the team would be called the same
        return cells.named(row.workflow_name, "no owner")
    return cells.named(row.workflow_name, row.team_name, "no owner" if units.is_unknown(row.owner) else row.owner)


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
