"""Readings of the meters at the wall: hosts, power strips and sites, from files that the organisation drops.

What the readings mean for the account (joules by hour, what a host takes beside its GPUs) belongs to dbt.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.errors import SettingError, SourceError
from pipelines.source import Context, DayFile, Page, Source
from pipelines.sources._meter_days import of_files, readings
from pipelines.sources._meter_rows import BOUNDARIES, KINDS, READING, Reader
from pipelines.userfiles import matching
from pipelines.window import DAY, Window

NAME = "meters"
STEP_SECONDS = 3600
FIXED = ("meter_kind", "boundary")


def fetch(context: Context, window: Window) -> Iterator[Page | DayFile]:
    """One file per delivered day: its readings, the last one before the day and the first after it, at most a day away.

    A day is delivered if it has readings, or if a file of its own came, even one that holds none: nobody read then.

    So days can be made in any order: each sees both ends of the intervals that reach over its midnights.
    """
    options = _options(context)
    around = Window(window.first - DAY, window.end + DAY)
    files = matching(context.settings.home, options["path"], around)
    if not files:
        yield Page((), options["path"], (f"no file matches {options['path']}",))
        return
    reader = Reader(
        options["site"], frozenset(site.site_id for site in context.settings.sites),
        {name: options.get("columns", {}).get(name, name) for name in READING},
        frozenset(options.get("ignore_columns", ())), {name: options[name] for name in FIXED if name in options},
        options.get("hosts", {}), tuple(options.get("meter_columns", ())),
    )
    yield from of_files(
        context, NAME, files, reader, window, options["path"], options.get("step_seconds", STEP_SECONDS),
        options.get("format"), options.get("delimiter", ","))


def check(context: Context) -> str:
    """Looks for the files."""
    options = _options(context)
    day = Window.of_days("2026-01-01", "2026-01-01")
    files = matching(context.settings.home, options["path"].replace("{date}", "*"), day)
    if not files:
        raise SourceError(
            "No file of meter readings was found", f"path = {options['path']!r}",
            "no file under JEVONS_HOME matches it", f"put a file there, or correct path in [sources.{NAME}]",
        )
    found = "1 file of meter readings matches" if len(files) == 1 else f"{len(files)} files of meter readings match"
    return f"{found} {options['path']}."


def _options(context: Context) -> Mapping[str, Any]:
    options, wrong = context.options(NAME), None
    columns, ignored, step = options.get("columns", {}), options.get("ignore_columns", []), options.get("step_seconds")
    if not isinstance(options.get("path"), str):
        wrong = "path", "it names no files", 'write path = "inbox/meters/{date}*.csv"'
    elif not isinstance(options.get("site"), str):
        wrong = "site", "it names no site", 'write site = "..." with the site at which the hosts stand'
    elif options.get("format", "csv") not in ("csv", "jsonl", "parquet"):
        wrong = "format", f"{options['format']!r} is not known", "use csv, jsonl or parquet"
    elif not isinstance(options.get("delimiter", ","), str) or len(options.get("delimiter", ",")) != 1:
        wrong = "delimiter", "it is not one character", 'write one, as in delimiter = ";"'
    elif not isinstance(columns, Mapping) or set(columns) - set(READING) or not all(
            isinstance(name, str) for name in columns.values()):
        wrong = "columns", "it is no section of names", f"name {', '.join(READING)}"
    elif options.get("meter_kind", KINDS[0]) not in KINDS or options.get("boundary", BOUNDARIES[0]) not in BOUNDARIES:
        wrong = "meter_kind", "it or boundary is not known", f"use {', '.join((*KINDS, *BOUNDARIES))}"
    elif not isinstance(hosts := options.get("hosts", {}), Mapping) or not all(
            isinstance(host, str) for host in hosts.values()):
        wrong = "hosts", "it is no section of names", 'write hosts = { "pdu-1/A1" = "node-1" }'
    elif not isinstance(parts := options.get("meter_columns", []), list) or not all(
            isinstance(name, str) for name in parts):
        wrong = "meter_columns", "it is no list of names", 'write meter_columns = ["pdu", "outlet"]'
    elif not isinstance(ignored, list) or not all(isinstance(name, str) for name in ignored):
        wrong = "ignore_columns", "it is no list of names", 'write ignore_columns = ["comment"]'
    elif step is not None and (not isinstance(step, int) or isinstance(step, bool) or not 1 <= step <= 86_400):
        wrong = "step_seconds", f"{step!r} is not 1 to 86400", "give the seconds between two readings"
    if wrong:
        raise SettingError(NAME, *wrong)
    return options


READINGS = readings(fetch)

SOURCE = Source(
    name=NAME,
    tables=(READINGS,),
    description="Meters of hosts, power strips and sites, read from files",
    restate_days=1,  # the last interval of a day is known only once the next day has begun
    check=check,
    options=("path", "site", "format", "delimiter", "columns", "ignore_columns", "step_seconds", *FIXED, "hosts",
             "meter_columns"),
)
