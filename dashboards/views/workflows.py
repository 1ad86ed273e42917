"""Workflows: what the calls are for, who answers for them, and what a single one of them costs.

What does not belong here: efficiency per outcome, which has its own page.
"""

from collections.abc import Callable
from html import escape
from typing import Any

import pandas
import streamlit as st

from dashboards import cells, charts, parts, tables, words
from dashboards.book import NOBODY, Book
from dashboards.questions import usage
from dashboards.tables import Column
from pipelines import units

_EVERYBODY = "All teams"


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    flows = usage.workflows(book)
    if flows.empty:
        parts.heading("No workflow was used in these days")
        parts.empty("Workflows, their owners and job descriptions are kept in the registry:", "jevons registry --help")
        return
    flows = _with_ratios(flows, book)
    _finding(flows, book)
    shown = _chosen(flows)
    if shown.empty:
        parts.empty("No workflow matches; clear the search or choose another team.")
        return
    _table(book, shown)
    _detail(book, shown)


def _with_ratios(flows: pandas.DataFrame, book: Book) -> pandas.DataFrame:
    declared = ~flows["workflow_id"].isin(NOBODY)
    covered = flows["covered_calls"].where((flows["covered_calls"] > 0) & declared)
    return flows.assign(
        declared=declared,
        name=[words.nobody_or(row.workflow_id, row.workflow_name) for row in flows.itertuples()],
        team=[words.nobody_or(row.team_id, row.team_name).split(":")[0] if row.team_id in NOBODY else row.team_name
              for row in flows.itertuples()],
        retry_share=flows["retries"] / flows["told_calls"],
        # Idle hardware is in the energy of nobody, so that a ratio to its few calls would say nothing.
        wh_per_call=flows["energy_kwh"] * 1000 / covered,
        overdue=pandas.to_datetime(flows["review_due_date"]) < pandas.Timestamp(book.days[1]),
    )  # fmt: skip


def _finding(flows: pandas.DataFrame, book: Book) -> None:
    declared = flows[flows["declared"]]
    most = (declared if len(declared) else flows).iloc[0]
    title = f"{units.counted(len(declared), 'workflow')}; their energy is unknown"
    if not units.is_unknown(most["energy_kwh"]):
        many, used = units.counted(len(declared), "workflow"), units.energy(most["energy_kwh"])
        title = f"{most['name']} uses the most energy of {many}: {used}"
    late = int(flows["overdue"].sum())
    reviews, was = units.counted(len(declared), "review"), "was" if late == 1 else "were"
    owed = f" {late} of {reviews} {was} due before {units.day(book.days[1])}." if late else ""
    parts.heading(
        title,
        f"By central estimate.{owed} Wh a call is over the calls whose energy is "
        "known, retries over the calls whose source tells them.",
    )


def _chosen(flows: pandas.DataFrame) -> pandas.DataFrame:
    left, right, _ = st.columns([1, 1, 1], gap="medium")
    teams = sorted(set(flows["team"].dropna()), key=str.casefold)
    team = left.selectbox("Team", [_EVERYBODY, *teams], key="workflow-team")
    text = right.text_input("Search", placeholder="Name, owner or job description", key="workflow-search")
    if team != _EVERYBODY:
        flows = flows[flows["team"] == team]
    if text.strip():
        fields = flows[["name", "owner", "job_description", "workflow_id"]].fillna("")
        wanted = text.strip().casefold()
        hits = [any(wanted in str(value).casefold() for value in row) for row in fields.itertuples(index=False)]
        flows = flows[hits]
    return flows


def _table(book: Book, flows: pandas.DataFrame) -> None:
    write = units.aligned(flows["wh_per_call"])
    columns = [
        Column("name", "Workflow", cell=lambda row: cells.named(row.name, row.team if row.declared else None)),
        Column("team", "Team", only="file"),
        Column("owner", "Owner", only="file"),
        Column("job_description", "Job description", cell=_job),
        Column("usefulness_class", "Usefulness", only="file"),
        Column("calls", "Calls", units.count),
        Column("retry_share", "Retries", units.percent, missing="not told"),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("wh_per_call", "Wh a call", units.number, cell=lambda row: _per_call(row, write)),
        Column("outcomes", "Outcomes", units.count, missing="none"),
        Column("review_due_date", "Review due", units.day, cell=_review),
    ]
    nobody = lambda row: "" if row.declared else "nobody"  # noqa: E731
    tables.report(book, "workflows", flows, columns, "Workflows by energy", row_class=nobody)


def _job(row: Any) -> str:
    unknown = units.is_unknown
    job = "No job description" if unknown(row.job_description) else row.job_description
    return cells.named(job, "no owner" if unknown(row.owner) else row.owner, row.usefulness_class)


def _per_call(row: Any, write: Callable[[Any], str]) -> str:
    text = write(row.wh_per_call) if row.declared else "not meant"
    return f'<td class="n{" u" if units.is_unknown(row.wh_per_call) else ""}">{text}</td>'


def _review(row: Any) -> str:
    if units.is_unknown(row.review_due_date):
        return '<td class="n u">none</td>'
    late = '<br><span class="late">overdue</span>' if row.overdue else ""
    return f'<td class="n">{units.day(row.review_due_date)}{late}</td>'


def _detail(book: Book, flows: pandas.DataFrame) -> None:
    flows = flows.sort_values("declared", ascending=False, kind="stable")
    names = dict(zip(flows["workflow_id"], flows["name"], strict=True))
    parts.heading("One workflow in detail")
    chosen = st.selectbox("Workflow", list(names), format_func=names.get, key="workflow", width=420)
    row = flows[flows["workflow_id"] == chosen].iloc[0]
    first, last = book.days
    pace = row["calls"] / ((last - first).days + 1) * 30
    due = row["review_due_date"]
    facts = {
        "Owner": row["owner"],
        "Team": row["team"],
        "Job description": row["job_description"],
        "Usefulness": row["usefulness_class"],
        "Latency": row["latency_tier"],
        "Small model fits": row["small_model_fit"],
        "Calls expected a month": _or_none(row["expected_monthly_calls"], units.count),
        "Calls in 30 days, as in the days shown": units.count(round(pace)),
        "Review due": _or_none(due, lambda day: units.day(day) + (" (overdue)" if row["overdue"] else "")),
    }
    entries = "".join(
        f'<div class="{"wide" if label == "Job description" else ""}"><dt>{escape(label)}</dt><dd>'
        f"{escape('not declared' if units.is_unknown(value) else str(value))}</dd></div>"
        for label, value in facts.items()
    )
    st.html(f'<dl class="j">{entries}</dl>')
    wh = units.UNKNOWN if units.is_unknown(row["wh_per_call"]) else f"{units.number(row['wh_per_call'])} Wh"
    each = ("Energy a call", wh, "over calls whose energy is known")
    parts.usage_cards(
        row, each if row["declared"] else ("Energy a call", "not meant", "idle hardware is in the energy")
    )
    _detail_charts(book, row)


def _or_none(value: Any, write: Callable[[Any], str]) -> str | None:
    return None if units.is_unknown(value) else write(value)


def _detail_charts(book: Book, row: pandas.Series) -> None:
    daily = usage.daily(book, "fct_workflow_daily", "workflow_id", row["workflow_id"])
    purposes = usage.calls_by_purpose(book, row["workflow_id"])
    left, right = st.columns(2, gap="medium")
    with left:
        parts.daily_energy(daily, "workflow-energy")
        columns = [Column("usage_date", "Day", units.day), *parts.ENERGY_COLUMNS]
        tables.twin(book, "workflow_daily", daily, columns, "The workflow by day")
    with right:
        if purposes.empty:
            parts.subheading("No call in these days")
            return
        parts.subheading(_purpose_finding(row, purposes), "Calls a day by purpose.")
        parts.chart(charts.stacked_purposes(purposes, "Calls by day and purpose"), "workflow-calls")
        columns = [
            Column("usage_date", "Day", units.day),
            Column("call_purpose", "Purpose"),
            Column("calls", "Calls", units.count),
        ]
        tables.twin(book, "workflow_purposes", purposes, columns, "The workflow's calls by day and purpose")


def _purpose_finding(row: pandas.Series, purposes: pandas.DataFrame) -> str:
    if units.is_unknown(row["retry_share"]) or row["told_calls"] < row["calls"]:
        main = purposes.groupby("call_purpose")["calls"].sum()
        share = units.percent(main.max() / main.sum(), 0)
        return f"{share} of its calls are {main.idxmax()}" if main.idxmax() != "unknown" else (
            f"The purpose of {share} of its calls is unknown"
        )  # fmt: skip
    return f"{units.percent(row['retry_share'], 0)} of its calls are retries"
