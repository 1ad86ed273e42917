"""The ceilings of the Overview: where each stands, how it got there day by day, and how earlier periods ended.

What does not belong here: judging a ceiling; the marts publish its status.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas
import streamlit as st

from dashboards import charts, parts, tables, words
from dashboards.book import Book
from dashboards.questions.ceilings import positions
from dashboards.tables import Column
from pipelines import units

_URGENCY = {"exceeded": 0, "on course to exceed": 1, "undecided": 2, "within": 3}
_PER_ROW = 3
_SCALE = 2.0  # a bar ends at twice the ceiling
_AMOUNTS = (Column("used_quantity", "Used", units.number), Column("limit_quantity", "Limit", units.number))
_SHARE = Column("share", "Share used", lambda value: units.percent(value, 0))


def summary(book: Book) -> None:
    """One row per ceiling in force, then the periods that are over."""
    latest = _latest(positions(book))
    if latest.empty:
        parts.heading("No ceiling is set")
        parts.empty(
            "A ceiling is a limit for a period that can be lowered and never extended. Set one:",
            "jevons ceilings --help",
        )
        return
    current, over = latest[~latest["is_over"]], latest[latest["is_over"]]
    if len(current):
        parts.heading(
            _finding(current),
            "Dark bar: used so far; pale bar: range, low to high; diamond: this pace until the period ends; red line: "
            "the wall at 100 %. An arrow head means that it goes beyond the picture. A ceiling has its own period, so "
            f"the choice of days above does not change this section.{_common_period(current)}",
        )
        _table(book, current)
    if len(over):
        kept = (over["status"] == "within").sum()
        parts.subheading(f"{kept} of {len(over)} ceilings whose period is over {'was' if kept == 1 else 'were'} kept")
        _ended(book, over)


def _latest(places: pandas.DataFrame) -> pandas.DataFrame:
    """The newest position of each ceiling, those of the organisation first, then the most urgent."""
    latest = places[places["is_latest"]].copy()
    latest["name"] = [words.ceiling_name(row) for row in latest.itertuples()]
    latest["share"] = latest["used_quantity"] / latest["limit_quantity"].where(latest["limit_quantity"] > 0)
    latest["last_day"] = pandas.to_datetime(latest["period_end"]) - pandas.Timedelta(days=1)
    latest["unit"] = [units.metric_unit(metric) for metric in latest["metric"]]
    latest["team"] = latest["perimeter_type"] != "organisation"
    latest["urgency"] = latest["status"].map(_URGENCY).fillna(2)
    return latest.sort_values(["team", "urgency"], kind="stable").reset_index(drop=True)


def _finding(current: pandas.DataFrame) -> str:
    exceeded, ahead = ((current["status"] == status).sum() for status in ("exceeded", "on course to exceed"))
    many = len(current)
    if not exceeded and not ahead:
        return f"None of {many} ceilings is exceeded or on course to be"
    said = [f"{exceeded} {'is' if exceeded == 1 else 'are'} exceeded"] if exceeded else []
    said += [f"{ahead} {'is' if ahead == 1 else 'are'} on course to be"] if ahead else []
    return f"Of {many} {'ceiling' if many == 1 else 'ceilings'}, {' and '.join(said)}"


def _common_period(current: pandas.DataFrame) -> str:
    """The period that all ceilings in force share, after a blank; nothing if they do not share one."""
    if len(current[["period_start", "period_end"]].drop_duplicates()) > 1:
        return ""
    return f" All run {_period(current.iloc[0])}."


def _period(row: Any) -> str:
    return f"from {units.day(row.period_start)} to {units.day(row.last_day)}"


def _table(book: Book, current: pandas.DataFrame) -> None:
    columns = [
        Column("name", "Ceiling"),
        Column("status", "Status"),
        *_AMOUNTS,
        Column("bar", "0 to 200 % of the limit"),
        _SHARE,
        Column("exhaustion_date", "Runs out on", units.day, missing="not in this period"),
    ]
    alike = bool(_common_period(current))
    cells = {
        "name": lambda row: tables.named(row.name, None if alike else _period(row)),
        "status": lambda row: f'<td class="o">{parts.status(row.status)}</td>',
        **_amounts(),
        "bar": _bar,
        "exhaustion_date": lambda row: f'<td class="n">{parts.escape(_runs_out(row))}</td>',
    }
    tables.table(current, columns, "Ceilings in force", cells=cells)
    exported = [
        Column("name", "Ceiling"),
        Column("status", "Status"),
        Column("period_start", "From"),
        Column("last_day", "To"),
        Column("unit", "Unit"),
        Column("limit_quantity", "Limit"),
        Column("used_quantity", "Used"),
        Column("used_low", "Used, low"),
        Column("used_high", "Used, high"),
        Column("forecast_quantity", "Forecast"),
        Column("exhaustion_date", "Runs out on"),
    ]
    tables.download(book, "ceilings", current, exported)


def _bar(row: Any) -> str:
    said = f"{words.ceiling_name(row)}: {words.ceiling_detail(row)}"
    low, high = row.used_low, row.used_high
    end = row.limit_quantity * _SCALE or 1.0
    return tables.bar(said, low, row.used_quantity, high, end, ahead=row.forecast_quantity, wall=row.limit_quantity)


def _runs_out(row: Any) -> str:
    if units.is_unknown(row.exhaustion_date):
        return "unknown" if units.is_unknown(row.used_quantity) else "not in this period"
    return ("since " if row.status == "exceeded" else "") + units.day(row.exhaustion_date)


def _amounts() -> dict[str, Callable[[Any], str]]:
    """Cells of `_AMOUNTS`: each row in the unit of its own metric."""
    return {column.key: partial(_quantity, key=column.key) for column in _AMOUNTS}


def _quantity(row: Any, key: str) -> str:
    return f'<td class="n">{parts.escape(units.quantity(row.metric, getattr(row, key)))}</td>'


def _ended(book: Book, over: pandas.DataFrame) -> None:
    columns = [
        Column("name", "Ceiling"),
        Column("status", "It was"),
        Column("period_start", "From", units.day),
        Column("last_day", "To", units.day),
        *_AMOUNTS,
        _SHARE,
    ]
    cells = {
        "status": lambda row: f'<td class="o">{parts.status(row.status, words.ceiling_outcome(row))}</td>',
        **_amounts(),
    }
    tables.table(over, columns, "Ceilings whose period is over", cells=cells)


def day_by_day(book: Book) -> None:
    """The burn-down of each ceiling in force."""
    places = positions(book)
    latest = _latest(places)
    rows = list(latest[~latest["is_over"]].itertuples())
    if not rows:
        return
    parts.heading(
        "What is left of each ceiling, day by day",
        "Solid line: the central estimate; band: low to high; dashed: this pace continued; dotted: an even pace from "
        "the first day to the last.",
    )
    for start in range(0, len(rows), _PER_ROW):
        for column, row in zip(st.columns(_PER_ROW, gap="medium"), rows[start : start + _PER_ROW], strict=False):
            with column:
                _burn_down(book, row, places[places["ceiling_id"] == row.ceiling_id])


def _burn_down(book: Book, row: Any, place: pandas.DataFrame) -> None:
    beyond = place[place["used_quantity"] > place["limit_quantity"]]
    since = pandas.Timestamp(beyond.iloc[0]["usage_date"]).date() if len(beyond) else None
    finding, detail = words.ceiling_finding(row, since), words.ceiling_detail(row)
    parts.subheading(finding, detail, parts.status(row.status))
    parts.chart(charts.burn_down(place, f"{finding}. {detail}"), f"burn-{row.ceiling_id}")
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
    tables.twin(book, name, table, columns, f"{row.name} day by day")
