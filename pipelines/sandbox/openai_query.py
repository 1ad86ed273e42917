"""What a request to OpenAI's usage and costs endpoints asks for: checked parameters, cursors, bucket edges.

The buckets' contents belong in openai_api.py. Refusals are worded as clients have seen them; the vendor documents none.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.sandbox.exchange import Request, Response, World, json_response

_WIDTH_S = {"1m": 60, "1h": 3600, "1d": 86_400}
_USAGE_LIMITS = {"1m": (60, 1440), "1h": (24, 168), "1d": (7, 31)}  # buckets: default, maximum
_COSTS_LIMITS = (7, 180)
_COSTS_KEY_FROM_S = 1_764_979_200  # 2025-12-06: earlier costs cannot be grouped by API key
DIMENSIONS = {
    "completions": ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier"),
    "embeddings": ("project_id", "user_id", "api_key_id", "model"),
    "costs": ("project_id", "line_item", "api_key_id"),
}
_FILTERS = {
    "completions": {"project_ids": "project_id", "user_ids": "user_id", "api_key_ids": "api_key_id",
                    "models": "model"},
    "embeddings": {"project_ids": "project_id", "user_ids": "user_id", "api_key_ids": "api_key_id",
                   "models": "model"},
    "costs": {"project_ids": "project_id", "api_key_ids": "api_key_id"},
}


class BadRequestError(Exception):
    """A request that the vendor would refuse; `param` is the field to blame."""

    def __init__(self, message: str, param: str | None = None, status: int = 400, code: str | None = None):
        super().__init__(message)
        self.param, self.status, self.code = param, status, code

    def response(self) -> Response:
        """Return the refusal in the vendor's error shape."""
        error = {"message": str(self), "type": "invalid_request_error", "param": self.param, "code": self.code}
        return json_response(self.status, {"error": error})


@dataclass(frozen=True)
class Query:
    """A checked request for buckets; `start_s` and `end_s` are Unix seconds, half-open."""

    kind: str
    start_s: int
    end_s: int
    width: str
    limit: int
    group_by: tuple[str, ...]
    filters: tuple[tuple[str, frozenset[str]], ...]
    batch: bool | None
    first_bucket_s: int


def check_key(request: Request) -> None:
    """Refuse a missing, wrong or not administrative key as the vendor does."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise BadRequestError("You didn't provide an API key.", None, 401)
    if not key.startswith("sk-admin-"):
        raise BadRequestError(
            "You have insufficient permissions for this operation. Missing scopes: api.usage.read.", None, 403
        )
    if not key.startswith("sk-admin-sandbox"):
        raise BadRequestError("Incorrect API key provided.", None, 401, "invalid_api_key")


def parse(request: Request, world: World, kind: str) -> Query:
    """Return the checked request for `kind`: completions, embeddings or costs."""
    dimensions, filters = DIMENSIONS[kind], _FILTERS[kind]
    single = {"start_time", "end_time", "bucket_width", "limit", "page"} | (
        {"batch"} if kind == "completions" else set()
    )
    one: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    for name, value in request.parameters:
        plain = name.removesuffix("[]")
        if name in single:
            one[name] = value
        elif plain == "group_by" or plain in filters:
            many.setdefault(plain, []).append(value)
        else:
            raise BadRequestError(f"Unknown parameter: '{name}'.", name, 400, "unknown_parameter")
    if "start_time" not in one:
        raise BadRequestError("Missing required parameter: 'start_time'.", "start_time")
    now_s = int(datetime(world.as_of.year, world.as_of.month, world.as_of.day, tzinfo=UTC).timestamp())
    start_s = _integer(one, "start_time")
    end_s = min(_integer(one, "end_time"), now_s) if "end_time" in one else now_s
    if "end_time" in one and _integer(one, "end_time") <= start_s:
        raise BadRequestError("Invalid 'end_time': it must be after 'start_time'.", "end_time")
    width = one.get("bucket_width", "1d")
    if width not in (("1d",) if kind == "costs" else _WIDTH_S):
        raise BadRequestError(f"Invalid value: '{width}'. Supported values are: '1d'.", "bucket_width")
    group_by = tuple(many.get("group_by", ()))
    for name in group_by:
        if name not in dimensions:
            raise BadRequestError(f"Invalid value for group_by: '{name}'.", "group_by")
    if kind == "costs" and "api_key_id" in group_by and start_s < _COSTS_KEY_FROM_S:
        raise BadRequestError(
            f"Grouping by api_key_id is supported only for start_time at or after {_COSTS_KEY_FROM_S}.", "group_by"
        )
    batch = one.get("batch")
    if batch not in (None, "true", "false"):
        raise BadRequestError(f"Invalid boolean: '{batch}'.", "batch")
    default, maximum = _COSTS_LIMITS if kind == "costs" else _USAGE_LIMITS[width]
    limit = _integer(one, "limit") if "limit" in one else default
    if limit > maximum:
        raise BadRequestError(
            f"Invalid limit provided: {limit}. Limit must be less than or equal to {maximum}.", "limit"
        )
    if limit < 1:
        raise BadRequestError(f"Invalid limit provided: {limit}. Limit must be at least 1.", "limit")
    first = _resume(request, one["page"], start_s, end_s) if "page" in one else start_s
    wanted = tuple((filters[name], frozenset(values)) for name, values in many.items() if name != "group_by")
    return Query(kind, start_s, end_s, width, limit, tuple(dict.fromkeys(group_by)), wanted,
                 None if batch is None else batch == "true", first)


def _integer(one: dict[str, str], name: str) -> int:
    try:
        return int(one[name])
    except ValueError:
        raise BadRequestError(f"Invalid type for '{name}': expected an integer.", name) from None


def _fingerprint(request: Request) -> bytes:
    """Return a hash of everything that must stay the same from page to page."""
    kept = sorted((name, value) for name, value in request.parameters if name != "page")
    return hashlib.sha256(repr((request.path, kept)).encode()).digest()[:8]


def cursor(request: Request, next_s: int) -> str:
    """Return the opaque cursor of the page that starts at `next_s`; it fits these parameters only."""
    return "page_" + base64.urlsafe_b64encode(next_s.to_bytes(8, "big") + _fingerprint(request)).decode()


def _resume(request: Request, cursor: str, start_s: int, end_s: int) -> int:
    try:
        decoded = base64.b64decode(cursor.removeprefix("page_"), altchars=b"-_", validate=True)
    except ValueError:
        decoded = b""
    if not cursor.startswith("page_") or len(decoded) != 16 or decoded[8:] != _fingerprint(request):
        raise BadRequestError("Invalid 'page': the cursor does not belong to these parameters.", "page")
    return int.from_bytes(decoded[:8], "big")


def edges(query: Query) -> list[int]:
    """Return the edges of this page's buckets in Unix seconds; one edge alone means no bucket."""
    width = _WIDTH_S[query.width]
    found = [query.first_bucket_s]
    # The first bucket is partial when the start is not on a boundary; so is the last one.
    while len(found) <= query.limit and found[-1] < query.end_s:
        found.append(min((found[-1] // width + 1) * width, query.end_s))
    return found
