"""The dbt models as Dagster assets, in two groups: those that replace days, and those that are made anew as a whole.

The SQL is in dbt_project/; nothing is computed here.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource, dbt_assets

from assets.built import deliveries, due, remember, warehouse
from assets.partitions import DAILY, ONE_RUN, is_morning, window_of
from assets.project import DBT, project
from assets.raw import raw_key
from pipelines import landing
from pipelines.settings import home
from pipelines.sources import all_sources

POOL = "warehouse"  # DuckDB has one writer: everything that opens the warehouse queues here
PROJECT = project()
# Unit tests and the tests of frozen seeds say something about the code, not today's records: `make test` runs them.
CODE_TESTS = "resource_type:unit_test resource_type:test,tag:frozen+1"
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


def dbt_resource() -> DbtCliResource:
    """dbt of this environment, on this project."""
    os.environ["JEVONS_HOME"] = str(home())  # whole: dbt and the steps run in folders of their own
    return DbtCliResource(project_dir=PROJECT, dbt_executable=str(DBT))


@dbt_assets(
    manifest=PROJECT.manifest_path, project=PROJECT, select="tag:daily", exclude=CODE_TESTS, name="ledger_days",
    backfill_policy=ONE_RUN, pool=POOL,
    dagster_dbt_translator=Translator(),
)
def ledger_days(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """From raw records to the daily footprint: replaces the days of the run and no others.

    The schedule's run, whose partition is yesterday, also rebuilds back to the earliest day whose deliveries changed,
    and writes an event for each of those days.
    """
    where, window = home(), window_of(context)
    digests = deliveries(where)
    if is_morning(context):
        window = due(where, window.first)
    yield from _build(context, dbt, {"min_date": window.first.isoformat(), "max_date": window.end.isoformat()})
    remember(where, window, digests)
    for day in window.days():
        if day not in window_of(context):
            for spec in context.assets_def.specs:
                if spec.partitions_def:
                    context.log_event(dg.AssetMaterialization(spec.key, partition=day.isoformat()))


@dbt_assets(
    manifest=PROJECT.manifest_path, project=PROJECT, select="tag:whole", exclude=CODE_TESTS, name="marts_whole",
    backfill_policy=ONE_RUN, pool=POOL, dagster_dbt_translator=Translator(),
)
def marts_whole(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """Dimensions, roll-ups, ceilings and coverage over all days."""
    yield from _build(context, dbt, {})


def _build(context: dg.AssetExecutionContext, dbt: DbtCliResource, variables: Mapping[str, str]) -> Iterator[Any]:
    """Runs `dbt build`; what fails ends the step with one sentence, and dbt's own words stay in the log.

    Raises:
        Failure: says which model or test, and how its message begins.
    """
    where = home()
    landing.ensure_readable(where, all_sources())
    warehouse(where).parent.mkdir(parents=True, exist_ok=True)
    target = where / "scratch" / f"dbt-{uuid4().hex}"
    try:
        # buildable: a test that compares with a model of the other group runs where both sides exist
        build = dbt.cli(
            ["build", "--indirect-selection", "buildable", "--vars", json.dumps(variables)],
            context=context, target_path=target, raise_on_error=False,
        )
        yield from build.stream()
        if not build.is_successful():
            raise dg.Failure(_why(build), allow_retries=False)
    finally:
        shutil.rmtree(target, ignore_errors=True)


def _why(build: DbtCliInvocation) -> str:
    """The first model or test that failed, and the first lines of what the database said about it."""
    try:
        results = build.get_artifact("run_results.json")["results"]
    except (OSError, ValueError):
        results = []
    failed = [result for result in results if result["status"] in {"error", "fail"}]
    if not failed:
        return f"dbt stopped before it built anything: {short(str(build.get_error() or 'no reason given'))}"
    kind, _, name = failed[0]["unique_id"].split(".")[:3]
    others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"the {kind} {name} failed{others}: {short(failed[0]['message'] or '')}"


def short(message: str) -> str:
    """The lines of a message that say something, at most three, on one line."""
    lines = [_COLOUR.sub("", line).strip() for line in message.splitlines()]
    return "; ".join([line for line in lines if line and not line.startswith("compiled code at")][:3])[:400].rstrip(".")
