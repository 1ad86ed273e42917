"""A home of an earlier version: how its warehouse is told from today's, and what takes its place when.

The command itself is tried in test_killed.
"""

import json
from pathlib import Path

import duckdb
import pytest

from assets import built
from assets.definitions import ANEW, defs
from assets.partitions import REBUILD
from assets.raw import raw_key
from assets.renewed import ensure_fits, landed, made_anew
from assets.warehouse import PROJECT, days_columns
from pipelines.errors import JevonsError
from pipelines.sources import all_sources

MODELS = {"fct_one": ["usage_date", "energy_kwh"], "int_two": ["usage_date"], "int_undescribed": []}
TABLES = {"fct_one": "usage_date date, energy_kwh integer", "int_two": "usage_date date", "int_undescribed": "a date"}


def made(home: Path, tables: dict[str, str], days: int = 1) -> Path:
    """A home whose warehouse has these tables, after so many days were built to the end."""
    path = built.warehouse(home)
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as duck:
        for name, columns in {**tables, built.TABLE: "usage_date date"}.items():
            duck.execute(f"create table {name} ({columns})")
        duck.execute(f"insert into {built.TABLE} select date '2026-06-01' from range({days})")
    return home


@pytest.mark.parametrize(("tables", "days"), [
    (TABLES, 1), ({**TABLES, "fct_one": "energy_kwh double, usage_date date"}, 1),  # dbt itself looks at types
    ({**TABLES, "int_undescribed": "b date"}, 1), ({**TABLES, "dropped_since": "a date"}, 1),
    ({"int_two": "usage_date date"}, 0),  # a first build that failed half-way goes on
])
def test_a_warehouse_of_the_same_columns_fits(tmp_path: Path, tables: dict[str, str], days: int) -> None:
    ensure_fits(tmp_path / "none", MODELS)
    ensure_fits(made(tmp_path, tables, days), MODELS)


@pytest.mark.parametrize(("tables", "days", "why"), [
    ({**TABLES, "fct_one": "usage_date date"}, 1, "fct_one (energy_kwh)"),
    ({**TABLES, "int_two": "usage_date date, was date"}, 0, "int_two (was)"),
    ({name: TABLES[name] for name in ("fct_one", "int_two")}, 1, "int_undescribed (a new table)"),
])
def test_other_columns_and_a_table_without_the_past_are_refused(
    tmp_path: Path, tables: dict[str, str], days: int, why: str
) -> None:
    with pytest.raises(JevonsError, match="made by other models than today's") as error:
        ensure_fits(made(tmp_path, tables, days), MODELS)
    assert error.value.why == f"other columns in {why}" and "jevons rebuild" in error.value.fix


def test_a_file_that_is_no_warehouse_can_be_made_anew(tmp_path: Path) -> None:
    built.warehouse(tmp_path).parent.mkdir(parents=True)
    built.warehouse(tmp_path).write_text("no database", "utf-8")
    with pytest.raises(JevonsError, match="cannot be read.*jevons rebuild"):
        ensure_fits(tmp_path, MODELS)


def test_the_new_warehouse_takes_the_place_only_when_it_is_whole(tmp_path: Path) -> None:
    old = built.warehouse(made(tmp_path, TABLES))
    before, journal = old.read_bytes(), old.with_name(f"{old.name}.wal")
    journal.write_text("of a killed run", "utf-8")
    with pytest.raises(ZeroDivisionError), made_anew(tmp_path) as path:
        duckdb.connect(str(path)).execute("create table half as select 1").close()
        raise ZeroDivisionError
    assert old.read_bytes() == before and journal.exists()
    with made_anew(tmp_path) as path:
        assert not path.exists()  # what the stopped one left is gone
        duckdb.connect(str(path)).execute("create table whole as select 1").close()
    assert [each.name for each in old.parent.iterdir()] == [old.name]
    with duckdb.connect(str(old)) as duck:
        assert duck.execute("show tables").fetchall() == [("whole",)]


def test_the_landed_days_are_those_with_a_receipt(tmp_path: Path) -> None:
    with pytest.raises(JevonsError, match="no day was landed yet"):
        landed(tmp_path)
    for table, day in (("a/b", "2026-06-03"), ("a/c", "2026-06-01"), ("a/c", "2026-06-02"), ("a/c", "1970-01-01")):
        path = tmp_path / "raw" / table / f"dt={day}"
        path.mkdir(parents=True)
        (path / ("part.parquet" if day.startswith("1970") else "receipt.json")).touch()
    assert str(landed(tmp_path)) == "2026-06-01 to 2026-06-03"


def test_the_job_holds_everything_that_asks_no_vendor() -> None:
    job = defs().resolve_job_def(ANEW)
    every = {spec.key for spec in defs().resolve_all_asset_specs()}
    vendors = {raw_key(s.name, t.name) for s in all_sources() if not s.always for t in s.tables}
    assert set(job.asset_layer.selected_asset_keys) == every - vendors and vendors < every
    assert job.run_tags[REBUILD] == "true"


def test_every_model_that_replaces_days_notices_a_change() -> None:
    """Columns that nobody declared are compared by dbt, which ignores a change unless it is told otherwise."""
    nodes = json.loads(PROJECT.manifest_path.read_text("utf-8"))["nodes"]
    for name in days_columns():
        assert nodes[f"model.jevons.{name}"]["config"]["on_schema_change"] in ("fail", "append_new_columns"), name


def test_days_landed_before_a_column_was_known_can_be_read() -> None:
    sources = json.loads(PROJECT.manifest_path.read_text("utf-8"))["sources"].values()
    places = {node["name"]: node["config"]["meta"].get("external_location") or node["meta"]["external_location"]
              for node in sources}
    daily = [place for place in places.values() if "dt=*" in place]
    assert len(daily) > 5 and all("union_by_name = true" in place for place in daily)
