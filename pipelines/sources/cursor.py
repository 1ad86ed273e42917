"""Cursor's usage events, added up by hour and model, and the team's seats, through Cursor's Admin API.

What an event without tokens means to the ledger belongs to dbt. E-mail addresses are only used to tell events apart as
they are read; no table holds one. Not established by a primary source: the largest page (`page_size` changes it),
whether `endDate` is included (the day's last millisecond is asked for), and how late events come (three days are read
again).
"""

from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pipelines.errors import Finding, SourceError
from pipelines.http import Client, RequestRefused
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._admin_api import Admin
from pipelines.sources._assistants import REPORT, PostingClient, Wrong, amount, count, named, seat_cost, seat_price
from pipelines.sources._bucket_pages import Wire, day_at
from pipelines.units import noun
from pipelines.window import DAY, Window

NAME, SECRET = "cursor", "CURSOR_API_KEY"
BASE_URL = "https://api.cursor.com"
EVENTS, SPEND = "teams/filtered-usage-events", "teams/spend"
PAGE_SIZE = 100
MOST_PAGES = 100_000
TOKENS = {"input_tokens": "inputTokens", "cached_input_tokens": "cacheReadTokens",
          "cache_write_input_tokens": "cacheWriteTokens", "output_tokens": "outputTokens"}
WIRE = Wire("Cursor", "", "", "", str, lambda value: None, kinds=False)


def client(context: Context) -> PostingClient:
    """The client that carries the team's key; SourceError where there is none that could be sent."""
    plain = Admin(
        WIRE, NAME, SECRET, BASE_URL, lambda key: {"Authorization": f"Basic {b64encode(f'{key}:'.encode()).decode()}"},
        "an Admin API key of the team", "made by an admin of the team", "of the team", {"User-Agent": "Jevons"},
    ).client(context)
    return PostingClient(**{each.name: getattr(plain, each.name) for each in fields(Client)})


def fetch_events(context: Context, window: Window) -> Iterator[Page]:
    """All events of each day, page by page, added up by hour, model and kind."""
    asking, size = client(context), context.options(NAME).get("page_size", PAGE_SIZE)
    for day in window.days():
        span = Window(day, day + DAY)
        asked = [("startDate", span.start_s * 1000), ("endDate", span.end_s * 1000 - 1)]
        events, total = [], None
        for number in range(1, MOST_PAGES):
            params = [*asked, ("page", number), ("pageSize", size)]
            request = asking.describe(EVENTS, params)
            told, page, more = _page(asking.post(EVENTS, params), number, request)
            if total not in (None, told):
                raise SourceError("Cursor's events changed while they were read", request, f"{total} became {told}",
                                  "run the same days again")
            total = told
            events += page
            if not more:
                break
            if not page or len(events) > total:
                raise SourceError("Cursor's pages do not end", request, f"{len(events)} of {total} events came", REPORT)
        if len(events) != total:
            raise SourceError("Cursor's events are not whole", request, f"{len(events)} of {total} events came", REPORT)
        rows, findings = added_up(events, day, asking.describe(EVENTS, asked))
        context.progress(f"{NAME}: {day}, {total} {noun(total, 'event')}")
        yield Page(rows, asking.describe(EVENTS, asked), (), findings)


def _page(body: Any, number: int, request: str) -> tuple[int, list[Any], bool]:
    """How many events there are in all, those of this page, and whether there is another."""
    pages = body.get("pagination") if isinstance(body, dict) else None
    events, total = (body.get("usageEvents"), body.get("totalUsageEventsCount")) if isinstance(body, dict) else (0, 0)
    if not isinstance(pages, dict) or not isinstance(events, list) or type(total) is not int \
            or not isinstance(pages.get("hasNextPage"), bool):
        raise WIRE.misshapen(request, "it has no events, their total and pagination")
    if pages.get("currentPage") != number:
        told = str(pages.get("currentPage"))[:12]
        raise SourceError("Cursor sent another page", request, f"it is page {told}", REPORT)
    return total, events, pages["hasNextPage"]


def added_up(events: Sequence[Any], day: date, where: str) -> tuple[list[dict[str, Any]], tuple[Finding, ...]]:
    """Events as counts by hour, model and kind; one that comes again, alike in every field, is counted once.

    Returns:
        Rows, and a finding for each event that does not fit; then the day is held back.
    """
    sums: dict[tuple[datetime, str | None, str | None, bool], Counter[str]] = defaultdict(Counter)
    seen, findings = set(), []
    for number, event in enumerate(events, start=1):
        try:
            if not isinstance(event, dict):
                raise Wrong("event", "it is no object")
            key, counts = _event(event, day)
            same = repr(sorted(event.items(), key=str))
        except Wrong as wrong:
            findings.append(Finding(f"{where}, event {number}, field {wrong.field}", wrong.rule, REPORT,
                                    day.isoformat()))
            continue
        if same not in seen:
            seen.add(same)
            sums[key].update(counts)
    return [{"usage_hour_utc": key[0], "model": key[1], "kind": key[2], "is_token_based": key[3], **counts}
            for key, counts in sums.items()], tuple(findings)


def _event(
    event: Mapping[str, Any], day: date
) -> tuple[tuple[datetime, str | None, str | None, bool], dict[str, int | Decimal]]:
    stamp, tokens = event.get("timestamp"), event.get("tokenUsage")
    if not isinstance(stamp, str | int) or isinstance(stamp, bool) or not str(stamp).isascii() \
            or not str(stamp).isdigit() or len(str(stamp)) > 15:
        raise Wrong("timestamp", "it is no Unix time in milliseconds")
    second = int(stamp) // 1000
    try:
        if day_at(second) != day:
            raise Wrong("timestamp", "it is of another day")
    except (ValueError, OverflowError, OSError):
        raise Wrong("timestamp", "it is no instant that exists") from None
    if not isinstance(event.get("userEmail"), str):
        raise Wrong("userEmail", "it is not there, and events are told apart by it")
    if tokens is not None and not isinstance(tokens, dict):
        raise Wrong("tokenUsage", "it is no object")
    if tokens is None and event.get("isTokenBasedCall") is True:
        raise Wrong("tokenUsage", "it is not there, and the call is charged by tokens")
    counts: dict[str, int | Decimal] = {"event_count": 1, "charged_cents": Decimal(0)}
    if tokens is not None:
        counts |= {ours: count(tokens, theirs, True) for ours, theirs in TOKENS.items()}
    if event.get("isChargeable") is not False:
        counts["charged_cents"] = amount(event, "chargedCents")
    key = (datetime.fromtimestamp(second // 3600 * 3600, UTC), named(event.get("model"), "model"),
           named(event.get("kind"), "kind"), tokens is not None)
    return key, counts


def fetch_seats(context: Context, window: Window) -> Iterator[Page]:
    """The team's members as Cursor counts them now, for each day of the window: the past is not told."""
    asking = client(context)
    members = _members(asking)
    price = seat_price(context, NAME, None)
    costs = {day: None if price is None else members * seat_cost(price, day) for day in window.days()}
    yield Page([{"usage_date": day, "seat_count": members, "cost_usd": cost} for day, cost in costs.items()], SPEND)


def _members(asking: PostingClient) -> int:
    asked = [("page", 1), ("pageSize", 1)]
    body = asking.post(SPEND, asked)
    members = body.get("totalMembers") if isinstance(body, dict) else None
    if type(members) is not int or members < 0:
        raise WIRE.misshapen(asking.describe(SPEND, asked), "it does not say how many members there are")
    return members


def check(context: Context) -> str:
    """Asks for the number of members and for one event.

    Raises:
        SourceError: says which of them the key may not read.
    """
    asking = client(context)
    day = Window.of_days("2026-01-01", "2026-01-01")
    asked = [("startDate", day.start_s * 1000), ("endDate", day.end_s * 1000 - 1), ("page", 1), ("pageSize", 1)]
    told = {}
    for what, ask in (("members", lambda: _members(asking)), ("usage events", lambda: asking.post(EVENTS, asked))):
        try:
            told[what] = ask()
        except RequestRefused as refused:
            if refused.status not in (401, 403, 404):
                raise
            raise SourceError(f"Cursor does not let this key read {what}", refused.where, refused.why,
                              f"set {SECRET} to an Admin API key of the team") from None
    members = told["members"]
    return f"Cursor answers: the team has {members} {noun(members, 'member')}, and the key may read usage events."


def _count(name: str, description: str, required: bool = False) -> Column:
    return Column(name, "BIGINT", description, required, minimum=0)


_events = Table(
    "events",
    (
        Column("usage_hour_utc", "TIMESTAMP", "UTC hour of the events.", True),
        Column("model", "VARCHAR", "Model as Cursor names it."),
        Column("kind", "VARCHAR", "How the events are charged, in Cursor's words. An open list."),
        Column("is_token_based", "BOOLEAN", "Whether tokens are told.", True),
        _count("event_count", "Events; nobody is named.", True),
        _count("input_tokens", "Input tokens neither read from nor written to a cache; null where not told."),
        _count("cached_input_tokens", "Input tokens read from a cache; null where not told."),
        _count("cache_write_input_tokens", "Input tokens written to a cache; null where not told."),
        _count("output_tokens", "Output tokens; null where not told."),
        Column("charged_cents", "DECIMAL(24,12)", "What is charged, in cents; 0 where it is not chargeable.", True),
    ),
    ("usage_hour_utc", "model", "kind", "is_token_based"), fetch_events,
    "Usage events by hour, model and kind; users are added up.", lambda row: row["usage_hour_utc"].date(),
)
_seats = Table(
    "seats",
    (
        Column("usage_date", "DATE", "UTC day.", True),
        _count("seat_count", "Members of the team when the day was landed.", True),
        Column("cost_usd", "DECIMAL(18,9)", "The day's part of their declared price; null where none is declared.",
               minimum=0),
    ),
    ("usage_date",), fetch_seats, "Seats by day.", lambda row: row["usage_date"],
)

SOURCE = Source(
    NAME, (_events, _seats), "Cursor: usage events by hour and model, and seats.", SECRET, restate_days=3,
    options=("base_url", "page_size", "seat_usd_per_month", "site"), personal=("userEmail", "name", "email"),
    check=check,
)
