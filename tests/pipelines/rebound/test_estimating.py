"""All levels of all changes: which are there, on what expected saving, and what a plain run costs."""

import random
import subprocess
import sys

import pytest
from made_up import laid, monday, touched, weeks
from support import ROOT

from pipelines.rebound.estimating import estimates
from pipelines.sandbox.rollouts import rolled_out


def test_levels_stand_in_order_and_the_fourth_only_by_lottery():
    changes, rows = rolled_out(1)
    other = touched({"work-15": monday(20)}, change="alone")
    found = list(estimates(changes + other, rows))
    assert [(row.change_id, row.level) for row in found] == [
        ("alone", 1), ("alone", 2), ("alone", 3),
        ("smaller-model", 1), ("smaller-model", 2), ("smaller-model", 3), ("smaller-model", 4)]
    assert all((row.rebound is None) == bool(row.gap_reason) for row in found)
    # nothing causal without an interval
    assert all(row.low <= row.rebound <= row.high for row in found if row.level > 1 and not row.gap_reason)
    assert {row.level: row.gap_reason for row in found[:3]} == {1: "", 2: "", 3: "too_few_groups"}
    fourth = found[-1]
    assert fourth.warrant == "randomised" and (fourth.found.n_treated, fourth.found.n_control) == (9, 3)
    assert fourth.low < 0.525 < fourth.high


def test_the_order_of_rows_does_not_matter():
    changes, rows = rolled_out(2)
    changes = [row._replace(design="") for row in changes]
    mixed = random.Random(1)
    assert list(estimates(changes, rows)) == list(
        estimates(mixed.sample(changes, len(changes)), mixed.sample(rows, len(rows))))


def test_the_expected_saving_is_the_declared_one_or_what_a_request_takes_less():
    rows = weeks("w", [100] * 14 + [75] * 9, 1000)
    declared, measured = (next(iter(estimates(touched({"w": monday(14)}, saving), rows))) for saving in ("0.5", None))
    assert (declared.rebound, declared.expected_source) == (0.5, "declared")
    assert (measured.rebound, measured.expected_source, measured.expected_saving_ratio) == (0, "measured", 0.25)
    assert {row.expected_saving_ratio for row in estimates(touched({"w": monday(14)}, None), rows)} == {0.25}


def test_of_two_days_for_one_workflow_the_earlier_counts():
    change, _ = laid(touched({"w": monday(9)}) + touched({"w": monday(4)}), [])
    assert change.dates == {"w": monday(4)}


@pytest.mark.parametrize("rows", [[], weeks("w", [1] * 9)])
def test_a_change_that_nobody_can_look_at_is_refused_at_each_level(rows):
    found = list(estimates(touched({"elsewhere": monday(4)}, design="randomised order"), rows))
    assert [row.gap_reason for row in found] == [
        "too_few_periods", "too_few_periods", "no_control_group", "no_control_group"]


def test_without_changes_nothing_slow_is_imported():
    code = ("import sys; from pipelines.rebound.estimating import estimates; assert list(estimates([], [])) == []; "
            "sys.exit(any(name in sys.modules for name in ('statsmodels', 'scipy', 'pandas')))")
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60).returncode == 0
