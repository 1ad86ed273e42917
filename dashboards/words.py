"""The sentences of the pages: what a figure says, in words.

What does not belong here: HTML (texts are plain; whoever prints them escapes them), SQL and charts. Sentences about
gaps stand in `dashboards.words_of_gaps`.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas

from dashboards.weeks import change
from pipelines import units

_NBSP = "\N{NO-BREAK SPACE}"
_METRIC_WORDS = {
    "energy_kwh": "energy", "location_kgco2e": "carbon", "market_kgco2e": "carbon, market-based,", "requests": "calls",
    "tokens": "tokens", "gpu_hours": "GPU hours", "cost_usd": "cost",
}
_SEVERAL = ("requests", "tokens", "gpu_hours")
_NOBODY_NAMES = {
    "orphan": "Orphan: a key or tag that no rule knows",
    "unattributed": "Unattributed: calls without identity, idle hardware",
}


def nobody_or(identity: str, name: str) -> str:
    """Name a team or workflow; what belongs to nobody says so."""
    return _NOBODY_NAMES.get(identity, name)


def ratio(part: Any, whole: Any) -> float | None:
    """Share of a whole; None where there is no known whole."""
    if units.is_unknown(part) or units.is_unknown(whole) or not whole:
        return None
    return float(part) / float(whole)


def ceiling_name(row: Any) -> str:
    """Name a ceiling by its perimeter and metric, such as Organisation energy."""
    metric = _METRIC_WORDS.get(row.metric, row.metric)
    if row.perimeter_type == "organisation":
        return f"Organisation {metric}"
    return f"{row.perimeter_name}: {metric}"


def ceiling_finding(row: Any, exceeded_since: date | None) -> str:
    """Say where a ceiling stands, with the date if there is one."""
    name = ceiling_name(row)
    has, is_ = ("have", "are") if row.metric in _SEVERAL else ("has", "is")
    its = "their" if row.metric in _SEVERAL else "its"
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
        return f"{name} {is_} undecided: the range of the forecast reaches beyond the ceiling"
    left = 1 - row.used_quantity / row.limit_quantity if row.limit_quantity else 0
    return f"{name} {is_} within {its} ceiling: {units.percent(left, 0)} of it is left"


def ceiling_detail(row: Any) -> str:
    """Say what was used of how much, within which range, and where it leads."""
    write, unit = units.amounts(row.metric, row.limit_quantity)
    low, high = row.used_low, row.used_high
    ranged = low != high and not units.is_unknown(low)
    text = f"Used {write(row.used_quantity)}{_ends(write, low, high)} of {write(row.limit_quantity)}{_NBSP}{unit}"
    if not units.is_unknown(row.forecast_quantity):
        ends = _ends(write, row.forecast_low, row.forecast_high)
        text += f"; forecast {write(row.forecast_quantity)}{ends} by {units.day(last_day(row))}"
    if ranged and row.used_quantity > row.limit_quantity >= low:
        text += "; by the low bound it would still be within"
    return text + "."


def _ends(write: Callable[[Any], str], low: Any, high: Any) -> str:
    """A range in brackets, after a blank; nothing where there is none."""
    return "" if units.is_unknown(low) or low == high else f" ({write(low)} to {write(high)})"


def ceiling_outcome(row: Any) -> str:
    """Say how a ceiling ended."""
    if units.is_unknown(row.used_quantity):
        return "not known"
    return {"within": "met"}.get(row.status, row.status)


def days_between(low: Any, high: Any, today: Any = None) -> str:
    """The earliest and the latest day of something; nothing where they are the same or not known.

    Args:
        low: by the high end of an estimate.
        high: by its low end; unknown where that does not get there.
        today: an earliest day up to it is past.
    """
    if units.is_unknown(low) or low == high:
        return ""
    if units.is_unknown(high):
        return f"{'at the high end since' if today is not None and low <= today else 'earliest'} {units.day(low)}"
    first, last = units.day(low).split(), units.day(high).split()
    shared = 0 if low.year != high.year else 1 + (low.month == high.month)
    return f"{_NBSP.join(first[: len(first) - shared])} to {_NBSP.join(last)}"


def last_day(row: Any) -> date:
    """Last day of a ceiling's period."""
    return (pandas.Timestamp(row.period_end) - pandas.Timedelta(days=1)).date()


def rebound_finding(full_weeks: pandas.DataFrame, of: str = "call") -> str:
    """Say whether cheaper calls, or what else the columns of calls count, lowered the total."""
    if full_weeks.empty:
        return f"Energy and {of}s cannot be compared yet: two full weeks of known energy are needed"
    last = full_weeks.iloc[-1]
    if units.is_unknown(last["energy_index"]):
        return "The energy of the last full week is unknown; it cannot be compared"
    calls, energy, each = (last[name] / 100 - 1 for name in ("calls_index", "energy_index", "per_call_index"))
    changes = f"Energy per {of} {moved(each)}, {of}s {moved(calls)}"
    if each < -0.005 and energy > 0.005:
        return f"{changes}, and the total still rose {units.percent(energy, 0)}"
    if each < -0.005 and energy < -0.005:
        return f"{changes}; the total fell {units.percent(-energy, 0)}"
    return f"{changes}; the total {moved(energy)}"


def cheaper_since(full_weeks: pandas.DataFrame, least: float = 5.0) -> date | None:
    """First week from which energy per call stays at least 5 % below the first full week; None if it does not."""
    since = None
    for row in full_weeks.itertuples():
        cheap = not units.is_unknown(row.per_call_index) and row.per_call_index <= 100 - least
        since = (since or row.week.date()) if cheap else None
    return since


def movement(what: str, weekly: pandas.DataFrame, column: str) -> str:
    """Say how a weekly quantity moved from the first to the last full week."""
    by = change(weekly, column)
    return f"{what} by week" if by is None else f"{what} {moved(by)} from the first to the last full week"


def moved(by: float) -> str:
    """Say by how much something rose or fell; `by` is a ratio, 0.1 for 10 % more."""
    if abs(by) < 0.005:
        return "did not change"
    return f"{'rose' if by > 0 else 'fell'} {units.percent(abs(by), 0)}"


def spread(row: Any) -> str:
    """The range of an energy, low to high."""
    return f"range {units.energy_range(row['energy_kwh_low'], row['energy_kwh_high'], row['energy_kwh'])}"


def carbon_spread(row: Any) -> str:
    """The range of a mass of carbon, low to high; an earlier version of the marts has none."""
    if "location_kgco2e_low" not in row:
        return "range not published"
    low, high = row["location_kgco2e_low"], row["location_kgco2e_high"]
    if units.is_unknown(low) or units.is_unknown(high):
        return "range unknown"
    return f"range {units.carbon_range(low, high, row['location_kgco2e'])}"


def carbon_aside(row: Any) -> str:
    """The range of a mass of carbon in brackets, after a blank; nothing where the marts have none."""
    return f" ({carbon_spread(row)})" if "location_kgco2e_low" in row else ""


def span(low: str, high: str) -> str:
    """Two written quantities as a range; a unit that they share is said once."""
    amount, _, unit = low.rpartition(_NBSP)
    return f"{amount if amount and unit == high.rpartition(_NBSP)[2] else low} to {high}"


def range_note(frame: pandas.DataFrame, top: float, unit: str, drawn: str = "thin line") -> str:
    """Say how the range of an energy is drawn, and how far it goes where it is cut off."""
    high = frame["energy_kwh_high"].max()
    cut = f", cut off at the top: it goes up to {units.number(high)}" if high > top else ""
    return f"{unit}. The {drawn} is the range, low to high{cut}."


def coverage(calls: Any, covered_calls: Any) -> tuple[str, bool]:
    """Text of the coverage badge, and whether it is low enough to warn."""
    share = ratio(covered_calls, calls)
    if share is None:
        return "coverage unknown: no calls", True
    return f"coverage {units.percent(share)} of calls", share < 0.95


def evidence(tiers: pandas.DataFrame) -> str:
    """Say how the known energy is known, such as: 92 % estimated from model parameters, 8 % metered."""
    total = tiers["energy_kwh"].sum() if len(tiers) else 0
    if not total:
        return "no known energy"
    return ", ".join(
        f"{units.percent(row.energy_kwh / total, 0)} {units.evidence(row.evidence_tier)}" for row in tiers.itertuples()
    ).replace("< ", "<\N{NO-BREAK SPACE}")


def carbon_basis(total: Any) -> str:
    """Say for how much of the energy a grid is known, and what the market-based figure beside it is."""
    located = ratio(total.located_kwh, total.energy_kwh)
    if located is None:
        return "no known energy"
    text = "for all known energy" if located == 1 else f"for {units.percent(located)} of known energy"
    contracted = ratio(total.contracted_kwh, total.energy_kwh)
    if contracted is None:
        return f"{text}; market-based: unknown, no contract is recorded"
    return (
        f"{text}; market-based {units.carbon(total.market_kgco2e)} for the {units.percent(contracted, 0)} "
        "whose contract is known"
    )


def retries(retried: Any, told_calls: Any, calls: Any) -> str:
    """Say how many calls were retries, of those whose source tells."""
    share = ratio(retried, told_calls)
    if share is None:
        return "their source does not tell which are retries" if not units.is_unknown(calls) and calls else ""
    if told_calls == calls:
        return f"{units.percent(share)} of them are retries"
    return (
        f"{units.percent(share)} retries among the {units.short_count(told_calls)} whose source tells; "
        "unknown for the others"
    )
