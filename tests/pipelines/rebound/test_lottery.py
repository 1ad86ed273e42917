"""Level 4 against all orders that a small lottery has, counted out with plain means."""

from itertools import combinations
from math import exp, log

import numpy as np
import pytest
from made_up import panel

from pipelines.rebound.lottery import drawn, kept, possible_orders

START, WEEKS = 5, 10


def every_order(logs, effect):
    """Part of all orders whose difference of differences, once the effect is taken out, is as far from nothing."""
    gains = logs[:, START:].mean(axis=1) - logs[:, :START].mean(axis=1)
    gains = gains - effect * (np.arange(8) < 4)
    sizes = [abs(gains[list(order)].mean() - np.delete(gains, order).mean()) for order in combinations(range(8), 4)]
    return np.mean(np.array(sizes) >= sizes[0] - 1e-9)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(11).normal(3, 0.1, (8, WEEKS))


STARTS = [START] * 4 + [WEEKS] * 4


def test_the_interval_is_what_all_orders_allow(noise):
    low, high = kept(panel(noise, STARTS))
    allowed = [effect for effect in np.arange(-0.4, 0.4, 0.001) if every_order(noise, effect) > 0.05]
    # 499 of the 70 orders, with repetition: the ends move a little
    assert (low, high) == pytest.approx((min(allowed), max(allowed)), abs=0.02)
    # nothing was done to these groups
    assert low < 0 < high


def test_an_effect_moves_the_interval_by_itself(noise):
    low, high = kept(panel(noise, STARTS))
    treated = (np.arange(WEEKS) >= np.array(STARTS)[:, None])
    found = drawn(panel(noise - 0.5 * treated, STARTS))
    assert (log(found.effect.low), log(found.effect.high)) == pytest.approx((low - 0.5, high - 0.5), abs=1e-6)
    assert found.effect.low < found.effect.used_ratio < found.effect.high < 1
    assert exp(high - 0.5) == pytest.approx(found.effect.high, abs=1e-6)
    assert (found.n_treated, found.n_control, found.gap_reason) == (4, 4, "")


def test_the_same_rows_give_the_same_interval(noise):
    assert kept(panel(noise, STARTS)) == kept(panel(noise, STARTS))


@pytest.mark.parametrize(("starts", "orders", "reason"), [
    ([5, 5, 5, 10, 10, 10], 20, "too_few_orders"),  # 6! / (3! 3!)
    ([5] * 6, 1, "no_control_group"),
    ([3] * 4 + [10] * 4, 70, "too_few_periods"),
])
def test_refusals_are_values(starts, orders, reason, noise):
    rolled = panel(noise[:len(starts)], starts)
    assert possible_orders(rolled) == orders
    whole = rolled.of(np.arange(len(starts)))
    assert drawn(whole).gap_reason == reason and drawn(whole).effect is None
