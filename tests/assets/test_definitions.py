"""What Dagster is told: keys, groups, days, schedule and pools; and what happens when a run is refused."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import duckdb
import homes
import pyarrow.parquet as pq
import pytest
from homes import FIRST, LAST, NEXT, environ, hashes
from support import JEVONS, ROOT

from assets import built
from assets.definitions import ANEW, JOB, daily, defs, in_use, range_tags
from assets.instance import STORAGE, prepare_environment
from assets.partitions import DAILY, INTERACTIVE, MORNING, stretches
from assets.publishing import inspected, published
from assets.raw import GATE, raw_assets, raw_key, windows_of_the_morning
from assets.warehouse import PROJECT, dbt_resource, ledger, short
from pipelines.landing import RECEIPT, folder
from pipelines.sandbox.server import SandboxServer
from pipelines.settings import load
from pipelines.sources import all_sources
from pipelines.window import Window


@pytest.fixture(scope="module")
def specs() -> dict[dg.AssetKey, dg.AssetSpec]:
    return {spec.key: spec for spec in defs().resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def models() -> dict[str, dict]:
    nodes = json.loads(PROJECT.manifest_path.read_text("utf-8"))["nodes"].values()
    return {
        node["name"]: node for node in nodes
        if node["resource_type"] == "model" and node["config"]["materialized"] != "ephemeral"  # part of its readers
    }


def tables() -> Iterator[tuple[str, str]]:
    for source in all_sources():
        for table in source.tables:
            yield source.name, table.name


# What exists


def test_every_table_of_a_source_is_an_asset_under_its_own_path_with_a_gate(small_home: Path) -> None:
    made = {asset.key: asset for asset in raw_assets()}
    assert set(made) == {raw_key(*table) for table in tables()}
    for key, asset in made.items():
        assert small_home.joinpath(*key.path).is_dir()
        assert [check.name for check in asset.check_specs] == [GATE] and next(iter(asset.check_specs)).blocking
        assert asset.op.pool == f"source_{key.path[1]}"


def test_the_whole_is_one_job_in_one_pool_for_the_warehouse(specs: dict) -> None:
    job = defs().resolve_job_def(JOB)
    assert set(job.asset_layer.selected_asset_keys) == set(specs)
    jobs = {found.name for found in defs().get_repository_def().get_all_jobs() if not found.name.startswith("__")}
    assert jobs == {JOB, ANEW}
    assert {asset.op.pool for asset in (ledger, inspected, published)} == {"warehouse"}


def test_sources_that_are_switched_off_are_no_part_of_a_run(tmp_path: Path, specs: dict) -> None:
    (tmp_path / "jevons.toml").write_text("[sources.meters]\n[sources.openai]\nenabled = false\n", "utf-8")
    used = in_use(load(tmp_path))
    always = {raw_key(s.name, t.name) for s in all_sources() if s.always for t in s.tables}
    raw = {key for key in specs if key.path[0] == "raw"}
    assert used & raw == always | {raw_key("meters", "readings")}
    assert used - raw == set(specs) - raw


def test_every_model_and_seed_is_made_by_the_one_call_of_dbt(models: dict) -> None:
    made = {key.path[-1] for key in ledger.keys}
    nodes = json.loads(PROJECT.manifest_path.read_text("utf-8"))["nodes"].values()
    assert made == set(models) | {node["name"] for node in nodes if node["resource_type"] == "seed"}


def test_a_models_key_is_its_name_and_only_what_replaces_days_has_days(specs: dict, models: dict) -> None:
    for name, node in models.items():
        has_days = specs[dg.AssetKey([name])].partitions_def is not None
        assert has_days == (node["config"]["materialized"] == "incremental"), name
    for source in all_sources():
        for table in source.tables:
            assert (specs[raw_key(source.name, table.name)].partitions_def == DAILY) == table.daily


def test_a_model_depends_on_the_raw_assets_that_it_reads(specs: dict) -> None:
    """Also through staging that is part of its reader."""
    upstream = {dep.asset_key for dep in specs[dg.AssetKey(["int_openai__activity"])].deps}
    assert upstream == {raw_key("openai", name) for name in ("completions", "costs", "embeddings")}
    upstream = {dep.asset_key for dep in specs[dg.AssetKey(["stg_registry__workflows"])].deps}
    assert upstream == {raw_key("registry", "workflows")}


def test_definitions_load_without_any_environment_and_without_a_warning_of_ours(tmp_path: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER", "JEVONS"))}
    done = subprocess.run(
        [str(JEVONS.with_name("dg")), "check", "defs"], cwd=ROOT, env={**bare, "JEVONS_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "All definitions loaded successfully" in done.stdout + done.stderr
    assert "Warning" not in done.stderr and "WARNING" not in done.stderr


# Which days


def test_the_schedule_asks_for_yesterday_each_morning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jevons.toml").write_text("[sources.meters]\n", "utf-8")
    monkeypatch.setenv("JEVONS_HOME", str(tmp_path))
    at = datetime(2026, 8, 10, 5, 30, tzinfo=UTC)
    request = daily(dg.build_schedule_context(scheduled_execution_time=at))
    assert request.partition_key == request.run_key == "2026-08-09"
    assert request.tags == {MORNING: "true"}
    assert set(request.asset_selection) == in_use(load(tmp_path))
    assert daily.cron_schedule == "30 5 * * *" and daily.execution_timezone == "UTC"


def test_a_morning_asks_each_source_for_what_it_may_restate_and_for_what_never_arrived(tmp_path: Path) -> None:
    """Yesterday is the 20th; openai restates 3 days, the call log none; what is late is looked for 7 days."""
    yesterday = Window.of_days("2026-06-20", "2026-06-20")
    restating = {source.name: source for source in all_sources()}

    def asked(source: str, table: str) -> list[str]:
        found = restating[source]
        return [str(window) for window in windows_of_the_morning(found, found.table(table), yesterday, tmp_path)]

    assert asked("call_log", "calls") == ["2026-06-13 to 2026-06-20"]  # nothing was ever landed
    for source, table in (("call_log", "calls"), ("openai", "costs"), ("electricity_maps", "carbon_intensity")):
        for day in Window.of_days("2026-06-01", "2026-06-19").days():
            path = folder(tmp_path, restating[source], restating[source].table(table), day)
            path.mkdir(parents=True)
            (path / RECEIPT).touch()
    assert asked("call_log", "calls") == ["2026-06-20 to 2026-06-20"]
    assert asked("openai", "costs") == ["2026-06-17 to 2026-06-20"]
    assert asked("electricity_maps", "carbon_intensity") == ["2026-06-13 to 2026-06-20"]
    shutil.rmtree(folder(tmp_path, restating["call_log"], restating["call_log"].table("calls"), date(2026, 6, 16)))
    assert asked("call_log", "calls") == ["2026-06-16 to 2026-06-16", "2026-06-20 to 2026-06-20"]


def test_stretches_hold_the_days_given_and_no_others() -> None:
    days = [date(2026, 6, n) for n in (5, 1, 2, 2, 9, 6)]
    assert [str(window) for window in stretches(days)] == [
        "2026-06-01 to 2026-06-02", "2026-06-05 to 2026-06-06", "2026-06-09 to 2026-06-09"]
    assert list(stretches([])) == []


def test_the_ledger_rebuilds_from_the_earliest_day_whose_deliveries_changed(home: Path) -> None:
    yesterday = date(2026, 6, 3)
    assert str(built.due(home, yesterday)) == "2026-06-03 to 2026-06-03"  # all that was landed was built
    digests = built.deliveries(home)
    assert set(digests) == {FIRST, date(2026, 6, 2), LAST}
    with duckdb.connect(str(built.warehouse(home))) as duck:
        duck.execute(f"update {built.TABLE} set digest = 'another delivery' where usage_date = date '2026-06-02'")
    assert str(built.due(home, yesterday)) == "2026-06-02 to 2026-06-03"
    built.remember(built.warehouse(home), Window.of_days("2026-06-02", "2026-06-03"), digests)
    assert str(built.due(home, yesterday)) == "2026-06-03 to 2026-06-03"
    built.warehouse(home).unlink()
    assert str(built.due(home, yesterday)) == "2026-06-01 to 2026-06-03"  # a warehouse made anew has built nothing


def test_a_morning_run_lands_and_says_which_earlier_days_are_new(home: Path, sandbox: SandboxServer) -> None:
    shutil.rmtree(home / "raw" / "call_log" / "calls" / f"dt={FIRST}")
    calls = [asset for asset in raw_assets() if asset.key == raw_key("call_log", "calls")]
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(calls, instance=instance, partition_key=str(NEXT), tags={MORNING: "true", INTERACTIVE: "true"})
        events = instance.fetch_materializations(calls[0].key, limit=10).records
    assert sorted(event.partition_key for event in events) == [str(FIRST), str(NEXT)]
    windows = {event.partition_key: event.asset_materialization.metadata["window"].value for event in events}
    # the 2nd and 3rd are there and the call log restates nothing; the days before the 1st have no file
    assert windows[str(NEXT)] == "2026-05-28 to 2026-06-01, 2026-06-04 to 2026-06-04"
    assert windows[str(FIRST)] == "2026-06-01"
    for event in events:
        written = home / "raw" / "call_log" / "calls" / f"dt={event.partition_key}"
        metadata = event.asset_materialization.metadata
        digest = hashlib.sha256((written / "part.parquet").read_bytes()).hexdigest()
        assert metadata["sha256"].value[event.partition_key] == digest
        days = {str(NEXT): [FIRST, NEXT], str(FIRST): [FIRST]}[event.partition_key]  # the run's own event tells of both
        assert metadata["rows"].value == sum(
            pq.read_metadata(written.with_name(f"dt={day}") / "part.parquet").num_rows for day in days) > 0


def test_a_year_of_openai_is_one_run_and_53_requests_an_hourly_table(home: Path, sandbox: SandboxServer) -> None:
    """365 days are 8760 hourly buckets at 168 a request: 52.1, so 53. Costs: 98 days before keys were told, then 267
    days at 180 a request: 1 + 2 = 3."""
    wanted = {"openai/completions", "openai/embeddings", "openai/costs"}
    assets = [asset for asset in raw_assets() if "/".join(asset.key.path[1:]) in wanted]
    assert {asset.backfill_policy for asset in assets} == {dg.BackfillPolicy.single_run()}
    sandbox.clear_requests()
    homes.land(wanted, date(2025, 8, 30), date(2026, 8, 29))
    asked = [request.path.rsplit("/", 1)[-1] for request in sandbox.requests]
    assert {name: asked.count(name) for name in set(asked)} == {"completions": 53, "embeddings": 53, "costs": 3}
    assert len(list((home / "raw" / "openai" / "costs").glob("dt=*/receipt.json"))) == 365


# What stops a run


def tampered(home: Path, statement: str) -> None:
    with duckdb.connect(str(built.warehouse(home))) as duck:
        duck.execute(statement)


def test_what_breaks_a_rule_or_a_promise_is_not_published_and_readers_keep_the_build_before(home: Path) -> None:
    before = hashes(home / "published")
    tampered(home, "update fct_coverage_daily set orphan_call_ratio = 1.5")
    tampered(home, "insert into fct_organisation_daily from fct_organisation_daily order by usage_date limit 1")
    tampered(home, "update int_meter__hourly set method = 'guessed'")  # no mart: what marts are made of
    result = dg.materialize(
        [inspected, published], instance=dg.DagsterInstance.ephemeral(), raise_on_error=False,
        selection=[inspected, published],
    )
    assert not result.success
    assert [event.step_key for event in result.all_events if event.is_step_success] == []
    broken = {
        check.check_name: check.metadata["findings"].value
        for check in result.get_asset_check_evaluations() if not check.passed
    }
    assert set(broken) == {"gate_fct_coverage_daily", "promises"}
    assert "orphan_call_ratio must be between 0 and 1" in broken["gate_fct_coverage_daily"][0]
    key, method = broken["promises"]
    assert key == f"fct_organisation_daily: usage_date must name one row, broken once (found {FIRST})"
    assert method.startswith("int_meter__hourly: method must be one of counter_delta, power_integral, unmeasured, ")
    assert hashes(home / "published") == before


def relations(home: Path) -> list[tuple]:
    with duckdb.connect(str(built.warehouse(home)), read_only=True) as duck:
        return duck.execute("select table_name, table_type from information_schema.tables order by all").fetchall()


def test_a_model_that_fails_ends_the_step_with_one_short_sentence_and_its_relation_stays(home: Path) -> None:
    before = relations(home)
    part = home / "raw" / "openai" / "completions" / f"dt={LAST}" / "part.parquet"
    part.write_bytes(part.read_bytes()[:-100])
    result = dg.materialize(
        [ledger], instance=dg.DagsterInstance.ephemeral(), raise_on_error=False, resources={"dbt": dbt_resource()},
        tags=range_tags(LAST, LAST),
    )
    failure = next(event for event in result.all_events if event.is_step_failure).step_failure_data
    sentence = failure.user_failure_data.description
    assert sentence.startswith("the model int_openai__activity failed") or sentence.startswith("the model "), sentence
    assert "part.parquet" in sentence and "\n" not in sentence and len(sentence) < 600
    assert relations(home) == before


def test_the_lines_that_say_nothing_are_left_out() -> None:
    assert short("\x1b[31mRuntime Error in model x\x1b[0m\n\n  No files found.\n compiled code at target/x.sql\n") == (
        "Runtime Error in model x; No files found")


def test_each_organisation_has_a_dagster_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        for variable, value in environ(tmp_path / name).items():
            monkeypatch.setenv(variable, value)
        prepare_environment()
        assert os.environ["DAGSTER_HOME"] == str(tmp_path / name / "dagster")
        settings = (tmp_path / name / "dagster" / "dagster.yaml").read_text("utf-8")
        assert settings == (ROOT / "dagster.yaml").read_text("utf-8") + STORAGE
    monkeypatch.setenv("DAGSTER_HOME", "/elsewhere")
    prepare_environment()
    assert os.environ["DAGSTER_HOME"] == "/elsewhere"
