"""Level 1 by hand: what was expected, what was realised, and which weeks count."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from made_up import laid, monday, touched, weeks

from pipelines.rebound.estimating import estimates
from pipelines.rebound.split import totals


def first_level(changes, rows):
    return next(row for row in estimates(changes, rows) if row.level == 1)


# before: 100 kWh and 1000 requests a week, 0.1 kWh a request; after: 0.06, so that 0.4 of 100 kWh is expected
@pytest.mark.parametrize(("kwh", "requests", "rebound", "verdict"), [
    (90, 1500, 0.75, "partial"),  # 10 saved of 40: 1 - 0.1 / 0.4
    (120, 2000, 1.5, "backfire"),  # 20 more: 1 + 0.2 / 0.4
    (48, 800, -0.3, "super_conservation"),  # 52 saved of 40: 1 - 0.52 / 0.4
    (60, 1000, 0, "none"),  # all 40
    (100, "1666.666", 1, "full"),  # nothing, with the saving declared
])
def test_rebound_is_the_part_of_the_expected_saving_that_was_not_realised(kwh, requests, rebound, verdict):
    declared = "0.4" if isinstance(requests, str) else None
    requests = int(float(requests))
    row = first_level(touched({"w": monday(6)}, declared),
                      weeks("w", [100] * 6 + [kwh] * 5, [1000] * 6 + [requests] * 5))
    assert (row.rebound, row.verdict) == (rebound, verdict)
    assert (row.expected_saving_ratio, row.expected_source) == (0.4, "declared" if declared else "measured")
    assert (row.energy_before_kwh, row.energy_after_kwh) == (100, kwh)
    assert (row.low, row.high, row.warrant) == (None, None, "accounting")
    assert (row.found.periods_before, row.found.periods_after) == (6, 5)
    assert "not causal" in row.claim and f"rebound {rebound:.2f}" in row.claim


def test_workflows_of_a_staggered_change_are_each_split_at_their_own_day():
    change, history = laid(
        touched({"a": monday(4), "b": monday(6)}),
        weeks("a", [10] * 4 + [6] * 6) + weeks("b", [20] * 6 + [17] * 4) + weeks("c", [999] * 10))
    around, found = totals(change, history)
    assert (around.energy_before_kwh, around.energy_after_kwh) == (30, 23)
    assert found.effect.used_ratio == Fraction(23, 30)
    assert (found.n_treated, found.periods_before, found.periods_after) == (2, 4, 4)


def test_the_week_in_which_a_change_falls_counts_on_neither_side():
    # a Wednesday of week 4: its 77 kWh are both
    row = first_level(touched({"w": monday(4) + timedelta(days=2)}), weeks("w", [10] * 4 + [77] + [8] * 4))
    assert (row.energy_before_kwh, row.energy_after_kwh) == (10, 8)
    # 1 - 0.2 / 0.4
    assert row.rebound == 0.5


def test_half_a_year_on_either_side_counts_and_no_more():
    row = first_level(touched({"w": monday(30)}), weeks("w", [999] * 4 + [10] * 26 + [9] * 26 + [999] * 4))
    assert (row.energy_before_kwh, row.energy_after_kwh, row.found.periods_before) == (10, 9, 26)


def test_weeks_beyond_another_change_of_the_workflow_do_not_count():
    others = touched({"w": monday(3)}, change="earlier") + touched({"w": monday(12)}, change="later")
    change, history = laid(touched({"w": monday(8)}) + others, weeks("w", [50] * 3 + [10] * 5 + [8] * 4 + [50] * 9))
    around, found = totals(change, history)
    assert (around.energy_before_kwh, around.energy_after_kwh) == (10, 8)
    assert (found.periods_before, found.periods_after) == (5, 4)


def test_two_changes_on_one_day_cannot_be_told_apart():
    both = touched({"w": monday(8)}) + touched({"w": monday(8)}, change="d")
    assert {row.gap_reason for row in estimates(both, weeks("w", [10] * 16)) if row.level == 1} == {"too_few_periods"}


def test_a_week_without_calls_is_one_of_zero_and_one_before_the_first_call_is_none():
    quiet = weeks("w", [10, 10, 10, 10, 8, 8], first=2) + weeks("w", [8], first=9) + weeks("other", [1] * 10)
    row = first_level(touched({"w": monday(6)}), quiet)
    # after: 8, 8, no call, 8
    assert (row.energy_before_kwh, row.energy_after_kwh, row.found.periods_before) == (10, 6, 4)


def test_what_is_retired_saves_everything():
    rows = weeks("w", [10] * 5) + weeks("other", [1] * 10)
    # 1 - 1 / 0.4
    assert first_level(touched({"w": monday(5)}), rows).rebound == -1.5
    # without requests nothing says what one of them takes now
    assert first_level(touched({"w": monday(5)}, None), rows).gap_reason == "no_saving"


def test_unknown_energy_is_left_out_and_never_a_saving():
    row = first_level(touched({"w": monday(5)}), weeks("w", [10, None, 10, 10, 10, 9, 9, None, 9, 9]))
    assert (row.energy_before_kwh, row.energy_after_kwh) == (10, 9)
    assert (row.found.periods_before, row.found.periods_after) == (4, 4)
    refused = first_level(touched({"w": monday(5)}), weeks("w", [10] * 5 + [None] * 9))
    assert (refused.rebound, refused.claim, refused.gap_reason) == (None, "", "unknown_energy")


@pytest.mark.parametrize(("saving", "kwh", "requests", "reason"), [
    ("0.4", [10] * 4 + [9] * 3, 1000, "too_few_periods"),
    ("0.4", [0] * 4 + [9] * 4, 1000, "no_use_before"),
    (None, [10] * 8, 1000, "no_saving"),  # energy per request as before
    (None, [10] * 4 + [12] * 4, 1000, "no_saving"),  # it rose
    ("0.009", [10] * 4 + [9] * 4, 1000, "no_saving"),  # too little to divide by
])
def test_refusals_are_values(saving, kwh, requests, reason):
    row = first_level(touched({"w": monday(4)}, saving), weeks("w", kwh, requests))
    assert (row.gap_reason, row.rebound, row.verdict, row.claim) == (reason, None, "", "")


def test_a_workflow_without_weeks_refuses_the_whole_change():
    row = first_level(touched({"w": monday(4), "gone": date(2020, 1, 1)}), weeks("w", [10] * 8))
    assert row.gap_reason == "too_few_periods"
