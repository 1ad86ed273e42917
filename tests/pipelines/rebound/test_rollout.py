"""Level 3 against plain means and against one textbook regression, and what it says when groups differ before."""

import importlib.util
from math import exp, log

import numpy as np
import pytest
from made_up import laid, monday, panel, touched, weeks
from scipy import stats
from support import ROOT

from pipelines.rebound.estimating import estimates
from pipelines.rebound.panel import laid_out
from pipelines.rebound.rollout import cohorts, degrees_of_freedom, excess, mean_effect, staggered
from pipelines.sandbox.rollouts import REBOUND, rolled_out


@pytest.fixture(scope="module")
def bench():
    """bench/rebound.py, which holds the textbook's regression."""
    spec = importlib.util.spec_from_file_location("bench_rebound", ROOT / "bench" / "rebound.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def two_by_two(logs, treated, start):
    """Difference of differences of means, in four subtractions."""
    after, before = logs[:, start:].mean(axis=1), logs[:, :start].mean(axis=1)
    return (after - before)[treated].mean() - (after - before)[~treated].mean()


def test_two_by_two_is_the_difference_of_differences_with_the_error_of_two_means():
    generator = np.random.default_rng(7)
    logs = generator.normal(3, 0.3, (9, 12))
    treated = np.arange(9) < 5
    found = staggered(panel(logs, [5] * 5 + [12] * 4))
    figure = two_by_two(logs, treated, 5)
    gains = logs[:, 5:].mean(axis=1) - logs[:, :5].mean(axis=1)
    error = (gains[treated].var(ddof=1) / 5 + gains[~treated].var(ddof=1) / 4) ** 0.5
    # (1/5 + 1/4)^2 / ((1/5)^2 / 4 + (1/4)^2 / 3) = 0.2025 / 0.0308333
    reach = stats.t.ppf(0.975, 6.567568) * error
    assert found.effect.used_ratio == pytest.approx(exp(figure), abs=1e-12)
    assert (found.effect.low, found.effect.high) == pytest.approx((exp(figure - reach), exp(figure + reach)), rel=1e-7)
    assert (found.n_treated, found.n_control, found.periods_before, found.periods_after) == (5, 4, 5, 7)


def test_few_groups_on_one_side_count_as_few():
    assert degrees_of_freedom(2, 2) == pytest.approx(2)
    assert degrees_of_freedom(8, 8) == pytest.approx(14)
    # (1/2 + 1/1000)^2 / (1/4 + 1 / (999 x 10^6)): hardly more than the one of the two
    assert degrees_of_freedom(2, 1000) == pytest.approx(1.004, abs=1e-4)


def test_a_staggered_roll_out_is_the_textbook_regression_of_all_cells(bench):
    change, history = laid(*rolled_out(3), "smaller-model")
    rolled = laid_out(change, history)
    figure, *_ = bench.clustered(rolled)
    assert 1 - (1 - exp(mean_effect(rolled))) / 0.4 == pytest.approx(figure, abs=1e-9)


def test_nobody_who_has_rolled_out_is_a_control():
    # an effect that grows by 0.1 a week makes early groups a bad comparison for late ones: two-way fixed effects miss
    weeks_, starts = np.arange(16), [4, 4, 8, 8, 16, 16]
    level = np.array([[1.0], [2], [3], [4], [5], [6]])
    effects = np.array([np.where(weeks_ >= start, 0.1 * (weeks_ - start + 1), 0) for start in starts])
    logs = level + 0.3 * np.sin(weeks_) + effects
    # (0.1 + .. + 1.2) and (0.1 + .. + 0.8): 7.8 and 3.6 over 12 and 8 weeks
    assert mean_effect(panel(logs, starts)) == pytest.approx((7.8 + 3.6) / 20, abs=1e-12)
    found = cohorts(panel(logs, starts))
    assert excess(found)[0, 4:] == pytest.approx(effects[0, 4:], abs=1e-12)
    treated = (effects > 0) * 1.0
    both = treated - treated.mean(0) - treated.mean(1, keepdims=True) + treated.mean()
    assert abs((both * logs).sum() / (both * treated).sum() - 0.57) > 0.1


def test_an_event_study_is_by_four_weeks_from_each_roll_out():
    effects = {week: -0.1 if week < 4 else -0.3 for week in range(12)}
    starts = [14, 14, 16, 16, 28, 28, 28]
    logs = [[group + 0.02 * week + effects.get(week - start, -0.3 if week >= start else 0) for week in range(28)]
            for group, start in enumerate(starts)]
    found = staggered(panel(logs, starts))
    assert [event.first_week for event in found.events] == [-8, -4, 0, 4, 8, 12]
    assert [log(event.effect.used_ratio) for event in found.events] == pytest.approx(
        [0, 0, -0.1, -0.3, -0.3, -0.3], abs=1e-9)


def test_groups_that_went_their_own_way_before_are_no_evidence():
    generator = np.random.default_rng(2)
    changes = touched({f"w{group}": monday(20) for group in range(6)})

    def rows(own_growth: float):
        for group in range(12):
            growth = own_growth if group < 6 else 0.01
            logs = 3 + growth * np.arange(36) + generator.normal(0, 0.05, 36)
            yield from weeks(f"w{group}", [f"{exp(each):.9f}" for each in logs])

    third = {growth: next(row for row in estimates(changes, rows(growth)) if row.level == 3) for growth in (0.01, 0.04)}
    assert third[0.01].found.pre_trend_p > 0.05 and third[0.01].warrant == "controlled"
    assert third[0.04].found.pre_trend_p < 0.05 and third[0.04].warrant == "controlled_contested"
    assert "not causal" in third[0.04].claim


def test_without_an_effect_all_of_the_expected_saving_is_gone():
    generator = np.random.default_rng(5)
    logs = generator.normal(3, 0.1, (10, 30))
    effect = staggered(panel(logs, [15] * 5 + [30] * 5)).effect
    rebound, low, high = effect.rebound(0.4)
    # nothing realised: 1 - 0 / 0.4
    assert low < 1 < high and rebound == pytest.approx(1, abs=0.2)


def test_an_effect_moves_the_figure_and_nothing_else_does():
    generator = np.random.default_rng(6)
    logs = generator.normal(3, 0.1, (8, 20))
    starts = [8, 10, 12, 20, 20, 8, 20, 20]
    figure = mean_effect(panel(logs, starts))
    treated = np.arange(20) >= np.array(starts)[:, None]
    assert mean_effect(panel(logs - 0.25 * treated, starts)) == pytest.approx(figure - 0.25, abs=1e-12)
    # the size of groups and what all have in common
    assert mean_effect(panel(logs + generator.normal(size=(8, 1)) + generator.normal(size=20), starts)) == \
        pytest.approx(figure, abs=1e-12)
    order = generator.permutation(8)
    assert mean_effect(panel(logs[order], np.array(starts)[order])) == pytest.approx(figure, abs=1e-12)


def test_an_interval_that_says_nothing_is_refused():
    logs = np.random.default_rng(1).normal(0, 6, size=(6, 20))
    found = staggered(panel(logs, [8, 8, 20, 20, 20, 20]))
    assert (found.gap_reason, found.effect) == ("too_uncertain", None)


@pytest.mark.parametrize(("starts", "reason"), [
    ([8] * 6, "no_control_group"), ([20] * 6, "no_control_group"), ([8, 8, 20, 20], ""),
    ([8, 20, 20, 20, 20, 20], "too_few_groups"), ([3, 8, 20, 20, 20, 20], "too_few_periods"),
    ([17, 17, 20, 20, 20, 20], "too_few_periods"), ([8, 8, 20, 20, 20, 20], ""),
])
def test_refusals_are_values(starts, reason):
    logs = np.random.default_rng(1).normal(0, 0.1, size=(len(starts), 20))
    everything = panel(logs, starts)
    found = staggered(everything.of(np.arange(len(starts))))
    assert found.gap_reason == reason and (found.effect is None) == bool(reason)
    # with fewer than 12 weeks before, the test for earlier trends is not made
    assert found.pre_trend_p is None


def test_a_known_rebound_is_found_and_held_by_the_interval():
    rows = [row for seed in range(40) for row in estimates(*rolled_out_without_lottery(seed))]
    first, third = ([row for row in rows if row.level == level] for level in (1, 3))
    assert np.median([row.rebound for row in third]) == pytest.approx(REBOUND, abs=0.03)
    # with 95 %, 33 or fewer of 40 come up in 1 of 500
    assert sum(row.low <= REBOUND <= row.high for row in third) >= 34
    # before and after alone: growth is taken for rebound
    naive = [row.rebound for row in first]
    assert np.median(naive) == pytest.approx(1.5, abs=0.1)
    assert {row.verdict for row in first} == {"backfire"} and {row.warrant for row in first} == {"accounting"}
    assert REBOUND == pytest.approx(0.525, abs=1e-12)


def rolled_out_without_lottery(seed):
    changes, rows = rolled_out(seed)
    return [row._replace(design="") for row in changes], rows


def test_the_table_of_the_full_scale_prints(bench, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["rebound.py", "--draws", "2", "--lottery", "0"])
    bench.main()
    printed = capsys.readouterr().out
    assert "naive before and after" in printed and "coverage" in printed and "false alarms" in printed
