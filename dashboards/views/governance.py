"""Governance: who answers for the month of workloads as accounts that add up, and what each team owes.

What does not belong here: the inventory itself.
"""

from html import escape
from typing import Any
from urllib.parse import quote

import pandas
import streamlit as st

from dashboards import cells, parts, tables, words_of_workloads
from dashboards.book import NOBODY, Book
from dashboards.questions import workloads
from dashboards.tables import Column
from pipelines import units

_ALL = "All"


def section(book: Book, anchor: str) -> None:
    """Five accounts of the same month, each with its states."""
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
        anchor,
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


def tasks(book: Book, anchor: str) -> None:
    """What each team owes, and what nobody owns yet."""
    if not book.holds("fct_governance_task"):
        return
    owed = workloads.tasks(book)
    if owed.empty:
        parts.heading("Nothing is owed", anchor=anchor)
        return
    parts.heading(
        words_of_workloads.tasks_finding(owed),
        "Several things may be owed of one workload, with the same energy behind each.",
        anchor,
    )
    team = st.selectbox("Owed by", [_ALL, *sorted(set(owed["team_name"]), key=str.casefold)], key="owed-by", width=420)
    if team != _ALL:
        owed = owed[owed["team_name"] == team]
    task_table(book, owed, "owed")


def task_table(book: Book, owed: pandas.DataFrame, name: str) -> None:
    """The things owed, with since when and the month behind each."""
    owed = owed.assign(what=[words_of_workloads.TASKS.get(name, name) for name in owed["task"]])
    columns = [
        Column("what", "Owed", cell=task),
        Column("workflow_name", "Workflow", cell=_workflow),
        Column("team_name", "Team", only="file"),
        Column("owner", "Owner", only="file"),
        Column("detail", "Detail", only="file"),
        Column("since_date", "Since", units.day, only="file", missing="not dated"),
        Column("waiting_days", "Days", units.count, missing="not dated", cell=age),
        Column("calls", "Calls a month", units.count),
        Column("energy_kwh_low", "kWh a month, low", units.number, only="file"),
        Column("energy_kwh", "kWh a month", units.number, cell=cells.energy),
        Column("energy_kwh_high", "kWh a month, high", units.number, only="file"),
    ]
    tables.report(book, name, owed, columns, "What is owed")


def task(row: Any) -> str:
    """HTML of a cell with what is owed; a review of a change leads to what the data answer."""
    said = cells.named(row.what, row.detail)
    if row.task != "review_change":
        return said
    link = f'<a href="less-or-better?of=workflow/{quote(row.workflow_id)}" target="_self">{escape(row.what)}</a>'
    return said.replace(escape(row.what), link, 1)


def age(row: Any) -> str:
    """HTML of a cell with how many days a thing has waited, and since when."""
    return cells.dated(row.waiting_days, row.since_date)


def _workflow(row: Any) -> str:
    if row.workflow_id in NOBODY:
        return cells.named(row.team_name)
    return cells.named(row.workflow_name, row.team_name, row.owner)
