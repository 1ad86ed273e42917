"""Repeated records of a landed day: identical ones are kept once, different ones under one key are a finding.

Where files lie and what becomes of findings is the business of `landing`.
"""

import os
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipelines import engine
from pipelines.errors import Finding
from pipelines.parquet import write_query
from pipelines.source import Table
from pipelines.typed import arrow_schema

SHOWN_KEYS = 3


def drop_duplicates(
    duck: duckdb.DuckDBPyConnection, table: Table, path: Path, day: date | None, findings: list[Finding]
) -> int:
    """Removes repeated identical records; the same key with another payload is a finding, never a choice.

    Keys are compared by a 64-bit hash first, sorted, because that takes a fraction of the memory and the time; only the
    few that collide are then compared in full, so the answer is exact.
    """
    key = ", ".join(engine.name(column) for column in table.key)
    columns = ", ".join(engine.name(column.name) for column in table.columns)
    source = f"read_parquet({engine.text(path)}, file_row_number = true)"
    hashes = np.sort(duck.execute(f"select hash({key}) as h from {source}").fetchnumpy()["h"])
    suspects = pa.table({"h": np.unique(hashes[1:][hashes[1:] == hashes[:-1]])})
    if not suspects.num_rows:
        return 0
    duck.register("suspects", suspects)
    duck.execute(f"""
        create or replace temp table alike as
        select {columns}, file_row_number from {source} where hash({key}) in (select h from suspects)
    """)
    duck.execute(f"""
        create or replace temp table repeated as
        select {key}, count(*) as n, count(distinct row({columns})) as payloads, min(file_row_number) as kept
        from alike group by all having n > 1
    """)
    conflicts = duck.execute("select count(*) from repeated where payloads > 1").fetchone()[0]
    if conflicts:
        shown = duck.execute(
            f"select concat_ws(', ', {key}) as id from repeated where payloads > 1 order by id limit {SHOWN_KEYS}"
        ).fetchall()
        findings.append(Finding(
            f"{table.name} of {day or 'this table'}",
            f"{conflicts} ids stand for different records ({'; '.join(str(row[0])[:80] for row in shown)})",
            "keep the right one at the source and land the day again",
            day.isoformat() if day else None,
        ))
        return 0
    same = " and ".join(f"r.{engine.name(c)} is not distinct from a.{engine.name(c)}" for c in table.key)
    duck.execute(f"""
        create or replace temp table surplus as
        select a.file_row_number as row_number from alike a join repeated r on {same} and a.file_row_number <> r.kept
    """)
    surplus = duck.execute("select row_number from surplus order by row_number").fetchnumpy()["row_number"]
    if len(surplus):
        once = path.with_suffix(".once.parquet")
        write_query(duck, f"select {columns} from read_parquet({engine.text(path)})", arrow_schema(table), once,
                    table.unlike, surplus)
        os.replace(once, path)
    return len(surplus)
