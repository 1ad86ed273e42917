"""LiteLLM's spend log, one row a request: by `/spend/logs/v2` of the proxy, or straight from its PostgreSQL table.

Which provider a word of LiteLLM stands for, and that its own cache runs no model, is staging's business; how the
endpoint is cut into slices is `_spend_logs`'. Read in LiteLLM 1.109.1's source, and not promised by it: that ordinary
users' keys are shown their own requests only, which is why the key is tried on `/spend/users` before it is believed.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from pipelines.databases import ROWS_AT_ONCE, ask
from pipelines.errors import Finding, SettingError, SourceError
from pipelines.http import Client, RequestRefused
from pipelines.source import Column, Context, DayFile, Source, Table
from pipelines.sources._admin_api import Admin, places
from pipelines.sources._day_files import day_file
from pipelines.sources._kept_words import behind, one_word
from pipelines.sources._spend_logs import PATH, WIRE, slices, started
from pipelines.window import DAY, Window

NAME, SECRET, URL_ENV = "litellm", "LITELLM_API_KEY", "LITELLM_DATABASE_URL"
SETTLED = Window.of_days("2026-01-01", "2026-01-01")
"""Any finished day will do for a question that only asks whether it is answered."""
NOBODY = "jevons-asks-whether-this-key-sees-all"
ADMIN = Admin(
    WIRE, NAME, SECRET, "https://litellm.example.org", lambda key: {"Authorization": f"Bearer {key}"},
    "a key of a user with the role proxy_admin_viewer", "made by an admin of the proxy",
    "with the role proxy_admin_viewer (or the master key)",
)
# Prompts, answers, users and addresses are never asked for; of the metadata only what counts.
QUERY = """
with logs as (
    select *, case jsonb_typeof(metadata) when 'string' then (metadata #>> '{}')::jsonb else metadata end as told
    from "LiteLLM_SpendLogs"
    where "startTime" >= :first and "startTime" < :end
)
select request_id, call_type, api_key, spend, prompt_tokens, completion_tokens, "startTime", model,
    custom_llm_provider, api_base, cache_hit, request_tags, team_id, status,
    jsonb_build_object(
        'status', told -> 'status', 'usage_object', told -> 'usage_object',
        'additional_usage_values', told -> 'additional_usage_values',
        'batch_successful_requests', told -> 'batch_successful_requests',
        'batch_failed_requests', told -> 'batch_failed_requests'
    ) as metadata
from logs order by "startTime", request_id
"""
MEND = "run the same days again; if it stays, report it to LiteLLM"
UNKNOWN_MODEL = "unknown-model"  # LiteLLM's own word for a name that may be a text that somebody typed

_HASH = re.compile(r"[0-9a-f]{64}")


def client(context: Context) -> Client:
    """The client that carries the proxy's key; SourceError where there is none that could be sent."""
    return ADMIN.client(context)


def fetch(context: Context, window: Window) -> Iterator[DayFile]:
    """One file a day; a day of which fewer requests are left than were landed before is held back.

    Raises:
        SourceError: the settings mean nothing, the proxy or the database refused, or not all of a day was given.
    """
    options = _options(context)
    asks = client(context) if "base_url" in options else None
    warnings = _sees_all(asks) if asks else ()
    for day in window.days():
        batches = _asked(asks, day) if asks else _queried(context, day)
        findings: list[Finding] = []
        rows = ((_rows(records, where, day, options.get("workflow_tag_prefix"), findings), where)
                for records, where in batches)
        context.progress(f"LiteLLM: {day}")
        yield day_file(context, NAME, TABLE, day, rows, findings, warnings)


def check(context: Context) -> str:
    """Asks for one finished day, and whether the key sees everybody's requests."""
    options = _options(context)
    if "base_url" not in options:
        found = sum(len(records) for records, _ in _queried(context, SETTLED.first))
        return f"LiteLLM's table can be read; it holds {found} requests of {SETTLED.first}."
    asks = client(context)
    warnings = _sees_all(asks)
    for _ in slices(asks, SETTLED.start_utc, SETTLED.start_utc + timedelta(seconds=1)):
        pass
    return f"LiteLLM answers {PATH}, and {warnings[0] if warnings else 'the key sees the requests of all users'}."


def row(
    record: Mapping[str, Any], where: str, day: date, prefix: str | None, findings: list[Finding]
) -> dict[str, Any]:
    """A record without anything of its user or its content; what does not fit is left as it is, for landing to name."""
    told = record.get("metadata")
    if isinstance(told, str):
        try:
            told = json.loads(told)
        except (ValueError, RecursionError):
            pass
    told = {} if told is None else told
    if not isinstance(told, dict):
        findings.append(Finding(f"{where}, field metadata", "it is no object", MEND, day.isoformat()))
        told = {}
    usage = [each for each in (told.get("additional_usage_values"), told.get("usage_object")) if isinstance(each, dict)]
    at = started(record)
    return {
        "request_id": record.get("request_id"), "started_at_utc": at or record.get("startTime"),
        "call_type": one_word(record.get("call_type")),
        "provider_word": one_word(record.get("custom_llm_provider")), "api_host": _host(record.get("api_base")),
        "model": one_word(record.get("model"), UNKNOWN_MODEL), "api_key_hash": _hashed(record.get("api_key")),
        "team_id": one_word(record.get("team_id")), "workflow_tag": behind(prefix, record.get("request_tags")),
        "prompt_tokens": record.get("prompt_tokens"), "completion_tokens": record.get("completion_tokens"),
        "cached_tokens": _first(usage, ("cache_read_input_tokens",), ("prompt_tokens_details", "cached_tokens")),
        "cache_write_tokens": _first(usage, ("cache_creation_input_tokens",),
                                     ("prompt_tokens_details", "cache_creation_tokens")),
        "reasoning_tokens": _first(usage, ("completion_tokens_details", "reasoning_tokens")),
        "batch_ok_count": told.get("batch_successful_requests"),
        "batch_failed_count": told.get("batch_failed_requests"),
        "cache_hit": one_word(record.get("cache_hit")), "status": record.get("status") or told.get("status"),
        "spend_usd": places(record.get("spend"), 9),
    }


def _rows(
    records: Iterable[Mapping[str, Any]], where: str, day: date, prefix: str | None, findings: list[Finding]
) -> list[dict[str, Any]]:
    found = []
    for number, record in enumerate(records, start=1):
        place = f"{where}, request {number}"
        if started(record) is None:
            findings.append(Finding(f"{place}, field startTime", "it is no instant", MEND, day.isoformat()))
            continue
        found.append(row(record, place, day, prefix, findings))
    return found


def _asked(asks: Client, day: date) -> Iterator[tuple[list[Any], str]]:
    window = Window(day, day + DAY)
    return slices(asks, window.start_utc, window.end_utc)


def _queried(context: Context, day: date) -> Iterator[tuple[list[Any], str]]:
    """The table's rows of a day, streamed, some at a time."""
    name = _options(context)["url_env"]
    batch: list[Any] = []
    for each in ask(name, context.settings.secret(name), QUERY, Window(day, day + DAY)):
        batch.append(each.values)
        if len(batch) == ROWS_AT_ONCE:
            yield batch, f"LiteLLM_SpendLogs of {day}"
            batch = []
    yield batch, f"LiteLLM_SpendLogs of {day}"


def _sees_all(asks: Client) -> tuple[str, ...]:
    """Nothing, or a warning that it could not be found out.

    Raises:
        SourceError: the key belongs to somebody whose own requests are all that it is shown.
    """
    try:
        shown = asks.get("spend/users", [("user_id", NOBODY)])  # nobody's row for an admin, a refusal for others
    except RequestRefused as refused:
        if refused.status not in (401, 403):
            return (f"whether the key sees the requests of all users could not be found out ({refused.status})",)
        shown, why = [], refused.why
    else:
        why = "it is shown the requests of its own user only"
    if shown == []:
        raise SourceError("LiteLLM shows this key only a part", SECRET, why, f"set it to {ADMIN.key} {ADMIN.maker}")
    return ()


def _options(context: Context) -> Mapping[str, Any]:
    options = {"url_env": URL_ENV} | dict(context.options(NAME))
    wrong = None
    if unwritten := [name for name in SOURCE.options or () if not isinstance(options.get(name, ""), str)]:
        wrong = f"`{unwritten[0]}` is no text", "put it in quotes"
    elif "base_url" in options and "url_env" in context.options(NAME):
        wrong = "it has both `base_url` and `url_env`", "keep base_url for the endpoint, or url_env for the database"
    if wrong:
        raise SettingError(NAME, "", *wrong)
    return options


def _hashed(value: Any) -> str | None:
    """The hash of the virtual key, which LiteLLM keeps; whatever else stands there is hashed as LiteLLM does it."""
    if not isinstance(value, str) or not value:
        return None
    return value if _HASH.fullmatch(value) else hashlib.sha256(value.encode(errors="replace")).hexdigest()


def _host(value: Any) -> str | None:
    """Host and port of an address; its path may name people, and its user part a key."""
    try:
        address = urlsplit(value) if isinstance(value, str) else None
        port = f":{address.port}" if address and address.port else ""
    except ValueError:
        return None
    return one_word(f"{address.hostname}{port}") if address and address.hostname else None


def _first(usage: list[dict[str, Any]], *paths: tuple[str, ...]) -> Any:
    """The first of these fields that is told anywhere."""
    for told in usage:
        for path in paths:
            value: Any = told
            for name in path:
                value = value.get(name) if isinstance(value, dict) else None
            if value is not None:
                return value
    return None


def _count(name: str, description: str, required: bool = False) -> Column:
    return Column(name, "BIGINT", description, required, minimum=0)


TABLE = Table(
    "requests",
    (
        Column("request_id", "VARCHAR", "Id of the request in the spend log.", True),
        Column("started_at_utc", "TIMESTAMP", "When the request started.", True),
        Column("call_type", "VARCHAR", "What was asked of the gateway, in LiteLLM's words. An open list."),
        Column("provider_word", "VARCHAR", "LiteLLM's word for the provider; null where none was reached."),
        Column("api_host", "VARCHAR", "Host of the provider's address, without path or user; null where not told."),
        Column("model", "VARCHAR", "Model as LiteLLM names it; null where none was reached."),
        Column("api_key_hash", "VARCHAR", "SHA-256 of the virtual key, as LiteLLM keeps it."),
        Column("team_id", "VARCHAR", "LiteLLM's team of the key."),
        Column("workflow_tag", "VARCHAR", "What stands behind workflow_tag_prefix in a tag of the request."),
        _count("prompt_tokens", "Input tokens, those of caches included.", True),
        _count("completion_tokens", "Output tokens, reasoning included.", True),
        _count("cached_tokens", "Input tokens read from the provider's cache; null where not told."),
        _count("cache_write_tokens", "Input tokens written to the provider's cache; null where not told."),
        _count("reasoning_tokens", "Output tokens of reasoning; null where not told."),
        _count("batch_ok_count", "Requests of a finished batch that succeeded; null for other requests."),
        _count("batch_failed_count", "Requests of a finished batch that failed; null for other requests."),
        Column("cache_hit", "VARCHAR", "Whether LiteLLM answered from its own cache, in its words: True, False, None."),
        Column("status", "VARCHAR", "How it ended; null in logs of older versions.", allowed=("success", "failure")),
        Column("spend_usd", "DECIMAL(18,9)", "Cost by LiteLLM's price table, rounded to a billionth of a dollar."),
    ),
    ("request_id",), fetch, "Requests through a LiteLLM proxy, one row a request, without user or content.",
    lambda row: row["started_at_utc"].date(), ("started_at_utc", "request_id"),
    unlike=("request_id", "started_at_utc", "spend_usd"),
)

SOURCE = Source(
    NAME, (TABLE,), "LiteLLM's spend log: every request that went through the proxy.", SECRET, restate_days=3,
    options=("base_url", "url_env", "site", "workflow_tag_prefix"),
    personal=("user", "end_user", "requester_ip_address", "messages", "response", "proxy_server_request", "metadata",
              "request_tags", "api_base", "session_id"),
    check=check,
)
