"""Google's Cloud Monitoring: two metrics of Vertex AI of one project in their wire format; values are made up.

No story of the sandbox is told here: its organisation does not use Google Cloud.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.sandbox.draws import hex_id
from pipelines.sandbox.exchange import Request, Response, World, json_response

TOKEN, PROJECT = "google-demo-token", "demo-project"
LABELS = {"model_invocation_count": ("response_code", ("200", "429")), "token_count": ("type", ("input", "output"))}
RESOURCE = {"resource_container": PROJECT, "location": "europe-west4", "publisher": "google",
            "model_user_id": "gemini-2.5-flash"}
PAGE_POINTS, HOUR = 200, timedelta(hours=1)


def google(request: Request, world: World) -> Response:
    """Answer `timeSeries.list` hour by hour, one model, the newest point of a series first, some points a page."""
    one = dict(request.parameters)
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return _refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
    if request.path != f"/v3/projects/{PROJECT}/timeSeries":
        return _refused(404, "NOT_FOUND", "Unknown project.")
    metric = one["filter"].split('"')[1].rpartition("/")[2]
    if metric not in LABELS or not one.get("pageToken", "0").isdecimal():
        return _refused(400, "INVALID_ARGUMENT", "Cannot find metric, or the page token is invalid.")
    start, end = (datetime.fromisoformat(one[f"interval.{edge}"]) for edge in ("startTime", "endTime"))
    today = datetime(world.as_of.year, world.as_of.month, world.as_of.day, tzinfo=UTC)
    hours = [end - HOUR * number for number in range(1, (end - start) // HOUR + 1) if end - HOUR * number < today]
    points = [(kind, at) for kind in LABELS[metric][1] for at in hours]
    first = int(one.get("pageToken", "0"))
    page = points[first:first + PAGE_POINTS]
    series = [_series(metric, kind, [at for each, at in page if each == kind]) for kind in LABELS[metric][1]]
    more = {"nextPageToken": str(first + PAGE_POINTS)} if first + PAGE_POINTS < len(points) else {}
    told = [each for each in series if each["points"]]
    return json_response(200, ({"timeSeries": told} if told else {}) | more | {"unit": "1"})


def _series(metric: str, kind: str, hours: list[datetime]) -> dict[str, Any]:
    return {
        "metric": {"type": f"aiplatform.googleapis.com/publisher/online_serving/{metric}",
                   "labels": {LABELS[metric][0]: kind}},
        "resource": {"type": "aiplatform.googleapis.com/PublisherModel", "labels": RESOURCE},
        "metricKind": "DELTA", "valueType": "INT64",
        "points": [{"interval": {"startTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                                 "endTime": f"{at + HOUR:%Y-%m-%dT%H:%M:%SZ}"},
                    "value": {"int64Value": str(int(hex_id(f"google/{kind}/{at:%Y-%m-%dT%H}", 4), 16) + 1)}}
                   for at in hours],
    }


def _refused(code: int, status: str, message: str) -> Response:
    return json_response(code, {"error": {"code": code, "message": message, "status": status}})
