"""Dagster's events in files that stay open: the same records for its own storage, and no file left behind."""

from pathlib import Path

import dagster as dg
import pytest

from assets import storage
from assets.instance import prepare_environment
from assets.storage import KEPT_RUNS, KeptEventLog

DAYS = dg.DailyPartitionsDefinition("2026-06-01")


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def daily_thing() -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Dagster's folder of an organisation, as the command makes it."""
    monkeypatch.setenv("JEVONS_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "")
    prepare_environment()
    return tmp_path / "dagster"


def made(last: str) -> str:
    """The id of a run over days, whose storage is closed again."""
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, KeptEventLog)
        tags = {"dagster/asset_partition_range_start": "2026-06-01", "dagster/asset_partition_range_end": last}
        return dg.materialize([daily_thing], instance=instance, tags=tags).run_id


def test_dagsters_own_storage_reads_what_was_kept(folder: Path, tmp_path: Path) -> None:
    run_id = made("2026-06-05")
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", "utf-8")
    with dg.DagsterInstance.get() as instance:
        assert not isinstance(instance.event_log_storage, KeptEventLog)
        assert instance.get_run_by_id(run_id).is_success
        assert instance.get_materialized_partitions(daily_thing.key) == {f"2026-06-0{n}" for n in range(1, 6)}
        kinds = [event.dagster_event.event_type_value for event in instance.all_logs(run_id) if event.dagster_event]
    assert kinds.count("ASSET_MATERIALIZATION") == 5


def test_a_run_that_ended_leaves_no_journal(folder: Path) -> None:
    made("2026-06-02")
    assert [path.name for path in folder.rglob("*-wal")] == []


def test_a_process_that_lives_long_keeps_few_files_open(folder: Path) -> None:
    with dg.DagsterInstance.get() as instance:
        for _ in range(KEPT_RUNS + 2):
            dg.materialize([daily_thing], instance=instance, partition_key="2026-06-01")
        kept = instance.event_log_storage._kept
        assert len(kept) == KEPT_RUNS + 1 and storage.INDEX_SHARD_NAME in kept
        instance.wipe()
        assert instance.get_materialized_partitions(daily_thing.key) == set()
