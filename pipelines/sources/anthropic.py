"""Anthropic's usage, costs, workspaces and API keys, in Anthropic's own words, through the organisation's Admin API.

What a token kind or an empty workspace means to the ledger belongs to staging. Not established by a primary source, and
so checked rather than trusted: that a bucket which ends where the window ends is sent (an hour that does not come holds
its day back), and for how long closed days are restated (three days are read again).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from pipelines.errors import Finding
from pipelines.http import Client
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources import _claude_code
from pipelines.sources._admin_api import Admin, keyed_hash, places, without
from pipelines.sources._bucket_pages import DAY_S, HOUR_S, Buckets, Flatten, Wire, read_buckets, read_list
from pipelines.window import DAY, Window

NAME, SECRET, HASH_KEY = "anthropic", "ANTHROPIC_ADMIN_KEY", "JEVONS_HASH_KEY"
BASE_URL = "https://api.anthropic.com/v1"
VERSION = "2023-06-01"
SETTLED = date(2026, 1, 1)
"""Any finished day will do for a question that only asks whether it is answered."""

MESSAGES = Buckets(
    "organizations/usage_report/messages", HOUR_S, 168,
    ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo"),
)
COSTS = Buckets("organizations/cost_report", DAY_S, 31, ("workspace_id", "description"))
CACHE = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def told(seconds: int) -> str:
    """An instant as Anthropic's questions hold it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(value: Any) -> int | None:
    """The Unix seconds of an instant with its zone, on a whole second; None where it is none."""
    at = instant(value)
    return None if at is None or at.microsecond else int(at.timestamp())


def instant(value: Any) -> datetime | None:
    """The instant that a text with a time zone names; None where it names none."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return at.astimezone(UTC) if at and at.tzinfo else None
    except (ValueError, OverflowError):
        return None


WIRE = Wire("Anthropic", "starting_at", "ending_at", "after_id", told, read, kinds=False)
ADMIN = Admin(
    WIRE, NAME, SECRET, BASE_URL, lambda key: {"x-api-key": key},
    "an Admin API key (sk-ant-admin...)", "made by an admin of the organisation",
    "of an organisation: an ordinary key or an individual account cannot read this",
    {"anthropic-version": VERSION, "User-Agent": "Jevons"}, closed=(401, 403, 404),
)


def client(context: Context) -> Client:
    """The client that carries the organisation's admin key; SourceError where there is none that could be sent."""
    return ADMIN.client(context)


def fetch_buckets(buckets: Buckets, flatten: Flatten, context: Context, window: Window) -> Iterator[Page]:
    """Every bucket of the window, in as few requests as Anthropic's limit allows."""
    for page in read_buckets(WIRE, client(context), buckets, buckets.group_by, flatten, context, window):
        yield replace(page, rows=[edged(row) for row in page.rows])


def edged(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the edges of its bucket as instants."""
    edges = {f"{name}_utc": datetime.fromtimestamp(row[name], UTC) for name in (WIRE.start, WIRE.end)}
    return without(row, WIRE.start, WIRE.end) | edges


def usage(result: Mapping[str, Any], where: str, day: str, findings: list[Finding]) -> dict[str, Any]:
    """A usage result made flat, without the person in it."""
    cache, tools = result.get("cache_creation"), result.get("server_tool_use") or {}
    if not isinstance(cache, dict):
        # tokens written to the cache are in no other field: without the object they would be missing, not zero
        findings.append(Finding(f"{where}, field cache_creation", "the result does not say what it cached",
                                WIRE.report, day))
        cache = {}
    if not isinstance(tools, dict):
        tools = {"is": tools}
    return {
        **without(result, "account_id", "cache_creation", "server_tool_use"),
        **{f"cache_creation_{name}": cache.get(name) for name in CACHE},
        "web_search_requests": tools.get("web_search_requests"),
        **{f"cache_creation.{name}": value for name, value in without(cache, *CACHE).items()},
        **{f"server_tool_use.{name}": value for name, value in without(tools, "web_search_requests").items()},
    }


def cost(result: Mapping[str, Any], where: str, day: str, findings: list[Finding]) -> dict[str, Any]:
    """A cost; its amount stays in cents, as Anthropic gives it, under a name that says so."""
    currency = str(result.get("currency") or "").upper()
    if currency != "USD":
        findings.append(Finding(
            f"{where}, field currency", f"{currency[:20]!r} is not USD, and nothing is converted here",
            "report it to Jevons; the day waits in quarantine", day,
        ))
    return {
        **without(result, "amount", "currency"), "amount_cents": places(result.get("amount"), 12),
        "currency": currency or None,
    }


def fetch_workspaces(context: Context, window: Window) -> Iterator[Page]:
    """All workspaces, archived ones too, because their usage still needs a name. The window does not matter."""
    tag = context.options(NAME).get("workspace_tag")
    asked = [("include_archived", "true")]
    for items, request in read_list(WIRE, client(context), "organizations/workspaces", "workspace", asked):
        yield Page([_workspace(item, tag, request) for item in items], request)


def fetch_api_keys(context: Context, window: Window) -> Iterator[Page]:
    """All API keys, whatever their state, without who made them. The window does not matter."""
    hash_key = context.settings.secret(HASH_KEY)
    for items, request in read_list(WIRE, client(context), "organizations/api_keys", "API key", []):
        yield Page([_key(item, hash_key, request) for item in items], request)


def fetch_claude_code(context: Context, window: Window) -> Iterator[Page]:
    """Claude Code's report of each day, where the settings ask for it."""
    if context.options(NAME).get("claude_code") is True:
        yield from _claude_code.read(WIRE, client(context), context, window)


def check(context: Context) -> str:
    """Asks for one day of usage, one of costs, one workspace and one key.

    Raises:
        SourceError: says which of them the key may not read.
    """
    day = Window(SETTLED, SETTLED + DAY)
    span = [("starting_at", told(day.start_s)), ("ending_at", told(day.end_s)), ("bucket_width", "1d"), ("limit", "1")]
    return ADMIN.check(client(context), {
        "usage": (MESSAGES.path, span), "costs": (COSTS.path, span),
        "workspaces": ("organizations/workspaces", [("limit", "1")]),
        "API keys": ("organizations/api_keys", [("limit", "1")]),
    })


def _workspace(item: Mapping[str, Any], tag: Any, request: str) -> dict[str, Any]:
    """A workspace's name, state, places and, of its tags, the one that the organisation attributes use by."""
    tags, residency = item.get("tags") or {}, item.get("data_residency") or {}
    if not isinstance(tags, dict) or not isinstance(residency, dict):
        raise WIRE.misshapen(f"{request}, workspace {item['id']}", "its tags or its data_residency are no object")
    return {
        "id": item["id"], "name": item.get("name"), "workflow_tag": tags.get(tag) if isinstance(tag, str) else None,
        "workspace_geo": residency.get("workspace_geo"),
        "default_inference_geo": residency.get("default_inference_geo"),
        "created_at_utc": _known(item.get("created_at")), "archived_at_utc": _known(item.get("archived_at")),
    }


def _key(item: Mapping[str, Any], hash_key: str | None, request: str) -> dict[str, Any]:
    """A key's name and state; of its maker only the kind, and a keyed hash if there is a hash key."""
    maker, scope = item.get("created_by") or {}, item.get("scope") or {}
    if not isinstance(maker, dict) or not isinstance(scope, dict):
        raise WIRE.misshapen(f"{request}, key {item['id']}", "its maker or its scope is no object")
    return {
        "id": item["id"], "name": item.get("name"), "status": item.get("status"),
        # two spellings are in use; only the newer one names the default workspace
        "workspace_id": scope.get("workspace_id") or item.get("workspace_id"),
        "created_by_type": maker.get("type"), "created_by_hash": keyed_hash(hash_key, maker.get("id")),
        "created_at_utc": _known(item.get("created_at")), "expires_at_utc": _known(item.get("expires_at")),
    }


def _known(value: Any) -> Any:
    return instant(value) or value


def count(name: str, description: str, required: bool = False) -> Column:
    """A column of what can be counted."""
    return Column(name, "BIGINT", description, required, minimum=0)


EDGES = (
    Column("starting_at_utc", "TIMESTAMP", "First instant of the bucket.", True),
    Column("ending_at_utc", "TIMESTAMP", "First instant after the bucket.", True),
)
_WORKSPACE = Column("workspace_id", "VARCHAR", "Workspace that was charged; null is the default workspace.")
MODEL = Column("model", "VARCHAR", "Model as Anthropic names it; null where it is not told.")
_TIER = Column("service_tier", "VARCHAR", "Service tier: standard, batch, priority, flex and others. An open list.")
_CONTEXT = Column("context_window", "VARCHAR", "Length class of the context: 0-200k, 200k-1M. An open list.")
_GEO = Column("inference_geo", "VARCHAR", "Where inference was to run: global, us, not_available. An open list.")

_messages = Table(
    "messages",
    (
        *EDGES,
        Column("api_key_id", "VARCHAR", "Id of the API key, never the key; null for use in the Console."),
        _WORKSPACE, MODEL, _TIER, _CONTEXT, _GEO,
        Column("service_account_id", "VARCHAR", "Federated service account; null, because it is not grouped by."),
        Column("speed", "VARCHAR", "Fast or standard; null, because it is not grouped by."),
        count("uncached_input_tokens", "Input tokens neither read from nor written to a cache.", True),
        count("cache_creation_ephemeral_5m_input_tokens", "Input tokens written to a cache for 5 minutes.", True),
        count("cache_creation_ephemeral_1h_input_tokens", "Input tokens written to a cache for an hour.", True),
        count("cache_read_input_tokens", "Input tokens read from a cache.", True),
        count("output_tokens", "All output tokens.", True),
        count("web_search_requests", "Web searches that the model asked for."),
    ),
    ("starting_at_utc", *MESSAGES.group_by), partial(fetch_buckets, MESSAGES, usage),
    "Messages: tokens by hour, API key, workspace, model, service tier, context window and place. No request count.",
    lambda row: row["starting_at_utc"].date(),
)
_costs = Table(
    "costs",
    (
        *EDGES, _WORKSPACE,
        Column("description", "VARCHAR", "What was charged, as Anthropic writes it."),
        Column("cost_type", "VARCHAR", "tokens, web_search, code_execution, session_usage. An open list."),
        MODEL, Column("token_type", "VARCHAR", "Kind of token that was charged; null for other charges."),
        _TIER, _CONTEXT, _GEO,
        Column("amount_cents", "DECIMAL(24,12)", "Amount in cents; a credit is negative.", True),
        Column("currency", "VARCHAR", "Always USD.", True),
    ),
    ("starting_at_utc", "workspace_id", "description", "cost_type", "model", "token_type", "service_tier",
     "context_window", "inference_geo"),
    partial(fetch_buckets, COSTS, cost),
    "What Anthropic charges, by day, workspace and description; priority tier is not in it.",
    lambda row: row["starting_at_utc"].date(),
)
_workspaces = Table(
    "workspaces",
    (
        Column("id", "VARCHAR", "Id of the workspace.", True),
        Column("name", "VARCHAR", "Name of the workspace."),
        Column("workflow_tag", "VARCHAR", "Value of the tag that workspace_tag in jevons.toml names; null without."),
        Column("workspace_geo", "VARCHAR", "Where the workspace's data is stored."),
        Column("default_inference_geo", "VARCHAR", "Where its inference runs unless a call says otherwise."),
        Column("created_at_utc", "TIMESTAMP", "When it was made."),
        Column("archived_at_utc", "TIMESTAMP", "When it was archived; null if it was not."),
    ),
    ("id",), fetch_workspaces, "Names and one tag of workspaces, archived ones too.", daily=False,
)
_api_keys = Table(
    "api_keys",
    (
        Column("id", "VARCHAR", "Id of the API key, never the key.", True),
        Column("name", "VARCHAR", "Name that its maker gave it."),
        Column("status", "VARCHAR", "active, inactive, archived or expired."),
        Column("workspace_id", "VARCHAR", "Workspace of the key; null for the default one or the whole organisation."),
        Column("created_by_type", "VARCHAR", "Kind of maker: user, or another principal."),
        Column("created_by_hash", "VARCHAR", "HMAC-SHA256 of the maker's id with JEVONS_HASH_KEY, or null."),
        Column("created_at_utc", "TIMESTAMP", "When it was made."),
        Column("expires_at_utc", "TIMESTAMP", "When it expires; null if never."),
    ),
    ("id",), fetch_api_keys, "Names of API keys, without who made them.", daily=False,
)

_claude_code_table = Table(
    "claude_code", _claude_code.COLUMNS, _claude_code.KEY, fetch_claude_code,
    "Claude Code: tokens by day, model and kind of customer, without who used it.", lambda row: row["day"],
)

SOURCE = Source(
    NAME, (_messages, _costs, _claude_code_table, _workspaces, _api_keys),
    "Anthropic's Admin API: usage of messages, costs, and the names of workspaces and API keys.",
    SECRET, restate_days=3, options=("base_url", "site", "workspace_tag", "claude_code"),
    personal=("actor.email_address", "account_id", "created_by.id", "principal", "partial_key_hint"), check=check,
)
