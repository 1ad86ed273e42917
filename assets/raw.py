"""One Dagster asset per table of a source, all made by one factory: fetch, gate, commit.

How a vendor is asked belongs to its source; how files are written belongs to landing.

What an event says: a materialisation of a day says that the day was asked for and dealt with; its metadata and the
gate beside it say what came, what was held back and what was missing. The schedule's run has one partition, yesterday.
The earlier days that it reads again get an event of their own only where the day is new or its records changed.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from assets.partitions import DAILY, INTERACTIVE, ONE_RUN, is_morning, stretches, window_of
from pipelines import landing
from pipelines.errors import JevonsError, SourceError
from pipelines.http import Unreachable
from pipelines.settings import home, load
from pipelines.source import Context, Source, Table
from pipelines.sources import all_sources
from pipelines.window import DAY, Window
from quality.landing import inspect, rules

GATE = "gate"
PATIENCE_SECONDS = 300
TRIES = 2
LATE_DAYS = 7
SHOWN = 20


def raw_key(source: str, table: str) -> dg.AssetKey:
    """Asset key = path under JEVONS_HOME."""
    return dg.AssetKey(["raw", source, table])


def raw_assets() -> list[dg.AssetsDefinition]:
    """An asset for every table of every source, switched on or not: settings may change without a restart."""
    return [_raw_asset(source, table) for source in all_sources() for table in source.tables]


def windows_of_the_morning(source: Source, table: Table, yesterday: Window, where: Path) -> list[Window]:
    """The days that a scheduled run asks a source for.

    Yesterday, the days that this source may still restate, and the days of the past week or so that never arrived:
    a vendor that was out of reach, a file that came late, a batch that was refused and has been mended since.
    """
    look_back = max(LATE_DAYS, source.restate_days)
    days = Window(max(yesterday.first - look_back * DAY, DAILY.start.date()), yesterday.end).days()
    return list(stretches(
        day for day in days
        if day >= yesterday.first - source.restate_days * DAY
        or not (landing.folder(where, source, table, day) / landing.RECEIPT).exists()
    ))


def _raw_asset(source: Source, table: Table) -> dg.AssetsDefinition:
    key = raw_key(source.name, table.name)

    @dg.asset(
        key=key,
        deps=_before(source, table),
        partitions_def=DAILY if table.daily else None,
        backfill_policy=ONE_RUN,
        group_name=source.name,
        pool=f"source_{source.name}",
        kinds={"python", "parquet"},
        description=f"{source.description} {table.description}",
        check_specs=[dg.AssetCheckSpec(
            GATE, asset=key, blocking=True, description=f"{len(rules(table))} rules of the columns; whole days only.",
        )],
        # the HTTP client retries a vendor by itself; this is for a machine that stumbles
        retry_policy=dg.RetryPolicy(max_retries=TRIES, delay=5, backoff=dg.Backoff.EXPONENTIAL),
    )
    def raw(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        try:
            return _land(context, source, table)
        except SourceError as error:
            patient = INTERACTIVE not in context.run.tags and context.retry_number < TRIES
            if isinstance(error, Unreachable) and patient:
                raise dg.RetryRequested(max_retries=TRIES, seconds_to_wait=PATIENCE_SECONDS) from error
            # other sources go on: their figures are true without this one, and coverage says what is missing
            context.log.error(str(error))
            return _result({"landed": False, "error": str(error)}, passed=False)
        except JevonsError as error:
            raise dg.Failure(str(error), allow_retries=False) from error

    return raw


def _before(source: Source, table: Table) -> list[dg.AssetKey]:
    """The ledger's own receipts are read when all other tables are in, and its other tables after them."""
    if source.name != "landing":
        return []
    if table.name != "receipts":  # Dagster looks each of these up at each step: naming all of them once is enough
        return [raw_key(source.name, "receipts")]
    return [raw_key(other.name, each.name) for other in all_sources() if other != source for each in other.tables]


def _land(context: dg.AssetExecutionContext, source: Source, table: Table) -> dg.MaterializeResult:
    settings = load(home())
    if not (source.always or settings.enabled(source.name)):
        return _result({"landed": False, "switched_on": False}, passed=True)
    now = datetime.now(UTC)
    if not table.daily:
        windows = [Window.of_days(now.date(), now.date())]
    elif is_morning(context):
        windows = windows_of_the_morning(source, table, window_of(context), settings.home)
    else:
        windows = [window_of(context)]
    everything = landing.Landed([], [], [], [], [])
    warnings: list[str] = []
    for window in windows:
        with landing.scratch(settings.home) as scratch:
            staged = landing.stage(source, table, Context(settings, scratch, context.log.info), window)
            findings = inspect(table, landing.unseen(staged, settings.home), scratch)
            landed = landing.commit(staged, findings, settings.home, now)
        warnings += staged.warnings
        for field in ("receipts", "changed", "quarantined", "missing", "findings"):
            getattr(everything, field).extend(getattr(landed, field))
    if is_morning(context) and table.daily:
        for event in _of_earlier_days(context.asset_key, everything, window_of(context)):
            context.log_event(event)
    return _told(context, table, everything, windows, warnings)


def _of_earlier_days(key: dg.AssetKey, landed: landing.Landed, run: Window) -> Iterator[dg.AssetMaterialization]:
    """An event for each day before the run's own that is new or has changed."""
    for receipt in landed.receipts:
        day = date.fromisoformat(receipt.day)
        if day in landed.changed and day not in run:
            yield dg.AssetMaterialization(
                key, partition=receipt.day,
                metadata={"landed": True, "window": receipt.day, "rows": receipt.rows, "version": receipt.version,
                          "sha256": dg.MetadataValue.json({receipt.day: receipt.sha256})},
            )


def _told(
    context: dg.AssetExecutionContext, table: Table, landed: landing.Landed, windows: list[Window], warnings: list[str]
) -> dg.MaterializeResult:
    """The metadata that a reader of the materialisation needs, and the verdict of the gate."""
    refused = [finding.sentence() for finding in landed.findings]
    for sentence in refused[:SHOWN]:
        context.log.warning(sentence)
    hashes = {receipt.day or "whole": receipt.sha256 for receipt in landed.receipts}
    return _result(
        {
            "landed": True,
            "window": ", ".join(map(str, windows)) if table.daily else "whole table",
            "rows": sum(receipt.rows for receipt in landed.receipts),
            "days": len(landed.receipts),
            "days_changed": len(landed.changed),
            "days_quarantined": dg.MetadataValue.json([str(day or "whole table") for day in landed.quarantined]),
            "days_missing": dg.MetadataValue.json([day.isoformat() for day in landed.missing]),
            "duplicates_counted_once": sum(receipt.duplicates for receipt in landed.receipts),
            "sha256": dg.MetadataValue.json(dict(list(hashes.items())[-SHOWN:])),
            "sha256_of_all": hashlib.sha256(repr(sorted(hashes.items())).encode()).hexdigest(),
            "warnings": dg.MetadataValue.json(warnings[:SHOWN]),
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
