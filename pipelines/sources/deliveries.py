"""The source `landing`: the ledger's own receipts as records, so that completeness and restatements can be queried.

What a receipt holds is decided in `pipelines.receipts`.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from pipelines import receipts
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.window import Window

_IDENTITY = (
    Column("source", "VARCHAR", "Source that delivered.", required=True),
    Column("table_name", "VARCHAR", "Table of the source.", required=True),
    Column("day", "DATE", "UTC day of the records; null for a table without days."),
    Column("version", "INTEGER", "1 for the first delivery, one more each time the day's bytes changed.", required=True,
           minimum=1),
    Column("is_current", "BOOLEAN", "True for the delivery that the ledger is built on.", required=True),
)


def _all(home: Path) -> Iterator[tuple[receipts.Receipt, bool]]:
    """Every receipt, superseded ones first, and whether it is current; the ledger's own tables are left out.

    A delivery that is still current was not superseded: a crash left its copy behind.
    """
    current = list(_read(home / "raw", "receipt.json"))
    versions = {(receipt.source, receipt.table, receipt.day): receipt.version for receipt in current}
    for receipt in _read(home / "raw_superseded", "v*.receipt.json"):
        if receipt.version != versions.get((receipt.source, receipt.table, receipt.day)):
            yield receipt, False
    for receipt in current:
        yield receipt, True


def _read(folder: Path, pattern: str) -> Iterator[receipts.Receipt]:
    for path in sorted(folder.glob(f"*/*/**/{pattern}")):
        receipt = receipts.read(path)
        if receipt and receipt.source != SOURCE.name:
            yield receipt


def _identity(receipt: receipts.Receipt, current: bool) -> dict:
    return {
        "source": receipt.source, "table_name": receipt.table,
        "day": date.fromisoformat(receipt.day) if receipt.day else None,
        "version": receipt.version, "is_current": current,
    }


def _receipts(context: Context, window: Window) -> Iterator[Page]:
    yield Page([
        {
            **_identity(receipt, current), "row_count": receipt.rows, "duplicate_count": receipt.duplicates,
            "byte_count": receipt.bytes, "sha256": receipt.sha256,
            "fetched_at_utc": datetime.strptime(receipt.fetched_at_utc, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
        }
        for receipt, current in _all(context.settings.home)
    ], "receipts under raw/ and raw_superseded/")


def _totals(context: Context, window: Window) -> Iterator[Page]:
    from pipelines.sources import all_sources  # the list of sources includes this one

    additive = {
        (source.name, table.name, column.name)
        for source in all_sources() for table in source.tables for column in table.columns if column.additive
    }
    yield Page([
        {**_identity(receipt, current), "quantity": name, "total": Decimal(total)}
        for receipt, current in _all(context.settings.home)
        for name, total in receipt.totals.items() if (receipt.source, receipt.table, name) in additive
    ], "receipts under raw/ and raw_superseded/")


def _expected(context: Context, window: Window) -> Iterator[Page]:
    from pipelines.sources import enabled_sources  # the list of sources includes this one

    yield Page([
        {"source": source.name, "table_name": table.name}
        for source in enabled_sources(context.settings) for table in source.tables if table.daily
    ], "jevons.toml")


SOURCE = Source(
    name="landing",
    description="What was delivered, when, and what it summed to.",
    always=True,
    tables=(
        Table("receipts", (
            *_IDENTITY,
            Column("row_count", "BIGINT", "Records in the delivery.", required=True, minimum=0),
            Column("duplicate_count", "BIGINT", "Repeated identical records, counted once.", required=True, minimum=0),
            Column("byte_count", "BIGINT", "Size of the file in bytes.", required=True, minimum=0),
            Column("sha256", "VARCHAR", "SHA-256 of the file.", required=True),
            Column("fetched_at_utc", "TIMESTAMP", "When the delivery was fetched.", required=True),
        ), ("source", "table_name", "day", "version"), _receipts, "One row per delivery.", daily=False),
        Table("totals", (
            *_IDENTITY,
            Column("quantity", "VARCHAR", "Name of the numeric column in the raw table.", required=True),
            Column("total", "DECIMAL(38,12)", "Exact sum of the column.", required=True),
        ), ("source", "table_name", "day", "version", "quantity"), _totals,
            "One row per delivery and numeric column.", daily=False),
        Table("expected", (
            Column("source", "VARCHAR", "Source that is switched on.", required=True),
            Column("table_name", "VARCHAR", "Daily table of the source.", required=True),
        ), ("source", "table_name"), _expected, "One row per daily table that should be delivered.", daily=False),
    ),
)
