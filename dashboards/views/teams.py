"""Teams: who uses the energy, how sure that is, and how it moves.

What does not belong here: ceilings and single workflows.
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
    teams = book.teams()
    if not teams["calls"].sum() and teams["energy_kwh"].isna().all():
        parts.heading("No team used anything in these days")
        parts.empty(
            "Teams and the rules that assign calls to them are kept in the registry:",
            "jevons registry --help",
        )
        return
    teams = _named(teams, book.totals())
    _ranking(book, teams)
    _trend(book, teams)


def _named(teams: pandas.DataFrame, total: pandas.Series) -> pandas.DataFrame:
    known = not units.is_unknown(total.energy_kwh) and total.energy_kwh > 0
    return teams.assign(
        name=[words.team_name(row.team_id, row.team_name) for row in teams.itertuples()],
        kind=["nobody" if team in NOBODY else "team" for team in teams["team_id"]],
        said=[units.energy(value) for value in teams["energy_kwh"]],
        share=teams["energy_kwh"] / total.energy_kwh if known else None,
        coverage=teams["covered_calls"] / teams["calls"].where(teams["calls"] > 0),
        retry_share=teams["retries"] / teams["calls"].where(teams["calls"] > 0),
    )


def _ranking(book: Book, teams: pandas.DataFrame) -> None:
    owned = teams[(teams["kind"] == "team") & teams["energy_kwh"].notna()]
    if len(owned):
        first = owned.iloc[0]
        title = (
            f"{first['name']} uses the most energy: {first['said']}, {units.percent(first['share'], 0)} of the total"
        )
    else:
        title = "The energy of every team is unknown"
    parts.heading(title, "The range is that of the estimate. What belongs to nobody is grey; it counts in the total.")
    shown = teams.assign(name=[_short(row.name, row.team_id, teams) for row in teams.itertuples()])
    parts.chart(charts.ranking(shown, title), "ranking")
    columns = [
        Column("name", "Team"),
        Column("unit_name", "Unit"),
        Column("calls", "Calls", units.count),
        Column("retry_share", "Retries", units.percent),
        Column("energy_kwh_low", "Energy low, kWh", units.number),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("energy_kwh_high", "Energy high, kWh", units.number),
        Column("share", "Share of energy", units.percent),
        Column("location_kgco2e", "Carbon, kgCO2e", units.number),
        Column("coverage", "Coverage", units.percent),
    ]
    parts.twin(book, "teams", teams, columns, "Teams by energy")


def _short(name: str, team_id: str, teams: pandas.DataFrame) -> str:
    """Two teams may have one name; a chart needs distinct ones."""
    return f"{name} ({team_id})" if (teams["name"] == name).sum() > 1 else name


def _trend(book: Book, teams: pandas.DataFrame) -> None:
    names = dict(zip(teams["team_id"], teams["name"], strict=True))
    parts.heading("One team over time")
    chosen = st.selectbox(
        "Team", list(names), format_func=names.get, key="team", width=420, label_visibility="collapsed"
    )
    row = teams[teams["team_id"] == chosen].iloc[0]
    weekly = weeks(book.team_daily(chosen), ["calls", "energy_kwh_low", "energy_kwh", "energy_kwh_high"])
    covered = words.coverage(row["calls"], row["covered_calls"])
    parts.cards(
        [
            parts.card(
                "Energy",
                row["said"],
                f"range {units.energy_range(row.energy_kwh_low, row.energy_kwh_high)}",
                [covered],
            ),
            parts.card("Share of the organisation", units.percent(row["share"]), "of known energy"),
            parts.card(
                "Model calls",
                units.short_count(row["calls"]),
                f"{units.percent(row['retry_share'])} of them are retries",
            ),
        ]
    )
    if weekly.empty:
        parts.empty("No call in these days.")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        parts.subheading(_movement("Energy", weekly, "energy_kwh"), "kWh a week; pale bars are incomplete weeks")
        parts.weekly_energy(weekly, "team-energy")
    with right:
        parts.subheading(_movement("Calls", weekly, "calls"), "calls a week; pale bars are incomplete weeks")
        parts.chart(charts.weekly_bars(weekly, "calls", "Calls", style.CALLS, "Calls by week"), "team-calls")
    columns = [
        Column("week", "Week from", units.day),
        Column("days", "Days", units.count),
        Column("calls", "Calls", units.count),
        Column("energy_kwh_low", "Energy low, kWh", units.number),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("energy_kwh_high", "Energy high, kWh", units.number),
    ]
    parts.twin(book, "team_weekly", weekly, columns, "The team by week")


def _movement(what: str, weekly: pandas.DataFrame, column: str) -> str:
    full = weekly[weekly["complete"].astype(bool)]
    if len(full) < 2 or full[column].isna().any() or not full.iloc[0][column]:
        return f"{what} by week"
    ratio = full.iloc[-1][column] / full.iloc[0][column] - 1
    return f"{what} {words.change(ratio)} from the first to the last full week"
