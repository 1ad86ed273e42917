"""How OpenAI's admin API answers: pages of time buckets, and lists; every answer is checked for shape and window.

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
REPORT = "run the same days again; if it stays, report it to OpenAI"

Params = list[tuple[str, str]]
Flatten = Callable[[Mapping[str, Any], str, str, list[Finding]], dict[str, Any]]
"""A result as a row, given where it stood and its ISO day; it adds what it finds wrong to the list."""


@dataclass(frozen=True)
class Buckets:
    """An endpoint that answers in time buckets.

    Attributes:
        width_s: Seconds of one bucket, as asked.
        limit: Most buckets that OpenAI puts on one page.
        result: The `object` of each result.
    """

    path: str
    width_s: int
    limit: int
    group_by: tuple[str, ...]
    result: str


def read_buckets(
    openai: Client, buckets: Buckets, group_by: tuple[str, ...], flatten: Flatten, context: Context, window: Window
) -> Iterator[Page]:
    """The results of every bucket of the window, as rows; days with a bucket that did not come are held back.

    Raises:
        SourceError: OpenAI refused, answered in another shape, turned in circles, or sent a bucket not asked for.
    """
    expected = (window.end_s - window.start_s) // buckets.width_s
    asked: Params = [
        ("start_time", str(window.start_s)), ("end_time", str(window.end_s)),
        ("bucket_width", "1d" if buckets.width_s == DAY_S else "1h"),
        *(("group_by[]", dimension) for dimension in group_by),
        ("limit", str(min(buckets.limit, expected))),
    ]
    starts: set[int] = set()
    answered: set[int] = set()
    for body, request in _pages(openai, buckets.path, asked, "page", expected, starts):
        rows: list[dict[str, Any]] = []
        findings: list[Finding] = []
        warnings: list[str] = []
        for number, bucket in enumerate(body["data"], start=1):
            start, end = _edges(bucket, f"{request}, bucket {number}", window)
            where = f"{request}, bucket {_utc(start)}"
            starts.add(start)
            answered.update(range(start // buckets.width_s, -(-end // buckets.width_s)))
            if end - start > buckets.width_s:
                warnings.append(f"the bucket {_utc(start)} is {end - start} s wide, {buckets.width_s} s were asked")
            for result in bucket["results"]:
                if not isinstance(result, dict) or result.get("object") != buckets.result:
                    raise misshapen(where, f"a result is not an {buckets.result}")
                row = flatten(result, where, day_at(start).isoformat(), findings)
                rows.append({**row, "start_time": start, "end_time": end})
        done = min(len(answered), expected)
        context.progress(f"OpenAI {buckets.path.rsplit('/', 1)[-1]}: {done} of {expected} buckets of {window}")
        yield Page(rows, request, tuple(warnings), tuple(findings))
    unanswered = tuple(_unanswered(buckets, window, answered))
    if unanswered:
        yield Page((), openai.describe(buckets.path, asked), (), unanswered)


def _edges(bucket: Any, where: str, window: Window) -> tuple[int, int]:
    """The bucket's first instant and the first after it, Unix seconds, inside the window and inside one UTC day."""
    if not isinstance(bucket, dict) or bucket.get("object") != "bucket":
        raise misshapen(where, "it is not a bucket")
    start, end = bucket.get("start_time"), bucket.get("end_time")
    if type(start) is not int or type(end) is not int or not isinstance(bucket.get("results"), list):
        raise misshapen(where, "it has no start_time, end_time or results")
    told = f"{where}, {_utc(start)} to {_utc(end)}"
    if not window.start_s <= start < end <= window.end_s:
        raise SourceError("OpenAI sent a bucket that was not asked for", told, f"it is not inside {window}", REPORT)
    if day_at(start) != day_at(end - 1):
        raise SourceError("OpenAI sent a bucket of two days", told, "its usage cannot be told apart by day", REPORT)
    return start, end


def _unanswered(buckets: Buckets, window: Window, answered: set[int]) -> Iterator[Finding]:
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
        yield Finding(f"{buckets.path} of {day}", f"{what} not answered", REPORT, day.isoformat())


def read_list(openai: Client, path: str, kind: str, asked: Params) -> Iterator[tuple[list[dict[str, Any]], str]]:
    """The items of a list, page by page, each page with the request it answers.

    Args:
        kind: The `object` of each item.

    Raises:
        SourceError: OpenAI refused, answered in another shape, or turned in circles.
    """
    seen: set[str] = set()
    for body, request in _pages(openai, path, [("limit", str(LIST_LIMIT)), *asked], "list", MOST_LIST_PAGES, seen):
        for number, item in enumerate(body["data"], start=1):
            if not isinstance(item, dict) or item.get("object") != kind or not isinstance(item.get("id"), str):
                raise misshapen(f"{request}, item {number}", f"it is not an {kind} with an id")
            seen.add(item["id"])
        yield body["data"], request


def _pages(
    openai: Client, path: str, asked: Params, envelope: str, most: int, seen: set[Any]
) -> Iterator[tuple[dict[str, Any], str]]:
    """Each page of an answer, until OpenAI says that it was the last.

    Args:
        envelope: `page` (buckets; the next cursor is `next_page`) or `list` (it is `last_id`).
        most: So many pages can bring something new.
        seen: What the caller has found so far; it grows with each page that brings something new.
    """
    follow, parameter = ("next_page", "page") if envelope == "page" else ("last_id", "after")
    cursors: set[str] = set()
    params, stalled = list(asked), 0
    for _ in range(most + STALLED_PAGES):
        request, before = openai.describe(path, params), len(seen)
        body = openai.get(path, params)
        if not isinstance(body, dict) or body.get("object") != envelope or not isinstance(body.get("data"), list):
            raise misshapen(request, f"it is not a {envelope} with a list of data")
        if not isinstance(body.get("has_more"), bool):
            raise misshapen(request, "it does not say whether there is more")
        yield body, request
        if not body["has_more"]:
            return
        cursor = body.get(follow)
        if not isinstance(cursor, str) or not cursor:
            raise misshapen(request, f"it says that there is more but has no {follow}")
        if cursor in cursors:
            told = openai.redacted(cursor)[:60]
            raise SourceError("OpenAI's pages turn in a circle", request, f"the cursor {told} came twice", REPORT)
        stalled = stalled + 1 if len(seen) == before else 0
        if stalled == STALLED_PAGES:
            raise SourceError("OpenAI's pages do not end", request, f"{stalled} in a row held nothing new", REPORT)
        cursors.add(cursor)
        params = [*asked, (parameter, cursor)]  # a cursor alone would be another question
    raise SourceError(
        "OpenAI's pages do not end", openai.describe(path, asked), f"there can be no more than {most}", REPORT
    )


def misshapen(where: str, why: str) -> SourceError:
    return SourceError("OpenAI's answer has another shape", where, why, "update Jevons, or report it to OpenAI")


def _utc(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(seconds)[:24]


def day_at(seconds: int) -> date:
    """The UTC day of an instant given in Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC).date()
