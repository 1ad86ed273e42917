"""The ceilings of the Overview: where each stands, how it got there day by day, and how earlier periods ended.

What does not belong here: judging a ceiling; the marts publish its status.
"""

import re
from functools import partial
from typing import Any

import pandas
import streamlit as st

from dashboards import cells, charts, parts, tables, words
from dashboards.book import Book
from dashboards.questions.ceilings import positions
from dashboards.tables import Column
from pipelines import units

_URGENCY = {"exceeded": 0, "on course to exceed": 1, "undecided": 2, "within": 3}
_PER_ROW = 3
_SCALE = 2.0  # a bar ends at twice the ceiling


def _quantity(row: Any, key: str) -> str:
    """HTML of an amount in the unit of its row's metric."""
    return f'<td class="n">{parts.escape(units.quantity(row.metric, getattr(row, key)))}</td>'


_AMOUNTS = tuple(
    Column(key, label, units.number, cell=partial(_quantity, key=key))
    for key, label in (("used_quantity", "Used"), ("limit_quantity", "Limit"))
)
_SHARE = Column("share", "Share used", lambda value: units.percent(value, 0))


def in_force(book: Book) -> bool:
    """Whether there is a ceiling whose period is not over."""
    latest = _latest(positions(book))
    return bool((~latest["is_over"].astype(bool)).any())


def summary(book: Book, anchor: str) -> None:
    """One row per ceiling in force, then the periods that are over."""
    latest = _latest(positions(book))
    if latest.empty:
        parts.heading("No ceiling is set", anchor=anchor)
        parts.empty(
            "A ceiling is a limit for a period that can be lowered and never extended. Set one:",
            "jevons ceilings --help",
        )
        return
    current, over = latest[~latest["is_over"]], latest[latest["is_over"]]
    if len(current):
        parts.heading(
            _finding(current),
            "Dark bar: used so far; pale bar: range, low to high; diamond: forecast for the period's end; red line: "
            "the wall at 100 %. An arrow head means that it goes beyond the picture. A ceiling has its own period, so "
            f"the choice of days above does not change this section.{_common_period(current)}",
            anchor,
        )
        _table(book, current)
    else:
        parts.heading("No ceiling is in force", anchor=anchor)
    if len(over):
        kept = (over["status"] == "within").sum()
        many = units.counted(len(over), "ceiling")
        parts.subheading(f"{kept} of {many} whose period is over {'was' if kept == 1 else 'were'} kept")
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
        none = "The only ceiling is neither" if many == 1 else f"None of {many} ceilings is"
        return f"{none} exceeded {'nor' if many == 1 else 'or'} on course to be"
    said = [f"{exceeded} {'is' if exceeded == 1 else 'are'} exceeded"] if exceeded else []
    said += [f"{ahead} {'is' if ahead == 1 else 'are'} on course to be"] if ahead else []
    return f"Of {units.counted(many, 'ceiling')}, {' and '.join(said)}"


def _common_period(current: pandas.DataFrame) -> str:
    """The period that all ceilings in force share, after a blank; nothing if they do not share one."""
    if len(current[["period_start", "period_end"]].drop_duplicates()) > 1:
        return ""
    return f" All run {_period(current.iloc[0])}."


def _period(row: Any) -> str:
    return f"from {units.day(row.period_start)} to {units.day(row.last_day)}"


def _table(book: Book, current: pandas.DataFrame) -> None:
    alike = bool(_common_period(current))
    columns = [
        Column("name", "Ceiling", cell=lambda row: cells.named(row.name, None if alike else _period(row))),
        Column("status", "Status", cell=lambda row: f'<td class="o">{parts.status(row.status)}</td>'),
        Column("period_start", "From", only="file"),
        Column("last_day", "To", only="file"),
        Column("unit", "Unit", only="file"),
        *_AMOUNTS,
        Column("used_low", "Used, low", only="file"),
        Column("used_high", "Used, high", only="file"),
        Column("bar", "0 to 200 % of the limit", cell=_bar, only="page"),
        _SHARE,
        Column("forecast_quantity", "Forecast", only="file"),
        Column("exhaustion_date", "Runs out on", units.day, cell=_runs_out),
    ]
    tables.report(book, "ceilings", current, columns, "Ceilings in force")


def _bar(row: Any) -> str:
    said = f"{words.ceiling_name(row)}: {words.ceiling_detail(row)}"
    low, high = row.used_low, row.used_high
    end = row.limit_quantity * _SCALE or 1.0
    return cells.bar(said, low, row.used_quantity, high, end, ahead=row.forecast_quantity, wall=row.limit_quantity)


def _runs_out(row: Any) -> str:
    if units.is_unknown(row.exhaustion_date):
        said = "unknown" if units.is_unknown(row.used_quantity) else "not in this period"
    else:
        said = ("since " if row.status == "exceeded" else "") + units.day(row.exhaustion_date)
    return f'<td class="n">{parts.escape(said)}</td>'


def _ended(book: Book, over: pandas.DataFrame) -> None:
    columns = [
        Column("name", "Ceiling"),
        Column("status", "It was", cell=_outcome),
        Column("period_start", "From", units.day),
        Column("last_day", "To", units.day),
        *_AMOUNTS,
        _SHARE,
    ]
    tables.table(over, columns, "Ceilings whose period is over")


def _outcome(row: Any) -> str:
    return f'<td class="o">{parts.status(row.status, words.ceiling_outcome(row))}</td>'


def day_by_day(book: Book, anchor: str) -> None:
    """The burn-down of each ceiling in force."""
    places = positions(book)
    latest = _latest(places)
    rows = list(latest[~latest["is_over"]].itertuples())
    if not rows:
        return
    parts.heading(
        "What is left of each ceiling, day by day",
        "Solid line: the central estimate; band: low to high; dashed: the forecast; dotted: an even pace from "
        "the first day to the last.",
        anchor,
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
        Column("used_low", "Used low", units.number),
        Column("used_high", "Used high", units.number),
    ]
    table = place.assign(left=place["limit_quantity"] - place["used_quantity"])
    name = "ceiling_" + re.sub(r"[^A-Za-z0-9_-]", "_", str(row.ceiling_id))
    tables.twin(book, name, table, columns, f"{row.name} day by day")
