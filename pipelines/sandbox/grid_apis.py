"""Further publishers of electricity's carbon in their own wire formats; the values are made up from their instants.

Electricity Maps, which the demo reads, has a module of its own; no story of the sandbox is told here.
"""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.sandbox.draws import hex_id
from pipelines.sandbox.exchange import Request, Response, World, json_response

EIA_KEY = "eia-demo-key"
ENTSOE_TOKEN = "entsoe-demo-token"
WATTTIME_USER, WATTTIME_PASSWORD, WATTTIME_TOKEN = "demo", "watttime-demo-password", "watttime-demo-token"
ENTSOE_FUELS = {"B04": (2000, 9000), "B14": (38000, 40000), "B16": (0, 9000)}  # least and most MW
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


def entsoe(request: Request, world: World) -> Response:
    """Answer /api with the actual generation by type: hours by fuel, without what repeats the one before."""
    one = dict(request.parameters)
    if one.get("securityToken") != ENTSOE_TOKEN:
        return _acknowledged(401, "Unauthorized: the security token is not valid.")
    if request.path != "/api" or one.get("documentType") != "A75":
        return _acknowledged(400, "Document type is not supported.")
    start, end = (_instant(f"{one[name][:8]}T{one[name][8:]}") for name in ("periodStart", "periodEnd"))
    if end - start > timedelta(days=366):
        return _acknowledged(400, "The amount of requested data exceeds allowed limit.")
    end = min(end, datetime(world.as_of.year, world.as_of.month, world.as_of.day, tzinfo=UTC))
    if end <= start:
        return _acknowledged(200, "No matching data found for Data item Actual Generation per Type.")
    series = []
    for fuel, ends in ENTSOE_FUELS.items():
        values = [_value(f"entsoe/{at:%Y-%m-%dT%H}/{fuel}", *ends) // 50 * 50 for at in _steps(start, end, HOUR)]
        points = "".join(
            f"<Point><position>{number}</position><quantity>{value}</quantity></Point>"
            for number, value in enumerate(values, start=1) if number == 1 or value != values[number - 2])
        series.append(
            f"<TimeSeries><mRID>{len(series) + 1}</mRID><inBiddingZone_Domain.mRID codingScheme=\"A01\">"
            f"{one['in_Domain']}</inBiddingZone_Domain.mRID><quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name>"
            f"<curveType>A03</curveType><MktPSRType><psrType>{fuel}</psrType></MktPSRType><Period><timeInterval><start>"
            f"{_told(start)}</start><end>{_told(end)}</end></timeInterval><resolution>PT60M</resolution>{points}</Period>"
            "</TimeSeries>")
    return _xml(200, "GL_MarketDocument", "generationloaddocument:3:0", "".join(series))


def watttime(request: Request, world: World) -> Response:
    """Answer /login with a token, and /v3/historical with marginal rates by five minutes, both ends included."""
    given = request.headers.get("authorization", "")
    if request.path == "/login":
        basic = b64encode(f"{WATTTIME_USER}:{WATTTIME_PASSWORD}".encode()).decode()
        right = given == f"Basic {basic}"
        return json_response(200, {"token": WATTTIME_TOKEN}) if right else json_response(401, {"error": "Not known."})
    if given != f"Bearer {WATTTIME_TOKEN}":
        return json_response(401, {"error": "The token is not valid, or has run out."})
    one, five = dict(request.parameters), timedelta(minutes=5)
    start, end = _instant(one["start"]), _instant(one["end"])
    if end - start > timedelta(days=32):
        return json_response(400, {"error": "At most 32 days can be asked for."})
    data = [{"point_time": f"{at:%Y-%m-%dT%H:%M:%S}+00:00", "value": _value(f"watttime/{at:%Y-%m-%dT%H:%M}", 700, 1200)}
            for at in _steps(start, end + timedelta(seconds=1), five) if at.date() < world.as_of]
    return json_response(200, {"data": data, "meta": {
        "data_point_period_seconds": 300, "region": one["region"], "warnings": [], "signal_type": one["signal_type"],
        "model": {"date": "2023-03-01"}, "units": "lbs_co2_per_mwh"}})


def _acknowledged(status: int, text: str) -> Response:
    reason = f"<Reason><code>999</code><text>{text}</text></Reason>"
    return _xml(status, "Acknowledgement_MarketDocument", "acknowledgementdocument:7:0", reason)


def _xml(status: int, name: str, kind: str, body: str) -> Response:
    text = (f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="urn:iec62325.351:tc57wg16:451-6:{kind}">'
            f"<mRID>0</mRID>{body}</{name}>")
    return Response(status, text.encode(), {"Content-Type": "text/xml"})


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
