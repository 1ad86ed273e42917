"""OpenAI's usage and costs endpoints, in OpenAI's wire contract (specification of 2026-08-21).

Projects and API keys are in openai_lists.py, numbers come from activity.py. Where the vendor documents nothing
(error texts, partial buckets), the behaviour is the one that clients have measured.
"""

from collections.abc import Callable, Iterator

import numpy as np

from pipelines.sandbox import stories
from pipelines.sandbox.activity import METERS, UsageLine, nano_usd, usage_lines, user_name
from pipelines.sandbox.exchange import Request, Response, World, json_response
from pipelines.sandbox.openai_query import DIMENSIONS, Query, cursor, edges, parse
from pipelines.sandbox.organisation import MODEL_BY_NAME


def usage(request: Request, world: World, kind: str) -> Response:
    """Answer one page of `/organization/usage/completions` or `/embeddings`."""
    query = parse(request, world, kind)
    lines = [line for line in _lines(world) if (line.stream.shape == "embed") == (kind == "embeddings")]
    lines = [line for line in lines if _wanted(line, query)]
    dimensions = [_dimensions(line) for line in lines]

    def results(at: np.ndarray) -> list[list[dict]]:
        totals = _grouped(lines, dimensions, query.group_by, at)
        return [
            [_usage_result(kind, dict(zip(query.group_by, group, strict=True)), row) for group, row in bucket]
            for bucket in totals
        ]

    return _page(request, query, results)


def costs(request: Request, world: World) -> Response:
    """Answer one page of `/organization/costs`: tokens times the sandbox's invented prices."""
    query = parse(request, world, "costs")
    lines = [line for line in _lines(world) if _wanted(line, query)]

    def results(at: np.ndarray) -> list[list[dict]]:
        buckets: list[dict[tuple, list[int]]] = [{} for _ in at[:-1]]
        for line in lines:
            spent = np.diff(line.until(at), axis=1)
            for item, meter, price in _line_items(line):
                tokens = spent[METERS.index(meter)]
                values = _dimensions(line) | {"line_item": item}
                group = tuple(values[name] for name in query.group_by)
                for number in np.flatnonzero(tokens):
                    total = buckets[number].setdefault(group, [0, 0])
                    total[0] += int(tokens[number]) * price
                    total[1] += int(tokens[number])
        return [
            [_costs_result(dict(zip(query.group_by, group, strict=True)), *bucket[group])
             for group in sorted(bucket, key=_sortable)]
            for bucket in buckets
        ]

    return _page(request, query, results)


def _lines(world: World) -> tuple[UsageLine, ...]:
    return usage_lines(world.seed, world.as_of > stories.RESTATEMENT.last_original_as_of)


def _dimensions(line: UsageLine) -> dict[str, str | bool | None]:
    stream = line.stream
    return {
        "project_id": stream.project_id, "api_key_id": stream.api_key_id, "model": stream.model,
        "user_id": user_name(stream.user_id) if stream.user_id else None,
        "batch": stream.batch, "service_tier": stream.service_tier,
    }


def _wanted(line: UsageLine, query: Query) -> bool:
    values = _dimensions(line)
    if query.batch is not None and values["batch"] != query.batch:
        return False
    return all(values[name] in allowed for name, allowed in query.filters)


def _sortable(group: tuple) -> tuple:
    return tuple((value is not None, str(value)) for value in group)


def _grouped(
    lines: list[UsageLine], dimensions: list[dict], group_by: tuple[str, ...], at: np.ndarray
) -> list[list[tuple[tuple, list[int]]]]:
    """Return for each bucket its (group, meters) with any request, in a fixed order."""
    groups: dict[tuple, np.ndarray] = {}
    for line, values in zip(lines, dimensions, strict=True):
        group = tuple(values[name] for name in group_by)
        spent = np.diff(line.until(at), axis=1)
        groups[group] = groups[group] + spent if group in groups else spent
    ordered = [(group, groups[group].T.tolist()) for group in sorted(groups, key=_sortable)]
    return [
        [(group, rows[number]) for group, rows in ordered if rows[number][0]] for number in range(len(at) - 1)
    ]


def _usage_result(kind: str, group: dict, meters: list[int]) -> dict:
    requests, uncached, cached, written, output = meters
    if kind == "embeddings":
        counts = {"input_tokens": uncached + cached + written, "num_model_requests": requests}
    else:
        counts = {
            "input_tokens": uncached + cached + written, "output_tokens": output, "num_model_requests": requests,
            "input_cached_tokens": cached, "input_cache_write_tokens": written, "input_uncached_tokens": uncached,
            "input_text_tokens": uncached, "output_text_tokens": output, "input_cached_text_tokens": cached,
            "input_audio_tokens": 0, "input_cached_audio_tokens": 0, "output_audio_tokens": 0,
            "input_image_tokens": 0, "input_cached_image_tokens": 0, "output_image_tokens": 0,
        }
    ungrouped = dict.fromkeys(DIMENSIONS[kind])
    return {"object": f"organization.usage.{kind}.result"} | counts | ungrouped | group


def _line_items(line: UsageLine) -> Iterator[tuple[str, str, int]]:
    """Yield (line item, meter, price in nano-dollars a token); batch work costs half."""
    model = MODEL_BY_NAME[line.stream.model]
    suffix, divisor = (" batch", 2) if line.stream.batch else ("", 1)
    for meter, words, price in (
        ("uncached", "input", model.input_price_usd),
        ("cached", "cached input", model.cached_price_usd),
        ("cache_write", "cache write", model.input_price_usd),
        ("output", "output", model.output_price_usd),
    ):
        if price is not None:
            yield f"{model.name}{suffix}, {words}", meter, nano_usd(price) // divisor


def _costs_result(group: dict, nano: int, tokens: int) -> dict:
    by_item = "line_item" in group
    return {
        "object": "organization.costs.result", "amount": {"value": nano / 1e9, "currency": "usd"},
        "line_item": None, "project_id": None, "api_key_id": None,
        "quantity": tokens if by_item else None, "quantity_unit": "tokens" if by_item else None,
    } | group


def _page(request: Request, query: Query, results: Callable[[np.ndarray], list[list[dict]]]) -> Response:
    at = edges(query)
    filled = results(np.array(at, dtype=np.int64)) if len(at) > 1 else []
    data = [
        {"object": "bucket", "start_time": at[number], "end_time": at[number + 1], "results": rows}
        for number, rows in enumerate(filled)
    ]
    more = at[-1] < query.end_s
    page = {"object": "page", "data": data, "has_more": more,
            "next_page": cursor(request, at[-1]) if more else None}
    return json_response(200, page)
