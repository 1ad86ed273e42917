"""What the growth of counters comes to: one row an hour for each service, pod, host, workflow, provider and model.

Where points are from, and how they become growth, does not belong here.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from pipelines.sources._otlp_counters import Growth, hour_of
from pipelines.sources._otlp_metric_words import CALLS, CLAUDE_CODE, COST, ERRORS, INSTRUMENTS, QUANTITIES, MetricWords
from pipelines.sources._otlp_metrics import Point
from pipelines.sources._otlp_parts import first
from pipelines.sources._otlp_words import HIDDEN, OPERATION, RESOURCE, TEXTS, impersonal


class Named(NamedTuple):
    """The names of a row."""

    hour_utc: datetime
    service_name: str | None
    pod: str | None
    node: str | None
    workflow_tag: str | None
    provider: str | None
    model: str | None
    input_includes_cached: bool


class Part(NamedTuple):
    """One quantity of a growth, and what may tell the same."""

    scope: tuple[Any, ...]
    quantity: str
    rank: int
    named: Named
    amount: Decimal


def rows(growths: Iterable[Growth], words: MetricWords) -> Iterator[dict[str, Any]]:
    """The rows of a day; where several metrics of a scope tell a quantity of an hour, one of them counts."""
    parts = [part for growth in growths for part in _parts(growth, words)]
    best: dict[tuple[Any, ...], int] = {}
    for part in parts:
        same = part.scope, part.quantity, part.named.hour_utc
        best[same] = min(best.get(same, part.rank), part.rank)
    totals: dict[Named, dict[str, Decimal]] = {}
    for part in parts:
        if part.rank == best[part.scope, part.quantity, part.named.hour_utc]:
            row = totals.setdefault(part.named, {})
            row[part.quantity] = row.get(part.quantity, Decimal(0)) + part.amount
    for named, told in totals.items():
        if any(told.values()):
            yield {**named._asdict(), **{
                name: told.get(name) if name == COST or name not in told else int(told[name]) for name in QUANTITIES
            }}


def wrong(row: Mapping[str, Any]) -> str | None:
    """The rule that a row breaks, if it breaks one."""
    cached = (row["cached_input_tokens"] or 0) + (row["cache_write_input_tokens"] or 0)
    if row["input_includes_cached"] and row["input_tokens"] is not None and cached > row["input_tokens"]:
        return "more tokens of a cache are told than input tokens, which include them; if they do not, name the " \
            "scope in input_excludes_cached"
    if (row["reasoning_output_tokens"] or 0) > (row["output_tokens"] or 10**18):
        return "more tokens of reasoning are told than output tokens, which include them"
    return None


def unheard(point: Point, words: MetricWords) -> str | None:
    """What of a point is not known, so that it is not counted."""
    attributes, known = dict(point.attributes), words.known(point.metric)
    if words.is_call(attributes) is None:
        told = impersonal(attributes[OPERATION]) or HIDDEN
        return f"the operation {told!r}, which is not known: if it is a model call, add it to operations of " \
            "[sources.otel]"
    if known and (by := INSTRUMENTS[known].by) and words.quantity(known, attributes) is None:
        told = impersonal(attributes.get(by)) or HIDDEN
        return f"tokens of the type {told!r}, which is not known: token_types of [sources.otel_metrics] may name it"
    return None


def _parts(growth: Growth, words: MetricWords) -> Iterator[Part]:
    point, value = growth.point, growth.value
    known = words.known(point.metric)
    if known is None or unheard(point, words):
        return
    attributes, resource, found = dict(point.attributes), dict(point.resource), INSTRUMENTS[known]
    scope = (point.resource, point.scope)
    workflow = words.spans.workflow
    named = Named(
        hour_of(growth.ended_ns), *(_name(first(resource, names)) for names in RESOURCE.values()),
        _name(attributes.get(workflow, resource.get(workflow))),
        _name(first(attributes, TEXTS["provider"])) or found.provider, _name(first(attributes, TEXTS["model"])),
        not known.startswith(CLAUDE_CODE) and point.scope not in words.spans.excluding,
    )
    quantity, told = words.quantity(known, attributes), attributes.get(found.by, "") if found.by else ""
    if quantity:
        yield Part(scope, quantity, found.rank, named, value.total)
    if found.calls_rank is not None and point.count is not None and words.types.get(told, told) == found.told_by:
        yield Part(scope, CALLS, found.calls_rank, named, Decimal(value.count))
        if not found.quantities:
            failed = first(attributes, TEXTS["error_type"]) is not None
            yield Part(scope, ERRORS, found.calls_rank, named, Decimal(value.count if failed else 0))


def _name(text: str | None) -> str | None:
    return None if text == HIDDEN else impersonal(text)
