"""Quantities that spread: quality beside energy with both ranges, the energy of single requests, runs over time.

What does not belong here: one number for quality and energy together. Axes are logarithmic where figures lie far apart,
because ranges of factors are ratios; the page says so.
"""

import math
from collections.abc import Mapping
from typing import Any

import pandas

from dashboards import style
from dashboards.charts.frame import Spec, amounts, days, dressed, field, hints, layer, stamp, steps
from pipelines import units

_FAR = 30  # from this ratio of the largest to the smallest on, an axis is logarithmic
_STEPS = (1, 2, 5)
_HEIGHT = 340  # of the picture of choices, in pixels
_LETTER = 6.4  # width of a letter in a label
# Where a label may stand, the best first: alignment, and how far from its point.
_BESIDE = (
    ("left", 8, -10), ("right", -8, -10), ("left", 8, 16), ("right", -8, 16),
    ("left", 8, -24), ("right", -8, -24), ("left", 8, 30), ("right", -8, 30),
)  # fmt: skip


def is_far(frame: pandas.DataFrame, columns: list[str]) -> bool:
    """Whether the figures of these columns lie so far apart that their axis is logarithmic."""
    low, high = _ends(frame, columns)
    return low is not None and high / low > _FAR


def choices(results: pandas.DataFrame, metric: str, description: str) -> Spec:
    """Quality (upwards is better) over energy of an item, with both ranges as rules and the frontier as steps.

    Args:
        results: of one task and metric, energy known, with `name`, `conditions`, `said_energy` and `said_quality`.
        metric: title of the vertical axis.
        description: for people who do not see the chart.
    """
    x = _energies(results, ["energy_wh_per_item_low", "energy_wh_per_item", "energy_wh_per_item_high"], "Wh an item")
    y = _qualities(results, metric)
    frame = results.assign(x=results["energy_wh_per_item"], y=results["quality_score"])
    place = {"x": {**x, "field": "x"}, "y": {**y, "field": "y"}}
    colour = _by_boundary(frame)
    across = {**place, "x": {**x, "field": "energy_wh_per_item_low"}, "x2": {"field": "energy_wh_per_item_high"}}
    upright = {**place, "y": {**y, "field": "quality_low"}, "y2": {"field": "quality_high"}}
    columns = ["x", "y", "energy_boundary"]
    layers = [
        layer("rule", frame[[*columns, "energy_wh_per_item_low", "energy_wh_per_item_high"]], {**across, **colour},
              strokeWidth=1.25, opacity=0.55),
        layer("rule", frame[frame["quality_low"].notna()][[*columns, "quality_low", "quality_high"]],
              {**upright, **colour}, strokeWidth=1.25, opacity=0.55),
    ]  # fmt: skip
    front = frame[frame["is_on_frontier"].fillna(False).astype(bool)]
    for _, one in front.groupby("energy_boundary", dropna=False):
        path = one.sort_values("x")[columns]
        layers.append(
            layer("line", path, {**place, **colour}, interpolate="step-after", strokeDash=[5, 3], strokeWidth=1.5)
        )
    tooltip = hints(name="Model", conditions="On", said_energy="Energy", said_quality="Quality", basis="Energy is")
    told = [*columns, "name", "conditions", "said_energy", "said_quality", "basis"]
    for basis, filled in (("measured", True), ("estimated", False)):
        dots = frame[frame["energy_basis"] == basis][told]
        if len(dots):
            fill = {"filled": True} if filled else {"filled": True, "fill": "#ffffff", "strokeWidth": 2}
            stroke = {"stroke": colour["color"]} if not filled else colour
            layers.append(layer("point", dots, {**place, **stroke, "tooltip": tooltip}, size=80, opacity=1, **fill))
    layers += _labels(front, frame, x, y)
    return dressed(layers, _HEIGHT, description, right=12)


def _by_boundary(frame: pandas.DataFrame) -> Spec:
    present = [name for name in style.BOUNDARIES if name in set(frame["energy_boundary"])]
    scale = {"domain": present, "range": [style.BOUNDARIES[name] for name in present]}
    return {"color": field("energy_boundary", "nominal", scale=scale, legend=None)}


def _labels(front: pandas.DataFrame, frame: pandas.DataFrame, x: Spec, y: Spec) -> list[Spec]:
    """Names of the models on the frontier: one set for wide pages and one for narrow ones, each without overlaps."""
    layers = []
    for width, test in ((1100, "width >= 560"), (300, "width < 560")):
        taken = [_box(*_spot(row, x, y, width), 0) for row in frame.itertuples()]
        for row in front.sort_values("x").drop_duplicates(["name", "x", "y"]).itertuples():
            across, down = _spot(row, x, y, width)
            for align, dx, dy in _BESIDE:
                box = _box(across + dx, down + dy, min(len(row.name), 34) * _LETTER, align)
                if box[0] > 0 and box[2] < width and not any(_touch(box, other) for other in taken):
                    taken.append(box)
                    text = [{"x": row.x, "y": row.y, "text": row.name}]
                    seen = {"condition": {"test": test, "value": 1}, "value": 0}
                    place = {
                        "x": {**x, "field": "x"},
                        "y": {**y, "field": "y"},
                        "text": {"field": "text"},
                        "opacity": seen,
                    }
                    layers.append(layer("text", text, place, color=style.INK, limit=220, align=align, dx=dx, dy=dy))
                    break
    return layers


def _spot(row: Any, x: Spec, y: Spec, width: float) -> tuple[float, float]:
    """Where a point lies on a picture of this width, in pixels from its upper left corner."""
    (low, high), (bottom, top) = x["scale"]["domain"], y["scale"]["domain"]
    log = x["scale"]["type"] == "log"
    across = math.log(row.x / low) / math.log(high / low) if log else (row.x - low) / (high - low)
    up = (row.y - bottom) / (top - bottom)
    return across * width, (up if y["scale"].get("reverse") else 1 - up) * _HEIGHT


def _box(across: float, down: float, wide: float, align: str = "left") -> tuple[float, float, float, float]:
    """The box of a text, or of a point if it has no width."""
    if not wide:
        return across - 6, down - 6, across + 6, down + 6
    left = across - wide if align == "right" else across
    return left, down - 8, left + wide, down + 6


def _touch(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _qualities(results: pandas.DataFrame, metric: str) -> Spec:
    values = results[["quality_low", "quality_score", "quality_high"]]
    low, high = float(values.min().min()), float(values.max().max())
    room = (high - low) * 0.14 or abs(high) * 0.1 or 1.0
    lower_better = bool(results["is_lower_better"].fillna(False).any())
    axis = amounts("y", f"{metric}{', less is better' if lower_better else ''}", low - room, high + room, 5)
    axis["scale"]["reverse"] = lower_better
    return axis


def _ends(frame: pandas.DataFrame, columns: list[str]) -> tuple[float | None, float]:
    values = frame[columns].astype(float)
    positive = values.where(values > 0)
    if positive.isna().all().all():
        return None, 1.0
    return float(positive.min().min()), float(positive.max().max())


def _energies(frame: pandas.DataFrame, columns: list[str], title: str) -> Spec:
    """A horizontal axis of energies: from zero, or logarithmic with ticks at 1, 2 and 5."""
    low, high = _ends(frame, columns)
    look = {"grid": True, "domain": False, "ticks": False, "labelPadding": 6, "labelOverlap": True, "labelFlush": False}
    if low is None or high / low <= _FAR:
        scale = {"type": "linear", "domain": [0, high * 1.06], "nice": False}
        return field("x", title=title, axis={**look, "tickCount": 5}, scale=scale)
    bottom, top = low * 0.85, high * 1.15
    powers = range(math.floor(math.log10(bottom)), math.ceil(math.log10(top)) + 1)
    stops = _STEPS if math.log10(top / bottom) < 3.5 else (1,)
    ticks = [step * 10.0**power for power in powers for step in stops if bottom <= step * 10.0**power <= top]
    scale = {"type": "log", "domain": [bottom, top], "nice": False}
    return field("x", title=title, axis={**look, "values": ticks, "format": "~g"}, scale=scale)


def quantiles(rows: pandas.DataFrame, description: str) -> Spec:
    """Where the energies of single requests lie: median, 95th and 99th of 100, and mean, one line a row.

    Args:
        rows: `name`, p50_wh, p95_wh, p99_wh and mean_wh, known, in the order in which they are drawn.
        description: for people who do not see the chart.
    """
    columns = ["p50_wh", "p95_wh", "p99_wh", "mean_wh"]
    x = _energies(rows, columns, "Wh a request")
    y = field(
        "name", "nominal", sort=list(rows["name"]),
        axis={"domain": False, "ticks": False, "labelPadding": 6, "labelLimit": 150},
    )  # fmt: skip
    spans = rows[["name", "p50_wh", "p99_wh"]]
    line = {"x": {**x, "field": "p50_wh"}, "x2": {"field": "p99_wh"}, "y": y}
    dots = rows.melt("name", columns, "which", "x")
    dots["said"] = [units.number(value) for value in dots["x"]]
    dots["which"] = dots["which"].map(style.QUANTILES).map(lambda kind: kind[0])
    kinds = list(style.QUANTILES.values())
    domain = [kind[0] for kind in kinds]
    shapes, colours = ({"domain": domain, "range": [kind[place] for kind in kinds]} for place in (1, 2))
    marks = {
        "x": {**x, "field": "x"},
        "y": y,
        "shape": field("which", "nominal", scale=shapes, legend=None),
        "color": field("which", "nominal", scale=colours, legend=None),
        "tooltip": hints(name="Of", which="Is", said="Wh"),
    }
    layers = [
        layer("rule", spans, line, color=style.ENERGY_BAND, strokeWidth=5),
        layer("point", dots, marks, filled=True, size=70, opacity=1),
    ]
    return dressed(layers, 26 * len(rows) + 24, description, right=12)


def run_marks(runs: pandas.DataFrame, kinds: Mapping[str, tuple[str, str]], description: str) -> Spec:
    """Runs by the day on which they ended, their energy with its range; how they ended by shape and colour.

    Args:
        runs: of known energy, with `ended_date`, `outcome` (a key of `kinds`), energy_kwh and its ends, `name`, `said`.
        kinds: shape and colour of each outcome.
        description: for people who do not see the chart.
    """
    frame = runs.assign(
        day=[stamp(day) for day in runs["ended_date"]], on=[units.day(day) for day in runs["ended_date"]]
    )
    first, last = (pandas.Timestamp(end) for end in (runs["ended_date"].min(), runs["ended_date"].max()))
    one = pandas.Timedelta(days=1)
    x = days("day", first - one, last + one, steps(first, last))
    y = amounts("energy_kwh", "kWh a run", 0, float(frame[["energy_kwh", "energy_kwh_high"]].max().max()) * 1.05)
    present = [kind for kind in kinds if kind in set(frame["outcome"])]
    shapes, colours = ([kinds[kind][place] for kind in present] for place in (0, 1))
    scale = {"domain": present}
    rule = {"x": x, "y": {**y, "field": "energy_kwh_low"}, "y2": {"field": "energy_kwh_high"}}
    marks = {
        "x": x,
        "y": y,
        "shape": field("outcome", "nominal", scale={**scale, "range": shapes}, legend=None),
        "color": field("outcome", "nominal", scale={**scale, "range": colours}, legend=None),
        "tooltip": hints(name="Run", on="Ended", outcome="It", said="Energy"),
    }
    told = ["day", "on", "energy_kwh", "outcome", "name", "said"]
    layers = [
        layer("rule", frame[["day", "energy_kwh_low", "energy_kwh_high"]], rule, color=style.NOBODY, strokeWidth=1.25),
        layer("point", frame[told], marks, filled=True, size=85, opacity=1),
    ]
    return dressed(layers, 260, description)
