"""What stops next: which class of work is slowed or stopped at which part of a ceiling, when, and what that touches.

What does not belong here: the rules themselves and what a caller is answered; the gate says that before each call.
"""

from typing import Any

import pandas
import streamlit as st

from dashboards import cells, parts, tables, words, words_of_ceilings
from dashboards.book import Book
from dashboards.questions import ceilings
from dashboards.tables import Column
from pipelines import units

_ALL = "All ceilings"


def section(book: Book, anchor: str) -> None:
    """What is in effect, then what comes first; essential work is in none of it."""
    if not book.holds("fct_ceiling_step"):
        return
    steps = with_words(ceilings.steps(book))
    if steps.empty:
        parts.heading("Nothing stops next: no ceiling is in force", anchor=anchor)
        return
    touching = steps[(steps["workflow_count"] > 0) & (steps["state"] != words_of_ceilings.OVERTAKEN)]
    parts.heading(
        words_of_ceilings.next_finding(touching),
        "Essential work never stops; at the limit all other work does. What happens before it is said by rules of "
        "the registry. Dates: by the forecast, from the earliest to the latest. Steps that touch no workflow, and "
        "those that a stricter one overtook, are in the files only; a ceiling of a service has none, as before a call "
        "nobody knows to which one it goes.",
        anchor,
    )
    names = dict(zip(steps["ceiling_id"], steps["name"], strict=True))
    named = lambda ceiling: names.get(ceiling, ceiling)  # noqa: E731
    chosen = st.selectbox("Ceiling", [_ALL, *names], format_func=named, key="step-ceiling", width=420)
    if chosen != _ALL:
        steps, touching = (frame[frame["ceiling_id"] == chosen] for frame in (steps, touching))
    columns = [
        Column("what", "What happens", cell=lambda row: cells.named(row.what, row.rule)),
        Column("usefulness_class", "Class of work", only="file"),
        Column("action", "Action", only="file"),
        Column("rule", "Rule", only="file"),
        Column("name", "Ceiling", cell=_at),
        Column("from_ratio", "From share of limit", units.percent, only="file"),
        Column("unit", "Unit", only="file"),
        Column("from_quantity", "From quantity", units.number, only="file"),
        Column("state", "State", only="file"),
        Column("begins_date", "When", units.day, cell=_when, missing="not in this period"),
        Column("begins_date_low", "Earliest", units.day, only="file", missing="not in this period"),
        Column("begins_date_high", "Latest", units.day, only="file", missing="not in this period"),
        Column("workflow_count", "Workflows", units.count, only="file"),
        Column("workflow_names", "What it touches", wide=True, cell=_touched, full_label="Workflows touched"),
        Column("touched_quantity", "Their use in the period", units.number, only="file"),
        Column("touched_ratio", "Share of use", units.percent, missing="none known", full_label="Their share of use"),
    ]
    tables.table(touching, columns=tables.of_page(columns), caption="What stops next")
    tables.download(book, "what_stops_next", steps, tables.of_file(columns))


def with_words(steps: pandas.DataFrame) -> pandas.DataFrame:
    """The steps with what happens, to which ceiling, and how sure that is, in words."""
    strictest = words_of_ceilings.strictest(steps)
    rows = list(steps.itertuples())
    return steps.assign(
        name=[words.ceiling_name(row) for row in rows],
        unit=[units.metric_unit(row.metric) for row in rows],
        what=[words_of_ceilings.step(row) for row in rows],
        rule=[words_of_ceilings.rule(row) for row in rows],
        state=[words_of_ceilings.state(row, strictest) for row in rows],
    )


def _at(row: Any) -> str:
    write, unit = units.amounts(row.metric, row.from_quantity)
    return cells.named(row.name, f"from {units.percent(row.from_ratio, 0)}: {write(row.from_quantity)} {unit}")


def _when(row: Any) -> str:
    days = words.days_between(row.begins_date_low, row.begins_date_high, row.as_of_date)
    small = f"<small>{days}</small>" if days and not row.is_reached else ""
    if row.is_reached:
        return f'<td class="n"><span class="late">since {units.day(row.begins_date)}</span></td>'
    said = "not expected" if units.is_unknown(row.begins_date) else units.day(row.begins_date)
    return f'<td class="n">{said}{small}</td>'


def _touched(row: Any) -> str:
    unknown = row.unknown_workflow_count
    return cells.named(
        units.counted(row.workflow_count, "workflow"),
        words_of_ceilings.some(row.workflow_names),
        f"use of {unknown} unknown" if unknown else None,
    )
