"""What the gateway's log says of a call beyond its tokens: how long it took, and which step of an agent's run it was.

The calls themselves come from activity.py, and nothing here changes one: runs are made of calls that are there anyway.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from pipelines.sandbox import stories
from pipelines.sandbox.activity import Call
from pipelines.sandbox.draws import hex_id, uniforms
from pipelines.sandbox.workloads import Stream

# Steps of a run, one size as likely as another: half of the runs are over after three, and one in twenty takes forty.
RUN_SIZES = (1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6, 7, 9, 12, 20, 40)
# What a step that is neither first, last nor a repeat does, one as likely as another.
_MIDDLE_STEPS = ("model", "model", "model", "model", "tool", "tool", "tool", "tool", "safety", "other")
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000


class Step(NamedTuple):
    """What is logged beside a call; run and kind are None for whatever is not a step of an agent."""

    reasoning_output_tokens: int | None
    duration_ms: int
    run_id: str | None
    step_kind: str | None


def steps_of_day(seed: int, stream: Stream, day: date, calls: list[Call]) -> Iterator[tuple[Call, Step]]:
    """Yield the calls of one stream on one day, each with what is logged beside it.

    A run is a stretch of an agent's calls, of a size from RUN_SIZES. One that is at work within an hour of midnight
    goes on after it: its last steps are in the next day's log.

    Args:
        calls: of `calls_of_day`, in order of time.
    """
    if stream.workflow_id != stories.AGENT_WORKFLOW or stream.route != "call_log":
        for call in calls:
            yield call, Step(None, duration_ms(call), None, None)
        return
    name = f"{stream.stream_id}/{day.isoformat()}/steps"
    size_draws, kind_draws, thought = uniforms(seed, name, 3, len(calls)).tolist()
    starts = [0]
    while starts[-1] < len(calls):
        starts.append(starts[-1] + RUN_SIZES[int(size_draws[starts[-1]] * len(RUN_SIZES))])
    starts[-1] = len(calls)
    midnight_ms = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
    for first, end in pairwise(starts):
        run_id = _run_id(stream, day, first)
        if first == 0 and calls[0].started_at_ms - midnight_ms < _HOUR_MS:
            run_id = _run_id(stream, day, "midnight")
        elif end == len(calls) and midnight_ms + _DAY_MS - calls[-1].started_at_ms <= _HOUR_MS:
            run_id = _run_id(stream, day + timedelta(days=1), "midnight")
        for index in range(first, end):
            call = calls[index]
            kind = _MIDDLE_STEPS[int(kind_draws[index] * len(_MIDDLE_STEPS))]
            if call.attempt > 1:
                kind = "retry"
            elif index == first:
                kind = "model"
            elif index == end - 1:
                kind = "safety"  # what comes out is looked at before anybody sees it
            reasoning = int(call.output_tokens * (0.2 + 0.5 * thought[index]))
            yield call, Step(reasoning, duration_ms(call), run_id, kind)


def duration_ms(call: Call) -> int:
    """Return how long a call took: a moment, then reading 16 tokens and writing one fifteenth of a token each ms."""
    return 300 + call.input_tokens // 16 + call.output_tokens * 15


def _run_id(stream: Stream, day: date, number: int | str) -> str:
    return "run_" + hex_id(f"{stream.stream_id}/{day.isoformat()}/{number}", 12)
