"""Sentences about workloads: which may be retired, what a lever saves, what is owed.

What does not belong here: HTML and SQL; texts are plain. No sentence adds the savings of two levers.
"""

from typing import Any

import pandas

from dashboards import words
from pipelines import units

LEVERS = {
    "cap_retries": "Cap retries",
    "batch": "Batch what is not urgent",
    "smallest_model": "Route to the smallest sufficient model",
    "cache_repeats": "Cache repeats",
    "drop_variants": "Drop unused variants",
    "retire": "Retire",
}
_REASONS = {
    "cacheability_not_declared": "it is not declared whether it may be cached",
    "repeats_not_measured": "no source tells which inputs are the same",
    "no_quality_bar": "it has no quality bar",
    "no_model_meets_bar": "no measured model meets its bar",
    "boundaries_differ": "energies of its models do not hold the same",
    "no_energy": "its energy is not known",
    "latency_not_declared": "its latency tier is not declared",
    "no_batch_factor": "no factor tells a batch apart",
    "retries_not_told": "its source does not tell repeats",
    "variants_not_told": "no source tells which answers were taken",
}
TASKS = {
    "name_owner": "Name an owner",
    "write_description": "Write a job description",
    "renew_description": "Renew the description, or stop",
    "review": "Review",
    "review_change": "Review an efficiency change",
    "explain_volume": "Explain the volume",
    "count_outcomes": "Count its outcomes",
    "claim_key": "Claim the key",
    "name_caller": "Find out who calls",
}
ACCOUNTS = {
    "owner": "Owner",
    "description": "Description",
    "review": "Review",
    "expectation": "Calls expected",
    "orphan_age": "Age of what nobody owns",
}


def inventory_finding(flows: pandas.DataFrame) -> str:
    """Say how many workloads have a reason to be retired, and how much goes beyond what was declared."""
    asked, beyond = int(flows["is_retire_candidate"].sum()), int((flows["excess_calls"] > 0).sum())
    return (
        f"{asked} of {units.counted(len(flows), 'workload')} give a reason to ask if they are needed; "
        f"{beyond} made more calls than declared"
    )


def month_note(flows: pandas.DataFrame) -> str:
    """Say which days a month holds, and which of them are not in the ledger."""
    first = flows.iloc[0]
    held = "" if first["day_count"] == 30 else f", of which the ledger holds {units.counted(first['day_count'], 'day')}"
    return f"A month is the 30 days to {units.day(first['as_of_date'])}{held}, whatever days are chosen above."


def lever_finding(lever: str, rows: pandas.DataFrame) -> str:
    """Say for how many workloads a lever's saving is known, and which is the largest."""
    known = rows[rows["saved_energy_kwh"].notna()]
    name = LEVERS[lever]
    if known.empty:
        return f"{name}: the saving is not known for any workload"
    top = known.iloc[0]
    return (
        f"{name}: known for {len(known)} of {units.counted(len(rows), 'workload')}; "
        f"most in {top['workflow_name']}, {units.energy(top['saved_energy_kwh'])} a month"
    )


def tasks_finding(rows: pandas.DataFrame) -> str:
    """Say how many things are owed, by how many teams, and how many by nobody yet."""
    ownerless = rows["task"].isin(("claim_key", "name_caller"))
    teams = rows[~ownerless]["team_name"].nunique()
    said = f"{units.counted((~ownerless).sum(), 'thing')} owed by {units.counted(teams, 'team')}"
    return f"{said}; {units.counted(ownerless.sum(), 'use')} that nobody owns" if ownerless.any() else said


def reason(row: Any) -> str:
    """Why a saving is not known."""
    return "" if units.is_unknown(row.gap_reason) else _REASONS.get(row.gap_reason, row.gap_reason.replace("_", " "))


def change(by: Any) -> str:
    """Write how a quantity moved; `by` is a ratio, 0.1 for 10 % more."""
    return "not comparable" if units.is_unknown(by) else words.moved(by)
