"""The Dagster code location: every asset, one job from a vendor's page to the published snapshot, one schedule.

Orchestration is put together here; nothing is implemented here.
"""

from datetime import date, timedelta

import dagster as dg

from assets.partitions import DAILY
from assets.publishing import inspected, published
from assets.raw import raw_assets
from assets.warehouse import dbt_resource, ledger_days, marts_whole
from pipelines.sources import all_sources

JOB = "materialize"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

materialize = dg.define_asset_job(
    JOB, selection=dg.AssetSelection.all(), description="From the vendors' pages to the published snapshot.",
)


def range_tags(first: date, last: date) -> dict[str, str]:
    """Run tags that make one run of a range of days."""
    return {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}


@dg.schedule(
    job_name=JOB, cron_schedule="30 5 * * *", execution_timezone="UTC", name="daily",
    description="Every morning: yesterday, and the days that some vendor may still restate.",
)
def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One run for yesterday and the longest restatement window, so that a late correction is never missed."""
    yesterday = context.scheduled_execution_time.date() - timedelta(days=1)
    first = max(
        yesterday - timedelta(days=max(source.restate_days for source in all_sources())),
        DAILY.start.date(),
    )
    return dg.RunRequest(run_key=yesterday.isoformat(), tags=range_tags(first, yesterday))


@dg.definitions
def defs() -> dg.Definitions:
    """Everything that Dagster loads."""
    return dg.Definitions(
        assets=[*raw_assets(), ledger_days, marts_whole, inspected, published],
        jobs=[materialize],
        schedules=[daily],
        resources={"dbt": dbt_resource()},
    )
