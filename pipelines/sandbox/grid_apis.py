"""Further publishers of electricity's carbon in their own wire formats; the values are made up from their instants.

Electricity Maps, which the demo reads, has a module of its own; no story of the sandbox is told here.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.sandbox.draws import hex_id
from pipelines.sandbox.exchange import Request, Response, World, json_response

EIA_KEY = "eia-demo-key"
HOUR = timedelta(hours=1)
EIA_FUELS = {"BAT": (-900, 900), "COL": (9000, 21000), "NG": (30000, 60000), "NUC": (32000, 33000), "SUN": (-10, 9000),
             "WAT": (500, 2000), "WND": (500, 9000)}  # least and most MWh of an hour


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


def eia(request: Request, world: World) -> Response:
    """Answer /v2/electricity/rto/fuel-type-data/data/: at most 5000 rows from `offset` on, all values as strings."""
    one = dict(request.parameters)
    if one.get("api_key") != EIA_KEY:
        return json_response(403, {"error": {"code": "API_KEY_INVALID", "message": "An invalid api_key was supplied."}})
    if request.path != "/v2/electricity/rto/fuel-type-data/data/":
        return json_response(404, {"error": "Not Found", "code": 404})
    rows = [
        {"period": f"{at:%Y-%m-%dT%H}", "respondent": one["facets[respondent][]"], "fueltype": fuel, "type-name": fuel,
         "value": str(_value(f"eia/{at:%Y-%m-%dT%H}/{fuel}", *EIA_FUELS[fuel])), "value-units": "megawatthours"}
        for at in _steps(_instant(one["start"]), _instant(one["end"]) + HOUR, HOUR) if (at - HOUR).date() < world.as_of
        for fuel in EIA_FUELS
    ]
    first = int(one.get("offset", 0))
    return json_response(200, {"response": {
        "total": str(len(rows)), "frequency": "hourly", "data": rows[first : first + min(int(one["length"]), 5000)],
    }, "apiVersion": "2.1.8"})


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
