"""What all charts share: layers, axes of days, room for a range, and the look.

What does not belong here: any one chart.
"""

from collections.abc import Sequence
from typing import Any

import pandas

from dashboards import style

Spec = dict[str, Any]

# A range may be many times as wide as its central figure; beyond this multiple it is cut off, and said so.
_ROOM = 1.6
_CONFIG = {
    "font": style.FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": style.MUTED,
        "titleColor": style.MUTED,
        "titleFontWeight": "normal",
        "titleFontSize": 12,
        "labelFontSize": 12,
        "gridColor": "#e9edef",
        "domainColor": style.LINE,
        "tickColor": style.LINE,
        "titlePadding": 8,
    },
    "legend": {"labelColor": style.INK, "labelFontSize": 12, "offset": 4},
    "text": {"fontSize": 12},
}


def layer(mark: str, rows: pandas.DataFrame | Sequence[Spec], encoding: Spec, **look: Any) -> Spec:
    """One layer with its own rows; what is not known goes in as null and is not drawn."""
    if isinstance(rows, pandas.DataFrame):
        rows = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return {"mark": {"type": mark, **look}, "data": {"values": list(rows)}, "encoding": encoding}


def dressed(layers: Sequence[Spec], height: int, description: str, right: int = 5) -> Spec:
    """Layers as one chart.

    Args:
        layers: drawn in this order, the last on top.
        height: in pixels; the width is that of the page.
        description: text for people who do not see the chart.
        right: room in pixels for labels at the ends of lines.
    """
    return {
        "layer": list(layers),
        "height": height,
        "description": description,
        "padding": {"left": 2, "right": right, "top": 6, "bottom": 2},
        "config": _CONFIG,
    }


def field(name: str, kind: str = "quantitative", **more: Any) -> Spec:
    """Encode a field; the title is off unless given."""
    return {"field": name, "type": kind, "title": None, **more}


def hints(**titles: str) -> list[Spec]:
    """Tooltip of texts: field and the title it is shown under."""
    return [field(name, "nominal", title=title) for name, title in titles.items()]


def amounts(name: str, title: str, bottom: float, top: float, ticks: int = 4) -> Spec:
    """A vertical axis from `bottom` to `top`."""
    look = {"tickCount": ticks, "domain": False, "ticks": False, "labelPadding": 6}
    return field(name, title=title, axis=look, scale={"domain": [bottom, top], "nice": False, "zero": False})


def days(name: str, first: Any, last: Any, at: Sequence[Any]) -> Spec:
    """A horizontal axis of days in UTC, labelled at the given ones; without `first` it spans the rows drawn.

    Bars, which have two ends, must span their rows: the library takes their second end for another kind of scale.
    """
    look = {
        "format": "%-d %b", "values": [_moment(day) for day in at], "grid": False, "labelAngle": 0,
        "labelOverlap": "greedy", "labelSeparation": 6, "labelPadding": 4, "labelFlush": True,
    }  # fmt: skip
    scale = {"type": "utc", "nice": False}
    if first is not None:
        scale["domain"] = [_moment(first), _moment(last)]
    return field(name, "temporal", axis=look, scale=scale)


def steps(first: Any, last: Any, most: int = 6) -> list[pandas.Timestamp]:
    """The first day and then even steps, whole weeks if there are weeks."""
    first, last = pandas.Timestamp(first), pandas.Timestamp(last)
    step = -(-(last - first).days // most) or 1
    if (last - first).days > 21:
        step = -(-step // 7) * 7
    return list(pandas.date_range(first, last, freq=f"{step}D"))


def stamp(day: Any) -> int:
    """Milliseconds since 1970 in UTC: no browser shifts them to its own zone."""
    return int(pandas.Timestamp(day).timestamp() * 1000)


def _moment(day: Any) -> Spec:
    """A day as scales and axes want it: a bare number would be read as a year."""
    day = pandas.Timestamp(day)
    return {"year": day.year, "month": day.month, "date": day.day, "utc": True}


def headroom(central: pandas.Series, high: pandas.Series) -> float:
    """Where the axis of an estimate ends: at its highest bound, unless that would squash the central figures."""
    largest = float(central.max()) if central.notna().any() else 0.0
    bound = float(high.max()) if high.notna().any() else largest
    return min(max(bound, largest) * 1.05, largest * _ROOM) or 1.0
