"""Overview: are we inside our ceilings, and did cheaper calls lower the total?

What does not belong here: anything about one team or one workflow.
"""

import re
from typing import Any

import pandas
import streamlit as st

from dashboards import charts, parts, style, words
from dashboards.data import Book, indexed, weeks
from dashboards.parts import Column
from pipelines import units

_URGENCY = {"exceeded": 0, "on course to exceed": 1, "undecided": 2, "within": 3}
_PER_ROW = 3


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_cards(book)
    _ceilings(book)
    _rebound(book)
    _weekly(book)
    _not_known(book)


def _ceilings(book: Book) -> None:
    places = book.ceilings()
    if places.empty:
        parts.heading("No ceiling is set")
        parts.empty(
            "A ceiling is a limit for a period that can be lowered and never extended. Set one:",
            "jevons ceilings --help",
        )
        return
    latest = places[places["is_latest"]].reset_index(drop=True)
    over = latest["status"].isin(["exceeded", "on course to exceed"]).sum()
    if over:
        title = f"{over} of {len(latest)} ceilings {'is' if over == 1 else 'are'} exceeded or on course to be"
    else:
        title = f"None of {len(latest)} ceilings is on course to be exceeded"
    parts.heading(title, "A ceiling has its own period, so the choice of days above does not change this section.")
    _bullets(book, latest)
    st.html(
        '<p class="j">Below, day by day, what is left. Solid line: the central estimate; band: low to high; '
        "dashed: this pace continued; dotted: an even pace from the first day to the last.</p>"
    )
    of_organisation = latest["perimeter_type"] == "organisation"
    _burn_downs(book, places, latest[of_organisation])
    others = latest[~of_organisation].copy()
    if len(others):
        others = others.iloc[others["status"].map(_URGENCY).fillna(2).argsort(kind="stable")]
        parts.subheading("Ceilings of teams and other perimeters, the most urgent first")
        _burn_downs(book, places, others)


def _bullets(book: Book, latest: pandas.DataFrame) -> None:
    share = 100 / latest["limit_quantity"].where(latest["limit_quantity"] > 0)
    rows = pandas.DataFrame(
        {
            "name": _distinct([_bullet_name(row) for row in latest.itertuples()]),
            "used": latest["used_quantity"] * share,
            "low": latest["used_low"] * share,
            "high": latest["used_high"] * share,
            "forecast": latest["forecast_quantity"] * share,
        }
    )
    findings = ". ".join(words.ceiling_finding(row, None) for row in latest.itertuples())
    parts.chart(charts.bullets(rows, findings), "bullets")
    st.html(
        '<p class="j">Dark bar: used so far. Pale bar: low to high. Diamond: where this pace leads by the end of the '
        "period. Red line: the wall.</p>"
    )
    table = latest.assign(
        name=[words.ceiling_name(row) for row in latest.itertuples()],
        unit=[units.metric_unit(metric) for metric in latest["metric"]],
        last_day=pandas.to_datetime(latest["period_end"]) - pandas.Timedelta(days=1),
    )
    columns = [
        Column("name", "Ceiling"),
        Column("status", "Status"),
        Column("period_start", "From", units.day),
        Column("last_day", "To", units.day),
        Column("unit", "Unit"),
        Column("limit_quantity", "Limit", units.number),
        Column("used_quantity", "Used", units.number),
        Column("used_low", "Used, low", units.number),
        Column("used_high", "Used, high", units.number),
        Column("forecast_quantity", "Forecast", units.number),
        Column(
            "exhaustion_date",
            "Runs out on",
            lambda value: "" if units.is_unknown(value) else units.day(value),
        ),
    ]
    parts.twin(book, "ceilings", table, columns, "Position of each ceiling")


def _bullet_name(row: Any) -> str:
    mark = style.STATUS_MARKS.get(row.status, "◆")
    return f"{words.ceiling_name(row)}  {mark} {row.status}"


def _burn_downs(book: Book, places: pandas.DataFrame, latest: pandas.DataFrame) -> None:
    rows = list(latest.itertuples())
    for start in range(0, len(rows), _PER_ROW):
        for column, row in zip(st.columns(_PER_ROW, gap="medium"), rows[start : start + _PER_ROW], strict=False):
            with column:
                place = places[places["ceiling_id"] == row.ceiling_id]
                beyond = place[place["used_quantity"] > place["limit_quantity"]]
                since = pandas.Timestamp(beyond.iloc[0]["usage_date"]).date() if len(beyond) else None
                finding = words.ceiling_finding(row, since)
                st.html(f'<h3 class="j even">{parts.escape(finding)}</h3>{parts.status(row.status)}')
                st.html(f'<p class="j even">{parts.escape(words.ceiling_detail(row))}</p>')
                parts.chart(
                    charts.burn_down(place, f"{finding}. {words.ceiling_detail(row)}"),
                    f"burn-{row.ceiling_id}",
                )
                _burn_table(book, row, place)


def _burn_table(book: Book, row: Any, place: pandas.DataFrame) -> None:
    unit = units.metric_unit(row.metric)
    columns = [
        Column("usage_date", "Day", units.day),
        Column("left", f"Left, {unit}", units.number),
        Column("used_quantity", f"Used, {unit}", units.number),
        Column("used_low", "Used, low", units.number),
        Column("used_high", "Used, high", units.number),
    ]
    table = place.assign(left=place["limit_quantity"] - place["used_quantity"])
    name = "ceiling_" + re.sub(r"[^A-Za-z0-9_-]", "_", str(row.ceiling_id))
    parts.twin(book, name, table, columns, f"{words.ceiling_name(row)} day by day")


def _rebound(book: Book) -> None:
    weekly = weeks(book.daily(), ["calls", "energy_kwh"])
    full = indexed(weekly)
    finding = words.rebound_finding(full)
    parts.heading(finding)
    if full.empty:
        parts.empty("The first full week (Monday to Sunday) is the base; a second one is needed to draw a line.")
        return
    first, last = (units.day(full.iloc[place]["week"]) for place in (0, -1))
    crossed = words.crossings(full)
    met = "".join(f" The lines cross in the week of {units.day(day)}." for day in crossed[:2])
    st.html(
        f'<p class="j">Weekly totals, week of {first} = 100, to the week of {last}. The grey space between the '
        f"lines is what cheaper calls did; the energy line alone says whether the total fell.{met}</p>"
    )
    parts.chart(charts.index_lines(full, crossed, finding), "index")
    columns = [
        Column("week", "Week from", units.day),
        Column("calls", "Calls", units.count),
        Column("calls_index", "Calls, index", units.number),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("energy_index", "Energy, index", units.number),
    ]
    parts.twin(book, "index", full, columns, "Energy and calls by week, first full week = 100")


def _weekly(book: Book) -> None:
    names = ["calls", "energy_kwh_low", "energy_kwh", "energy_kwh_high"]
    weekly = weeks(book.daily(), names)
    if weekly.empty:
        parts.heading("No day of use lies in these days")
        return
    total = book.totals()
    used = "Unknown energy" if units.is_unknown(total.energy_kwh) else units.energy(total.energy_kwh)
    parts.heading(
        f"{used} and {units.short_count(total.calls, 'calls')} in "
        f"{len(weekly)} {'week' if len(weekly) == 1 else 'weeks'}",
        "Weekly totals from zero. Pale bars are weeks that are not complete; the thin line is the range, low to high.",
    )
    left, right = st.columns(2, gap="medium")
    with left:
        parts.subheading("Energy, kWh a week")
        parts.weekly_energy(weekly, "weekly-energy")
    with right:
        parts.subheading("Model calls a week")
        parts.chart(charts.weekly_bars(weekly, "calls", "Calls", style.CALLS, "Calls by week"), "weekly-calls")
    columns = [
        Column("week", "Week from", units.day),
        Column("days", "Days", units.count),
        Column("calls", "Calls", units.count),
        Column("energy_kwh_low", "Energy low, kWh", units.number),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("energy_kwh_high", "Energy high, kWh", units.number),
    ]
    parts.twin(book, "weekly", weekly, columns, "Weekly totals")


def _not_known(book: Book) -> None:
    total, gaps, missing = book.totals(), book.gaps(), book.missing_days()
    if units.is_unknown(total.calls) or not total.calls:
        title = "Nothing is known about these days"
    else:
        ratio = total.covered_calls / total.calls
        title = f"The energy of {units.percent(ratio)} of calls is known; what is not known is listed, not zero"
    parts.heading(title)
    lines = [*words.gaps(gaps), *words.missing_days(missing)]
    if lines:
        st.html('<ul class="j">' + "".join(f"<li>{parts.escape(line)}</li>" for line in lines) + "</ul>")
    else:
        parts.empty("No gap: every call has a known energy and every source delivered every day.")
    sources = book.sources()
    if len(sources):
        columns = [
            Column("source", "Source"),
            Column("days", "Days", units.count),
            Column("expected", "Daily tables expected", units.count),
            Column("received", "Daily tables received", units.count),
        ]
        parts.twin(book, "sources", sources, columns, "What each source delivered")


def _distinct(names: list[str]) -> list[str]:
    """Tell two ceilings of one name apart, or a chart would put them on one line."""
    return [
        f"{name} ({names[:place].count(name) + 1})" if names[:place].count(name) else name
        for place, name in enumerate(names)
    ]
