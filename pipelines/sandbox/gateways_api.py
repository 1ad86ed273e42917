"""LiteLLM, OpenRouter and Langfuse in their own wire contracts: what each would tell of calls that the gateway logs.

Which calls there were comes from activity.py, so that these and the vendor's report are accounts of one thing. The
demo's organisation reads none of them: its gateway writes a log of another kind.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from pipelines.sandbox.activity import Call, calls_of_day, user_name
from pipelines.sandbox.anthropic_api import STREAMS
from pipelines.sandbox.exchange import Request, Response, World, json_response

LANGFUSE_KEYS = ("pk-lf-sandbox-0000", "sk-lf-sandbox-0000")
TOKENS = {"litellm": "sk-litellm-sandbox-0000", "openrouter": "sk-or-v1-sandbox-0000",
          "langfuse": b64encode(":".join(LANGFUSE_KEYS).encode()).decode()}
LANGFUSE_PAGE = 50
KEPT_DAYS = 30
CAP = 10_000
STREAM = next(stream for stream in STREAMS if stream.model == "claude-haiku-4-5")
_TIME = "%Y-%m-%d %H:%M:%S"


def answer(request: Request, world: World) -> Response:
    """Answer a request whose path begins with the name of the gateway."""
    gateway, _, path = request.path.strip("/").partition("/")
    scheme = "Basic" if gateway == "langfuse" else "Bearer"
    if request.headers.get("authorization") != f"{scheme} {TOKENS[gateway]}":
        return _refused(401, "Authentication Error, Invalid token passed")
    asked = dict(request.parameters)
    if path == "api/public/v2/observations":
        return _observations(asked, world)
    if path == "api/v1/activity":
        return _activity(asked, world)
    if path == "spend/users":
        return json_response(200, [None])  # an admin asks for somebody whom there is not
    if path == "spend/logs/v2":
        return _spend_logs(asked, world)
    return _refused(404, f"Not Found: {gateway}/{path}")


def _spend_logs(asked: Mapping[str, str], world: World) -> Response:
    try:
        start, end = (datetime.strptime(asked[name], _TIME).replace(tzinfo=UTC) for name in ("start_date", "end_date"))
        page, size = int(asked.get("page", 1)), int(asked.get("page_size", 50))
    except (KeyError, ValueError):
        return _refused(400, "Start date and end date are required")
    if page < 1 or not 1 <= size <= 1000 or asked.get("sort_by") != "startTime" or asked.get("sort_order") != "asc":
        return _refused(400, "Invalid page, page_size, sort_by or sort_order")
    days = [start.date() + timedelta(days=number) for number in range((end.date() - start.date()).days + 1)]
    found = [  # both ends of the time asked are part of it
        row for day in days if day < world.as_of for row in _rows_of(world.seed, day)
        if f"{start:%Y-%m-%dT%H:%M:%S}.000Z" <= row["startTime"] <= f"{end:%Y-%m-%dT%H:%M:%S}.000Z"
    ]
    total = min(len(found), CAP)
    return json_response(200, {
        "data": found[(page - 1) * size : page * size], "total": total, "page": page, "page_size": size,
        "total_pages": -(-total // size), "total_is_capped": len(found) > CAP,
    })


def _activity(asked: Mapping[str, str], world: World) -> Response:
    kept = [world.as_of - timedelta(days=number) for number in range(KEPT_DAYS, 0, -1)]
    days = [day for day in kept if asked.get("date", day.isoformat()) == day.isoformat()]
    if not days:
        return _refused(400, "Date must be within the last 30 (completed) UTC days")
    return json_response(200, {"data": [row for day in days for row in _activity_of(world.seed, day)]})


@lru_cache(maxsize=64)
def _activity_of(seed: int, day: date) -> tuple[dict[str, Any], ...]:
    rows = []
    for stream in STREAMS:
        if calls := calls_of_day(seed, stream, day):
            slug = f"anthropic/{stream.model}"
            rows.append({
                "date": day.isoformat(), "model": slug, "model_permaslug": slug, "endpoint_id": stream.stream_id,
                "provider_name": "Anthropic", "usage": sum(call.cost_nano_usd or 0 for call in calls) / 1e9,
                "byok_usage_inference": 0, "requests": len(calls), "reasoning_tokens": 0,
                "prompt_tokens": sum(call.input_tokens for call in calls),
                "completion_tokens": sum(call.output_tokens for call in calls),
                "cached_tokens": sum(call.cached_input_tokens for call in calls),
            })
    return tuple(rows)


@lru_cache(maxsize=64)
def _rows_of(seed: int, day: date) -> tuple[dict[str, Any], ...]:
    return tuple(_row(call) for call in calls_of_day(seed, STREAM, day))


def _observations(asked: Mapping[str, str], world: World) -> Response:
    start, end = (datetime.fromisoformat(asked[name]) for name in ("fromStartTime", "toStartTime"))
    days = [start.date() + timedelta(days=number) for number in range((end - start).days)]
    found = [row for day in days if day < world.as_of and asked.get("type") == "GENERATION"
             for row in _observations_of(world.seed, day)]
    first = int(asked["cursor"]) if asked.get("cursor", "").isdigit() else 0
    after = first + min(int(asked.get("limit", 50)), LANGFUSE_PAGE)  # no page need be as long as was asked
    meta = {"cursor": str(after)} if after < len(found) else {}
    return json_response(200, {"data": found[first:after], "meta": meta})


@lru_cache(maxsize=64)
def _observations_of(seed: int, day: date) -> tuple[dict[str, Any], ...]:
    return tuple(_observation(call) for call in calls_of_day(seed, STREAM, day))


def _observation(call: Call) -> dict[str, Any]:
    usage = {"input": call.input_tokens - call.cached_input_tokens, "input_cached_tokens": call.cached_input_tokens,
             "output": call.output_tokens, "total": call.input_tokens + call.output_tokens}
    return {
        "id": call.request_id, "traceId": f"tr-{call.request_id}", "startTime": _text(call.started_at_ms),
        "endTime": _text(call.started_at_ms + 900), "projectId": "pj-claims", "parentObservationId": None,
        "type": "GENERATION", "name": "answer", "level": "DEFAULT" if call.status == "ok" else "ERROR",
        "userId": user_name("langfuse-user"), "sessionId": None, "environment": "production", "model": call.model,
        "usageDetails": usage, "totalCost": (call.cost_nano_usd or 0) / 1e9, "tags": [f"workflow:{call.workflow_tag}"],
    }


def _row(call: Call) -> dict[str, Any]:
    usage = {"prompt_tokens": call.input_tokens, "completion_tokens": call.output_tokens,
             "total_tokens": call.input_tokens + call.output_tokens,
             "cache_read_input_tokens": call.cached_input_tokens, "cache_creation_input_tokens": 0}
    person = user_name("litellm-user")
    return {
        "request_id": call.request_id, "call_type": "acompletion",
        "api_key": hashlib.sha256(str(call.api_key_id).encode()).hexdigest(), "spend": (call.cost_nano_usd or 0) / 1e9,
        **{name: usage[name] for name in ("total_tokens", "prompt_tokens", "completion_tokens")},
        "startTime": _text(call.started_at_ms), "endTime": _text(call.started_at_ms + 900),
        "completionStartTime": None, "model": call.model, "model_id": "deployment-1", "model_group": "small",
        "custom_llm_provider": "anthropic", "api_base": "https://api.anthropic.com/v1/messages", "user": person,
        "metadata": {"user_api_key_alias": person, "status": "success", "usage_object": usage},
        "cache_hit": "None", "cache_key": "Cache OFF", "request_tags": [f"workflow:{call.workflow_tag}"],
        "team_id": "claims", "organization_id": None, "end_user": person, "requester_ip_address": "192.0.2.7",
        "session_id": None, "status": "success" if call.status == "ok" else "failure", "request_duration_ms": 900,
    }


def _text(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refused(status: int, message: str) -> Response:
    return json_response(status, {"error": {"message": message, "type": "auth_error", "param": None, "code": status}})
