"""The days of the ledger as Dagster partitions.

Which days a source may still restate belongs to the source.
"""

import os

import dagster as dg

from pipelines.window import Window

FIRST_DAY = os.environ.get("JEVONS_FIRST_DAY") or "2025-01-01"
DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC")


def window_of(context: dg.AssetExecutionContext) -> Window:
    """The days of this run: one partition, or the range of a backfill."""
    keys = context.partition_key_range
    return Window.of_days(keys.start, keys.end)
