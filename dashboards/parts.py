"""Pieces that every page is made of: headings, cards, the organisation's totals, charts, weekly pairs.

What does not belong here: SQL, tables, and what a particular page says. Whatever comes from data is escaped here,
once: text enters HTML only through `escape`, and no name is ever read as Markdown.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import NamedTuple

import pandas
import streamlit as st

from dashboards import charts, style, tables, words
from dashboards.book import NOBODY, Book
from dashboards.questions import knowledge, usage
from dashboards.tables import Column
from pipelines import units

WEEKLY = ["calls", "energy_kwh_low", "energy_kwh", "energy_kwh_high"]
ENERGY_COLUMNS = [
    Column("calls", "Calls", units.count),
    Column("energy_kwh_low", "Energy low, kWh", units.number),
    Column("energy_kwh", "Energy, kWh", units.number),
    Column("energy_kwh_high", "Energy high, kWh", units.number),
]
WEEK_COLUMNS = [Column("week", "Week from", units.day), Column("days", "Days", units.count)]


def heading(text: str, note: str = "", anchor: str = "") -> None:
    """A section's title, which says the finding, and one muted sentence below it.

    Args:
        text: the finding.
        note: how to read what follows.
        anchor: where `contents` leads to.
    """
    place = f' id="{anchor}"' if anchor else ""
    st.html(f'<h2 class="j"{place}>{escape(text)}</h2>{_note(note)}')


def contents(sections: Mapping[str, str]) -> None:
    """Links to the sections of a long page.

    Args:
        sections: maps the anchor of a heading to a word or two; the heading says the finding.
    """
    links = " ".join(f'<a href="#{anchor}" target="_self">{escape(name)}</a>' for anchor, name in sections.items())
    st.html(f'<nav class="j" aria-label="On this page"><span>On this page:</span> {links}</nav>')


class Section(NamedTuple):
    """A section of a long page.

    Attributes:
        anchor: of its heading.
        name: in the list of contents.
        mart: without which it is not there, `mart.column` for a column of one; empty if it always is.
        told: what that mart tells, for a build that lacks it.
    """

    anchor: str
    name: str
    mart: str = ""
    told: str = ""


def present(book: Book, sections: Iterable[Section]) -> dict[str, str]:
    """The sections that this build has, for `contents`."""
    return {one.anchor: one.name for one in sections if not one.mart or book.holds(*one.mart.split("."))}


def told(sections: Iterable[Section]) -> dict[str, str]:
    """The marts of sections, for `lacking`."""
    return {one.mart: one.told for one in sections if one.mart}


def subheading(text: str, note: str = "", mark: str = "", key: str = "") -> None:
    """The title of one chart, and what its marks mean.

    Args:
        text: the title.
        note: a sentence below it.
        mark: trusted HTML between them; with one, both texts keep the same height as their neighbours.
        key: of `keys`, below the note.
    """
    kind = "j even" if mark else "j"
    st.html(f'<h3 class="{kind}">{escape(text)}</h3>{mark}{_note(note, kind)}{key}')


def note(text: str) -> None:
    """One muted sentence."""
    st.html(_note(text))


def _note(text: str, kind: str = "j") -> str:
    return f'<p class="{kind}">{escape(text)}</p>' if text else ""


def keys(items: Iterable[tuple[str, str, str]]) -> str:
    """HTML of a chart's key, which wraps where a page is narrow: sign, colour and name of each mark."""
    marks = (f'<span><b style="color:{colour}">{sign}</b>{escape(name)}</span>' for sign, colour, name in items)
    return f'<p class="j j-keys">{" ".join(marks)}</p>'


def empty(text: str, command: str = "") -> None:
    """Say that there is nothing to show, why, and what to type."""
    code = f" <code>{escape(command)}</code>" if command else ""
    st.html(f'<div class="j-empty">{escape(text)}{code}</div>')


def lacking(book: Book, marts: Mapping[str, str]) -> None:
    """Say which marts a build has not, because an earlier version published it, and which command makes them.

    Args:
        book: the build.
        marts: maps the name of a mart, or `mart.column`, to what it would tell; whoever draws it asks `book.holds`.
    """
    missing = [what for mart, what in marts.items() if not book.holds(*mart.split("."))]
    if not missing:
        return
    heading(f"Not in this build: {', '.join(missing)}")
    said = book.snapshot.manifest
    first, last = (str(said.get(name) or "YYYY-MM-DD")[:10] for name in ("data_from", "data_to"))
    them = "this table" if len(missing) == 1 else "these tables"
    empty(
        f"The build was published by an earlier version of Jevons, which did not make {them} yet. Make a new build:",
        f"jevons materialize --from {first} --to {last}",
    )


def card(label: str, value: str, note: str = "", badge: tuple[str, bool] | None = None, spread: str = "") -> str:
    """HTML of one figure with its range and what is known about it; a badge that warns is marked."""
    lines = [("label", label), ("value", value), ("range", spread), ("note", note)]
    text = "".join(f'<div class="{kind}">{escape(line)}</div>' for kind, line in lines if line)
    mark = f'<span class="j-badge{" low" if badge[1] else ""}">{escape(badge[0])}</span>' if badge else ""
    return f'<div class="j-card">{text}{mark}</div>'


def cards(items: Iterable[str]) -> None:
    """A row of cards."""
    st.html(f'<div class="j-cards">{"".join(items)}</div>')


def usage_cards(row: pandas.Series, second: tuple[str, str, str]) -> None:
    """Energy, one figure of the page's own (label, value, note), and calls of a team or a workflow."""
    calls = units.short_count(row["calls"])
    cards(
        [
            energy_card(row, ""),
            card(*second),
            card("Model calls", calls, words.retries(row["retries"], row["told_calls"], row["calls"])),
        ]
    )


def energy_card(row: pandas.Series, proof: str) -> str:
    """HTML of an amount of energy with range, evidence and coverage."""
    return card(
        "Energy",
        units.energy(row["energy_kwh"]),
        proof,
        words.coverage(row["calls"], row["covered_calls"]),
        words.spread(row),
    )


def total_cards(book: Book) -> None:
    """The organisation's totals over the days shown, each with coverage and evidence."""
    total = usage.totals(book)
    everyone = usage.teams(book)
    nobody = everyone[everyone["team_id"].isin(NOBODY)]
    cards(
        [
            energy_card(total, words.evidence(knowledge.evidence(book))),
            card(
                "Carbon, location-based",
                units.carbon(total.location_kgco2e),
                words.carbon_basis(total),
                words.coverage(total.calls, total.covered_calls),
                words.carbon_spread(total),
            ),
            card(
                "Model calls",
                units.short_count(total.calls),
                words.retries(total.retries, total.told_calls, total.calls),
                ("counted, not estimated", False),
            ),
            card(
                "Without an owner",
                units.percent(words.ratio(nobody["energy_kwh"].sum(min_count=1), total.energy_kwh)),
                f"of known energy and {units.percent(words.ratio(nobody['calls'].sum(), total.calls))} of calls: "
                "orphaned keys, calls without identity, idle hardware",
                ("counted in every total", False),
            ),
        ]
    )


def total_line(book: Book) -> None:
    """The organisation's totals in one line, for pages that show parts of it."""
    total = usage.totals(book)
    coverage, _ = words.coverage(total.calls, total.covered_calls)
    st.html(
        f'<p class="j-total">Organisation, days shown: <b>{escape(units.energy(total.energy_kwh))}</b> '
        f"({escape(words.spread(total))}), <b>{escape(units.carbon(total.location_kgco2e))}</b> location-based"
        f"{escape(words.carbon_aside(total))}, "
        f"<b>{escape(units.short_count(total.calls, 'calls'))}</b>; {escape(coverage)}; "
        f"{escape(words.evidence(knowledge.evidence(book)))}</p>"
    )


def status(text: str, said: str = "") -> str:
    """HTML of a ceiling's status: a sign of its own shape and the words; colour only repeats them."""
    mark = style.STATUS_MARKS.get(text, "◆")
    return f'<span class="j-status {style.STATUS_CLASSES.get(text, "open")}">{mark} {escape(said or text)}</span>'


def energy_and_calls(book: Book, name: str, weekly: pandas.DataFrame, titles: tuple[str, str]) -> None:
    """Weekly energy beside weekly calls, and their table."""
    left, right = st.columns(2, gap="medium")
    with left:
        if weekly["energy_kwh"].isna().all():  # an empty axis would look like zero
            subheading(titles[0])
            empty("The energy of all these weeks is unknown, not zero.")
        else:
            subheading(titles[0], words.range_note(weekly, charts.headroom(*_bounds(weekly)), "kWh a week"))
            chart(charts.weekly_bars(weekly, "energy_kwh", "kWh", style.ENERGY, titles[0]), f"{name}-energy")
    with right:
        subheading(titles[1], "Calls a week.")
        chart(charts.weekly_bars(weekly, "calls", "Calls", style.CALLS, titles[1]), f"{name}-calls")
    tables.twin(book, f"{name}_weekly", weekly, [*WEEK_COLUMNS, *ENERGY_COLUMNS], "Energy and calls by week")


def _bounds(frame: pandas.DataFrame) -> tuple[pandas.Series, pandas.Series]:
    return frame["energy_kwh"], frame["energy_kwh_high"]


def daily_energy(daily: pandas.DataFrame, key: str) -> None:
    """Energy by day with its band, or the statement that it is unknown."""
    if daily["energy_kwh"].isna().all():
        subheading("The energy of this workflow is unknown", "Its calls are counted; no factor is known for them.")
        return
    subheading("Energy by day", words.range_note(daily, charts.headroom(*_bounds(daily)), "kWh a day", "band"))
    chart(charts.daily_line(daily, "energy_kwh", "kWh", style.ENERGY, "Energy by day"), key)


def chart(spec: charts.Spec, key: str) -> None:
    """Draw a chart over the width that is there."""
    st.vega_lite_chart(spec, width="stretch", theme=None, key=key)
