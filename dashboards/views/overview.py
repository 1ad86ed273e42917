"""Overview: are we inside our ceilings, did cheaper calls lower the total, and what is not known?

What does not belong here: anything about one team or one workflow; single ceilings stand in `ceilings`.
"""

import streamlit as st

from dashboards import charts, parts, tables, words, words_of_gaps
from dashboards.book import Book
from dashboards.questions import knowledge, usage
from dashboards.tables import Column
from dashboards.views import ceilings
from dashboards.views.deliveries import RESTATED_COLUMNS
from dashboards.weeks import indexed, weeks
from pipelines import units


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_cards(book)
    parts.contents(
        {
            "ceilings": "Ceilings",
            "rebound": "Energy against calls",
            "weeks": "Weekly totals",
            "unknown": "What is not known",
        }
    )
    ceilings.summary(book, "ceilings")
    _rebound(book)
    _weekly(book)
    _not_known(book)


def _rebound(book: Book) -> None:
    full = indexed(weeks(usage.daily(book), ["calls", "energy_kwh"]))
    finding = words.rebound_finding(full)
    if full.empty:
        parts.heading(finding, anchor="rebound")
        parts.empty("The first full week (Monday to Sunday) is the base; a second one is needed to draw a line.")
        return
    first, last = (units.day(full.iloc[place]["week"]) for place in (0, -1))
    since = words.cheaper_since(full)
    stays = f" Since the week of {units.day(since)} a call has needed at least 5 % less energy." if since else ""
    parts.heading(
        finding,
        f"Weekly totals by central estimate, from the week of {first} (= 100) to the week of {last}; weeks that lack "
        f"days are left out.{stays} Grey: the distance between calls and energy. The energy line alone says whether "
        "the total fell.",
        "rebound",
    )
    parts.chart(charts.index_lines(full, since, finding), "index")
    columns = [
        Column("week", "Week from", units.day),
        Column("calls", "Calls", units.count),
        Column("calls_index", "Calls, index", units.number),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("energy_index", "Energy, index", units.number),
        Column("per_call_index", "Energy per call, index", units.number),
    ]
    tables.twin(book, "index", full, columns, "Energy, calls and energy per call by week, first full week = 100")


def _weekly(book: Book) -> None:
    weekly = weeks(usage.daily(book), parts.WEEKLY)
    if weekly.empty:
        parts.heading("No day of use lies in these days", anchor="weeks")
        return
    total, days = usage.totals(book), int(weekly["days"].sum())
    used, made = units.energy(total.energy_kwh), units.short_count(total.calls, "calls")
    parts.heading(
        f"{used} and {made} in {units.counted(days, 'day')}",
        "Weekly totals, Monday to Sunday, from zero; pale bars are weeks that lack days."
        + words_of_gaps.weeks_lacking(knowledge.missing_days(book)),
        "weeks",
    )
    titles = (words.movement("Energy", weekly, "energy_kwh"), words.movement("Calls", weekly, "calls"))
    parts.energy_and_calls(book, "organisation", weekly, titles)


def _not_known(book: Book) -> None:
    total, changed = usage.totals(book), knowledge.restated(book)
    known = words.ratio(total.covered_calls, total.calls)
    if known is None:
        parts.heading("Nothing is known about these days", anchor="unknown")
    else:
        said = f"The energy of {units.percent(known)} of calls is known; what is not known is listed, not zero"
        parts.heading(said, anchor="unknown")
    lines = [
        *words_of_gaps.gaps(knowledge.gaps(book)),
        *words_of_gaps.missing_days(knowledge.missing_days(book)),
        *words_of_gaps.restated(changed),
    ]
    if lines:
        st.html('<ul class="j">' + "".join(f"<li>{parts.escape(line)}</li>" for line in lines) + "</ul>")
    elif known is not None:
        parts.empty("No gap: every call has a known energy and every source delivered every day.")
    sources = knowledge.sources(book)
    if len(sources):
        columns = [
            Column("source", "Source"),
            Column("days", "Days", units.count),
            Column("expected", "Daily tables expected", units.count),
            Column("received", "Daily tables received", units.count),
        ]
        tables.twin(book, "sources", sources, columns, "What each source delivered", "Show what each source delivered")
    if len(changed):
        caption, fold = "Days that a vendor restated", "Show what was restated"
        tables.twin(book, "restated", changed, RESTATED_COLUMNS, caption, fold)

