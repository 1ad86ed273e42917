"""Runs that are killed, and a warehouse that is made anew: readers notice nothing, and the next run ends the work.

One home goes through all of it, in the order of these tests. What comes of it is held against a warehouse made anew
from raw/, which has seen none of it.
"""

import csv
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import homes
import pytest
from homes import FIRST, LAST, NEXT, environ, hashes
from support import JEVONS, ROOT, run_jevons

from assets import built
from assets.renewed import ensure_fits
from assets.warehouse import days_columns
from pipelines import snapshot
from pipelines.sandbox.server import SandboxServer

DAYS = ("--from", str(LAST), "--to", str(NEXT))  # the first of them was landed and published before


def start(home: Path, *words: str) -> subprocess.Popen:
    return subprocess.Popen(
        [str(JEVONS), *words], env={**os.environ, **environ(home)}, cwd=ROOT, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )


def wait_for(process: subprocess.Popen, step: str) -> None:
    for line in process.stderr:
        if step in line:
            return
    pytest.fail(f"{step} never began")


def kill(process: subprocess.Popen) -> None:
    assert process.poll() is None, "the run was over before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()


@dataclass
class Story:
    """One home, and what a second run said while the first was under way."""

    home: Path
    before: snapshot.Snapshot
    receipts: dict[str, bytes]
    second: subprocess.CompletedProcess[str]


def receipts(home: Path, day: object) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in (home / "raw").glob(f"*/*/dt={day}/receipt.json")}


@pytest.fixture(scope="module")
def story(small_home: Path, sandbox: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A home whose run was killed while dbt wrote."""
    home = homes.copied(small_home, tmp_path_factory.mktemp("killed") / "home", sandbox)
    before, landed = snapshot.current(home), receipts(home, LAST)
    process = start(home, "materialize", *DAYS)
    wait_for(process, "ledger")
    os.killpg(process.pid, signal.SIGSTOP)  # or it is over before a second one has started
    second = run_jevons(home, "materialize", *DAYS, check=False, **environ(home))
    files = (built.warehouse(home), built.warehouse(home).with_name("jevons.duckdb.wal"))
    marks = [file.exists() and file.stat().st_mtime_ns for file in files]
    os.killpg(process.pid, signal.SIGCONT)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and [file.exists() and file.stat().st_mtime_ns for file in files] == marks:
        time.sleep(0.02)  # until dbt has begun to write
    kill(process)
    return Story(home, before, landed, second)


@pytest.fixture(scope="module")
def completed(story: Story) -> subprocess.CompletedProcess[str]:
    """The same days once more."""
    return run_jevons(story.home, "materialize", *DAYS, **environ(story.home))


def test_a_second_run_is_told_that_one_is_under_way(story: Story) -> None:
    assert story.second.returncode == 1
    assert "The warehouse is busy" in story.second.stderr and "Traceback" not in story.second.stderr


def test_readers_notice_nothing_of_a_killed_run(story: Story, small_home: Path) -> None:
    assert snapshot.current(story.home) == story.before and snapshot.verify(story.before) == []
    total = "select sum(call_count) as n from fct_footprint_daily"
    assert story.before.query(total).to_pylist() == snapshot.current(small_home).query(total).to_pylist()


@pytest.mark.timeout(300)  # it does not wait for what the killed run held
def test_the_next_run_completes_the_build(
    story: Story, completed: subprocess.CompletedProcess[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "published build" in completed.stdout
    build = snapshot.current(story.home)
    assert snapshot.verify(build) == [] and build.build_id != story.before.build_id
    assert receipts(story.home, LAST) == story.receipts  # landing a day again, with the same records, changes nothing
    of_next = f"""
        select sum(call_count) as n from fct_footprint_daily where source = 'call_log' and usage_date = date '{NEXT}'"""
    with (story.home / "inbox" / "calls" / f"{NEXT}.csv").open(encoding="utf-8") as file:
        calls = sum(row["provider"] != "openai" for row in csv.DictReader(file))  # of those, the vendor itself tells
    assert build.query(of_next).to_pylist() == [{"n": calls}]
    monkeypatch.setenv("DAGSTER_HOME", str(story.home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        statuses = [run.status for run in instance.get_runs()]
        told = {
            name: instance.fetch_materializations(dg.AssetKey(name), limit=1).records[0].asset_materialization.metadata
            for name in ("fct_footprint_daily", "fct_team_daily", "published")
        }
    days = f"{LAST} to {NEXT}"
    assert told["fct_footprint_daily"]["window"].value == told["fct_team_daily"]["window"].value == days
    assert told["published"]["window"].value == f"{FIRST} to {NEXT}"
    tables = build.manifest["tables"]
    assert told["published"]["rows"].value == {name: table["rows"] for name, table in tables.items()}
    assert told["published"]["sha256"].value == {name: table["sha256"] for name, table in tables.items()}
    assert dg.DagsterRunStatus.STARTED not in statuses and dg.DagsterRunStatus.FAILURE in statuses


@pytest.mark.timeout(300)
def test_running_days_again_changes_no_published_hash(
    story: Story, completed: subprocess.CompletedProcess[str]
) -> None:
    before = hashes(story.home / "published")
    again = run_jevons(story.home, "materialize", *DAYS, **environ(story.home))
    assert again.stdout == completed.stdout
    assert hashes(story.home / "published") == before


@pytest.mark.timeout(600)
def test_a_home_of_an_earlier_version_is_refused_and_made_anew_and_nothing_is_lost_in_between(
    story: Story, completed: subprocess.CompletedProcess[str], sandbox: SandboxServer
) -> None:
    """Its warehouse lacks a column that a model writes, and some rows; the raw files are those of the build before."""
    home, file = story.home, built.warehouse(story.home)
    with duckdb.connect(str(file)) as duck:
        duck.execute("alter table int_footprint__hourly drop column water_onsite_litres")
        duck.execute("delete from fct_footprint_daily")
    complete, raw, before = snapshot.current(home).build_id, hashes(home / "raw"), file.read_bytes()
    readers = hashes(home / "published")

    refused = run_jevons(home, "materialize", "--from", str(LAST), check=False, **environ(home))
    assert refused.returncode == 1 and "Traceback" not in refused.stderr
    sentence = " ".join(refused.stderr.split())
    assert "made by other models than today's: other columns in int_footprint__hourly (water_onsite_litres); " \
           "run `jevons rebuild`" in sentence
    assert file.read_bytes() == before and hashes(home / "published") == readers

    sandbox.clear_requests()
    stopped = start(home, "rebuild")
    new, deadline = file.parent / "rebuild" / file.name, time.monotonic() + 120
    while not (new.exists() and new.stat().st_size > 1_000_000):
        assert stopped.poll() is None and time.monotonic() < deadline, "it never began to write"
        time.sleep(0.05)
    kill(stopped)
    assert file.read_bytes() == before and hashes(home / "published") == readers

    done = run_jevons(home, "rebuild", **environ(home))
    assert f"published build {complete} ({FIRST} to {NEXT} made anew)" in done.stdout
    assert sandbox.requests == []
    assert hashes(home / "raw") == raw
    assert hashes(home / "published") == readers and snapshot.verify(snapshot.current(home)) == []
    ensure_fits(home, days_columns())
    assert str(built.due(home, NEXT)) == f"{NEXT} to {NEXT}"  # the morning has nothing of the past to make again
