"""The past-range of carbon intensity in Electricity Maps' wire contract, current (v4) and legacy (v3).

The intensities belong in grid.py. The sandbox-key trap of the real service is kept: such keys get made-up values.
"""

from datetime import UTC, datetime, timedelta

from pipelines.sandbox import grid
from pipelines.sandbox.draws import hex_id
from pipelines.sandbox.exchange import Request, Response, World, json_response

TOKEN = "em-demo-token"
_LONGEST = {"hourly": timedelta(days=10)}
_DISCLAIMER = "This data is in SANDBOX MODE and does not reflect reality."


class _RefusedError(Exception):
    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def answer(request: Request, world: World) -> Response:
    """Answer a request whose path starts with /v3 or /v4."""
    token = request.headers.get("auth-token", "")
    trial = token.startswith("sandbox-")
    if token != TOKEN and not trial:
        return json_response(401, {"error": "Invalid auth-token"})
    version, _, path = request.path.lstrip("/").partition("/")
    if version not in ("v3", "v4") or path != "carbon-intensity/past-range":
        return json_response(404, {"status": "error", "message": f"No route for {request.path}"})
    try:
        return json_response(200, _past_range(dict(request.parameters), world, version, trial))
    except _RefusedError as error:
        return json_response(error.status, {"status": "error", "message": str(error)})


def _past_range(one: dict[str, str], world: World, version: str, trial: bool) -> dict:
    zone = _zone(one)
    granularity = one.get("temporalGranularity", "hourly")
    if granularity not in _LONGEST:
        raise _RefusedError(400, f"temporalGranularity {granularity} is not part of this plan")
    factor_type = one.get("emissionFactorType", "lifecycle")
    if factor_type not in ("lifecycle", "direct"):
        raise _RefusedError(400, f"Invalid emissionFactorType {factor_type}")
    start, end = _instant(one, "start"), _instant(one, "end")
    if end <= start:
        raise _RefusedError(400, "end must be after start")
    if end - start > _LONGEST[granularity]:
        raise _RefusedError(400, f"The range must not be longer than 10 days for {granularity} granularity")
    hours = grid.hours(world.seed, zone, start, end, world.as_of)
    data = [_hour(hour, version, factor_type, trial) for hour in hours]
    top = {"zone": zone}
    if version == "v4":
        top |= {"temporalGranularity": granularity, "aggregationPeriod": granularity}
    return top | {"data": data} | ({"_disclaimer": _DISCLAIMER} if trial else {})


def _zone(one: dict[str, str]) -> str:
    zone = one.get("zone") or one.get("zoneKey")
    if zone in grid.ZONES:
        return zone
    # The trap of the real service: without this switch it answers for the zone of the caller's address.
    if one.get("disableCallerLookup") != "true":
        return grid.CALLER_ZONE
    raise _RefusedError(404, f"Zone '{zone}' does not exist." if zone else "No location was given.")


def _instant(one: dict[str, str], name: str) -> datetime:
    try:
        instant = datetime.fromisoformat(one[name])
    except (KeyError, ValueError):
        raise _RefusedError(400, f"Invalid or missing parameter: {name}") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _hour(hour: grid.GridHour, version: str, factor_type: str, trial: bool) -> dict:
    value, method = hour.intensity_gco2e_per_kwh, hour.estimation_method
    if factor_type == "direct":
        value = value * 4 // 5
    if trial:
        value, method = 100 + int(hex_id(f"{hour.zone}/{hour.start_utc.isoformat()}", 4), 16) % 400, "SANDBOX_MODE_DATA"
    row = {
        "zone": hour.zone, "carbonIntensity": value, "datetime": _text(hour.start_utc, version),
        "updatedAt": _text(hour.updated_at_utc, version), "createdAt": _text(hour.created_at_utc, version),
        "emissionFactorType": factor_type,
    }
    if version == "v4":
        row["flowTraced"] = True
    row |= {"isEstimated": method is not None, "estimationMethod": method}
    return row | ({"temporalGranularity": "hourly"} if version == "v4" else {})


def _text(instant: datetime, version: str) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.000Z" if version == "v3" else "%Y-%m-%dT%H:%M:%SZ")

