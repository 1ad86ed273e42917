"""One payload of OTLP/JSON metrics, looked at closely: the points that tell of model calls, and what is refused.

A point leaves here with the attributes that Jevons reads and, in place of all others, with a hash that tells its series
from others: who sat in which session is written nowhere. What lies between two points is said in `_otlp_counters`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, partial
from hashlib import blake2b
from itertools import groupby
from typing import Any

from pipelines.sources._otlp_metric_words import COST, INSTRUMENTS, STREAM, MetricWords
from pipelines.sources._otlp_parts import (
    Odd,
    Refusal,
    again,
    as_list,
    as_object,
    as_text,
    attempt,
    attributes_of,
    day_of,
    nanoseconds,
    resources_of,
)
from pipelines.sources._otlp_words import HIDDEN, impersonal

KINDS = ("sum", "histogram", "exponentialHistogram")
TEMPORALITIES = {"1": False, "AGGREGATION_TEMPORALITY_DELTA": False,
                 "2": True, "AGGREGATION_TEMPORALITY_CUMULATIVE": True}
NOTHING_RECORDED = 1
MOST_TOKENS, MOST_USD = 10**15, 10**8
BILLIONTH = Decimal("0.000000001")
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)

Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A data point.

    Attributes:
        stream: Hash of all that tells its series from others: resource, scope, metric and every attribute.
        writer: Hash of resource and scope alone.
        scope: Name of the instrumentation; None where not told.
        metric: Its name as it was sent.
        start_ns: Since when it counts, in nanoseconds since 1970; 0 where not told.
        total: Tokens, or US dollars to the billionth; None where the metric has no total that is read.
        count: Recordings of a histogram; None of a sum.
    """

    stream: bytes
    writer: bytes
    resource: Attributes
    scope: str | None
    metric: str
    cumulative: bool
    attributes: Attributes
    start_ns: int
    time_ns: int
    total: Decimal | None
    count: int | None


@dataclass
class Metered:
    """What may be kept of a payload, and what is refused."""

    points: list[Point] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True)
class _Group:
    """What all metrics of a scope share."""

    resource: Attributes
    scope: str | None
    identity: str
    key: bytes

    @cached_property
    def writer(self) -> bytes:
        return self.hashed()

    def hashed(self, *more: str) -> bytes:
        return blake2b("\n".join((self.identity, *more)).encode(), key=self.key, digest_size=16).digest()


def judge(payload: object, words: MetricWords, key: bytes = b"") -> Metered:
    """The points of the payload that tell of model calls, without what is refused; never raises.

    Args:
        key: Of the hashes; needed where they are written.
    """
    done = Metered()
    try:
        resources = resources_of(payload, "resourceMetrics")
    except Odd as odd:
        done.refused.append(Refusal(odd.args[0], "", odd.args[1]))
        return done
    for number, resource in enumerate(resources, start=1):
        attempt(done.refused, f"resourceMetrics {number}", partial(_resource, done, resource, words, key))
    return done


def _resource(done: Metered, resource: object, words: MetricWords, key: bytes, at: str) -> None:
    resource = as_object(resource, "resourceMetrics")
    about = as_object(resource.get("resource"), "resource")
    kept = tuple(attributes_of(about, words.spans.of_resource).items())
    told = _canonical(about)
    for number, group in enumerate(as_list(resource, "scopeMetrics", "scopeMetrics"), start=1):
        attempt(done.refused, f"{at}, scopeMetrics {number}", partial(_scope, done, group, words, kept, told, key))


def _scope(
    done: Metered, group: object, words: MetricWords, resource: Attributes, told: str, key: bytes, at: str
) -> None:
    scope = as_object(as_object(group, "scopeMetrics").get("scope"), "scope")
    name = as_text(scope.get("name"))
    identity = json.dumps([told, name, as_text(scope.get("version")), _canonical(scope)])
    found = _Group(resource, name, identity, key)
    for number, metric in enumerate(as_list(group, "metrics", "metrics"), start=1):
        attempt(done.refused, f"{at}, metric {number}", partial(_metric, done, metric, words, found))


def _metric(done: Metered, metric: object, words: MetricWords, group: _Group, at: str) -> None:
    metric = as_object(metric, "metrics")
    name = as_text(metric.get("name"))
    known = words.known(name)
    if name is None or known is None:
        return
    kind = next((kind for kind in KINDS if metric.get(kind) is not None), None)
    if kind is None:
        if any(metric.get(other) is not None for other in ("gauge", "summary")):
            raise Odd(known, "it is neither a sum nor a histogram")
        return
    data = as_object(metric[kind], kind)
    points = as_list(data, "dataPoints", kind)
    if not points:
        return
    cumulative = TEMPORALITIES.get(as_text(data.get("aggregationTemporality")) or "")
    if cumulative is None:
        raise Odd("aggregationTemporality", "it is neither delta (1) nor cumulative (2)")
    if kind == "sum" and data.get("isMonotonic") is not True:
        raise Odd("isMonotonic", "it is a sum that may fall, and what was used never does")
    if kind == "sum" and not INSTRUMENTS[known].quantities:
        raise Odd(known, "it is no histogram, and the calls are its recordings")
    for number, each in enumerate(points, start=1):
        work = partial(_point, done, each, words, group, (name, known, kind, cumulative))
        attempt(done.refused, f"{at}, point {number}", work)


def _point(
    done: Metered, each: object, words: MetricWords, group: _Group, metric: tuple[str, str, str, bool], at: str
) -> None:
    each, (name, known, kind, cumulative) = as_object(each, "point"), metric
    attributes = attributes_of(each, words.of_point)
    flags = as_text(each.get("flags")) or "0"
    if words.is_call(attributes) is False or (_COUNT.fullmatch(flags) and int(flags) & NOTHING_RECORDED):
        return
    time, told_start = nanoseconds(as_text(each.get("timeUnixNano"))), as_text(each.get("startTimeUnixNano")) or "0"
    start = 0 if told_start == "0" else nanoseconds(told_start)
    total, count, broken = _values(each, kind, words.quantity(known, attributes), bool(INSTRUMENTS[known].quantities))
    if time is None or start is None:
        broken.append(("timeUnixNano" if time is None else "startTimeUnixNano",
                       "it is no time in nanoseconds since 1970"))
    elif start > time:
        broken.append(("startTimeUnixNano", "it is after the time of the point"))
    if broken:
        done.refused += [Refusal(at, field, rule, day_of(time - 1) if time else None) for field, rule in broken]
        return
    stream = group.hashed(name, kind, str(cumulative), _canonical(each))
    done.points.append(Point(
        stream, group.writer, group.resource, group.scope, name, cumulative, tuple(attributes.items()), start, time,
        total, count,
    ))


def _values(
    each: Mapping[str, Any], kind: str, quantity: str | None, totals: bool
) -> tuple[Decimal | None, int | None, list[tuple[str, str]]]:
    """Total and count of a point, and what is wrong with either."""
    broken: list[tuple[str, str]] = []
    count = None
    if kind == "sum":
        field = "asInt" if each.get("asInt") is not None else "asDouble"
        text = as_text(each.get(field))
    else:
        told = as_text(each.get("count")) or "0"
        count = int(told) if _COUNT.fullmatch(told) else None
        if count is None:
            broken.append(("count", "it is not a whole number of recordings"))
        field, text = "sum", as_text(each.get("sum"))
        text = "0" if text is None and count == 0 else text
    if not totals:
        return None, count, broken
    number = Decimal(text) if text and _NUMBER.fullmatch(text) else None
    if number is None or number >= (MOST_USD if quantity == COST else MOST_TOKENS):
        broken.append((field, "it is no number that a counter can have"))
        return None, count, broken
    if quantity != COST and number != int(number):
        broken.append((field, "it is not a whole number of tokens"))
    return number.quantize(BILLIONTH), count, broken


def _canonical(owner: Mapping[str, Any]) -> str:
    """All attributes of a part, as a text that is the same in whichever order they were sent."""
    found = [as_object(each, "attributes") for each in as_list(owner, "attributes", "attributes")]
    try:
        return json.dumps(sorted(found, key=lambda each: str(each.get("key"))), sort_keys=True) if found else ""
    except RecursionError as error:
        raise Odd("attributes", "they are nested too deeply") from error


def lines(points: Sequence[Point], at_most: int) -> Iterator[bytes]:
    """The points as OTLP/JSON, so many a line; of what is not read there is the hash alone."""
    for first in range(0, len(points), at_most):
        resources = []
        few = points[first:first + at_most]
        for (resource, scope), group in groupby(few, lambda point: (point.resource, point.scope)):
            metrics = [
                _told(name, cumulative, is_sum, list(same)) for (name, cumulative, is_sum), same
                in groupby(group, lambda point: (point.metric, point.cumulative, point.count is None))
            ]
            resources.append({
                "resource": {"attributes": again(dict(resource))},
                "scopeMetrics": [{"scope": {"name": impersonal(scope) or HIDDEN}, "metrics": metrics}],
            })
        yield json.dumps({"resourceMetrics": resources}, separators=(",", ":")).encode()


def _told(name: str, cumulative: bool, is_sum: bool, points: Sequence[Point]) -> dict[str, Any]:
    data = [{
        "attributes": [*again(dict(point.attributes)),
                       {"key": STREAM, "value": {"stringValue": point.stream.hex()}}],
        "startTimeUnixNano": str(point.start_ns), "timeUnixNano": str(point.time_ns), **_numbers(point),
    } for point in points]
    about = {"aggregationTemporality": 2 if cumulative else 1, "dataPoints": data}
    return {"name": name, **({"sum": {"isMonotonic": True, **about}} if is_sum else {"histogram": about})}


def _numbers(point: Point) -> dict[str, Any]:
    total = point.total
    if point.count is None:
        return {"asInt": str(int(total))} if total == int(total) else {"asDouble": float(total)}
    return {"count": str(point.count), **({} if total is None else {"sum": int(total)})}
