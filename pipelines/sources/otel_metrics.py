"""Model calls from OpenTelemetry metrics: counters and histograms in the same OTLP/JSON files that `otel` reads.

Which metrics count is said in `_otlp_metric_words`, what lies between two points of a counter in `_otlp_counters`;
whether a service's spans or its metrics are booked belongs to dbt.

A point is of the UTC day on which its time ends, and may be in a file of `spill_days` on either side. What a counter
had told before the day is looked for in the files of the days before, up to a week: nothing is remembered from one
landing to the next, and a day that is landed again from the same files is the same.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pyarrow.parquet as pq

from pipelines.errors import SettingError, SourceError
from pipelines.settings import Settings
from pipelines.source import Column, Context, DayFile, Source, Table
from pipelines.sources import _files, otel
from pipelines.sources._otlp_counters import Counters
from pipelines.sources._otlp_metric_reading import Reading, of_other_signals
from pipelines.sources._otlp_metric_words import COST, ERRORS, INSTRUMENTS, MetricWords
from pipelines.sources._otlp_metrics import judge
from pipelines.sources._otlp_reading import MEND, RESTATED_DAYS, payloads, request
from pipelines.sources._otlp_usage import Named, rows, wrong
from pipelines.typed import to_arrow
from pipelines.window import Window

NAME = "otel_metrics"
OPTIONS = ("counted_first", "metric_names", "token_types")
LOOKED_AT_FILES = 20

COLUMNS = (
    Column("hour_utc", "TIMESTAMP", "Start of the hour in which the later of two points lies.", required=True),
    Column("service_name", "VARCHAR", "Service that made the calls; null where not told."),
    Column("pod", "VARCHAR", "Pod that made the calls; null where not told."),
    Column("node", "VARCHAR", "Host that made the calls; null where not told."),
    Column("workflow_tag", "VARCHAR", "What the calls work for, by workflow_attribute; null where not told."),
    Column("provider", "VARCHAR", "Who runs the model, as the metric says it; null where it does not say."),
    Column("model", "VARCHAR", "The model that answered, else the one that was asked for; null where not told."),
    Column("input_includes_cached", "BOOLEAN", "True where input_tokens hold those of the cache.", required=True),
    Column("counted_first", "BOOLEAN", "True where the service's metrics count before its spans.", required=True),
    *(Column(name, "BIGINT", f"Growth of the {said}; null where not told.", minimum=0) for name, said in {
        "call_count": "calls", ERRORS: "calls that failed", "input_tokens": "tokens sent",
        "cached_input_tokens": "tokens read from a cache", "cache_write_input_tokens": "tokens written to a cache",
        "output_tokens": "tokens received", "reasoning_output_tokens": "tokens of reasoning, within those received",
    }.items()),
    Column(COST, "DECIMAL(18,9)", "What Claude Code estimates that it costs, in US dollars; not what is charged.",
           minimum=0),
)
KEY = Named._fields


def fetch(context: Context, window: Window) -> Iterator[DayFile]:
    """One file a day: each day by itself where paths name theirs, all at once where every file may be of any.

    Raises:
        SourceError: the settings mean nothing, or the path leads out of JEVONS_HOME.
    """
    path, spill, words, first = options(context.settings)
    home, dated = context.settings.home, _files.DAY in path
    everything = _files.matching(home, path.replace(_files.DAY, "*"), None, "jsonl")
    oldest = min((day for file in everything for day in _files.days_in(file.shown)), default=date.max)
    for asked in window.chunks(1) if dated else [window]:
        context.progress(f"{NAME}: {asked}")
        reading = Reading({day: Counters(day) for day in asked.days()}, words, spill)
        if dated:
            reading.near(asked.first, lambda day: _files.matching(home, path, day, "jsonl"), oldest)
        else:
            reading.all(everything)
        yield from _day_files(context, reading, first)


def _day_files(context: Context, reading: Reading, first: tuple[str, ...]) -> Iterator[DayFile]:
    """A file for each day that has points or a file of its own, or that is held back."""
    everywhere, told = None in reading.refusals.found, False
    for day, counters in sorted(reading.counters.items()):
        growths = list(counters.grown())
        own = any(file.day == day for file in reading.files)
        if not (growths or own or everywhere or day.isoformat() in reading.refusals.found):
            continue
        found = [{**row, "counted_first": row["service_name"] in first} for row in rows(growths, reading.words)]
        found.sort(key=lambda row: [str(row[name] or "") for name in KEY])
        for row in found:
            if rule := wrong(row):
                where = f"metrics of {row['hour_utc']:%Y-%m-%d %H:00}, {row['service_name']}, {row['model']}"
                reading.refusals.add(where, rule, MEND, day)
        path = context.scratch / f"{TABLE.name}.{day}.parquet"
        typed, misfits = to_arrow(TABLE, found, f"{TABLE.name} of {day}")
        pq.write_table(typed, path, compression="zstd")
        held = [finding for finding in reading.refusals.all()
                if finding.day == day.isoformat() or finding.day is None and not told]
        said = tuple(reading.said(day, growths))
        yield DayFile(day, path, request(reading.files), said, (*held, *misfits), duplicates=counters.repeated)
        told = True


def options(settings: Settings) -> tuple[str, int, MetricWords, tuple[str, ...]]:
    """Path and spill_days of [sources.otel], the words of both sections, and whose metrics count first.

    Raises:
        SourceError: naming the key, what it says and what it may say.
    """
    if not settings.enabled(otel.NAME):
        raise SourceError(
            "The metrics were not read", f"jevons.toml, sources.{NAME}",
            "they are in the files of [sources.otel], and it is not switched on",
            'write [sources.otel] with path = "inbox/otlp/{date}/*.jsonl*"',
        )
    path, spill, words = otel.options(settings.sources[otel.NAME])
    section = settings.sources.get(NAME, {})
    first = section.get("counted_first", [])
    if not isinstance(first, list) or not all(isinstance(name, str) and name for name in first):
        raise _wrong("counted_first", first, "give a list of names of services")
    known_types = {kind for found in INSTRUMENTS.values() if found.by for kind in found.quantities}
    names = _words(section, "metric_names", set(INSTRUMENTS))
    return path, spill, MetricWords(words, names, _words(section, "token_types", known_types)), tuple(first)


def _words(section: Mapping[str, Any], key: str, known: set[str]) -> Mapping[str, str]:
    value = section.get(key, {})
    if not isinstance(value, Mapping) or not all(isinstance(name, str) and name in known for name in value.values()):
        raise _wrong(key, value, f"give names, each with one of {', '.join(sorted(known))}")
    return value


def check(context: Context) -> str:
    """Which file tells of model calls in metrics.

    Raises:
        SourceError: none of the newest does.
    """
    path, _, words, _ = options(context.settings)
    found = _files.matching(context.settings.home, path.replace(_files.DAY, "*"), None, "jsonl")
    for file in sorted(found, key=lambda file: (file.changed_ns, file.shown), reverse=True)[:LOOKED_AT_FILES]:
        _files.whole(file)
        for _, payload, odd in payloads(file, of_other_signals):
            if not odd and judge(payload, words).points:
                return f"{file.shown} holds metrics of model calls."
    raise SourceError(
        "No metrics of model calls were found", f"sources.{otel.NAME}.path = {path!r}",
        f"the newest {min(len(found), LOOKED_AT_FILES)} files hold none",
        "let the services export metrics as well (OTEL_METRICS_EXPORTER=otlp), or drop [sources.otel_metrics]",
    )


def _wrong(key: str, value: Any, fix: str) -> SourceError:
    return SettingError(NAME, key, f"it is {value!r:.60}", fix)


TABLE = Table(
    name="usage", columns=COLUMNS, key=KEY, fetch=fetch,
    description="What metrics of model calls grew by, one row an hour x service x pod x host x workflow x model.",
    day_of=lambda row: row["hour_utc"].date(), silent_days_are_missing=True,
)

SOURCE = Source(
    name=NAME, tables=(TABLE,), description="Model calls from OpenTelemetry metrics, Claude Code's among them.",
    restate_days=RESTATED_DAYS, options=OPTIONS, check=check,
    personal=("all attributes but names of models, services and workflows; users and sessions tell series apart "
              "while files are read",),
)
