"""Sentences about how good the evidence is: rungs of the ladder, ranges of totals, what better evidence would gain.

What does not belong here: HTML and SQL; texts are plain.
"""

from typing import Any

import pandas

from pipelines import units

# Name and explanation of each rung, the best first; the last two have no energy to show.
RUNGS = {
    "0": ("Metered at the wall", "a meter before the machine"),
    "1": ("Telemetry", "counters in the GPU"),
    "2": ("Supplier", "as the supplier states it"),
    "3": ("Benchmark", "this model, measured elsewhere"),
    "4": ("Estimate from size", "the model's parameters"),
    "5": ("Default", "a size class, or money spent"),
    "metered_elsewhere": ("Metered elsewhere", "a meter holds their energy in another row"),
    "unknown": ("Unknown", "no figure, not zero"),
}
WITHOUT_ENERGY = ("metered_elsewhere", "unknown")
_BACKTEST_CAUSES = {
    "within_range": "in the factor's range",
    "below_range": "less than the factor's range",
    "mostly_idle": "boards held more than used",
    "above_range": "small batches, calls not in the log, or the factor is too low",
}
_METRICS = {"energy_kwh": "energy", "location_kgco2e": "carbon, location-based,"}


def rung(tier: Any) -> str:
    """Name a rung by its number, such as Benchmark."""
    if units.is_unknown(tier):
        return "Unknown"
    return RUNGS.get(str(int(tier)), (f"Tier {int(tier)}", ""))[0]


def mix_finding(rungs: pandas.DataFrame) -> str:
    """Say on which rung most of the known energy and most of the calls stand."""
    energy = rungs[rungs["energy_kwh"] > 0]
    calls = rungs[rungs["calls"] > 0]
    if energy.empty and calls.empty:
        return "Nothing was used in these days"
    used, made = (rows.loc[rows[column].idxmax()] if len(rows) else None
                  for rows, column in ((energy, "energy_kwh"), (calls, "calls")))  # fmt: skip
    of_energy = "" if used is None else f"{units.percent(used['energy_share'], 0)} of known energy"
    of_calls = "" if made is None else f"{units.percent(made['call_share'], 0)} of calls"
    if used is None or made is None:
        most = made if used is None else used
        return f"{of_energy or of_calls} {'is' if of_energy else 'are'} {_how(most['rung'])}"
    if used["rung"] == made["rung"]:
        return f"{of_energy} and {of_calls} are {_how(used['rung'])}"
    return f"{of_energy} is {_how(used['rung'])}; {of_calls} are {_how(made['rung'])}"


def _how(name: str) -> str:
    return {
        "0": "metered at the wall",
        "1": "known by telemetry",
        "2": "stated by the supplier",
        "3": "known from a benchmark",
        "4": "estimated from the model's size",
        "5": "a default value",
        "metered_elsewhere": "metered elsewhere",
        "unknown": "of unknown energy",
    }.get(name, f"of tier {name}")


def no_energy_note(rungs: pandas.DataFrame) -> str:
    """Say what has no energy in the mix, and what it could be at most; nothing if all is known."""
    unknown = rungs[rungs["rung"] == "unknown"]
    if unknown.empty:
        return ""
    row = unknown.iloc[0]
    work = [units.count(row["calls"], "calls")] if row["calls"] else []
    if row["gpu_seconds"] >= 3600:
        work.append(units.count(round(row["gpu_seconds"] / 3600), "GPU hours"))
    most = "" if units.is_unknown(row["most_kwh"]) else f", at most {units.energy(row['most_kwh'])}"
    return f" The energy of {' and '.join(work) or 'some work'} is unknown{most}: it is in no share of energy."


def range_finding(row: Any) -> str:
    """Say between which bounds a month's total lies."""
    what = _METRICS.get(row.metric, row.metric)
    month = units.month(row.usage_month)
    if units.is_unknown(row.low) or units.is_unknown(row.high):
        return f"The range of the {what} of {month} is unknown"
    return f"The {what} of {month} lies between {bounds(row.metric, row.low, row.high)}".replace(" to ", " and ")


def bounds(metric: str, low: Any, high: Any) -> str:
    """Both ends of a total, with one unit."""
    return units.quantity_range(metric, low, high)


def factor_name(row: Any) -> str:
    """Name a factor by what it is for; its id where the factor table does not tell."""
    if row.factor_id.startswith("site/"):
        return f"Overhead (PUE) of {row.factor_id.removeprefix('site/').removesuffix('/pue')}"
    if units.is_unknown(row.model_name):
        return row.factor_id
    if row.model_name == "%":  # a pattern that fits any
        return f"Any hardware: {row.method.replace('_', ' ')}"
    return row.model_name if units.is_unknown(row.provider) else f"{row.provider}/{row.model_name}"


def upgrade_finding(best: Any) -> str:
    """Say which factor's better evidence would narrow the month's range most, and to what."""
    month = units.month(best.usage_month)
    if units.is_unknown(best.width_reduction_ratio) or best.width_reduction_ratio <= 0:
        return f"No single factor, known one rung better, would narrow the range of {month}"
    return (
        f"Better evidence for {factor_name(best)} would narrow the range of {month} most: "
        f"{units.percent(best.width_reduction_ratio, 0)} narrower, "
        f"{units.energy_range(best.upgraded_low_kwh, best.upgraded_high_kwh)}"
    )


def other_factors(rest: pandas.DataFrame) -> str:
    """Say how little the factors that are not shown would gain."""
    many = units.counted(len(rest), "other factor")
    most = rest["width_reduction_ratio"].max()
    if units.is_unknown(most) or most <= 0:
        return f"{many} would not narrow it; the CSV holds all."
    return f"{many} would narrow it by {units.percent(most)} at most; the CSV holds all."


def backtest_finding(tried: pandas.DataFrame) -> str:
    """Say between which ratios meters and estimates lay."""
    least, most = tried["bias"].min(), tried["bias"].max()
    if units.is_unknown(least):
        return "No estimate could be held against a meter"
    span = units.number(least, 2) if least == most else f"{units.number(least, 2)} to {units.number(most, 2)}"
    return f"Busy boards used {span} times what was estimated for the same calls"


def backtest_cause(row: Any) -> str:
    """Say what a back-test found."""
    return "nothing compared" if units.is_unknown(row.finding) else _BACKTEST_CAUSES.get(row.finding, row.finding)
