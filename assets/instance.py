"""The Dagster instance of one organisation: where it lies, and that one terminal at a time runs the job in it.

Its settings are in dagster.yaml; what runs is in `assets.definitions`.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from assets.partitions import INTERACTIVE
from assets.project import ROOT
from pipelines.errors import JevonsError
from pipelines.settings import home

SETTINGS = "dagster.yaml"
STORAGE = """
# Added to this copy: SQLite in this folder, as Dagster has it by default, with files that stay open.
storage:
  custom:
    module: assets.storage
    class: Storage
    config:
      base_dir:
        env: DAGSTER_HOME
"""
LEFT_BEHIND_SECONDS = 3600
DBT_TARGET = "dbt"  # what dbt parsed stays, so that the next run need not parse it again
UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def prepare_environment() -> None:
    """Points Dagster and dbt to the folders of this organisation, unless the user already did; telemetry is off."""
    where = home()
    os.environ["JEVONS_HOME"] = str(where)  # dbt runs in a folder of its own: it needs the whole path
    if not os.environ.get("DAGSTER_HOME"):
        folder = where / "dagster"
        folder.mkdir(parents=True, exist_ok=True)
        copy, text = folder / SETTINGS, (ROOT / SETTINGS).read_text("utf-8")
        if "storage:" not in text.splitlines():  # unless somebody chose another one
            text += STORAGE
        if not copy.exists() or copy.read_text("utf-8") != text:
            fresh = folder / f"{SETTINGS}.{os.getpid()}"
            fresh.write_text(text, "utf-8")
            os.replace(fresh, copy)
        os.environ["DAGSTER_HOME"] = str(folder)
    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


@contextmanager
def only_run(instance: dg.DagsterInstance, where: Path) -> Iterator[None]:
    """Keeps a second terminal out, and clears away what a killed one left behind: its claims and its scratch files.

    Raises:
        JevonsError: another run is under way.
    """
    with (where / "dagster" / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(where, "another `jevons materialize` is at work", "run yours again when it has ended") from None
        # with the lock in hand, a terminal's run that seems to be under way was killed
        for run in instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY, tags={INTERACTIVE: "true"})):
            instance.report_run_failed(run, "The process of this run ended before the run did.")
        for run_id in instance.event_log_storage.get_concurrency_run_ids():
            run = instance.get_run_by_id(run_id)
            if run is None or run.is_finished:
                instance.event_log_storage.free_concurrency_slots_for_run(run_id)
        others = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
        if others:
            raise _busy(
                where, f"Dagster's run {others[0].run_id[:8]} is at work",
                "run yours again when it has ended; if its machine was switched off, end it in `jevons dev`, Runs",
            )
        _sweep(where / "scratch")
        yield


def _sweep(scratch: Path) -> None:
    """Removes what killed runs left in the scratch folder: half of a large day can be gigabytes."""
    for path in scratch.glob("*"):
        if path.name != DBT_TARGET and time.time() - path.stat().st_mtime > LEFT_BEHIND_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _busy(where: Path, why: str, fix: str) -> JevonsError:
    return JevonsError("The warehouse is busy", str(where / "warehouse"), why, fix)
