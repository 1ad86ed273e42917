"""Altair charts, each a pure function from a small frame to a specification.

What does not belong here: SQL, Streamlit, and sentences. Axes start at zero or say what they are relative to; a
ceiling is drawn as a wall. Days go in as ISO text and are read as UTC, so that no browser shifts them.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import altair as alt
import pandas

from dashboards import style
from pipelines import units

_UTC = alt.Scale(type="utc", nice=False)
# Display prefixes by metric: from which limit on, divisor, unit.
_PREFIXES = {
    "energy_kwh": ((2000, 1000, "MWh"), (0, 1, "kWh")),
    "location_kgco2e": ((2000, 1000, "tCO2e"), (0, 1, "kgCO2e")),
    "requests": ((2_000_000, 1_000_000, "million calls"), (20_000, 1000, "thousand calls"), (0, 1, "calls")),
}


def prefix(metric: str, largest: Any) -> tuple[float, str]:
    """Divisor and unit in which a quantity of this size is drawn."""
    for least, divisor, unit in _PREFIXES.get(metric, ((0, 1, metric),)):
        if not units.is_unknown(largest) and abs(largest) >= least:
            return divisor, unit
    return 1, units.metric_unit(metric)


def burn_down(place: pandas.DataFrame, description: str) -> alt.LayerChart:
    """What is left of one ceiling, day by day, with the even pace, the range and the wall at zero."""
    last = place.iloc[-1]
    limit, metric = float(last["limit_quantity"]), last["metric"]
    divisor, unit = prefix(metric, limit)
    known = place[place["used_quantity"].notna()]
    points = pandas.DataFrame(
        {
            "day": _iso(known["usage_date"]),
            "left": (limit - known["used_quantity"]) / divisor,
            "worst": (limit - known["used_high"]) / divisor,
            "best": (limit - known["used_low"]) / divisor,
            "said": [units.quantity(metric, limit - used) for used in known["used_quantity"]],
        }
    )
    start, end = _day(last["period_start"]), _day(last["period_end"])
    top = limit / divisor
    lowest = points["left"].min() if len(points) else 0
    floor = min(-0.28 * top, lowest * 1.15)
    x_scale = alt.Scale(type="utc", domain=[_utc_day(start), _utc_day(end)], nice=False)
    y_scale = alt.Scale(domain=[floor, top], nice=False)
    x = alt.X("day:T", scale=x_scale, axis=_day_axis([start, end], 4), title=None)
    y = alt.Y("left:Q", scale=y_scale, axis=_axis(4), title=f"Left, {unit}")

    beyond = alt.Chart(pandas.DataFrame({"day": [start], "end": [end], "left": [0.0], "floor": [floor]}))
    layers = [
        beyond.mark_rect(color=style.WALL_GROUND).encode(x=alt.value(0), x2=alt.value("width"), y=y, y2="floor:Q"),
        alt.Chart(pandas.DataFrame({"day": [start, end], "left": [top, 0.0]}))
        .mark_line(color=style.MUTED, strokeDash=[3, 4], strokeWidth=1.25)
        .encode(x=x, y=y),
        alt.Chart(points)
        .mark_area(color=style.ENERGY_BAND, opacity=0.75, clip=True)
        .encode(x=x, y=alt.Y("worst:Q", scale=y_scale), y2="best:Q"),
        alt.Chart(points).mark_line(color=style.ENERGY, strokeWidth=2.25, clip=True).encode(x=x, y=y),
        *_outlook(last, points, limit, divisor, end, x, y),
        beyond.mark_rule(color=style.WALL, strokeWidth=3).encode(x=alt.value(0), x2=alt.value("width"), y=y),
        alt.Chart(pandas.DataFrame({"left": [floor], "text": ["Wall: nothing left"]}))
        .mark_text(align="left", dx=6, dy=-9, color=style.WALL)
        .encode(x=alt.value(0), y=y, text="text:N"),
        alt.Chart(points)
        .mark_point(opacity=0, size=120)
        .encode(x=x, y=y, tooltip=[alt.Tooltip("day:N", title="Day"), alt.Tooltip("said:N", title="Left")]),
    ]
    return _dressed(alt.layer(*layers), 230, description)


def _outlook(last, points, limit, divisor, end, x, y) -> list[alt.Chart]:
    """The pace continued to the wall or to the end of the period, dashed, and the date on which it meets the wall."""
    if points.empty or units.is_unknown(last["forecast_quantity"]):
        return []
    here = points.iloc[-1]
    exhausted = None if units.is_unknown(last["exhaustion_date"]) else _day(last["exhaustion_date"])
    if exhausted and exhausted > here["day"] and here["left"] > 0:
        there = {"day": exhausted, "left": 0.0}
    else:
        there = {"day": end, "left": (limit - float(last["forecast_quantity"])) / divisor}
    path = pandas.DataFrame([{"day": here["day"], "left": here["left"]}, there])
    layers = [
        alt.Chart(path).mark_line(color=style.ENERGY, strokeDash=[6, 4], strokeWidth=1.75, clip=True).encode(x=x, y=y)
    ]
    if exhausted:
        mark = pandas.DataFrame([{"day": exhausted, "left": 0.0, "text": units.day(exhausted)}])
        layers += [
            alt.Chart(mark)
            .mark_point(shape="diamond", filled=True, size=90, color=style.WALL, opacity=1)
            .encode(x=x, y=y),
            alt.Chart(mark)
            .mark_text(align="right", dx=4, dy=14, fontWeight=600, color=style.WALL)
            .encode(x=x, y=y, text="text:N"),
        ]
    return layers


def bullets(rows: pandas.DataFrame, description: str) -> alt.LayerChart:
    """One bar per ceiling: share used, range, forecast and the wall at 100 %.

    Args:
        rows: `name`, `status_text`, `used`, `low`, `high`, `forecast` as percentages of the limit.
        description: text for people who do not see the chart.
    """
    right = max(110.0, min(200.0, rows[["used", "high", "forecast"]].max().max() * 1.03))
    x_scale = alt.Scale(domain=[0, right], nice=False)
    order = list(rows["name"])
    y = alt.Y(
        "name:N",
        sort=order,
        title=None,
        axis=alt.Axis(domain=False, ticks=False, labelLimit=420, labelPadding=10, labelColor=style.INK),
    )
    base = alt.Chart(rows)
    axis = alt.Axis(values=[0, 25, 50, 75, 100, 125, 150, 175, 200], labelExpr="datum.label + ' %'", grid=True)
    x = alt.X("used:Q", scale=x_scale, axis=axis, title="Share of the ceiling used")
    wall = alt.Chart(pandas.DataFrame({"wall": [100.0]}))
    layers = [
        wall.mark_rect(color=style.WALL_GROUND).encode(
            x=alt.X("wall:Q", scale=x_scale), x2=alt.value("width"), y=alt.value(0), y2=alt.value("height")
        ),
        base.mark_bar(color=style.ENERGY_BAND, height=18, clip=True).encode(
            x=alt.X("low:Q", scale=x_scale), x2="high:Q", y=y
        ),
        base.mark_bar(color=style.ENERGY, height=8).encode(x=x, y=y),
        base.mark_point(shape="diamond", filled=False, size=70, strokeWidth=2, color=style.INK, clip=True).encode(
            x=alt.X("forecast:Q", scale=x_scale), y=y
        ),
        wall.mark_rule(color=style.WALL, strokeWidth=3).encode(x=alt.X("wall:Q", scale=x_scale)),
    ]
    return _dressed(alt.layer(*layers), 34 * len(rows) + 44, description)


def index_lines(full_weeks: pandas.DataFrame, crossings: Sequence[date], description: str) -> alt.LayerChart:
    """Energy and calls with the first full week as 100; the space between them is what efficiency did."""
    frame = full_weeks.assign(day=_iso(full_weeks["week"]))
    lines = frame.melt(id_vars="day", value_vars=["calls_index", "energy_index"], var_name="what", value_name="index")
    lines["what"] = lines["what"].map({"calls_index": "Calls", "energy_index": "Energy"})
    lines["said"] = [units.number(value) for value in lines["index"]]
    x = alt.X("day:T", scale=_UTC, axis=_day_axis(frame["day"], 7), title=None)
    low, high = float(lines["index"].min()), float(lines["index"].max())
    room = max(8.0, (high - low) * 0.12)
    y_scale = alt.Scale(domain=[max(0.0, min(low, 100) - room), max(high, 100) + room], nice=False, zero=False)
    y = alt.Y("index:Q", scale=y_scale, axis=_axis(5), title="First full week = 100")
    colour = alt.Color(
        "what:N", scale=alt.Scale(domain=["Calls", "Energy"], range=[style.CALLS, style.ENERGY]), legend=None
    )
    dash = alt.StrokeDash("what:N", scale=alt.Scale(domain=["Calls", "Energy"], range=[[7, 3], [1, 0]]), legend=None)
    ends = lines.groupby("what").tail(1).assign(label=lambda part: part["what"] + " " + part["said"])
    layers = [
        alt.Chart(frame)
        .mark_area(color=style.GROUND)
        .encode(x=x, y=alt.Y("energy_index:Q", scale=y_scale, title="First full week = 100"), y2="calls_index:Q"),
        alt.Chart(pandas.DataFrame({"index": [100.0]})).mark_rule(color=style.MUTED, strokeDash=[2, 3]).encode(y=y),
        alt.Chart(lines).mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour, strokeDash=dash),
        alt.Chart(lines)
        .mark_point(filled=True, size=34, opacity=1)
        .encode(
            x=x,
            y=y,
            color=colour,
            tooltip=[
                alt.Tooltip("day:N", title="Week from"),
                alt.Tooltip("what:N", title="Line"),
                alt.Tooltip("said:N", title="Index"),
            ],
        ),
        alt.Chart(ends)
        .mark_text(align="left", dx=9, fontSize=13, fontWeight=600)
        .encode(x=x, y=y, text="label:N", color=colour),
    ]
    if crossings:
        marks = pandas.DataFrame({"day": [day.isoformat() for day in crossings]})
        marks["text"] = "lines cross"
        layers += [
            alt.Chart(marks).mark_rule(color=style.MUTED, strokeWidth=1).encode(x=x),
            alt.Chart(marks)
            .mark_text(align="left", dx=5, dy=10, color=style.MUTED)
            .encode(x=x, y=alt.value(0), text="text:N"),
        ]
    return _dressed(alt.layer(*layers), 300, description, right=64)


def weekly_bars(weekly: pandas.DataFrame, column: str, title: str, colour: str, description: str) -> alt.LayerChart:
    """Weekly totals from zero; weeks that lack days are pale, the range of an estimate is a thin line."""
    frame = weekly.assign(
        day=_iso(weekly["week"] + pandas.Timedelta(hours=10)),
        end=_iso(weekly["week"] + pandas.Timedelta(days=6, hours=14)),
        middle=_iso(weekly["week"] + pandas.Timedelta(days=3, hours=12)),
        said=[units.number(value) for value in weekly[column]],
        fullness=["complete" if full else "incomplete" for full in weekly["complete"]],
        strength=[1.0 if full else 0.4 for full in weekly["complete"]],
    )
    ends = [_utc_day(weekly["week"].min()), _utc_day(weekly["week"].max() + pandas.Timedelta(days=7))]
    scale = alt.Scale(type="utc", domain=ends, nice=False)
    x = alt.X("day:T", scale=scale, axis=_day_axis(frame["day"], 6), title=None)
    y = alt.Y(f"{column}:Q", axis=_axis(4), title=title)
    bars = (
        alt.Chart(frame)
        .mark_bar(color=colour)
        .encode(
            x=x,
            x2="end:T",
            y=y,
            y2=alt.datum(0),
            opacity=alt.Opacity("strength:Q", scale=None),
            tooltip=[
                alt.Tooltip("day:N", title="Week from"),
                alt.Tooltip("said:N", title=title),
                alt.Tooltip("fullness:N", title="Week"),
            ],
        )
    )
    layers = [bars]
    if column == "energy_kwh":
        for colour, width in (("#ffffff", 4), (style.INK, 1.5)):
            layers.append(
                alt.Chart(frame)
                .mark_rule(color=colour, strokeWidth=width)
                .encode(
                    x=alt.X("middle:T", scale=scale),
                    y=alt.Y("energy_kwh_low:Q", title=title),
                    y2="energy_kwh_high:Q",
                )
            )
    return _dressed(alt.layer(*layers), 220, description)


def ranking(rows: pandas.DataFrame, description: str) -> alt.LayerChart:
    """Energy by name, largest first, with its range; rows without an owner are grey."""
    order = list(rows["name"])
    y = alt.Y(
        "name:N",
        sort=order,
        title=None,
        axis=alt.Axis(domain=False, ticks=False, labelLimit=330, labelPadding=10, labelColor=style.INK),
    )
    axis = None if rows["energy_kwh"].isna().all() else _axis(6)  # no scale where there is no number
    x = alt.X(
        "energy_kwh:Q",
        axis=axis,
        title="Energy, kWh (thin line: low to high)",
        scale=alt.Scale(zero=True),
    )
    kind = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["team", "nobody"], range=[style.ENERGY, style.NOBODY]),
        legend=None,
    )
    tooltip = [alt.Tooltip("name:N", title="Name"), alt.Tooltip("said:N", title="Energy")]
    base = alt.Chart(rows)
    bars = base.mark_bar(height=16).encode(x=x, y=y, color=kind, tooltip=tooltip)
    halo, ranges = (
        base.mark_rule(color=colour, strokeWidth=width, opacity=opacity).encode(
            x="energy_kwh_low:Q", x2="energy_kwh_high:Q", y=y
        )
        for colour, width, opacity in (("#ffffff", 5, 0.75), (style.INK, 1.5, 1))
    )
    unknown = (
        alt.Chart(rows[rows["energy_kwh"].isna()].assign(text="unknown"))
        .mark_text(align="left", dx=4, fontStyle="italic", color=style.MUTED)
        .encode(x=alt.value(0), y=y, text="text:N")
    )
    return _dressed(alt.layer(bars, halo, ranges, unknown), 30 * len(rows) + 44, description)


def daily_line(daily: pandas.DataFrame, column: str, title: str, colour: str, description: str) -> alt.LayerChart:
    """A quantity by day with its range, if the frame has one (`<column>_low`, `<column>_high`)."""
    frame = daily.assign(day=_iso(daily["usage_date"]), said=[units.number(value) for value in daily[column]])
    x = alt.X("day:T", scale=_UTC, axis=_day_axis(frame["day"], 6), title=None)
    y = alt.Y(f"{column}:Q", axis=_axis(4), title=title, scale=alt.Scale(zero=True))
    tooltip = [alt.Tooltip("day:N", title="Day"), alt.Tooltip("said:N", title=title)]
    layers = []
    if f"{column}_low" in frame:
        band = alt.Chart(frame).mark_area(color=style.ENERGY_BAND, opacity=0.7)
        layers.append(band.encode(x=x, y=alt.Y(f"{column}_low:Q", title=title), y2=f"{column}_high:Q"))
    line = alt.Chart(frame).mark_line(color=colour, strokeWidth=2, point={"size": 12, "color": colour})
    layers.append(line.encode(x=x, y=y, tooltip=tooltip))
    return _dressed(alt.layer(*layers), 220, description)


def stacked_purposes(calls: pandas.DataFrame, description: str) -> alt.LayerChart:
    """Calls by day, stacked by purpose, so that retries and background runs are seen as part of the total."""
    frame = calls.assign(
        day=_iso(pandas.to_datetime(calls["usage_date"]) + pandas.Timedelta(hours=2)),
        end=_iso(pandas.to_datetime(calls["usage_date"]) + pandas.Timedelta(hours=22)),
        said=[units.count(value) for value in calls["calls"]],
    )
    present = [purpose for purpose in style.PURPOSES if purpose in set(frame["call_purpose"])]
    present += sorted(set(frame["call_purpose"].dropna()) - set(present))
    # A bar with two ends on both axes is not stacked by the chart library; pile it up here, in the legend's order.
    frame["place"] = frame["call_purpose"].map({purpose: place for place, purpose in enumerate(present)})
    frame = frame.sort_values(["day", "place"])
    frame["top"] = frame.groupby("day")["calls"].cumsum()
    frame["bottom"] = frame["top"] - frame["calls"]
    colours = [style.PURPOSES.get(purpose, style.NOBODY) for purpose in present]
    legend = alt.Legend(orient="top", title=None, symbolType="square")
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("day:T", scale=_UTC, axis=_day_axis(frame["day"], 6), title=None),
            x2="end:T",
            y=alt.Y("top:Q", axis=_axis(4), title="Calls a day"),
            y2="bottom:Q",
            color=alt.Color("call_purpose:N", scale=alt.Scale(domain=present, range=colours), legend=legend),
            tooltip=[
                alt.Tooltip("day:N", title="Day"),
                alt.Tooltip("call_purpose:N", title="Purpose"),
                alt.Tooltip("said:N", title="Calls"),
            ],
        )
    )
    return _dressed(alt.layer(chart), 220, description)


def _dressed(chart: alt.LayerChart, height: int, description: str, right: int = 5) -> alt.LayerChart:
    return (
        chart.properties(
            height=height, description=description, padding={"left": 2, "right": right, "top": 6, "bottom": 2}
        )
        .configure(font=style.FONT)
        .configure_view(strokeWidth=0)
        .configure_axis(
            labelColor=style.MUTED,
            titleColor=style.MUTED,
            titleFontWeight="normal",
            titleFontSize=12,
            labelFontSize=12,
            gridColor="#e9edef",
            domainColor=style.LINE,
            tickColor=style.LINE,
            titlePadding=8,
        )
        .configure_legend(labelColor=style.INK, labelFontSize=12, offset=4)
        .configure_text(fontSize=12)
    )


def _axis(ticks: int) -> alt.Axis:
    return alt.Axis(tickCount=ticks, domain=False, ticks=False, labelPadding=6)


def _day_axis(days: Sequence[str], ticks: int) -> alt.Axis:
    """Mark the first day and then even steps, whole weeks if there are weeks."""
    values: list[alt.DateTime] = []
    if len(days):
        first, last = pandas.Timestamp(min(days)[:10]), pandas.Timestamp(max(days)[:10])
        span = (last - first).days
        step = -(-span // ticks) or 1
        step = -(-step // 7) * 7 if span > 21 else step
        values = [_utc_day(first + pandas.Timedelta(days=at)) for at in range(0, span + 1, step)]
    return alt.Axis(
        format="%-d %b", values=values, grid=False, labelAngle=0, labelOverlap=True, labelPadding=4, labelFlush=True
    )


def _iso(values: Any) -> list[str]:
    stamps = pandas.to_datetime(pandas.Series(list(values)))
    return [stamp.isoformat() + "Z" if stamp.hour else stamp.date().isoformat() for stamp in stamps]


def _day(value: Any) -> str:
    return pandas.Timestamp(value).date().isoformat()


def _utc_day(value: Any) -> alt.DateTime:
    day = pandas.Timestamp(value)
    return alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True)
