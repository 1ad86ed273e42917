"""Gate 2 and the published snapshot: what has passed is published whole, under a name of its own.

How a snapshot is written and read belongs to `pipelines.snapshot`.
"""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb

from assets.warehouse import POOL, PROJECT, model_key
from pipelines import snapshot
from pipelines.settings import home, load
from quality.marts import SUITES, inspect


def marts() -> list[str]:
    """The names of the models that are published: everything in the folder of the marts."""
    nodes = json.loads(PROJECT.manifest_path.read_text("utf-8"))["nodes"].values()
    return sorted(n["name"] for n in nodes if n["resource_type"] == "model" and n["fqn"][1] == "marts")


def warehouse(where: Path) -> Path:
    """The DuckDB file that dbt builds."""
    return where / "warehouse" / "jevons.duckdb"


@dg.multi_asset_check(
    name="gate_marts",
    specs=[
        dg.AssetCheckSpec(f"gate_{mart}", asset=model_key(mart), blocking=True,
                          description=f"{len(suite)} rules that no published figure may break.")
        for mart, suite in SUITES.items()
    ],
    pool=POOL,
)
def gate_marts() -> Iterator[dg.AssetCheckResult]:
    """Great Expectations on the finished marts; a broken rule stops the publication and nothing else."""
    for mart, sentences in inspect(warehouse(home())).items():
        yield dg.AssetCheckResult(
            check_name=f"gate_{mart}", asset_key=model_key(mart), passed=not sentences,
            severity=dg.AssetCheckSeverity.ERROR, metadata={"findings": dg.MetadataValue.json(sentences)},
        )


@dg.asset(
    key=dg.AssetKey(["published"]), deps=[model_key(mart) for mart in marts()], pool=POOL, group_name="published",
    kinds={"duckdb", "parquet"}, description="The marts as an immutable, verifiable snapshot that readers open.",
)
def published(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Writes the snapshot and moves the pointer to it."""
    where = home()
    settings = load(where)
    build = snapshot.publish(warehouse(where), where, marts(), {
        "organisation": settings.organisation, "sandbox": settings.sandbox, **_facts(warehouse(where)),
    })
    context.log.info("build %s%s", build.build_id, " (nothing changed)" if build.unchanged else "")
    return dg.MaterializeResult(metadata={
        "build_id": build.build_id, "unchanged": build.unchanged, "path": dg.MetadataValue.path(str(build.path)),
    })


def _facts(path: Path) -> dict[str, object]:
    """What the manifest says beside the tables: the days covered, the factor sets, and what it was made from."""
    with duckdb.connect(str(path), read_only=True) as duck:
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
