"""Level 2: exact on series without noise, refused with too few weeks, and honest about errors that persist."""

from math import exp, log

import numpy as np
import pytest
from made_up import laid, monday, touched, weeks

from pipelines.rebound.estimating import estimates
from pipelines.rebound.trend import course, design_of, interrupted, persistence, segmented
from pipelines.sandbox.rollouts import REBOUND, rolled_out


def test_growth_that_was_there_before_is_no_rebound():
    # 2 % a week throughout; 0.6 x 1.35 = 0.81 of the energy from week 14 on
    kwh = [100 * 1.02**week * (0.81 if week >= 14 else 1) for week in range(30)]
    row, = (row for row in estimates(touched({"w": monday(14)}), weeks("w", kwh)) if row.level == 2)
    assert row.realised_saving_ratio == pytest.approx(0.19, abs=1e-9)
    # 1 - 0.19 / 0.4, where before and after alone would say: backfire
    assert row.rebound == pytest.approx(0.525, abs=1e-9)
    assert row.warrant == "trend" and row.low <= row.rebound <= row.high


def test_an_effect_that_grows_is_averaged_over_the_weeks_after():
    span = np.arange(-12.0, 8)
    # steps down by 0.2, and by 0.01 more each week: 0.2 + 0.01 x 3.5 on average
    logs = 3 + 0.05 * span - (span >= 0) * (0.2 + 0.01 * span)
    assert segmented(span, logs).used_ratio == pytest.approx(exp(-0.235), abs=1e-9)


@pytest.mark.parametrize(("before", "after", "reason"), [
    (12, 8, ""), (11, 8, "too_few_periods"), (12, 7, "too_few_periods")])
def test_it_needs_twelve_weeks_before_and_eight_after(before, after, reason):
    kwh = [10 + week % 3 for week in range(before + after)]
    found = interrupted(*laid(touched({"w": monday(before)}), weeks("w", kwh)))
    assert (found.gap_reason, found.periods_before, found.periods_after) == (reason, before, after)
    assert (found.effect is None) == bool(reason)


def test_weeks_that_one_of_the_workflows_lacks_do_not_count():
    change, history = laid(
        touched({"a": monday(2), "b": monday(3)}), weeks("a", [1, 2, 3, 4, 5]) + weeks("b", [10, 20, None, 40, 50, 60]))
    # by weeks from each roll-out: a -2..2 (and a week without calls), b -3..2 without -1
    assert course(change, history) == {-2: log(21), 0: log(43), 1: log(54), 2: log(65)}


def test_residuals_do_not_pass_for_less_persistent_than_errors_are():
    span = np.arange(-200.0, 200)
    generator = np.random.default_rng(1)
    noise = generator.normal(size=400)
    for week in range(1, 400):
        noise[week] += 0.6 * noise[week - 1]
    seen = np.corrcoef(noise[1:], noise[:-1])[0, 1]
    assert persistence(span, noise, design_of(span)[0]) == pytest.approx(
        seen + 1.96 * ((1 - seen**2) / 400) ** 0.5, abs=0.02)
    # in 20 weeks, residuals about two broken lines hardly show it: without the correction 0.1 or so
    short = [persistence(span[188:208], noise[first:first + 20], design_of(span[188:208])[0])
             for first in range(0, 380, 20)]
    assert np.mean(short) == pytest.approx(0.6, abs=0.15)


def test_the_interval_holds_the_truth_where_weeks_pass_errors_on():
    inside = 0
    for seed in range(60):
        changes, rows = rolled_out(seed)
        found = interrupted(*laid(changes, rows, "smaller-model"))
        inside += found.effect.low <= 1 - (1 - REBOUND) * 0.4 <= found.effect.high
    # with 95 %, 52 or fewer of 60 come up in 1 of 100
    assert inside >= 53
