"""Model calls from OpenTelemetry traces: OTLP/JSON of the collector's file exporter or `jevons otlp`.

Which names a span may carry lies in `_otlp_words`, how files are read in `_otlp_reading`; what a call means for the
account belongs to dbt.

A span counts on the UTC day on which it ended: only then is it sent, and every copy of it says the same. `path` may
hold {date}, the day of the file: then the files of that day and of `spill_days` on either side are opened for a day's
spans, since spans are sent some time after they end; a day of which they hold nothing, and that has no file of its own,
is missing. Without {date} every file is opened each time.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pipelines import engine
from pipelines.errors import SettingError, SourceError
from pipelines.source import Column, Context, DayFile, Source, Table
from pipelines.sources import _files, _otlp_reading
from pipelines.sources._otlp_words import Words
from pipelines.window import Window

NAME = "otel"
OPTIONS = ("path", "spill_days", "workflow_attribute", "operations", "input_excludes_cached")
SPILL_DAYS, LONGEST_SPILL_DAYS = 1, 7

COLUMNS = (
    Column("trace_id", "VARCHAR", "Trace that the span is of, 32 hexadecimal digits.", required=True),
    Column("span_id", "VARCHAR", "The span, 16 hexadecimal digits.", required=True),
    Column("ended_at_utc", "TIMESTAMP", "When the call ended.", required=True),
    Column("duration_seconds", "DECIMAL(12,3)", "From start to end; null where the start is not told.", minimum=0),
    Column("operation", "VARCHAR", "Operation in the words of the conventions; null in vocabularies without it."),
    Column("provider", "VARCHAR", "Who runs the model, as the span says it; null where it does not say."),
    Column("model", "VARCHAR", "The model that answered, else the one that was asked for; null where not told."),
    Column("service_name", "VARCHAR", "Service that made the call; null where not told."),
    Column("pod", "VARCHAR", "Pod that made the call; null where not told."),
    Column("node", "VARCHAR", "Host that made the call; null where not told."),
    Column("workflow_tag", "VARCHAR", "What the call works for, by workflow_attribute; null where not told."),
    Column("vendor_request_id", "VARCHAR", "The vendor's own id of the request; null where not told."),
    Column("vendor_side", "BOOLEAN", "True where the vendor sent the span, not the caller.", required=True),
    Column("input_tokens", "BIGINT", "Tokens sent, as told; null where not told.", minimum=0),
    Column("cached_input_tokens", "BIGINT", "Tokens read from a cache; null where not told.", minimum=0),
    Column("cache_write_input_tokens", "BIGINT", "Tokens written to a cache; null where not told.", minimum=0),
    Column("output_tokens", "BIGINT", "Tokens received; null where not told.", minimum=0),
    Column("reasoning_output_tokens", "BIGINT", "Of those, tokens of reasoning; null where not told.", minimum=0),
    Column("input_includes_cached", "BOOLEAN", "True where input_tokens hold those of the cache.", required=True),
    Column("status", "VARCHAR", "How it ended.", required=True, allowed=("ok", "error")),
)


def options(section: Mapping[str, Any]) -> tuple[str, int, Words]:
    """Path, spill_days and words of the section.

    Raises:
        SourceError: naming the key, what it says and what it may say.
    """
    path, spill = section.get("path"), section.get("spill_days", SPILL_DAYS)
    if not isinstance(path, str) or not path:
        raise _wrong("path", path, 'name the files, as in path = "inbox/otlp/{date}/*.jsonl*"')
    if type(spill) is not int or not 0 <= spill <= LONGEST_SPILL_DAYS:
        raise _wrong("spill_days", spill, f"give 0 to {LONGEST_SPILL_DAYS}")
    workflow = section.get("workflow_attribute", Words.workflow)
    if not isinstance(workflow, str) or not workflow:
        raise _wrong("workflow_attribute", workflow, 'name an attribute, as in "app.workflow"')
    lists = {}
    for name in ("operations", "input_excludes_cached"):
        lists[name] = section.get(name, [])
        if not isinstance(lists[name], list) or not all(isinstance(word, str) and word for word in lists[name]):
            raise _wrong(name, lists[name], "give a list of names")
    operations = tuple(word.lower() for word in lists["operations"])
    return path, spill, Words(workflow, operations, tuple(lists["input_excludes_cached"]))


def fetch(context: Context, window: Window) -> Iterator[DayFile]:
    """One file a day, streamed by DuckDB.

    Raises:
        SourceError: the settings mean nothing, or the path leads out of JEVONS_HOME.
    """
    path, spill, words = options(context.options(NAME))
    files = []
    near = timedelta(days=spill)
    for day in Window(window.first - near, window.end + near).days() if _files.DAY in path else [None]:
        files += _files.matching(context.settings.home, path, day, "jsonl")
    if not files:
        return
    context.progress(f"{NAME}: {window}, {len(files)} files ({sum(file.size_bytes for file in files):,} bytes)")
    with engine.connect(context.scratch) as duck:
        yield from _otlp_reading.read(_otlp_reading.Reading(duck, TABLE, words, files, window, spill, context.scratch))


def check(context: Context) -> str:
    """How many files there are, after a look at the first payload of the newest.

    Raises:
        SourceError: there is none, or it holds no OTLP.
    """
    path, _, _ = options(context.options(NAME))
    found = _files.matching(context.settings.home, path.replace(_files.DAY, "*"), None, "jsonl")
    if not found:
        raise SourceError(
            "No file of traces was found", f"path = {path!r}", "no file under JEVONS_HOME matches it",
            "let the collector's file exporter or `jevons otlp` write there, or correct path in [sources.otel]",
        )
    newest = max(found, key=lambda file: (file.changed_ns, file.shown))
    _otlp_reading.look(newest)
    return f"{len(found)} files ({sum(file.size_bytes for file in found):,} bytes); {newest.shown} begins as OTLP/JSON."


def _wrong(key: str, value: Any, fix: str) -> SourceError:
    return SettingError(NAME, key, f"it is {value!r:.60}", fix)


TABLE = Table(
    name="spans", columns=COLUMNS, key=("trace_id", "span_id"), fetch=fetch,
    description="Model calls, one row a span; agents, tools and workflows around them are not calls.",
    day_of=lambda row: row["ended_at_utc"].date(), silent_days_are_missing=True,
    unlike=("trace_id", "span_id", "ended_at_utc", "duration_seconds", "vendor_request_id"),
)

SOURCE = Source(
    name=NAME, tables=(TABLE,), description="Model calls from OpenTelemetry traces.",
    restate_days=_otlp_reading.RESTATED_DAYS,
    personal=("all attributes but names of models, services and workflows and counts",), options=OPTIONS, check=check,
)
