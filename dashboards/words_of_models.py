"""Sentences about models: which is on the frontier, what was lost in training, how unequal requests are, verdicts.

What does not belong here: HTML and SQL; texts are plain. No sentence merges quality and energy.
"""

from typing import Any

import pandas

from dashboards.words import span
from pipelines import units

BOUNDARIES = {"gpu": "GPUs alone", "node": "whole machines", "facility": "machines and cooling"}
_STATES = {
    "COMPLETED": "completed", "FAILED": "failed", "CANCELLED": "cancelled", "TIMEOUT": "ran out of time",
    "PREEMPTED": "preempted", "NODE_FAIL": "its machine failed", "OUT_OF_MEMORY": "out of memory",
    "BOOT_FAIL": "its machine did not start", "DEADLINE": "missed its deadline", "REQUEUED": "queued again",
    "REVOKED": "revoked", "RUNNING": "still running", "SUSPENDED": "suspended", "RESIZING": "resizing",
}  # fmt: skip
_RUNNING = ("RUNNING", "SUSPENDED", "RESIZING")
_PHASES = {"before": "before", "after": "after", "vendor_claim": "vendor's figure"}
_PERIMETERS = {
    "workflow": "Workflow",
    "model": "Model",
    "team": "Team",
    "latency_tier": "Latency tier",
    "length_class": "Length of the answer",
}


def plain(name: Any) -> str:
    """A name from the marts as words, such as batch size."""
    return "" if units.is_unknown(name) else str(name).replace("_", " ")


def amount(value: Any) -> str:
    """Write a number with its own decimals: figures of one column may lie far apart."""
    return units.number(value)


def wh(value: Any) -> str:
    """Write an energy of a single item, given in Wh."""
    return units.UNKNOWN if units.is_unknown(value) else f"{units.number(value)}\N{NO-BREAK SPACE}Wh"


def wh_range(low: Any, high: Any) -> str:
    """Write both ends of the energy of a single item, given in Wh."""
    if units.is_unknown(low) or units.is_unknown(high):
        return "range unknown"
    return span(wh(low), wh(high))


def conditions(row: Any) -> str:
    """How a model was served, such as vLLM 0.9 · fp8 · batch 32; nothing if nothing is told."""
    batch = None if units.is_unknown(row.batch_size) else f"batch {int(row.batch_size)}"
    told = [row.hardware, row.engine, row.precision, batch]
    return " · ".join(str(text) for text in told if not units.is_unknown(text))


def frontier_finding(results: pandas.DataFrame, task: str) -> str:
    """Say how many of the models of a task no other beats."""
    known = results[results["energy_wh_per_item"].notna()]
    many = results["model_id"].nunique()
    models = units.counted(many, "model")
    if known.empty:
        return f"{models} judged on {plain(task)}; the energy of all is unknown"
    front = known[known["is_on_frontier"] == True]["model_id"].nunique()  # noqa: E712 (a null is not true)
    on = "is" if front == 1 else "are"
    return f"{front} of {models} judged on {plain(task)} {on} on the frontier: no other does as well for less energy"


def bar_text(row: Any) -> str:
    """What a workflow needs, such as accuracy of at least 0.8."""
    return f"{plain(row.metric)} of at {'most' if row.is_lower_better else 'least'} {units.number(row.minimum_quality)}"


def choice_finding(choices: pandas.DataFrame) -> str:
    """Say for how many workflows a cheaper model would do."""
    cheaper = (choices["finding"] == "a cheaper model meets the bar").sum()
    flows = choices["workflow_id"].nunique()
    many = units.counted(flows, "workflow")
    if not cheaper:
        return f"For none of {many} with a quality bar is a cheaper measured model known that meets it"
    return f"For {cheaper} of {many} with a quality bar, a measured model meets it for less energy than the one in use"


def saving(row: Any) -> str:
    """What an item would take less, with its range."""
    low, high = row.saving_wh_per_item_low, row.saving_wh_per_item_high
    if units.is_unknown(low) or units.is_unknown(high):
        return "range unknown"
    ends = (f"−{wh(-end)}" if end < 0 else wh(end) for end in (low, high))
    return span(*ends)


def outcome(row: Any) -> str:
    """How a run ended: completed, superseded, failed or still running; in this order of words for charts."""
    if row.state in _RUNNING:
        return "still running"
    if row.state != "COMPLETED":
        return "failed"
    return "completed" if units.is_unknown(row.superseded_by) else "superseded"


def state(row: Any) -> str:
    """How a run ended, in words, and what replaced it."""
    said = _STATES.get(row.state, plain(row.state).lower())
    return said if units.is_unknown(row.superseded_by) else f"{said}, superseded by {row.superseded_by}"


def training_finding(runs: pandas.DataFrame) -> str:
    """Say how much of the energy of all runs was lost."""
    many = units.counted(len(runs), "run")
    lost = runs.iloc[0]["organisation_lost_ratio"]
    if units.is_unknown(lost):
        return f"{many} of training; the energy of all is unknown"
    return f"{units.percent(lost)} of the energy of {many} went into jobs that failed or were superseded"


def cadence(runs: pandas.DataFrame) -> tuple[str, str]:
    """How often models are trained again, and of how many intervals that is said."""
    days = runs["days_since"].dropna().astype(int)
    if days.empty:
        return "not yet", "no model was trained twice"
    least, most = int(days.min()), int(days.max())
    value = units.counted(least, "day") if least == most else f"{least} to {units.count(most, 'days')}"
    return value, f"between one completed training of a model and the next, {units.counted(len(days), 'time')}"


def perimeter(name: str) -> str:
    """Name a way to group requests."""
    return _PERIMETERS.get(name, plain(name).capitalize())


def spread_finding(whole: Any) -> str:
    """Say how unequal the requests of the organisation are."""
    month = units.month(whole.usage_month)
    if units.is_unknown(whole.p50_wh):
        return f"The energy of single requests of {month} is unknown"
    return (
        f"The hundredth of requests with the most energy used {units.percent(whole.top_ratio, 0)} of it in {month}; "
        f"half used at most {wh(whole.p50_wh)}, one in a hundred over {wh(whole.p99_wh)}"
    )


def not_single_note(whole: Any) -> str:
    """Say for how many requests no single energy is known; nothing if for none."""
    if units.is_unknown(whole.gap_calls) or not whole.gap_calls:
        return ""
    share = units.percent(whole.gap_calls / whole.calls, 0)
    many = units.short_count(whole.gap_calls, "requests")
    return f" {many} ({share}) have no energy of their own and are in no quantile."


def phase(name: Any) -> str:
    """Name a side of a comparison."""
    return _PHASES.get(name, plain(name))


def verdict(row: Any) -> tuple[str, str]:
    """The verdict of a comparison and, where there is none, why."""
    said, _, why = row.verdict.partition(": ")
    return said, plain(why)


def comparison_finding(pairs: pandas.DataFrame) -> str:
    """Count the verdicts."""
    verdicts = pairs["verdict"].str.partition(": ")[0].value_counts()
    order = ("more efficient", "less efficient", "no difference shown", "not comparable")
    said = [f"{verdicts[name]} {name}" for name in order if name in verdicts]
    many = units.counted(len(pairs), "comparison")
    return f"Of {many} of measurements: {', '.join(said)}"
