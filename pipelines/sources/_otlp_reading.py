"""Reads files of OTLP/JSON traces: with one strict query, and closely only those files at which it stops.

Which files there are and what the settings say is decided before; what a span means is said in `_otlp_words`.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines import engine
from pipelines.duplicates import DifferentRecords, write_once
from pipelines.errors import Finding, SourceError
from pipelines.parquet import write_query
from pipelines.source import DayFile, Table
from pipelines.sources import _files
from pipelines.sources._files import SHOWN_NAMES, Given
from pipelines.sources._otlp_payload import judge
from pipelines.sources._otlp_spans import LONGEST_PAYLOAD_BYTES, calls_query
from pipelines.sources._otlp_words import Words
from pipelines.typed import arrow_schema
from pipelines.units import noun
from pipelines.window import DAY, Window

log = logging.getLogger(__name__)

RESTATED_DAYS = 1
SHOWN_REFUSALS = 20
WRONG = (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException)
MEND = "correct it where it is sent from and land the day again"


@dataclass(frozen=True)
class Written:
    """A day's file: its calls, and how many were sent more than once."""

    rows: int
    duplicates: int


@dataclass
class Reading:
    """One reading of some files for some days.

    Attributes:
        spill_days: How far from the day in its path a file's spans may have ended.
        findings: What is refused, by the day that it holds back (None: all of the window).
        refused: How many spans or payloads are, by that day.
        parts: Parquet files of calls, in the order of the files that they are from.
    """

    duck: duckdb.DuckDBPyConnection
    table: Table
    words: Words
    files: Sequence[Given]
    window: Window
    spill_days: int
    scratch: Path
    findings: dict[date | None, list[Finding]] = field(default_factory=dict)
    refused: dict[date | None, int] = field(default_factory=dict)
    parts: list[Path] = field(default_factory=list)

    @property
    def dated(self) -> bool:
        """Whether the path names the day."""
        return any(file.day for file in self.files)

    @property
    def names(self) -> str:
        """The table's columns as SQL."""
        return ", ".join(column.name for column in self.table.columns)

    @property
    def calls(self) -> str:
        """SQL: everything that was read of the files."""
        return f"read_parquet([{', '.join(map(engine.text, self.parts))}])"

    def near(self, file: Given) -> list[date | None]:
        """The days of the window that spans of a file can be of; None for all."""
        if file.day is None:
            return [None]
        spill = timedelta(days=self.spill_days)
        return [day for day in Window(file.day - spill, file.day + spill + DAY).days() if day in self.window]

    def refuse(self, file: Given, place: str, rule: str, fix: str = MEND, day: date | None = None) -> None:
        """Notes what is wrong; it holds its own day back, or where that is not known each that it may be of.

        A day that was not asked for is left to its own run, which opens the file again.
        """
        near = self.near(file)
        if day and (file.day is None or day in near):
            near = [day] if day in self.window else []
        for held in near:
            self.refused[held] = self.refused.get(held, 0) + 1
            shown = self.findings.setdefault(held, [])
            if len(shown) < SHOWN_REFUSALS:
                where = f"{file.shown}, {place}" if place else file.shown
                shown.append(Finding(where, rule, fix, held.isoformat() if held else None))


def read(reading: Reading) -> Iterator[DayFile]:
    """The days of the window that the files hold, each with what was refused of it."""
    files = [file for file in reading.files if _openable(reading, file)]
    groups = [list(alike) for _, alike in groupby(files, lambda file: (file.day, file.packed, _is_lines(file)))]
    written = _at_once(reading, groups)
    if not written:
        for alike in groups:
            _calls(reading, alike)
    for file in reading.files:
        if not file.still():
            reading.refuse(file, "", "it changed while it was read", "wait until it is written, then land it again")
    yield from _days(reading, written)


def look(file: Given) -> None:
    """Looks at the first payload of a file.

    Raises:
        SourceError: it is no OTLP/JSON.
    """
    _files.whole(file)
    _, payload, wrong = next(payloads(file), ("", {}, None))
    refused = [refusal for refusal in judge(payload, Words()).refused if not refusal.place]
    if wrong or refused:
        raise _files.refused(file.shown, f"of its first payload, {wrong or refused[0].rule}", _files.SEND_AGAIN)


def _openable(reading: Reading, file: Given) -> bool:
    try:
        _files.whole(file)
    except SourceError as error:
        reading.refuse(file, "", error.why, error.fix)
        return False
    return True


def _is_lines(file: Given) -> bool:
    """Whether a payload stands on each line; some write a single one over many lines."""
    if not file.shown.removesuffix(".gz").removesuffix(".zst").endswith(".json"):
        return True
    with _opened(file) as stream:
        start = stream.read(LONGEST_PAYLOAD_BYTES).lstrip()
    first, _, rest = start.partition(b"\n")
    try:
        json.loads(first)
    except ValueError:
        return not rest.strip()
    return True


def _at_once(reading: Reading, groups: list[list[Given]]) -> Written | None:
    """Writes the only day of the window in one go; None where anything at all is to be said of the files."""
    day, spill = reading.window.first, reading.spill_days
    if day + DAY != reading.window.end or not groups:
        return None
    usual = f"kind = 'call' and (file_day is null or abs(file_day - ended_at_utc::date) <= {spill} " \
            f"and (file_day <> date '{day}' or file_day - ended_at_utc::date <= {RESTATED_DAYS}))"
    query = " union all ".join(f"""
        select {reading.names} from ({calls_query(files, _is_lines(files[0]), reading.words)})
        where case when {usual} then {_within(day)} else error('unusual')::boolean end
    """ for files in groups)
    try:
        return Written(*write_once(reading.duck, reading.table, query, reading.scratch / f"{day}.parquet"))
    except (DifferentRecords, *WRONG) as error:
        log.info("spans need a closer look: %s", str(error).splitlines()[0][:60])
        return None


def _within(day: date) -> str:
    return f"ended_at_utc >= timestamp '{day}' and ended_at_utc < timestamp '{day + DAY}'"


def _calls(reading: Reading, files: list[Given]) -> None:
    """Adds what the files hold; where the query stops, they are read one by one, and that one closely."""
    part = reading.scratch / f"part-{len(reading.parts)}.parquet"
    try:
        _copy(reading, files, part)
    except WRONG as error:
        log.info("spans need a closer look: %s", str(error).splitlines()[0][:60])
        if len(files) > 1:
            for file in files:
                _calls(reading, [file])
            return
        cleaned = reading.scratch / f"cleaned-{len(reading.parts)}.jsonl"
        if not _clean(reading, files[0], cleaned):
            return
        try:
            _copy(reading, [replace(files[0], path=cleaned, shown=cleaned.name, packed="none")], part)
        except WRONG:
            reading.refuse(files[0], "", "it could not be read, and no single span is to blame", _files.SEND_AGAIN)
            return
        finally:
            cleaned.unlink()
    reading.parts.append(part)


def _copy(reading: Reading, files: list[Given], part: Path) -> None:
    query = calls_query(files, _is_lines(files[0]), reading.words)
    reading.duck.execute(f"copy ({query}) to {engine.text(part)} (format parquet, compression snappy)")


def _clean(reading: Reading, file: Given, path: Path) -> bool:
    """Writes what may be kept of the file's payloads, one a line, and notes what is refused; False if nothing is left.

    Attributes that Jevons does not read are gone before anything is written.
    """
    kept = 0
    with path.open("w", encoding="utf-8") as out:
        for place, payload, wrong in payloads(file):
            if wrong:
                reading.refuse(file, place, wrong)
                continue
            judged = judge(payload, reading.words)
            for refusal in judged.refused:
                at = ", ".join(text for text in (place, refusal.place, refusal.field) if text)
                reading.refuse(file, at, refusal.rule, day=refusal.day)
            if judged.calls:
                kept += judged.calls
                out.write(json.dumps(judged.kept, separators=(",", ":")) + "\n")
    if not kept:
        path.unlink()
    return bool(kept)


def payloads(
    file: Given, passed_over: Callable[[bytes], bool] = lambda line: False
) -> Iterator[tuple[str, Any, str | None]]:
    """Each payload with its place, or what is wrong with it; lines that are passed over are not looked into."""
    with _opened(file) as stream:
        if not _is_lines(file):
            yield "", *parsed(stream.read())
            return
        number, rest = 0, b""
        while block := stream.read(1 << 20):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                number += 1
                if line.strip() and not passed_over(line):
                    yield f"line {number}", *parsed(line)
            if len(rest) > LONGEST_PAYLOAD_BYTES:
                yield f"line {number + 1} and what follows", None, "it is too long for one payload"
                return
        if rest.strip() and not passed_over(rest):
            yield f"line {number + 1}", *parsed(rest)


def parsed(text: bytes) -> tuple[Any, str | None]:
    """The JSON value, or what is wrong: a name that is there twice has no value."""
    try:
        return json.loads(text.decode("utf-8-sig"), object_pairs_hook=_once), None
    except UnicodeDecodeError:
        return None, "it is not UTF-8 text"
    except (ValueError, RecursionError) as error:
        return None, "a name is there twice in an object" if error.args == ("twice",) else "it is not whole JSON"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("twice")
    return made


def _opened(file: Given) -> pa.NativeFile:
    return pa.input_stream(str(file.path), compression=None if file.packed == "none" else file.packed)


def _days(reading: Reading, written: Written | None) -> Iterator[DayFile]:
    """One file for each day with calls or with an own input file, and for each day that is held back."""
    found, warnings = _looked_over(reading)
    if written and written.rows:
        found = {reading.window.first}
    for day, count in reading.refused.items():
        if count > SHOWN_REFUSALS:
            reading.findings[day].append(Finding(
                f"the spans of {day or 'this window'}", f"{count} were refused, the first {SHOWN_REFUSALS} are named",
                MEND, day.isoformat() if day else None,
            ))
    if reading.dated:
        days = {file.day for file in reading.files if file.day in reading.window}
    else:
        days = set(reading.window.days()) if None in reading.findings else set()
    days |= {day for day in found if day in reading.window} | {d for d in reading.findings if d and d in reading.window}
    told = reading.findings.get(None, [])
    for day in sorted(days):
        path, mine = reading.scratch / f"{day}.parquet", [*reading.findings.get(day, []), *told]
        duplicates = written.duplicates if written else 0
        if not written:
            mine_only = f"kind = 'call' and {_within(day)} " \
                        f"and (file_day is null or abs(file_day - date '{day}') <= {reading.spill_days})"
            query = f"select {reading.names} from {reading.calls} where {mine_only}"
            query = query if day in found else _nothing(reading.table)
            try:
                _, duplicates = write_once(reading.duck, reading.table, query, path)
            except DifferentRecords as different:
                write_query(reading.duck, query, arrow_schema(reading.table), path, reading.table.unlike)
                mine.append(different.finding(reading.table, day))
        near = [file for file in reading.files if file.day is None or day in reading.near(file)]
        said = [*warnings.get(day, ()), *_silent(reading, path)]
        yield DayFile(day, path, request(near), tuple(said), tuple(mine), duplicates=duplicates)
        told = []


def _looked_over(reading: Reading) -> tuple[set[date], dict[date, list[str]]]:
    """The days that have calls, and what is to be said of each that was passed over."""
    if not reading.parts:
        return set(), {}
    found: set[date] = set()
    warnings: dict[date, list[str]] = {}
    rows = reading.duck.execute(f"""
        select ended_at_utc::date as day, kind, case when kind = 'unheard' then operation end as operation, file_day,
            count(*)
        from {reading.calls} group by all order by all
    """).fetchall()
    for day, kind, operation, file_day, count in rows:
        spans = f"{count} {noun(count, 'span')} of {day} {noun(count, 'lies', 'lie')} in a file of {file_day}"
        if file_day and abs(file_day - day).days > reading.spill_days:
            warnings.setdefault(file_day, []).append(
                f"{spans}, more than spill_days = {reading.spill_days} away, and {noun(count, 'is', 'are')} counted "
                f"nowhere: raise spill_days in [sources.otel] and land {day} again"
            )
            continue
        if kind == "unheard":
            said = warnings.setdefault(day, [])
            said.append(f"{count} {noun(count, 'span tells', 'spans tell')} tokens under the operation {operation!r}, "
                        f"which is not known, and {noun(count, 'is', 'are')} not counted: if it is a model call, add "
                        "it to operations in [sources.otel]")
            continue
        found.add(day)
        if file_day and day not in reading.window and (file_day - day).days > RESTATED_DAYS:
            warnings.setdefault(file_day, []).append(f"{spans}: land {day} again if it was landed before")
    return found, warnings


def _silent(reading: Reading, path: Path) -> Iterator[str]:
    """Says how many calls of a day have no tokens."""
    silent, = reading.duck.execute(
        f"select count(*) from read_parquet({engine.text(path)}) "
        "where status = 'ok' and input_tokens is null and output_tokens is null"
    ).fetchone()
    if silent:
        yield f"{silent} {noun(silent, 'call tells', 'calls tell')} no tokens; their tokens are unknown"


def _nothing(table: Table) -> str:
    return "select " + ", ".join(f"null::{column.type} as {column.name}" for column in table.columns) + " where false"


def request(files: Sequence[Given]) -> str:
    """The files by name, for the receipt."""
    named = ", ".join(f"{file.shown} ({file.size_bytes} bytes)" for file in files[:SHOWN_NAMES])
    return named + (f" and {len(files) - SHOWN_NAMES} more" if len(files) > SHOWN_NAMES else "")
