"""The form, its ranges and its combination with EcoLogits, against numbers worked by hand and laws.

How well it fits measurements is tested in test_benchmark_fit.py.
"""

import math
from dataclasses import fields
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.factors.benchmark import Conditions, Fitted, assumptions, batch_points, estimate, log_joules, of_mixture
from pipelines.factors.benchmark_closed import combined
from pipelines.factors.values import Ends

SIMPLE = {"weights": math.log(0.2), "compute": math.log(0.006), "size": 1.0, "sparsity": 0.5, "length": 0.2,
          "weights_bits": 1.0, "compute_bits": 0.5, "gpu_b200": math.log(0.8)}


def conditions(**given: float) -> Conditions:
    usual = {"active": 70, "total": 70, "batch": 64, "bits": 16, "b200": 0, "output_tokens": 500}
    return Conditions(*(np.array([float({**usual, **given}[field.name])]) for field in fields(Conditions)))


def joules(**given: float) -> float:
    return math.exp(log_joules(SIMPLE, conditions(**given))[0][0])


def simple(variance: float, covariance: float = 0.0) -> Fitted:
    return Fitted(tuple(SIMPLE), np.array(list(SIMPLE.values())), np.eye(8) * covariance, variance,
                  {"lm-arena-chat": 500.0, "gpqa": 5000.0})


@pytest.mark.parametrize(("given", "expected"), [
    # 140 GB of weights at 0.2 J each over 64 requests, and 70 billion parameters at 0.006 J: 0.4375 + 0.42
    ({}, 0.8575),
    # a batch of one pays the whole reading: 28 + 0.42
    ({"batch": 1}, 28.42),
    # 8-bit weights: half of the bytes, 0.7071 of the arithmetic: 0.21875 + 0.29698
    ({"bits": 8}, 0.515735),
    # a B200 at 0.8 of it
    ({"b200": 1}, 0.686),
    # 16 times the length: 16^0.2 = 1.7411 on arithmetic only: 0.4375 + 0.73126
    ({"output_tokens": 8000}, 1.168762),
    # a mixture with a quarter active, one request: it reads a quarter of 200 GB, 10 J; 0.006 * 25 * 4^0.5 = 0.3
    ({"active": 25, "total": 100, "batch": 1}, 10.3),
    # two requests touch 1 - 0.75^2 = 0.4375 of them: 0.2 * 200 * 0.4375 / 2 = 8.75, + 0.3
    ({"active": 25, "total": 100, "batch": 2}, 9.05),
])
def test_the_form_gives_what_is_worked_out_by_hand(given, expected):
    assert joules(**given) == pytest.approx(expected, rel=1e-5)


@given(st.floats(1, 600), st.floats(1, 30), st.floats(1, 4000), st.sampled_from([4, 8, 16]), st.sampled_from([0, 1]))
@settings(max_examples=50, deadline=None)
def test_slopes_are_those_of_the_form(active, sparsity, batch, bits, b200):
    at = conditions(active=active, total=active * sparsity, batch=batch, bits=bits, b200=b200, output_tokens=2000)
    slopes = log_joules(SIMPLE, at)[1]
    assert slopes.keys() == SIMPLE.keys() == assumptions()["prior"].keys()
    for name in SIMPLE:
        up, down = (log_joules({**SIMPLE, name: SIMPLE[name] + step}, at)[0][0] for step in (1e-5, -1e-5))
        assert slopes[name][0] == pytest.approx((up - down) / 2e-5, abs=1e-6), name


def test_one_case_is_a_log_normal():
    found = of_mixture(np.array([math.log(2.0)]), np.array([math.log(1.5) ** 2]))
    # 1.5^1.959964 = 2.21378
    assert (found.central, found.gsd) == pytest.approx((2.0, 1.5))
    assert (found.low, found.high) == pytest.approx((2 / 2.21378, 2 * 2.21378), rel=1e-5)


def test_equally_likely_cases_are_a_mixture():
    found = of_mixture(np.array([0.0, 10.0]), np.array([0.01, 0.04]))
    # far apart, each tail belongs to one case: its 5% point (1.644854 sd); variance (0.01 + 0.04) / 2 + 5^2
    assert math.log(found.low) == pytest.approx(-0.1644854, abs=1e-6)
    assert math.log(found.high) == pytest.approx(10 + 0.2 * 1.644854, abs=1e-6)
    assert math.log(found.gsd) == pytest.approx(math.sqrt(25.025))
    assert math.log(found.central) == pytest.approx(5)


def test_uncertain_coefficients_widen_the_range():
    at = conditions(batch=1e-9)  # all of it is reading: slopes 1 in `weights`, 0 in `compute`
    assert simple(0.04).predict(at)[1][0] == pytest.approx(0.04)
    assert simple(0.04, covariance=0.01).predict(at)[1][0] == pytest.approx(0.05, rel=1e-6)


def test_what_is_not_given_is_spread_and_widens():
    known = {"batch": 64, "gpu": "NVIDIA H100 80GB HBM3", "precision_bits": 16, "output_len": 500}
    whole = estimate(70, 70, **known, fitted=simple(0.04))
    assert whole.central == pytest.approx(0.8575) and whole.gsd == pytest.approx(math.exp(0.2))
    for name in ("batch", "gpu", "precision_bits"):
        less = estimate(70, 70, **{**known, name: None}, fitted=simple(0.04))
        assert less.gsd > whole.gsd * 1.02, name
    # an accelerator that was not measured: H100 or B200, and 1.3 for being another
    gpu_sd = math.log(estimate(70, 70, **{**known, "gpu": None}, fitted=simple(0.04)).gsd)
    assert gpu_sd == pytest.approx(math.sqrt(0.04 + math.log(1.3) ** 2 + (math.log(0.8) / 2) ** 2))
    # H100 and B200 in equal parts: sqrt(1 x 0.8) of an H100
    assert estimate(70, 70, **{**known, "gpu": None}, fitted=simple(0.04)).central == pytest.approx(
        0.8575 * math.sqrt(0.8))
    assert estimate(70, 70, **{**known, "gpu": "B200"}, fitted=simple(0.04)).central == pytest.approx(0.686)
    other = estimate(70, 70, **{**known, "gpu": "A100"}, fitted=simple(0.04))
    assert other == estimate(70, 70, **{**known, "gpu": None}, fitted=simple(0.04))
    long = estimate(70, 70, **{**known, "output_len": None}, reasoning=True, fitted=simple(0.04))
    # 10^0.2 = 1.58489 on 0.42 J
    assert long.central == pytest.approx(0.4375 + 0.42 * 1.58489, rel=1e-5)


def test_unknown_batches_lie_evenly_in_the_logarithm():
    points = batch_points()
    assert points[len(points) // 2] == pytest.approx(math.sqrt(16 * 512))
    ratios = [b / a for a, b in zip(points, points[1:], strict=False)]
    assert min(ratios) == pytest.approx(max(ratios)) and points[0] > 16 and points[-1] < 512


@given(st.floats(1, 500), st.floats(1, 30), st.floats(1, 2000), st.floats(1.001, 4), st.sampled_from([None, 8.0, 16.0]),
       st.sampled_from([None, "H100", "B200"]))
@settings(max_examples=60, deadline=None)
def test_ranges_hold_their_centre_and_follow_size_and_batch(active, sparsity, batch, more, bits, gpu):
    given = {"gpu": gpu, "precision_bits": bits}
    base = estimate(active * sparsity, active, batch, **given)
    assert 0 < base.low <= base.central <= base.high
    assert estimate(active * sparsity * more, active, batch, **given).central > base.central
    assert estimate(active * sparsity * more, active * more, batch, **given).central > base.central
    assert estimate(active * sparsity, active, batch * more, **given).central < base.central
    assert estimate(active * sparsity, active, batch, output_len=4000, **given).central > base.central


@pytest.mark.parametrize("wrong", [{"total_b": 0}, {"active_b": 0}, {"active_b": 71}, {"batch": 0}, {"batch": -1},
                                   {"precision_bits": -8}, {"output_len": -1}])
def test_impossible_conditions_are_refused(wrong):
    with pytest.raises(ValueError):
        estimate(**{"total_b": 70, "active_b": 70, **wrong})


def ends(low: str, high: str | None = None) -> Ends:
    return Ends(Decimal(low), Decimal(high or low))


def test_two_methods_become_one_in_logarithms():
    alone = estimate(440, 76)
    fitted = alone.central * 1.72 / 3.6e6
    found = combined(ends("440"), ends("76"), ends(f"{16 * fitted:.15f}"))
    assert float(found.fitted) == pytest.approx(fitted, rel=1e-6)
    # a quarter of the weight: 16^0.25 = 2
    assert float(found.span.central) == pytest.approx(2 * fitted, rel=1e-6)
    # apart by ln 16, drawn one time in four: 3/16 (ln 16)^2; facility 1.2
    sd = math.sqrt(math.log(alone.gsd) ** 2 + 3 / 16 * math.log(16) ** 2 + math.log(1.2) ** 2)
    assert math.log(found.gsd_ratio) == pytest.approx(sd, rel=1e-6)
    assert float(found.span.high / found.span.central) == pytest.approx(math.exp(1.96 * sd), rel=1e-6)
    assert float(found.span.central / found.span.low) == pytest.approx(math.exp(1.96 * sd), rel=1e-6)


def test_what_is_known_less_of_a_closed_model_widens_its_range():
    def joules(total: float, active: float) -> float:
        return estimate(total, active).central

    same = ends(f"{joules(440, 76) * 1.72 / 3.6e6:.15f}")
    sure = math.log(combined(ends("440"), ends("76"), same).gsd_ratio)

    def added(*given: Ends, sizes_assumed: bool = False) -> float:
        return math.sqrt(math.log(combined(*given, sizes_assumed=sizes_assumed).gsd_ratio) ** 2 - sure**2)

    # the total is known to a factor 1.6
    larger = math.log(joules(440 * 1.6, 76) / joules(440, 76))
    assert added(ends("440"), ends("76"), same, sizes_assumed=True) == pytest.approx(larger, rel=1e-4)
    # 90 % of a normal are 3.28971 sd wide: sizes bear on three quarters, the library's range on one
    sizes = 0.75 * math.log(joules(440, 152) / joules(440, 38)) / 3.28971
    assert added(ends("440"), ends("38", "152"), same) == pytest.approx(sizes, rel=1e-3)
    library = 0.25 * math.log(4) / 3.28971
    assert added(ends("440"), ends("76"), Ends(same.low / 2, same.high * 2)) == pytest.approx(library, rel=1e-3)
