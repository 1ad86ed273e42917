"""Outcomes out of Prometheus: what an expression is at the end of each day, by label.

How Prometheus is asked belongs to `_prometheus`, what a record may hold to `_outcome_rows`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.errors import SourceError
from pipelines.http import Client
from pipelines.sources import _prometheus
from pipelines.userfiles import Row
from pipelines.window import DAY, Window

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Told:
    """What the expression was: its rows, the days of which it told anything, and what the server said beside it."""

    rows: list[Row]
    days: list[date]
    request: str
    warnings: tuple[str, ...]


def ask(client: Client, options: Mapping[str, Any], window: Window) -> Told:
    """Evaluates the expression at each midnight that ends a day of the window.

    So `round(sum by (workflow) (increase(tickets_solved_total[1d])))` is the day's count. A day without any series is
    not delivered, since a server that was down and one that had nothing to tell look alike; `or vector(0)` tells them
    apart.
    """
    answer = _prometheus.values(
        client, options["promql"], window.start_s + DAY_SECONDS, window.end_s, DAY_SECONDS)
    request = client.describe(_prometheus.RANGE, [("query", options["promql"])])
    rows = list(_rows(answer, options, request))
    days = sorted({row.values["usage_date"] for row in rows} & set(window.days()))
    silent = [str(day) for day in window.days() if day not in days]
    said = (f"{options['promql'][:80]} gives nothing for {silent[0]}" + (
        f" and {len(silent) - 1} more of the days" if len(silent) > 1 else ""),) if silent else ()
    return Told(rows, days, f"POST {request}, {window}", (*answer.warnings, *said))


def check(client: Client, options: Mapping[str, Any], day: date) -> str:
    """One sentence on whether the server understands the expression."""
    told = ask(client, options, Window(day, day + DAY))
    return (f"Prometheus {_prometheus.version(client)} answers; {options['promql'][:80]} gives {len(told.rows)} series "
            f"for {day}.")


def _rows(answer: _prometheus.Answer, options: Mapping[str, Any], where: str) -> Iterator[Row]:
    seen: set[tuple[str, str, date]] = set()
    for index, (number, at_ms, raw) in enumerate(
            zip(answer.series.tolist(), answer.at_ms.tolist(), answer.raw.to_pylist(), strict=True), start=1):
        labels = answer.labels[number]
        at, rest = divmod(at_ms, 1000 * DAY_SECONDS)
        if rest:
            raise SourceError("The answer is not for the ends of days", where, f"a value is of {at_ms} ms",
                              "look at what stands between Jevons and Prometheus")
        day = datetime.fromtimestamp((at - 1) * DAY_SECONDS, UTC).date()
        workflow = options.get("workflow_id") or labels.get(options["workflow_label"], "")
        outcome = options.get("outcome_type") or labels.get(options["outcome_label"], "")
        problem = None if _is_whole(raw) else (
            f"{raw[:40]!r} is not a whole number; increase() extrapolates, so write round(increase(...))")
        if (workflow, outcome, day) in seen:
            problem = "two series have one workflow and type; add them up with sum by (...)"
        seen.add((workflow, outcome, day))
        yield Row(f"{where}, value {index}", {
            "usage_date": day, "workflow_id": workflow, "outcome_type": outcome, "outcome_count": raw,
        }, problem)


def _is_whole(raw: str) -> bool:
    try:
        return Decimal(raw) == int(Decimal(raw)) and abs(Decimal(raw)) < 2**53  # beyond, the server's doubles are not
    except (InvalidOperation, ValueError, OverflowError):
        return False
