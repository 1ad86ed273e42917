"""What happened, hour by hour and call by call: streams turned into numbers, any hour without replaying the others.

How the numbers are worded for a vendor's API or a file belongs in openai_api.py and files.py.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pipelines.sandbox import stories
from pipelines.sandbox.draws import bell, hex_id, raw_bits, uniforms
from pipelines.sandbox.organisation import MODEL_BY_NAME
from pipelines.sandbox.shapes import TOKEN_SHAPES, day_weight, hour_weights
from pipelines.sandbox.workloads import OPENAI_STREAMS, Stream

HOUR_S = 3600
RETRY_AFTER_MS = 2700
EPOCH_S = int(datetime(*stories.DATA_FROM.timetuple()[:3], tzinfo=UTC).timestamp())
HOURS = 24 * stories.DAY_COUNT
# Requests, then disjoint token kinds: they can be summed.
METERS = ("requests", "uncached", "cached", "cache_write", "output")
_EMBED_MEAN_TOKENS, _EMBED_STD_TOKENS = 420.0, 260.0


@lru_cache(maxsize=256)
def _expected_calls(stream: Stream) -> np.ndarray:
    """Return the mean calls of each (day, hour) of a stream, before noise."""
    days = [stories.DATA_FROM + timedelta(days=i) for i in range(stories.DAY_COUNT)]
    daily = np.array([_daily_calls(stream, day) for day in days])
    return daily[:, None] * hour_weights(stream.calendar, stream.country, stories.NIGHTLY_HOUR_UTC)[None, :]


def _daily_calls(stream: Stream, day: date) -> float:
    if not stream.active_from <= day < stream.active_to:
        return 0.0
    last = stories.DATA_TO - timedelta(days=1)
    progress = (day - stream.active_from).days / max((last - stream.active_from).days, 1)
    growth = 1.0 + (stream.growth_to - 1.0) * progress
    return stream.calls_per_day * growth * day_weight(stream.calendar, stream.country, day)


@lru_cache(maxsize=1024)
def hourly_calls(seed: int, stream: Stream) -> np.ndarray:
    """Return first calls of each (day, hour), whole numbers with day-to-day and hour-to-hour noise."""
    day_noise = 0.93 + 0.14 * uniforms(seed, f"{stream.stream_id}/day", stories.DAY_COUNT, 1)
    hour_noise = 0.85 + 0.3 * uniforms(seed, f"{stream.stream_id}/hour", stories.DAY_COUNT, 24)
    rounding = uniforms(seed, f"{stream.stream_id}/round", stories.DAY_COUNT, 24)
    return np.floor(_expected_calls(stream) * day_noise * hour_noise + rounding).astype(np.int64) * (
        _expected_calls(stream) > 0
    )


class UsageLine:
    """The usage of one OpenAI stream as cumulative sums, so that any span of seconds is one subtraction."""

    def __init__(self, seed: int, stream: Stream, restated: bool):
        self.stream = stream
        requests = hourly_calls(seed, stream).reshape(-1)
        if stream.retry_ratio:  # a vendor counts a repeat like any other request
            requests = requests + (requests * stream.retry_ratio / (1 - stream.retry_ratio)).astype(np.int64)
        if not restated:
            first = (stories.RESTATEMENT.day - stories.DATA_FROM).days * 24
            requests = requests.copy()
            seen = requests[first : first + 24] * stories.RESTATEMENT.original_ratio
            requests[first : first + 24] = seen.astype(np.int64)
        if stream.shape == "embed":
            input_mean, input_std, output_mean, output_std = _EMBED_MEAN_TOKENS, _EMBED_STD_TOKENS, 0.0, 0.0
        else:
            input_mean, input_std, output_mean, output_std = TOKEN_SHAPES[stream.shape].moments()
        inputs = self._sums(seed, "in", requests, input_mean * stream.input_scale, input_std * stream.input_scale)
        outputs = self._sums(
            seed, "out", requests, output_mean * stream.output_scale, output_std * stream.output_scale
        )
        share = 0.85 + 0.3 * uniforms(seed, f"{stream.stream_id}/cached", HOURS)
        cached = np.floor(inputs * np.minimum(stream.cached_ratio * share, 0.9)).astype(np.int64)
        written = np.floor(inputs * stream.cache_write_ratio).astype(np.int64)
        hourly = np.stack([requests, inputs - cached - written, cached, written, outputs])
        self._hourly = np.concatenate([hourly, np.zeros((len(METERS), 1), np.int64)], axis=1)
        self._before = np.concatenate([np.zeros((len(METERS), 1), np.int64), np.cumsum(hourly, axis=1)], axis=1)

    def _sums(self, seed: int, kind: str, requests: np.ndarray, mean: float, std: float) -> np.ndarray:
        """Return token sums of `requests` calls an hour: a sum's spread grows with the root of the count."""
        noise = bell(seed, f"{self.stream.stream_id}/{kind}", HOURS) * std * np.sqrt(requests)
        return np.maximum(np.floor(requests * mean + noise), requests * min(mean, 4.0)).astype(np.int64)

    def until(self, instants_s: np.ndarray) -> np.ndarray:
        """Return every meter's total from the first day to each instant (Unix seconds): shape (meters, instants)."""
        offset = np.clip(instants_s - EPOCH_S, 0, HOURS * HOUR_S)
        hour, second = np.divmod(offset, HOUR_S)
        within = self._hourly[:, hour]
        # Requests are spread evenly over the hour, and tokens go with requests: no request, no token.
        requests = within[0] * second // HOUR_S
        partial = within * requests // np.maximum(within[0], 1)
        return self._before[:, hour] + partial


@lru_cache(maxsize=4)
def usage_lines(seed: int, restated: bool) -> tuple[UsageLine, ...]:
    """Return all OpenAI usage lines, as first reported or as restated later."""
    return tuple(UsageLine(seed, stream, restated) for stream in OPENAI_STREAMS)


class Call(NamedTuple):
    """One row of the gateway's call log; `cost_nano_usd` is None where nobody is billed or no price is known."""

    started_at_ms: int
    request_id: str
    provider: str
    model: str
    api_key_id: str | None
    project_id: str | None
    workflow_tag: str | None
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    status: str
    attempt: int
    call_purpose: str
    lifecycle_stage: str
    cost_nano_usd: int | None


def nano_usd(price_usd: str | None) -> int:
    """Return a price per million tokens as nano-dollars per token (1 dollar per million = 1000), 0 if there is none."""
    whole, _, cents = (price_usd or "0").partition(".")
    return int(whole) * 1000 + int((cents + "00")[:2]) * 10


def calls_of_day(seed: int, stream: Stream, day: date) -> list[Call]:
    """Return the calls of a gateway stream on one day, in order of time."""
    index = (day - stories.DATA_FROM).days
    if not 0 <= index < stories.DAY_COUNT:
        return []
    counts = hourly_calls(seed, stream)[index]
    total = int(counts.sum())
    if not total:
        return []
    name = f"{stream.stream_id}/{day.isoformat()}"
    place, rank_in, rank_out, cached, fate, repeat = uniforms(seed, f"{name}/calls", 6, total)
    starts = np.repeat(np.arange(24), counts) * HOUR_S * 1000 + (place * (HOUR_S - 60) * 1000).astype(np.int64)
    shape = TOKEN_SHAPES[stream.shape]
    inputs = np.maximum((shape.draw_input(rank_in) * stream.input_scale).astype(np.int64), 1)
    outputs = np.maximum((shape.draw_output(rank_out) * stream.output_scale).astype(np.int64), 1)
    cached_tokens = (inputs * np.minimum(stream.cached_ratio * (0.7 + 0.6 * cached), 0.95)).astype(np.int64)
    attempts = _attempts(stream.retry_ratio, repeat)
    ids = raw_bits(seed, f"{name}/ids", int(attempts.sum())).tolist()
    midnight_ms = (EPOCH_S + index * 24 * HOUR_S) * 1000
    identity = stream.provider, stream.model, stream.api_key_id, stream.project_id, stream.tag
    prices = _prices(stream)
    rows: list[Call] = []
    columns = (starts + midnight_ms, inputs, cached_tokens, outputs, attempts, fate >= stream.error_ratio)
    for start, tokens_in, tokens_cached, tokens_out, last, well in zip(*(c.tolist() for c in columns), strict=True):
        for attempt in range(1, last + 1):
            ok = attempt == last and well
            counts = tokens_in, tokens_cached, tokens_out if ok else 0
            rows.append(
                Call(
                    start + (attempt - 1) * RETRY_AFTER_MS, f"req_{ids[len(rows)]:016x}", *identity, *counts,
                    "ok" if ok else "error", attempt, stream.call_purpose if attempt == 1 else "retry",
                    stream.lifecycle_stage, None if prices is None else _cost(prices, *counts) if ok else 0,
                )
            )
    return sorted(rows, key=in_time)


def in_time(call: Call) -> tuple[int, str]:
    """Return the order of a call log: time, then id."""
    return call[:2]


def _attempts(retry_ratio: float, ranks: np.ndarray) -> np.ndarray:
    """Return how often each call is sent (1, 2 or 3) so that `retry_ratio` of all rows are repeats."""
    # With e extra attempts per call, e/(1+e) of the rows are repeats. Two thirds of the callers that repeat do so
    # once and one third twice: e = p * 4/3.
    repeaters = retry_ratio / (1 - retry_ratio) * 0.75
    return 1 + (ranks < repeaters).astype(np.int64) + (ranks < repeaters / 3)


def _prices(stream: Stream) -> tuple[int, int, int] | None:
    """Return nano-dollars a token for uncached input, cached input and output; None where nobody is billed."""
    model = MODEL_BY_NAME[stream.model]
    if model.input_price_usd is None:
        return None
    return nano_usd(model.input_price_usd), nano_usd(model.cached_price_usd), nano_usd(model.output_price_usd)


def _cost(prices: tuple[int, int, int], input_tokens: int, cached_tokens: int, output_tokens: int) -> int:
    return (input_tokens - cached_tokens) * prices[0] + cached_tokens * prices[1] + output_tokens * prices[2]


def user_name(user_id: str) -> str:
    """Return a made-up but stable vendor id for a key's owner."""
    return "user-" + hex_id(user_id, 24)
