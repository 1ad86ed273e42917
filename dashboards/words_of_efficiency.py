"""Sentences about efficiency changes: what they saved, what a review owes, what rebound and claims are worth.

What does not belong here: HTML and SQL; texts are plain. Nothing is called causal that the mart does not call so.
"""

import shlex
from typing import Any

import pandas

from pipelines import units

TYPES = {
    "model_swap": "other model", "price_cut": "lower price", "prompt_cut": "shorter prompt", "cache": "cache",
    "batching": "batching", "quantisation": "quantisation", "hardware": "hardware", "routing": "routing",
    "undeclared": "nobody has said what",
}  # fmt: skip
RATIOS = {
    "energy_wh_per_outcome": "Wh per outcome", "energy_wh_per_call": "Wh per call",
    "energy_wh_per_1000_tokens": "Wh per 1000 tokens", "cost_usd_per_1000000_tokens": "USD per million tokens",
}  # fmt: skip
OUTCOMES = {"keep": "keep", "cap": "cap", "retire": "retire", "hand_back": "hand the saving back"}
# What a figure of rebound rests on, and whether it may be called causal.
WARRANTS = {
    "accounting": "Not causal: all growth counts as rebound",
    "trend": "Causal if the trend would have gone on",
    "controlled": "Causal if groups would have moved alike; before the change they did",
    "controlled_untested": "Causal if groups would have moved alike; too few weeks to test that",
    "controlled_contested": "Not causal: the groups moved differently before the change",
    "randomised": "Causal by design: the order was drawn",
}
CAUSAL = ("trend", "controlled", "controlled_untested", "randomised")
VERDICTS = {
    "super_conservation": "more saved than expected", "none": "no rebound", "partial": "partial rebound",
    "full": "full rebound", "backfire": "backfire: more is used", "undecided": "undecided",
}  # fmt: skip
UNITS = {"total": "in all", "call": "of a call", "output_token": "of an output token", "outcome": "of an outcome"}
STATES = {"owed": "exceeded", "due": "on course to exceed", "not yet due": "undecided", "answered": "within"}
DOCKET = {
    "confirmed": "within", "partly confirmed": "undecided", "offset by volume": "on course to exceed",
    "contradicted": "exceeded", "not testable": "undecided",
}  # fmt: skip
_GAPS = {
    "not_yet": "not yet", "no_days_before": "no days before it in the ledger", "days_missing": "days are missing",
    "no_use": "not used", "factor_changed": "another factor estimates it", "energy_unknown": "its energy is unknown",
    "too_few_periods": "too few weeks", "unknown_energy": "weeks of unknown energy",
    "no_use_before": "not used before", "no_saving": "a request takes no less: there is no saving to lose",
    "no_control_group": "no group is without the change", "too_few_groups": "too few groups with the change or without",
    "too_few_orders": "too few groups for a lottery", "too_uncertain": "the interval is too wide to say anything",
    "no_workload": "it names no workload", "no_baseline": "it names no baseline", "too_few_weeks": "too few weeks",
    "weeks_missing": "weeks are missing", "varies_more_than_claimed": "weeks vary by more than is claimed",
}  # fmt: skip


def gap(reason: Any) -> str:
    """Why there is no figure."""
    return "" if units.is_unknown(reason) or not reason else _GAPS.get(reason, str(reason).replace("_", " "))


def change(by: Any) -> str:
    """Write by how much something rose or fell, such as −51.9 %."""
    if units.is_unknown(by):
        return units.UNKNOWN
    share = units.percent(abs(by))
    sign = "+" if by > 0 else "−" if by < 0 else ""
    return f"{share[:2]}{sign}{share[2:]}" if share[0] in "<>" else f"{sign}{share}"


def realised(intensity: Any, total: Any, reason: Any) -> str:
    """Say in a word what became of a change, by central estimates."""
    if units.is_unknown(intensity) or units.is_unknown(total):
        return gap(reason) or "not known"
    if intensity < 0:
        return "less" if total < 0 else "only better: offset by volume"
    return "less, but no better" if total < 0 else "neither less nor better"


def register_finding(rows: pandas.DataFrame) -> str:
    """Say how many changes are known, and of how many the total fell, by the latest window that is whole."""
    told = [realised(*latest(row)) for row in rows.itertuples()]
    less, better = told.count("less"), told.count("only better: offset by volume")
    seen = int((rows["origin"] == "detected").sum())
    nobody = f", {seen} detected and not declared" if seen else ""
    return (
        f"{units.counted(len(rows), 'change')}{nobody}: the total fell with {less or 'none'}, "
        f"volume offset the saving of {better or 'none'}"
    )


def latest(row: Any) -> tuple[Any, Any, Any]:
    """Change of intensity and of the total after 90 days, else after 30, and why they are missing."""
    days = 30 if units.is_unknown(row.after_90_energy_change_ratio) else 90
    names = ("intensity_change_ratio", "energy_change_ratio", "gap_reason")
    return tuple(getattr(row, f"after_{days}_{name}") for name in names)


def reviews_finding(rows: pandas.DataFrame) -> str:
    """Say how many reviews are owed, and how many have been answered."""
    counts = {state: int((rows["status"] == state).sum()) for state in STATES}
    late = rows[rows["status"].isin(("owed", "due"))]
    since = f", the first since {units.day(late['due_date'].min())}" if len(late) else ""
    is_ = units.noun(len(late), "is", "are") if len(late) else "is"
    return (
        f"{len(late) or 'None'} of {units.counted(len(rows), 'review')} {is_} owed{since}; "
        f"{counts['answered'] or 'none'} answered"
    )


def review_name(row: Any) -> str:
    return f"{row.change_id}, after {row.after_days} days: {row.status}"


def answer_command(row: Any) -> str:
    """What to type to answer a review; the name is quoted for a shell."""
    return (
        f"jevons reviews answer {shlex.quote(row.change_id)} --after {row.after_days} "
        '--outcome keep --by "Who decides" --reason "Why"'
    )


def rebound_finding(rows: pandas.DataFrame) -> str:
    """Say of how many changes the rebound may be called causal, and how many backfired."""
    changes = rows["change_id"].nunique()
    told = rows[rows["rebound_ratio"].notna()]
    causal = told[told["warrant"].isin(CAUSAL)]["change_id"].nunique()
    back = told[told["verdict"] == "backfire"]["change_id"].nunique()
    return (
        f"{back or 'None'} of {units.counted(changes, 'change')} backfired at some level; "
        f"{causal or 'none'} may be called causal"
    )


def warrant(row: Any) -> str:
    """What a figure rests on, or why there is none; without a ground it is not causal."""
    if units.is_unknown(row.rebound_ratio):
        return f"No figure: {gap(row.gap_reason) or 'no reason is told'}"
    return WARRANTS.get(row.warrant, "Not causal: no ground is told")


def claims_finding(rows: pandas.DataFrame) -> str:
    """Say how many claims there are, by verdict."""
    counts = rows["verdict"].value_counts()
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in DOCKET if verdict in counts)
    return f"{units.counted(len(rows), 'claim')}: {said}"


def evidence(row: Any) -> str:
    """Say how much of the energy a claim is judged by was measured."""
    ratios = [row.baseline_measured_ratio, row.tested_measured_ratio]
    if any(units.is_unknown(ratio) for ratio in ratios):
        return "nothing to judge by"
    if not any(ratios):
        return "estimated: no meter read any of it"
    before, after = (units.percent(ratio, 0) for ratio in ratios)
    return f"a meter read {before} before, {after} after"


def account_finding(rows: pandas.DataFrame) -> str:
    """Say what was saved, what growth took back, and what is left, over all teams and months shown."""
    saved, taken, back = (rows[f"{name}_energy_kwh"].sum() for name in ("saved", "taken_back", "handed_back"))
    grown = f"growth took back {units.energy(taken)}" if taken >= 0 else f"fewer calls saved {units.energy(-taken)}"
    by = f"{units.energy(saved)} saved per call" if saved >= 0 else f"calls took {units.energy(-saved)} more"
    return f"{by}, {grown}, {units.energy(back)} handed back"
