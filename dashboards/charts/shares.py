"""What a whole is made of, week by week, and which source delivered on which day.

What does not belong here: amounts; the shares of a week add up to 100 %.
"""

from collections.abc import Mapping

import pandas

from dashboards import style
from dashboards.charts.frame import Spec, amounts, days, dressed, field, hints, layer, stamp, steps
from pipelines import units


def stacked_shares(
    weekly: pandas.DataFrame, column: str, title: str, kinds: Mapping[str, tuple[str, str]], description: str
) -> Spec:
    """Bars of 100 %, one a week.

    Args:
        weekly: week, rung and the amount in `column`; what is not known is left out.
        column: the amount.
        title: of the vertical axis.
        kinds: name and colour of each rung, the bottom one first.
        description: for people who do not see the chart.
    """
    known = weekly[weekly[column] > 0]
    order = known["rung"].map({kind: place for place, kind in enumerate(kinds)})
    piled = known.assign(place=order).sort_values(["week", "place"])
    whole = piled.groupby("week")[column].transform("sum")
    share = piled[column] / whole
    top = share.groupby(piled["week"]).cumsum()
    frame = pandas.DataFrame(
        {
            "day": [stamp(week) for week in piled["week"]],
            "end": [stamp(week + pandas.Timedelta(hours=148)) for week in piled["week"]],
            "on": [units.day(week) for week in piled["week"]],
            "kind": [kinds[rung][0] if rung in kinds else rung for rung in piled["rung"]],
            "bottom": (top - share) * 100,
            "top": top * 100,
            "said": [units.percent(value) for value in share],
        }
    )
    colours = [kinds[rung][1] if rung in kinds else style.NOBODY for rung in piled["rung"].drop_duplicates()]
    names = list(frame["kind"].drop_duplicates())
    bars = {
        "x": days("day", None, None, steps(known["week"].min(), known["week"].max())),
        "x2": {"field": "end"},
        "y": amounts("top", title, 0, 100),
        "y2": {"field": "bottom"},
        "color": field("kind", "nominal", scale={"domain": names, "range": colours}, legend=None),
        "tooltip": hints(on="Week from", kind="Known by", said="Share"),
    }
    return dressed([layer("bar", frame, bars)], 220, description)


def delivery_tiles(daily: pandas.DataFrame, description: str) -> Spec:
    """One tile a source and day: all, a part or nothing of what was expected.

    Args:
        daily: source, usage_date, `delivered` (a key of `style.DELIVERED`) and `said`, the same in words.
        description: for people who do not see the chart.
    """
    frame = pandas.DataFrame(
        {
            "day": [stamp(day) for day in daily["usage_date"]],
            "end": [stamp(day + pandas.Timedelta(hours=24)) for day in pandas.to_datetime(daily["usage_date"])],
            "on": [units.day(day) for day in daily["usage_date"]],
            "source": daily["source"],
            "delivered": daily["delivered"],
            "said": daily["said"],
        }
    )
    first, last = daily["usage_date"].min(), daily["usage_date"].max()
    look = {"domain": False, "ticks": False, "labelPadding": 6, "labelLimit": 150}
    tiles = {
        "x": days("day", None, None, steps(first, last)),
        "x2": {"field": "end"},
        "y": field("source", "nominal", axis=look, scale={"paddingInner": 0.35, "paddingOuter": 0.15}),
        "color": field(
            "delivered",
            "nominal",
            scale={"domain": list(style.DELIVERED), "range": list(style.DELIVERED.values())},
            legend={"orient": "top", "title": None, "symbolType": "square"},
        ),
        "tooltip": hints(source="Source", on="Day", said="Delivered"),
    }
    look_of_tiles = {"stroke": "#ffffff", "strokeWidth": 0.5}
    height = 26 * daily["source"].nunique() + 30
    return dressed([layer("bar", frame, tiles, **look_of_tiles)], height, description)
