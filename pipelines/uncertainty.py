"""Joint ranges of totals: errors shared where parts share a factor, partly shared within a method.

What the parts are does not belong here (dbt_project/ makes them), nor what is published of the ranges.

A part is an amount with the 95 % range that it has alone, log-normal on either side of its median. A part that is
only bounded has no median: it adds its bound to the high end of its total, and nothing anywhere else.

The central value of a total is the sum of the medians, the figure by which a ledger adds up. It lies below what is to
be expected, which the mean says. The ends are those of the joint distribution, at or beyond the central value, and
within the sums of the parts' ends: no range is wider than if all errors were shared.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.uncertainty_draws import DRAWS, HIGH_DRAW, LOW_DRAW, TAIL_DRAWS, Correlation, Floats, Integers, term
from pipelines.uncertainty_parts import Parts

TOTALS_AT_ONCE = 1024  # rows of draws: 33 MB
SIGNIFICANT_DIGITS = 6
_ROUNDING = 1e-12  # relative: a sum that equals a limit does not exceed it


@dataclass(frozen=True)
class Ranges:
    """Low, central, mean and high of many figures; not a number where nothing is known."""

    low: Floats
    central: Floats
    mean: Floats
    high: Floats


def ranges(parts: Parts) -> Ranges:
    """The 95 % range, the sum of medians and the mean of every total, to six significant digits."""
    drawn = np.full((3, parts.count), np.nan)
    for some in _blocks(parts.count):
        drawn[:, some] = _drawn(parts, np.arange(parts.count)[some])
    low, mean, high = drawn
    low_sum, central, _ = parts.added()
    low = np.minimum(np.maximum(low, low_sum), central)
    high = np.maximum(high, central) + parts.bound
    return Ranges(
        *(_rounded(values, parts.is_known) for values in (low, central, mean)),
        _rounded(high, parts.is_known | (parts.bound > 0)),
    )


def _drawn(parts: Parts, totals: Integers) -> tuple[Floats, Floats, Floats]:
    """Low ends, means and high ends of some totals; a function of its own, so that no draws outlive it."""
    draws = parts.draws(totals)
    mean = draws.mean(axis=1)
    draws.partition(LOW_DRAW, axis=1)
    low = draws[:, LOW_DRAW].copy()
    del draws
    tails = parts.tails(totals)
    tails.partition(DRAWS - TAIL_DRAWS, axis=1)
    return low, mean, tails[:, -TAIL_DRAWS:].mean(axis=1)


def exceedance(
    parts: Parts, correlation: Correlation, limit: Floats, *, scale: Floats | float = 1.0,
    spread: Floats | float = 0.0,
) -> tuple[Floats, Floats]:
    """P(total x scale > limit): of what is known, and with what is only bounded at its bound.

    Args:
        parts: The totals.
        correlation: Where the draws of the forecast's own error derive from.
        limit: One per total, in the unit of its parts; not a number = not asked.
        scale: Factor of a forecast.
        spread: Log-space standard deviation of an error of the forecast's own, independent of all factors.

    Returns:
        Two probabilities per total. The second takes bounds as certain, though each is exceeded in 2.5 % of cases.
    """
    scale, spread = np.broadcast_to(scale, parts.count), np.broadcast_to(spread, parts.count)
    limit = np.asarray(limit, np.float64) * (1 + _ROUNDING)
    own = term(correlation, "forecast")
    asked = np.flatnonzero(~np.isnan(limit))
    found = np.full((2, parts.count), np.nan)
    for some in _blocks(len(asked)):
        totals = asked[some]
        draws, by = parts.draws(totals), scale[totals, None] * np.exp(spread[totals, None] * own)
        for place, bound in enumerate((0.0, parts.bound[totals, None])):
            found[place, totals] = ((draws + bound) * by > limit[totals, None]).mean(axis=1)
    return found[0], found[1]


def ratio(parts: Parts, before: Integers, after: Integers) -> Ranges:
    """Ranges of after / before for pairs of totals; errors that both share cancel, as the draws are the same."""
    return _compared(parts, before, after, np.divide)


def difference(parts: Parts, before: Integers, after: Integers) -> Ranges:
    """Ranges of after - before for pairs of totals; errors that both share cancel, as the draws are the same."""
    return _compared(parts, before, after, np.subtract)


def _compared(parts: Parts, before: Integers, after: Integers, change: np.ufunc) -> Ranges:
    low, mean, high = (np.full(len(before), np.nan) for _ in range(3))
    _, middle, _ = parts.added()
    with np.errstate(divide="ignore", invalid="ignore"):
        central = change(middle[after], middle[before])
        for some in _blocks(len(before)):
            old, new = parts.draws(before[some]), parts.draws(after[some])
            mean[some] = change(new, old).mean(axis=1)
            least = change(new, old + parts.bound[before[some], None])
            most = change(new + parts.bound[after[some], None], old)
            low[some] = np.partition(least, LOW_DRAW, axis=1)[:, LOW_DRAW]
            high[some] = np.partition(most, HIGH_DRAW, axis=1)[:, HIGH_DRAW]
    known = parts.is_known[before] & parts.is_known[after] & np.isfinite(central)
    ends = np.fmin(low, central), central, mean, np.fmax(high, central)
    return Ranges(*(_rounded(values, known & np.isfinite(values)) for values in ends))


def _blocks(count: int) -> Iterator[slice]:
    for first in range(0, count, TOTALS_AT_ONCE):
        yield slice(first, first + TOTALS_AT_ONCE)


def _rounded(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Six significant digits, nearest in decimal; not a number where nothing is known."""
    return np.array([
        float(f"{value:.{SIGNIFICANT_DIGITS}g}") if is_known else np.nan
        for value, is_known in zip(values, known, strict=True)
    ])
