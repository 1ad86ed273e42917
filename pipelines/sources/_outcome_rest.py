"""Outcomes out of pages of JSON such as GitHub's and Jira's: where the list is, and which field of an item is what.

Each item is one outcome, or as many as a field says, on the day of its instant; of an item nothing but that is kept.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipelines.errors import SourceError
from pipelines.http import Client
from pipelines.sources import _outcome_rows
from pipelines.sources._outcome_rows import MEND, shown, whole
from pipelines.sources._typed_texts import Wrong, instant
from pipelines.userfiles import Refusals, Row
from pipelines.window import DAY, Window

MOST_PAGES = 10_000
RERUN = "run the same days again"
_PAGE_PARAM = {"page": "page", "start_at": "startAt", "cursor": "cursor"}
_FIRST = {"page": "1", "start_at": "0"}

Request = tuple[str, tuple[tuple[str, str], ...]]


@dataclass
class Items:
    """What was read so far, each item once.

    Attributes:
        asked: The days that were asked for, the margin included.
        known: Ids of all items, those that are refused among them.
        counts: Outcomes by day, workflow and type; `accepted` is how many were, unless they are in `unjudged`.
    """

    options: Mapping[str, Any]
    window: Window
    asked: Window
    refusals: Refusals
    known: set[str] = field(default_factory=set)
    seen: dict[str, tuple[Any, ...] | None] = field(default_factory=dict)
    counts: Counter[tuple[date, str, str]] = field(default_factory=Counter)
    accepted: Counter[tuple[date, str, str]] = field(default_factory=Counter)
    unjudged: set[tuple[date, str, str]] = field(default_factory=set)

    def take(self, found: Sequence[Any], where: str) -> int:
        """Counts the items of a page that were not there before, and says how many they are."""
        before = len(self.known)
        for number, item in enumerate(found, start=1):
            place, day = f"{where}, item {number}", None
            try:
                name = _id(item, self.options["id"])
                self.known.add(name)
                day, record = self._record(item)
                if name not in self.seen:
                    self.seen[name] = record
                    self._add(record)
                elif self.seen[name] != record:
                    day = None  # either of two days may be wrong
                    raise Wrong("an item of the same id was different before")
            except (Wrong, _outcome_rows.Wrong) as wrong:
                day = getattr(wrong, "day", day)
                self.refusals.add(place, str(wrong), MEND, day if day and day in self.window else None)
        return len(self.known) - before

    def _record(self, item: Any) -> tuple[date | None, tuple[Any, ...] | None]:
        """The item's day and what counts of it; None where it is no outcome of the window."""
        for pointer, values in self.options.get("keep", {}).items():
            if at(item, pointer) not in values:
                return None, None
        if any(_is_there(item, pointer) for pointer in self.options.get("absent", ())):
            return None, None
        value = at(item, self.options["instant"])
        if value is None:
            return None, None  # it has not come about yet
        try:
            day = instant(value, None).date()
        except OverflowError:
            raise Wrong("its instant is outside the calendar") from None
        if day not in self.asked and self.options.get("bounded", True):
            raise Wrong(f"{day} is in an answer that was asked for other days")
        if day not in self.window:
            return day, None
        try:
            count = whole(at(item, self.options["count"]), False) if "count" in self.options else 1
            verdict = at(item, self.options["accepted"]) if "accepted" in self.options else None
            judged = None if verdict is None else verdict in self.options["accepted_values"]
            return day, (day, self._name(item, "workflow_id", "workflow", "workflows"),
                         self._name(item, "outcome_type", "outcome", "outcomes"), count, judged)
        except (Wrong, _outcome_rows.Wrong) as wrong:
            wrong.day = day
            raise

    def _name(self, item: Any, fixed: str, read: str, mapped: str) -> str:
        if fixed in self.options:
            return self.options[fixed]
        value, known = at(item, self.options[read]), self.options.get(mapped)
        if not isinstance(value, str):
            raise Wrong(f"{self.options[read]} is no text")
        if known is None:
            return value
        if value not in known and "*" not in known:
            raise Wrong(f"{shown(value)} of {self.options[read]} is not in `{mapped}`")
        return known.get(value, known.get("*"))

    def _add(self, record: tuple[Any, ...] | None) -> None:
        if record is None:
            return
        key, (count, judged) = record[:3], record[3:]
        self.counts[key] += count
        self.accepted[key] += count if judged else 0
        if judged is None:
            self.unjudged.add(key)

    def rows(self, where: str) -> Iterator[Row]:
        """A row for each day, workflow and type."""
        for day, workflow, outcome in sorted(self.counts):
            key = (day, workflow, outcome)
            yield Row(f"{where}, {day}", {
                "usage_date": day, "workflow_id": workflow, "outcome_type": outcome, "outcome_count": self.counts[key],
                "accepted_count": None if key in self.unjudged else self.accepted[key],
            })


def ask(client: Client, options: Mapping[str, Any], window: Window, refusals: Refusals) -> tuple[Items, str]:
    """Reads every page of the list, and says what was asked.

    Raises:
        SourceError: the pages repeat, never end, hold fewer items than they promise, or are no list.
    """
    margin = options.get("margin_days", 1) * DAY
    asked = Window(window.first - margin, window.end + margin)
    items = Items(options, window, asked, refusals)
    words = {"{first}": str(asked.first), "{end}": str(asked.end), "{last}": str(asked.end - DAY)}
    fixed = tuple((name, _filled(text, words)) for name, text in options.get("params", {}).items())
    if "page_size" in options:
        fixed += ((options.get("size_param", "per_page"), str(options["page_size"])),)
    path, style, read, total = urlsplit(options["url"]).path or "/", options.get("paging", "none"), 0, None
    described = client.describe(path, fixed)

    def placed(position: str) -> Request:
        return path, (*fixed, (options.get("page_param", _PAGE_PARAM[style]), position))

    following: Request | None = placed(_FIRST[style]) if style in _FIRST else (path, fixed)
    done: set[Request] = set()
    while following:
        where = client.describe(*following)
        if following in done:
            raise _refused(where, "it is the next page and was read before", RERUN)
        if len(done) == MOST_PAGES:
            raise _refused(described, f"it has not ended after {MOST_PAGES} pages", "ask for larger pages")
        done.add(following)
        body, link = client.page(*following)
        found = _list(body, options, where)
        if not items.take(found, where) and found:
            raise _refused(where, "it brings nothing that the pages before did not", RERUN)
        read += len(found)
        if "total" in options:
            if total not in (None, told := _total(body, options, where)):
                raise _refused(where, "the list changed while it was read", RERUN)
            total = told
        whole_list = not found or (total is not None and len(items.known) >= total)
        if style == "link":
            following = _followed(options["url"], link)
        elif style == "cursor":
            cursor = _cursor(body, options)
            following = None if cursor is None else placed(cursor)
        elif style == "none" or whole_list:
            following = None
        else:
            following = placed(str(len(done) + 1) if style == "page" else str(read))
    if total is not None and len(items.known) < total:
        raise _refused(described, f"it holds {len(items.known)} of the {total} items that it tells", RERUN)
    return items, f"GET {described}"


def at(value: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901; without its first slash a name of the top level); null below null.

    Raises:
        Wrong: the item has no such field.
    """
    for part in pointer.removeprefix("/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if value is None:
            return None
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            raise Wrong(f"{pointer} is not there")
    return value


def _id(item: Any, pointer: str) -> str:
    value = at(item, pointer)
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise Wrong("it has no id")
    return f"{type(value).__name__} {value}"


def _is_there(item: Any, pointer: str) -> bool:
    try:
        return at(item, pointer) is not None
    except Wrong:
        return False


def _list(body: Any, options: Mapping[str, Any], where: str) -> list[Any]:
    try:
        found = at(body, options["items"]) if "items" in options else body
    except Wrong:
        found = None
    if not isinstance(found, list):
        raise _refused(where, f"there is no list at {options.get('items', 'its top')}", "correct `items`")
    if isinstance(body, Mapping) and body.get("incomplete_results") is True:
        raise _refused(where, "it says itself that its results are incomplete", RERUN)
    return found


def _total(body: Any, options: Mapping[str, Any], where: str) -> int:
    try:
        return whole(at(body, options["total"]), False)
    except (Wrong, _outcome_rows.Wrong):
        raise _refused(where, f"it tells no number of items at {options['total']}", "correct `total`") from None


def _cursor(body: Any, options: Mapping[str, Any]) -> str | None:
    """The next page's cursor; None on the last page, where the field is null, empty or left out."""
    if not _is_there(body, options["next"]):
        return None
    value = at(body, options["next"])
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def _followed(url: str, link: str | None) -> Request | None:
    """The next page; the key leaves for no other machine."""
    if not link:
        return None
    here, there = urlsplit(url), urlsplit(link)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise _refused("its Link header", "the next page is on another machine", "correct `url`")
    return there.path, tuple(parse_qsl(there.query, keep_blank_values=True))


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _refused(where: str, why: str, fix: str) -> SourceError:
    return SourceError("The pages of outcomes cannot be counted", where[:120], why, fix)
