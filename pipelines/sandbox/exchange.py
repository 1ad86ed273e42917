"""A request received and a response to give, as values that endpoints make and faults may spoil.

Sockets belong in server.py, endpoints in the *_api.py modules.
"""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    """One request, its path already without the vendor's prefix.

    Attributes:
        full_path: the path as received, prefix included.
        query: raw query string; for a form POST the body's parameters follow.
        headers: names in lower case.
        body: as received.
    """

    method: str
    path: str
    full_path: str
    query: str
    headers: dict[str, str]
    body: str = ""

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's (name, value) pairs in order, decoded."""
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass(frozen=True)
class Response:
    """One response, and how it travels.

    Attributes:
        cut_after_bytes: close the connection in the middle of the body, having announced all of it.
        delay_seconds: wait before the first byte.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    cut_after_bytes: int | None = None
    delay_seconds: float = 0.0


@dataclass(frozen=True)
class World:
    """What the sandbox knows when it answers: its seed and its today.

    Attributes:
        as_of: today; days from here on have not happened yet.
    """

    seed: int
    as_of: date


def json_response(status: int, value: Any, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response; compact, keys in the order given, so that equal values are equal bytes."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(status, body, {"Content-Type": "application/json"} | (headers or {}))
