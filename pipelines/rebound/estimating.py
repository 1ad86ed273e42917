"""Every change at every level: what the warehouse writes down of each.

Reading the warehouse does not belong here, nor how a level estimates (`split`, `trend`, `rollout`, `lottery`).

What a change should have saved is one figure for all its levels: as declared, else what the energy per request fell by
around it. Their intervals do not hold its error, nor that of the factors behind the energy.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from pipelines.rebound import lottery, rollout, split, trend
from pipelines.rebound.history import Change, History, gathered
from pipelines.rebound.panel import laid_out
from pipelines.rebound.values import LEAST_SAVING_RATIO, RANDOMISED, Found, Touched, Week
from pipelines.rebound.words import LEVELS, claim, verdict, warrant

METHODS = {
    1: "weekly means before and after",
    2: "segmented regression of the logarithm, errors that persist",
    3: "imputation on cells not yet treated, delete-one-group jackknife",
    4: "imputation on cells not yet treated, randomisation inference",
}


@dataclass(frozen=True)
class Estimate:
    """One change at one level; figures are None where `gap_reason` says why.

    Attributes:
        change_id, level, level_name, method: Which change, and how it was looked at.
        rebound, low, high: 1 - realised / expected saving, with its 95 % interval; level 1 has none.
        realised_saving_ratio: Part of the energy that was saved, negative where more was used.
        expected_saving_ratio, expected_source: Part that should have been saved; `declared` or `measured`.
        energy_before_kwh, energy_after_kwh: Energy a week of the touched workflows, level 1 only.
        verdict, warrant, claim: In words; keys of `words.VERDICTS` and `words.WARRANTS`, and a sentence.
        found: Counts, pre-trend test and event study.
    """

    change_id: str
    level: int
    level_name: str
    method: str
    found: Found
    rebound: float | None = None
    low: float | None = None
    high: float | None = None
    realised_saving_ratio: float | None = None
    expected_saving_ratio: float | None = None
    expected_source: str = ""
    energy_before_kwh: float | None = None
    energy_after_kwh: float | None = None
    verdict: str = ""
    warrant: str = ""
    claim: str = ""
    gap_reason: str = ""


def estimates(changes: Iterable[Touched], weekly: Iterable[Week]) -> Iterator[Estimate]:
    """Each change at levels 1 to 3, and at level 4 where a lottery is declared, in order of change and level.

    Args:
        changes: One row per workflow that a change has touched.
        weekly: Whole weeks only: a week that lacks days looks like a saving.
    """
    every = gathered(changes)
    history = History(every, weekly)
    for change in every:
        yield from _levels(change, history)


def _levels(change: Change, history: History) -> Iterator[Estimate]:
    totals, found = split.totals(change, history)
    expected, source = _expected(change, totals)
    first = _estimate(change, 1, found, expected, source)
    if totals is not None:
        first = replace(first, energy_before_kwh=float(totals.energy_before_kwh),
                        energy_after_kwh=float(totals.energy_after_kwh))
    yield first
    yield _estimate(change, 2, trend.interrupted(change, history), expected, source)
    yield _estimate(change, 3, rollout.staggered(laid_out(change, history)), expected, source)
    if change.design == RANDOMISED:
        yield _estimate(change, 4, lottery.drawn(laid_out(change, history, touched_only=True)), expected, source)


def _expected(change: Change, totals: split.Totals | None) -> tuple[Fraction | None, str]:
    """What the change should have saved and who says so; None where that is unknown or too little to divide by."""
    measured = None if totals is None else totals.measured_saving_ratio
    ratio, source = (measured, "measured") if change.expected_saving_ratio is None else (
        Fraction(change.expected_saving_ratio), "declared")
    return (None, "") if ratio is None or ratio < LEAST_SAVING_RATIO else (ratio, source)


def _estimate(change: Change, level: int, found: Found, expected: Fraction | None, source: str) -> Estimate:
    row = Estimate(change.change_id, level, LEVELS[level], METHODS[level], found, gap_reason=found.gap_reason,
                   expected_saving_ratio=None if expected is None else float(expected), expected_source=source)
    if found.effect is None:
        return row
    row = replace(row, realised_saving_ratio=float(1 - found.effect.used_ratio))
    if expected is None:
        return replace(row, gap_reason="no_saving")
    rebound, low, high = found.effect.rebound(expected)
    return replace(row, rebound=float(rebound), low=low, high=high, verdict=verdict(rebound, low, high),
                   warrant=warrant(level, found), claim=claim(level, found, float(rebound), low, high))
