"""The ledger is the same however its days were made: in order, out of order, twice, or all in one run."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from parsed_project import PROJECT, runner

from pipelines import landing
from pipelines.registry.importer import import_csv
from pipelines.registry.store import default_url, open_registry
from pipelines.sandbox import stories
from pipelines.sandbox.files import REGISTRY_KINDS, environment, write_home
from pipelines.sandbox.server import serve
from pipelines.settings import load
from pipelines.source import Context
from pipelines.sources import all_sources, enabled_sources
from pipelines.window import Window

# the middle day is the one that an organisation runs twice; the GPU source reaches from each day into its neighbours
DAYS = [stories.DATA_FROM + timedelta(days=n) for n in range(3)]
WHOLE = Window.of_days(DAYS[0], DAYS[-1])


def dbt(home: Path, command: str, window: Window | None = None, *more: str) -> None:
    """One call of dbt on the days of the window; JEVONS_HOME must be set."""
    days = ["--vars", f"{{min_date: '{window.first}', max_date: '{window.end}'}}"] if window else []
    done = runner().invoke([
        command, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(home / "target"),
        "--quiet", *days, *more,
    ])
    DuckDBConnectionManager.close_all_connections()  # or this process keeps the warehouse locked
    assert done.success, done.exception or [r.message for r in done.result if r.status != "success"]


def replace(home: Path, *windows: Window) -> None:
    """What replaces days, once for each window."""
    for window in windows:
        dbt(home, "run", window, "--select", "config.materialized:incremental", "tag:daily,config.materialized:table")


def tables(home: Path) -> dict[str, list[tuple]]:
    """Every table that dbt made, its rows in an order of their own; without what holds the days of one run only."""
    with duckdb.connect(str(home / "warehouse" / "jevons.duckdb"), read_only=True) as duck:
        names = [row[0] for row in duck.execute(
            "select table_name from information_schema.tables where table_type = 'BASE TABLE' "
            "and table_name <> 'int_call_log__activity' order by 1").fetchall()]
        return {name: duck.execute(f'select * from "{name}" order by all').fetchall() for name in names}


@pytest.fixture(scope="module")
def built_at_once(tmp_path_factory) -> Path:
    """A home with the raw records of three days of the sandbox, all made of them in one run."""
    home = tmp_path_factory.mktemp("at_once")
    with serve() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("JEVONS_HOME", str(home))
        write_home(home, server, days=len(DAYS))
        registry = open_registry(default_url(home))
        for kind in REGISTRY_KINDS:
            result = import_csv(registry, home / "inbox" / "registry" / f"{kind}.csv", kind, "test", "made up",
                                datetime(2026, 6, 1, tzinfo=UTC))
            assert not result.refused
        registry.dispose()
        settings = load(home, environment())
        for source in enabled_sources(settings):
            for table in source.tables:
                with landing.scratch(home) as scratch:
                    staged = landing.stage(source, table, Context(settings, scratch), WHOLE)
                    assert not landing.commit(staged, [], home, datetime(2026, 9, 1, tzinfo=UTC)).quarantined
        landing.ensure_readable(home, all_sources())
        (home / "warehouse").mkdir()
        dbt(home, "seed")
        dbt(home, "run", WHOLE)
    return home


@pytest.fixture
def home(built_at_once, tmp_path, monkeypatch) -> Path:
    """A copy of that home, to be built in."""
    return copy(built_at_once, tmp_path / "home", monkeypatch)


def copy(built: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(built, home)
    monkeypatch.setenv("JEVONS_HOME", str(home))
    return home


@pytest.fixture(scope="module")
def at_once(built_at_once) -> dict[str, list[tuple]]:
    """What that run gave."""
    return tables(built_at_once)


def by_day(*days: date) -> list[Window]:
    return [Window.of_days(day, day) for day in days]


def same(found: dict[str, list[tuple]], expected: dict[str, list[tuple]]) -> None:
    assert found.keys() == expected.keys()
    assert {name for name in found if found[name] != expected[name]} == set()


def test_one_run_over_all_days_holds_all_days(at_once):
    assert len(at_once["int_footprint__hourly"]) > 1000  # or the comparisons below would compare nothing
    for mart in ("fct_footprint_daily", "fct_workflow_daily", "fct_team_daily", "fct_organisation_daily"):
        assert sorted({row[0] for row in at_once[mart]}) == DAYS, mart


def test_days_made_one_by_one_and_one_of_them_twice_give_what_one_run_gives(home, at_once):
    with duckdb.connect(str(home / "warehouse" / "jevons.duckdb")) as duck:
        for node in runner().manifest.nodes.values():
            if node.config.materialized in ("incremental", "table"):
                duck.execute(f"drop table {node.name}")
    replace(home, *by_day(*[DAYS[n] for n in (2, 0, 1, 0)]))
    dbt(home, "run", None, "--select", "tag:whole,config.materialized:table")
    same(tables(home), at_once)


def test_a_day_that_became_empty_leaves_no_old_rows(home, at_once):
    middle = DAYS[1]
    emptied = [path for path in (home / "raw").glob(f"*/*/dt={middle}/part.parquet") if path.parts[-4] != "landing"]
    assert len(emptied) >= 6  # completions, embeddings, costs, calls, samples, carbon, outcomes
    for path in emptied:
        pq.write_table(pq.read_schema(path).empty_table(), path)
    replace(home, *by_day(middle))
    dbt(home, "run", None, "--select", "fct_workflow_daily")
    found = tables(home)
    kept = [row for row in at_once["int_footprint__hourly"] if row[0] != middle]
    assert found["int_footprint__hourly"] == kept and len(kept) < len(at_once["int_footprint__hourly"])
    for name in ("int_activity__hourly", "int_gpu_energy__hourly", "fct_footprint_daily", "fct_workflow_daily"):
        assert found[name] == [row for row in at_once[name] if row[0] != middle], name
