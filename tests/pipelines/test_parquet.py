"""The bytes of a landed file: decided by its rows and their order, by nothing else."""

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipelines.parquet import ROW_GROUP_ROWS, write_query

SCHEMA = pa.schema([("n", pa.int64()), ("s", pa.string())])
QUERY = "select range::bigint as n, 'x' || (range % 7) as s from range(300000)"


def test_row_groups_are_cut_at_the_same_rows_however_the_rows_arrive(tmp_path):
    with duckdb.connect() as duck:
        duck.execute("set threads = 2")
        assert write_query(duck, QUERY, SCHEMA, tmp_path / "a") == 300_000
        pieces = " union all ".join(
            f"select * from ({QUERY}) where n >= {low} and n < {high}"
            for low, high in ((0, 7), (7, 150_001), (150_001, 300_000))
        )
        write_query(duck, pieces, SCHEMA, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    about = pq.ParquetFile(tmp_path / "a").metadata
    cut = [about.row_group(n).num_rows for n in range(about.num_row_groups)]
    assert cut == [ROW_GROUP_ROWS, ROW_GROUP_ROWS, 54_240]  # 2 x 122,880 + 54,240 = 300,000


def test_what_a_filter_leaves_out_might_never_have_been_there(tmp_path):
    out = pa.array([0, 122_879, 122_880, 299_999])

    def without(batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch.filter(pc.invert(pc.is_in(batch.column("n"), out))).drop_columns(["more"])

    with duckdb.connect() as duck:
        duck.execute("set threads = 2")
        more = f"select *, 1 as more from ({QUERY})"
        rows = write_query(duck, more, SCHEMA, tmp_path / "a", through=without)
        left = f"select * from ({QUERY}) where n not in (0, 122879, 122880, 299999)"
        write_query(duck, left, SCHEMA, tmp_path / "b")
    assert rows == 299_996
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_query_that_fails_late_fails_as_duckdb_says(tmp_path):
    late = "select range as n, case when range < 2999999 then 'x' else error('late') end as s from range(3000000)"
    with duckdb.connect() as duck, pytest.raises(duckdb.InvalidInputException, match="late"):
        write_query(duck, late, SCHEMA, tmp_path / "a")


def test_a_full_disk_is_an_oserror_that_landing_can_tell(tmp_path):
    with duckdb.connect() as duck, pytest.raises(OSError) as error:
        write_query(duck, QUERY, SCHEMA, "/dev/full")
    assert error.value.errno == 28
