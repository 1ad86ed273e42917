"""The decomposition of a change between two periods as a waterfall: of all use, and of training runs.

What does not belong here: causes. The split says what changed together.
"""

from typing import Any

import pandas
import streamlit as st

from dashboards import charts, parts, style, tables, words_of_decomposition
from dashboards.book import Book
from dashboards.questions import decompositions
from dashboards.questions.decompositions import Perimeter
from dashboards.tables import Column
from pipelines import units

MART = "fct_decomposition_monthly"
TRAINING = "fct_training_decomposition_monthly"
_PAIR = ["chain", "base_first_date", "compared_first_date"]
_KEYS = [
    ("■", style.WATERFALL["total"], "total"), ("■", style.WATERFALL["more"], "raised it"),
    ("■", style.WATERFALL["less"], "lowered it"), ("■", style.WATERFALL["apart"], "neither growth nor saving"),
]  # fmt: skip


def section(book: Book, of: Perimeter, anchor: str) -> None:
    """The waterfall of the chosen pair of periods and measure."""
    if not book.holds(MART):
        return
    title = st.container()
    left, right = st.columns([1, 2], gap="medium")
    measure = left.selectbox(
        "Measure", list(words_of_decomposition.MEASURES), format_func=words_of_decomposition.MEASURES.get,
        key="less-measure",
    )  # fmt: skip
    rows = decompositions.effects(book, of, measure)
    if rows.empty:
        with title:
            parts.heading("Two months are needed to compare", anchor=anchor)
            parts.empty("The ledger holds less of this than two months. Any two periods can be compared by hand:",
                        "jevons decompose --help")  # fmt: skip
        return
    chosen = _chosen(right, rows)
    unit = units.metric_unit(measure)
    what = f"{words_of_decomposition.MEASURES[measure]} of {of.name}"
    with title:
        _title(what, chosen, unit, anchor, "")
    _drawn(book, chosen, unit, "decomposition")


def training(book: Book, of: Perimeter, anchor: str) -> None:
    """The same of training runs: how many, how long, how hungry, how far apart; nothing where there are none."""
    if not book.holds(TRAINING):
        return
    rows = decompositions.effects(book, of, "energy_kwh", TRAINING)
    if rows.empty:
        parts.heading("No training run is known here", anchor=anchor)
        return
    title = st.container()
    chosen = _chosen(st, rows, "training-pair", 620)
    with title:
        cadence = words_of_decomposition.runs(chosen.iloc[0])
        _title(f"Energy of training runs of {of.name}", chosen, "kWh", anchor, f"{cadence} ", runs=True)
    _drawn(book, chosen, "kWh", "training_decomposition", runs=True)


def _chosen(place: Any, rows: pandas.DataFrame, key: str = "less-pair", width: Any = "stretch") -> pandas.DataFrame:
    """The rows of the pair of periods that was chosen."""
    firsts = rows.drop_duplicates(_PAIR)
    named = (words_of_decomposition.pair(row) for row in firsts.itertuples())
    pairs = dict(zip(named, firsts[_PAIR].itertuples(index=False, name=None), strict=True))
    chosen = place.selectbox("From one period to another", list(pairs), key=key, width=width)
    return rows[[row == pairs[chosen] for row in rows[_PAIR].itertuples(index=False, name=None)]]


def _effects(rows: pandas.DataFrame) -> dict[str, float]:
    """What each factor changed over all parts, in the order of the chart."""
    known = rows[rows["effect"].notna()].groupby("factor")["effect"].sum()
    return {name: float(known[name]) for name in words_of_decomposition.ordered(known.index)}


def _least(row: Any) -> float:
    """The smallest effect that can be seen beside the totals."""
    known = [float(total) for total in (row["base"], row["compared"]) if not units.is_unknown(total)]
    return max(known, default=0.0) / 2000


def _title(what: str, rows: pandas.DataFrame, unit: str, anchor: str, more: str, runs: bool = False) -> None:
    first, effects = rows.iloc[0], _effects(rows)
    coverage = first[["base_coverage", "compared_coverage"]].astype(float).min()
    coverage = 1.0 if units.is_unknown(coverage) else coverage
    parts.heading(
        words_of_decomposition.finding(what, first["base"], first["compared"], effects, runs, coverage),
        f"{more}{words_of_decomposition.known(rows, unit, runs)}"
        f"{words_of_decomposition.apart(effects, unit, _least(first))}"
        f"{words_of_decomposition.a_day(first)} Central estimates, whatever days are chosen above. What changed "
        "together, not what caused what (LMDI-I); the effects add up to the change, to the last digit. Rows: "
        f"{TRAINING if runs else MART}.",
        anchor,
    )


def _drawn(book: Book, rows: pandas.DataFrame, unit: str, name: str, runs: bool = False) -> None:
    first, effects = rows.iloc[0], _effects(rows)
    if units.is_unknown(first["base"]) or units.is_unknown(first["compared"]):
        parts.empty("What is unknown is not zero: there is nothing to draw.")
    else:
        steps = _steps(rows, effects, unit, runs)
        said = "; ".join(f"{name}: {text}" for name, text in zip(steps["name"], steps["said"], strict=True))
        st.html(parts.keys(_KEYS))
        parts.chart(charts.waterfall(steps, unit, said), name)
    table = rows.assign(
        what=[words_of_decomposition.factor(name, runs)[0] for name in rows["factor"]],
        of=[words_of_decomposition.PARTS.get(part, part) for part in rows["part"]],
        pair=[words_of_decomposition.pair(row) for row in rows.itertuples()],
        unit_of_activity=[None if units.is_unknown(name) else name.replace("_", " ") for name in rows["activity_unit"]],
    )
    columns = [
        Column("what", "Factor"),
        Column("of", "Of"),
        Column("unit_of_activity", "Activity is"),
        Column("effect", f"Effect, {unit}", units.number),
        Column("effect_ratio", "Times", units.number),
        Column("effect_low", f"Unknown, at least, {unit}", units.number, missing="–"),
        Column("effect_high", f"Unknown, at most, {unit}", units.number, missing="–"),
        Column("base", f"Before, {unit}", units.number),
        Column("compared", f"After, {unit}", units.number),
    ]
    tables.twin(book, name, table, columns, "Effects on training runs" if runs else "Effects by part")


def _steps(rows: pandas.DataFrame, effects: dict[str, float], unit: str, runs: bool) -> pandas.DataFrame:
    """The bars: both totals, between them each factor that can be seen, and last what is not known."""
    first = rows.iloc[0]
    base, compared = float(first["base"]), float(first["compared"])
    write = lambda value: f"{units.number(value)} {unit}"  # noqa: E731
    bars, at = [(units.month(first["base_first_date"]), 0.0, base, "total", write(base))], base
    for name, by in effects.items():
        if abs(by) >= _least(first):
            kind = "apart" if name in words_of_decomposition.APART else "more" if by > 0 else "less"
            label = words_of_decomposition.factor(name, runs)[0]
            bars.append((label, at, at + by, kind, words_of_decomposition.signed(by, unit)))
        at += by
    bars.append((units.month(first["compared_first_date"]), 0.0, compared, "total", write(compared)))
    unknown = rows[rows["part"] == "unknown"]
    low, high = (unknown[name].sum(min_count=1) for name in ("effect_low", "effect_high"))
    if len(unknown) and not units.is_unknown(low) and not units.is_unknown(high) and (low or high):
        said = f"{words_of_decomposition.signed(low, unit)} to {words_of_decomposition.signed(high, unit)}"
        bars.append(("Unknown, in no bar", compared + low, compared + high, "unknown", said))
    return pandas.DataFrame(bars, columns=["name", "begin", "end", "kind", "said"])
