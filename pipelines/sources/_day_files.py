"""A day's rows as a file, some at a time, so that a day of millions of requests needs no room in memory.

What the rows mean belongs to the source; that a day comes once and whole is landing's to see.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow.parquet as pq

from pipelines import receipts
from pipelines.errors import Finding
from pipelines.source import Context, DayFile, Table
from pipelines.typed import arrow_schema, to_arrow


def day_file(
    context: Context, source: str, table: Table, day: date, batches: Iterable[tuple[Sequence[Mapping[str, Any]], str]],
    findings: list[Finding], warnings: tuple[str, ...] = (),
) -> DayFile:
    """The typed rows of a day; those that do not fit, or too few of them, hold the day back.

    Args:
        batches: Rows in a fixed order, each batch with the request that it answers.
        findings: What the source finds wrong while it yields; it is looked at when all is read.
    """
    path, rows, requests = context.scratch / f"{table.name}.{day}.parquet", 0, 0
    first = f"{table.name} of {day}"
    with pq.ParquetWriter(path, arrow_schema(table), compression="zstd") as writer:
        for batch, request in batches:
            first, requests = first if requests else request, requests + 1
            typed, wrong = to_arrow(table, batch, request)
            writer.write_table(typed)
            findings.extend(wrong)
            rows += len(batch)
    findings += shrunk(context, source, table, day, rows)
    more = f" and {requests - 1} more" if requests > 1 else ""
    return DayFile(day, path, f"{first}{more}", warnings, tuple(findings))


def shrunk(context: Context, source: str, table: Table, day: date, rows: int) -> list[Finding]:
    """A finding if there are fewer rows than were landed before, where records are added and never taken back."""
    before = landed_rows(context, source, table.name, day)
    return [] if rows >= before else [Finding(
        f"{table.name} of {day}", f"{rows} are told of, and {before} were landed before: they were deleted there",
        "nothing is to be done if records are kept for so long only; what was landed stays", day.isoformat(),
    )]


def landed_rows(context: Context, source: str, table: str, day: date) -> int:
    """How many rows of the day were landed before; 0 where it was not."""
    receipt = receipts.read(context.settings.home / "raw" / source / table / f"dt={day}" / "receipt.json")
    return receipt.rows if receipt else 0
