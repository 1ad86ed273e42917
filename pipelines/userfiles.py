"""Reads the modest files that people drop (CSV, JSON lines, Parquet) row by row, each row with its file and line.

What a column means and which value it may hold belongs to the source; call logs of millions of rows go through DuckDB.
"""

import csv
import glob
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import Finding, SourceError
from pipelines.units import noun
from pipelines.window import Window

FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
SHOWN_PER_DAY = 100
BATCH_ROWS = 10_000


class Unreadable(Exception):
    """The rest of a file cannot be read.

    Args:
        where: File, and line where it is known.
        rule: What is wrong.
        fix: The way out.
    """

    def __init__(self, where: str, rule: str, fix: str):
        self.where, self.rule, self.fix = where, rule, fix
        super().__init__(f"{where}: {rule}; {fix}.")


@dataclass(frozen=True)
class Row:
    """One record in the file's own words, or the reason why it is none."""

    where: str
    values: Mapping[str, Any]
    problem: str | None = None


@dataclass(frozen=True)
class File:
    """A file to read.

    Attributes:
        shown: Its name as messages and receipts show it, relative to JEVONS_HOME.
        day: The day in its name, where the pattern has one; None for a file of any days.
    """

    path: Path
    shown: str
    day: date | None = None


@dataclass
class Refusals:
    """Findings by day: the same one only once, and no more than a person would read."""

    found: dict[str | None, list[Finding]] = field(default_factory=dict)
    known: set[Finding] = field(default_factory=set)
    more: dict[str | None, int] = field(default_factory=dict)

    def add(self, where: str, rule: str, fix: str, day: date | None) -> None:
        """Holds back the day, or everything if the day is not known."""
        finding = Finding(where, rule, fix, day.isoformat() if day else None)
        shown = self.found.setdefault(finding.day, [])
        if finding in self.known:
            return
        if len(shown) == SHOWN_PER_DAY:
            self.more[finding.day] = self.more.get(finding.day, 0) + 1
            return
        self.known.add(finding)
        shown.append(finding)

    def all(self) -> tuple[Finding, ...]:
        """Every finding, and how many were left out."""
        rest = [
            Finding(
                f"rows of {day or 'unknown days'}", f"{count} more {noun(count, 'is', 'are')} refused",
                "mend the first ones first", day,
            )
            for day, count in self.more.items()
        ]
        return (*(finding for findings in self.found.values() for finding in findings), *rest)


def matching(home: Path, pattern: str, window: Window) -> list[File]:
    """The files of a pattern relative to `home`, in a fixed order; `{date}` stands for each day of the window.

    Raises:
        SourceError: the pattern, or a link that it finds, leads outside `home`.
    """
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise _outside(f"path = {pattern!r}")
    days: list[date | None] = list(window.days()) if "{date}" in pattern else [None]
    files = []
    for day in days:
        named = pattern.replace("{date}", day.isoformat()) if day else pattern
        for name in sorted(glob.glob(named, root_dir=home, recursive=True)):
            if not (home / name).resolve().is_relative_to(home.resolve()):
                raise _outside(name)
            if (home / name).is_file():
                files.append(File(home / name, name, day))
    return files


def _outside(where: str) -> SourceError:
    return SourceError(
        "The files were not read", where, "it leads outside JEVONS_HOME",
        "put the files under JEVONS_HOME and give the path relative to it",
    )


def read(file: File, kind: str | None = None, delimiter: str = ",") -> Iterator[Row]:
    """The rows of a file, streamed.

    Args:
        kind: csv, jsonl or parquet; by the ending of the name where None.

    Raises:
        Unreadable: from that place on, nothing in the file can be trusted.
    """
    kind = kind or FORMATS.get(file.path.suffix.lower())
    if kind == "csv":
        yield from _csv(file, delimiter)
    elif kind == "jsonl":
        yield from _jsonl(file)
    elif kind == "parquet":
        yield from _parquet(file)
    else:
        raise Unreadable(file.shown, "its ending names no format", 'set format = "csv", "jsonl" or "parquet"')


def _csv(file: File, delimiter: str) -> Iterator[Row]:
    with file.path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        header: list[str] | None = None
        line = 1
        try:
            for cells in reader:
                where, line = f"{file.shown}, line {line}", reader.line_num + 1
                if not cells:
                    continue
                if header is None:
                    header = _names(file, cells)
                elif len(cells) == len(header):
                    yield Row(where, dict(zip(header, cells, strict=True)))
                else:
                    yield Row(
                        where, dict(zip(header, cells, strict=False)),
                        f"it has {len(cells)} fields where the header has {len(header)}",
                    )
        except csv.Error as error:
            raise Unreadable(f"{file.shown}, line {line}", f"the CSV is broken ({error})", "mend the quotes") from error
        except UnicodeDecodeError as error:
            raise _not_utf8(file) from error
        if header is None:
            raise Unreadable(file.shown, "it is empty, without even a header", "write the file again")


def _names(file: File, header: Iterable[str]) -> list[str]:
    names = [name.strip() for name in header]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Unreadable(f"{file.shown}, header", f"the column {twice[0]!r} is there twice", "rename or drop one")
    return names


def _jsonl(file: File) -> Iterator[Row]:
    with file.path.open(encoding="utf-8-sig") as lines:
        try:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                where = f"{file.shown}, line {number}"
                try:
                    values = json.loads(line, parse_float=Decimal, object_pairs_hook=_once)
                except ValueError as error:
                    raise Unreadable(where, f"it is not whole JSON ({error})", "mend that line") from error
                if not isinstance(values, dict):
                    raise Unreadable(where, "it is no JSON object", "write one object a line")
                yield Row(where, values)
        except UnicodeDecodeError as error:
            raise _not_utf8(file) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name is there twice")
    return values


def _parquet(file: File) -> Iterator[Row]:
    try:
        with pq.ParquetFile(file.path) as parquet:
            _names(file, parquet.schema_arrow.names)
            number = 0
            for batch in parquet.iter_batches(BATCH_ROWS):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{file.shown}, row {number}", values)
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(file.shown, "it is no whole Parquet file", "write the file again") from error


def _not_utf8(file: File) -> Unreadable:
    return Unreadable(file.shown, "it is not UTF-8 text", "save it as UTF-8")


def write_records(path: Path, schema: pa.Schema, records: Iterable[Mapping[str, Any]]) -> None:
    """Writes records with the place that each came from, some at a time, so that a large file fits in memory."""
    schema = schema.append(pa.field("place", pa.string()))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        batch: list[Mapping[str, Any]] = []
        for record in records:
            batch.append(record)
            if len(batch) == BATCH_ROWS:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, schema))
