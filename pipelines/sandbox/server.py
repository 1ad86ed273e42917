"""One loopback HTTP server that speaks for all vendors of the sandbox, each under its own path prefix.

What a vendor answers belongs in the *_api.py modules; misbehaviour in faults.py.
"""

import logging
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

from pipelines.sandbox import (
    anthropic_api,
    aws_api,
    azure_api,
    electricity_maps_api,
    gateways_api,
    google_api,
    grid_apis,
    openai_api,
    openai_lists,
    prometheus_api,
    stories,
    tickets_api,
)
from pipelines.sandbox.exchange import Request, Response, World, json_response
from pipelines.sandbox.faults import Faults
from pipelines.sandbox.openai_query import BadRequestError, check_key

logger = logging.getLogger(__name__)

GRID_APIS = {"neso": grid_apis.neso, "eia": grid_apis.eia, "entsoe": grid_apis.entsoe,
             "watttime": grid_apis.watttime}


class Received(NamedTuple):
    """One request as it came in: method, full path, raw query (a form POST's body included)."""

    method: str
    path: str
    query: str


class SandboxServer:
    """A running sandbox; make it with `serve`."""

    def __init__(self, seed: int, as_of: date | None, port: int, faults: Faults | None):
        self.seed = seed
        self.faults = faults
        self._as_of = as_of or stories.DATA_TO
        self._requests: list[Received] = []
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address of the server, without a slash at the end."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def openai_url(self) -> str:
        """What stands for https://api.openai.com/v1."""
        return f"{self.url}/openai/v1"

    @property
    def anthropic_url(self) -> str:
        """What stands for https://api.anthropic.com/v1."""
        return f"{self.url}/anthropic/v1"

    @property
    def litellm_url(self) -> str:
        """What stands for the address of a LiteLLM proxy."""
        return f"{self.url}/litellm"

    @property
    def openrouter_url(self) -> str:
        """What stands for https://openrouter.ai/api/v1."""
        return f"{self.url}/openrouter/api/v1"

    @property
    def langfuse_url(self) -> str:
        """What stands for https://cloud.langfuse.com."""
        return f"{self.url}/langfuse"

    @property
    def prometheus_url(self) -> str:
        """What stands for http://prometheus:9090; clients append /api/v1/..."""
        return f"{self.url}/prometheus"

    @property
    def electricity_maps_url(self) -> str:
        """What stands for https://api.electricitymaps.com/v4."""
        return f"{self.url}/electricitymaps/v4"

    @property
    def electricity_maps_fallback_url(self) -> str:
        """What stands for https://api.electricitymaps.com/v3."""
        return f"{self.url}/electricitymaps/v3"

    @property
    def tickets_url(self) -> str:
        """The list of a ticket tool."""
        return f"{self.url}/tickets/tickets"

    @property
    def neso_url(self) -> str:
        """What stands for https://api.carbonintensity.org.uk."""
        return f"{self.url}/neso"

    @property
    def eia_url(self) -> str:
        """What stands for https://api.eia.gov/v2."""
        return f"{self.url}/eia/v2"

    @property
    def entsoe_url(self) -> str:
        """What stands for https://web-api.tp.entsoe.eu."""
        return f"{self.url}/entsoe"

    @property
    def watttime_url(self) -> str:
        """What stands for https://api.watttime.org."""
        return f"{self.url}/watttime"

    @property
    def aws_url(self) -> str:
        """What stands for https://monitoring.{region}.amazonaws.com."""
        return f"{self.url}/aws"

    @property
    def azure_url(self) -> str:
        """What stands for https://management.azure.com and https://login.microsoftonline.com."""
        return f"{self.url}/azure"

    @property
    def google_url(self) -> str:
        """What stands for https://monitoring.googleapis.com/v3."""
        return f"{self.url}/google/v3"

    @property
    def requests(self) -> list[Received]:
        """A copy of the requests received so far, in order."""
        with self._lock:
            return list(self._requests)

    def clear_requests(self) -> None:
        """Forget the requests received so far."""
        with self._lock:
            self._requests.clear()

    @property
    def as_of(self) -> date:
        """The server's today: this day and all later ones have not happened yet."""
        return self._as_of

    def set_as_of(self, as_of: date | None) -> None:
        """Move the server's today; None is the day after the last day of data."""
        self._as_of = as_of or stories.DATA_TO

    def stop(self) -> None:
        """Stop serving and free the port; may be called twice."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=5)

    def respond(self, request: Request) -> Response:
        """Return the answer to a request, spoiled where the fault script says so."""
        with self._lock:
            self._requests.append(Received(request.method, request.full_path, request.query))
        try:
            response = _route(request, World(self.seed, self._as_of))
        except Exception:
            logger.exception("the sandbox failed to answer %s %s", request.method, request.full_path)
            response = json_response(500, {"error": {"message": "The sandbox failed.", "type": "server_error",
                                                     "param": None, "code": None}})
        return self.faults.apply(request, response) if self.faults else response


@contextmanager
def serve(
    seed: int = stories.DEFAULT_SEED, as_of: date | None = None, port: int = 0, faults: Faults | None = None
) -> Iterator[SandboxServer]:
    """Serve the sandbox organisation on 127.0.0.1 while the context lasts.

    Args:
        seed: the same seed gives the same bytes.
        as_of: the server's today; None is the day after the last day of data.
        port: 0 takes a free one.
        faults: scripted misbehaviour, for tests.
    """
    server = start(seed, as_of, port, faults)
    try:
        yield server
    finally:
        server.stop()


def start(
    seed: int = stories.DEFAULT_SEED, as_of: date | None = None, port: int = 0, faults: Faults | None = None
) -> SandboxServer:
    """Start a server that runs until its `stop()`; arguments as for `serve`."""
    return SandboxServer(seed, as_of, port, faults)


def _route(request: Request, world: World) -> Response:
    vendor, _, rest = request.path.lstrip("/").partition("/")
    inner = replace(request, path="/" + rest)
    if vendor == "openai":
        return _openai(replace(inner, path="/" + rest.removeprefix("v1/")), world)
    if vendor == "anthropic":
        return anthropic_api.answer(inner, world)
    if vendor in gateways_api.TOKENS:
        return gateways_api.answer(request, world)
    if vendor == "prometheus":
        return prometheus_api.answer(inner, world)
    if vendor == "electricitymaps":
        return electricity_maps_api.answer(inner, world)
    if vendor == "tickets":
        return tickets_api.answer(inner, world)
    if vendor == "aws":
        return aws_api.aws(inner, world)
    if vendor == "azure":
        return azure_api.azure(inner, world)
    if vendor == "google":
        return google_api.google(inner, world)
    if vendor in GRID_APIS:
        return GRID_APIS[vendor](inner, world)
    if request.path == "/":
        names = {"sandbox": True, "seed": world.seed, "as_of": world.as_of.isoformat()}
        return json_response(200, names)
    vendors = ("openai", "anthropic", "litellm", "openrouter", "langfuse", "prometheus", "electricitymaps", "tickets",
               "aws", "azure", "google", *GRID_APIS)
    served = ", ".join(f"/{name}" for name in vendors)
    return json_response(404, {"error": f"the sandbox serves {served}"})


def _openai(request: Request, world: World) -> Response:
    parts = request.path.strip("/").split("/")
    try:
        check_key(request)
        if request.method != "GET":
            raise BadRequestError(f"Not allowed to {request.method} on {request.path}.", None, 405)
        match parts:
            case ["organization", "usage", ("completions" | "embeddings") as kind]:
                return openai_api.usage(request, world, kind)
            case ["organization", "costs"]:
                return openai_api.costs(request, world)
            case ["organization", "projects"]:
                return openai_lists.projects(request)
            case ["organization", "projects", project_id, "api_keys"]:
                return openai_lists.api_keys(request, world, project_id)
        raise BadRequestError(f"Invalid URL (GET {request.path})", None, 404)
    except BadRequestError as error:
        return error.response()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, *args: object):
        self.resetting: set[socket.socket] = set()
        super().__init__(*args)

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep a client that hung up out of the terminal."""
        logger.debug("sandbox: a connection broke", exc_info=True)

    def shutdown_request(self, request: socket.socket) -> None:
        """Close a connection; one that is to be reset skips the orderly goodbye."""
        if request in self.resetting:
            self.resetting.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)


def _handler(server: SandboxServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # one packet for headers and a small body
        server_version = "sandbox"
        sys_version = ""

        def _handle(self) -> None:
            url = urlsplit(self.path)
            query = url.query
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if body and self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
                query = "&".join(part for part in (query, body) if part)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, url.path, url.path, query, headers, body)
            self._send(server.respond(request))

        do_GET = do_POST = _handle

        def _send(self, response: Response) -> None:
            if response.delay_seconds:
                time.sleep(response.delay_seconds)
            self.send_response_only(response.status)
            usual = {"Server": self.version_string(), "Date": self.date_time_string()}  # a fault may give another date
            for name, value in (usual | response.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if response.cut_after_bytes is None:
                self.wfile.write(response.body)
                return
            self.wfile.write(response.body[: response.cut_after_bytes])
            self.wfile.flush()
            # Zero linger: the peer sees a reset instead of an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.server.resetting.add(self.connection)
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            logger.debug("sandbox: " + format, *args)

    return Handler
