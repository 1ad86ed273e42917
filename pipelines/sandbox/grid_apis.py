"""Further publishers of electricity's carbon in their own wire formats; the values are made up from their instants.

Electricity Maps, which the demo reads, has a module of its own; no story of the sandbox is told here.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.sandbox.draws import hex_id
from pipelines.sandbox.exchange import Request, Response, World, json_response


class _RefusedError(Exception):
    """The status and the sentence of an answer that is no."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def neso(request: Request, world: World) -> Response:
    """Answer /intensity/{from}/{to}: the half-hours, and the one that ends as the first one begins."""
    try:
        match request.path.strip("/").split("/"):
            case ["intensity", start, end]:
                first, last = _instant(start), _instant(end)
            case _:
                raise _RefusedError(404, "Not Found")
        if not first < last <= first + timedelta(days=14):
            raise _RefusedError(400, "Please enter a period of at most 14 days.")
    except _RefusedError as error:
        return json_response(error.status, {"error": {"code": f"{error.status}", "message": str(error)}})
    data = []
    for at in _steps(first - timedelta(minutes=30), last, timedelta(minutes=30)):
        value = _value(f"neso/{at:%Y-%m-%dT%H:%M}", 40, 300)
        past = at.date() < world.as_of
        data.append({"from": _told(at), "to": _told(at + timedelta(minutes=30)), "intensity": {
            "forecast": value + 3, "actual": value if past else None, "index": "moderate"}})
    return json_response(200, {"data": data})


def _steps(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    while start < end:
        yield start
        start += step


def _value(name: str, least: int, most: int) -> int:
    return least + int(hex_id(name, 6), 16) % (most - least)


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"


def _instant(text: Any) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise _RefusedError(400, f"{text} is no instant.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
