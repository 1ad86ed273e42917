"""A small OTLP/HTTP receiver of traces: what it acknowledges is on the disk, without prompts and people.

How lines get onto the disk belongs to `journal`, how bodies are read to `messages`.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.errors import JevonsError
from pipelines.otlp.journal import Journal
from pipelines.otlp.messages import JSON, PROTOBUF, TooLarge, Unreadable, accepted, failed, payload, unpacked
from pipelines.settings import Settings
from pipelines.sources import otel
from pipelines.sources._otlp_payload import Judged, judge
from pipelines.sources._otlp_words import Words

LONGEST_BODY_BYTES, LONGEST_UNPACKED_BYTES = 16 << 20, 64 << 20
AT_ONCE, WAITING = 2, 64
SPANS_A_LINE = 500
SHOWN_RULES = 3


class Receiver:
    """Takes export requests and appends what may be kept of them to a journal."""

    def __init__(self, journal: Journal, words: Words):
        self._journal, self._words = journal, words
        self._turn = asyncio.Semaphore(AT_ONCE)

    def app(self) -> Starlette:
        """The routes of OTLP/HTTP; of its three signals, traces are read."""
        return Starlette(routes=[Route("/v1/traces", self._traces, methods=["POST"])], lifespan=self._life)

    async def _traces(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        packed = request.headers.get("content-encoding", "identity").lower()
        if kind not in (PROTOBUF, JSON) or packed not in ("identity", "gzip"):
            return _answer(415, JSON, "send application/x-protobuf or application/json, plain or gzip")
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > LONGEST_BODY_BYTES:
                return _answer(413, kind, f"it is longer than {LONGEST_BODY_BYTES} bytes: send fewer spans at once")
        async with self._turn:
            try:
                refused, why = await run_in_threadpool(self._take, bytes(body), kind, packed)
            except TooLarge:
                return _answer(413, kind, f"unpacked, it is longer than {LONGEST_UNPACKED_BYTES} bytes")
            except Unreadable as error:
                return _answer(400, kind, f"the body was not read: {error}")
            except OSError as error:  # most likely the disk is full; senders try again
                return _answer(503, kind, f"it could not be written: {error.strerror}", {"Retry-After": "30"})
        return Response(accepted(kind, refused, why), 200, media_type=kind)

    def _take(self, body: bytes, kind: str, packed: str) -> tuple[int, str]:
        """Writes what may be kept; how many records are refused, and why the first ones are."""
        if packed == "gzip":
            body = unpacked(body, LONGEST_UNPACKED_BYTES)
        judged = judge(payload(body, kind, self._words), self._words)
        if judged.refused and not judged.refused[0].place:
            raise Unreadable(judged.refused[0].rule)
        if judged.calls:
            self._journal.append(b"\n".join(_lines(judged)))
        places = len({each.place for each in judged.refused})
        shown = [", ".join(filter(None, (each.place, each.field))) + f": {each.rule}"
                 for each in judged.refused[:SHOWN_RULES]]
        return places, "; ".join(shown)

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
            for first in range(0, len(group["spans"]), SPANS_A_LINE):
                few = {**group, "spans": group["spans"][first:first + SPANS_A_LINE]}
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
        config = uvicorn.Config(
            Receiver(journal, words).app(), log_level="warning", access_log=False, limit_concurrency=WAITING,
            server_header=False,
        )
        ready(f"http://{host}:{listening.getsockname()[1]}")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


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
