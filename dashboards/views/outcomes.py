"""Outcomes: what the energy was for, per result that somebody counts.

What does not belong here: adding up outcomes of different kinds; an order and a letter do not make two.
"""

import pandas
import streamlit as st

from dashboards import charts, parts, style, words
from dashboards.data import NOBODY, Book, weeks
from dashboards.parts import Column
from pipelines import units


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_cards(book)
    outcomes = book.outcomes()
    if outcomes.empty:
        parts.heading("No outcome is recorded in these days")
        parts.empty(
            "Outcomes come from files or a query; the source `outcomes` in jevons.toml names them. Check it:",
            "jevons doctor",
        )
    else:
        outcomes = _with_ratios(outcomes)
        _table(book, outcomes)
        _trend(book, outcomes)
    _without(book)


def _with_ratios(outcomes: pandas.DataFrame) -> pandas.DataFrame:
    made = outcomes["outcomes"].where(outcomes["outcomes"] > 0)
    measured = outcomes["measured_outcomes"].where(outcomes["measured_outcomes"] > 0)
    return outcomes.assign(
        wh_per_outcome=outcomes["energy_kwh"] * 1000 / measured,
        calls_per_outcome=outcomes["calls"] / made,
        accepted_share=outcomes["accepted"] / outcomes["judged"].where(outcomes["judged"] > 0),
    )


def _table(book: Book, outcomes: pandas.DataFrame) -> None:
    workflows = outcomes["workflow_id"].nunique()
    known = outcomes[outcomes["wh_per_outcome"].notna()].sort_values("wh_per_outcome", ascending=False)
    title = f"{workflows} {'workflow reports' if workflows == 1 else 'workflows report'} outcomes"
    if len(known):
        most = known.iloc[0]
        title += f"; {most['workflow_name']} needs the most energy for one: {_wh(most['wh_per_outcome'])}"
    parts.heading(
        title,
        "Outcomes of different kinds are not added up. Accepted is a share of the outcomes that were judged.",
    )
    columns = [
        Column("workflow_name", "Workflow"),
        Column("team_name", "Team"),
        Column("outcome_type", "Outcome"),
        Column("outcomes", "Outcomes", units.count),
        Column(
            "accepted_share",
            "Accepted",
            lambda value: "not judged" if units.is_unknown(value) else units.percent(value),
        ),
        Column("calls_per_outcome", "Calls per outcome", units.number),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("wh_per_outcome", "Wh per outcome", units.number),
    ]
    parts.table(outcomes, columns, "Outcomes by workflow")
    parts.download(book, "outcomes", outcomes, columns)


def _trend(book: Book, outcomes: pandas.DataFrame) -> None:
    names = {place: f"{row.workflow_name}: {row.outcome_type}" for place, row in enumerate(outcomes.itertuples())}
    parts.heading("One outcome over time")
    chosen = st.selectbox(
        "Outcome", list(names), format_func=names.get, key="outcome", width=420, label_visibility="collapsed"
    )
    row = outcomes.iloc[chosen]
    daily = book.outcomes_daily(row["workflow_id"], row["outcome_type"])
    weekly = weeks(daily, ["outcomes", "calls", "energy_kwh"])
    made = weekly["outcomes"].where(weekly["outcomes"] > 0)
    weekly["wh_per_outcome"] = weekly["energy_kwh"] * 1000 / made
    weekly["calls_per_outcome"] = weekly["calls"] / made
    left, right = st.columns(2, gap="medium")
    drawn = weekly.rename(columns={"week": "usage_date"})
    with left:
        if weekly["wh_per_outcome"].isna().all():
            parts.subheading("The energy per outcome is unknown")
        else:
            parts.subheading(_movement("Energy per outcome", weekly, "wh_per_outcome"), "Wh per outcome, by week")
            spec = charts.daily_line(drawn, "wh_per_outcome", "Wh per outcome", style.ENERGY, "Wh per outcome by week")
            parts.chart(spec, "outcome-energy")
    with right:
        if weekly["calls_per_outcome"].isna().all():
            parts.subheading("No outcome in these days")
        else:
            parts.subheading(_movement("Calls per outcome", weekly, "calls_per_outcome"), "calls per outcome, by week")
            spec = charts.daily_line(
                drawn, "calls_per_outcome", "Calls per outcome", style.CALLS, "Calls per outcome by week"
            )
            parts.chart(spec, "outcome-calls")
    columns = [
        Column("week", "Week from", units.day),
        Column("days", "Days", units.count),
        Column("outcomes", "Outcomes", units.count),
        Column("calls", "Calls", units.count),
        Column("calls_per_outcome", "Calls per outcome", units.number),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("wh_per_outcome", "Wh per outcome", units.number),
    ]
    parts.twin(book, "outcome_weekly", weekly, columns, "The outcome by week")


def _without(book: Book) -> None:
    flows = book.workflows()
    without = flows[flows["outcomes"].isna() | (flows["outcomes"] == 0)]
    if without.empty:
        if len(flows):
            parts.heading("Every workflow that used energy reports an outcome")
        return
    without = without.assign(
        name=[words.team_name(row.workflow_id, row.workflow_name) for row in without.itertuples()],
        share=without["energy_kwh"] / flows["energy_kwh"].sum() if flows["energy_kwh"].sum() else None,
    )
    parts.heading(
        f"{units.energy(without['energy_kwh'].sum(min_count=1))}, "
        f"{units.percent(without['share'].sum(min_count=1), 0)} of known "
        f"energy, went into work without a recorded outcome",
        "That need not be waste; it is work whose use nobody counts.",
    )
    columns = [
        Column("name", "Workflow"),
        Column("owner", "Owner"),
        Column("job_description", "Job description", wide=True),
        Column("usefulness_class", "Usefulness"),
        Column("calls", "Calls", units.count),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("share", "Share of energy", units.percent),
    ]
    parts.table(
        without,
        columns,
        "Workflows without outcomes",
        row_class=lambda row: "nobody" if row.workflow_id in NOBODY else "",
    )
    parts.download(book, "without_outcomes", without, columns)


def _movement(what: str, weekly: pandas.DataFrame, column: str) -> str:
    full = weekly[weekly["complete"].astype(bool) & weekly[column].notna()]
    if len(full) < 2 or not full.iloc[0][column]:
        return what
    return f"{what} {words.change(full.iloc[-1][column] / full.iloc[0][column] - 1)} since the first full week"


def _wh(value: float) -> str:
    return f"{units.number(value)} Wh"
