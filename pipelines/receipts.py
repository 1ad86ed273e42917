"""The receipt beside each landed file: what was asked, what came, and a hash that proves it is still that.

Landing decides when one is written.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

_SUMMED = ("BIGINT", "INTEGER", "DECIMAL")


@dataclass(frozen=True)
class Receipt:
    """One delivery.

    Attributes:
        day: ISO day, or None for a table without days.
        totals: Column to the exact sum of its numbers, as text; what a restatement is read from.
        version: 1 for the first delivery of the day, one more each time its bytes changed.
        duplicates: Repeated identical records that were counted once.
    """

    source: str
    table: str
    day: str | None
    rows: int
    bytes: int
    sha256: str
    fetched_at_utc: str
    requests: list[str]
    warnings: list[str]
    duplicates: int
    totals: dict[str, str]
    version: int = 1


def write_for(
    duck: duckdb.DuckDBPyConnection, path: Path, *, source: str, table: str, day: date | None, fetched_at: datetime,
    requests: list[str], warnings: list[str], duplicates: int,
) -> Receipt:
    """The receipt of a typed Parquet file, summed with the connection that is given."""
    relation = duck.read_parquet(str(path), hive_partitioning=False)
    numbers = [
        name for name, kind in zip(relation.columns, relation.types, strict=True) if str(kind).startswith(_SUMMED)
    ]
    sums = ["count(*)", *(f'sum("{name}")::varchar' for name in numbers)]
    row = relation.aggregate(", ".join(sums)).fetchall()[0]
    totals = {name: value for name, value in zip(numbers, row[1:], strict=True) if value is not None}
    return Receipt(
        source, table, day.isoformat() if day else None, row[0], path.stat().st_size, sha256(path),
        fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ"), requests, warnings, duplicates, totals,
    )


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path: Path, receipt: Receipt) -> None:
    """Writes the receipt in one step."""
    os.replace(draft(path, receipt), path)


def draft(path: Path, receipt: Receipt) -> Path:
    """Writes the receipt beside its place, safe on the disk; putting it there needs no space any more."""
    fresh = path.with_suffix(".tmp")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(asdict(receipt), file, indent=1, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    return fresh


def read(path: Path) -> Receipt | None:
    """The receipt, or None where there is none or it was cut off by a crash."""
    try:
        return Receipt(**json.loads(path.read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
