"""Lying bars of pieces that add up to a whole, with a mark where the whole was read.

What does not belong here: shares by week; those stand in `shares`.
"""

from collections.abc import Mapping

import pandas

from dashboards import style
from dashboards.charts.frame import Spec, dressed, field, hints, layer
from pipelines import units


def piles(
    pieces: pandas.DataFrame, wholes: pandas.DataFrame, kinds: Mapping[str, tuple[str, str]], description: str
) -> Spec:
    """One bar a row: pieces to the right of zero, what is negative to its left, and a mark at the whole.

    Args:
        pieces: `name` of the row, `kind` (a key of `kinds`) and `kwh`, known, one row a piece.
        wholes: `name` and `kwh` of each row, null where it was not read.
        kinds: name and colour of each piece, in the order in which they are piled.
        description: for people who do not see the chart.
    """
    order = {kind: place for place, kind in enumerate(kinds)}
    piled = pieces.assign(place=pieces["kind"].map(order).fillna(len(order)), below=pieces["kwh"] < 0)
    piled = piled.sort_values(["name", "place"], kind="stable")
    end = piled.groupby(["name", "below"])["kwh"].cumsum()
    frame = pandas.DataFrame(
        {
            "name": piled["name"],
            "kind": [kinds[kind][0] if kind in kinds else kind for kind in piled["kind"]],
            "begin": end - piled["kwh"],
            "end": end,
            "said": [units.energy(kwh) for kwh in piled["kwh"]],
        }
    )
    read = wholes[wholes["kwh"].notna()]
    marks = read.assign(said=[units.energy(kwh) for kwh in read["kwh"]], kind="Meter")[["name", "kwh", "kind", "said"]]
    low = min(0.0, float(frame["begin"].min()), float(frame["end"].min())) if len(frame) else 0.0
    high = max([0.0, *frame["end"], *marks["kwh"]])
    look = {"tickCount": 5, "domain": False, "ticks": False, "labelPadding": 6}
    scale = {"domain": [low * 1.02, high * 1.02 or 1.0], "nice": False}
    x = field("end", title="kWh", axis=look, scale=scale)
    rows = list(dict.fromkeys(pieces["name"]))
    y = field(
        "name", "nominal", sort=rows, axis={"domain": False, "ticks": False, "labelPadding": 6, "labelLimit": 150},
        scale={"paddingInner": 0.35, "paddingOuter": 0.2},
    )  # fmt: skip
    present = [kind for kind in kinds if kind in set(pieces["kind"])]
    colours = {"domain": [kinds[kind][0] for kind in present], "range": [kinds[kind][1] for kind in present]}
    bars = {
        "x": {**x, "field": "begin"},
        "x2": {"field": "end"},
        "y": y,
        "color": field("kind", "nominal", scale=colours, legend=None),
        "tooltip": hints(name="Of", kind="Is", said="Energy"),
    }
    told = {"x": {**x, "field": "kwh"}, "y": y, "tooltip": hints(name="Of", kind="Is", said="Energy")}
    layers = [
        layer("bar", frame, bars, stroke="#ffffff", strokeWidth=0.5),
        layer("tick", marks, told, orient="vertical", thickness=3, size=30, color=style.INK),
    ]
    return dressed(layers, 40 * len(rows) + 40, description, right=12)
