"""The GPU models of the dbt project on their own, rendered once by dbt and run on made-up readings.

Cases and expectations belong to the tests.
"""

import atexit
import json
import shutil
from collections.abc import Iterable
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow.parquet as pq
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from pipelines import landing
from pipelines.sources import nvidia_smi
from pipelines.sources.gpu_prometheus import SAMPLES
from pipelines.typed import to_arrow

PROJECT = Path(__file__).parents[2] / "dbt_project"
MODELS = (
    "staging/gpu_prometheus", "staging/nvidia_smi", "intermediate/days/int_gpu_reading__series.sql",
    "intermediate/days/int_gpu_reading__instants.sql", "intermediate/days/int_gpu_energy__counted.sql",
    "intermediate/days/int_gpu_energy__uncounted.sql",
    "intermediate/days/int_gpu_energy__intervals.sql", "intermediate/days/int_gpu_energy__pieces.sql",
    *(f"intermediate/days/int_gpu_holder__{step}.sql" for step in ("seen", "weights", "shares")),
    "intermediate/days/int_gpu_energy__hourly.sql", "intermediate/days/_int_gpu_energy__models.yml",
)
SEEDS = ("gpu_factor.csv", "gpu_model.csv", "gpu_slices.csv", "_gpu_model_seeds.yml")
# what was frozen, as a stub: these tests give it as a table
PROXIES = "stg_settings__runtime_proxies"
PROXY = (
    "cast(null as varchar) as gpu_model, cast(null as decimal(12, 6)) as low_w, "
    "cast(null as decimal(12, 6)) as fitted_w, cast(null as decimal(12, 6)) as high_w, cast(null as date) as valid_from"
)
DAY, DAYS_MS = date(2026, 6, 1), 86_400_000
COLUMNS = (
    "usage_date, usage_hour_utc, host, uuid, gpu_model, namespace, pod, line, method, share_method, gpu_seconds, "
    "energy_millijoules, unmeasured_seconds, gap_filled"
)


def copy_project(target: Path) -> Path:
    """The project with the GPU models only, so that other models cannot break these tests."""
    shutil.copytree(PROJECT / "macros", target / "macros")
    shutil.copytree(PROJECT / "tests" / "generic", target / "tests" / "generic")
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / name, target / name)
    for model in MODELS:
        origin, copy = PROJECT / "models" / model, target / "models" / model
        if origin.is_dir():
            shutil.copytree(origin, copy)
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(origin, copy)
    (target / "seeds").mkdir()
    for name in SEEDS:
        shutil.copy(PROJECT / "seeds" / name, target / "seeds" / name)
    (target / "models" / f"{PROXIES}.sql").write_text(f"select {PROXY} limit 0", "utf-8")
    return target


@cache
def _parsed(project: Path) -> Manifest:
    """The days are no part of it."""
    done = dbtRunner().invoke(["parse", "--project-dir", str(project), "--profiles-dir", str(project), "--quiet"])
    assert done.success, done.exception
    return done.result


def dbt(project: Path, *arguments: str, first: date = DAY, end: date = DAY + timedelta(days=1)) -> None:
    """Runs dbt on the days from `first` (included) to `end` (excluded); JEVONS_HOME must be set."""
    days = json.dumps({"min_date": first.isoformat(), "max_date": end.isoformat()})
    result = dbtRunner(manifest=_parsed(project).deepcopy()).invoke([
        *arguments, "--project-dir", str(project), "--profiles-dir", str(project), "--vars", days, "--quiet",
    ])
    DuckDBConnectionManager.close_all_connections()  # or this process keeps the warehouse locked
    assert result.success, result.exception or [r.message for r in result.result]


def reading(quantity: str, at: datetime, value: Any, pod: str | None = None, uuid: str = "GPU-a", **more: Any) -> dict:
    """One row of the raw table."""
    return {
        "quantity": quantity, "uuid": uuid, "gpu_model": "H100", "hostname": "node-1", "sampled_at_utc": at,
        "value": value, "step_seconds": 60, "pod": pod, "namespace": "ml" if pod else None, **more,
    }


def at(clock: str, day: date = DAY) -> datetime:
    """The instant of a clock time such as "10:00:30", aware."""
    return datetime.fromisoformat(f"{day}T{clock}+00:00").astimezone(UTC)


def land(home: Path, readings: Iterable[dict], first: date = DAY, days: int = 1) -> None:
    """Writes raw day files as the source makes them: own readings, and the nearest outside, up to an hour away."""
    readings = list(readings)
    landing.ensure_readable(home, [nvidia_smi.SOURCE])
    for day in (first + timedelta(days=n) for n in range(days)):
        start, end = at("00:00:00", day), at("00:00:00", day + timedelta(days=1))
        own = [r for r in readings if start <= r["sampled_at_utc"] < end]
        kept = set()
        for near, choose in (
            ([r for r in readings if start - timedelta(hours=1) <= r["sampled_at_utc"] < start], max),
            ([r for r in readings if end <= r["sampled_at_utc"] < end + timedelta(hours=1)], min),
        ):
            for uuid, quantity in {(r["uuid"], r["quantity"]) for r in near}:
                kept.add((uuid, choose(
                    r["sampled_at_utc"] for r in near if (r["uuid"], r["quantity"]) == (uuid, quantity)
                )))
        outside = [r for r in readings if (r["uuid"], r["sampled_at_utc"]) in kept and r not in own]
        table, findings = to_arrow(SAMPLES, own + outside if own else [], "test")
        assert not findings
        folder = home / "raw/gpu_prometheus/samples" / f"dt={day}"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / "part.parquet")


@contextmanager
def compiled(project: Path, **days: date):
    """The models' SQL as dbt renders it for these days."""
    dbt(project, "compile", **days)
    folder = project / "target/compiled/jevons/models"
    yield SimpleNamespace(
        staging=(folder / "staging/gpu_prometheus/stg_gpu_prometheus__samples.sql").read_text("utf-8"),
        hourly=(folder / "intermediate/days/int_gpu_energy__hourly.sql").read_text("utf-8"),
    )


@cache
def memory() -> duckdb.DuckDBPyConnection:
    """A database in memory with the frozen seeds: one for all runs, because making it takes as long as a run."""
    duck = duckdb.connect()
    duck.execute("set threads = 2")
    duck.execute("attach ':memory:' as jevons")
    duck.execute("use jevons")
    for seed in ("gpu_factor", "gpu_model", "gpu_slices"):
        path = PROJECT / "seeds" / f"{seed}.csv"
        duck.execute(f"create table {seed} as from read_csv('{path}', all_varchar = true)")
    duck.execute("alter table gpu_factor alter value type decimal(24, 18)")
    duck.execute("alter table gpu_slices alter slice_count type integer")
    for column in ("tdp_w", "idle_w"):
        duck.execute(f"alter table gpu_model alter {column} type decimal(9, 3)")
    return duck


atexit.register(memory.cache_clear)  # DuckDB complains where a connection outlives the interpreter


def run(sql: SimpleNamespace, home: Path, proxies: str = f"select {PROXY} limit 0") -> list[dict]:
    """The rows of the hourly model, in order.

    Args:
        proxies: A query for the run-time proxies that were frozen.
    """
    duck = memory()
    duck.execute(f"set file_search_path = '{home}'")
    duck.execute(f"create or replace view stg_gpu_prometheus__samples as {sql.staging}")
    duck.execute(f"create or replace view {PROXIES} as {proxies}")
    found = duck.execute(f"select {COLUMNS} from ({sql.hourly}) order by all")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
