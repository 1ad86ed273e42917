"""Sentences about a decomposition: which pair of periods, what each factor did, and whether the total fell.

What does not belong here: HTML and SQL; texts are plain. No factor is called a cause.
"""

from collections.abc import Iterable
from typing import Any

import pandas

from pipelines import units

MEASURES = {
    "energy_kwh": "Energy", "location_kgco2e": "Location-based carbon", "market_kgco2e": "Market-based carbon",
}  # fmt: skip
CHAINS = {"chained": "month by month, added up", "end_point": "first month against the last"}
PARTS = {
    "requests": "calls", "gpu_time": "own hardware, calls not told", "training": "training jobs",
    "idle": "idle hardware", "other": "without calls or GPU time", "runs": "runs", "unknown": "unknown",
}  # fmt: skip
# Factor: its name, what is said where it raised the total, and where it lowered it. In the order of the chart.
FACTORS = {
    "days": ("Days of the period", "more days", "fewer days"),
    "activity": ("Activity", "more work was done a day", "less work was done a day"),
    "team_mix": ("Mix of teams", "work moved to teams that need more", "work moved to teams that need less"),
    "workflow_mix": ("Mix of workflows", "work moved to workflows that need more",
                     "work moved to workflows that need less"),
    "calls_per_outcome": ("Calls per outcome", "an outcome takes more calls", "an outcome takes fewer calls"),
    "model_mix": ("Mix of models", "work moved to models that need more", "work moved to models that need less"),
    "tokens_per_call": ("Tokens per call", "more tokens are asked of a call", "fewer tokens are asked of a call"),
    "energy_per_token": ("Energy per token", "a token takes more", "a token takes less"),
    "energy_per_call": ("Energy per call", "a call takes more", "a call takes less"),
    "gpu_time_per_run": ("GPU time per run", "a run takes longer", "a run takes less time"),
    "energy_per_gpu_second": ("Energy per GPU second", "a GPU second takes more", "a GPU second takes less"),
    "energy_per_run": ("Energy per run", "a run takes more", "a run takes less"),
    "overhead": ("Cooling and conversion", "cooling and conversion take more", "cooling and conversion take less"),
    "grid_intensity": ("Grid", "the grid became dirtier", "the grid became cleaner"),
    "without_activity": ("Without activity", "what has no activity takes more", "what has no activity takes less"),
    "estimation": ("Estimated anew", "estimated higher, no growth", "estimated lower, no saving"),
    "coverage": ("Became known or unknown", "more of it is known, no growth", "less of it is known, no saving"),
}  # fmt: skip
APART = ("estimation", "coverage")  # neither growth nor saving
_SAID = 0.01  # of the larger total, from which on a factor is named
_WHOLE = 0.95  # coverage below which a total is said to be a part
_TRAINED = {
    "activity": ("Runs per day", "more runs a day", "fewer runs a day"),
    "model_mix": ("Stages and models", "runs moved to stages and models that need more",
                  "runs moved to stages and models that need less"),
}  # fmt: skip


def factor(name: str, runs: bool = False) -> tuple[str, str, str]:
    """Its name, and what is said of it where it raised and where it lowered the total."""
    plain = name.replace("_", " ")
    return (_TRAINED.get(name) if runs else None) or FACTORS.get(name, (plain, f"{plain}: more", f"{plain}: less"))


def pair(row: Any) -> str:
    """Name a pair of periods, with their days where a month is not whole, and how it is compared."""
    first, last = units.month(row.base_first_date), units.month(row.compared_first_date)
    days = "" if row.is_whole else f", {units.count(row.base_days)} and {units.counted(row.compared_days, 'day')}"
    how = f", {CHAINS[row.chain]}" if row.chain in CHAINS else ""
    return f"{first} to {last}{days}{how}"


def signed(value: float, unit: str) -> str:
    """Write an effect with its sign."""
    if not value:
        return f"0 {unit}"
    return f"{'+' if value > 0 else '−'}{units.number(abs(value))} {unit}"


def finding(
    what: str, base: Any, compared: Any, effects: dict[str, float], runs: bool = False, coverage: Any = 1
) -> str:
    """Say whether the total fell, and which factors pushed it most.

    Args:
        what: the measure, of whom.
        base: total of the earlier period.
        compared: total of the later one.
        effects: what each factor changed.
        runs: whether the factors are those of training runs.
        coverage: share of calls of which it is known, in the period that knows less.
    """
    if units.is_unknown(base) or units.is_unknown(compared):
        return f"{what} cannot be compared: a total is unknown"
    what = what if coverage >= _WHOLE else f"{what}, as far as it is known,"
    moved = _moved(base, compared)
    least = _SAID * max(abs(base), abs(compared))
    pushed = {name: by for name, by in effects.items() if abs(by) >= least and name not in APART}
    up = sorted((name for name in pushed if pushed[name] > 0), key=lambda name: -pushed[name])
    down = sorted((name for name in pushed if pushed[name] < 0), key=lambda name: pushed[name])
    more, less = (", ".join(factor(name, runs)[side] for name in names[:2]) for names, side in ((up, 1), (down, 2)))
    if compared < base:
        said = "; ".join(filter(None, (f"down: {less}" if less else "", f"against that: {more}" if more else "")))
    else:
        said = "; ".join(filter(None, (f"up: {more}" if more else "", f"against that: {less}" if less else "")))
    return f"{what} {moved}" + (f"; {said}" if said else "")


def _moved(base: float, compared: float) -> str:
    if not base:
        return "began in the later period" if compared else "is zero in both periods"
    if not compared:
        return "ended in the later period"
    by = compared / base - 1
    if abs(by) < 0.0005:
        return "did not change"
    return f"{'rose' if by > 0 else 'fell'} {units.percent(abs(by))}"


def known(rows: pandas.DataFrame, unit: str, runs: bool = False) -> str:
    """Say how much of either period is known, and what the unknown part may have changed at most."""
    first = rows.iloc[0]
    shares = [first["base_coverage"], first["compared_coverage"]]
    if all(not units.is_unknown(share) and share == 1 for share in shares):
        return f"All {'runs' if runs else 'calls'} of both periods are known."
    told = [units.UNKNOWN if units.is_unknown(share) else units.percent(share) for share in shares]
    text = f"Known for {told[0]} of {'runs' if runs else 'calls'} before and {told[1]} after."
    unknown = rows[rows["part"] == "unknown"]
    if len(unknown):
        low, high = (unknown[name].sum(min_count=len(unknown)) for name in ("effect_low", "effect_high"))
        bound = "without a bound" if units.is_unknown(low) or units.is_unknown(high) else (
            f"between {signed(low, unit)} and {signed(high, unit)}"
        )  # fmt: skip
        text += f" What is unknown changed the total by an amount {bound}; it is in no bar."
    return text


def a_day(row: Any) -> str:
    """Say how a day of it moved, where the periods have not as many days; with a blank before."""
    totals = (row.base, row.compared)
    if row.base_days == row.compared_days or any(units.is_unknown(total) for total in totals) or not row.base:
        return ""
    return f" A day of it {_moved(row.base / row.base_days, row.compared / row.compared_days)}."


def apart(effects: dict[str, float], unit: str, least: float) -> str:
    """Say how much of the change is none of use; nothing where it is less than `least`, which nobody would see."""
    said = [f"{signed(effects[name], unit)}, {FACTORS[name][1 if effects[name] > 0 else 2]}"
            for name in APART if abs(effects.get(name, 0)) >= least > 0]  # fmt: skip
    return f" Grey: {'; '.join(said)}." if said else ""


def runs(row: Any) -> str:
    """Say how many training runs ended in either period, and how many days lay between them."""
    each = [f"{units.counted(count, 'run')}{_interval(days)}" for count, days in
            ((row.base_runs, row.base_interval), (row.compared_runs, row.compared_interval))]  # fmt: skip
    return f"Before: {each[0]}; after: {each[1]}."


def _interval(days: Any) -> str:
    return "" if units.is_unknown(days) else f", on average {units.number(days)} days after the previous one"


def ordered(names: Iterable[str]) -> list[str]:
    """Factors in the order of the chart; ones that are not known by name last."""
    order = {name: place for place, name in enumerate(FACTORS)}
    return sorted(names, key=lambda name: (order.get(name, len(order) - len(APART) - 0.5), name))
