"""Raw samples out of a Prometheus-compatible HTTP API: one range vector per stretch of time, original timestamps.

Which metrics matter and what their labels mean belongs to the source that asks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.errors import SettingError, SourceError
from pipelines.http import Client
from pipelines.source import Context

QUERY, RANGE = "/api/v1/query", "/api/v1/query_range"
BUILD, NAMES = "/api/v1/status/buildinfo", "/api/v1/label/__name__/values"
SECRET = "PROMETHEUS_BEARER_TOKEN"  # used where it is set; most servers ask for none
SHORTEST_SECONDS = 60
FIX = "look at the server's own log, then run the same days again"


@dataclass(frozen=True)
class Answer:
    """The samples of one request, series after series.

    Attributes:
        labels: One mapping per series, `__name__` among them.
        series: Index into `labels`, per sample.
        at_ms: Unix milliseconds, per sample.
        raw: The value as the server wrote it ("412.3", "NaN", "+Inf"), per sample.
        warnings: What the server said beside the data, such as that a part of it did not answer.
    """

    labels: Sequence[Mapping[str, str]]
    series: np.ndarray
    at_ms: np.ndarray
    raw: pa.Array
    warnings: tuple[str, ...]


def client_of(context: Context, source: str) -> Client:
    """The client for the server that the source's section names.

    Raises:
        SettingError: it names none.
    """
    base_url = context.options(source).get("base_url")
    if not isinstance(base_url, str) or not base_url.startswith(("http://", "https://")):
        raise SettingError(source, "base_url", "it is not an http address",
                           'write base_url = "http://prometheus:9090"')
    token = context.settings.secret(SECRET)
    return Client("Prometheus", base_url, {"Authorization": f"Bearer {token}"} if token else {}, SECRET)


def selector(names: Sequence[str], matchers: str = "") -> str:
    """The selector of any of these metric names; Prometheus anchors the expression at both ends."""
    return "{" + f'__name__=~"{"|".join(names)}"' + (f",{matchers}" if matchers else "") + "}"


def samples(client: Client, chosen: str, start_s: int, end_s: int) -> Iterator[Answer]:
    """Every sample from `start_s` (included) to `end_s` (excluded), in one request where the server allows.

    Prometheus 2 closes a range selector on both sides and Prometheus 3 opens it on the left. So a second more is
    asked for than is kept, and the answer is cut half-open here: both servers then give the same samples.

    Raises:
        SourceError: the server refused, or answered something that is not a matrix.
    """
    form = [("query", f"{chosen}[{end_s - start_s + 1}s]"), ("time", str(end_s))]
    try:
        body = client.post(QUERY, form)
    except SourceError as error:
        if "too many samples" not in error.why or end_s - start_s <= SHORTEST_SECONDS:
            raise
        middle = (start_s + end_s) // 2  # the server's --query.max-samples: ask for less at a time
        yield from samples(client, chosen, start_s, middle)
        yield from samples(client, chosen, middle, end_s)
        return
    yield _cut(_matrix(body, client.describe(QUERY, form)), start_s * 1000, end_s * 1000)


def values(client: Client, query: str, start_s: int, end_s: int, step_s: int) -> Answer:
    """What an expression is at `start_s` and every step after it up to `end_s`, which is included.

    Raises:
        SourceError: the server refused, or answered something that is not a matrix.
    """
    form = [("query", query), ("start", str(start_s)), ("end", str(end_s)), ("step", str(step_s))]
    answer = _matrix(client.post(RANGE, form), client.describe(RANGE, form))
    return _cut(answer, start_s * 1000, end_s * 1000 + 1)


def metric_names(client: Client, chosen: str) -> list[str]:
    """The metric names that the server has for a selector, sorted."""
    parameters = [("match[]", chosen)]
    return sorted(_data(client.get(NAMES, parameters), client.describe(NAMES, parameters)))


def version(client: Client) -> str:
    """The server's version, or "of unknown version" where it does not tell (Thanos and Mimir need not)."""
    try:
        return str(_data(client.get(BUILD), BUILD)["version"])
    except SourceError as error:
        if "could not be read" in error.what:  # nobody there, rather than a page that is not there
            raise
    except (KeyError, TypeError):
        pass
    return "of unknown version"


def _data(body: Any, where: str) -> Any:
    """The data inside the envelope."""
    if not isinstance(body, dict) or body.get("status") not in {"success", "error"}:
        raise SourceError(
            "The answer is not Prometheus's", where, "it has no status",
            "set base_url to the address up to, and without, /api/v1",
        )
    if body["status"] == "error":
        why = f"{body.get('errorType', 'error')}: {str(body.get('error', 'no reason given'))[:200]}"
        raise SourceError("Prometheus could not run the query", where, why, FIX)
    return body.get("data")


def _matrix(body: Any, where: str) -> Answer:
    data = _data(body, where)
    labels: list[Mapping[str, str]] = []
    counts: list[int] = []
    pairs: list[Any] = []
    try:
        if data["resultType"] != "matrix":
            raise ValueError(f"a {data['resultType']}")
        for series in data["result"]:
            values = series.get("values", ())  # a native histogram has none
            labels.append(series["metric"])
            counts.append(len(values))
            pairs.extend(values)
        at, raw = zip(*pairs, strict=True) if pairs else ((), ())
        # Milliseconds are whole and below 2**53, so the nearest one is exact however the seconds were written.
        at_ms = np.rint(np.array(at, dtype=np.float64) * 1000).astype(np.int64)
        texts = pa.array(raw, pa.string())
    except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise SourceError(
            "The answer is not a matrix of samples", where, str(error)[:200] or type(error).__name__, FIX
        ) from error
    warnings = tuple(str(warning)[:300] for warning in body.get("warnings") or ())
    return Answer(labels, np.repeat(np.arange(len(counts), dtype=np.int32), counts), at_ms, texts, warnings)


def _cut(answer: Answer, start_ms: int, end_ms: int) -> Answer:
    inside = (answer.at_ms >= start_ms) & (answer.at_ms < end_ms)
    if inside.all():
        return answer
    return Answer(
        answer.labels, answer.series[inside], answer.at_ms[inside], answer.raw.filter(pa.array(inside)),
        answer.warnings,
    )
