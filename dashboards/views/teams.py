"""Teams: who uses the energy, how sure that is, and how it moves.

What does not belong here: ceilings and single workflows.
"""

import pandas
import streamlit as st

from dashboards import cells, charts, parts, tables, words
from dashboards.book import NOBODY, Book
from dashboards.questions import usage
from dashboards.tables import Column
from dashboards.weeks import weeks
from pipelines import units


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    teams = usage.teams(book)
    if not teams["calls"].sum() and teams["energy_kwh"].isna().all():
        parts.heading("No team used anything in these days")
        parts.empty(
            "Teams and the rules that assign calls to them are kept in the registry:",
            "jevons registry --help",
        )
        return
    total = usage.totals(book).energy_kwh
    calls = teams["calls"].where(teams["calls"] > 0)
    teams = teams.assign(
        name=[words.nobody_or(row.team_id, row.team_name) for row in teams.itertuples()],
        share=[words.ratio(value, total) for value in teams["energy_kwh"]],
        coverage=teams["covered_calls"] / calls,
        retry_share=teams["retries"] / teams["told_calls"],
    )
    _ranking(book, teams)
    _trend(book, teams)


def _ranking(book: Book, teams: pandas.DataFrame) -> None:
    owned = teams[~teams["team_id"].isin(NOBODY) & teams["energy_kwh"].notna()]
    title, sure = "The energy of every team is unknown", ""
    if len(owned):
        first = owned.iloc[0]
        title = (
            f"{first['name']} uses the most energy by central estimate: {units.energy(first['energy_kwh'])}, "
            f"{units.percent(first['share'], 0)} of the total"
        )
        rivals = owned.iloc[1:]
        rivals = rivals[rivals["energy_kwh_high"] > first["energy_kwh_low"]]
        if len(rivals):
            others = units.counted(len(rivals), "other team overlaps", "other teams overlap")
            ranges = "range" if len(rivals) == 1 else "ranges"
            sure = f" The {ranges} of {others} with it, so the order is not certain."
    parts.heading(
        title,
        "Dark bar: central estimate; pale bar: range, low to high; an arrow head means that it goes beyond the picture."
        f"{sure} What belongs to nobody is grey and counts in the total. "
        "Retries are a share of the calls whose source tells them.",
    )
    end = charts.headroom(teams["energy_kwh"], teams["energy_kwh_high"])
    retries = Column("retry_share", "Retries", units.percent, missing="not told")
    columns = [
        Column("name", "Team", cell=lambda row: cells.named(row.name, row.unit_name)),
        Column("unit_name", "Unit", only="file"),
        Column("calls", "Calls", units.count),
        retries,
        Column("bar", "Energy and its range", cell=lambda row: _bar(row, end), only="page"),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("energy_kwh_low", "Low, kWh", units.number),
        Column("energy_kwh_high", "High, kWh", units.number),
        Column("share", "Share", units.percent),
        Column("location_kgco2e", "Carbon, kgCO2e", units.number),
        Column("coverage", "Coverage", units.percent, missing="no calls"),
    ]
    nobody = lambda row: "nobody" if row.team_id in NOBODY else ""  # noqa: E731
    tables.report(book, "teams", teams, columns, "Teams by energy", row_class=nobody)


def _bar(row, end: float) -> str:
    said = f"{row.name}: {units.energy(row.energy_kwh)}, {units.energy_range(row.energy_kwh_low, row.energy_kwh_high)}"
    return cells.bar(said, row.energy_kwh_low, row.energy_kwh, row.energy_kwh_high, end)


def _trend(book: Book, teams: pandas.DataFrame) -> None:
    names = dict(zip(teams["team_id"], teams["name"], strict=True))
    parts.heading("One team over time")
    chosen = st.selectbox("Team", list(names), format_func=names.get, key="team", width=420)
    row = teams[teams["team_id"] == chosen].iloc[0]
    share = ("Share of the organisation", units.percent(row["share"]), "of known energy")
    parts.usage_cards(row, share)
    weekly = weeks(usage.daily(book, "fct_team_daily", "team_id", chosen), parts.WEEKLY)
    if weekly.empty:
        parts.empty("No call in these days.")
        return
    titles = (words.movement("Energy", weekly, "energy_kwh"), words.movement("Calls", weekly, "calls"))
    parts.energy_and_calls(book, "team", weekly, titles)
