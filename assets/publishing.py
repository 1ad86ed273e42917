"""Gate 2 and the published snapshot: what has passed is published whole, under a name of its own.

How a snapshot is written and read belongs to `pipelines.snapshot`.
"""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from assets.built import warehouse
from assets.partitions import ONE_RUN
from assets.warehouse import POOL, PROJECT, model_key
from pipelines import engine, snapshot
from pipelines.gate.writing import beside
from pipelines.settings import home, load
from quality import promises
from quality.marts import SUITES, inspect

INSPECTED = dg.AssetKey(["inspected"])
PROMISES = "promises"


def _nodes() -> dict[str, Any]:
    """The project's models, seeds and tests, as dbt reads them."""
    return json.loads(PROJECT.manifest_path.read_text("utf-8"))["nodes"]


def marts() -> list[str]:
    """The names of the models that are published: everything in the folder of the marts."""
    return sorted(n["name"] for n in _nodes().values() if n["resource_type"] == "model" and n["fqn"][1] == "marts")


@dg.asset(
    key=INSPECTED, deps=[model_key(mart) for mart in marts()], pool=POOL, group_name="published",
    backfill_policy=ONE_RUN,
    kinds={"greatexpectations"}, description="The finished marts, looked at as a whole before anybody else sees them.",
    check_specs=[
        dg.AssetCheckSpec(f"gate_{mart}", asset=INSPECTED, blocking=True,
                          description=f"{len(suite)} rules that no published figure may break.")
        for mart, suite in SUITES.items()
    ] + [
        dg.AssetCheckSpec(PROMISES, asset=INSPECTED, blocking=True,
                          description="Keys and closed sets of all models, as they declare them for dbt."),
    ],
)
def inspected(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Great Expectations on every mart, and what the models promise; what is broken blocks the publication, and readers
    keep the build before.

    The checks sit on this asset and not on the marts themselves: a blocking check between two models would cut dbt's
    one run into several.
    """
    verdicts = {f"gate_{mart}": found for mart, found in inspect(warehouse(home())).items()}
    verdicts[PROMISES] = promises.inspect(warehouse(home()), home(), _nodes())
    return dg.MaterializeResult(check_results=[
        dg.AssetCheckResult(
            check_name=check, passed=not sentences, severity=dg.AssetCheckSeverity.ERROR,
            metadata={"findings": dg.MetadataValue.json(sentences)},
        )
        for check, sentences in verdicts.items()
    ])


@dg.asset(
    key=dg.AssetKey(["published"]), deps=[INSPECTED], pool=POOL, group_name="published",
    backfill_policy=ONE_RUN,
    kinds={"duckdb", "parquet"}, description="The marts as an immutable, verifiable snapshot that readers open.",
)
def published(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Writes the snapshot with its gate file and moves the pointer to it."""
    where = home()
    settings = load(where)
    facts = _facts(warehouse(where))
    gate = beside(warehouse(where), where, settings.gate, settings.secret("JEVONS_GATE_KEY"), datetime.now(UTC))
    build = snapshot.publish(warehouse(where), where, marts(), {
        "organisation": settings.organisation, "sandbox": settings.sandbox, **facts,
    }, gate)
    context.log.info("build %s%s", build.build_id, " (nothing changed)" if build.unchanged else "")
    tables = json.loads((build.path / "manifest.json").read_text("utf-8"))["tables"]
    return dg.MaterializeResult(metadata={
        "build_id": build.build_id, "unchanged": build.unchanged, "path": dg.MetadataValue.path(str(build.path)),
        "window": f"{facts['data_from']} to {facts['data_to']}",
        "rows": dg.MetadataValue.json({name: table["rows"] for name, table in tables.items()}),
        "sha256": dg.MetadataValue.json({name: table["sha256"] for name, table in tables.items()}),
    })


def _facts(path: Path) -> dict[str, object]:
    """What the manifest says beside the tables: the days covered, the factor sets, and what it was made from."""
    with duckdb.connect(str(path), read_only=True) as duck:
        duck.execute(f"set file_search_path = {engine.text(home())}")  # views name raw files relative to it
        first, last = duck.execute("select min(usage_date), max(usage_date) from fct_footprint_daily").fetchone()
        sets = [row[0] for row in duck.execute(
            "select distinct factor_set from dim_factor join fct_footprint_daily using (factor_id) order by 1"
        ).fetchall()]
        inputs = duck.execute("""
            select sha256(coalesce(string_agg(source || table_name || coalesce(usage_date::varchar, '') || sha256, ','
                order by source, table_name, usage_date), ''))
            from stg_landing__receipts where is_current
        """).fetchone()[0]
    return {
        "data_from": _iso(first), "data_to": _iso(last), "factor_sets": sets, "inputs_sha256": inputs,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
