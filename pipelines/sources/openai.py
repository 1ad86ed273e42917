"""OpenAI's usage, costs, projects and API keys, in OpenAI's own words, through the organisation's admin API.

Whether counts agree with each other (cached <= input, input = cached + cache write + uncached) is the gate's business;
our names and units belong to staging.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import quote

from pipelines.errors import Finding
from pipelines.http import Client, RequestRefused
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._admin_api import Admin, keyed_hash, places, without
from pipelines.sources._bucket_pages import (
    DAY_S,
    HOUR_S,
    Buckets,
    Flatten,
    Params,
    Wire,
    day_at,
    read_buckets,
    read_list,
)
from pipelines.window import DAY, Window

NAME, SECRET, HASH_KEY = "openai", "OPENAI_ADMIN_KEY", "JEVONS_HASH_KEY"
BASE_URL = "https://api.openai.com/v1"
COSTS_BY_KEY_FROM = date(2025, 12, 6)
"""OpenAI refuses costs by API key for earlier days (its message names epoch 1764979200)."""

COMPLETIONS = Buckets(
    "organization/usage/completions", HOUR_S, 168, ("project_id", "api_key_id", "model", "batch", "service_tier"),
    "organization.usage.completions.result",
)
EMBEDDINGS = Buckets(
    "organization/usage/embeddings", HOUR_S, 168, ("project_id", "api_key_id", "model"),
    "organization.usage.embeddings.result",
)
COSTS = Buckets(
    "organization/costs", DAY_S, 180, ("project_id", "line_item", "api_key_id"), "organization.costs.result",
)


WIRE = Wire(
    "OpenAI", "start_time", "end_time", "after", str, lambda value: value if type(value) is int else None, kinds=True,
)
ADMIN = Admin(
    WIRE, NAME, SECRET, BASE_URL, lambda key: {"Authorization": f"Bearer {key}"},
    "an admin key (sk-admin-...)", "made by an owner of the organisation", "that may read usage and management",
)


def client(context: Context) -> Client:
    """The client that carries the organisation's admin key; SourceError where there is none that could be sent."""
    return ADMIN.client(context)


def fetch_buckets(buckets: Buckets, flatten: Flatten, context: Context, window: Window) -> Iterator[Page]:
    """Every bucket of the window, in as few requests as OpenAI's limit allows."""
    openai = client(context)
    for piece, group_by in split(buckets, window):
        yield from read_buckets(WIRE, openai, buckets, group_by, flatten, context, piece)


def split(buckets: Buckets, window: Window) -> Iterator[tuple[Window, tuple[str, ...]]]:
    """The window with its group_by, cut in two where costs by API key begin."""
    if buckets is not COSTS or window.first >= COSTS_BY_KEY_FROM:
        yield window, buckets.group_by
        return
    without_key = tuple(dimension for dimension in buckets.group_by if dimension != "api_key_id")
    yield Window(window.first, min(window.end, COSTS_BY_KEY_FROM)), without_key
    if window.end > COSTS_BY_KEY_FROM:
        yield Window(COSTS_BY_KEY_FROM, window.end), buckets.group_by


def usage(result: Mapping[str, Any], where: str, day: str, findings: list[Finding]) -> dict[str, Any]:
    """A usage result without the person in it."""
    return without(result, "object", "user_id")


def cost(result: Mapping[str, Any], where: str, day: str, findings: list[Finding]) -> dict[str, Any]:
    """A cost with its amount made flat; the amount stays in dollars, as OpenAI gives it."""
    amount = result.get("amount")
    if not isinstance(amount, dict):
        findings.append(Finding(f"{where}, field amount", "the cost has no amount", WIRE.report, day))
        amount = {}
    currency = str(amount.get("currency") or "").lower()
    if amount and currency != "usd":
        findings.append(Finding(
            f"{where}, field amount.currency", f"{currency[:20]!r} is not usd, and nothing is converted here",
            "report it to Jevons; the day waits in quarantine", day,
        ))
    unknown = {f"amount.{name}": value for name, value in without(amount, "value", "currency").items()}
    return {
        **without(result, "object", "user_id", "amount"), **unknown,
        "amount_value": places(amount.get("value"), 12), "amount_currency": currency or None,
        "quantity": places(result.get("quantity"), 6),
    }


def fetch_projects(context: Context, window: Window) -> Iterator[Page]:
    """All projects, archived ones too, because their usage still needs a name. The window does not matter."""
    for items, request in _projects(client(context)):
        yield Page([without(item, "object") for item in items], request)


def fetch_api_keys(context: Context, window: Window) -> Iterator[Page]:
    """The API keys of all projects, those of people who left too. The window does not matter."""
    openai = client(context)
    hash_key = context.settings.secret(HASH_KEY)
    projects = [item for items, _ in _projects(openai) for item in items]
    for number, project in enumerate(projects, start=1):
        path = f"organization/projects/{quote(project['id'], safe='')}/api_keys"
        asked: Params = [("owner_project_access", "any")]
        context.progress(f"OpenAI api_keys: project {number} of {len(projects)}")
        try:
            for items, request in read_list(WIRE, openai, path, "organization.project.api_key", asked):
                yield Page([_key(item, project["id"], hash_key, request) for item in items], request)
        except RequestRefused as error:
            # an archived project may be closed to questions; that must not cost the names of all other keys
            if project.get("status") != "archived" or error.status not in {400, 404}:
                raise
            yield Page((), openai.describe(path, asked), (f"keys of the archived project {project['id']}: {error}",))


def check(context: Context) -> str:
    """Asks for one day of usage, one of costs and one project, each of which needs a permission of its own.

    Raises:
        SourceError: says which of them the key may not read.
    """
    day = Window(COSTS_BY_KEY_FROM, COSTS_BY_KEY_FROM + DAY)  # any finished day will do: an idle one is answered too
    span = [("start_time", str(day.start_s)), ("end_time", str(day.end_s)), ("bucket_width", "1d"), ("limit", "1")]
    return ADMIN.check(client(context), {
        "usage": (COMPLETIONS.path, span), "costs": (COSTS.path, span),
        "projects": ("organization/projects", [("limit", "1")]),
    })


def _projects(openai: Client) -> Iterator[tuple[list[dict[str, Any]], str]]:
    return read_list(WIRE, openai, "organization/projects", "organization.project", [("include_archived", "true")])


def _key(item: Mapping[str, Any], project_id: str, hash_key: str | None, request: str) -> dict[str, Any]:
    """A key's name and state; of its owner only the kind, and for a person a keyed hash if there is a hash key."""
    owner = item.get("owner")
    person = owner.get("user") or {} if isinstance(owner, dict) else None
    account = owner.get("service_account") or {} if isinstance(owner, dict) else None
    if not isinstance(person, dict) or not isinstance(account, dict):
        raise WIRE.misshapen(f"{request}, key {item['id']}", "it has no owner")
    hashed = keyed_hash(hash_key, person.get("id"))
    return {
        **without(item, "object", "owner", "redacted_value"), "project_id": project_id,
        "owner_type": owner.get("type"), "owner_user_hash": hashed, "owner_service_account_id": account.get("id"),
    }


def _day_of(row: Mapping[str, Any]) -> date:
    return day_at(row["start_time"])


def _count(name: str, description: str, required: bool = False) -> Column:
    return Column(name, "BIGINT", description, required, minimum=0)


_EDGES = (
    replace(_count("start_time", "First instant of the bucket, Unix seconds.", True), additive=False),
    replace(_count("end_time", "First instant after the bucket, Unix seconds.", True), additive=False),
)
_PROJECT = Column("project_id", "VARCHAR", "Project that was charged; null where OpenAI cannot tell.")
_API_KEY = Column("api_key_id", "VARCHAR", "Id of the API key, never the key; null where OpenAI cannot tell.")
_MODEL = Column("model", "VARCHAR", "Model as OpenAI names it; null where OpenAI cannot tell.")
_API_SOURCE = Column("api_source", "VARCHAR", "Product that made the calls; null, because it is not grouped by.")
_REQUESTS = _count("num_model_requests", "Requests made to the model.", True)

_completions = Table(
    "completions",
    (
        *_EDGES, _PROJECT, _API_KEY, _MODEL,
        Column("batch", "BOOLEAN", "Whether the calls came through the batch API; null where OpenAI cannot tell."),
        Column("service_tier", "VARCHAR", "Service tier of the calls; null where OpenAI cannot tell."), _API_SOURCE,
        _REQUESTS,
        _count("input_tokens", "All input tokens, those read from and written to the cache among them.", True),
        _count("output_tokens", "All output tokens: text, audio and image.", True),
        _count("input_cached_tokens", "Input tokens read from the cache."),
        _count("input_cache_write_tokens", "Input tokens written to the cache."),
        _count("input_cache_write_30m_tokens", "Input tokens written to the cache for 30 minutes."),
        _count("input_cache_write_12h_tokens", "Input tokens written to the cache for 12 hours."),
        _count("input_uncached_tokens", "Input tokens neither read from nor written to the cache."),
        _count("input_text_tokens", "Text tokens among the uncached input."),
        _count("input_audio_tokens", "Audio tokens among the uncached input; once the cached ones too."),
        _count("input_image_tokens", "Image tokens among the uncached input."),
        _count("input_cached_text_tokens", "Text tokens read from the cache."),
        _count("input_cached_audio_tokens", "Audio tokens read from the cache."),
        _count("input_cached_image_tokens", "Image tokens read from the cache."),
        _count("output_text_tokens", "Text tokens among the output."),
        _count("output_audio_tokens", "Audio tokens among the output."),
        _count("output_image_tokens", "Image tokens among the output."),
    ),
    ("start_time", *COMPLETIONS.group_by), partial(fetch_buckets, COMPLETIONS, usage),
    "Chat, responses and completions: requests and tokens by hour, project, API key, model, batch and service tier.",
    _day_of,
)
_embeddings = Table(
    "embeddings",
    (*_EDGES, _PROJECT, _API_KEY, _MODEL, _API_SOURCE, _REQUESTS, _count("input_tokens", "Tokens embedded.", True)),
    ("start_time", *EMBEDDINGS.group_by), partial(fetch_buckets, EMBEDDINGS, usage),
    "Embeddings: requests and tokens by hour, project, API key and model.", _day_of,
)
_costs = Table(
    "costs",
    (
        *_EDGES, _PROJECT,
        Column("api_key_id", "VARCHAR", "Id of the API key; null before 2025-12-06, when it was not told."),
        Column("line_item", "VARCHAR", "What was charged, most often `<model>, <meter>`."), _API_SOURCE,
        Column("amount_value", "DECIMAL(24,12)", "Amount in dollars; a credit is negative.", True),
        Column("amount_currency", "VARCHAR", "Always usd, in lower case.", True),
        Column("quantity", "DECIMAL(24,6)", "Metered quantity, in quantity_unit."),
        Column("quantity_unit", "VARCHAR", "Unit of quantity: tokens, 1000_tokens, images and others."),
    ),
    ("start_time", *COSTS.group_by), partial(fetch_buckets, COSTS, cost),
    "What OpenAI charges, by day, project, API key and line item; not usage times a list price.", _day_of,
)
_projects_table = Table(
    "projects",
    (
        Column("id", "VARCHAR", "Id of the project.", True),
        Column("name", "VARCHAR", "Name of the project."),
        _count("created_at", "When it was made, Unix seconds.", True),
        _count("archived_at", "When it was archived, Unix seconds; null if it was not."),
        Column("status", "VARCHAR", "active or archived."),
        Column("external_key_id", "VARCHAR", "Encryption key of the customer's own, if any."),
        Column("residency", "VARCHAR", "Where the project's data is stored and processed."),
    ),
    ("id",), fetch_projects, "Names of projects, archived ones too.", daily=False,
)
_api_keys = Table(
    "api_keys",
    (
        Column("id", "VARCHAR", "Id of the API key, never the key.", True),
        Column("project_id", "VARCHAR", "Project that the key belongs to.", True),
        Column("name", "VARCHAR", "Name that its maker gave it."),
        _count("created_at", "When it was made, Unix seconds.", True),
        _count("last_used_at", "When it was last used, Unix seconds; null if never."),
        Column("owner_project_access", "VARCHAR", "active or inactive: whether the owner still has access."),
        Column("owner_type", "VARCHAR", "user or service_account."),
        Column("owner_user_hash", "VARCHAR", "HMAC-SHA256 of the owner's user id with JEVONS_HASH_KEY, or null."),
        Column("owner_service_account_id", "VARCHAR", "Id of the owning service account; null where a person owns it."),
    ),
    ("id",), fetch_api_keys, "Names of API keys, without who owns them.", daily=False,
)

SOURCE = Source(
    NAME, (_completions, _embeddings, _costs, _projects_table, _api_keys),
    "OpenAI's organisation API: usage, costs, and the names of projects and API keys.",
    SECRET, restate_days=3, options=("base_url", "site"),
    personal=("user_id", "owner.user.id", "owner.user.name", "owner.user.email"), check=check,
)
