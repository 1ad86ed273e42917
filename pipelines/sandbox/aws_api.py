"""CloudWatch's metrics of Bedrock in one region in their wire format; values are made up.

No story of the sandbox is told here: its organisation does not use Bedrock.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.sandbox.draws import hex_id
from pipelines.sandbox.exchange import Request, Response, World, json_response

ACCESS_KEY, SECRET_KEY, NEXT = "AKIASANDBOX", "aws-demo-secret-key", "second-half"
TARGET, MODELS = "GraniteServiceVersion20100801.", ("amazon.nova-pro-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0")
METRICS = ("Invocations", "InputTokenCount", "OutputTokenCount")


def aws(request: Request, world: World) -> Response:
    """List the metrics, or answer with their sums by hour in two pages."""
    if not request.headers.get("authorization", "").startswith(f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/"):
        return json_response(400, {"__type": "com.amazon.coral.service#UnrecognizedClientException",
                                   "message": "The security token included in the request is invalid."})
    operation, asked = request.headers.get("x-amz-target", "").removeprefix(TARGET), json.loads(request.body)
    if operation == "ListMetrics":
        return json_response(200, {"Metrics": [
            {"Namespace": asked["Namespace"], "MetricName": name, "Dimensions": [{"Name": "ModelId", "Value": model}]}
            for model in MODELS for name in METRICS]})
    if operation != "GetMetricData":
        return json_response(400, {"__type": "com.amazon.coral.service#UnknownOperationException"})
    start, end = (datetime.fromtimestamp(asked[edge], UTC) for edge in ("StartTime", "EndTime"))
    middle, is_second = start + (end - start) / 2, asked.get("NextToken") == NEXT
    hours = [at for number in range(int((end - start) / timedelta(hours=1)))
             if ((at := start + timedelta(hours=number)) >= middle) == is_second]
    answer = {"MetricDataResults": [_result(query, hours, is_second, world) for query in asked["MetricDataQueries"]],
              "Messages": []}
    return json_response(200, answer if is_second else answer | {"NextToken": NEXT})


def _result(query: dict[str, Any], hours: list[datetime], is_last: bool, world: World) -> dict[str, Any]:
    metric = query["MetricStat"]["Metric"]
    model = "".join(each["Value"] for each in metric["Dimensions"])
    today = datetime(world.as_of.year, world.as_of.month, world.as_of.day, tzinfo=UTC)
    told = {at: float(int(hex_id(f"aws/{metric['MetricName']}/{model}/{at:%Y-%m-%dT%H}", 4), 16) + 1)
            for at in hours if at < today}
    return {"Id": query["Id"], "Label": metric["MetricName"], "Timestamps": [at.timestamp() for at in told],
            "Values": list(told.values()), "StatusCode": "Complete" if is_last else "PartialData"}
