"""Rows of text: what the warehouse casts, and that nothing unknown turns into a figure."""

from made_up import monday, touched, weeks

from pipelines.rebound.estimating import estimates
from pipelines.rebound.rows import COUNTS, DECIMALS, WORDS, rows
from pipelines.sandbox.rollouts import rolled_out


def test_a_row_is_a_level_or_a_period_of_an_event_study():
    changes, used = rolled_out(1)
    found = list(rows(estimates([row._replace(design="") for row in changes], used)))
    assert {tuple(row) for row in found} == {(*WORDS, *COUNTS, *DECIMALS)}
    levels = [row for row in found if row["event_week"] is None]
    assert [(row["level"], row["gap_reason"]) for row in levels] == [("1", ""), ("2", ""), ("3", "")]
    first, _, third = levels
    assert first["rebound_ratio_low"] is None and first["expected_saving_ratio"] == "0.400000000"
    # rebound = 1 - (1 - used) / 0.4, to the digits that are written
    assert abs(float(third["rebound_ratio"]) - 1 + (1 - float(third["used_ratio"])) / 0.4) < 1e-8
    events = [row for row in found if row["event_week"] is not None]
    assert [row["event_week"] for row in events] == ["-8", "-4", "0", "4", "8", "12", "16", "20"]
    assert all(row["used_ratio_low"] and row["claim"] is None and row["gap_reason"] is None for row in events)


def test_what_is_not_known_stays_empty():
    row, *_ = rows(estimates(touched({"w": monday(4)}), weeks("w", [1] * 5)))
    assert row["gap_reason"] == "too_few_periods"
    assert {row[name] for name in ("rebound_ratio", "used_ratio", "energy_before_kwh", "claim", "verdict")} == {None}
