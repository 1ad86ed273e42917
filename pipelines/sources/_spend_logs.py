"""How LiteLLM answers `/spend/logs/v2`: cut into slices of time until each is whole; every answer is checked.

What a record means belongs to `litellm`. The endpoint counts to 10,000 and no further, takes both ends of the time
asked as part of it, and orders by start alone: requests of one instant may change places between two pages.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.errors import SourceError
from pipelines.http import Client
from pipelines.sources._bucket_pages import Params, Wire

PATH = "spend/logs/v2"
CAP, PAGE_ROWS = 10_000, 1_000
SECOND = timedelta(seconds=1)

WIRE = Wire("LiteLLM", "start_date", "end_date", "page", str, lambda value: None, kinds=False)


def slices(client: Client, first: datetime, end: datetime) -> Iterator[tuple[list[Any], str]]:
    """The records from `first` (included) to `end` (excluded) in order of time, slice by slice, each with its request.

    Raises:
        SourceError: the proxy refused, sent what was not asked for, less than it said there is, or more requests in
            one second than it will count.
    """
    waiting = [(first, end)]
    while waiting:
        start, stop = waiting.pop()
        found, request, why = _slice(client, start, stop)
        if found is not None:
            yield found, request
            continue
        if stop - start <= SECOND:
            raise SourceError(
                "LiteLLM does not give all requests of one second", request, why,
                f"read its database instead: in [sources.litellm], replace base_url by url_env (the endpoint shows "
                f"{CAP:,} at most)",
            )
        middle = start + max((stop - start) // 2 // SECOND, 1) * SECOND
        waiting += [(middle, stop), (start, middle)]


def started(record: Mapping[str, Any]) -> datetime | None:
    """When a request started: an instant, or a time without zone, which LiteLLM keeps in UTC; None where it is none."""
    value = record.get("startTime")
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None


def _slice(client: Client, start: datetime, stop: datetime) -> tuple[list[Any] | None, str, str]:
    """The records of a slice and the request for them; None, with the reason, where it has to be cut."""
    asked: Params = [
        ("start_date", _told(start)), ("end_date", _told(stop)), ("sort_by", "startTime"), ("sort_order", "asc"),
        ("page_size", str(PAGE_ROWS)),
    ]
    request = client.describe(PATH, asked)
    records: list[Any] = []
    total, page = 0, 0
    while page == 0 or len(records) < total:
        page += 1
        body = client.get(PATH, [*asked, ("page", str(page))])
        found, counted = _read(body, page, request)
        if page == 1:
            total = counted
            if total >= CAP and body.get("total_is_capped") is not False or body.get("total_is_capped"):
                return None, request, f"there are more than {CAP:,}, and it counts no further"
        if not found:
            break
        records += found
    if len(records) < total:
        raise SourceError(
            "LiteLLM sent less than there is", request, f"it counts {total} requests and sent {len(records)}",
            WIRE.report,
        )
    distinct = {str(record.get("request_id")) for record in records}
    if len(distinct) < total:
        why = f"of {total} requests it sent {len(distinct)}, some of them twice"
        if page > 1:
            return None, request, why
        raise SourceError("LiteLLM sent less than there is", request, why, WIRE.report)
    return _inside(records, start, stop, request), request, ""


def _read(body: Any, page: int, request: str) -> tuple[list[Any], int]:
    """A page's records and how many the proxy counts in all."""
    found = body.get("data") if isinstance(body, dict) else None
    total = body.get("total") if isinstance(body, dict) else None
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise WIRE.misshapen(request, "it holds no list `data` of records")
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        raise WIRE.misshapen(request, "it does not say how many requests there are")
    if body.get("page", page) != page:
        raise SourceError("LiteLLM's pages turn in a circle", request, f"page {page} was asked for, and another came",
                          WIRE.report)
    return found, total


def _inside(records: list[Any], start: datetime, stop: datetime, request: str) -> list[Any]:
    """The records in order; those at the slice's end come with the next one, and those without a time stay in."""
    kept = []
    for record in records:
        at = started(record)
        if at is not None and not start <= at <= stop:
            raise SourceError("LiteLLM sent a request that was not asked for", request, f"it is of {at}", WIRE.report)
        if at != stop:
            kept.append((at or start, str(record.get("request_id")), len(kept), record))
    return [record for *_, record in sorted(kept, key=lambda each: each[:3])]


def _told(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
