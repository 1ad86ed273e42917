"""One Dagster asset per table of a source, all made by one factory: fetch, gate, commit.

How a vendor is asked belongs to its source; how files are written belongs to landing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from assets.partitions import DAILY, window_of
from pipelines import landing
from pipelines.errors import JevonsError, SourceError
from pipelines.http import Unreachable
from pipelines.settings import home, load
from pipelines.source import Context, Source, Table
from pipelines.sources import all_sources
from pipelines.window import Window
from quality.landing import inspect, rules

GATE = "gate"
INTERACTIVE = "jevons/interactive"  # run tag: somebody waits at a terminal, so do not sit out a vendor's outage
PATIENCE_SECONDS = 300
SHOWN = 20


def raw_key(source: str, table: str) -> dg.AssetKey:
    """Asset key = path under JEVONS_HOME."""
    return dg.AssetKey(["raw", source, table])


def raw_assets() -> list[dg.AssetsDefinition]:
    """An asset for every table of every source, switched on or not: settings may change without a restart."""
    return [_raw_asset(source, table) for source in all_sources() for table in source.tables]


def _raw_asset(source: Source, table: Table) -> dg.AssetsDefinition:
    key = raw_key(source.name, table.name)
    # the ledger's own receipts are read when all others are in
    upstream = [] if source.name != "landing" else [
        raw_key(other.name, each.name) for other in all_sources() if other.name != "landing" for each in other.tables
    ]

    @dg.asset(
        key=key,
        deps=upstream,
        partitions_def=DAILY if table.daily else None,
        backfill_policy=dg.BackfillPolicy.single_run() if table.daily else None,
        group_name=source.name,
        pool=f"source_{source.name}",
        kinds={"python", "parquet"},
        description=f"{source.description} {table.description}",
        check_specs=[dg.AssetCheckSpec(
            GATE, asset=key, blocking=True, description=f"{len(rules(table))} rules of the columns, and whole days only.",
        )],
        # the HTTP client retries a vendor by itself; this is for a machine that stumbles
        retry_policy=dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL),
    )
    def raw(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        window = window_of(context) if table.daily else Window.of_days(datetime.now(UTC).date(), datetime.now(UTC).date())
        try:
            return _land(context, source, table, window)
        except SourceError as error:
            if isinstance(error, Unreachable) and INTERACTIVE not in context.run.tags and context.retry_number < 2:
                raise dg.RetryRequested(max_retries=2, seconds_to_wait=PATIENCE_SECONDS) from error
            # other sources go on: their figures are true without this one, and coverage says what is missing
            context.log.error(str(error))
            return _result({"landed": False, "error": str(error)}, passed=False)
        except JevonsError as error:
            raise dg.Failure(str(error), allow_retries=False) from error

    return raw


def _land(context: dg.AssetExecutionContext, source: Source, table: Table, window: Window) -> dg.MaterializeResult:
    settings = load(home())
    if not (source.always or settings.enabled(source.name)):
        return _result({"landed": False, "switched_on": False}, passed=True)
    with landing.scratch(settings.home) as scratch:
        staged = landing.stage(source, table, Context(settings, scratch, context.log.info), window)
        findings = inspect(table, staged.files, scratch)
        landed = landing.commit(staged, findings, settings.home, datetime.now(UTC))
    refused = [finding.sentence() for finding in landed.findings]
    for sentence in refused[:SHOWN]:
        context.log.warning(sentence)
    return _result(
        {
            "landed": True,
            "window": str(window),
            "rows": sum(receipt.rows for receipt in landed.receipts),
            "days": len(landed.receipts),
            "days_changed": len(landed.changed),
            "days_quarantined": dg.MetadataValue.json([str(day or "whole table") for day in landed.quarantined]),
            "days_missing": dg.MetadataValue.json([day.isoformat() for day in landed.missing]),
            "duplicates_counted_once": sum(receipt.duplicates for receipt in landed.receipts),
            "sha256": dg.MetadataValue.json({
                receipt.day or "whole": receipt.sha256 for receipt in landed.receipts[-SHOWN:]
            }),
            "warnings": dg.MetadataValue.json(staged.warnings[:SHOWN]),
            "findings": dg.MetadataValue.json(refused[:SHOWN]),
        },
        passed=not refused and not landed.quarantined,
    )


def _result(metadata: Mapping[str, Any], passed: bool) -> dg.MaterializeResult:
    """A failed gate warns rather than errors: what was refused is already held back, and the good days go on."""
    return dg.MaterializeResult(
        metadata=dict(metadata),
        check_results=[dg.AssetCheckResult(
            check_name=GATE, passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=dict(metadata),
        )],
    )
