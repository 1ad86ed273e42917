"""The Dagster code location: assets, one job from a vendor's page to the published snapshot, a schedule, a sensor.

Orchestration is put together here; nothing is implemented here.
"""

from datetime import date

import dagster as dg

from assets.alert_sensor import alerts
from assets.partitions import MORNING, REBUILD
from assets.publishing import inspected, published
from assets.raw import raw_assets, raw_key
from assets.warehouse import dbt_resource, ledger
from pipelines.settings import Settings, home, load
from pipelines.sources import all_sources, enabled_sources
from pipelines.window import DAY

JOB, ANEW = "materialize", "rebuild"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

_ASSETS = [*raw_assets(), ledger, inspected, published]

materialize = dg.define_asset_job(
    JOB, selection=dg.AssetSelection.all(), description="From the vendors' pages to the published snapshot.",
    # one after the other is what the pools allow anyway, and a process of its own would cost each step some seconds
    executor_def=dg.in_process_executor,
)
_LOCAL = [raw_key(source.name, table.name) for source in all_sources() if source.always for table in source.tables]
rebuild = dg.define_asset_job(
    ANEW, selection=dg.AssetSelection.assets(*_LOCAL, ledger, inspected, published), tags={REBUILD: "true"},
    description="All landed days anew from raw/, in a new warehouse; no vendor is asked. Any day starts it.",
    executor_def=dg.in_process_executor,
)


def in_use(settings: Settings) -> frozenset[dg.AssetKey]:
    """Every asset but the tables of sources that are switched off: a step that does nothing still takes time."""
    on = enabled_sources(settings)
    off = {raw_key(source.name, table.name) for source in all_sources() if source not in on for table in source.tables}
    return frozenset(key for asset in _ASSETS for key in asset.keys if key not in off)


def range_tags(first: date, last: date) -> dict[str, str]:
    """Run tags that make one run of a range of days."""
    return {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}


@dg.schedule(
    job_name=JOB, cron_schedule="30 5 * * *", execution_timezone="UTC", name="daily",
    description="Every morning: yesterday, what some vendor may still restate, and what never arrived.",
)
def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One run whose partition is yesterday; each source decides which earlier days it looks at again."""
    yesterday = (context.scheduled_execution_time.date() - DAY).isoformat()
    return dg.RunRequest(run_key=yesterday, partition_key=yesterday, tags={MORNING: "true"},
                         asset_selection=sorted(in_use(load(home()))))


@dg.definitions
def defs() -> dg.Definitions:
    """Everything that Dagster loads."""
    return dg.Definitions(
        assets=_ASSETS,
        jobs=[materialize, rebuild],
        schedules=[daily],
        sensors=[alerts],
        resources={"dbt": dbt_resource()},
    )
