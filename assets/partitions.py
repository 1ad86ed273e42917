"""The days of the ledger as Dagster partitions, and which of them a morning's run looks at again.

Which days a source may still restate belongs to the source.
"""

import os
from collections.abc import Iterable, Iterator
from datetime import date

import dagster as dg

from pipelines.window import DAY, Window

FIRST_DAY = os.environ.get("JEVONS_FIRST_DAY") or "2023-01-01"
DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC")
ONE_RUN = dg.BackfillPolicy.single_run()
"""Of every asset, those without days too: only then does one run take a range through the whole job."""
MORNING = "jevons/morning"
"""Run tag of the schedule: the run's partition is yesterday, and earlier days are looked at where that is due."""
INTERACTIVE = "jevons/interactive"
"""Run tag of a terminal: somebody waits, so a vendor's outage is not sat out."""
REBUILD = "jevons/rebuild"
"""Run tag of the job `rebuild`: all landed days are made anew in a new warehouse, whichever days the run names."""


def window_of(context: dg.AssetExecutionContext) -> Window:
    """The days of this run: one partition, or the range of a backfill."""
    keys = context.partition_key_range
    return Window.of_days(keys.start, keys.end)


def is_morning(context: dg.AssetExecutionContext) -> bool:
    """Whether the schedule started this run; a range that a person asks for is done as asked, no more and no less."""
    return MORNING in context.run.tags


def is_rebuild(context: dg.AssetExecutionContext) -> bool:
    """Whether all landed days are to be made anew."""
    return REBUILD in context.run.tags


def stretches(days: Iterable[date]) -> Iterator[Window]:
    """The days as the fewest windows that hold these days and no others, in order."""
    first = last = None
    for day in sorted(set(days)):
        if last is not None and day == last + DAY:
            last = day
            continue
        if first is not None:
            yield Window.of_days(first, last)
        first = last = day
    if first is not None:
        yield Window.of_days(first, last)
