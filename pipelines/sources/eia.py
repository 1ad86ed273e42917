"""EIA: what generated the electricity of a balancing authority of the United States, hour by hour and fuel by fuel.

What each fuel emits, and how much of unknown fuel leaves an hour unknown, is decided in dbt, not here. What comes over
the border of a balancing authority is in none of these values. `period` is taken for the end of its hour, as EIA's own
files name it; UNVERIFIED for this interface, so that `period_is = "start"` says otherwise.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.errors import SettingError, SourceError
from pipelines.http import Client
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources import _grid
from pipelines.window import Window

NAME = "eia"
SECRET = "EIA_API_KEY"
BASE_URL = "https://api.eia.gov/v2"
PATH = "electricity/rto/fuel-type-data/data/"
ROWS_PER_REQUEST = 5000  # the publisher's limit
DAYS_PER_QUESTION = 31
HOUR = timedelta(hours=1)
WIRE = _grid.Wire("EIA")
NO_KEY = f"no {SECRET} is set, so nothing was asked for"
NO_ZONE = "no site is in a zone of EIA's, such as US-MIDA-PJM"
# Electricity Maps names these zones by their region and the code of the balancing authority, which is EIA's
_ZONE = re.compile(r"US-[A-Z]+-([A-Z]+)")
_PERIOD = re.compile(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")

Params = list[tuple[str, str]]


def respondent(zone: str) -> str | None:
    """EIA's code of the balancing authority of a grid zone, or None where the zone is none."""
    found = _ZONE.fullmatch(zone)
    return found[1] if found else None


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """Yields the pages of each zone and month; without a key, or without a zone of EIA's, an empty one that says so."""
    zones = _zones(context)
    client = _client(context)
    if client is None or not zones:
        yield Page((), PATH, (NO_KEY if client is None else f"{NO_ZONE}, so nothing was asked for",))
        return
    ending = _ending(context)
    for zone in zones:
        for chunk in window.chunks(DAYS_PER_QUESTION):
            yield from _pages(client, zone, chunk, ending)
            context.progress(f"EIA: {zone}, {chunk}")


def _pages(client: Client, zone: str, chunk: Window, ending: bool) -> Iterator[Page]:
    """The pages of one question, until as many different rows came as EIA says that there are."""
    asked, seen = question(zone, chunk, ending), set()
    hours: set[datetime] = set()
    while True:
        params: Params = [*asked, ("offset", str(len(seen))), ("length", str(ROWS_PER_REQUEST))]
        where, before = client.describe(PATH, params), len(seen)
        total, rows = read(client.get(PATH, params), zone, chunk, where, ending)
        seen |= {(row["hour_utc"], row["fuel_code"]) for row in rows}
        hours |= {row["hour_utc"] for row in rows}
        last = len(seen) >= total
        yield Page(rows, where, WIRE.absent(zone, chunk, len(hours), HOUR) if last else ())
        if last and len(seen) == total:
            return
        if last or len(seen) == before:
            raise SourceError(
                "EIA's pages do not add up", where, f"it says that there are {total} rows, and {len(seen)} came",
                WIRE.again,
            )


def question(zone: str, chunk: Window, ending: bool) -> Params:
    """The parameters of all pages; both ends are included."""
    late = HOUR if ending else timedelta(0)
    first, last = chunk.start_utc + late, chunk.end_utc - HOUR + late
    return [
        ("frequency", "hourly"), ("data[0]", "value"), ("facets[respondent][]", str(respondent(zone))),
        ("start", f"{first:%Y-%m-%dT%H}"), ("end", f"{last:%Y-%m-%dT%H}"),
        ("sort[0][column]", "period"), ("sort[0][direction]", "asc"), ("sort[1][column]", "fueltype"),
        ("sort[1][direction]", "asc"),
    ]


def read(answer: Any, zone: str, chunk: Window, where: str, ending: bool) -> tuple[int, list[dict[str, Any]]]:
    """How many rows there are in all, and those of this answer.

    Raises:
        SourceError: the answer is of another shape, or about something that was not asked for.
    """
    body = answer.get("response") if isinstance(answer, dict) else None
    total = str(body.get("total")) if isinstance(body, dict) else ""
    items = body.get("data") if isinstance(body, dict) else None
    if not re.fullmatch(r"[0-9]{1,9}", total) or not isinstance(items, list):
        raise WIRE.misshapen(where, "it holds no total and no list of data")
    rows = []
    for number, item in enumerate(items, start=1):
        place = f"{where}, row {number}"
        if not isinstance(item, Mapping) or not isinstance(item.get("fueltype"), str):
            raise WIRE.misshapen(place, "it is no record with a fueltype")
        if item.get("respondent") != respondent(zone):
            raise SourceError(
                "EIA answered for another balancing authority", place,
                f"{respondent(zone)} was asked for and {str(item.get('respondent'))[:40]} came", WIRE.again,
            )
        if item.get("value-units") != "megawatthours":
            raise WIRE.misshapen(place, f"its unit is {str(item.get('value-units'))[:40]}, not megawatthours")
        value = item.get("value")
        if "value" not in item or not (value is None or _NUMBER.fullmatch(str(value))):
            raise WIRE.misshapen(place, f"its value {str(value)[:40]!r} is no number")
        at = _hour(item.get("period"), place) - (HOUR if ending else timedelta(0))
        WIRE.inside(at, chunk, HOUR, place)
        rows.append({"zone": zone, "hour_utc": at, "fuel_code": item["fueltype"], "net_generation_mwh": value})
    return int(total), rows


def _hour(text: Any, where: str) -> datetime:
    try:
        if isinstance(text, str) and _PERIOD.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise WIRE.misshapen(where, f"its period {str(text)[:40]!r} is no hour such as 2026-06-01T00")


def check(context: Context) -> str:
    """Asks for one day of one zone, a fixed one."""
    client, zones = _client(context), _zones(context)
    if client is None:
        return NO_KEY[0].upper() + NO_KEY[1:] + "."
    if not zones:
        return f"{NO_ZONE[0].upper()}{NO_ZONE[1:]}, so there is nothing to ask for."
    day = Window.of_days("2026-01-01", "2026-01-01")
    rows = [row for page in _pages(client, zones[0], day, _ending(context)) for row in page.rows]
    return f"EIA answers for {zones[0]} with {len({row['fuel_code'] for row in rows})} fuels of 2026-01-01."


def _zones(context: Context) -> list[str]:
    return sorted({site.zone for site in context.settings.sites if respondent(site.zone)})


def _client(context: Context) -> Client | None:
    key = context.settings.secret(SECRET)
    base_url = context.options(NAME).get("base_url", BASE_URL)
    return Client("EIA", base_url, key_name=SECRET, hidden={"api_key": key}) if key else None


def _ending(context: Context) -> bool:
    said = context.options(NAME).get("period_is", "end")
    if said not in ("start", "end"):
        raise SettingError(NAME, "period_is", f"it is {str(said)[:40]!r}", 'write "end", or "start"')
    return said == "end"


SOURCE = Source(
    name=NAME,
    description="Electricity by hour and fuel of balancing authorities of the United States (EIA, form 930).",
    secret=SECRET,
    restate_days=7,
    check=check,
    options=("base_url", "period_is"),
    tables=(
        Table(
            name="generation",
            description="Net generation of a balancing authority, per hour and fuel.",
            key=("zone", "hour_utc", "fuel_code"),
            fetch=fetch,
            day_of=lambda row: row["hour_utc"].date(),
            silent_days_are_missing=True,
            columns=(
                Column("zone", "VARCHAR", "Grid zone, as Electricity Maps names it.", required=True),
                Column("hour_utc", "TIMESTAMP", "Start of the hour.", required=True),
                Column("fuel_code", "VARCHAR", "Fuel, as EIA names it. An open list.", required=True),
                Column("net_generation_mwh", "DECIMAL(18,6)", "Generation less own use; null = not told."),
            ),
        ),
    ),
)
