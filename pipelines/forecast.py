"""Forecasts of daily series: weekday pattern, damped trend, and an interval from the series' own past errors.

Whose series they are does not belong here (dbt_project/ says that), nor the error of an estimate
(`pipelines.uncertainty`).

Every day of every series is an origin whose forecast reads that day and earlier ones only, so that one pass makes the
forecasts and the errors that earlier ones turned out to have. Nothing is drawn: the same series, the same figures.

Sources: Theil (1950) and Sen, JASA 63 (1968) 1379 for the slope; Gardner and McKenzie, Management Science 31 (1985)
1237 for the damping of a trend; Shafer and Vovk, JMLR 9 (2008) 371 for intervals from the ranks of past errors.
"""

from dataclasses import dataclass, replace
from itertools import combinations
from statistics import NormalDist

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

WEEK = 7
LEVEL_WEIGHTS = (0.55, 0.25, 0.12, 0.08)  # of the last week and those before it, once the trend is taken out
TREND_WEEKS = 8  # weeks in which the trend and the pattern of weekdays are looked for
LEAST_TREND_WEEKS = 4
DAMPING = 0.6  # each week of a trend adds this part of what the week before it added
EVEN_WEEKS = 0.5  # weeks without a pattern that are averaged with those seen
FIRST_ORIGIN = 2 * WEEK  # age of a series in days from which on its errors are kept
INTERVAL = 0.8  # of outcomes lie within
NORMAL_END = NormalDist().inv_cdf((1 + INTERVAL) / 2)
# Horizons in days whose errors are kept; one that has too few of them borrows those of the longest that has enough.
HORIZONS = (1, 2, 3, 5, 7, 10, 14, 21, 28, 42, 56, 84, 112, 168)
BORROWED = 0.1  # power of how much longer the horizon is, by which borrowed errors are widened (tried)
LEAST_ORIGINS = 14  # origins whose errors are known, and at least two horizons of them
LEVEL_DAYS = 17.5  # days after which the error of the level outweighs those of single days
PAST_ORIGINS = 182  # older errors are forgotten
SIGNIFICANT_DIGITS = 6
SERIES_AT_ONCE = 64  # with 400 days: 60 MB


@dataclass(frozen=True)
class Outlook:
    """What each origin expects of the days after it; arrays of series x days, in the unit of the series.

    Attributes:
        level: Use a day at the origin, 0 before a series begins.
        slope: Change of the level a day, where the days to come begin.
        pattern: Weight of each of the seven days that follow, series x days x 7; their mean is 1.
        spread: Half the width of the interval of one day's use.
    """

    level: Floats
    slope: Floats
    pattern: Floats
    spread: Floats

    def cumulated(self, series: Integers, origin: Integers, days: int) -> Floats:
        """Use added up over the 1 to `days` days that follow each origin."""
        ahead = np.arange(1, days + 1)
        rise = (1 - DAMPING ** (ahead / WEEK)) / (1 - DAMPING) * WEEK
        level = self.level[series, origin, None] + self.slope[series, origin, None] * rise
        return np.cumsum(np.maximum(level, 0) * self.pattern[series, origin][:, (ahead - 1) % WEEK], axis=1)

    def half_width(self, series: Integers, origin: Integers, days: int) -> Floats:
        """Half the width of the interval of what is used in the 1 to `days` days that follow each origin."""
        return self.spread[series, origin, None] * growth(np.arange(1, days + 1))

    def ends(self, series: Integers, origin: Integers, days_left: Integers) -> tuple[Floats, Floats]:
        """What is used in as many days as are left to each origin, and half the width of its interval."""
        found = np.zeros((2, len(series)))
        for days in np.unique(days_left[days_left > 0]).tolist():
            some = np.flatnonzero(days_left == days)
            found[0, some] = self.cumulated(series[some], origin[some], days)[:, -1]
            found[1, some] = self.spread[series[some], origin[some]] * growth(np.array(days))
        return found[0], found[1]


def growth(days: Integers | Floats) -> Floats:
    """How much wider the interval of so many days' use is than one day's: errors of single days, and of a level."""
    return np.sqrt(days) * (1 + days / LEVEL_DAYS)


def outlooks(values: Floats, days_left: Integers | Floats) -> Outlook:
    """The outlook of every day of every series.

    Args:
        values: Daily use, series x days without a gap, at least 0; not a number = not known.
        days_left: Days for which each origin's forecast is asked, series x days; chooses the errors that it uses.
            Not a number = not asked.
    """
    found = [
        _outlook(values[first : first + SERIES_AT_ONCE], days_left[first : first + SERIES_AT_ONCE])
        for first in range(0, max(len(values), 1), SERIES_AT_ONCE)
    ]
    return Outlook(*(
        np.concatenate([getattr(each, name) for each in found]) for name in ("level", "slope", "pattern", "spread")))


def kept(outlook: Outlook, series: Integers, origin: Integers) -> list[str]:
    """The outlook of some origins, each a text of its ten figures that `taken_up` reads again to the last bit."""
    single = (each[series, origin, None] for each in (outlook.level, outlook.slope, outlook.spread))
    figures = np.concatenate([*single, outlook.pattern[series, origin]], axis=1)
    return [" ".join(map(repr, row)) for row in figures.tolist()]


def taken_up(texts: list[str]) -> Outlook:
    """What `kept` wrote: every text is a series whose only day is its origin."""
    figures = np.array([text.split() for text in texts], np.float64).reshape(-1, 3 + WEEK)
    return Outlook(figures[:, 0:1], figures[:, 1:2], figures[:, None, 3:], figures[:, 2:3])


def laid_out(series: Integers, day: Integers, *columns: Floats | Integers) -> tuple[Floats, ...]:
    """Columns of a long table as arrays of series x days; not a number where a day has no row."""
    found = np.full((len(columns), series.max(initial=-1) + 1, day.max(initial=0) + 1), np.nan)
    for place, column in enumerate(columns):
        found[place, series, day] = column
    return tuple(found)


def written(values: Floats) -> list[str | None]:
    """Figures in decimal, with six significant digits; none where they are not a number."""
    return [None if np.isnan(value) else f"{float(f'{value:.{SIGNIFICANT_DIGITS}g}'):.9f}" for value in values.tolist()]


def _outlook(values: Floats, days_left: Integers) -> Outlook:
    filled = _filled(values)
    # days since a series began, that day included
    age = np.cumsum(np.cumsum(filled > 0, axis=1) > 0, axis=1)
    weeks = _weeks(filled, age)
    slope = _slope(weeks, age)
    level, pattern = _level(weeks, slope, age, filled), _pattern(filled, weeks[:, :, 0], age)
    found = Outlook(level, slope, pattern, np.zeros(age.shape))
    return replace(found, spread=_spread(found, filled, age, days_left))


def _filled(values: Floats) -> Floats:
    """Unknown days as the same day of the week before, or 0."""
    found = values.copy()
    for day in range(found.shape[1]):
        unknown = np.isnan(found[:, day])
        found[unknown, day] = found[unknown, day - WEEK] if day >= WEEK else 0
    return found


def _lagged(values: Floats, lags: range) -> Floats:
    """Values so many days before each day, series x days x lags; 0 before the first."""
    most = max(lags)
    windows = sliding_window_view(np.pad(values, ((0, 0), (most, 0))), most + 1, axis=1)
    return windows[:, :, [most - lag for lag in lags]]


def _weeks(values: Floats, age: Integers) -> Floats:
    """Mean use a day of the seven days up to each day, and of the weeks before; not a number before a series began."""
    week = sliding_window_view(np.pad(values, ((0, 0), (WEEK - 1, 0))), WEEK, axis=1).mean(axis=2)
    weeks = _lagged(week, range(0, WEEK * TREND_WEEKS, WEEK))
    return np.where(age[:, :, None] >= WEEK * np.arange(1, TREND_WEEKS + 1), weeks, np.nan)


def _slope(weeks: Floats, age: Integers) -> Floats:
    """Median change a day between any two weeks, times the square of how far all pairs agree on its sign (Kendall)."""
    found = np.zeros(age.shape)
    enough = age >= WEEK * LEAST_TREND_WEEKS
    of = weeks[enough]
    pairs = np.stack([
        (of[:, new] - of[:, old]) / (WEEK * (old - new)) for new, old in combinations(range(TREND_WEEKS), 2)], axis=1)
    if len(pairs):
        found[enough] = np.nanmedian(pairs, axis=1) * np.nanmean(np.sign(pairs), axis=1) ** 2
    return found


def _level(weeks: Floats, slope: Floats, age: Integers, values: Floats) -> Floats:
    """Weighted mean of the last weeks, brought to the origin along the trend; of the days, before there is a week."""
    back = np.arange(len(LEVEL_WEIGHTS))
    # the middle of a week lies three days before its last
    there = weeks[:, :, : len(back)] + slope[:, :, None] * (WEEK * back + (WEEK - 1) / 2)
    weight = np.where(np.isnan(there), 0, LEVEL_WEIGHTS)
    total = weight.sum(axis=2)
    days = np.cumsum(values, axis=1) / np.maximum(age, 1)
    level = (np.nan_to_num(there) * weight).sum(axis=2) / np.where(total > 0, total, 1)
    return np.maximum(np.where(total > 0, level, days), 0)


def _pattern(values: Floats, week: Floats, age: Integers) -> Floats:
    """Mean share of each weekday in the week up to it, averaged with even days, for the seven days to come."""
    is_whole = np.nan_to_num(week) > 0
    share = np.where(is_whole, values / np.where(is_whole, week, 1), 0)
    lags = range(WEEK * TREND_WEEKS)
    total, count = (
        _lagged(each, lags).reshape(*age.shape, TREND_WEEKS, WEEK).sum(axis=2) for each in (share, is_whole * 1.0))
    # the weekday of the day that follows was six days ago
    pattern = ((total + EVEN_WEEKS) / (count + EVEN_WEEKS))[:, :, ::-1]
    return pattern / pattern.mean(axis=2, keepdims=True)


def _spread(outlook: Outlook, values: Floats, age: Integers, days_left: Integers) -> Floats:
    """Half the width of one day's interval: a high rank of past errors, at the longest horizon that has enough.

    Where there are none yet, what a week uses may be anything between nothing and twice what is expected.
    """
    horizons = np.array(HORIZONS)
    origins = age[:, :, None] - FIRST_ORIGIN - horizons + 1
    within = horizons <= days_left[:, :, None]
    fits = within & (origins >= np.maximum(LEAST_ORIGINS, 2 * horizons))
    wanted, chosen = ((which * np.arange(1, len(horizons) + 1)).max(axis=2, initial=0) - 1 for which in (within, fits))
    spread = outlook.level * WEEK / growth(np.array(WEEK))
    for number, ahead in enumerate(horizons.tolist()):
        asked = np.nonzero(chosen == number)
        if not len(asked[0]):
            continue
        past = sliding_window_view(_errors(outlook, values, age, ahead), PAST_ORIGINS, axis=1)[asked]
        ordered = np.sort(past, axis=1)  # what is not a number comes last
        known = (~np.isnan(ordered)).sum(axis=1)
        # a finite sample needs a higher rank, and errors of days that overlap are fewer than they look (tried: a third)
        share = INTERVAL * (1 + ahead / (3 * np.maximum(known, 1)))
        rank = np.clip(np.ceil(share * known) - 1, 0, known - 1).astype(np.int64)
        borrowed = (horizons[wanted[asked]] / ahead) ** BORROWED
        spread[asked] = ordered[np.arange(len(rank)), rank] / growth(np.array(ahead)) * borrowed
    return spread


def _errors(outlook: Outlook, values: Floats, age: Integers, ahead: int) -> Floats:
    """Absolute errors at one horizon, where they became known; padded in front for windows of past origins."""
    used = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    series, origin = np.nonzero((age >= FIRST_ORIGIN)[:, : age.shape[1] - ahead])
    found = np.full((len(values), PAST_ORIGINS - 1 + values.shape[1]), np.nan)
    outcome = used[series, origin + ahead + 1] - used[series, origin + 1]
    expected = outlook.cumulated(series, origin, ahead)[:, -1]
    found[series, PAST_ORIGINS - 1 + origin + ahead] = np.abs(outcome - expected)
    return found
