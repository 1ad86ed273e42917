"""AI that runs on the organisation's own devices: a declared fleet, by type and site, as an estimate of each day.

Small and local is still in the total. What a device takes beside its AI does not belong here: `active_w` is what
running the model adds, and what it was before stays in the office's electricity.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pipelines.errors import Finding, SourceError
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._small_files import MEND, OPTIONS, records
from pipelines.units import noun
from pipelines.userfiles import Refusals
from pipelines.window import Window

NAME = "devices"
LARGEST_W = Decimal(10_000)
WATTS = ("active_w_low", "active_w", "active_w_high")
FLEET = (
    Column("device_type", "VARCHAR", "Type of device; devices of one type take the same power.", required=True),
    Column("site_id", "VARCHAR", "Site where they are used, as jevons.toml names it.", required=True),
    Column("workflow_id", "VARCHAR", "Workflow that runs on them; null = not one alone."),
    Column("device_count", "BIGINT", "How many.", required=True, minimum=1),
    Column("active_hours", "DECIMAL(9,3)", "Hours a day in which one of them runs a model.", required=True, minimum=0,
           additive=False),
    Column("active_w_low", "DECIMAL(9,3)", "Low end of active_w.", required=True, minimum=0, additive=False),
    Column("active_w", "DECIMAL(9,3)", "What running the model adds to its power, in W.", required=True, minimum=0,
           additive=False),
    Column("active_w_high", "DECIMAL(9,3)", "High end of active_w.", required=True, minimum=0, additive=False),
    Column("evidence", "VARCHAR", "Where the figures come from.", required=True),
)
PERIOD = (
    Column("valid_from", "DATE", "First day on which it is so.", required=True),
    Column("valid_to", "DATE", "First day on which it is no more so; null = it still is."),
)


def rule(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is wrong with a record as a whole, or None."""
    low, central, high = (record[name] for name in WATTS)
    if not 0 < low <= central <= high <= LARGEST_W:
        return "active_w", f"low, value and high are not in order between 0 and {LARGEST_W} W"
    if record["active_hours"] > 24:
        return "active_hours", "a day has 24"
    if record["valid_to"] and record["valid_to"] <= record["valid_from"]:
        return "valid_to", "it is the first day after, and not after valid_from"
    if record["device_count"] > 10**8:
        return "device_count", "so many devices are a mistake"
    return None


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """The fleet on each day of the window; one refused row holds all days back, for each is a part of every total."""
    fleet, findings = _fleet(context)
    yield Page([
        {"usage_date": day, **{name: value for name, value in row.items() if not name.startswith("valid_")}}
        for day in window.days() for row in fleet
        if row["valid_from"] <= day and (row["valid_to"] is None or day < row["valid_to"])
    ], context.options(NAME)["path"], findings=findings)


def check(context: Context) -> str:
    """Reads the files as a run would.

    Raises:
        SourceError: a row is refused; names the first.
    """
    fleet, findings = _fleet(context)
    if findings:
        raise SourceError(f"{len(findings)} {noun(len(findings), 'row is', 'rows are')} refused", findings[0].where,
                          findings[0].rule, findings[0].fix)
    return f"{len(fleet)} {noun(len(fleet), 'row')} of devices in {context.options(NAME)['path']} can be read."


def _fleet(context: Context) -> tuple[list[dict[str, Any]], tuple[Finding, ...]]:
    refusals, fleet = Refusals(), []
    controls = {site.site_id: site.control for site in context.settings.sites}
    for row, record in records(context, NAME, (*FLEET, *PERIOD), refusals, rule):
        site = record["site_id"]
        if controls.get(site) is None:
            why = "its control is not said" if site in controls else "it is not declared"
            refusals.add(f"{row.where}, field site_id", f"[sites.{site}]: {why}, and it tells whose electricity it is",
                         f'declare it with control = "own" or "leased"; then {MEND}', None)
        elif (other := _contradicts(record, fleet)) is not None:
            refusals.add(f"{row.where}, field {other}", "another row of that type, site and time says otherwise", MEND,
                         None)
        else:
            fleet.append(record)
    return fleet, refusals.all()


def _contradicts(record: Mapping[str, Any], fleet: Sequence[Mapping[str, Any]]) -> str | None:
    """The column in which a record contradicts an earlier one of the same type, site and time; None where none."""
    for other in fleet:
        if (other["device_type"], other["site_id"]) != (record["device_type"], record["site_id"]) \
                or (other["valid_to"] and other["valid_to"] <= record["valid_from"]) \
                or (record["valid_to"] and record["valid_to"] <= other["valid_from"]):
            continue
        if other["workflow_id"] == record["workflow_id"]:
            return "workflow_id"
        if any(other[name] != record[name] for name in WATTS):
            return "active_w"
    return None


SOURCE = Source(
    name=NAME,
    description="Models that run on laptops, phones and machines at the edge, as the organisation declares them.",
    options=OPTIONS,
    check=check,
    tables=(
        Table(
            "fleet", (Column("usage_date", "DATE", "UTC day.", required=True), *FLEET),
            ("usage_date", "device_type", "site_id", "workflow_id"), fetch,
            "One row per day, type of device, site and workflow.", lambda row: row["usage_date"],
        ),
    ),
)
