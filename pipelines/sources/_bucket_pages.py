"""How admin APIs of vendors answer: pages of time buckets, and lists; every answer is checked for shape and window.

Which endpoint is asked for what, and what its fields mean, belongs to the source.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pipelines.errors import Finding, SourceError
from pipelines.http import Client
from pipelines.source import Context, Page
from pipelines.window import DAY, Window

HOUR_S, DAY_S = 3600, 86400
LIST_LIMIT = 100
MOST_LIST_PAGES = 10_000
STALLED_PAGES = 3
"""So many pages in a row without anything new are taken for a loop; one repeated page is not."""

Params = list[tuple[str, str]]
Flatten = Callable[[Mapping[str, Any], str, str, list[Finding]], dict[str, Any]]
"""A result as a row, given where it stood and its ISO day; it adds what it finds wrong to the list."""


@dataclass(frozen=True)
class Wire:
    """What differs between vendors whose answers are built alike.

    Attributes:
        vendor: The vendor, as a person says it ("OpenAI").
        start, end: Names of a bucket's edges, in questions and answers.
        after: Parameter that names the last item of the page before, in lists.
        told: How an instant (Unix seconds) is written in a question.
        read: An answer's instant as Unix seconds; None where it is none.
        kinds: Whether envelopes, buckets and items say what they are in `object`.
    """

    vendor: str
    start: str
    end: str
    after: str
    told: Callable[[int], str]
    read: Callable[[Any], int | None]
    kinds: bool

    @property
    def report(self) -> str:
        """What to do about an answer that makes no sense."""
        return f"run the same days again; if it stays, report it to {self.vendor}"

    def misshapen(self, where: str, why: str) -> SourceError:
        """The refusal of an answer that is built in another way than is known."""
        return SourceError(
            f"{self.vendor}'s answer has another shape", where, why, f"update Jevons, or report it to {self.vendor}"
        )

    def is_kind(self, value: Any, kind: str | None) -> bool:
        """Whether the value is an object and, where objects say what they are, one of this kind."""
        return isinstance(value, dict) and (not self.kinds or value.get("object") == kind)


@dataclass(frozen=True)
class Buckets:
    """An endpoint that answers in time buckets.

    Attributes:
        width_s: Seconds of one bucket, as asked.
        limit: Most buckets that the vendor puts on one page.
        result: What each result is, in `object` where results say it.
    """

    path: str
    width_s: int
    limit: int
    group_by: tuple[str, ...]
    result: str = "object"


def read_buckets(
    wire: Wire, client: Client, buckets: Buckets, group_by: tuple[str, ...], flatten: Flatten, context: Context,
    window: Window,
) -> Iterator[Page]:
    """The results of every bucket of the window, as rows; days with a bucket that did not come are held back.

    Raises:
        SourceError: the vendor refused, answered in another shape, turned in circles, or sent a bucket not asked for.
    """
    expected = (window.end_s - window.start_s) // buckets.width_s
    asked: Params = [
        (wire.start, wire.told(window.start_s)), (wire.end, wire.told(window.end_s)),
        ("bucket_width", "1d" if buckets.width_s == DAY_S else "1h"),
        *(("group_by[]", dimension) for dimension in group_by),
        ("limit", str(min(buckets.limit, expected))),
    ]
    starts: set[int] = set()
    answered: set[int] = set()
    for body, request in read_pages(wire, client, buckets.path, asked, "page", expected, starts):
        rows: list[dict[str, Any]] = []
        findings: list[Finding] = []
        warnings: list[str] = []
        for number, bucket in enumerate(body["data"], start=1):
            start, end = _edges(wire, bucket, f"{request}, bucket {number}", window)
            where = f"{request}, bucket {_utc(start)}"
            starts.add(start)
            answered.update(range(start // buckets.width_s, -(-end // buckets.width_s)))
            if end - start > buckets.width_s:
                warnings.append(f"the bucket {_utc(start)} is {end - start} s wide, {buckets.width_s} s were asked")
            for result in bucket["results"]:
                if not wire.is_kind(result, buckets.result):
                    raise wire.misshapen(where, f"a result is not an {buckets.result}")
                row = flatten(result, where, day_at(start).isoformat(), findings)
                rows.append({**row, wire.start: start, wire.end: end})
        done = min(len(answered), expected)
        context.progress(f"{wire.vendor} {buckets.path.rsplit('/', 1)[-1]}: {done} of {expected} buckets of {window}")
        yield Page(rows, request, tuple(warnings), tuple(findings))
    unanswered = tuple(_unanswered(wire, buckets, window, answered))
    if unanswered:
        yield Page((), client.describe(buckets.path, asked), (), unanswered)


def _edges(wire: Wire, bucket: Any, where: str, window: Window) -> tuple[int, int]:
    """The bucket's first instant and the first after it, Unix seconds, inside the window and inside one UTC day."""
    if not wire.is_kind(bucket, "bucket"):
        raise wire.misshapen(where, "it is not a bucket")
    start, end = wire.read(bucket.get(wire.start)), wire.read(bucket.get(wire.end))
    if start is None or end is None or not isinstance(bucket.get("results"), list):
        raise wire.misshapen(where, f"it has no {wire.start}, {wire.end} or results")
    told = f"{where}, {_utc(start)} to {_utc(end)}"
    if not window.start_s <= start < end <= window.end_s:
        raise SourceError(
            f"{wire.vendor} sent a bucket that was not asked for", told, f"it is not inside {window}", wire.report
        )
    if day_at(start) != day_at(end - 1):
        raise SourceError(
            f"{wire.vendor} sent a bucket of two days", told, "its usage cannot be told apart by day", wire.report
        )
    return start, end


def _unanswered(wire: Wire, buckets: Buckets, window: Window, answered: set[int]) -> Iterator[Finding]:
    """One finding for each day with a gap: an idle hour comes as an empty bucket, so no bucket means no answer."""
    per_day = DAY_S // buckets.width_s
    for day in window.days():
        first = Window(day, day + DAY).start_s // buckets.width_s
        gaps = [f"{slot:02d}" for slot in range(per_day) if first + slot not in answered]
        if not gaps:
            continue
        what = "the day was" if len(gaps) == per_day else f"hour {gaps[0]} (UTC) was"
        if 1 < len(gaps) < per_day:
            what = f"hours {', '.join(gaps)} (UTC) were"
        yield Finding(f"{buckets.path} of {day}", f"{what} not answered", wire.report, day.isoformat())


def read_list(
    wire: Wire, client: Client, path: str, kind: str, asked: Params
) -> Iterator[tuple[list[dict[str, Any]], str]]:
    """The items of a list, page by page, each page with the request it answers.

    Args:
        kind: What each item is, in `object` where items say it.

    Raises:
        SourceError: the vendor refused, answered in another shape, or turned in circles.
    """
    seen: set[str] = set()
    asked = [("limit", str(LIST_LIMIT)), *asked]
    for body, request in read_pages(wire, client, path, asked, "list", MOST_LIST_PAGES, seen):
        for number, item in enumerate(body["data"], start=1):
            if not wire.is_kind(item, kind) or not isinstance(item.get("id"), str):
                raise wire.misshapen(f"{request}, item {number}", f"it is not an {kind} with an id")
            seen.add(item["id"])
        yield body["data"], request


def read_pages(
    wire: Wire, client: Client, path: str, asked: Params, envelope: str, most: int, seen: set[Any]
) -> Iterator[tuple[dict[str, Any], str]]:
    """Each page of an answer, until the vendor says that it was the last.

    Args:
        envelope: `page` (buckets; the next cursor is `next_page`) or `list` (it is `last_id`).
        most: So many pages can bring something new.
        seen: What the caller has found so far; it grows with each page that brings something new.
    """
    follow, parameter = ("next_page", "page") if envelope == "page" else ("last_id", wire.after)
    cursors: set[str] = set()
    params, stalled = list(asked), 0
    for _ in range(most + STALLED_PAGES):
        request, before = client.describe(path, params), len(seen)
        body = client.get(path, params)
        if not wire.is_kind(body, envelope) or not isinstance(body.get("data"), list):
            raise wire.misshapen(request, f"it is not a {envelope} with a list of data")
        if not isinstance(body.get("has_more"), bool):
            raise wire.misshapen(request, "it does not say whether there is more")
        yield body, request
        if not body["has_more"]:
            return
        cursor = body.get(follow)
        if not isinstance(cursor, str) or not cursor:
            raise wire.misshapen(request, f"it says that there is more but has no {follow}")
        if cursor in cursors:
            told = client.redacted(cursor)[:60]
            raise SourceError(
                f"{wire.vendor}'s pages turn in a circle", request, f"the cursor {told} came twice", wire.report
            )
        stalled = stalled + 1 if len(seen) == before else 0
        if stalled == STALLED_PAGES:
            raise SourceError(
                f"{wire.vendor}'s pages do not end", request, f"{stalled} in a row held nothing new", wire.report
            )
        cursors.add(cursor)
        params = [*asked, (parameter, cursor)]  # a cursor alone would be another question
    raise SourceError(
        f"{wire.vendor}'s pages do not end", client.describe(path, asked), f"there can be no more than {most}",
        wire.report,
    )


def _utc(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(seconds)[:24]


def day_at(seconds: int) -> date:
    """The UTC day of an instant given in Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC).date()
