"""Anthropic's usage, costs, workspaces and API keys, in Anthropic's wire contract: the calls that the gateway logs.

Which calls there were comes from activity.py; each went through the gateway, so that its log and this report are two
accounts of one thing. Error texts are worded as clients have seen them; cursors are opaque.
"""

import base64
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from pipelines.sandbox import stories
from pipelines.sandbox.activity import Call, calls_of_day, nano_usd
from pipelines.sandbox.draws import hex_id
from pipelines.sandbox.exchange import Request, Response, World, json_response
from pipelines.sandbox.organisation import MODEL_BY_NAME, TEAMS
from pipelines.sandbox.workflows import WORKFLOW_BY_ID
from pipelines.sandbox.workloads import CALL_LOG_STREAMS, Stream

TOKEN = "sk-ant-admin01-sandbox-0000"
STREAMS = tuple(stream for stream in CALL_LOG_STREAMS if stream.provider == "anthropic")
DIMENSIONS = {
    "messages": ("account_id", "api_key_id", "service_account_id", "workspace_id", "model", "service_tier",
                 "context_window", "inference_geo"),
    "costs": ("workspace_id", "description"),
    "enterprise": ("product", "model"),
}
METERS = {"uncached_input_tokens": "Input Tokens", "cache_read_input_tokens": "Input Tokens, Cache Hit",
          "output_tokens": "Output Tokens"}
_WIDTHS = {"1m": (timedelta(minutes=1), 60, 1440), "1h": (timedelta(hours=1), 24, 168),
           "1d": (timedelta(days=1), 7, 31)}
_MADE = "2025-03-03T09:00:00Z"


class RefusedError(Exception):
    """A request that the vendor would refuse, with its status and the type of its error."""

    def __init__(self, message: str, status: int = 400, kind: str = "invalid_request_error"):
        super().__init__(message)
        self.status, self.kind = status, kind


def answer(request: Request, world: World) -> Response:
    """Answer a request whose path begins with /v1/organizations/."""
    try:
        _check_key(request)
        match request.path.strip("/").split("/"):
            case ["v1", "organizations", "usage_report", "messages"]:
                return _report(request, world, "messages", _usage_results)
            case ["v1", "organizations", "cost_report"]:
                return _report(request, world, "costs", _cost_results)
            case ["v1", "organizations", "analytics", "usage_report"]:
                return _report(request, world, "enterprise", _enterprise_results)
            case ["v1", "organizations", "workspaces"]:
                return _list(request, [_workspace(team.team_id, team.team_name) for team in TEAMS])
            case ["v1", "organizations", "api_keys"]:
                return _list(request, [_key(stream) for stream in _one_for_each_key()])
        raise RefusedError(f"Not found: {request.path}", 404, "not_found_error")
    except RefusedError as error:
        body = {"type": "error", "error": {"type": error.kind, "message": str(error)}, "request_id": "req_sandbox"}
        return json_response(error.status, body)


def key_id(stream: Stream) -> str:
    """Return the id of Anthropic's key behind a key of the gateway."""
    return "apikey_01" + hex_id(f"anthropic/{stream.api_key_id or stream.stream_id}", 20)


def workspace_id(stream: Stream) -> str | None:
    """Return the workspace of the stream's team; None, the default one, where nobody owns the stream."""
    return stream.workflow_id and _workspace_of(WORKFLOW_BY_ID[stream.workflow_id].team_id)


def _workspace_of(team_id: str) -> str:
    return "wrkspc_01" + hex_id(f"anthropic/{team_id}", 20)


def _check_key(request: Request) -> None:
    key = request.headers.get("x-api-key", "")
    if "anthropic-version" not in request.headers:
        raise RefusedError("anthropic-version: header is required")
    if not key.startswith("sk-ant-"):
        raise RefusedError("invalid x-api-key", 401, "authentication_error")
    if not key.startswith("sk-ant-admin"):
        raise RefusedError("This endpoint requires an Admin API key.", 403, "permission_error")
    if not key.startswith("sk-ant-admin01-sandbox"):
        raise RefusedError("invalid x-api-key", 401, "authentication_error")


@lru_cache(maxsize=128)
def _calls(seed: int, day: date) -> tuple[tuple[Stream, tuple[Call, ...]], ...]:
    return tuple((stream, tuple(calls_of_day(seed, stream, day))) for stream in STREAMS)


def _report(
    request: Request, world: World, kind: str,
    results: Callable[[int, datetime, datetime, tuple[str, ...]], list[dict[str, Any]]],
) -> Response:
    """Answer one page of buckets, empty ones among them; what has not happened yet has none."""
    one, group_by = _parameters(request, {"starting_at", "ending_at", "bucket_width", "limit", "page"}, kind)
    width_name = one.get("bucket_width", "1d")
    if width_name not in ({"1d"} if kind == "costs" else _WIDTHS):
        raise RefusedError(f"bucket_width: Input should be '1d', got '{width_name}'")
    width, usual, most = _WIDTHS[width_name]
    limit = _limit(one, usual, most)
    start = _instant(one, "starting_at")
    today = datetime(world.as_of.year, world.as_of.month, world.as_of.day, tzinfo=UTC)
    end = min(_instant(one, "ending_at"), today) if "ending_at" in one else today
    if end <= start:
        raise RefusedError("Invalid date range: ending date must be after starting date")
    start -= (start - datetime(2020, 1, 1, tzinfo=UTC)) % width  # snapped, where OpenAI cuts the first bucket
    first = _position(one["page"]) if "page" in one else 0
    edges = [start + number * width for number in range(first, first + limit) if start + (number + 1) * width <= end]
    data = [
        {"starting_at": _text(edge), "ending_at": _text(edge + width),
         "results": results(world.seed, edge, edge + width, group_by)}
        for edge in edges
    ]
    more = start + (first + limit + 1) * width <= end
    return json_response(200, {"data": data, "has_more": more, "next_page": _cursor(first + limit) if more else None})


def _usage_results(seed: int, start: datetime, end: datetime, group_by: tuple[str, ...]) -> list[dict[str, Any]]:
    totals: dict[tuple, list[int]] = {}
    for stream, calls in _calls(seed, start.date()):
        group = _group(_dimensions(stream), group_by)
        for call in _within(calls, start, end):
            sums = totals.setdefault(group, [0, 0, 0])
            for place, count in enumerate(_meters(call)):
                sums[place] += count
    return [
        dict.fromkeys(DIMENSIONS["messages"]) | dict(zip(group_by, group, strict=True)) | {
            "uncached_input_tokens": uncached, "cache_read_input_tokens": cached, "output_tokens": output,
            "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
            "server_tool_use": {"web_search_requests": 0},
        }
        for group, (uncached, cached, output) in sorted(totals.items(), key=_sortable)
    ]


def _enterprise_results(seed: int, start: datetime, end: datetime, group_by: tuple[str, ...]) -> list[dict[str, Any]]:
    """One group, made up: the organisation of the sandbox has no Enterprise plan."""
    drawn = int(hex_id(f"enterprise/{seed}/{start:%Y-%m-%dT%H}", 4), 16) + 1
    told = {"product": "chat", "model": "claude-opus-5"}
    return [{name: told[name] if name in group_by else None for name in told} | {
        "requests": drawn, "uncached_input_tokens": 700 * drawn, "cache_read_input_tokens": 50 * drawn,
        "output_tokens": 300 * drawn, "server_tool_use": {"web_search_requests": 0},
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": drawn},
    }]


def _cost_results(seed: int, start: datetime, end: datetime, group_by: tuple[str, ...]) -> list[dict[str, Any]]:
    totals: dict[tuple, int] = {}
    told: dict[tuple, dict[str, Any]] = {}
    for stream, calls in _calls(seed, start.date()):
        model = MODEL_BY_NAME[stream.model]
        prices = [nano_usd(price) for price in (model.input_price_usd, model.cached_price_usd, model.output_price_usd)]
        for place, (meter, words) in enumerate(METERS.items()):
            nano = sum(_meters(call)[place] for call in calls if call.status == "ok") * prices[place]
            line = {
                "workspace_id": workspace_id(stream), "description": f"{model.name} Usage - {words}",
                "model": model.name, "token_type": meter, "service_tier": "standard", "context_window": "0-200k",
                "inference_geo": "global", "cost_type": "tokens",
            }
            if not nano:
                continue
            group = _group(line, group_by)
            totals[group] = totals.get(group, 0) + nano
            if "description" not in group_by:
                line = dict.fromkeys(line)
            told[group] = line | dict(zip(group_by, group, strict=True))
    return [
        told[group] | {"currency": "USD", "amount": _cents(nano)}
        for group, nano in sorted(totals.items(), key=_sortable)
    ]


def _dimensions(stream: Stream) -> dict[str, str | None]:
    return {
        "account_id": None, "api_key_id": key_id(stream), "service_account_id": None,
        "workspace_id": workspace_id(stream), "model": stream.model, "service_tier": "standard",
        "context_window": "0-200k", "inference_geo": "global",
    }


def _meters(call: Call) -> tuple[int, int, int]:
    return call.input_tokens - call.cached_input_tokens, call.cached_input_tokens, call.output_tokens


def _cents(nano: int) -> str:
    """Return nano-dollars as cents, exactly: ten million of them are one."""
    return f"{nano // 10**7}.{nano % 10**7:07d}".rstrip("0").rstrip(".")


def _within(calls: Iterable[Call], start: datetime, end: datetime) -> list[Call]:
    first, last = int(start.timestamp()) * 1000, int(end.timestamp()) * 1000
    return [call for call in calls if first <= call.started_at_ms < last]


def _group(values: dict[str, Any], group_by: tuple[str, ...]) -> tuple:
    return tuple(values[name] for name in group_by)


def _sortable(entry: tuple[tuple, Any]) -> tuple:
    return tuple((value is not None, str(value)) for value in entry[0])


def _parameters(request: Request, single: set[str], kind: str = "") -> tuple[dict[str, str], tuple[str, ...]]:
    one: dict[str, str] = {}
    group_by: list[str] = []
    for name, value in request.parameters:
        if name == "group_by[]" and value in DIMENSIONS.get(kind, ()):
            group_by.append(value)
        elif name in single:
            one[name] = value
        else:
            raise RefusedError(f"{name}: Extra inputs are not permitted")
    return one, tuple(dict.fromkeys(group_by))


def _limit(one: dict[str, str], usual: int, most: int) -> int:
    try:
        limit = int(one.get("limit", usual))
    except ValueError:
        limit = 0
    if not 1 <= limit <= most:
        raise RefusedError(f"limit: Input should be between 1 and {most}")
    return limit


def _instant(one: dict[str, str], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(one[name])
    except (KeyError, ValueError):
        raise RefusedError(f"{name}: Input should be a valid RFC 3339 datetime") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _cursor(position: int) -> str:
    return "page_" + base64.urlsafe_b64encode(str(position).encode()).decode()


def _position(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor.removeprefix("page_")))
    except ValueError:
        raise RefusedError("page: Invalid page token") from None


def _list(request: Request, items: list[dict[str, Any]]) -> Response:
    one, _ = _parameters(request, {"limit", "after_id", "include_archived", "status"})
    limit, ids = _limit(one, 20, 1000), [item["id"] for item in items]
    after = one.get("after_id")
    if after is not None and after not in ids:
        raise RefusedError("after_id: not found", 404, "not_found_error")
    first = 0 if after is None else ids.index(after) + 1
    shown = items[first : first + limit]
    return json_response(200, {
        "data": shown, "first_id": shown[0]["id"] if shown else None, "last_id": shown[-1]["id"] if shown else None,
        "has_more": first + limit < len(items),
    })


def _workspace(team_id: str, team_name: str) -> dict[str, Any]:
    return {
        "id": _workspace_of(team_id), "type": "workspace", "name": team_name, "created_at": _MADE, "archived_at": None,
        "display_color": "#6C5BB9", "tags": {"team": team_id}, "compartment_id": None, "external_key_id": None,
        "data_residency": {"allowed_inference_geos": "unrestricted", "default_inference_geo": "global",
                           "workspace_geo": "us"},
    }


def _one_for_each_key() -> list[Stream]:
    streams = {key_id(stream): stream for stream in STREAMS}
    return [streams[name] for name in sorted(streams)]


def _key(stream: Stream) -> dict[str, Any]:
    owned = workspace_id(stream)
    return {
        "id": key_id(stream), "type": "api_key", "name": (stream.api_key_id or stories.ORPHAN_TAG).replace("_", "-"),
        "status": "active", "created_at": _MADE, "expires_at": None, "workspace_id": owned,
        "partial_key_hint": "sk-ant-api03-R2D...igAA",
        "created_by": {"id": "user_01" + hex_id(key_id(stream), 20), "type": "user"},
    }
