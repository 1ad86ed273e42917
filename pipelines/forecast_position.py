"""Where a forecast meets a limit: the error of the estimate and that of the forecast together, day by day.

How the days to come are forecast does not belong here (`pipelines.forecast`), nor how an estimate's range is drawn.

The two errors are independent: what they add on either side is the root of the sum of their squares (IPCC Guidelines
2006, volume 1, chapter 3, approach 1). What is only bounded is no error and is added whole, so that a part which loses
its estimate, and counts at its bound, does not lower the high end.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.forecast import NORMAL_END, Floats, Integers, Outlook

ROWS_AT_ONCE = 4096  # with a year to come: 12 MB an array
_ROUNDING = 1e-12  # relative: a sum that equals a limit does not exceed it


@dataclass(frozen=True)
class Estimate:
    """A total with the 95 % range of its estimate; one per origin.

    Attributes:
        low: Low end, of what is known.
        central: Sum of the medians.
        high: High end, with what is only bounded.
        bound: What is only bounded.
    """

    low: Floats
    central: Floats
    high: Floats
    bound: Floats

    def below(self) -> Floats:
        """How far the low end lies below the middle."""
        return np.maximum(self.central - self.low, 0)

    def above(self) -> Floats:
        """How far the high end of what is known lies above the middle."""
        return np.maximum(self.high - self.bound - self.central, 0)


@dataclass(frozen=True)
class Meeting:
    """What a forecast comes to; one per origin.

    Attributes:
        low: Low end of the total at the period's end.
        high: High end of it.
        earliest: Days from the origin until the high end is above the limit; 0 = it does not get there.
        expected: The same of the middle.
        latest: The same of the low end, which then stays above it.
    """

    low: Floats
    high: Floats
    earliest: Integers
    expected: Integers
    latest: Integers


def ratios(
    future: Floats, error: Floats, *, recent: Floats, used: Floats, days_left: Integers, limit: Floats
) -> tuple[Floats, Floats]:
    """What a forecast does to a total that was reckoned from recent days: how much larger, and how uncertain.

    Args:
        future: Expected use of the days that are left.
        error: Half the width of its interval.
        recent: Mean use a day of late; no use at all says nothing of growth.
        used: What was used up to the origin. The days to come cannot undo what is exceeded.

    Returns:
        Expected use over as many recent days, and the log-space standard deviation of the total.
    """
    steady, total = recent * days_left, used + future
    growth = np.where(steady > 0, future / np.where(steady > 0, steady, 1), 1)
    is_open = (total > 0) & (used <= limit)
    return growth, np.where(is_open, np.log1p(error / np.where(total > 0, total, 1)) / NORMAL_END, 0)


def meetings(
    outlook: Outlook, series: Integers, origin: Integers, days_left: Integers, limit: Floats, *, used: Estimate,
    total: Estimate,
) -> Meeting:
    """What each origin's forecast comes to at the period's end, and when it is above the limit.

    Args:
        outlook: Of all series.
        series: Which series an origin belongs to.
        origin: The day up to which `used` is counted.
        days_left: Days of the period that follow it.
        limit: In the unit of the series.
        used: What was used up to the origin.
        total: What is forecast for the period's end. In between, errors and bounds grow with the forecast.
    """
    found = Meeting(
        *(np.zeros(len(series)) for _ in range(2)), *(np.zeros(len(series), np.int64) for _ in range(3)))
    # origins with as many days to come stand together, so that few days are computed that nobody asks for
    order = np.argsort(days_left, kind="stable")
    for first in range(0, len(order), ROWS_AT_ONCE):
        some = order[first : first + ROWS_AT_ONCE]
        last, most = days_left[some], max(int(days_left[some].max()), 1)
        path = outlook.cumulated(series[some], origin[some], most)
        error = outlook.half_width(series[some], origin[some], most)
        rows, end = np.arange(len(some)), np.maximum(last, 1) - 1
        whole = path[rows, end][:, None]
        share = np.where(whole > 0, path / np.where(whole > 0, whole, 1), 1)
        middle = used.central[some, None] + share * (total.central - used.central)[some, None]
        low = np.maximum(middle - _with(used.below(), total.below(), some, share, error), used.low[some, None])
        bound = used.bound[some, None] + share * (total.bound - used.bound)[some, None]
        high = middle + bound + _with(used.above(), total.above(), some, share, error)
        in_period = np.arange(most) < last[:, None]
        over = limit[some, None] * (1 + _ROUNDING)
        found.low[some] = np.where(last > 0, np.minimum(low, middle)[rows, end], used.low[some])
        found.high[some] = np.where(last > 0, high[rows, end], used.high[some])
        found.earliest[some] = _first((high > over) & in_period)
        found.expected[some] = _first((middle > over) & in_period)
        stays = np.logical_and.accumulate(((low > over) | ~in_period)[:, ::-1], axis=1)[:, ::-1]
        found.latest[some] = _first(stays & in_period)
    return found


def _with(at_origin: Floats, at_end: Floats, some: Integers, share: Floats, error: Floats) -> Floats:
    """The error of the estimate, which goes from that of the origin to that of the end, and that of the forecast."""
    estimate = at_origin[some, None] + share * (at_end - at_origin)[some, None]
    return np.sqrt(estimate**2 + error**2)


def _first(is_so: NDArray[np.bool_]) -> Integers:
    """Number of the first day, from 1, on which it is so; 0 where it never is."""
    return np.where(is_so.any(axis=1), is_so.argmax(axis=1) + 1, 0)
