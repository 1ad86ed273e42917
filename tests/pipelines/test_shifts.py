"""Level shifts: found where they are, rarely where there are none, and never found otherwise when more days come."""

from datetime import date, timedelta

import numpy as np
import pytest

from pipelines.shifts import Shift, detected_id, entries, shifts

MONDAY = date(2026, 1, 5)
RATIOS = 4


def made(seed: int, series: int, days: int, spread: float, likeness: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Stationary ratios: heavy tails, days like the day before, weekends apart, missing days and weeks.

    A fifth more at weekends, Student's t with four degrees of freedom, 3 % of the days missing, and of every third
    series two to thirteen days on end.
    """
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(4, (series, days)) / np.sqrt(2)
    noise = np.empty((series, days))
    noise[:, 0] = shocks[:, 0]
    for day in range(1, days):
        noise[:, day] = likeness * noise[:, day - 1] + np.sqrt(1 - likeness**2) * shocks[:, day]
    weekend = np.arange(days) % 7 >= 5
    units = np.where(weekend, 80, 1000) * rng.lognormal(0, 0.1, (series, days))
    amounts = units * np.exp(spread * noise + 0.2 * weekend)
    gone = rng.random((series, days)) < 0.03
    for row in np.flatnonzero(rng.random(series) < 1 / 3):
        first = rng.integers(0, days - 14)
        gone[row, first:first + rng.integers(2, 14)] = True
    return np.where(gone, np.nan, amounts), np.where(gone, np.nan, units)


def false_alarms(likeness: float, spread: float, workflows: int, seed: int = 11) -> float:
    """False alarms of a workflow and year, in its four ratios together."""
    return len(shifts(*made(seed, RATIOS * workflows, 364, spread, likeness), MONDAY)) / workflows


@pytest.mark.parametrize("likeness", [0.0, 0.6])
def test_a_stationary_workflow_is_rarely_called_changed(likeness):
    """The promise is one a year at most; bench/shifts.py counts it at full scale."""
    assert false_alarms(likeness, 0.1, 100) < 0.35


def test_a_shift_is_found_on_its_day_with_its_size():
    amounts, units = made(3, 60, 20 * 7, 0.05)
    amounts[:, 73:] *= 0.7  # a Thursday
    found = [shift for shift in shifts(amounts, units, MONDAY) if abs(shift.first_day - 73) <= 7]
    assert len({shift.series for shift in found}) >= 57
    assert np.mean([shift.first_day == 73 for shift in found]) > 0.6
    assert np.mean([shift.change[0] < -0.3 < shift.change[2] for shift in found]) > 0.8
    assert np.median([shift.seen_day for shift in found]) == 73 - 73 % 7 + 3 * 7 - 1  # two whole weeks after its own
    for shift in found:
        assert shift.before[0] < shift.before[1] < shift.before[2] and shift.after[2] < shift.before[0]
        assert shift.change[1] == pytest.approx(shift.after[1] / shift.before[1] - 1)


def test_by_hand():
    """Ten weeks of 2 per unit, then 1 from a Wednesday on: a half, on that day, seen after the second whole week."""
    units = np.full((1, 140), 10.0)
    amounts = units * np.where(np.arange(140) < 72, 2.0, 1.0)
    shift, = shifts(amounts, units, MONDAY)
    assert (shift.first_day, shift.seen_day) == (72, 90)
    assert shift.before == pytest.approx((2, 2, 2)) and shift.change == pytest.approx((-0.5, -0.5, -0.5))
    # the same days under another calendar: a week begins on Monday, not on the ledger's first day
    later, = shifts(amounts, units, MONDAY + timedelta(days=2))
    assert (later.first_day, (MONDAY + timedelta(days=2 + later.seen_day)).weekday()) == (72, 6)


def test_more_days_add_shifts_and_change_none():
    amounts, units = made(5, 40, 52 * 7, 0.1)
    for row, day in enumerate(range(40, 320, 7)):
        amounts[row, day:] *= 0.5
    whole = shifts(amounts, units, MONDAY)
    assert len(whole) > 30
    for days in range(60, 364, 19):
        assert shifts(amounts[:, :days], units[:, :days], MONDAY) == [s for s in whole if s.seen_day < days]


def test_a_drift_a_small_step_and_a_passing_peak_are_no_shift():
    units = np.full((3, 182), 100.0)
    amounts = units.copy()
    amounts[0] *= np.exp(0.004 * np.arange(182))
    amounts[1, 91:] *= 1.04
    amounts[2, 91:98] *= 3
    assert shifts(amounts, units, MONDAY) == []


def test_a_level_that_a_single_week_had_before_is_no_new_one():
    """Weeks of 1, one of 1.65, one of 1, then four of 1.65: each week after must lie beyond each week before."""
    weeks = np.array([1] * 13 + [1.65, 1] + [1.65] * 5)
    units = np.full((1, 140), 100.0)
    assert shifts(units * np.repeat(weeks, 7), units, MONDAY) == []


def test_too_few_weeks_and_no_series_are_no_shift():
    assert shifts(np.ones((2, 40)), np.ones((2, 40)), MONDAY) == []
    assert shifts(np.ones((0, 140)), np.ones((0, 140)), MONDAY) == []
    assert shifts(np.full((1, 140), np.nan), np.ones((1, 140)), MONDAY) == []


def seen(first_day: int, seen_day: int) -> Shift:
    return Shift(0, first_day, seen_day, (1, 1, 1), (1, 1, 1), (0, 0, 0))


def test_ratios_that_shift_within_a_week_are_one_change_and_keep_its_day():
    """The price is seen first and gives the day; energy, seen later and 7 days off, joins; 8 days off is another."""
    first = [("w", 3, seen(50, 69)), ("v", 3, seen(52, 69))]
    assert entries(first) == [50, 52]
    assert entries([("w", 1, seen(57, 83)), *first, ("w", 0, seen(58, 90))]) == [50, 50, 52, 58]
    assert entries([("w", 2, seen(60, 83)), ("w", 1, seen(55, 83))]) == [55, 55]  # on one Sunday: by rank


def test_an_id_fits_the_registry():
    assert detected_id("claims-triage", date(2026, 7, 15)) == "detected:claims-triage:2026-07-15"
    long = [detected_id("w" * 63 + end, date(2026, 7, 15)) for end in "ab"]
    assert long[0] != long[1] and {len(name) for name in long} == {64}

