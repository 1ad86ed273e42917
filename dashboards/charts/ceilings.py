"""The burn-down of a ceiling: what is left, the even pace, the range, and the wall.

What does not belong here: whether a ceiling is exceeded; the marts say that.
"""

from typing import Any

import pandas

from dashboards import style
from dashboards.charts.frame import Spec, amounts, days, dressed, hints, layer, stamp
from pipelines import units

# Display prefixes by metric: from which limit on, divisor, unit.
_PREFIXES = {
    "energy_kwh": ((2000, 1000, "MWh"), (0, 1, "kWh")),
    "location_kgco2e": ((2000, 1000, "tCO2e"), (0, 1, "kgCO2e")),
    "market_kgco2e": ((2000, 1000, "tCO2e"), (0, 1, "kgCO2e")),
    "tokens": ((2_000_000, 1_000_000, "million tokens"), (0, 1, "tokens")),
    "requests": ((2_000_000, 1_000_000, "million calls"), (20_000, 1000, "thousand calls"), (0, 1, "calls")),
}


def prefix(metric: str, largest: Any) -> tuple[float, str]:
    """Divisor and unit in which a quantity of this size is drawn."""
    for least, divisor, unit in _PREFIXES.get(metric, ((0, 1, units.metric_unit(metric)),)):
        if not units.is_unknown(largest) and abs(largest) >= least:
            return divisor, unit
    return 1, units.metric_unit(metric)


def burn_down(place: pandas.DataFrame, description: str) -> Spec:
    """What is left of one ceiling, day by day, with the even pace, the range and the wall at zero."""
    last = place.iloc[-1]
    limit, metric = float(last["limit_quantity"]), last["metric"]
    divisor, unit = prefix(metric, limit)
    known = place[place["used_quantity"].notna()]
    points = pandas.DataFrame(
        {
            "day": [stamp(day) for day in known["usage_date"]],
            "left": (limit - known["used_quantity"]) / divisor,
            "worst": (limit - known["used_high"]) / divisor,
            "best": (limit - known["used_low"]) / divisor,
            "on": [units.day(day) for day in known["usage_date"]],
            "said": [units.quantity(metric, limit - used) for used in known["used_quantity"]],
        }
    )
    start, end = pandas.Timestamp(last["period_start"]), pandas.Timestamp(last["period_end"])
    top = limit / divisor or 1.0
    floor = min(-0.28 * top, points["left"].min() * 1.15 if len(points) else 0)
    x = days("day", start, end, _months(start, end))
    y = amounts("left", f"Left, {unit}", floor, top)
    whole_width = {"x": {"value": 0}, "x2": {"value": "width"}}
    wall = [{"left": 0.0, "floor": floor, "text": "Wall: nothing left"}]
    even_pace = [{"day": stamp(start), "left": top}, {"day": stamp(end), "left": 0.0}]
    band = {"x": x, "y": {**y, "field": "worst"}, "y2": {"field": "best"}}
    tooltip = hints(on="Day", said="Left")
    return dressed(
        [
            layer("rect", wall, {**whole_width, "y": y, "y2": {"field": "floor"}}, color=style.WALL_GROUND),
            layer("area", points, band, color=style.ENERGY_BAND, opacity=0.75, clip=True),
            layer("line", even_pace, {"x": x, "y": y}, color=style.MUTED, strokeDash=[3, 4], strokeWidth=1.25),
            layer("line", points, {"x": x, "y": y}, color=style.ENERGY, strokeWidth=2.25, clip=True),
            *_outlook(last, points, limit / divisor, divisor, x, y),
            layer("rule", wall, {**whole_width, "y": y}, color=style.WALL, strokeWidth=3),
            layer(
                "text", wall, {"x": {"value": 0}, "y": {**y, "field": "floor"}, "text": {"field": "text"}},
                align="left", dx=6, dy=-9, color=style.WALL,
            ),
            layer("point", points, {"x": x, "y": y, "tooltip": tooltip}, opacity=0, size=120),
        ],
        220,
        description,
    )  # fmt: skip


def _outlook(last: pandas.Series, points: pandas.DataFrame, limit: float, divisor: float, x: Spec, y: Spec):
    """The forecast, dashed to the wall or to the end of the period, and the date on which it meets the wall."""
    if points.empty or units.is_unknown(last["forecast_quantity"]):
        return []
    here = points.iloc[-1]
    exhausted = None if units.is_unknown(last["exhaustion_date"]) else stamp(last["exhaustion_date"])
    there = {"day": stamp(last["period_end"]), "left": limit - float(last["forecast_quantity"]) / divisor}
    if exhausted and exhausted > here["day"] and here["left"] > 0:
        there = {"day": exhausted, "left": 0.0}
    path = [{"day": int(here["day"]), "left": float(here["left"])}, there]
    place = {"x": x, "y": y}
    dashed = layer("line", path, place, color=style.ENERGY, strokeDash=[6, 4], strokeWidth=1.75, clip=True)
    dashed = [*_interval(last, here, limit, divisor, x, y), dashed]
    if not exhausted:
        return dashed
    mark = [{"day": exhausted, "left": 0.0, "text": units.day(last["exhaustion_date"])}]
    # The line comes from above left and goes on below right: below left is free, unless the date is an early one.
    begins, ends = stamp(last["period_start"]), stamp(last["period_end"])
    early = exhausted - begins < (ends - begins) * 0.3
    beside = {"align": "left", "dx": 9, "dy": -9} if early else {"align": "right", "dx": -5, "dy": 14}
    return [
        *dashed,
        layer("point", mark, place, shape="diamond", filled=True, size=90, color=style.WALL, opacity=1),
        layer("text", mark, {**place, "text": {"field": "text"}}, **beside, fontWeight=600, color=style.WALL),
    ]


def _interval(last: pandas.Series, here: pandas.Series, limit: float, divisor: float, x: Spec, y: Spec) -> list[Spec]:
    """The forecast's interval, joined to the range of today, and the days on which its ends meet the wall."""
    low, high = last.get("forecast_low"), last.get("forecast_high")
    if units.is_unknown(low) or units.is_unknown(high):
        return []
    begins, ends = stamp(last["period_start"]), stamp(last["period_end"])
    cone = [
        {"day": int(here["day"]), "worst": float(here["worst"]), "best": float(here["best"])},
        {"day": ends, "worst": limit - float(high) / divisor, "best": limit - float(low) / divisor},
    ]
    band = {"x": x, "y": {**y, "field": "worst"}, "y2": {"field": "best"}}
    found = [layer("area", cone, band, color=style.ENERGY_BAND, opacity=0.4, clip=True)]
    first, latest = last.get("exhaustion_date_low"), last.get("exhaustion_date_high")
    if not units.is_unknown(first) and first != latest:
        until = ends if units.is_unknown(latest) else stamp(latest)
        span = [{"day": max(stamp(first), begins), "left": 0.0}, {"day": until, "left": 0.0}]
        found.append(layer("line", span, {"x": x, "y": y}, color=style.WALL, strokeWidth=8, opacity=0.35))
    return found


def _months(start: pandas.Timestamp, end: pandas.Timestamp) -> list[pandas.Timestamp]:
    """First days of months in a long period, weeks in a short one."""
    if (end - start).days < 50:
        return list(pandas.date_range(start, end, freq="7D"))
    months = list(pandas.date_range(start, end, freq="MS"))
    return months[:: -(-len(months) // 6)]
