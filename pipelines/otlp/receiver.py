"""A small OTLP/HTTP receiver of traces and metrics: what it acknowledges is on the disk, without prompts and people.

How lines get onto the disk belongs to `journal`, how bodies are read to `messages`.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.errors import JevonsError
from pipelines.otlp.journal import Journal, sync
from pipelines.otlp.messages import (
    JSON,
    METRICS,
    PROTOBUF,
    TRACES,
    Signal,
    TooLarge,
    Unreadable,
    accepted,
    failed,
    payload,
    unpacked,
)
from pipelines.settings import Settings
from pipelines.sources import _otlp_metrics, otel, otel_metrics
from pipelines.sources._otlp_metric_words import MetricWords
from pipelines.sources._otlp_parts import Refusal
from pipelines.sources._otlp_payload import Judged, judge
from pipelines.sources._otlp_words import Words

LONGEST_BODY_BYTES, LONGEST_UNPACKED_BYTES = 16 << 20, 64 << 20
AT_ONCE, WAITING = 2, 64
RECORDS_A_LINE = 500
SHOWN_RULES = 3
KEY, KEY_BYTES = ".series-key", 32
NO_METRICS = "metrics are not received: write [sources.otel_metrics] into jevons.toml, or export none " \
    "(OTEL_METRICS_EXPORTER=none)"
NO_LOGS = "logs are not received, as metrics and traces tell the same: export none (OTEL_LOGS_EXPORTER=none)"

Kept = tuple[list[bytes], list[Refusal]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Receiver:
    """Takes export requests and appends what may be kept of them to a journal.

    Args:
        metrics: The words that metrics are read by, and the key of their hashes; None refuses metrics.
    """

    def __init__(self, journal: Journal, words: Words, metrics: tuple[MetricWords, bytes] | None = None):
        self._journal, self._words, self._metrics = journal, words, metrics
        self._turn = asyncio.Semaphore(AT_ONCE)

    def app(self) -> Starlette:
        """The routes of OTLP/HTTP; of its three signals, logs are not read."""
        metrics = self._received(METRICS, self._points) if self._metrics else _refusing(NO_METRICS)
        return Starlette(routes=[
            Route("/v1/traces", self._received(TRACES, self._spans), methods=["POST"]),
            Route("/v1/metrics", metrics, methods=["POST"]),
            Route("/v1/logs", _refusing(NO_LOGS), methods=["POST"]),
        ], lifespan=self._life)

    def _received(self, signal: Signal, kept: Callable[[Any], Kept]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            kind, packed = _kind(request), request.headers.get("content-encoding", "identity").lower()
            if kind not in (PROTOBUF, JSON) or packed not in ("identity", "gzip"):
                return _answer(415, JSON, "send application/x-protobuf or application/json, plain or gzip")
            body = bytearray()
            async for piece in request.stream():
                body += piece
                if len(body) > LONGEST_BODY_BYTES:
                    return _answer(413, kind, f"it is longer than {LONGEST_BODY_BYTES} bytes: send less at once")
            async with self._turn:
                try:
                    refused, why = await run_in_threadpool(self._take, bytes(body), kind, packed, signal, kept)
                except TooLarge:
                    return _answer(413, kind, f"unpacked, it is longer than {LONGEST_UNPACKED_BYTES} bytes")
                except Unreadable as error:
                    return _answer(400, kind, f"the body was not read: {error}")
                except OSError as error:  # most likely the disk is full; senders try again
                    return _answer(503, kind, f"it could not be written: {error.strerror}", {"Retry-After": "30"})
            return Response(accepted(kind, signal, refused, why), 200, media_type=kind)

        return endpoint

    def _take(
        self, body: bytes, kind: str, packed: str, signal: Signal, kept: Callable[[Any], Kept]
    ) -> tuple[int, str]:
        """Writes what may be kept; how many records are refused, and why the first ones are."""
        if packed == "gzip":
            body = unpacked(body, LONGEST_UNPACKED_BYTES)
        lines, refused = kept(payload(body, kind, signal, self._words))
        if refused and not refused[0].place:
            raise Unreadable(refused[0].rule)
        if lines:
            self._journal.append(b"\n".join(lines))
        places = len({each.place for each in refused})
        shown = [", ".join(filter(None, (each.place, each.field))) + f": {each.rule}" for each in refused[:SHOWN_RULES]]
        return places, "; ".join(shown)

    def _spans(self, value: Any) -> Kept:
        judged = judge(value, self._words)
        return list(_lines(judged)), judged.refused

    def _points(self, value: Any) -> Kept:
        assert self._metrics
        metered = _otlp_metrics.judge(value, *self._metrics)
        return list(_otlp_metrics.lines(metered.points, RECORDS_A_LINE)), metered.refused

    @asynccontextmanager
    async def _life(self, app: Starlette) -> AsyncIterator[None]:
        async def tidy() -> None:
            while True:
                await asyncio.sleep(1)
                with suppress(OSError):
                    await run_in_threadpool(self._journal.close_if_due)

        task = asyncio.create_task(tidy())
        try:
            yield
        finally:
            task.cancel()
            self._journal.close()


def _lines(judged: Judged) -> Iterator[bytes]:
    """The payload as lines that are short enough for whoever reads them."""
    for resource in judged.kept["resourceSpans"]:
        for group in resource["scopeSpans"]:
            for first in range(0, len(group["spans"]), RECORDS_A_LINE):
                few = {**group, "spans": group["spans"][first:first + RECORDS_A_LINE]}
                one = {"resourceSpans": [{**resource, "scopeSpans": [few]}]}
                yield json.dumps(one, separators=(",", ":")).encode()


def serve(settings: Settings, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Receives until it is interrupted.

    Args:
        ready: Called with the address once connections are taken.

    Raises:
        JevonsError: the port is in use, the source is not switched on, or its path cannot be written to.
    """
    if not settings.enabled(otel.NAME):
        raise JevonsError(
            "Nothing can be received", "jevons.toml, sources.otel", "the source that reads it is not switched on",
            'write [sources.otel] with path = "inbox/otlp/{date}/*.jsonl*"',
        )
    path, _, words = otel.options(settings.sources[otel.NAME])
    listening = _listen(host, port)
    try:
        journal = Journal(settings.home, path)
        metrics = (otel_metrics.options(settings)[2], series_key(journal.folder)) \
            if settings.enabled(otel_metrics.NAME) else None
        config = uvicorn.Config(
            Receiver(journal, words, metrics).app(), log_level="warning", access_log=False, limit_concurrency=WAITING,
            server_header=False,
        )
        ready(f"http://{host}:{listening.getsockname()[1]}")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def series_key(folder: Path) -> bytes:
    """The key of the hashes by which series are told apart, made once; it says nothing and must stay the same.

    Raises:
        JevonsError: the file does not hold it.
    """
    path, new = folder / KEY, folder / f"{KEY}.new"
    if not path.exists():
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.rename(new, path)
        sync(folder)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise JevonsError(
            "Nothing can be received", str(path), "it is not the key that was written there",
            "bring it back from a copy; with another one, counters that run now would be counted a second time",
        )
    return key


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _refusing(why: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        kind = _kind(request)
        return _answer(404, kind if kind in (PROTOBUF, JSON) else JSON, why)

    return endpoint


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(WAITING)
    except OSError as error:
        listening.close()
        raise JevonsError(
            "Nothing can be received", f"{host}, port {port}", (error.strerror or str(error)).lower(),
            "stop what uses it, or choose another with --port",
        ) from error
    return listening


def _answer(status: int, kind: str, why: str, headers: dict[str, str] | None = None) -> Response:
    return Response(failed(kind, why), status, headers, kind)
