"""Workflows: what the calls are for, who answers for them, and what a single one of them costs.

What does not belong here: efficiency per outcome, which has its own page.
"""

from html import escape

import pandas
import streamlit as st

from dashboards import charts, parts, style, words
from dashboards.data import NOBODY, Book
from dashboards.parts import Column
from pipelines import units

_EVERYBODY = "All teams"


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_cards(book)
    flows = book.workflows()
    if flows.empty:
        parts.heading("No workflow was used in these days")
        parts.empty("Workflows, their owners and job descriptions are kept in the registry:", "jevons registry --help")
        return
    flows = _with_ratios(flows)
    shown = _chosen(flows)
    if shown.empty:
        parts.empty("No workflow matches; clear the search or choose another team.")
        return
    _table(book, shown)
    _detail(book, shown)


def _with_ratios(flows: pandas.DataFrame) -> pandas.DataFrame:
    calls = flows["calls"].where(flows["calls"] > 0)
    return flows.assign(
        name=[words.team_name(row.workflow_id, row.workflow_name) for row in flows.itertuples()],
        team=[words.team_name(row.team_id, row.team_name).split(":")[0] if row.team_id in NOBODY else row.team_name
              for row in flows.itertuples()],
        retry_share=flows["retries"] / calls,
        wh_per_call=flows["energy_kwh"] * 1000 / flows["covered_calls"].where(flows["covered_calls"] > 0),
        coverage=flows["covered_calls"] / calls,
    )  # fmt: skip


def _chosen(flows: pandas.DataFrame) -> pandas.DataFrame:
    declared = flows[~flows["workflow_id"].isin(NOBODY)]
    most = (declared if len(declared) else flows).iloc[0]
    if units.is_unknown(most["energy_kwh"]):
        title = f"{len(declared)} workflows; the energy of all of them is unknown"
    else:
        title = f"{most['name']} uses the most energy of {len(declared)} workflows: {units.energy(most['energy_kwh'])}"
    parts.heading(title, "Energy a call is over the calls whose energy is known.")
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
    columns = [
        Column("name", "Workflow"),
        Column("team", "Team"),
        Column("owner", "Owner"),
        Column("job_description", "Job description", wide=True),
        Column("usefulness_class", "Usefulness"),
        Column("calls", "Calls", units.count),
        Column("retry_share", "Retries", units.percent),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("wh_per_call", "Wh a call", units.number),
        Column("outcomes", "Outcomes", lambda value: "none" if units.is_unknown(value) else units.count(value)),
    ]
    parts.table(
        flows,
        columns,
        "Workflows by energy",
        cells={"owner": _owner},
        row_class=lambda row: "nobody" if row.workflow_id in NOBODY else "",
    )
    parts.download(book, "workflows", flows, columns)


def _owner(row) -> str:
    return "no owner" if units.is_unknown(row.owner) else escape(str(row.owner))


def _detail(book: Book, flows: pandas.DataFrame) -> None:
    names = dict(zip(flows["workflow_id"], flows["name"], strict=True))
    parts.heading("One workflow in detail")
    chosen = st.selectbox(
        "Workflow",
        list(names),
        format_func=names.get,
        key="workflow",
        width=420,
        label_visibility="collapsed",
    )
    row = flows[flows["workflow_id"] == chosen].iloc[0]
    facts = {
        "Owner": row["owner"],
        "Team": row["team"],
        "Job description": row["job_description"],
        "Usefulness": row["usefulness_class"],
        "Latency": row["latency_tier"],
        "Small model fits": row["small_model_fit"],
        "Calls expected a month": units.count(row["expected_monthly_calls"]),
        "Review due": units.day(row["review_due_date"]),
    }
    entries = "".join(
        f"<div><dt>{escape(label)}</dt><dd>"
        f"{escape('not declared' if units.is_unknown(value) else str(value))}</dd></div>"
        for label, value in facts.items()
    )
    st.html(f'<dl class="j">{entries}</dl>')
    covered = words.coverage(row["calls"], row["covered_calls"])
    spread = units.energy_range(row["energy_kwh_low"], row["energy_kwh_high"])
    wh = units.UNKNOWN if units.is_unknown(row["wh_per_call"]) else f"{units.number(row['wh_per_call'])} Wh"
    parts.cards(
        [
            parts.card("Energy", units.energy(row["energy_kwh"]), f"range {spread}", [covered]),
            parts.card("Energy a call", wh, "over calls whose energy is known"),
            parts.card(
                "Model calls",
                units.short_count(row["calls"]),
                f"{units.percent(row['retry_share'])} of them are retries",
            ),
        ]
    )
    _detail_charts(book, row)


def _detail_charts(book: Book, row: pandas.Series) -> None:
    daily, purposes = book.workflow_daily(row["workflow_id"]), book.calls_by_purpose(row["workflow_id"])
    left, right = st.columns(2, gap="medium")
    with left:
        if daily["energy_kwh"].isna().all():
            parts.subheading(
                "The energy of this workflow is unknown",
                "Its calls are counted; no factor is known for them.",
            )
        else:
            title = "Energy by day"
            parts.subheading(title, "kWh a day; the band is the range, low to high")
            parts.chart(charts.daily_line(daily, "energy_kwh", "kWh", style.ENERGY, title), "workflow-energy")
        columns = [
            Column("usage_date", "Day", units.day),
            Column("calls", "Calls", units.count),
            Column("energy_kwh_low", "Energy low, kWh", units.number),
            Column("energy_kwh", "Energy, kWh", units.number),
            Column("energy_kwh_high", "Energy high, kWh", units.number),
        ]
        parts.twin(book, "workflow_daily", daily, columns, "The workflow by day")
    with right:
        if purposes.empty:
            parts.subheading("No call in these days")
            return
        retried = units.percent(row["retry_share"], 0)
        parts.subheading(f"{retried} of its calls are retries", "calls a day by purpose")
        parts.chart(charts.stacked_purposes(purposes, "Calls by day and purpose"), "workflow-calls")
        columns = [
            Column("usage_date", "Day", units.day),
            Column("call_purpose", "Purpose"),
            Column("calls", "Calls", units.count),
        ]
        parts.twin(book, "workflow_purposes", purposes, columns, "The workflow's calls by day and purpose")
