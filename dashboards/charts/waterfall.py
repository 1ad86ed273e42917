"""From one total to another: a bar for each effect between them, what is no change of use in grey.

What does not belong here: which effect stands where, and sentences.
"""

import pandas

from dashboards import style
from dashboards.charts.frame import Spec, dressed, field, hints, layer


def waterfall(rows: pandas.DataFrame, unit: str, description: str) -> Spec:
    """Lying bars from zero, one a row in the given order.

    Args:
        rows: `name`, `begin`, `end` in the unit, `kind` (a key of `style.WATERFALL`), and `said`, the quantity in
            words. A row of kind `unknown` spans what is not known, cut off at the edge, and is only outlined.
        unit: of the axis.
        description: for people who do not see the chart.
    """
    firm = rows[rows["kind"] != "unknown"]
    low = min(0.0, float(firm[["begin", "end"]].min().min()))
    high = max(0.0, float(firm[["begin", "end"]].max().max())) or 1.0
    edge = (high - low) * 1.14  # room for the last label
    drawn = rows.assign(
        begin=rows["begin"].clip(low, low + edge), end=rows["end"].clip(low, low + edge),
        right=rows[["begin", "end"]].max(axis=1).clip(low, low + edge),
    )  # fmt: skip
    look = {"tickCount": 5, "domain": False, "ticks": False, "labelPadding": 6}
    x = field("end", title=unit, axis=look, scale={"domain": [low, low + edge], "nice": False})
    y = field(
        "name", "nominal", sort=list(rows["name"]),
        axis={"domain": False, "ticks": False, "labelPadding": 6, "labelLimit": 230},
        scale={"paddingInner": 0.3, "paddingOuter": 0.15},
    )  # fmt: skip
    tooltip = hints(name="Effect", said="Quantity")
    span = {"x": {**x, "field": "begin"}, "x2": {"field": "end"}, "y": y, "tooltip": tooltip}
    layers = []
    for kind, colour in style.WATERFALL.items():
        part = drawn[drawn["kind"] == kind]
        if len(part):
            layers.append(layer("bar", part, span, color=colour))
    unknown = drawn[drawn["kind"] == "unknown"]
    if len(unknown):
        look = {"fill": "#ffffff", "stroke": style.MUTED, "strokeDash": [3, 3], "strokeWidth": 1}
        layers.append(layer("bar", unknown, span, **look))
    # What is not known may span all of the axis: its label stands inside, at the left.
    for part, at in ((drawn[drawn["kind"] != "unknown"], "right"), (unknown, "begin")):
        label = {"x": {**x, "field": at}, "y": y, "text": {"field": "said"}}
        if len(part):
            layers.append(layer("text", part, label, align="left", dx=6, color=style.INK, baseline="middle"))
    return dressed(layers, 27 * len(rows) + 40, description, right=12)
