"""Writes the rows of a query as Parquet whose bytes depend on the rows and their order alone.

DuckDB's own COPY cuts row groups where its scan happened to cut its batches, so that the same day would get other
bytes when it comes from another file or by a longer backfill. What the rows mean does not belong here.
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 122_880
AHEAD = 2
_ERRORS = {"IO Error": duckdb.IOException, "Out of Memory Error": duckdb.OutOfMemoryException}


def write_query(
    duck: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema, path: Path, unlike: Collection[str] = (),
    through: Callable[[pa.RecordBatch], pa.RecordBatch] = lambda batch: batch,
) -> int:
    """Streams the query into `path` and says how many rows there were; memory is bounded by a few row groups.

    Raises:
        duckdb.Error: the query failed; what was written so far is no Parquet file.

    Args:
        schema: The columns of the query, in order; DuckDB's types must be these already.
        query: Must keep the order of what it reads: scans, projections and plain filters do; a join, and `in` with
            a subquery, do not as soon as there are two threads.
        unlike: Columns whose values hardly repeat: for these a dictionary only costs time and space.
        through: What is written of each batch, in the columns of `schema`; the query may then have more.
    """
    alike = [name for name in schema.names if name not in unlike] or False
    rows = 0
    pending: list[Future] = []
    duck.complete()  # an earlier execute() that was not read to its end would stand in the way
    with (
        duck.sql(query).to_arrow_reader(ROW_GROUP_ROWS) as reader,
        pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=alike) as writer,
        ThreadPoolExecutor(1) as encoder,  # encodes one group while DuckDB reads the next
    ):
        for group in _groups(map(through, _batches(reader)), schema):
            rows += group.num_rows
            pending.append(encoder.submit(writer.write_table, group, ROW_GROUP_ROWS))
            if len(pending) > AHEAD:
                pending.pop(0).result()
        for future in pending:
            future.result()
    return rows


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows in tables of exactly one row group each, the last one excepted."""
    held: list[pa.RecordBatch] = []
    have = 0
    for batch in batches:
        while batch.num_rows:
            part = batch.slice(0, ROW_GROUP_ROWS - have)
            held.append(part)
            have += part.num_rows
            batch = batch.slice(part.num_rows)
            if have == ROW_GROUP_ROWS:
                yield pa.Table.from_batches(held).cast(schema).combine_chunks()
                held, have = [], 0
    if held:
        yield pa.Table.from_batches(held).cast(schema).combine_chunks()


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The reader's batches; DuckDB's errors arrive through Arrow as OSError and become DuckDB's again."""
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (pa.ArrowException, OSError) as error:
            kind = str(error).partition(":")[0]
            raise _ERRORS.get(kind, duckdb.InvalidInputException)(str(error)) from error
        yield batch
