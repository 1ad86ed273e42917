"""Draws: one stratified normal score per factor, and the two-piece log-normal shapes that are made of it.

Totals do not belong here: `pipelines.uncertainty` adds shapes up, and the figures of a method stand in its data.

Sources: McKay, Beckman and Conover, Technometrics 21 (1979) 239 for Latin hypercube sampling; IPCC Guidelines 2006,
volume 1, chapter 3 for correlated errors in sums of estimates.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Of 40 k + 20 strata two have the 2.5 % and the 97.5 % point for their middle, so that ends need no interpolation.
DRAWS = 4100
LOW_DRAW, HIGH_DRAW = 102, 3997
# The tenth of the draws whose mean stands for the 97.5 % point of a sum; of 0.86 to 0.94 the least biased on sums of
# 2 to 100 log-normals with a geometric standard deviation of 1.05 to 4.5, independent or not.
TAIL_DRAWS = DRAWS // 10
# Log-space standard deviations of the shapes that others are mixes of; finer near zero, where a coarse grid would
# make the halves of a tight range too curved. The last stands for all beyond.
SLOPES = np.array([0, *(2.0**-power for power in range(6, 2, -1)), *(step / 4 for step in range(1, 34))])
LAST_STEP = len(SLOPES) - 2
# Nothing is stated of what lies beyond a part's high end: the tail goes on as the part does, but no heavier than this.
TAIL_SLOPE = 1.5


@dataclass(frozen=True)
class Correlation:
    """How errors are shared.

    Attributes:
        default: Correlation, 0 to 1, of the scores of two factors of one method. Factors of different methods are
            independent; rows of one factor share its error whole.
        by_method: The same for single methods.
        seed: Text that all draws derive from.
    """

    default: float
    by_method: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    seed: str = "jevons"

    def __post_init__(self) -> None:
        if not all(0 <= rho <= 1 for rho in (self.default, *self.by_method.values())):
            raise ValueError("a correlation within a method lies between 0 and 1")

    def of(self, method: str) -> float:
        """The correlation of two factors of this method."""
        return self.by_method.get(method, self.default)


@lru_cache(maxsize=1)
def scores() -> Floats:
    """The middles of equally likely strata of the standard normal distribution, ascending."""
    normal = NormalDist()
    found = np.array([normal.inv_cdf((place + 0.5) / DRAWS) for place in range(DRAWS)])
    found.setflags(write=False)
    return found


END_SCORE = float(scores()[HIGH_DRAW])


def term(correlation: Correlation, *name: str) -> Floats:
    """The scores in an order that depends on the seed and on this name only, not on what else is drawn."""
    digest = hashlib.sha256("\0".join((correlation.seed, *name)).encode("utf-8")).digest()
    # raw output is the part of a generator that NumPy promises never to change (NEP 19)
    order = np.argsort(np.random.PCG64(int.from_bytes(digest)).random_raw(DRAWS), kind="stable")
    return scores()[order]


def key_scores(correlation: Correlation, keys: Iterable[tuple[str, str]]) -> Floats:
    """One row of scores per (factor, method): what its method shares, and what is its own.

    A weighted sum of two stratified scores is stratified no more; taking its ranks makes it so again, and each
    factor's own range exact.
    """
    rows, shared = [], {}
    for factor, method in keys:
        rho = correlation.of(method)
        if method not in shared:
            shared[method] = term(correlation, "method", method)
        mixed = np.sqrt(rho) * shared[method] + np.sqrt(1 - rho) * term(correlation, "factor", method, factor)
        row = np.empty(DRAWS)
        row[np.argsort(mixed, kind="stable")] = scores()
        rows.append(row)
    return np.array(rows).reshape(-1, DRAWS)


def shape(row: Floats, step: int, side: int) -> Floats:
    """Half of a log-normal with median 1: below its median (side 0) or from it on (side 1), and zero elsewhere."""
    slope = SLOPES[step]
    if side == 0:
        return np.where(row < 0, np.exp(slope * row), 0)
    beyond = np.maximum(row - END_SCORE, 0)
    return np.where(row >= 0, np.exp(slope * np.minimum(row, END_SCORE) + min(slope, TAIL_SLOPE) * beyond), 0)


def tail_shape(row: Floats, step: int, side: int) -> Floats:
    """The shape, its upper half stretched about its mean until its highest tenth has the mean that is its 97.5 % point.

    The mean of the highest draws (expected shortfall: Acerbi and Tasche, Journal of Banking & Finance 26 (2002) 1487)
    of a sum is never above the sum of the parts' own, which a 97.5 % point may be: so a part that loses its median,
    and counts at its bound, does not lower the high end of its total.
    """
    found = shape(row, step, side)
    if side == 0 or step == 0:
        return found
    mean, stretch = _stretch(step)
    is_upper = row >= 0
    return is_upper + mean + stretch * (found - is_upper - mean)


@lru_cache(maxsize=2 * len(SLOPES))
def _stretch(step: int) -> tuple[float, float]:
    """The mean of what an upper half adds to its median, and the factor by which it is stretched."""
    added = shape(scores(), step, 1) - (scores() >= 0)
    mean, tail = float(added.mean()), float(added[-TAIL_DRAWS:].mean())
    return mean, (float(added[HIGH_DRAW]) - mean) / (tail - mean)


def weights(central: Floats, end: Floats) -> tuple[Integers, Floats, Floats]:
    """Halves of parts as mixes of two neighbouring shapes that meet the median and the end exactly.

    Args:
        central: Medians.
        end: Low ends or high ends of the 95 % ranges, in the unit of the medians.

    Returns:
        The step of the first shape, its weight, and that of the next one.
    """
    sign = np.where(end >= central, 1.0, -1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(end == central, 0, np.abs(np.log(end / central)) / END_SCORE)
    step = np.minimum(np.searchsorted(SLOPES, slope, side="right") - 1, LAST_STEP)
    at, after = (np.exp(sign * END_SCORE * SLOPES[step + more]) for more in (0, 1))
    following = np.maximum((end - central * at) / (after - at), 0)
    # a median that is nothing beside the high end, or a low end that is nothing beside the median
    is_last = step == LAST_STEP
    return step, np.where(is_last, end / at, central - following), np.where(is_last, 0, following)
