"""The sentences of the pages: what a figure says, in words.

What does not belong here: HTML (texts are plain; whoever prints them escapes them), SQL and charts.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pandas

from pipelines import units

_METRIC_WORDS = {"energy_kwh": "energy", "location_kgco2e": "carbon", "requests": "calls"}
_GAP_WORDS = {"no_factor": "no known factor", "no_meter": "no meter reads its hardware"}
_NOBODY_NAMES = {
    "orphan": "Orphan: a key or project that no rule knows",
    "unattributed": "Unattributed: calls without any identity",
}


def team_name(team_id: str, name: str) -> str:
    """Name a team; what belongs to nobody says so."""
    return _NOBODY_NAMES.get(team_id, name)


def ceiling_name(row: Any) -> str:
    """Name a ceiling by its perimeter and metric, such as Organisation energy."""
    metric = _METRIC_WORDS.get(row.metric, row.metric)
    if row.perimeter_type == "organisation":
        return f"Organisation {metric}"
    return f"{row.perimeter_name}: {metric}"


def ceiling_finding(row: Any, exceeded_since: date | None) -> str:
    """Say where a ceiling stands, with the date if there is one."""
    name = ceiling_name(row)
    has, is_ = ("have", "are") if row.metric == "requests" else ("has", "is")
    its = "their" if row.metric == "requests" else "its"
    since = f" since {units.day(exceeded_since)}" if exceeded_since else ""
    if units.is_unknown(row.used_quantity):
        return f"{name} cannot be judged: what was used is unknown"
    if row.status == "exceeded":
        return f"{name} {has} exceeded {its} ceiling{since}"
    if row.used_quantity > row.limit_quantity:
        return f"{name} {is_} beyond {its} ceiling by the central estimate{since}"
    if row.status == "on course to exceed":
        when = "before the period ends"
        if not units.is_unknown(row.exhaustion_date):
            when = f"on {units.day(row.exhaustion_date)}"
        return f"{name} {is_} on course to exceed {its} ceiling {when}"
    if row.status == "undecided":
        return f"{name} {is_} undecided: the range of the estimate reaches beyond the ceiling"
    left = 1 - row.used_quantity / row.limit_quantity if row.limit_quantity else 0
    return f"{name} {is_} within {its} ceiling: {units.percent(left, 0)} of it is left"


def ceiling_detail(row: Any) -> str:
    """Say what was used of how much, within which range, and where it leads."""
    used = units.quantity(row.metric, row.used_quantity)
    text = f"Used {used}"
    if row.used_low != row.used_high and not units.is_unknown(row.used_low):
        low, high = units.quantity(row.metric, row.used_low), units.quantity(row.metric, row.used_high)
        text += f" ({low} to {high})"
    text += f" of {units.quantity(row.metric, row.limit_quantity)}"
    if not units.is_unknown(row.forecast_quantity):
        last = (pandas.Timestamp(row.period_end) - pandas.Timedelta(days=1)).date()
        text += f"; at this pace {units.quantity(row.metric, row.forecast_quantity)} by {units.day(last)}"
    return text + "."


def rebound_finding(full_weeks: pandas.DataFrame) -> str:
    """Say whether cheaper calls lowered the total, from the first and the last full week."""
    if full_weeks.empty:
        return "Energy and calls cannot be compared yet: two full weeks of known energy are needed"
    calls = full_weeks.iloc[-1]["calls_index"] / 100 - 1
    energy = full_weeks.iloc[-1]["energy_index"]
    if units.is_unknown(energy):
        return "The energy of the last full week is unknown; it cannot be compared"
    energy = energy / 100 - 1
    changes = f"Calls {change(calls)} and energy {change(energy)}"
    if calls > 0 and energy > 0 and energy < calls:
        return f"{changes}: a call costs less, the total still rises"
    if calls > 0 and energy <= 0:
        return f"{changes}: so far a call became cheaper faster than calls grew"
    if energy > calls:
        return f"{changes}: a call costs more than before"
    return f"{changes}: both fell, energy faster"


def crossings(full_weeks: pandas.DataFrame) -> list[date]:
    """Weeks in which the line of calls goes from one side of the line of energy to the other."""
    found, side = [], 0
    for row in full_weeks.itertuples():
        now = 0 if units.is_unknown(row.energy_index) else _sign(row.calls_index - row.energy_index)
        if now and side and now != side:
            found.append(row.week.date())
        side = now or side
    return found


def coverage(calls: Any, covered_calls: Any) -> tuple[str, bool]:
    """Text of the coverage badge, and whether it is low enough to warn."""
    if units.is_unknown(calls) or not calls:
        return "coverage unknown: no calls", True
    ratio = covered_calls / calls
    return f"coverage {units.percent(ratio)} of calls", ratio < 0.95


def evidence(tiers: pandas.DataFrame) -> str:
    """Say how the known energy is known, such as: 92 % estimated from model parameters, 8 % metered."""
    total = tiers["energy_kwh"].sum() if len(tiers) else 0
    if not total:
        return "no known energy"
    parts = []
    for row in tiers.itertuples():
        parts.append(f"{units.percent(row.energy_kwh / total, 0)} {units.evidence(row.evidence_tier)}")
    return ", ".join(parts)


def gaps(frame: pandas.DataFrame) -> Iterator[str]:
    """One sentence for each model whose energy is not known."""
    for row in frame.itertuples():
        reason = "reason unknown" if units.is_unknown(row.gap_reason) else str(row.gap_reason)
        reason = _GAP_WORDS.get(reason, reason.replace("_", " "))
        model = "an unnamed model" if units.is_unknown(row.model_name) else row.model_name
        work = f"{units.count(row.calls)} calls" if row.calls else "GPU time"
        yield f"{work} of {model}: {reason}; energy unknown, not zero"


def missing_days(frame: pandas.DataFrame) -> Iterator[str]:
    """One sentence for each source that lacks days."""
    for source, rows in frame.groupby("source"):
        days = [units.day(value) for value in rows["usage_date"]]
        lacking = int((rows["expected"] - rows["received"]).sum())
        shown = ", ".join(days[:3]) + (f" and {len(days) - 3} more days" if len(days) > 3 else "")
        tables = "1 daily table" if lacking == 1 else f"{lacking} daily tables"
        yield f"{source}: {tables} not received ({shown}); what happened then is unknown, not zero"


def change(ratio: float) -> str:
    """Say by how much something rose or fell."""
    if abs(ratio) < 0.005:
        return "did not change"
    return f"{'rose' if ratio > 0 else 'fell'} {units.percent(abs(ratio), 0)}"


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
