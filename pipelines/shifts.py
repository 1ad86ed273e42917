"""Finds level shifts in daily ratios of workflows, by weeks: what was found is never found otherwise later.

Which ratios these are, and what becomes of a shift, does not belong here (dbt_project/ says that).

A calendar week is the unit: weekdays cancel in it, and days that follow each other are alike mostly within it (batch
means: Law and Carson, Operations Research 27 (1979) 1011). Each Sunday the weeks so far are split in two in each way
that is allowed, and Student's t of the two sides is compared with its quantile at CHANCE (the change-point model of
Hawkins, Qiu and Kang, Journal of Quality Technology 35 (2003) 355). A look reads that Sunday and earlier days only, and
a shift once found starts its series anew: more days add shifts, and change none.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]

WEEK = 7
LEAST_DAYS = 3  # of a week with a ratio; fewer are no week
LEAST_BEFORE, MOST_BEFORE = 4, 12  # weeks on the side before
LEAST_AFTER, MOST_AFTER = 2, 8  # and after; the week between them, in which it shifts, is on neither side
CHANCE = 1e-4  # two-sided, of one way to split at one look; bench/shifts.py counts what it comes to in a year
LEAST_SHIFT = 0.05  # in logarithms, either way: less is not worth anybody's review
RANGE = 0.95  # of the levels and of the shift, by how much weeks differ
LONGEST_NAME = 44  # of a workflow within an id
SAME_DAYS = 7  # shifts of one workflow that lie at most so far apart are one change


@dataclass(frozen=True)
class Shift:
    """One level shift of one series; levels are geometric means of weeks, in the unit of the series.

    Attributes:
        series: Index of the series.
        first_day: Index of the first day at the new level.
        seen_day: Index of the Sunday on which the weeks were enough to see it.
        before, after: (low, central, high) of the level.
        change: (low, central, high) of after over before, less one.
    """

    series: int
    first_day: int
    seen_day: int
    before: tuple[float, float, float]
    after: tuple[float, float, float]
    change: tuple[float, float, float]


def shifts(amounts: Floats, units: Floats, first_date: date) -> list[Shift]:
    """The shifts of all series, by series and in the order in which they were seen.

    Args:
        amounts: What is above the line of the ratio, series x days; not a number = not known.
        units: What is below it, likewise.
        first_date: The day of the first column.
    """
    known = (amounts > 0) & (units > 0)
    amounts, units = (np.where(known, values, 0.0) for values in (amounts, units))
    lead = -first_date.weekday() % WEEK  # a week begins on Monday
    weeks = (amounts.shape[1] - lead) // WEEK
    if weeks < LEAST_BEFORE + 1 + LEAST_AFTER:
        return []

    def weekly(values: NDArray) -> NDArray:
        return values[:, lead:lead + weeks * WEEK].reshape(len(values), weeks, WEEK).sum(axis=2)

    whole = weekly(known) >= LEAST_DAYS
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.where(whole, np.log(weekly(amounts) / weekly(units)), np.nan)
        daily = np.where(known, np.log(amounts / units), np.nan)
    starts = np.zeros(len(level), dtype=np.int64)
    found = []
    for last in range(LEAST_BEFORE + LEAST_AFTER, weeks):
        best, at = _looked_at(level, starts, last)
        for series in np.flatnonzero(best >= 1).tolist():
            between = last - int(at[series])
            sides = (level[series, max(starts[series], between - MOST_BEFORE):between],
                     level[series, between + 1:last + 1])
            found.append(_told(series, daily[series], sides, lead, between, last))
            starts[series] = -((lead - found[-1].first_day) // WEEK)  # the first whole week at the new level
    return sorted(found, key=lambda shift: (shift.series, shift.seen_day))


def _looked_at(level: Floats, starts: NDArray[np.int64], last: int) -> tuple[Floats, NDArray[np.int64]]:
    """By series: the largest t of all splits over what is asked of it, 0 where none is allowed; and its weeks."""
    best, at = np.zeros(len(level)), np.zeros(len(level), dtype=np.int64)
    for weeks_after in range(LEAST_AFTER, min(MOST_AFTER, last - LEAST_BEFORE) + 1):
        between = last - weeks_after
        first = max(0, between - MOST_BEFORE)
        before = np.where(np.arange(first, between) >= starts[:, None], level[:, first:between], np.nan)
        after = level[:, between + 1:last + 1]
        asked = np.flatnonzero(
            (np.isfinite(before).sum(axis=1) >= LEAST_BEFORE) & (np.isfinite(after).sum(axis=1) >= LEAST_AFTER)
            & np.isfinite(after[:, -1]))
        before, after = before[asked], after[asked]
        if not len(asked):
            continue
        difference, error, freedom = _compared(before, after)
        least = -stdtrit(freedom, CHANCE / 2) * error
        size = np.abs(difference)
        apart = np.where(
            difference > 0, np.nanmin(after, axis=1) > np.nanmax(before, axis=1),
            np.nanmax(after, axis=1) < np.nanmin(before, axis=1))
        stands = apart & (size >= LEAST_SHIFT) & _begins_at_once(before, after, size)
        ratio = np.where(stands, size / np.maximum(least, 1e-12), 0)
        better = ratio > best[asked]
        best[asked] = np.where(better, ratio, best[asked])
        at[asked] = np.where(better, weeks_after, at[asked])
    return best, at


def _compared(before: Floats, after: Floats) -> tuple[Floats, Floats, Floats]:
    """The difference of the means, its standard error and its degrees of freedom, by row.

    Weeks that follow each other and are alike make the error larger: by (1 + r) / (1 - r) in the variance, r their
    correlation on either side, where it is above 0. So a drift, whose weeks are, is no shift.
    """
    counts = [np.isfinite(side).sum(axis=1) for side in (before, after)]
    means = [np.nanmean(side, axis=1) for side in (before, after)]
    apart = [side - mean[:, None] for side, mean in zip((before, after), means, strict=True)]
    squares = sum(np.nansum(side**2, axis=1) for side in apart)
    freedom = counts[0] + counts[1] - 2
    products = sum(np.nansum(side[:, 1:] * side[:, :-1], axis=1) for side in apart)
    # of so few weeks the estimate is too low, by about (1 + 4 r) / n (Marriott and Pope, Biometrika 41 (1954) 390)
    alike = np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0)
    alike = np.clip(alike + (1 + 4 * np.maximum(alike, 0)) / (freedom + 2), 0, 0.8)
    variance = squares / freedom * (1 + alike) / (1 - alike)
    return means[1] - means[0], np.sqrt(variance * (1 / counts[0] + 1 / counts[1])), freedom.astype(float)


def _begins_at_once(before: Floats, after: Floats, size: Floats) -> NDArray[np.bool_]:
    """Whether the first week after is like the others: else the level shifts within it, and it is to be left out."""
    others = np.abs(after[:, 0] - np.nanmean(after[:, 1:], axis=1))
    return ~(others > np.maximum(size / 4, 3 * np.nanstd(before, axis=1)))


def _told(
    series: int, daily: Floats, sides: tuple[Floats, Floats], lead: int, between: int, last: int
) -> Shift:
    """The shift between two sides: its levels, and the day about the week between on which it fits best."""
    means = [float(np.nanmean(side)) for side in sides]
    difference, error, freedom = (float(value[0]) for value in _compared(sides[0][None], sides[1][None]))
    reach = -float(stdtrit(freedom, (1 - RANGE) / 2))
    # the error is shared among the sides by their weeks
    counts = [int(np.isfinite(side).sum()) for side in sides]
    single = error / np.sqrt(1 / counts[0] + 1 / counts[1])
    ends = [
        tuple(float(np.exp(mean + sign * reach * single / np.sqrt(count))) for sign in (-1, 0, 1))
        for mean, count in zip(means, counts, strict=True)
    ]
    # the week before and the one after are looked through as well: of a week in which it shifts early or late, most is
    # like them
    first, end = lead + (between - 1) * WEEK, lead + (between + 2) * WEEK
    near = daily[first:end] - np.tile(_weekdays(daily[end - (len(sides[0]) + 2) * WEEK:first]), 3)
    misfit = [
        float(np.nansum(np.abs(near[:day])) + np.nansum(np.abs(near[day:] - difference))) for day in range(3 * WEEK)]
    first_day = first + int(np.argmin(misfit))
    change = tuple(float(np.expm1(difference + sign * reach * error)) for sign in (-1, 0, 1))
    return Shift(series, first_day, lead + last * WEEK + WEEK - 1, *ends, change)


def _weekdays(daily: Floats) -> Floats:
    """The mean of each weekday, of all days where a weekday has none."""
    rows = daily.reshape(-1, WEEK)
    seen = np.isfinite(rows).sum(axis=0)
    return np.where(seen > 0, np.nansum(rows, axis=0) / np.maximum(seen, 1), np.nanmean(rows))


def entries(found: list[tuple[str, int, Shift]]) -> list[int]:
    """The first day of the change that each shift belongs to: shifts of several ratios may be one change of a workflow.

    Whoever was seen first gives the entry its day; what is seen later joins it or opens another, and moves none.

    Args:
        found: Workflow, rank of the ratio (of several seen on one day the lowest gives the day) and shift.
    """
    opened: dict[str, list[int]] = {}
    days: dict[int, int] = {}
    order = sorted(range(len(found)), key=lambda at: (found[at][2].seen_day, found[at][1], found[at][2].first_day))
    for place in order:
        workflow, _, shift = found[place]
        beside = [day for day in opened.setdefault(workflow, []) if abs(day - shift.first_day) <= SAME_DAYS]
        if not beside:
            opened[workflow].append(shift.first_day)
        days[place] = min(beside, key=lambda day: abs(day - shift.first_day), default=shift.first_day)
    return [days[place] for place in range(len(found))]


def day_of(first_date: date, day: int) -> date:
    """The date of a column."""
    return first_date + timedelta(days=day)


def detected_id(workflow: str, first_date: date) -> str:
    """The id of an entry that was detected; of a long workflow's name only the beginning and a hash are kept."""
    if len(workflow) > LONGEST_NAME:
        workflow = f"{workflow[:LONGEST_NAME - 11]}-{hashlib.sha256(workflow.encode()).hexdigest()[:10]}"
    return f"detected:{workflow}:{first_date}"
