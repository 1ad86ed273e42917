"""The parts of totals, merged by factor, and the sums of their draws.

What is asked of the sums does not belong here (`pipelines.uncertainty`), nor how one factor's error is drawn.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import JevonsError
from pipelines.uncertainty_draws import (
    DRAWS,
    SLOPES,
    Correlation,
    Floats,
    Integers,
    key_scores,
    shape,
    tail_shape,
    weights,
)

# A product of matrices has at most so many columns at a time: 35 MB of shapes.
SHAPES_AT_ONCE = 1024
_STEPS = len(SLOPES)


class Parts:
    """Parts of totals 0 to `count` - 1; those of one total and one factor are one part, their sum.

    Attributes:
        count: Number of totals.
        is_known: Whether a total has a part with a median.
        bound: Sum of the bounds of a total's parts without a median.
    """

    def __init__(
        self, correlation: Correlation, keys: Sequence[tuple[str, str]], count: int, *, total: Integers, key: Integers,
        low: Floats, central: Floats, high: Floats,
    ):
        """Takes a long table of parts in any order.

        Args:
            correlation: How errors are shared.
            keys: The (factor, method) that `key` points at.
            count: Number of totals.
            total: Which total a part belongs to.
            key: Which factor the part's error comes from.
            low: Low end of the 95 % range that the part has alone; all amounts of a total in one unit.
            central: Its median; not a number = only bounded.
            high: Its high end, or its bound.

        Raises:
            JevonsError: a range is negative, upside down or incomplete.
        """
        known = ~np.isnan(central)
        _check(keys, total, key, low, central, high, known)
        names = sorted(set(keys))
        place = {name: number for number, name in enumerate(names)}
        key = np.array([place[name] for name in keys], np.int64)[key]
        self.count = count
        # sorted whole before they are summed, so that the order in which parts come changes no digit
        bounds = np.lexsort((high[~known], total[~known]))
        self.bound = np.bincount(total[~known][bounds], high[~known][bounds], count)
        columns = [values[known] for values in (total, key, low, central, high)]
        order = np.lexsort(columns[::-1])
        total, key, *ends = (values[order] for values in columns)
        firsts = np.flatnonzero((np.diff(total, prepend=-1) != 0) | (np.diff(key, prepend=-1) != 0))
        self._total, self._key = total[firsts], key[firsts]
        self._low, self._central, self._high = (
            np.add.reduceat(values, firsts) if len(values) else values for values in ends)
        self._begins = np.searchsorted(self._total, np.arange(count + 1))
        self.is_known = np.diff(self._begins) > 0
        self._scores = key_scores(correlation, names)

    def added(self) -> tuple[Floats, Floats, Floats]:
        """Sums of the low ends, of the medians and of the high ends of each total, without what is only bounded."""
        low, central, high = (
            np.bincount(self._total, values, self.count) for values in (self._low, self._central, self._high))
        return low, central, high

    def draws(self, totals: Integers) -> Floats:
        """The draws of some totals, a row for each; 33 MB for a thousand totals."""
        return self._sums(totals, shape)

    def tails(self, totals: Integers) -> Floats:
        """Draws of some totals whose highest tenth has the mean that stands for the high end of the total."""
        return self._sums(totals, tail_shape)

    def _sums(self, totals: Integers, shaped: Callable[[Floats, int, int], Floats]) -> Floats:
        """Weights of shapes times shapes."""
        row, code, amount = self._mixed(totals)
        codes, column = np.unique(code, return_inverse=True)
        sums = np.zeros((len(totals), DRAWS))
        for first in range(0, len(codes), SHAPES_AT_ONCE):
            some = codes[first : first + SHAPES_AT_ONCE]
            here = (column >= first) & (column < first + len(some))
            weight = np.zeros((len(totals), len(some)))
            np.add.at(weight, (row[here], column[here] - first), amount[here])
            shapes = np.empty((len(some), DRAWS))
            for place, each in enumerate(some):
                shapes[place] = shaped(self._scores[each // _STEPS // 2], int(each % _STEPS), int(each // _STEPS % 2))
            sums += weight @ shapes
        return sums

    def _mixed(self, totals: Integers) -> tuple[Integers, Integers, Floats]:
        """Parts of some totals as shapes: each one's row, code (factor, side, step) and weight."""
        begins, many = self._begins[totals], self._begins[totals + 1] - self._begins[totals]
        row = np.repeat(np.arange(len(totals)), many)
        part = np.arange(len(row)) + np.repeat(begins - np.cumsum(many) + many, many)
        found = []
        for side, end in enumerate((self._low, self._high)):
            step, *both = weights(self._central[part], end[part])
            code = (self._key[part] * 2 + side) * _STEPS + step
            found += [(row[weight != 0], code[weight != 0] + more, weight[weight != 0])
                      for more, weight in enumerate(both)]
        rows, codes, amounts = (np.concatenate(values) for values in zip(*found, strict=True))
        return rows, codes, amounts


def _check(
    keys: Sequence[tuple[str, str]], total: Integers, key: Integers, low: Floats, central: Floats, high: Floats,
    known: NDArray[np.bool_],
) -> None:
    """Refuses what is no range."""
    wrong = ~np.where(known, (low >= 0) & (low <= central) & (central <= high), high >= 0) | np.isinf(high)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise JevonsError(
            "A range cannot be computed", f"a part of {keys[key[at]][0] or 'no factor'} in total {total[at]}",
            f"low {low[at]:g}, central {central[at]:g}, high {high[at]:g} are not 0 <= low <= central <= high",
            "mend the range of the factor or of the reading",
        )
