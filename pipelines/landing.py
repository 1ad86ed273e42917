"""Lands records: typed Parquet, one file a day, replaced whole or not at all, with a receipt beside it.

What a source says and whether its values are plausible is decided elsewhere: `stage` collects, a gate looks at what
was staged, and `commit` moves each day either into raw/ or into quarantine/.
"""

import errno
import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import engine, receipts
from pipelines.duplicates import drop_duplicates
from pipelines.errors import Finding, JevonsError, SourceError
from pipelines.source import Context, DayFile, Page, Source, Table
from pipelines.typed import arrow_schema, to_arrow
from pipelines.window import Window

log = logging.getLogger(__name__)
PART, RECEIPT, FINDINGS, MENDED = "part.parquet", "receipt.json", "findings.json", "mended.json"
FULL = (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Staged:
    """What one fetch brought, waiting in a scratch folder for the gate.

    Attributes:
        files: Day (None for a table without days) to its typed Parquet file.
        missing: Days of the window for which the source delivered nothing, and says so.
        rejected: Files of refused lines, kept in quarantine.
    """

    source: Source
    table: Table
    window: Window
    files: dict[date | None, Path]
    findings: list[Finding]
    requests: dict[date | None, list[str]]
    warnings: list[str]
    missing: list[date]
    duplicates: dict[date | None, int] = field(default_factory=dict)
    rejected: list[tuple[date | None, Path]] = field(default_factory=list)


@dataclass(frozen=True)
class Landed:
    """What became of it."""

    receipts: list[receipts.Receipt]
    changed: list[date | None]
    quarantined: list[date | None]
    missing: list[date]
    findings: list[Finding]


@contextmanager
def scratch(home: Path) -> Iterator[Path]:
    """A folder on the same file system as raw/, so that a finished file is renamed and never copied."""
    path = home / "scratch" / uuid4().hex
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def told(where: Path) -> Iterator[None]:
    """Turns a full disk, too little memory and a file that cannot be read into one sentence each.

    The days that were not yet put in place stay as they were.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise _no_space(where, error) from error
    except duckdb.OutOfMemoryException as error:
        raise JevonsError(
            "The records need more memory than they may have", str(where), _said(error),
            "raise JEVONS_MEMORY_LIMIT or run fewer days at once; what was landed before is untouched",
        ) from error
    except duckdb.IOException as error:
        # DuckDB gives no number, only the system's words; every other trouble with a file is an IOException as well
        if any(os.strerror(number) in str(error) for number in FULL):
            raise _no_space(where, error) from error
        raise JevonsError(
            "The records could not be read", str(where), _said(error),
            "look whether that file is whole and may be read, and run the same days again",
        ) from error


def _no_space(where: Path, error: Exception) -> JevonsError:
    return JevonsError(
        "The records could not be written", str(where), _said(error),
        "free some space and run the same days again; what was landed before is untouched",
    )


def _said(error: Exception) -> str:
    """The first line of what a library said, as a part of a sentence."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")


def stage(source: Source, table: Table, context: Context, window: Window) -> Staged:
    """Fetches the window and leaves one typed, duplicate-free Parquet file per day in the scratch folder.

    Raises:
        SourceError: the source could not be read; nothing is staged.
        JevonsError: the disk is full.
    """
    staged = Staged(source, table, window, {}, [], {}, [], [])
    parts: dict[date | None, list[pa.Table]] = {}
    with told(context.scratch):
        for item in table.fetch(context, window):
            staged.findings.extend(item.findings)
            staged.warnings.extend(item.warnings)
            if isinstance(item, DayFile):
                _expect(staged, item.day)
                staged.files[item.day] = item.path
                staged.requests.setdefault(item.day, []).append(item.request)
                if item.rejected:
                    staged.rejected.append((item.day, item.rejected))
            else:
                _collect(staged, parts, item)
        for day in window.days() if table.daily else [None]:
            if day in staged.files:
                continue
            if table.silent_days_are_missing and day not in parts:
                staged.missing.append(day)
                continue
            staged.files[day] = _write(table, parts.get(day, []), context.scratch / f"{day or 'whole'}.parquet")
        with engine.connect(context.scratch) as duck:
            for day, path in staged.files.items():
                staged.duplicates[day] = drop_duplicates(duck, table, path, day, staged.findings)
    return staged


def commit(staged: Staged, findings: Iterable[Finding], home: Path, fetched_at: datetime) -> Landed:
    """Moves each staged day into raw/, or into quarantine/ with every finding that holds it back.

    A finding without a day holds back the whole window. A day whose bytes did not change is left alone, receipt and
    all; a day that did change moves the old file to raw_superseded/ first.
    """
    everything = [*staged.findings, *findings]
    held = {finding.day for finding in everything}
    done = Landed([], [], [], staged.missing, everything)
    with told(home), duckdb.connect() as duck:
        for day, path in sorted(staged.files.items(), key=lambda item: str(item[0])):
            if None in held or (day is not None and day.isoformat() in held):
                _quarantine(staged, day, path, everything, home)
                done.quarantined.append(day)
                continue
            receipt = receipts.write_for(
                duck, path, source=staged.source.name, table=staged.table.name, day=day, fetched_at=fetched_at,
                requests=staged.requests.get(day) or [f"{staged.window}: no records for this day"],
                warnings=sorted(set(staged.warnings)), duplicates=staged.duplicates.get(day, 0),
            )
            receipt, changed = _replace(home, folder(home, staged.source, staged.table, day), path, receipt)
            done.receipts.append(receipt)
            _mend(staged, day, home, fetched_at)
            if changed:
                done.changed.append(day)
    return done


def folder(home: Path, source: Source, table: Table, day: date | None) -> Path:
    """Where a day (or a table without days) lives under raw/."""
    base = home / "raw" / source.name / table.name
    return base / f"dt={day.isoformat()}" if day else base


def ensure_readable(home: Path, sources: Iterable[Source]) -> None:
    """Gives each table that has no file yet an empty one, because a view over no file cannot be built.

    The empty file of a daily table sits under dt=1970-01-01 and has no receipt, so it is never taken for a delivery.
    """
    for source in sources:
        for table in source.tables:
            path = folder(home, source, table, date(1970, 1, 1) if table.daily else None) / PART
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(arrow_schema(table).empty_table(), path)


def _expect(staged: Staged, day: date | None) -> None:
    """A day file is for a day of the window, and the only one; another would replace a day that nobody asked for.

    Raises:
        SourceError: the source broke its contract; nothing is staged.
    """
    table = staged.table
    inside = day in staged.window if table.daily and day else table.daily == bool(day)
    if inside and day not in staged.files:
        return
    raise SourceError(
        "The source delivered a day that cannot be landed", f"{staged.source.name} {table.name}, {day or 'no day'}",
        "it came twice" if inside else f"{staged.window if table.daily else 'the whole table'} was asked for",
        "report it to whoever wrote this source; nothing of these days was landed",
    )


def _collect(staged: Staged, parts: dict[date | None, list[pa.Table]], page: Page) -> None:
    typed, wrong = to_arrow(staged.table, page.rows, page.request)
    staged.findings.extend(wrong)
    table = staged.table
    if not table.daily:
        parts.setdefault(None, []).append(typed)
        staged.requests.setdefault(None, []).append(page.request)
        return
    days: dict[date, list[int]] = {}
    for index, row in enumerate(typed.to_pylist()):
        days.setdefault(table.day_of(row), []).append(index)
    for day, indices in days.items():
        if day not in staged.window:
            staged.findings.append(Finding(
                page.request, f"a record belongs to {day}, which was not asked for",
                "run the same days again; if it stays, report it to the vendor",
            ))
            continue
        parts.setdefault(day, []).append(typed.take(indices))
        staged.requests.setdefault(day, []).append(page.request)


def _write(table: Table, parts: list[pa.Table], path: Path) -> Path:
    """One file in a fixed order, so that the same records give the same bytes."""
    whole = pa.concat_tables(parts) if parts else arrow_schema(table).empty_table()
    order = [(name, "ascending") for name in (table.order or table.key)]
    rest = [(name, "ascending") for name in whole.column_names if name not in dict(order)]
    pq.write_table(whole.take(pc.sort_indices(whole, sort_keys=order + rest)), path, compression="zstd")
    return path


def _replace(
    home: Path, target: Path, staged: Path, receipt: receipts.Receipt
) -> tuple[receipts.Receipt, bool]:
    """Puts the file in its place in one step; a crash leaves the old day or the new day, and the old one is kept."""
    part, note = target / PART, target / RECEIPT
    old = receipts.read(note) if part.exists() else None
    if old and old.sha256 == receipt.sha256 == receipts.sha256(part):
        return old, False
    target.mkdir(parents=True, exist_ok=True)
    if old:
        receipt = replace(receipt, version=old.version + (old.sha256 != receipt.sha256))
        attic = home / "raw_superseded" / target.relative_to(home / "raw")
        attic.mkdir(parents=True, exist_ok=True)
        kept = attic / f"v{old.version:04d}.parquet"
        if old.sha256 != receipt.sha256 and receipts.sha256(part) == old.sha256:
            receipts.write(attic / f"v{old.version:04d}.receipt.json", old)  # before the file: a crash leaves both
            if not kept.exists():
                os.link(part, kept)
    with staged.open("rb") as file:
        os.fsync(file.fileno())
    fresh = receipts.draft(note, receipt)  # a full disk shows here, before anything was changed
    os.replace(staged, part)
    os.replace(fresh, note)
    _sync(target)
    return receipt, True


def _quarantine(staged: Staged, day: date | None, path: Path, findings: list[Finding], home: Path) -> None:
    """Keeps the held-back records with all findings, under the hash of the records: refusing twice keeps one copy."""
    target = _held(staged, day, home) / receipts.sha256(path)[:12]
    target.mkdir(parents=True, exist_ok=True)
    (target / MENDED).unlink(missing_ok=True)
    mine = [f for f in findings if f.day is None or (day and f.day == day.isoformat())]
    (target / FINDINGS).write_text(
        json.dumps([f.__dict__ for f in mine], indent=1, ensure_ascii=False) + "\n", "utf-8"
    )
    os.replace(path, target / PART)
    for rejected_day, rejected in staged.rejected:
        if rejected_day == day and rejected.exists():
            shutil.move(rejected, target / rejected.name)


def _held(staged: Staged, day: date | None, home: Path) -> Path:
    label = f"dt={day.isoformat()}" if day else "whole"
    return home / "quarantine" / staged.source.name / staged.table.name / label


def _mend(staged: Staged, day: date | None, home: Path, landed_at: datetime) -> None:
    """Notes beside what was refused that the same day has passed since; the records stay for the audit."""
    for findings in _held(staged, day, home).glob(f"*/{FINDINGS}"):
        if not (note := findings.with_name(MENDED)).exists():
            note.write_text(json.dumps({"landed_at_utc": landed_at.isoformat()}) + "\n", "utf-8")


def waiting(home: Path) -> list[Path]:
    """The findings of refused batches whose days have not passed since, in a fixed order."""
    found = (home / "quarantine").glob(f"*/*/*/*/{FINDINGS}")
    return sorted(path for path in found if not path.with_name(MENDED).exists())


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
