"""Where outcomes come from, as `[sources.outcomes]` says: one feed in the section itself, others in feeds of its own.

What each kind of feed is asked belongs to the modules that ask it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pipelines.errors import SourceError
from pipelines.http import Client, basic
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources._outcome_rows import COLUMN_NAMES

NAME, URL_ENV = "outcomes", "OUTCOMES_DATABASE_URL"
_WHOSE = ("workflow_id", "outcome_type")
_COLUMNS = ("columns", "ignore_columns")
# the word that says what kind of feed it is, and the other words that it may hold
WORDS = {
    "path": ("format", "delimiter", *_COLUMNS),
    "query": ("url_env", *_COLUMNS),
    "promql": ("base_url", "token_env", "auth", "workflow_label", "outcome_label", *_WHOSE),
    "url": ("token_env", "auth", "params", "paging", "page_param", "size_param", "page_size", "next", "items", "total",
            "id", "instant", "margin_days", "bounded", "count", "accepted", "accepted_values", "keep", "absent",
            "workflow", "workflows", "outcome", "outcomes", *_WHOSE),
}
PAGING = ("none", "link", "page", "start_at", "cursor")
AUTH = ("bearer", "basic")
_SECTIONS = ("columns", "params", "workflows", "outcomes", "keep")
_LISTS = ("ignore_columns", "accepted_values", "absent")
_COUNTS = {"page_size": 1000, "margin_days": 7}


@dataclass(frozen=True)
class Feed:
    """One place that outcomes come from.

    Attributes:
        section: Its section in `jevons.toml`.
        kind: Its word among those of WORDS.
    """

    section: str
    kind: str
    options: Mapping[str, Any]


def feeds_of(context: Context) -> list[Feed]:
    """The feeds that are declared, the section's own first.

    Raises:
        SourceError: there is none, or one is not written rightly.
    """
    options = dict(context.options(NAME))
    options.pop("enabled", None)
    more = options.pop("feeds", {})
    if not isinstance(more, Mapping) or not all(isinstance(feed, Mapping) for feed in more.values()):
        raise _misconfigured(f"sources.{NAME}.feeds", "it is no section of sections",
                             f"write [sources.{NAME}.feeds.tickets] and put its settings below it")
    found = [_feed(f"sources.{NAME}", options)] if options or not more else []
    return found + [_feed(f"sources.{NAME}.feeds.{name}", feed) for name, feed in sorted(more.items())]


def client_of(settings: Settings, feed: Feed, name: str) -> Client:
    """The client for the machine that the feed names, with its key where it has one; without the path.

    Raises:
        SourceError: the variable of its key is not set.
    """
    address = urlsplit(feed.options["url" if feed.kind == "url" else "base_url"])
    variable = feed.options.get("token_env")
    key = settings.secret(variable) if variable else None
    if variable and not key:
        raise SourceError(f"{name} was not asked", variable, "this environment variable is not set",
                          f"set it, or leave token_env out of [{feed.section}]")
    headers = {"Authorization": basic(key) if feed.options.get("auth") == "basic" else f"Bearer {key}"} if key else {}
    path = "" if feed.kind == "url" else address.path
    return Client(name, f"{address.scheme}://{address.netloc}{path}", headers, variable)


def _feed(section: str, options: Mapping[str, Any]) -> Feed:
    kinds = [kind for kind in WORDS if kind in options]
    if len(kinds) != 1:
        raise _misconfigured(section, "it needs one of `path`, `query`, `promql` and `url`",
                             'write path = "inbox/outcomes/*.csv", a query, or the address of pages')
    kind = kinds[0]
    if wrong := _wrong(section, kind, options) or {"promql": _promql, "url": _url}.get(kind, _nothing)(options):
        raise _misconfigured(section, *wrong)
    return Feed(section, kind, options)


def _misconfigured(section: str, why: str, fix: str) -> SourceError:
    return SourceError("The outcomes are not configured rightly", f"jevons.toml, {section}", why, fix)


def _wrong(section: str, kind: str, options: Mapping[str, Any]) -> tuple[str, str] | None:
    """What no kind may have: words that mean nothing, and values that are not what they should be."""
    allowed = (kind, *WORDS[kind])
    for name in sorted(set(options) - set(allowed)):
        return f"`{name}` means nothing here", f"use {', '.join(sorted(allowed))}"
    for name, value in options.items():
        if name in _SECTIONS:
            if not isinstance(value, Mapping) or (name != "keep" and not all(map(_is_text, value.values()))):
                return f"`{name}` is no section of names", f"write [{section}.{name}]"
        elif name in _LISTS:
            if not _is_texts(value):
                return f"`{name}` is no list of names", f'write {name} = ["comment"]'
        elif name in _COUNTS:
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _COUNTS[name]:
                return f"`{name}` is not 0 to {_COUNTS[name]}", "write a whole number"
        elif name == "bounded":
            if not isinstance(value, bool):
                return f"`{name}` is neither true nor false", "write one of them"
        elif not _is_text(value):
            return f"`{name}` is no text", "put it in quotes"
    columns = options.get("columns", {})
    for name in sorted(set(columns) - set(COLUMN_NAMES)):
        return f"`columns.{name}` means nothing here", f"use {', '.join(COLUMN_NAMES)}"
    if options.get("format", "csv") not in ("csv", "jsonl", "parquet"):
        return f"the format {options['format']!r} is not known", "use csv, jsonl or parquet"
    if len(options.get("delimiter", ",")) != 1:
        return f"{options['delimiter']!r} is no delimiter", 'write one character, as in delimiter = ";"'
    if len({*columns.values()}) < len(columns):
        return "two columns are read from the same one", f"give each its own in [{section}.columns]"
    if options.get("auth", AUTH[0]) not in AUTH:
        return f"auth = {options['auth']!r} is not known", f"use {' or '.join(AUTH)}"
    return None


def _promql(options: Mapping[str, Any]) -> tuple[str, str] | None:
    if not _is_http(options.get("base_url")):
        return "`base_url` is not an http address", 'write base_url = "http://prometheus:9090"'
    return _either(options, "workflow_id", "workflow_label") or _either(options, "outcome_type", "outcome_label")


def _url(options: Mapping[str, Any]) -> tuple[str, str] | None:
    if not _is_http(options["url"]) or "?" in options["url"]:
        return "`url` is not an http address without parameters", "put parameters into a section `params`"
    if options.get("paging", "none") not in PAGING:
        return f"paging = {options['paging']!r} is not known", f"use {', '.join(PAGING)}"
    if options.get("paging") == "cursor" and "next" not in options:
        return "paging by cursor needs `next`, the field that holds it", 'write next = "/nextPageToken"'
    for name in ("id", "instant"):
        if name not in options:
            return f"`{name}` is not there", f'name that field of an item, as in {name} = "/closed_at"'
    if ("accepted" in options) != ("accepted_values" in options):
        return "`accepted` and `accepted_values` belong together", "name the field, and its values that mean accepted"
    if not all(map(_is_texts, options.get("keep", {}).values())):
        return "`keep` names no lists of values", 'write keep = { "/state" = ["closed"] }'
    return _either(options, "workflow_id", "workflow") or _either(options, "outcome_type", "outcome")


def _either(options: Mapping[str, Any], fixed: str, read: str) -> tuple[str, str] | None:
    if (fixed in options) == (read in options):
        return f"it needs either `{fixed}` or `{read}`", f"write the one that holds for all, or `{read}` to read it"
    return None


def _nothing(options: Mapping[str, Any]) -> None:
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(map(_is_text, value))


def _is_http(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://")) and bool(urlsplit(value).hostname)
