"""The login of Azure and its Monitor's metrics of one resource in their wire format; values are made up.

No story of the sandbox is told here: its organisation does not use Azure.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.sandbox.draws import hex_id
from pipelines.sandbox.exchange import Request, Response, World, json_response

TENANT, CLIENT, SECRET, TOKEN = "azure-tenant", "azure-client", "azure-demo-secret", "azure-demo-token"
RESOURCE = "/subscriptions/0/resourceGroups/demo/providers/Microsoft.CognitiveServices/accounts/demo"
FAMILIES = {"ModelRequests,InputTokens,OutputTokens", "AzureOpenAIRequests,ProcessedPromptTokens,GeneratedTokens"}


def azure(request: Request, world: World) -> Response:
    """Answer the login with a token, and the metrics of `RESOURCE` hour by hour, one deployment."""
    one = dict(request.parameters)
    if request.path == f"/{TENANT}/oauth2/v2.0/token" and request.method == "POST":
        right = (one.get("client_id"), one.get("client_secret")) == (CLIENT, SECRET)
        return json_response(200, {"token_type": "Bearer", "access_token": TOKEN}) if right else \
            json_response(401, {"error": "invalid_client", "error_description": "Invalid client secret provided."})
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return json_response(401, {"error": {"code": "AuthenticationFailed", "message": "Authentication failed."}})
    if request.path != f"{RESOURCE}/providers/Microsoft.Insights/metrics" or one.get("metricnames") not in FAMILIES:
        return json_response(400, {"error": {"code": "BadRequest", "message": "Failed to find metric configuration."}})
    start, end = (datetime.fromisoformat(edge) for edge in one["timespan"].split("/"))
    hours = [start + timedelta(hours=number) for number in range(int((end - start) / timedelta(hours=1)))]
    return json_response(200, {
        "cost": 0, "timespan": one["timespan"], "interval": one["interval"], "resourceregion": "westeurope",
        "namespace": "Microsoft.CognitiveServices/accounts",
        "value": [_metric(name, hours, world) for name in one["metricnames"].split(",")],
    })


def _metric(name: str, hours: list[datetime], world: World) -> dict[str, Any]:
    today = datetime(world.as_of.year, world.as_of.month, world.as_of.day, tzinfo=UTC)
    data: list[dict[str, Any]] = []
    for at in hours:
        total = {"total": float(int(hex_id(f"azure/{name}/{at:%Y-%m-%dT%H}", 4), 16) + 1)} if at < today else {}
        data.append({"timeStamp": f"{at:%Y-%m-%dT%H:%M:%SZ}"} | total)
    named = [{"name": {"value": each}, "value": value} for each, value in
             (("modeldeploymentname", "chat"), ("modelname", "gpt-4o"))]
    return {"name": {"value": name, "localizedValue": name}, "unit": "Count",
            "timeseries": [{"metadatavalues": named, "data": data}]}
