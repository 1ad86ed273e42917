"""My team: what is left of the ceilings around it, its workflows, what it owes, and what may be its own without a name.

What does not belong here: other teams. The address names the team, so that a link can be sent.
"""

import pandas
import streamlit as st

from dashboards import cells, parts, tables, words, words_of_ceilings, words_of_workloads
from dashboards.book import NOBODY, Book
from dashboards.parts import Section
from dashboards.questions import ceilings as questions
from dashboards.questions import outcomes as reached_outcomes
from dashboards.questions import usage, workloads
from dashboards.tables import Column
from dashboards.views import ceiling_steps, ceilings, governance, inventory, outcomes
from pipelines import units

_SECTIONS = (
    Section("left", "What is left"),
    Section("workflows", "Workflows", "fct_workload_inventory", "the inventory of workloads"),
    Section("owed", "What it owes", "fct_governance_task", "what is owed"),
    Section("nobody", "Without an owner", "fct_governance_task", "what is owed"),
    Section("outcomes", "Outcomes"),
)
_STEPS = {"fct_ceiling_step": "what stops next"}


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    everyone = usage.teams(book)
    teams = everyone[~everyone["team_id"].isin(NOBODY)].sort_values("team_name", key=lambda names: names.str.casefold())
    if teams.empty:
        parts.heading("No team is in this build")
        parts.empty("Teams are declared in the registry:", "jevons registry --help")
        return
    team = teams[teams["team_id"] == _chosen(teams)].iloc[0]
    share = words.ratio(team["energy_kwh"], usage.totals(book).energy_kwh)
    parts.usage_cards(team, ("Share of the organisation", units.percent(share), "of known energy"))
    parts.contents(parts.present(book, _SECTIONS))
    around = _around(book, team)
    _left(book, team, around)
    _workflows(book, team, around)
    _owed(book, team)
    _without_owner(book, team)
    _outcomes(book, team)
    parts.lacking(book, {**parts.told(_SECTIONS), **_STEPS})


def _chosen(teams: pandas.DataFrame) -> str:
    """The team that the address names, or the first; what is chosen goes into the address."""
    names = dict(zip(teams["team_id"], teams["team_name"], strict=True))
    # The copy keeps the choice while other pages are looked at.
    wanted = [st.session_state.get("my-team"), st.query_params.get("team"), st.session_state.get("kept-team")]
    st.session_state["my-team"] = next((team for team in wanted if team in names), next(iter(names)))
    chosen = st.selectbox("Team", list(names), format_func=names.get, key="my-team", width=420)
    st.session_state["kept-team"] = st.query_params["team"] = chosen
    return chosen


def _around(book: Book, team: pandas.Series) -> pandas.DataFrame:
    """The perimeters that the team is in, and those of its workflows."""
    place = book.ask("select unit_id, country from dim_team where team_id = ?", team["team_id"]).iloc[0]
    flows = book.ask("select workflow_id from dim_workflow where team_id = ?", team["team_id"])
    rows = [("team", team["team_id"]), ("unit", place["unit_id"]), ("country", place["country"])]
    rows += [("workflow", workflow) for workflow in flows["workflow_id"]]
    return pandas.DataFrame(rows, columns=["perimeter_type", "perimeter_id"])


def _inside(frame: pandas.DataFrame, around: pandas.DataFrame) -> pandas.DataFrame:
    """Rows whose perimeter is the organisation, or around the team."""
    known = set(around.itertuples(index=False, name=None))
    pairs = zip(frame["perimeter_type"], frame["perimeter_id"], strict=True)
    wanted = [pair[0] == "organisation" or pair in known for pair in pairs]
    return frame[pandas.Series(wanted, index=frame.index, dtype=bool)]


def _left(book: Book, team: pandas.Series, around: pandas.DataFrame) -> None:
    latest = _inside(ceilings.newest(book), around)
    current = latest[~latest["is_over"]].sort_values("team", ascending=False, kind="stable")
    if current.empty:
        parts.heading(f"No ceiling around {team['team_name']} is in force", anchor="left")
        parts.empty("A team can be given one, within those around it:", "jevons ceilings adopt --help")
        return
    over = int((current["status"] == "exceeded").sum())
    of = units.counted(len(current), "ceiling")
    parts.heading(
        f"Of {of} around {team['team_name']}, {over or 'none'} {'is' if over < 2 else 'are'} exceeded",
        "The team's own first, then those of the organisation, which it shares with all others. By the central "
        "estimate, with its range below; whatever days are chosen above.",
        "left",
    )
    ceilings.outlook(book, current, "my_ceilings", "Ceilings around the team")


def _workflows(book: Book, team: pandas.Series, around: pandas.DataFrame) -> None:
    if not book.holds("fct_workload_inventory"):
        return
    flows = workloads.inventory(book)
    flows = flows[flows["team_id"] == team["team_id"]]
    if flows.empty:
        parts.heading(f"{team['team_name']} has declared no workflow", anchor="workflows")
        return
    parts.heading(
        words_of_workloads.inventory_finding(flows),
        f"{words_of_workloads.month_note(flows)} Change: the last 28 days against the 28 before. At the gate: what "
        "happens to the work now, or first.",
        "workflows",
    )
    columns = inventory.columns()
    if book.holds("fct_ceiling_step"):
        steps = _inside(ceiling_steps.with_words(questions.steps(book)), around)
        flows = flows.assign(gate=[words_of_ceilings.at_the_gate(row, steps) for row in flows.itertuples()])
        columns.insert(-1, Column("gate", "At the gate"))
    tables.report(book, "my_workflows", flows, columns, "Workflows of the team")


def _owed(book: Book, team: pandas.Series) -> None:
    if not book.holds("fct_governance_task"):
        return
    owed = workloads.tasks(book)
    owed = owed[owed["team_id"] == team["team_id"]]
    if owed.empty:
        parts.heading(f"{team['team_name']} owes nothing", anchor="owed")
        return
    late = int(owed["task"].isin(("review", "review_change")).sum())
    reviews = f", {units.counted(late, 'review')} among them" if late else ""
    parts.heading(
        f"{team['team_name']} owes {units.counted(len(owed), 'thing')}{reviews}",
        "Several things may be owed of one workload, with the same energy behind each. A review of an "
        "efficiency change leads to what the data answer, and to the command that records what follows.",
        "owed",
    )
    governance.task_table(book, owed, "my_tasks")


def _without_owner(book: Book, team: pandas.Series) -> None:
    if not book.holds("fct_governance_task"):
        return
    lines = workloads.orphans(book, team["team_id"])
    if lines.empty:
        parts.heading("All use has an owner", anchor="nobody")
        return
    alike = int(lines["is_alike"].sum())
    parts.heading(
        f"{alike} of {units.counted(len(lines), 'use')} without an owner may be this team's",
        "A hint and no proof: the team uses the same model or hardware in the same source. What nobody claims counts "
        "against the organisation. Whose key it is, the source's own console tells; a rule then names the workflow: "
        "jevons registry import.",
        "nobody",
    )
    lines = lines.assign(
        what=[words_of_workloads.TASKS.get(name, name) for name in lines["task"]],
        hint=["the team uses it, too" if is_alike else "the team does not use it" for is_alike in lines["is_alike"]],
    )
    columns = [
        Column("detail", "Source and model", cell=lambda row: cells.named(row.detail, row.what)),
        Column("what", "To do", only="file"),
        Column("hint", "Hint"),
        Column("since_date", "Since", units.day, only="file"),
        Column("waiting_days", "Days", units.count, cell=governance.age),
        Column("calls", "Calls a month", units.count),
        Column("energy_kwh_low", "kWh a month, low", units.number, only="file"),
        Column("energy_kwh", "kWh a month", units.number, cell=cells.energy),
        Column("energy_kwh_high", "kWh a month, high", units.number, only="file"),
    ]
    tables.report(book, "my_orphans", lines, columns, "Use without an owner")


def _outcomes(book: Book, team: pandas.Series) -> None:
    reached = reached_outcomes.outcomes(book)
    reached = reached[reached["team_id"] == team["team_id"]].reset_index(drop=True)
    if reached.empty:
        parts.heading(f"No outcome of {team['team_name']} is recorded in these days", anchor="outcomes")
        return
    parts.heading(
        f"{units.counted(reached['workflow_id'].nunique(), 'workflow reports', 'workflows report')} outcomes",
        "Over the days shown. Outcomes of different kinds are not added up. Accepted is a share of those that were "
        "judged. Change: Wh per outcome, last against first full week.",
        "outcomes",
    )
    outcomes.table(book, outcomes.with_ratios(reached, reached_outcomes.by_week(book)), "my_outcomes")
