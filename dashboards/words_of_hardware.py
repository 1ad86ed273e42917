"""Sentences about own hardware: the lines of a machine's meter, and the stages of a training run.

What does not belong here: HTML and SQL; texts are plain.
"""

from typing import Any

import pandas

from pipelines import units

# Name and explanation of each line of a machine's meter, in the order in which they are piled up.
LINES = {
    "gpu_active": ("GPUs at work", "beyond their idle power"),
    "gpu_idle_allocated": ("Idle, held", "idle power of GPUs that a job holds"),
    "gpu_idle_unallocated": ("Idle, free", "GPUs that nobody holds"),
    "host_share": ("Rest of the machine", "processors, memory, fans, losses, GPUs not read"),
    "meter_below_counters": ("Below counters", "what the meter read too little, negative"),
}
STAGES = {
    "data_loading": "loading data",
    "forward": "forward pass",
    "backward": "backward pass",
    "optimiser": "optimiser",
    "communication": "communication",
    "checkpoint": "checkpoints",
    "evaluation": "evaluation",
    "unattributed": "no stage",
}
_STATUSES = {
    "balanced": "within the tolerance",
    "unbalanced": "beyond the tolerance",
    "no total": "the run was not metered whole",
}
_ROUNDED_KWH = 0.001  # a day's reading is published to a millionth of a Wh; what differs less is rounding


def line(name: str) -> str:
    """Name a line of a meter."""
    return LINES.get(name, (name.replace("_", " "), ""))[0]


def stage(name: str) -> str:
    """Name a stage of training."""
    return STAGES.get(name, name.replace("_", " "))


def stage_status(name: Any) -> str:
    """Say whether what belongs to no stage is little enough."""
    return units.UNKNOWN if units.is_unknown(name) else _STATUSES.get(name, str(name))


def lines_finding(metered: pandas.Series) -> str:
    """Say where the energy that machines' meters read went.

    Args:
        metered: kWh by line, over all hours that a meter read whole.
    """
    total = metered.sum()
    if not total > 0:
        return "No meter of a machine read a whole hour; only its GPUs are known"
    idle = metered.reindex(["gpu_idle_allocated", "gpu_idle_unallocated"]).fillna(0).sum()
    said = [f"{units.percent(metered.get('gpu_active', 0) / total, 0)} went into GPUs at work"]
    said += [f"{units.percent(idle / total, 0)} into idle ones"] if idle > 0 else []
    return f"Of {units.energy(total)} that machines' meters read, {' and '.join(said)}"


def identity(difference_kwh: Any) -> str:
    """Say whether the lines of a machine add up to its meter."""
    if units.is_unknown(difference_kwh):
        return "no single reading"
    if abs(difference_kwh) < _ROUNDED_KWH:
        return "equal"
    return f"{'+' if difference_kwh > 0 else '−'}{units.energy(abs(difference_kwh))}"


def stages_finding(stages: pandas.DataFrame) -> str:
    """Say which stage takes most, and how much of the runs belongs to none."""
    runs = stages["run_id"].nunique()
    many = units.counted(runs, "run")
    whole = stages[stages["run_energy_kwh"].notna()]
    if whole.empty:
        return f"The stages of {many} are told; no meter read a run whole"
    total = whole.drop_duplicates("run_id")["run_energy_kwh"].sum()
    if not total > 0:
        return f"The stages of {many} used nothing"
    by_stage = whole.groupby("stage")["energy_kwh"].sum()
    named = by_stage.drop("unattributed", errors="ignore")
    read = whole["run_id"].nunique()
    most = f"{stage(named.idxmax()).capitalize()} takes most of the energy of"
    said = f"{most} {units.counted(read, 'run')}: {units.percent(named.max() / total, 0)}"
    rest = by_stage.get("unattributed", 0.0)
    if rest < 0:
        return f"{said}; windows overlap by {units.percent(-rest / total, 1)}"
    return f"{said}; {units.percent(rest / total, 1)} belongs to no stage"
