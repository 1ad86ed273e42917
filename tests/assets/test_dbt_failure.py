"""What a run says of a model or test that failed: which one, and what is wrong in the first row that it found."""

from pathlib import Path

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from homes import LAST

from assets import built
from assets.dbt_failure import found, which
from assets.definitions import range_tags
from assets.warehouse import dbt_resource, ledger, model_key


def sentence(name: str) -> str:
    """Makes one model again, with its own tests, and returns why that failed."""
    result = dg.materialize(
        [ledger], instance=dg.DagsterInstance.ephemeral(), raise_on_error=False, resources={"dbt": dbt_resource()},
        selection=[model_key(name)], tags=range_tags(LAST, LAST),
    )
    failure = next(event for event in result.all_events if event.is_step_failure).step_failure_data
    return failure.user_failure_data.description


def test_a_sum_that_no_longer_agrees_is_named_with_its_model_and_its_day(home: Path) -> None:
    with duckdb.connect(str(built.warehouse(home))) as duck:
        duck.execute("update int_activity__hourly set output_tokens = output_tokens + 1 "
                     f"where usage_date = '{LAST}' and source = 'openai' and is_of_record")
    assert sentence("fct_footprint_daily") == (
        f"the test footprint_matches_activity of fct_footprint_daily failed: usage_date = {LAST}, source = openai")
    assert not list((home / "scratch").rglob("dbt.log"))  # all that dbt says of a day is in the run's log


def test_a_mart_is_not_made_of_what_lacks_its_key(home: Path) -> None:
    part = home / "raw" / "registry" / "teams" / "part.parquet"
    table = pq.read_table(part)
    nameless = {**table.slice(0, 1).to_pylist()[0], "team_id": None}
    pq.write_table(pa.concat_tables([table, pa.Table.from_pylist([nameless], schema=table.schema)]), part)
    with duckdb.connect(str(built.warehouse(home)), read_only=True) as duck:
        before = duck.execute("select count(*) from dim_team").fetchone()
    assert sentence("dim_team") == "the model dim_team failed: team_id is null in one of its rows, and must not be"
    with duckdb.connect(str(built.warehouse(home)), read_only=True) as duck:
        assert duck.execute("select count(*) from dim_team").fetchone() == before


def test_what_the_warehouse_cannot_say_again_is_left_to_dbt(tmp_path: Path) -> None:
    path = tmp_path / "jevons.duckdb"
    failed = {"status": "fail", "failures": 1, "message": "Got 1 result", "compiled_code": "select 7 as n -- seven"}
    assert found(failed, path, tmp_path) == ""  # there is no such file
    duckdb.connect(str(path)).close()
    assert found(failed, path, tmp_path) == "n = 7"
    assert found({**failed, "compiled_code": "select null as n, repeat('x', 999) as s"}, path, tmp_path) == (
        "n = null, s = " + "x" * 286)  # 300 characters of a row, 14 of them before the first x
    assert found({**failed, "compiled_code": "select 7 as n where false"}, path, tmp_path) == ""
    assert found({**failed, "compiled_code": "select no_such_column"}, path, tmp_path) == ""
    assert found({**failed, "status": "error"}, path, tmp_path) == ""


def test_a_test_is_named_by_its_kind_its_model_and_its_column() -> None:
    nodes = {
        "test.jevons.unique_x_c.1a": {
            "test_metadata": {"name": "unique", "kwargs": {"column_name": "c"}}, "attached_node": "model.jevons.x"},
        "test.jevons.hours": {},
    }
    assert which("test.jevons.unique_x_c.1a", nodes) == "the test unique of x.c"
    assert which("test.jevons.hours", nodes) == "the test hours"
    assert which("model.jevons.x", nodes) == "the model x"
