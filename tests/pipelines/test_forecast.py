"""Forecasts: figures by hand, what they may look at, and how they do against a flat run-rate where the end is known."""

import time
from dataclasses import fields
from datetime import date, timedelta

import numpy as np
import pytest

from pipelines.forecast import BORROWED, INTERVAL, NORMAL_END, Outlook, growth, laid_out, outlooks, written
from pipelines.sandbox import stories
from pipelines.sandbox.activity import hourly_calls
from pipelines.sandbox.workflows import WORKFLOWS
from pipelines.sandbox.workloads import STREAMS

NONE = float("nan")
OFFICE = np.tile([10.0, 10, 10, 10, 10, 0, 0], 10)


def look(*series, left=7) -> Outlook:
    values = np.array(series, np.float64)
    return outlooks(values, np.full(values.shape, left))


def ahead(outlook: Outlook, origin: int, days: int, series: int = 0):
    one = np.array([series]), np.array([origin])
    return outlook.cumulated(*one, days)[0], outlook.half_width(*one, days)[0]


def test_even_days_go_on_and_leave_no_doubt():
    path, error = ahead(look(np.full(60, 10.0)), 59, 30)
    assert path == pytest.approx(10 * np.arange(1, 31), rel=1e-12)
    assert error == pytest.approx(np.zeros(30), abs=1e-9)


def test_weekdays_have_the_weight_that_eight_weeks_gave_them():
    # a week is 50 / 7 a day; a working day has 10 / (50 / 7) = 1.4 of that: (8 x 1.4 + 0.5) / 8.5 = 1.376471 with half
    # a week of even days, a day of the weekend (0 + 0.5) / 8.5 = 0.058824; five and two of them are 7
    friday = 9 * 7 + 4
    path, _ = ahead(look(OFFICE), friday, 3)
    assert np.diff(path, prepend=0) == pytest.approx([50 / 7 * 0.5 / 8.5, 50 / 7 * 0.5 / 8.5, 50 / 7 * 11.7 / 8.5])
    week, _ = ahead(look(OFFICE), friday, 7)
    assert week[-1] == pytest.approx(50)


def test_a_trend_goes_on_and_fades():
    # 100, 101 ... 169: every pair of weeks rises by 1 a day; the level on the last day is 169
    outlook = look(100.0 + np.arange(70))
    assert (outlook.level[0, 69], outlook.slope[0, 69]) == pytest.approx((169, 1))
    day = np.diff(ahead(outlook, 69, 700)[0], prepend=0)
    # after a week 7 x (1 - 0.6) / (1 - 0.6) = 7 more, after two 7 + 0.6 x 7 = 11.2, at last 7 / 0.4 = 17.5
    assert day[[6, 13, 699]] == pytest.approx([176, 180.2, 186.5], rel=0.01)


def test_use_that_falls_to_nothing_goes_no_further():
    falling = look(np.maximum(60.0 - np.arange(70), 0))
    assert falling.level.min() == 0 and falling.slope[0, 69] < 0
    one = np.ones((1, 1))
    steep = Outlook(10 * one, -5 * one, np.ones((1, 1, 7)), 0 * one)
    day = np.diff(ahead(steep, 0, 10)[0], prepend=0)
    assert day[0] > 0 and day.min() == 0 and (day[3:] == 0).all()


def test_the_last_weeks_count_by_their_weights_and_the_days_before_there_is_one():
    # three weeks of 10, 20 and 40 a day; a trend is not looked for before the fourth:
    # (0.55 x 40 + 0.25 x 20 + 0.12 x 10) / 0.92 = 28.2 / 0.92
    outlook = look(np.repeat([10.0, 20, 40], 7))
    assert (outlook.level[0, 20], outlook.slope[0, 20]) == pytest.approx((28.2 / 0.92, 0))
    # on the third day (10 + 20 + 0) / 3
    assert look([10.0, 20, 0, 0]).level[0, 2] == pytest.approx(10)


def test_weeks_that_disagree_make_no_trend_and_one_odd_day_none_either():
    odd = np.full(70, 100.0)
    odd[60] = 5000
    assert look(odd).slope[0, 69] == 0
    up_and_down = np.repeat([90.0, 110, 95, 105, 100, 92, 108, 100], 7)
    assert abs(look(up_and_down).slope[0, 55]) < 0.01


def test_an_origin_sees_nothing_of_the_days_after_it():
    draw = np.random.default_rng(1)
    values = draw.gamma(2, 50, (3, 120))
    other = values.copy()
    other[:, 80:] *= draw.gamma(1, 3, (3, 40))
    # on that day, too, it was as it is now that later days are there
    first, second, then = (look(*each, left=84) for each in (values, other, values[:, :80]))
    for each in fields(Outlook):
        one, two = getattr(first, each.name), getattr(second, each.name)
        assert (one[:, :80] == two[:, :80]).all() and (one[:, :80] == getattr(then, each.name)).all()
        assert (one[:, 80:] != two[:, 80:]).any()


def test_a_series_is_forecast_alike_alone_and_among_others_of_any_size():
    values = np.random.default_rng(2).gamma(2, 50, (70, 90))
    values[5] *= 1e6
    values[6, :40] = 0
    together = look(*values)
    for number in (0, 6, 69):
        alone = look(values[number])
        for each in fields(Outlook):
            assert (getattr(alone, each.name)[0] == getattr(together, each.name)[number]).all()


def test_what_is_not_known_is_read_as_the_same_weekday_before():
    gap = OFFICE.copy()
    gap[[45, 52, 53]] = NONE
    assert ahead(look(gap), 69, 7)[0] == pytest.approx(ahead(look(OFFICE), 69, 7)[0])


def test_before_there_are_errors_a_week_may_use_nothing_or_twice_as_much():
    path, error = ahead(look(np.full(20, 10.0)), 10, 7)
    assert (path[-1], error[-1]) == pytest.approx((70, 70))
    # two weeks, and then 14 origins with known errors of a day ahead: from day 13 + 14 on
    outlook = look(np.full(40, 10.0))
    assert outlook.spread[0, 26] > 0
    assert outlook.spread[0, 27] == pytest.approx(0, abs=1e-12)


def test_the_half_width_is_the_rank_of_the_errors_that_a_finite_sample_needs():
    # asked a day ahead on day 99: origins 13 to 98 are known, 86 of them; the rank is
    # ceil(0.8 x (1 + 1 / (3 x 86)) x 86) = ceil(69.07) = 70
    values = np.random.default_rng(5).gamma(2, 50, 100)
    outlook = look(values, left=1)
    used = np.cumsum(values)
    errors = sorted(
        abs(used[day + 1] - used[day] - ahead(outlook, day, 1)[0][-1]) for day in range(13, 99))
    assert outlook.spread[0, 99] == pytest.approx(errors[69] / growth(np.array(1)))
    assert errors[68] < errors[69] < errors[70]


def test_a_longer_horizon_borrows_until_it_has_twice_its_days_in_origins():
    # 28 days ahead need 56 origins whose errors are known: age - 14 - 28 + 1 = 56 on the 97th day
    values = np.random.default_rng(7).gamma(2, 50, 100)
    shorter, longer = look(values, left=21).spread[0], look(values, left=28).spread[0]
    wider = (28 / 21) ** BORROWED
    assert longer[95] == pytest.approx(shorter[95] * wider) and longer[96] != pytest.approx(shorter[96] * wider)


def test_a_series_that_begins_late_or_never():
    late = np.zeros(60)
    late[50:] = 10
    path, _ = ahead(look(late, np.zeros(60)), 59, 7)
    assert path[-1] == pytest.approx(70)
    for values in ahead(look(late, np.zeros(60)), 59, 7, series=1):
        assert (values == 0).all()


def test_columns_are_laid_out_by_day_and_figures_written_with_six_digits():
    (found,) = laid_out(np.array([0, 1]), np.array([0, 2]), np.array([5.0, 7.0]))
    assert np.array_equal(found, [[5, NONE, NONE], [NONE, NONE, 7]], equal_nan=True)
    assert written(np.array([1234567.0, 0.12345649, NONE])) == ["1234570.000000000", "0.123456000", None]


def test_ends_are_those_of_the_paths():
    outlook = look(*np.random.default_rng(3).gamma(2, 50, (3, 90)))
    series, origin, left = np.array([0, 1, 2, 2]), np.array([60, 70, 80, 89]), np.array([5, 40, 5, 0])
    future, error = outlook.ends(series, origin, left)
    for place in range(3):
        path = ahead(outlook, origin[place], left[place], series[place])
        assert (future[place], error[place]) == pytest.approx((path[0][-1], path[1][-1]))
    assert (future[3], error[3]) == (0, 0)


def test_a_hundred_ceilings_of_four_hundred_days_take_at_most_two_seconds():
    draw = np.random.default_rng(4)
    values, left = draw.gamma(2, 50, (100, 400)), np.tile(np.arange(400)[::-1] % 92, (100, 1))
    began = time.process_time()
    outlook = outlooks(values, left)
    outlook.ends(*np.nonzero(left >= 0), left.reshape(-1))
    assert time.process_time() - began < 2


def sandbox(seed: int):
    """Calls a day of the sandbox's 60 workflows, and the last days of June, of July and of its data."""
    calls = {workflow.workflow_id: np.zeros(stories.DAY_COUNT) for workflow in WORKFLOWS}
    for stream in STREAMS:
        if stream.workflow_id in calls:
            calls[stream.workflow_id] += hourly_calls(seed, stream).sum(axis=1)
    assert len(calls) == 60
    return np.array(list(calls.values())), [29, 60, 89]


def seasonal(seed: int, months: int = 1):
    """Two years of 60 series with weekdays, a yearly wave, a trend, a wandering level and noise."""
    draw, count, days = np.random.default_rng(seed), 60, 730
    day = np.arange(days)
    wave = draw.uniform(0, 0.3, (count, 1)) * np.sin(2 * np.pi * (day / 365.25 + draw.uniform(0, 1, (count, 1))))
    trend = draw.normal(0, 0.3, (count, 1)) * day / 365.25
    wander = np.cumsum(draw.normal(0, 0.015, (count, days)), axis=1)
    weekday = np.take_along_axis(draw.normal(0, 0.5, (count, 7)), (day % 7)[None, :], axis=1)
    noise = draw.normal(0, draw.uniform(0.03, 0.2, (count, 1)), (count, days))
    mean = 10 ** draw.uniform(1.5, 5, (count, 1)) * np.exp(wave + trend + wander + weekday + noise)
    return draw.poisson(mean).astype(np.float64), ends(date(2025, 1, 1), days, months)


def ends(first: date, days: int, months: int = 1) -> list[int]:
    """Places of the last days of months or quarters."""
    following = [first + timedelta(days=number + 1) for number in range(days)]
    return [number for number, day in enumerate(following) if day.day == 1 and (day.month - 1) % months == 0]


def pinball(outcome, quantile, probability):
    miss = outcome - quantile
    return np.maximum(probability * miss, (probability - 1) * miss)


def against_a_flat_rate(values, left, asked):
    """Pinball losses of middle and ends over mean use, those of a flat rate, and the share of outcomes that lie within.

    Args:
        left: Days to forecast, of each day.
        asked: Which origins, series x days.
    """
    outlook = outlooks(values, np.where(asked, left, 0))
    series, origin = np.nonzero(asked & (np.cumsum(values, axis=1) > 0))
    ahead_days = left[origin]
    used = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    outcome = used[series, origin + ahead_days + 1] - used[series, origin + 1]
    middle, half = outlook.ends(series, origin, ahead_days)
    low, high = np.maximum(middle - half, 0), middle + half
    recent = np.array([values[one, max(day - 27, 0) : day + 1] for one, day in zip(series, origin, strict=True)])
    flat = recent.mean(axis=1) * ahead_days
    # what the flat rate's interval was until now: days that differ independently of each other
    flat_half = NORMAL_END * recent.std(axis=1, ddof=1) * np.sqrt(ahead_days)
    scale = values.mean(axis=1)[series] * ahead_days
    loss, flat_loss = (
        [(pinball(outcome, quantile, probability) / scale).mean() for quantile, probability in (
            (middle, 0.5), (least, (1 - INTERVAL) / 2), (most, (1 + INTERVAL) / 2))]
        for middle, least, most in ((middle, low, high), (flat, flat - flat_half, flat + flat_half)))
    covered = ((low <= outcome) & (outcome <= high)).mean()
    losses = (" ".join(f"{each:.4f}" for each in three) for three in (loss, flat_loss))
    print(f"pinball {' against '.join(losses)}, {covered:.1%} covered, {len(series)} forecasts")
    return loss, flat_loss, covered


@pytest.mark.parametrize("made", [sandbox(31), sandbox(32), seasonal(301), seasonal(302, 3)],
                         ids=["sandbox", "another sandbox", "months", "quarters"])
def test_to_the_periods_end_it_beats_a_flat_rate_and_its_interval_covers_what_it_says(made):
    values, last_days = made
    place = np.arange(values.shape[1])
    # every day of every period but the last one of it is an origin, from the second period on
    left = np.min([np.where(place <= end, end - place, 10**6) for end in last_days], axis=0)
    asked = np.tile((place > last_days[0]) & (left > 0) & (left < 92), (len(values), 1))
    loss, flat_loss, covered = against_a_flat_rate(values, np.where(left < 92, left, 0), asked)
    assert loss[0] < 0.85 * flat_loss[0]
    assert sum(loss) < 0.9 * sum(flat_loss)
    assert 0.75 <= covered <= 0.85


@pytest.mark.parametrize("values", [
    sandbox(31)[0], np.concatenate([seasonal(301)[0][:, first : first + 92] for first in (0, 200, 400)]),
    seasonal(302)[0][:, :365],
], ids=["sandbox", "quarters", "a year"])
def test_further_ahead_than_a_series_is_old_it_still_does(values):
    # from 28 days on, when the first errors are known, to the end of a first quarter or year
    left = values.shape[1] - 1 - np.arange(values.shape[1])
    age = np.cumsum(np.cumsum(values, axis=1) > 0, axis=1)
    loss, flat_loss, covered = against_a_flat_rate(values, left, (age >= 28) & (left > age))
    assert loss[0] < flat_loss[0] and sum(loss) < 0.9 * sum(flat_loss)
    assert 0.72 <= covered <= 0.85
