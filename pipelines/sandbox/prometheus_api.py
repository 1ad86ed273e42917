"""The part of Prometheus' HTTP API that raw samples need, over the sandbox's GPU nodes.

Supported queries: one selector (name, matchers), raw over a range or at one instant. Anything that computes is
refused as a parse error: whoever needs PromQL needs a real Prometheus.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from pipelines.sandbox import gpus
from pipelines.sandbox.exchange import Request, Response, World, json_response

_SELECTOR = re.compile(
    r"\s*(?P<name>[a-zA-Z_:][\w:]*)?\s*(?:\{(?P<matchers>.*)\})?\s*(?:\[(?P<range>[^\]]*)\])?\s*", re.S
)
_MATCHER = re.compile(r'\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_DURATION = re.compile(r"(\d+)(ms|[smhdwy])")
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000,
             "y": 365 * 86_400_000}
_LOOKBACK_MS = 300_000


class BadDataError(Exception):
    """A request that Prometheus refuses with bad_data."""


def answer(request: Request, world: World) -> Response:
    """Answer a request whose path starts behind the server's prefix."""
    routes = {
        "/api/v1/query": _query, "/api/v1/series": _series, "/api/v1/status/buildinfo": _buildinfo,
        "/api/v1/label/__name__/values": lambda *asked: sorted({one["__name__"] for one in _series(*asked)}),
    }
    if request.path in ("/-/ready", "/-/healthy"):
        return Response(200, b"Prometheus Server is Ready.\n", {"Content-Type": "text/plain; charset=utf-8"})
    if request.path not in routes:
        return Response(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
    try:
        return json_response(200, {"status": "success", "data": routes[request.path](request, world)})
    except BadDataError as error:
        return json_response(400, {"status": "error", "errorType": "bad_data", "error": str(error)})


def _query(request: Request, world: World) -> dict:
    one = dict(request.parameters)
    at_ms = _instant_ms("time", one["time"]) if "time" in one else _now_ms(world)
    text = one.get("query", "")
    matchers, range_ms = _selector(text)
    after_ms = at_ms - (range_ms if range_ms is not None else _LOOKBACK_MS)
    found = _samples(matchers, world, after_ms, at_ms)
    if range_ms is not None:
        return {"resultType": "matrix", "result": [{"metric": labels, "values": v} for labels, v in found]}
    result = [{"metric": labels, "value": [at_ms / 1000, values[-1][1]]} for labels, values in found]
    return {"resultType": "vector", "result": result}


def _series(request: Request, world: World) -> list[dict]:
    one = dict(request.parameters)
    texts = [value for name, value in request.parameters if name == "match[]"]
    if not texts:
        raise BadDataError("no match[] parameter provided")
    end_ms = _instant_ms("end", one["end"]) if "end" in one else _now_ms(world)
    start_ms = _instant_ms("start", one["start"]) if "start" in one else 0
    found: dict[str, dict] = {}
    for text in texts:
        matchers, range_ms = _selector(text)
        if range_ms is not None:
            raise BadDataError('invalid parameter "match[]": 1:1: parse error: unexpected range')
        for labels, *_ in _chosen(matchers, world, start_ms - 1, end_ms):
            found[repr(sorted(labels.items()))] = labels
    return [found[key] for key in sorted(found)]


def _buildinfo(request: Request, world: World) -> dict:
    return {"version": "3.5.0", "revision": "sandbox", "branch": "HEAD", "buildUser": "sandbox",
            "buildDate": "20250714-16:15:23", "goVersion": "go1.24.5"}


def _now_ms(world: World) -> int:
    return gpus.instant_ms(datetime(world.as_of.year, world.as_of.month, world.as_of.day, tzinfo=UTC))


def _instant_ms(name: str, text: str) -> int:
    try:
        return round(float(text) * 1000)
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise BadDataError(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp')
    return gpus.instant_ms(instant)


def _selector(text: str) -> tuple[list[tuple[str, str, str]], int | None]:
    """Return (label, operator, value) matchers and the range in milliseconds, None for an instant selector."""
    match = _SELECTOR.fullmatch(text)
    if not match or not (match["name"] or match["matchers"]):
        raise BadDataError('invalid parameter "query": 1:1: parse error: only one plain selector is understood')
    matchers = [("__name__", "=", match["name"])] if match["name"] else []
    rest = match["matchers"] or ""
    while rest.strip():
        found = _MATCHER.match(rest)
        if not found:
            raise BadDataError(f'invalid parameter "query": 1:1: parse error: unexpected {rest.strip()[:20]!r}')
        # A PromQL string has escapes; in a regular expression \\ stands for one backslash.
        value = found[3].replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\")
        matchers.append((found[1], found[2], value))
        rest = rest[found.end() :]
    return matchers, None if match["range"] is None else _range_ms(match["range"])


def _range_ms(text: str) -> int:
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise BadDataError(f'invalid parameter "query": 1:1: parse error: not a valid duration string: "{text}"')
    return sum(int(number) * _UNITS_MS[unit] for number, unit in parts)


def _matches(labels: dict[str, str], matchers: list[tuple[str, str, str]]) -> bool:
    for label, operator, value in matchers:
        have = labels.get(label, "")
        try:
            hit = bool(re.fullmatch(value, have)) if "~" in operator else have == value
        except re.error as error:
            raise BadDataError(f'invalid parameter "query": error parsing regexp: {error}') from None
        if hit == operator.startswith("!"):
            return False
    return True


def _samples(
    matchers: list[tuple[str, str, str]], world: World, after_ms: int, until_ms: int
) -> list[tuple[dict[str, str], list[list]]]:
    """Return (labels, [[seconds, "value"], ...]) of the series with samples in (after, until]."""
    found = []
    for labels, gpu, metric, numbers in _chosen(matchers, world, after_ms, until_ms):
        stamps = (gpus.times_ms(gpu, numbers) / 1000).tolist()
        values = sample_values(world.seed, gpu, metric, numbers)
        found.append((labels, [list(pair) for pair in zip(stamps, values, strict=True)]))
    return sorted(found, key=lambda series: sorted(series[0].items()))


def _chosen(
    matchers: list[tuple[str, str, str]], world: World, after_ms: int, until_ms: int
) -> Iterator[tuple[dict[str, str], gpus.Gpu, str, np.ndarray]]:
    """Give labels, card, metric and scrape numbers of each series with samples in (after, until]."""
    until_ms = min(until_ms, _now_ms(world) - 1)
    for gpu in gpus.GPUS:
        numbers = gpus.scrapes_between(gpu, after_ms, until_ms)
        times = gpus.times_ms(gpu, numbers)
        for first_ms, last_ms, pod in gpu.pods():
            chosen = (times >= first_ms) & (times < last_ms)
            if not chosen.any():
                continue
            for metric in gpus.METRICS:
                labels = {"__name__": metric} | gpu.labels(pod)
                if _matches(labels, matchers):
                    yield labels, gpu, metric, numbers[chosen]


def sample_values(seed: int, gpu: gpus.Gpu, metric: str, numbers: np.ndarray) -> list[str]:
    """Return a metric of a card at the scrapes with these numbers, as Prometheus writes values."""
    if metric == gpus.ENERGY:
        return [str(value) for value in gpus.counter_mj(seed, gpu)[numbers].tolist()]
    if metric == gpus.UTILISATION:
        return [str(value) for value in gpus.utilisation_percent(seed, gpu)[numbers].tolist()]
    # Watts with three decimals, written as Go does: no trailing zeros.
    return [f"{value / 1000:.3f}".rstrip("0").rstrip(".") for value in gpus.power_mw(seed, gpu)[numbers].tolist()]
