"""Quantities over time: indexed lines, weekly bars, a daily line with its band, calls stacked by purpose.

What does not belong here: ceilings.
"""

from datetime import date

import pandas

from dashboards import style
from dashboards.charts.frame import Spec, amounts, days, dressed, field, headroom, hints, layer, stamp, steps
from pipelines import units

# Column, label, colour and dashes of the indexed lines: told apart without colour, too.
_INDEXED = (
    ("calls_index", "Calls", style.CALLS, [7, 3]),
    ("energy_index", "Energy", style.ENERGY, [1, 0]),
    ("per_call_index", "Energy per call", style.PER_CALL, [2, 3]),
)


def index_lines(
    full_weeks: pandas.DataFrame, cheaper_since: date | None, description: str, of: str = "call"
) -> Spec:
    """Calls, energy and energy per call with the first full week as 100; each line is named at its end.

    Args:
        full_weeks: what `weeks.indexed` makes.
        cheaper_since: the week to mark.
        description: for people who do not see the chart.
        of: what the columns of calls count, in the singular.
    """
    names = {column: label.replace("Call", of.capitalize()).replace("call", of) for column, label, *_ in _INDEXED}
    frame = full_weeks.assign(
        day=[stamp(week) for week in full_weeks["week"]], on=[units.day(week) for week in full_weeks["week"]]
    )
    columns = [column for column, *_ in _INDEXED]
    low, high = min(100, frame[columns].min().min()), max(100, frame[columns].max().max())
    room = max(8.0, (high - low) * 0.12)
    y = amounts("index", "First full week = 100", max(0.0, low - room), high + room, 5)
    first, last = full_weeks["week"].iloc[0], full_weeks["week"].iloc[-1]
    x = days("day", first, last, steps(first, last, 7))
    between = {"x": x, "y": {**y, "field": "energy_index"}, "y2": {"field": "calls_index"}}
    layers = [
        layer("area", frame[["day", "energy_index", "calls_index"]], between, color=style.GROUND),
        layer("rule", [{"index": 100}], {"y": y}, color=style.MUTED, strokeDash=[2, 3]),
    ]
    if cheaper_since:
        mark = [{"day": stamp(cheaper_since), "text": f"less energy per {of}"}]
        text = {"x": x, "y": {"value": 0}, "text": {"field": "text"}}
        layers.append(layer("rule", mark, {"x": x}, color=style.MUTED, strokeWidth=1))
        layers.append(layer("text", mark, text, align="left", dx=5, dy=8, color=style.MUTED))
    ends = _apart([(frame[column].iloc[-1], label) for column, label in names.items()], (high - low + 2 * room) * 0.075)
    for column, _, colour, dashes in _INDEXED:
        label = names[column]
        said = [units.number(value) for value in frame[column]]
        line = frame[["day", "on"]].assign(index=frame[column], said=said, what=label)
        place = {"x": x, "y": y}
        dots = {**place, "tooltip": hints(on="Week from", what="Line", said="Index")}
        layers.append(layer("line", line, place, color=colour, strokeDash=dashes, strokeWidth=2.5))
        layers.append(layer("point", line, dots, color=colour, filled=True, size=34, opacity=1))
        if label in ends:
            end = [{"day": stamp(last), "index": ends[label], "text": f"{label} {frame[column].iloc[-1]:.0f}"}]
            text = {**place, "text": {"field": "text"}}
            layers.append(layer("text", end, text, align="left", dx=9, fontSize=13, fontWeight=600, color=colour))
    return dressed(layers, 300, description, right=8)


def _apart(ends: list[tuple[float, str]], least: float) -> dict[str, float]:
    """Heights of the labels at the ends of lines, moved up where two would overlap."""
    placed: dict[str, float] = {}
    for value, label in sorted(end for end in ends if not pandas.isna(end[0])):
        placed[label] = max(value, max(placed.values(), default=value - least) + least)
    return placed


def weekly_bars(weekly: pandas.DataFrame, column: str, title: str, colour: str, description: str) -> Spec:
    """Weekly totals from zero; weeks that lack days are pale, the range of an estimate is a thin line.

    A range that would squash the bars is cut off, with an arrow head at the top.
    """
    hour = pandas.Timedelta(hours=1)
    frame = pandas.DataFrame(
        {
            "day": [stamp(week) for week in weekly["week"]],
            "end": [stamp(week + 148 * hour) for week in weekly["week"]],
            "middle": [stamp(week + 74 * hour) for week in weekly["week"]],
            "on": [units.day(week) for week in weekly["week"]],
            "amount": weekly[column],
            "zero": 0,
            "said": [units.number(value) for value in weekly[column]],
            "fullness": ["complete" if full else "incomplete" for full in weekly["complete"]],
            "strength": [1.0 if full else 0.4 for full in weekly["complete"]],
        }
    )
    ranged = f"{column}_low" in weekly
    high = weekly[f"{column}_high"] if ranged else weekly[column]
    top = headroom(weekly[column], high)
    first, last = weekly["week"].min(), weekly["week"].max()
    x = days("day", None, None, steps(first, last))
    y = amounts("amount", title, 0, top)
    bars = {
        "x": x, "x2": {"field": "end"}, "y": y, "y2": {"field": "zero"},
        "opacity": field("strength", scale=None, legend=None),
        "tooltip": hints(on="Week from", said=title, fullness="Week"),
    }  # fmt: skip
    layers = [layer("bar", frame, bars, color=colour)]
    if ranged:
        spread = frame[["middle"]].assign(low=weekly[f"{column}_low"], high=high.clip(upper=top), beyond=high > top)
        middle = {**x, "field": "middle"}
        rule = {"x": middle, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
        for ink, width in (("#ffffff", 4), (style.MUTED, 1.25)):  # the white one keeps it apart from its bar
            layers.append(layer("rule", spread, rule, color=ink, strokeWidth=width))
        arrow = {"x": middle, "y": {**y, "field": "high"}}
        if spread["beyond"].any():  # a layer without a point has no extent, which the browser complains of
            layers.append(
                layer("point", spread[spread["beyond"]], arrow, shape="triangle-up", filled=True, size=26,
                      color=style.MUTED, opacity=1)
            )  # fmt: skip
    return dressed(layers, 220, description)


def daily_line(daily: pandas.DataFrame, column: str, title: str, colour: str, description: str) -> Spec:
    """A quantity by day, with its band if the frame has one (`<column>_low`, `<column>_high`); a wide band is cut."""
    frame = pandas.DataFrame(
        {
            "day": [stamp(day) for day in daily["usage_date"]],
            "on": [units.day(day) for day in daily["usage_date"]],
            "amount": daily[column],
            "said": [units.number(value) for value in daily[column]],
        }
    )
    ranged = f"{column}_low" in daily
    high = daily[f"{column}_high"] if ranged else daily[column]
    first, last = daily["usage_date"].min(), daily["usage_date"].max()
    x = days("day", first, last, steps(first, last))
    y = amounts("amount", title, 0, headroom(daily[column], high))
    layers = []
    if ranged:
        band = frame[["day"]].assign(low=daily[f"{column}_low"], high=high)
        edges = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
        layers.append(layer("area", band, edges, color=style.ENERGY_BAND, opacity=0.7, clip=True))
    line = {"x": x, "y": y, "tooltip": hints(on="Day", said=title)}
    layers.append(layer("line", frame, line, color=colour, strokeWidth=2, point={"size": 12, "color": colour}))
    return dressed(layers, 220, description)


def stacked_purposes(calls: pandas.DataFrame, description: str) -> Spec:
    """Calls by day, stacked by purpose, so that retries and background runs are seen as part of the total."""
    present = [purpose for purpose in style.PURPOSES if purpose in set(calls["call_purpose"])]
    present += sorted(set(calls["call_purpose"].dropna()) - set(present))
    # A bar with two ends on both axes is not stacked by the chart library; pile it up here, in the legend's order.
    order = calls["call_purpose"].map({purpose: place for place, purpose in enumerate(present)})
    piled = calls.assign(place=order).sort_values(["usage_date", "place"])
    top = piled.groupby("usage_date")["calls"].cumsum()
    begins = pandas.to_datetime(piled["usage_date"])
    frame = pandas.DataFrame(
        {
            "day": [stamp(day) for day in begins],
            "end": [stamp(day + pandas.Timedelta(hours=20)) for day in begins],
            "on": [units.day(day) for day in piled["usage_date"]],
            "call_purpose": piled["call_purpose"],
            "bottom": top - piled["calls"],
            "top": top,
            "said": [units.count(value) for value in piled["calls"]],
        }
    )
    first, last = calls["usage_date"].min(), calls["usage_date"].max()
    colours = [style.PURPOSES.get(purpose, style.NOBODY) for purpose in present]
    bars = {
        "x": days("day", None, None, steps(first, last)),
        "x2": {"field": "end"},
        "y": amounts("top", "Calls a day", 0, float(top.max()) * 1.05),
        "y2": {"field": "bottom"},
        "color": field(
            "call_purpose",
            "nominal",
            scale={"domain": present, "range": colours},
            legend={"orient": "top", "title": None, "symbolType": "square"},
        ),
        "tooltip": hints(on="Day", call_purpose="Purpose", said="Calls"),
    }
    return dressed([layer("bar", frame, bars)], 220, description)
