"""Hourly intensities of electricity from the organisation's own files, with whoever published them.

Whether an hour's whole or its direct part is taken is decided in dbt, not here. The table is replaced as a whole: one
refused row holds it back, and the one before stays.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._grid import HIGHEST_GCO2E_PER_KWH
from pipelines.sources._small_files import OPTIONS, checked, records
from pipelines.userfiles import Refusals
from pipelines.window import Window

NAME = "grid_file"
BOUNDARIES = ("lifecycle", "direct")
COLUMNS = (
    Column("zone", "VARCHAR", "Grid zone, as sites name it.", required=True),
    Column("hour_utc", "TIMESTAMP", "Start of the hour, with its time zone.", required=True),
    Column("gco2e_per_kwh", "DECIMAL(12,6)", "Carbon intensity of the hour.", required=True, minimum=0, additive=False),
    Column("grid_boundary", "VARCHAR", "lifecycle: with plants and fuel chain; direct: generation alone.", True,
           allowed=BOUNDARIES),
    Column("publisher", "VARCHAR", "Who published it.", required=True),
    Column("is_estimated", "BOOLEAN", "Whether it is an estimate and not a measured mix; null = it is."),
)


def broken(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """The rule that a whole record breaks, with its column."""
    at = record["hour_utc"]
    if (at.minute, at.second, at.microsecond) != (0, 0, 0):
        return "hour_utc", f"{at:%Y-%m-%dT%H:%M:%SZ} is not the start of an hour"
    if record["gco2e_per_kwh"] > HIGHEST_GCO2E_PER_KWH:
        return "gco2e_per_kwh", f"{record['gco2e_per_kwh']} is above {HIGHEST_GCO2E_PER_KWH}, which no grid reaches"
    if "/" in record["publisher"] or record["publisher"] == NAME:
        return "publisher", "it holds a slash, which parts a factor's name, or is no publisher"
    return None


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """Yields all records of all files, and says which zones are no site's."""
    refusals = Refusals()
    rows = [record for _, record in records(context, NAME, COLUMNS, refusals, broken)]
    strange = sorted({row["zone"] for row in rows} - {site.zone for site in context.settings.sites})
    warnings = tuple(f"no site is in the zone {zone}, of which the file tells" for zone in strange)
    yield Page(rows, context.options(NAME)["path"], warnings, refusals.all())


SOURCE = Source(
    name=NAME,
    description="Hourly carbon intensity of grid zones that the organisation has from elsewhere.",
    options=OPTIONS,
    check=checked(NAME, COLUMNS, broken),
    tables=(
        Table("intensity", COLUMNS, ("zone", "hour_utc", "grid_boundary"), fetch,
              "One row per grid zone, hour and boundary.", daily=False),
    ),
)
