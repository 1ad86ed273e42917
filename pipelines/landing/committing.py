"""Moves what was staged into raw/, or into quarantine/ with its findings: a day is replaced whole or not at all.

How records are collected and typed belongs to `staging`; what a receipt holds to `pipelines.receipts`.
"""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import pyarrow.parquet as pq

from pipelines import receipts
from pipelines.errors import Finding
from pipelines.landing.staging import Staged
from pipelines.landing.trouble import told
from pipelines.source import Source, Table
from pipelines.typed import arrow_schema

PART, RECEIPT, FINDINGS, MENDED = "part.parquet", "receipt.json", "findings.json", "mended.json"


@dataclass(frozen=True)
class Landed:
    """What became of it."""

    receipts: list[receipts.Receipt]
    changed: list[date | None]
    quarantined: list[date | None]
    missing: list[date]
    findings: list[Finding]


def unseen(staged: Staged, home: Path) -> dict[date | None, Path]:
    """The staged files that are not, byte for byte, what lies in raw/ already: that has passed the gate before."""
    def landed(day: date | None, path: Path) -> bool:
        old = receipts.read(folder(home, staged.source, staged.table, day) / RECEIPT)
        return old is not None and old.bytes == path.stat().st_size and old.sha256 == receipts.sha256(path)

    return {day: path for day, path in staged.files.items() if not landed(day, path)}


def commit(staged: Staged, findings: Iterable[Finding], home: Path, fetched_at: datetime) -> Landed:
    """Moves each staged day into raw/, or into quarantine/ with every finding that holds it back.

    A finding without a day holds back the whole window. A day whose bytes did not change is left alone, receipt and
    all; a day that did change moves the old file to raw_superseded/ first.
    """
    everything = [*staged.findings, *findings]
    held = {finding.day for finding in everything}
    done = Landed([], [], [], staged.missing, everything)
    with told(home):
        for day, path in sorted(staged.files.items(), key=lambda item: str(item[0])):
            if None in held or (day is not None and day.isoformat() in held):
                _quarantine(staged, day, path, everything, home)
                done.quarantined.append(day)
                continue
            receipt = receipts.write_for(
                path, source=staged.source.name, table=staged.table.name, day=day, fetched_at=fetched_at,
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
    It is written anew when the table's columns change, so that days landed before have a null in a column that came
    later.
    """
    for source in sources:
        for table in source.tables:
            path = folder(home, source, table, date(1970, 1, 1) if table.daily else None) / PART
            columns = arrow_schema(table)
            if not path.exists() or (table.daily and not pq.read_schema(path).equals(columns)):
                path.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(columns.empty_table(), path)


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
