"""CloudWatch's API: which metrics a region has, and their sums by hour; every answer is checked for shape and end.

What a metric means belongs to the source that asks.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any, NamedTuple

from pipelines.errors import SourceError
from pipelines.source import Context
from pipelines.sources._aws import SECRET_KEY, AwsClient, credentials
from pipelines.sources._grid import Wire
from pipelines.window import Window

BASE_URL, TARGET = "https://monitoring.{region}.amazonaws.com", "GraniteServiceVersion20100801"
METRICS_PER_REQUEST, STALLED_PAGES, HOUR = 500, 3, timedelta(hours=1)
WIRE = Wire("CloudWatch")

Hours = dict[datetime, int]
Take = Callable[[Mapping[str, Any]], int]
"""Reads a page and says how much on it is new."""


class Metric(NamedTuple):
    """A metric of a namespace."""

    name: str
    dimensions: tuple[tuple[str, str], ...]


def client(context: Context, source: str, region: str) -> AwsClient:
    """The client of a region's CloudWatch.

    Raises:
        SourceError: a part of the key is missing.
    """
    url = context.options(source).get("base_url", BASE_URL).replace("{region}", region)
    return AwsClient("CloudWatch", url, key_name=SECRET_KEY, key=credentials(context.settings, "CloudWatch", source),
                     region=region, service="monitoring", target=TARGET)


def listed(asks: AwsClient, namespace: str, where: str) -> set[Metric]:
    """The metrics of a namespace that had values within the last two weeks.

    Raises:
        SourceError: AWS refused, an answer is of another shape, or pages do not end.
    """
    found: set[Metric] = set()

    def take(answer: Mapping[str, Any]) -> int:
        before = len(found)
        for metric in _list(answer, "Metrics", where):
            dimensions = _list({"Dimensions": [], **metric}, "Dimensions", where)
            told = [(each.get("Name"), each.get("Value")) for each in dimensions]
            if not all(isinstance(text, str) for text in (metric.get("MetricName"), *chain.from_iterable(told))):
                raise WIRE.misshapen(where, "a metric or a dimension has no name")
            found.add(Metric(metric["MetricName"], tuple(sorted(told))))
        return len(found) - before

    _pages(asks, "ListMetrics", [("Namespace", namespace)], where, take)
    return found


def sums(asks: AwsClient, namespace: str, metrics: Sequence[Metric], asked: Window, where: str) -> dict[Metric, Hours]:
    """The sum of each metric by hour; an hour of which CloudWatch knows nothing is not there.

    Raises:
        SourceError: AWS refused, an answer is of another shape or not whole, or holds what was not asked for.
    """
    told: dict[Metric, Hours] = {}
    for start in range(0, len(metrics), METRICS_PER_REQUEST):
        told |= _some(asks, namespace, metrics[start : start + METRICS_PER_REQUEST], asked, where)
    return told


def _some(asks: AwsClient, namespace: str, metrics: Sequence[Metric], asked: Window, where: str) -> dict[Metric, Hours]:
    told: dict[str, Hours] = {f"m{number}": {} for number in range(len(metrics))}
    state: dict[str, Any] = {}

    def take(answer: Mapping[str, Any]) -> int:
        points = new = 0
        for result in _list(answer, "MetricDataResults", where):
            name, times, values = (result.get(each) for each in ("Id", "Timestamps", "Values"))
            if not isinstance(name, str) or name not in told or not isinstance(times, list) \
                    or not isinstance(values, list) or len(times) != len(values):
                raise WIRE.misshapen(where, "a result is of no metric that was asked for, or lacks a value for a time")
            state[name], before = result.get("StatusCode"), len(told[name])
            for at, value in zip(map(_instant, times), map(_count, values), strict=True):
                if at is None or value is None:
                    raise WIRE.misshapen(where, "a time is no time, or a value no count")
                WIRE.inside(at, asked, HOUR, where)
                if told[name].setdefault(at, value) != value:
                    raise WIRE.misshapen(f"{where}, {at:%Y-%m-%dT%H:%MZ}", "a metric has two values for an hour")
            points, new = points + len(times), new + len(told[name]) - before
        if points and not new:
            raise WIRE.misshapen(where, "a page repeats what the pages before it told")
        return new

    _pages(asks, "GetMetricData", [
        ("StartTime", asked.start_s), ("EndTime", asked.end_s), ("ScanBy", "TimestampAscending"),
        ("MetricDataQueries", [{"Id": f"m{number}", "MetricStat": {"Period": 3600, "Stat": "Sum", "Metric": {
            "Namespace": namespace, "MetricName": metric.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
        }}} for number, metric in enumerate(metrics)]),
    ], where, take)
    short = [name for name in told if state.get(name) != "Complete"]
    if short:
        raise SourceError(
            "CloudWatch's answer is not whole", where, f"{len(short)} of {len(told)} metrics are not complete "
            f"({str(state.get(short[0]))[:40]})", WIRE.again)
    return {metric: told[f"m{number}"] for number, metric in enumerate(metrics)}


def _pages(asks: AwsClient, operation: str, question: Sequence[tuple[str, Any]], where: str, take: Take) -> None:
    token, seen, stalled = None, set[str](), 0
    while True:
        answer = asks.post(operation, [*question, *([("NextToken", token)] if token else [])])
        if not isinstance(answer, Mapping):
            raise WIRE.misshapen(where, "it is no object")
        stalled = 0 if take(answer) else stalled + 1
        token = answer.get("NextToken")
        if token is None:
            return
        if not isinstance(token, str) or token in seen or stalled == STALLED_PAGES:
            raise SourceError("CloudWatch's pages do not end", where, "a page leads back to another, or on to nothing",
                              WIRE.again)
        seen.add(token)


def _list(value: Mapping[str, Any], name: str, where: str) -> list[dict[str, Any]]:
    found = value.get(name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise WIRE.misshapen(where, f"it holds no list `{name}` of objects")
    return found


def _instant(value: Any) -> datetime | None:
    """An instant as AWS JSON writes it, in seconds since 1970."""
    seconds = _count(value)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value < 10**18 or value % 1:
        return None
    return int(value)
