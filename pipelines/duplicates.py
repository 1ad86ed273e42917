"""Repeated records of a day: identical ones are kept once, different ones under one key are a finding.

Where files lie and what becomes of findings is the business of `landing`.
"""

import os
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import engine
from pipelines.errors import Finding
from pipelines.parquet import write_query
from pipelines.seen import Seen
from pipelines.source import Table
from pipelines.typed import arrow_schema
from pipelines.units import noun

SHOWN_KEYS = 3
SEEDS = 4  # two keys in a day of 20 million share a 64-bit hash once in 90,000 days; then another hash is taken


class DifferentRecords(Exception):
    """Keys that stand for records that differ, the first few of them, and how many there are."""

    def __init__(self, count: int, shown: list[str]):
        super().__init__(count, shown)
        self.count, self.shown = count, shown

    def finding(self, table: Table, day: date | None) -> Finding:
        """What is said of it."""
        return Finding(
            f"{table.name} of {day or 'this table'}",
            f"{self.count} {noun(self.count, 'id stands', 'ids stand')} for different records "
            f"({'; '.join(key[:80] for key in self.shown)})",
            "keep the right one at the source and land the day again",
            day.isoformat() if day else None,
        )


def write_once(duck: duckdb.DuckDBPyConnection, table: Table, query: str, path: Path) -> tuple[int, int]:
    """Writes the records of a query, each identical one once, and says how many were written and how many left out.

    A record whose key has come before is held back while the others are written, so that they are encoded once; which
    of those held back are the same as what was written is looked at when all is read. The answer is exact.

    Args:
        query: The table's columns in order; must keep the order of what it reads, as for `write_query`.

    Raises:
        DifferentRecords: of one key, there are records that differ; what is in `path` is then of no use.
    """
    key, columns = _keys(table), _columns(table)
    for seed in range(SEEDS):
        again = path.with_suffix(".again.parquet")
        with _Again(arrow_schema(table), again) as held:
            written = write_query(
                duck, f"select {columns}, {_hash(table, seed)} as key_hash from ({query})", arrow_schema(table), path,
                table.unlike, held.back,
            )
        if not held.count:
            return written, 0
        duck.execute(f"""
            create or replace temp table differing as
            select {key} from (
                select {columns} from read_parquet({engine.text(again)})
                except
                select {columns} from read_parquet({engine.text(path)}) where {_hash(table, seed)} in (
                    select {_hash(table, seed)} from read_parquet({engine.text(again)})
                )
            )
        """)
        again.unlink()
        if not duck.execute("select count(*) from differing").fetchone()[0]:
            return written, held.count
        same = " and ".join(f"d.{engine.name(c)} is not distinct from w.{engine.name(c)}" for c in table.key)
        shown = duck.execute(f"""
            select distinct concat_ws(', ', {key}) as id from differing as d
            where exists (select 1 from read_parquet({engine.text(path)}) as w where {same}) order by id
        """).fetchall()
        if shown:
            raise DifferentRecords(len(shown), [id_ for (id_,) in shown[:SHOWN_KEYS]])
    raise AssertionError(f"{SEEDS} hashes of {table.name} collided")


def drop_duplicates(
    duck: duckdb.DuckDBPyConnection, table: Table, path: Path, day: date | None, findings: list[Finding]
) -> int:
    """Removes repeated identical records of a file; the same key with another payload is a finding, never a choice.

    Most files hold no repeats, so the hashes of the keys are looked at before anything is written.
    """
    source = f"read_parquet({engine.text(path)})"
    hashes = np.sort(duck.execute(f"select {_hash(table, 0)} as h from {source}").fetchnumpy()["h"])
    if not (hashes[1:] == hashes[:-1]).any():
        return 0
    once = path.with_suffix(".once.parquet")
    try:
        _, surplus = write_once(duck, table, f"select * from {source}", once)
    except DifferentRecords as different:
        findings.append(different.finding(table, day))
        return 0
    os.replace(once, path)
    return surplus


class _Again:
    """The records that are held back, in a file of their own: there may be as many as there are others."""

    def __init__(self, schema: pa.Schema, path: Path):
        self._seen, self._path, self._schema = Seen(), path, schema
        self._writer: pq.ParquetWriter | None = None
        self.count = 0

    def __enter__(self) -> "_Again":
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer:
            self._writer.close()

    def back(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The records of a batch that go on, without the hash."""
        hashes = batch.column("key_hash").to_numpy()
        batch = batch.drop_columns(["key_hash"])
        repeated = self._seen.again(hashes)
        if not len(repeated):
            return batch
        self.count += len(repeated)
        self._writer = self._writer or pq.ParquetWriter(self._path, self._schema, compression="none")
        self._writer.write_table(pa.Table.from_batches([batch.take(repeated)]).cast(self._schema))
        goes_on = np.ones(batch.num_rows, dtype=bool)
        goes_on[repeated] = False
        return batch.filter(pa.array(goes_on))


def _hash(table: Table, seed: int) -> str:
    return f"hash({_keys(table)}{f', {seed}' if seed else ''})"


def _keys(table: Table) -> str:
    return ", ".join(engine.name(column) for column in table.key)


def _columns(table: Table) -> str:
    return ", ".join(engine.name(column.name) for column in table.columns)
