"""The dbt models as Dagster assets, all made by one call of dbt: those that replace days, and those that are made anew.

The SQL is in dbt_project/; nothing is computed here.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource, dbt_assets
from packaging.version import Version

from assets import dbt_failure
from assets.built import deliveries, due, remember, warehouse
from assets.instance import DBT_TARGET
from assets.partitions import DAILY, ONE_RUN, is_morning, is_rebuild, window_of
from assets.project import DBT, project
from assets.raw import raw_key
from assets.renewed import ensure_fits, landed, made_anew, outgrown
from pipelines import landing
from pipelines.errors import JevonsError
from pipelines.settings import home
from pipelines.sources import all_sources
from pipelines.window import Window
from quality import promises

POOL = "warehouse"  # DuckDB has one writer: everything that opens the warehouse queues here
PROJECT = project()
# Unit tests say something about the code, and `make test` runs them, with the tests of seeds. Keys and closed sets are
# asked for by gate 2, all at once: as steps of dbt each takes longer than its question.
ASKED_ELSEWHERE = f"resource_type:unit_test tag:{promises.TAG}"
# What dbt says is in the run's log already. Its own file would add every statement, and takes time on a quiet day.
QUIET = ["--log-level-file", "none"]
_GROWN = "schemas on this incremental model are out of sync"
_HELD = re.compile(r"Could not set lock on file.*?PID (\d+)", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Translator(DagsterDbtTranslator):
    """Keys: a dbt source is the raw asset that lands it; a model is its own name."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["sources"].get(unique_id) or manifest["nodes"][unique_id]
        if node["resource_type"] == "source":
            return spec.replace_attributes(key=raw_key(node["source_name"], node["name"]))
        # only what replaces days has days: a view over all of them is the same whichever day asks for it
        by_day = node["config"]["materialized"] == "incremental"
        return spec.replace_attributes(
            key=dg.AssetKey([node["name"]]), group_name=node["fqn"][1], partitions_def=DAILY if by_day else None,
        )


def model_key(name: str) -> dg.AssetKey:
    """The asset key of a dbt model."""
    return dg.AssetKey([name])


class Dbt(DbtCliResource):
    """dbt without what Dagster does before each call, and nothing here needs.

    By itself it asks `dbt --version` in a process, and parses all macros to have a handle to the warehouse, with which
    it could fetch columns and row counts. Together that takes as long as the models of an ordinary day.
    """

    @property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:
        return None


def dbt_resource() -> DbtCliResource:
    """dbt of this environment, on this project."""
    os.environ["JEVONS_HOME"] = str(home())  # whole: dbt and the steps run in folders of their own
    return Dbt(project_dir=PROJECT, dbt_executable=str(DBT))


@dbt_assets(
    manifest=PROJECT.manifest_path, project=PROJECT, exclude=ASKED_ELSEWHERE, name="ledger", backfill_policy=ONE_RUN,
    pool=POOL, dagster_dbt_translator=Translator(),
)
def ledger(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """From raw records to the marts: replaces the days of the run and no others, then sums all days anew.

    One group and not two, because starting dbt costs as much as all its models do on an ordinary day. The schedule's
    run, whose partition is yesterday, also rebuilds back to the earliest day whose deliveries changed, and writes an
    event for each of those days. The job `rebuild` makes all landed days in a new warehouse, which then takes the place
    of the old one.
    """
    where, window = home(), window_of(context)
    digests = deliveries(where)
    if is_rebuild(context):
        window = landed(where)
        with made_anew(where) as path:
            yield from _build(context, dbt, window, path)
            remember(path, window, digests)
    else:
        try:
            ensure_fits(where, days_columns())
        except JevonsError as error:
            raise _outgrown(error) from error
        if is_morning(context):
            window = due(where, window.first)
        yield from _build(context, dbt, window, warehouse(where))
        remember(warehouse(where), window, digests)
    for day in window.days():
        if day not in window_of(context):
            for spec in context.assets_def.specs:
                if spec.partitions_def:
                    context.log_event(dg.AssetMaterialization(spec.key, partition=day.isoformat()))


def days_columns() -> dict[str, list[str]]:
    """The models that replace days, and the columns that each declares; none where it may be given new ones."""
    nodes = json.loads(PROJECT.manifest_path.read_text("utf-8"))["nodes"].values()
    return {
        n["name"]: list(n["columns"]) if n["config"]["on_schema_change"] == "fail" else [] for n in nodes
        if n["resource_type"] == "model" and n["config"]["materialized"] == "incremental"
    }


def _build(context: dg.AssetExecutionContext, dbt: DbtCliResource, window: Window, path: Path) -> Iterator[Any]:
    """Runs `dbt build` into the warehouse at `path`; what fails is one sentence, and dbt's own words stay in the log.

    Raises:
        Failure: says which model or test, and how its message begins.
    """
    where = home()
    landing.ensure_readable(where, all_sources())
    path.parent.mkdir(parents=True, exist_ok=True)
    # buildable: where only some models are asked for, a test that compares two runs if both exist
    tests = "buildable" if context.is_subset else "eager"
    with _told(window, path):
        build = dbt.cli(
            ["build", "--indirect-selection", tests, *QUIET], context=context,
            target_path=where / "scratch" / DBT_TARGET, raise_on_error=False,
        )
    for event in build.stream():
        dated = isinstance(event, dg.Output)
        yield event.with_metadata({**event.metadata, "window": str(window)}) if dated else event
    if not build.is_successful():
        raise dg.Failure(_why(build, path), allow_retries=False)


@contextmanager
def _told(window: Window, path: Path) -> Iterator[None]:
    """Days and place as environment and not as variables, which would make dbt parse the whole project each time."""
    told = {
        "JEVONS_MIN_DATE": window.first.isoformat(), "JEVONS_MAX_DATE": window.end.isoformat(),
        "JEVONS_WAREHOUSE": str(path.parent),
    }
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _why(build: DbtCliInvocation, path: Path) -> str:
    """The first model or test that failed, and what it found or the first lines of what the database said about it."""
    try:
        results = build.get_artifact("run_results.json")["results"]
    except (OSError, ValueError):
        results = []
    failed = [result for result in results if result["status"] in {"error", "fail"}]
    held = _HELD.search(str(build.get_error() or "") + " ".join(str(result["message"]) for result in failed))
    if held:
        return f"the warehouse is open in another program (process {held[1]}), which has to let go of it first"
    if not failed:
        return f"dbt stopped before it built anything: {short(str(build.get_error() or 'no reason given'))}"
    grown = [result["unique_id"].split(".")[2] for result in failed if _GROWN in str(result["message"])]
    if grown:
        raise _outgrown(outgrown(path, grown))
    name = dbt_failure.which(failed[0]["unique_id"], build.manifest["nodes"])
    others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"{name} failed{others}: {dbt_failure.found(failed[0], path, home()) or short(failed[0]['message'] or '')}"


def _outgrown(error: JevonsError) -> dg.Failure:
    return dg.Failure(f"{error.what}: {error.why}", {"fix": error.fix}, allow_retries=False)


def short(message: str) -> str:
    """The lines of a message that say something, at most three, on one line."""
    lines = [_COLOUR.sub("", line).strip() for line in message.splitlines()]
    return "; ".join([line for line in lines if line and not line.startswith("compiled code at")][:3])[:400].rstrip(".")
