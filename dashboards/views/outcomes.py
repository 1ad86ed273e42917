"""Outcomes: what the energy was for, per result that somebody counts.

What does not belong here: adding up outcomes of different kinds; an order and a letter do not make two.
"""

import pandas
import streamlit as st

from dashboards import cells, charts, parts, style, tables, words
from dashboards.book import NOBODY, Book
from dashboards.questions import usage
from dashboards.questions.outcomes import by_week, outcomes
from dashboards.tables import Column
from dashboards.weeks import change
from pipelines import units


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    reached = outcomes(book)
    if reached.empty:
        parts.heading("No outcome is recorded in these days")
        parts.empty(
            "Outcomes come from files or a query; the source `outcomes` in jevons.toml names them. Check it:",
            "jevons doctor",
        )
    else:
        weekly = by_week(book)
        reached = with_ratios(reached, weekly)
        _table(book, reached)
        _trend(book, reached, weekly)
    _without(book)


def with_ratios(reached: pandas.DataFrame, weekly: pandas.DataFrame) -> pandas.DataFrame:
    """The outcomes with energy and calls of one, and how the energy of one moved."""
    made = reached["outcomes"].where(reached["outcomes"] > 0)
    measured = reached["measured_outcomes"].where(reached["measured_outcomes"] > 0)
    changes = [change(_weeks_of(weekly, row), "wh_per_outcome") for row in reached.itertuples()]
    return reached.assign(
        kind=[_kind(value) for value in reached["outcome_type"]],
        wh_per_outcome=reached["energy_kwh"] * 1000 / measured,
        calls_per_outcome=reached["calls"] / made,
        accepted_share=reached["accepted"] / reached["judged"].where(reached["judged"] > 0),
        changed=pandas.Series(changes, index=reached.index, dtype=float),
    )


def _kind(outcome_type: str | None) -> str:
    return "unnamed" if units.is_unknown(outcome_type) else outcome_type.replace("_", " ")


def _weeks_of(weekly: pandas.DataFrame, row) -> pandas.DataFrame:
    same_kind = weekly["outcome_type"].fillna("") == ("" if units.is_unknown(row.outcome_type) else row.outcome_type)
    return weekly[(weekly["workflow_id"] == row.workflow_id) & same_kind]


def _table(book: Book, reached: pandas.DataFrame) -> None:
    workflows = reached["workflow_id"].nunique()
    title = f"{workflows} {'workflow reports' if workflows == 1 else 'workflows report'} outcomes"
    compared = reached["changed"].dropna()
    if len(compared):
        rose, fell = (compared > 0.05).sum(), (compared < -0.05).sum()
        title += f"; one outcome needs over 5 % more energy than at first in {rose}, over 5 % less in {fell}"
    parts.heading(
        title,
        "Outcomes of different kinds are not added up. Accepted is a share of the outcomes that were judged. Change: "
        "Wh per outcome, last against first full week.",
    )
    table(book, reached, "outcomes")


def table(book: Book, reached: pandas.DataFrame, name: str) -> None:
    """The outcomes with what one of each takes; as `with_ratios` makes them."""
    columns = [
        Column("workflow_name", "Workflow", cell=lambda row: cells.named(row.workflow_name, row.team_name)),
        Column("team_name", "Team", only="file"),
        Column("kind", "Outcome"),
        Column("outcomes", "Outcomes", units.count),
        Column("accepted_share", "Accepted", units.percent, missing="not judged"),
        Column("calls_per_outcome", "Calls per outcome", units.number),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("wh_per_outcome", "Wh per outcome", units.number),
        Column("changed", "Change", _signed, missing="not comparable"),
    ]
    tables.report(book, name, reached, columns, "Outcomes by workflow")


def _signed(value: float) -> str:
    return "none" if abs(value) < 0.005 else f"{'+' if value > 0 else '−'}{units.percent(abs(value), 0)}"


def _trend(book: Book, reached: pandas.DataFrame, weekly: pandas.DataFrame) -> None:
    names = {place: f"{row.workflow_name}: {row.kind}" for place, row in enumerate(reached.itertuples())}
    parts.heading("One outcome over time")
    chosen = st.selectbox("Outcome", list(names), format_func=names.get, key="outcome", width=420)
    one = _weeks_of(weekly, reached.iloc[chosen]).rename(columns={"week": "usage_date"})
    left, right = st.columns(2, gap="medium")
    with left:
        _line(one, "wh_per_outcome", "Energy per outcome", "Wh per outcome", style.ENERGY)
    with right:
        _line(one, "calls_per_outcome", "Calls per outcome", "Calls per outcome", style.CALLS)
    columns = [
        Column("usage_date", "Week from", units.day),
        Column("days", "Days", units.count),
        Column("outcomes", "Outcomes", units.count),
        Column("calls", "Calls", units.count),
        Column("calls_per_outcome", "Calls per outcome", units.number),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("wh_per_outcome", "Wh per outcome", units.number),
    ]
    tables.twin(book, "outcome_weekly", one, columns, "The outcome by week")


def _line(weekly: pandas.DataFrame, column: str, what: str, unit: str, colour: str) -> None:
    if weekly[column].isna().all():
        parts.subheading(f"{what}: unknown in these days")
        return
    title = words.movement(what, weekly, column)
    parts.subheading(title, f"{unit}, by week; the last point may lack days.")
    parts.chart(charts.daily_line(weekly, column, unit, colour, title), f"outcome-{column}")


def _without(book: Book) -> None:
    flows = usage.workflows(book)
    without = flows[flows["outcomes"].isna() | (flows["outcomes"] == 0)]
    if without.empty:
        if len(flows):
            parts.heading("Every workflow that used energy reports an outcome")
        return
    total, part = flows["energy_kwh"].sum(), without["energy_kwh"].sum(min_count=1)
    without = without.assign(
        name=[words.nobody_or(row.workflow_id, row.workflow_name) for row in without.itertuples()],
        share=without["energy_kwh"] / total if total else None,
    )
    parts.heading(
        f"{units.energy(part)}, {units.percent(words.ratio(part, total), 0)} of known energy, went into work without "
        "a recorded outcome",
        "That need not be waste; it is work, or idle hardware, whose use nobody counts.",
    )
    columns = [
        Column("name", "Workflow"),
        Column("owner", "Owner", missing="no owner"),
        Column("job_description", "Job description", wide=True, missing="none declared"),
        Column("usefulness_class", "Usefulness", missing="not declared"),
        Column("calls", "Calls", units.count),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("share", "Share of energy", units.percent),
    ]
    nobody = lambda row: "nobody" if row.workflow_id in NOBODY else ""  # noqa: E731
    tables.report(book, "without_outcomes", without, columns, "Workflows without outcomes", row_class=nobody)
