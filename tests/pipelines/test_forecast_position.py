"""Where forecasts meet limits: dates by hand, and the laws that the ends keep."""

import time
from dataclasses import replace

import numpy as np
import pytest

from pipelines.forecast import NORMAL_END, Outlook, growth, kept, outlooks, taken_up
from pipelines.forecast_position import Estimate, Meeting, meetings, ratios


def even(use: float, error_after: float = 0, days: int = 8) -> Outlook:
    """So much each day, with an error of this half width after so many days."""
    return Outlook(
        np.array([[use]]), np.zeros((1, 1)), np.ones((1, 1, 7)), np.array([[error_after / growth(np.array(days))]]))


def estimate(low: float, central: float, high: float, bound: float = 0) -> Estimate:
    return Estimate(*(np.array([float(value)]) for value in (low, central, high, bound)))


def met(outlook: Outlook, limit: float, used: Estimate, total: Estimate, days_left: int = 8) -> tuple:
    first = np.zeros(1, np.int64)
    found = meetings(
        outlook, first, first, np.array([days_left]), np.array([float(limit)]), used=used, total=total)
    return found.low[0], found.high[0], found.earliest[0], found.expected[0], found.latest[0]


def test_what_equals_the_limit_is_not_above_it():
    # 40 used, 10 a day: 100 after six days, 110 after seven, 120 at the end
    exact = estimate(40, 40, 40), estimate(120, 120, 120)
    assert met(even(10), 100, *exact) == (120, 120, 7, 7, 7)
    assert met(even(10), 120, *exact) == (120, 120, 0, 0, 0)
    assert met(even(10), 39, *exact) == (120, 120, 1, 1, 1)


def test_a_limit_is_not_passed_by_the_rounding_of_a_sum():
    # three eighths of 0.8 are 0.3 in decimal, and a little more in binary
    exact = estimate(0, 0, 0), estimate(0.8, 0.8, 0.8)
    assert 0.8 * 3 / 8 > 0.3
    assert met(even(0.1), 0.3, *exact)[2:] == (4, 4, 4)


def test_what_was_used_stays_used_however_wide_the_forecast():
    assert met(even(10, 200), 1000, estimate(32, 40, 50), estimate(96, 120, 150))[0] == 32


def test_the_latest_date_is_one_after_which_the_low_end_stays_above():
    # 95 + 10 a day, less an error that outgrows it: above 100 on day 3 (125 - 20.3), no longer on day 300
    wide = even(10, 10 * growth(np.array(300)), 300)
    assert met(wide, 100, estimate(95, 95, 95), estimate(3095, 3095, 3095), 300)[3:] == (1, 0)


def test_where_nothing_is_expected_a_bound_is_that_of_the_end():
    assert met(even(0), 10, estimate(0, 0, 5, 5), estimate(0, 0, 13, 13)) == (0, 13, 1, 0, 0)


def test_two_errors_add_as_the_root_of_their_squares_and_a_bound_is_added_whole():
    # at the end 3 below and 5 above of the estimate (2 of the 7 are a bound), 4 and 12 of the forecast
    used = estimate(40, 40, 40)
    assert met(even(10, 4), 1000, used, estimate(117, 120, 120))[:2] == pytest.approx((115, 124))
    assert met(even(10, 12), 1000, used, estimate(120, 120, 127, 2))[:2] == pytest.approx((108, 135))


def test_the_dates_are_those_on_which_the_ends_pass_the_limit():
    # The estimate is 40 and 120 x/÷ 1.25: 32, 40, 50 and 96, 120, 150; day by day 6.4 + 1.6, 8 + 2, 10 + 2.5 ...
    # Middle 40 + 10 j > 100: day 7. High 50 + 12.5 j > 100: day 5 (112.5). Low 32 + 8 j > 100: not by day 8 (96).
    used, total = estimate(32, 40, 50), estimate(96, 120, 150)
    assert met(even(10), 100, used, total)[2:] == (5, 7, 0)
    assert met(even(10), 95, used, total)[2:] == (4, 6, 8)
    # with a bound of 5 now and 13 at the end: 55 + 13.5 j > 100 on day 4
    assert met(even(10), 100, estimate(32, 40, 55, 5), estimate(96, 120, 163, 13))[2:] == (4, 7, 0)


def test_a_period_that_is_over_is_what_was_used():
    used = estimate(32, 40, 50, 3)
    assert met(even(10, 100), 45, used, used, days_left=0) == (32, 50, 0, 0, 0)
    # the two ranges are drawn apart: that of what was used stands
    assert met(even(10, 100), 45, used, estimate(30, 40, 55, 4), days_left=0) == (32, 50, 0, 0, 0)


def made_up(seed: int, count: int = 400):
    """Origins in series of noise, with estimates of any width."""
    draw = np.random.default_rng(seed)
    values = draw.gamma(3, 15, (20, 120))
    series, origin = draw.integers(0, 20, count), draw.integers(0, 120, count)
    left = draw.integers(0, 40, count)
    outlook = outlooks(values, np.full(values.shape, 20))
    central = draw.gamma(1, 200, count)
    future = outlook.ends(series, origin, left)[0]
    wide, bound = draw.uniform(1, 1.5, count), draw.choice([0, 50], count) * draw.uniform(0, 1, count)
    used, total = (
        Estimate(middle / wide, middle, middle * wide + bound * more, bound * more)
        for middle, more in ((central, 1), (central + future, 2)))
    limit = (central + future) * draw.uniform(0.4, 1.6, count)
    return outlook, series, origin, left, limit, used, total


def asked(outlook, series, origin, left, limit, used, total) -> Meeting:
    return meetings(outlook, series, origin, left, limit, used=used, total=total)


def late(days):
    """Never is later than any day."""
    return np.where(days == 0, 10**6, days)


@pytest.mark.parametrize("seed", range(5))
def test_ends_and_dates_say_the_same(seed):
    outlook, series, origin, left, limit, used, total = made_up(seed)
    found = asked(outlook, series, origin, left, limit, used, total)
    open_ = (left > 0) & (used.central <= limit)
    assert ((found.earliest > 0) == (found.high > limit))[open_].all()
    assert ((found.latest > 0) == (found.low > limit))[left > 0].all()
    assert (found.low <= total.central * (1 + 1e-9)).all() and (total.central <= found.high * (1 + 1e-9)).all()
    assert (late(found.earliest) <= late(found.expected)).all() and (late(found.expected) <= late(found.latest)).all()
    assert 20 < (found.latest[open_] > 0).sum() < (found.earliest[open_] > 0).sum() < open_.sum()


@pytest.mark.parametrize("seed", range(5))
def test_a_part_that_loses_its_estimate_does_not_lower_the_high_end_nor_delay_the_earliest_date(seed):
    outlook, series, origin, left, limit, used, total = made_up(seed)
    before = asked(outlook, series, origin, left, limit, used, total)
    # a quarter of what is known, with at most a quarter of its error, is only bounded now, at its own high end
    poorer = [
        replace(
            each, low=each.low * 0.75, central=each.central * 0.75, bound=each.bound + (each.high - each.bound) / 4)
        for each in (used, total)]
    after = asked(outlook, series, origin, left, limit, *poorer)
    assert (after.high >= before.high * (1 - 1e-9)).all()
    assert (late(after.earliest) <= late(before.earliest)).all()


def test_origins_are_answered_one_by_one_as_together():
    outlook, *columns, used, total = made_up(9, 60)
    together = asked(outlook, *columns, used, total)
    for place in range(60):
        some = slice(place, place + 1)
        one = asked(outlook, *(column[some] for column in columns), *(
            Estimate(each.low[some], each.central[some], each.high[some], each.bound[some]) for each in (used, total)))
        assert (one.low[0], one.high[0]) == pytest.approx((together.low[place], together.high[place]))
        assert (one.earliest[0], one.expected[0], one.latest[0]) == (
            together.earliest[place], together.expected[place], together.latest[place])


def test_an_outlook_that_was_kept_says_the_same_to_the_last_bit():
    outlook, series, origin, left, limit, used, total = made_up(11)
    again = taken_up(kept(outlook, series, origin))
    itself = np.arange(len(series))
    one, two = (
        meetings(look, rows, days, left, limit, used=used, total=total)
        for look, rows, days in ((outlook, series, origin), (again, itself, itself * 0)))
    for name in vars(one):
        assert (getattr(one, name) == getattr(two, name)).all()
    assert taken_up(kept(outlook, series[:0], origin[:0])).level.shape == (0, 1)


def test_a_forecast_is_set_against_recent_days_and_its_error_against_the_total():
    # 8 days of late 10: 80; 120 to come are 1.5 of it, of a total of 160; half the width 40 is a quarter of the total
    future, recent = np.array([120.0, 120, 120, 120, 0]), np.array([10.0, 10, 0, 10, 0])
    used, left = np.array([40.0, 40, 40, 60.1, 0]), np.array([8, 0, 8, 8, 8])
    growth_ratio, spread = ratios(
        future, np.full(5, 40.0), recent=recent, used=used, days_left=left, limit=np.full(5, 60.0))
    assert growth_ratio == pytest.approx([1.5, 1, 1, 1.5, 1])
    expected = np.log(1.25) / NORMAL_END
    assert spread == pytest.approx([expected, expected, expected, 0, 0])  # exceeded; nothing at all
    at_the_limit = ratios(future, np.full(5, 40.0), recent=recent, used=used, days_left=left, limit=np.full(5, 40.0))
    assert at_the_limit[1][0] == pytest.approx(expected)


def test_a_hundred_ceilings_of_a_year_take_at_most_two_seconds():
    values = np.random.default_rng(4).gamma(2, 50, (100, 400))
    series, origin = (each.reshape(-1) for each in np.indices(values.shape))
    left = 399 - origin
    used = np.cumsum(values, axis=1).reshape(-1)
    began = time.process_time()
    outlook = outlooks(values, left.reshape(values.shape))
    total = used + outlook.ends(series, origin, left)[0]
    meetings(
        outlook, series, origin, left, total, used=Estimate(used / 2, used, used * 2, used * 0),
        total=Estimate(total / 2, total, total * 2, total * 0))
    assert time.process_time() - began < 2
