"""OpenRouter's activity by day, model and endpoint, which it keeps for 30 completed UTC days and no longer.

Whose request it was where an own key of a vendor was used is staging's business. Not established by a primary source,
and so checked rather than trusted: what a day that is no longer kept is answered with. A refusal names the day as gone,
no empty answer replaces what was landed, and a day that is kept and not landed is announced with the date of its loss.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from pipelines.errors import Finding, SourceError
from pipelines.http import Client, RequestRefused
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._admin_api import Admin, places, without
from pipelines.sources._bucket_pages import Params, Wire
from pipelines.sources._day_files import landed_rows
from pipelines.units import noun
from pipelines.window import Window

log = logging.getLogger(__name__)

NAME, SECRET, PATH = "openrouter", "OPENROUTER_MANAGEMENT_KEY", "activity"
KEPT_DAYS = 30
WIRE = Wire("OpenRouter", "date", "date", "", str, lambda value: None, kinds=False)
ADMIN = Admin(
    WIRE, NAME, SECRET, "https://openrouter.ai/api/v1", lambda key: {"Authorization": f"Bearer {key}"},
    "a management key", "made in the settings of the account", "of the account: an ordinary key cannot read this",
)

_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ]00:00:00(\.0+)?Z?)?")


def client(context: Context) -> Client:
    """The client that carries the management key; SourceError where there is none that could be sent."""
    return ADMIN.client(context)


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """One page a day; the first says which days are still to be had, are not landed, and when they are lost.

    Raises:
        SourceError: OpenRouter refused, told of no use at all in its 30 days, or of another day than was asked for.
    """
    asks, more = client(context), _grouped(context)
    kept = _kept(asks, more)
    warnings = _announced(context, kept, window)
    for day in window.days():
        asked = [("date", day.isoformat()), *more]
        request, findings = asks.describe(PATH, asked), []
        try:
            records = _records(asks.get(PATH, asked), request)
        except RequestRefused as refused:
            if refused.status not in (400, 404, 422):
                raise
            records = []
            findings.append(Finding(
                request, f"OpenRouter does not give this day; it keeps {KEPT_DAYS} completed days ({refused.why})",
                "nothing can bring back a day that is no longer kept; what was landed of it stays", day.isoformat(),
            ))
        before = landed_rows(context, NAME, ACTIVITY.name, day)
        if not records and not findings and (kept[day] or before):
            told = f"{before} were landed before" if before else f"{kept[day]} are in the list of all days"
            findings.append(Finding(request, f"it holds no records, and {told}",
                                    WIRE.report + "; what was landed stays", day.isoformat()))
        if others := [_day(record) for record in records if _day(record) != day]:
            why = f"a record is of {others[0] or 'no day'}"
            raise SourceError("OpenRouter told of another day than was asked for", request, why, WIRE.report)
        yield Page([row(record) for record in records], request, warnings, tuple(findings))
        warnings = ()


def check(context: Context) -> str:
    """Asks for all that is kept, and says what of it is not landed."""
    kept = _kept(client(context), _grouped(context))
    days = sorted(kept)
    announced = _announced(context, kept, None)
    found = f"OpenRouter answers; it tells of use on {len(days)} {noun(len(days), 'day')} up to {days[-1]}"
    return f"{found}, all of them landed." if not announced else f"{found}: {announced[0]}."


def row(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record under our names for day and money; what is not known stays, so that landing refuses it by name."""
    return {
        **without(record, "date", "usage", "byok_usage_inference"), "usage_date": _day(record),
        "usage_usd": places(record.get("usage"), 9),
        "byok_usage_inference_usd": places(record.get("byok_usage_inference"), 9),
    }


def _kept(asks: Client, more: Params) -> Counter[date]:
    """How many records OpenRouter has of each day that it keeps, in one answer.

    Raises:
        SourceError: it has none, which cannot be told apart from an answer that went wrong.
    """
    request = asks.describe(PATH, more)
    days = Counter(day for record in _records(asks.get(PATH, more), request) if (day := _day(record)))
    if not days:
        raise SourceError(
            "OpenRouter tells of no use at all", request, f"in {KEPT_DAYS} days there is no record",
            f"look whether {SECRET} is of the right account, or switch off sources.{NAME}",
        )
    return days


def _announced(context: Context, kept: Counter[date], window: Window | None) -> tuple[str, ...]:
    """One sentence on the days that could still be landed and were not: the last words before a gap is for ever."""
    waiting = [day for day in sorted(kept) if not (window and day in window) and not landed_rows(
        context, NAME, ACTIVITY.name, day)]
    if not waiting:
        return ()
    first, last, count = waiting[0], waiting[-1], len(waiting)
    lost = first + timedelta(days=KEPT_DAYS + 1)  # on the 31st day after it, it is no longer one of the last 30
    sentence = (
        f"{count} {noun(count, 'day')} of OpenRouter {noun(count, 'is', 'are')} not landed, and {first} is lost for "
        f"ever on {lost}: run `jevons materialize --from {first} --to {last}` before"
    )
    log.warning("%s", sentence)
    return (sentence,)


def _records(body: Any, request: str) -> list[Mapping[str, Any]]:
    records = body.get("data") if isinstance(body, dict) else None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise WIRE.misshapen(request, "it holds no list `data` of records")
    return records


def _day(record: Mapping[str, Any]) -> date | None:
    value = record.get("date")
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _grouped(context: Context) -> Params:
    return [("group_by", "workspace")] if context.options(NAME).get("by_workspace") is True else []


def _count(name: str, description: str) -> Column:
    return Column(name, "BIGINT", description, True, minimum=0)


ACTIVITY = Table(
    "activity",
    (
        Column("usage_date", "DATE", "UTC day of the requests.", True),
        Column("model", "VARCHAR", "Model as OpenRouter names it: author/model."),
        Column("model_permaslug", "VARCHAR", "The same with its version."),
        Column("endpoint_id", "VARCHAR", "OpenRouter's id of the endpoint that answered."),
        Column("provider_name", "VARCHAR", "Who ran the model, in OpenRouter's words. An open list."),
        Column("workspace_id", "VARCHAR", "Workspace; null unless by_workspace is set."),
        _count("requests", "Requests."),
        _count("prompt_tokens", "Input tokens, those of caches included as a rule."),
        _count("completion_tokens", "Output tokens, reasoning included."),
        _count("reasoning_tokens", "Output tokens of reasoning."),
        _count("cached_tokens", "Input tokens read from a cache."),
        Column("usage_usd", "DECIMAL(18,9)", "What OpenRouter charges.", True),
        Column("byok_usage_inference_usd", "DECIMAL(18,9)", "What a vendor charges for use of an own key there.", True),
    ),
    ("usage_date", "model", "model_permaslug", "endpoint_id", "provider_name", "workspace_id"), fetch,
    "Requests, tokens and cost by day, model and endpoint.", lambda row: row["usage_date"],
)

SOURCE = Source(
    NAME, (ACTIVITY,), "OpenRouter's activity of the last 30 completed days.", SECRET, restate_days=3,
    options=("base_url", "site", "by_workspace"), check=check,
)
