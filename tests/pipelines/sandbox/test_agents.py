"""What the gateway's log says of steps: whole runs, a heavy tail, and not a token more than without them."""

import csv
import io
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from pipelines.sandbox import files, stories
from pipelines.sandbox.activity import calls_of_day
from pipelines.sandbox.agents import RUN_SIZES
from pipelines.sandbox.workloads import CALL_LOG_STREAMS


def log(day: date) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files.call_log_csv(7, day))))


@pytest.fixture(scope="module")
def month() -> dict[int, list[dict[str, str]]]:
    return {number: log(stories.day_of(number)) for number in range(1, 31)}


def steps(month) -> list[dict[str, str]]:
    return [row for rows in month.values() for row in rows if row["run_id"]]


def test_all_calls_of_the_agent_are_steps_and_no_others(month):
    for rows in month.values():
        assert [row for row in rows if bool(row["run_id"]) != (row["workflow_tag"] == stories.AGENT_WORKFLOW)] == []
        assert all(bool(row["step_kind"]) == bool(row["run_id"]) for row in rows)


def test_calls_are_what_they_were_without_steps(month):
    day = stories.day_of(3)
    calls = {call.request_id: call for stream in CALL_LOG_STREAMS for call in calls_of_day(7, stream, day)}
    assert len(calls) == len(month[3])
    for row in month[3]:
        call = calls[row["id"]]
        assert (int(row["input_tokens"]), int(row["output_tokens"]), int(row["attempt"])) == (
            call.input_tokens, call.output_tokens, call.attempt)
        # a moment, a sixteenth of a millisecond per token read, fifteen milliseconds per token written
        assert Decimal(row["duration_seconds"]) * 1000 == 300 + call.input_tokens // 16 + call.output_tokens * 15


def test_a_repeat_is_a_retry_and_reasoning_is_a_part_of_the_output(month):
    for row in steps(month):
        assert (row["step_kind"] == "retry") == (int(row["attempt"]) > 1)
        assert 0 <= int(row["reasoning_output_tokens"]) <= int(row["output_tokens"])
    assert set(Counter(row["step_kind"] for row in steps(month))) == {"model", "tool", "retry", "safety", "other"}


def test_a_few_runs_take_most_of_the_steps(month):
    sizes = sorted(Counter(row["run_id"] for row in steps(month)).values())
    assert len(sizes) > 200
    assert sizes[len(sizes) // 2] <= 4 and sizes[-1] >= RUN_SIZES[-1]
    tenth = sizes[-len(sizes) // 10:]
    assert sum(tenth) > 0.35 * sum(sizes)


def test_some_runs_go_on_after_midnight_and_none_for_a_third_day(month):
    days: dict[str, set[int]] = {}
    for number, rows in month.items():
        for row in rows:
            if row["run_id"]:
                days.setdefault(row["run_id"], set()).add(number)
    crossing = [seen for seen in days.values() if len(seen) > 1]
    assert len(crossing) >= 3
    assert all(len(seen) == 2 and max(seen) - min(seen) == 1 for seen in crossing)
