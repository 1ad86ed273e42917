"""Ceilings: where each stands and where it leads, what stops next, and who adopted what or tried to change it.

What does not belong here: judging a ceiling; the marts publish its status. The Overview shows the short summary.
"""

from functools import partial
from typing import Any

import pandas

from dashboards import cells, parts, tables, words
from dashboards.book import Book
from dashboards.parts import Section
from dashboards.questions import ceilings
from dashboards.tables import Column
from dashboards.views import burn_downs, ceiling_records, ceiling_steps
from pipelines import units

_URGENCY = {"exceeded": 0, "on course to exceed": 1, "undecided": 2, "within": 3}
_SCALE = 2.0  # a bar ends at twice the ceiling
_SECTIONS = (
    Section("ceilings", "Where they stand"),
    Section("next", "What stops next", "fct_ceiling_step", "what stops next"),
    Section("days", "Day by day"),
    Section("adopted", "Adopted", "dim_ceiling", "who adopted each ceiling"),
    Section("refused", "Refused attempts", "fct_refused_attempt", "attempts that were refused"),
)
_INTERVALS = {"fct_ceiling_position_daily.forecast_low": "intervals of forecasts"}


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    parts.contents(parts.present(book, _SECTIONS))
    latest = newest(book)
    _standing(book, latest)
    ceiling_steps.section(book, "next")
    burn_downs.section(book, latest[~latest["is_over"]], "days")
    ceiling_records.adopted(book, "adopted")
    ceiling_records.refused(book, "refused")
    parts.lacking(book, {**parts.told(_SECTIONS), **_INTERVALS})


def summary(book: Book, anchor: str) -> None:
    """One row per ceiling in force, for the Overview; the rest stands on the page Ceilings."""
    latest = newest(book)
    if _said_empty(latest, anchor):
        return
    current = latest[~latest["is_over"]]
    if current.empty:
        parts.heading("No ceiling is in force", anchor=anchor)
        return
    parts.heading(
        _finding(current),
        "Dark bar: used so far; pale bar: range, low to high; diamond: forecast for the period's end; red line: "
        "the wall at 100 %. An arrow head means that it goes beyond the picture. A ceiling has its own period, so "
        f"the choice of days above does not change this section.{_common_period(current)} Forecasts, what stops next "
        "and earlier periods: page Ceilings.",
        anchor,
    )
    table(book, current, "ceilings")


def newest(book: Book) -> pandas.DataFrame:
    """The newest position of each ceiling, those of the organisation first, then the most urgent."""
    places = ceilings.positions(book)
    latest = places[places["is_latest"]].copy()
    latest["name"] = [words.ceiling_name(row) for row in latest.itertuples()]
    latest["left_quantity"] = (latest["limit_quantity"] - latest["used_quantity"]).clip(lower=0)
    latest["share"] = latest["used_quantity"] / latest["limit_quantity"].where(latest["limit_quantity"] > 0)
    latest["last_day"] = pandas.to_datetime(latest["period_end"]) - pandas.Timedelta(days=1)
    latest["unit"] = [units.metric_unit(metric) for metric in latest["metric"]]
    latest["shown_unit"] = [units.amounts(row.metric, row.limit_quantity)[1] for row in latest.itertuples()]
    latest["is_over"] = latest["is_over"].astype(bool)
    latest["team"] = latest["perimeter_type"] != "organisation"
    latest["urgency"] = latest["status"].map(_URGENCY).fillna(2)
    return latest.sort_values(["team", "urgency"], kind="stable").reset_index(drop=True)


def _said_empty(latest: pandas.DataFrame, anchor: str) -> bool:
    if len(latest):
        return False
    parts.heading("No ceiling is set", anchor=anchor)
    parts.empty(
        "A ceiling is a limit for a period that can be lowered and never extended. Set one:", "jevons ceilings --help"
    )
    return True


def _standing(book: Book, latest: pandas.DataFrame) -> None:
    if _said_empty(latest, "ceilings"):
        return
    current, over = latest[~latest["is_over"]], latest[latest["is_over"]]
    if len(current):
        parts.heading(
            _finding(current),
            "By the central estimate, with its range below. Forecast: the period's end by weekdays and trend, with its "
            f"interval. A ceiling has its own period, whatever days are chosen above.{_common_period(current)}",
            "ceilings",
        )
        outlook(book, current, "ceilings_in_force")
    else:
        parts.heading("No ceiling is in force", anchor="ceilings")
    if len(over):
        met = (over["status"] == "within").sum()
        many = units.counted(len(over), "ceiling")
        parts.subheading(
            f"{met} of {many} whose period is over {'was' if met == 1 else 'were'} met",
            "Met: even the high end of what was used is not above the limit.",
        )
        _ended(book, over)


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


def table(book: Book, current: pandas.DataFrame, name: str) -> None:
    """A bar a ceiling, and the few figures that the Overview has room for."""
    columns = [*_names(current), *_used(), _BAR, _SHARE, *_outlook()]
    shown = {"name", "status", "used_quantity", "limit_quantity", "bar", "share", "exhaustion_date"}
    columns = [column if column.key in shown else _of_file(column) for column in columns]
    tables.report(book, name, current, columns, "Ceilings in force")


def outlook(book: Book, current: pandas.DataFrame, name: str, caption: str = "Ceilings in force") -> None:
    """Each ceiling with what is left of it, the forecast and the date on which it runs out, with their intervals."""
    tables.report(book, name, current, [*_names(current), *_used(), _SHARE, *_outlook()], caption)


def _of_file(column: Column) -> Column:
    return Column(column.key, column.label, column.write, missing=column.missing, only="file")


def _quantity(row: Any, key: str, low: str = "", high: str = "") -> str:
    """HTML of an amount in the unit that stands below the name and, small, its range."""
    write, _ = units.amounts(row.metric, row.limit_quantity)
    value = getattr(row, key)
    if units.is_unknown(value):
        return '<td class="n u">unknown</td>'
    ends = (getattr(row, low), getattr(row, high)) if low else (None, None)
    known = not any(map(units.is_unknown, ends)) and ends[0] != ends[1]
    small = f"<small>{write(ends[0])} to {write(ends[1])}</small>" if known else ""
    return f'<td class="n">{write(value)}{small}</td>'


def _names(current: pandas.DataFrame) -> list[Column]:
    alike = bool(_common_period(current))
    name = lambda row: cells.named(row.name, row.shown_unit, None if alike else _period(row))  # noqa: E731
    return [
        Column("name", "Ceiling", cell=name),
        Column("status", "Status", cell=_status),
        Column("exceeded_since_date", "Exceeded since", units.day, missing="not exceeded", only="file"),
        Column("period_start", "From", only="file"),
        Column("last_day", "To", only="file"),
        Column("unit", "Unit", only="file"),
    ]


def _used() -> list[Column]:
    used = partial(_quantity, key="used_quantity", low="used_low", high="used_high")
    return [
        Column("used_quantity", "Used", units.number, cell=used),
        Column("used_low", "Used, low", units.number, only="file"),
        Column("used_high", "Used, high", units.number, only="file"),
        Column("limit_quantity", "Limit", units.number, cell=partial(_quantity, key="limit_quantity")),
        Column("left_quantity", "Left", units.number, cell=partial(_quantity, key="left_quantity")),
    ]


def _outlook() -> list[Column]:
    ahead = partial(_quantity, key="forecast_quantity", low="forecast_low", high="forecast_high")
    never = "not in this period"
    return [
        Column("forecast_quantity", "Forecast", units.number, cell=ahead),
        Column("forecast_low", "Forecast, low", units.number, only="file"),
        Column("forecast_high", "Forecast, high", units.number, only="file"),
        Column("exhaustion_date", "Runs out on", units.day, cell=_runs_out, missing=never),
        Column("exhaustion_date_low", "Runs out on, earliest", units.day, only="file", missing=never),
        Column("exhaustion_date_high", "Runs out on, latest", units.day, only="file", missing=never),
        Column("breach_probability", "Probability of breach", lambda value: units.percent(value, 0)),
    ]


_SHARE = Column("share", "Share used", lambda value: units.percent(value, 0))


def _bar(row: Any) -> str:
    said = f"{words.ceiling_name(row)}: {words.ceiling_detail(row)}"
    end = row.limit_quantity * _SCALE or 1.0
    return cells.bar(
        said, row.used_low, row.used_quantity, row.used_high, end, ahead=row.forecast_quantity, wall=row.limit_quantity
    )


_BAR = Column("bar", "0 to 200 % of the limit", cell=_bar, only="page")


def _status(row: Any) -> str:
    since = f"<small>since {units.day(row.exceeded_since_date)}</small>" if row.status == "exceeded" and not (
        units.is_unknown(row.exceeded_since_date)) else ""  # fmt: skip
    return f'<td class="o">{parts.status(row.status)}{since}</td>'


def _runs_out(row: Any) -> str:
    if units.is_unknown(row.used_quantity):
        return '<td class="n u">unknown</td>'
    days = words.days_between(row.exhaustion_date_low, row.exhaustion_date_high, row.usage_date)
    small = f"<small>{parts.escape(days)}</small>" if days else ""
    said = "not in this period" if units.is_unknown(row.exhaustion_date) else units.day(row.exhaustion_date)
    return f'<td class="n">{parts.escape(said)}{small}</td>'


def _ended(book: Book, over: pandas.DataFrame) -> None:
    columns = [
        Column("name", "Ceiling", cell=lambda row: cells.named(row.name, row.shown_unit)),
        Column("status", "It was", cell=_outcome),
        Column("period_start", "From", units.day),
        Column("last_day", "To", units.day),
        Column("unit", "Unit", only="file"),
        *(column for column in _used() if column.key != "left_quantity"),
        _SHARE,
    ]
    over = over.assign(status=[words.ceiling_outcome(row) for row in over.itertuples()])
    tables.report(book, "ceilings_over", over, columns, "Ceilings whose period is over")


def _outcome(row: Any) -> str:
    return f'<td class="o">{parts.status({"met": "within"}.get(row.status, row.status), row.status)}</td>'
