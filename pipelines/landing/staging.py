"""Collects what a source delivers into a scratch folder: typed, free of repeats, one Parquet file a day.

Nothing under raw/ or quarantine/ is touched here: that is `committing`, after the gate has looked.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import engine
from pipelines.duplicates import drop_duplicates
from pipelines.errors import Finding, SourceError
from pipelines.landing.trouble import told
from pipelines.source import Context, DayFile, Page, Source, Table
from pipelines.typed import arrow_schema, to_arrow
from pipelines.window import Window


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


@contextmanager
def scratch(home: Path) -> Iterator[Path]:
    """A folder on the same file system as raw/, so that a finished file is renamed and never copied."""
    path = home / "scratch" / uuid4().hex
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


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
                if item.duplicates is not None:
                    staged.duplicates[item.day] = item.duplicates
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
            whole = pa.concat_tables(parts.get(day) or [arrow_schema(table).empty_table()])
            staged.files[day] = _write(table, whole, context.scratch / f"{day or 'whole'}.parquet")
            if whole.group_by(list(table.key)).aggregate([]).num_rows == whole.num_rows:
                staged.duplicates[day] = 0  # as in most days
        if unsure := [day for day in staged.files if day not in staged.duplicates]:
            with engine.connect(context.scratch) as duck:
                for day in unsure:
                    staged.duplicates[day] = drop_duplicates(duck, table, staged.files[day], day, staged.findings)
    return staged


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


def _write(table: Table, whole: pa.Table, path: Path) -> Path:
    """One file in a fixed order, so that the same records give the same bytes."""
    order = [(name, "ascending") for name in (table.order or table.key)]
    rest = [(name, "ascending") for name in whole.column_names if name not in dict(order)]
    pq.write_table(whole.take(pc.sort_indices(whole, sort_keys=order + rest)), path, compression="zstd")
    return path
