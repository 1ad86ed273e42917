"""Reads call logs twice at most: strictly and fast, and only if that fails once more, slowly, to say what is wrong.

Which files there are and what the settings say is decided before; where a day is written to, after.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb

from pipelines import engine
from pipelines.duplicates import DifferentRecords, write_once
from pipelines.errors import Finding, SourceError
from pipelines.parquet import write_query
from pipelines.source import DayFile, Table
from pipelines.sources import _files
from pipelines.sources._call_options import Options
from pipelines.sources._call_plan import Plan, fields, strict_query, within
from pipelines.sources._call_refusals import WRONG, Refusals
from pipelines.sources._files import SHOWN_NAMES, Given
from pipelines.typed import arrow_schema
from pipelines.units import noun
from pipelines.window import DAY, Window

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """A day's file: how many repeated calls were left out of it, or why it cannot be landed."""

    rows: int
    duplicates: int
    findings: Sequence[Finding] = ()


@dataclass(frozen=True)
class Good:
    """The calls that passed.

    Attributes:
        days: Days of the window that have some.
        source: SQL that holds them all; None where the one day of the window is written already, or nothing passed.
        written: That day.
    """

    days: Sequence[date] = ()
    source: str | None = None
    written: Written | None = None


@dataclass(frozen=True)
class Reading:
    """One reading of some files for some days."""

    duck: duckdb.DuckDBPyConnection
    table: Table
    options: Options
    files: Sequence[Given]
    window: Window
    scratch: Path
    refusals: Refusals

    @property
    def names(self) -> str:
        """The table's columns as SQL."""
        return ", ".join(column.name for column in self.table.columns)

    def path(self, day: date) -> Path:
        """The file of a day."""
        return self.scratch / f"{day}.parquet"


def read(
    duck: duckdb.DuckDBPyConnection, table: Table, options: Options, files: Sequence[Given], window: Window,
    scratch: Path,
) -> Iterator[DayFile]:
    """The days of the window that the files hold, each with what was refused of it."""
    reading = Reading(duck, table, options, files, window, scratch, Refusals(options, window))
    plans = _plans(reading)
    try:
        good = _fast(reading, plans)
    except WRONG as error:
        log.info("a call log needs a closer look: %s", str(error).splitlines()[0][:200])
        good = _slow(reading, plans)
    for file in files:
        if not file.still():
            reading.refusals.file(file, "it changed while it was read", "wait until it is written, then land it again")
    yield from _days(reading, good)


def _plans(reading: Reading) -> list[Plan]:
    """One plan for each run of files that can be scanned together; a file that cannot be opened is refused."""
    plans: list[Plan] = []
    for file in reading.files:
        try:
            _files.whole(file)
            header = _files.columns(reading.duck, file, reading.options.delimiter)
            plan = fields(reading.table.columns, reading.options, file, header)
        except SourceError as error:
            reading.refusals.file(file, error.why, error.fix, error.where)
            continue
        if plans and not reading.options.derived_ids and plans[-1].alike(plan):
            plans[-1] = replace(plans[-1], files=(*plans[-1].files, file))
        else:
            plans.append(plan)
    return plans


def _fast(reading: Reading, plans: Sequence[Plan]) -> Good:
    """Every call of the window; stops with DuckDB's error at the first thing that is wrong."""
    if not plans:
        return Good()
    within_window = "" if reading.options.dated else f" where {within(reading.window)}"
    query = " union all ".join(
        f"(select * from ({strict_query(plan, reading.options)}){within_window})" for plan in plans
    )
    first = reading.window.first
    if first + DAY == reading.window.end and not reading.options.spill_days:
        written = _write(reading, f"select {reading.names} from ({query})", first)
        return Good([first] if written.rows else [], None, written)
    everything = reading.scratch / "calls.parquet"
    reading.duck.execute(f"copy ({query}) to {engine.text(everything)} (format parquet, compression snappy)")
    return _found(reading, f"read_parquet({engine.text(everything)})")


def _write(reading: Reading, calls: str, day: date) -> Written:
    """The day's file, each call once; where one id stands for calls that differ, all of them are kept for a person."""
    try:
        return Written(*write_once(reading.duck, reading.table, calls, reading.path(day)))
    except DifferentRecords as different:
        rows = write_query(
            reading.duck, calls, arrow_schema(reading.table), reading.path(day), reading.table.unlike,
        )
        return Written(rows, 0, (different.finding(reading.table, day),))


def _slow(reading: Reading, plans: Sequence[Plan]) -> Good:
    """Every call that breaks no rule; the others are with the refusals."""
    judged = []
    for plan in plans:
        for file in plan.files:
            path = reading.scratch / f"judged-{len(judged)}.parquet"
            if reading.refusals.judge(reading.duck, replace(plan, files=(file,)), path):
                judged.append(engine.text(path))
    if not judged:
        return Good()
    return _found(reading, f"(select * from read_parquet([{', '.join(judged)}]) where len(wrong) = 0)")


def _found(reading: Reading, source: str) -> Good:
    days = reading.duck.execute(
        f"select distinct started_at_utc::date as day from {source} where {within(reading.window)} order by day"
    ).fetchall()
    return Good([day for (day,) in days], source)


def _days(reading: Reading, good: Good) -> Iterator[DayFile]:
    """One file for each day with calls or with an own input file, and for each day that is held back."""
    findings = reading.refusals.findings(reading.duck)
    if reading.options.dated:
        days = sorted({file.day for file in reading.files if file.day in reading.window})
    else:
        days = list(reading.window.days()) if None in findings else sorted({*good.days, *findings})
    near = timedelta(days=reading.options.spill_days)
    late = _late(reading, good)
    told = tuple(findings.pop(None, ()))  # holds back every day of the window, so once is enough
    for day in days:
        calls = f"select {reading.names} from {good.source} where {within(Window(day, day + DAY))}"
        written = good.written or _write(reading, calls if good.source else _nothing(reading.table), day)
        of_day = [file for file in reading.files if file.day is None or abs(file.day - day) <= near]
        yield DayFile(
            day, reading.path(day), _request(of_day), tuple(late.get(day, ())),
            (*told, *written.findings, *findings.get(day, ())),
            reading.refusals.rejected(reading.duck, day, reading.scratch / f"rejected-{day}.parquet"),
            written.duplicates,
        )
        told = ()


def _late(reading: Reading, good: Good) -> dict[date, list[str]]:
    """Warnings for days whose files also hold calls of another day, which may have been landed without them."""
    warnings: dict[date, list[str]] = {}
    if reading.options.spill_days and good.source:
        counted = reading.duck.execute(
            f"select started_at_utc::date, file_day, count(*) from {good.source} group by all order by all"
        ).fetchall()
        for day, file_day, calls in counted:
            if day not in reading.window and file_day in reading.window:
                warnings.setdefault(file_day, []).append(
                    f"{calls} {noun(calls, 'call')} of {day} {noun(calls, 'lies', 'lie')} in the file of {file_day}: "
                    f"land {day} again if it was landed before"
                )
    return warnings


def _nothing(table: Table) -> str:
    return "select " + ", ".join(f"null::{column.type} as {column.name}" for column in table.columns) + " where false"


def _request(files: Sequence[Given]) -> str:
    named = ", ".join(f"{file.shown} ({file.size_bytes} bytes)" for file in files[:SHOWN_NAMES])
    return named + (f" and {len(files) - SHOWN_NAMES} more" if len(files) > SHOWN_NAMES else "")
