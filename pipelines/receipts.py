"""The receipt beside each landed file: what was asked, what came, and a hash that proves it is still that.

Landing decides when one is written.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


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
    path: Path, *, source: str, table: str, day: date | None, fetched_at: datetime,
    requests: list[str], warnings: list[str], duplicates: int,
) -> Receipt:
    """The receipt of a typed Parquet file."""
    rows, totals = _summed(path)
    return Receipt(
        source, table, day.isoformat() if day else None, rows, path.stat().st_size, sha256(path),
        fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ"), requests, warnings, duplicates, totals,
    )


def _summed(path: Path) -> tuple[int, dict[str, str]]:
    """How many records a file holds, and the exact sum of each column of numbers that holds one, batch by batch."""
    sums: dict[str, Decimal] = {}
    with pq.ParquetFile(path) as file, localcontext(prec=60):
        numbers = [field.name for field in file.schema_arrow
                   if pa.types.is_integer(field.type) or pa.types.is_decimal(field.type)]
        for batch in file.iter_batches(columns=numbers):
            for name, column in zip(numbers, batch.columns, strict=True):
                # as wide as there is: 64-bit sums would wrap around without a word
                wide = column.cast(pa.decimal128(38, getattr(column.type, "scale", 0)))
                if (total := pc.sum(wide).as_py()) is not None:
                    sums[name] = sums.get(name, 0) + total
        return file.metadata.num_rows, {name: f"{sums[name]:f}" for name in numbers if name in sums}


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
