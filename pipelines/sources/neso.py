"""NESO: how much CO2 each kWh of Great Britain's electricity carried, half-hour by half-hour; no key is needed.

Whether a site's carbon rests on it, and what an hour with one half is worth, is decided in dbt, not here. The operator
tells CO2 of generation alone, with imports and with losses of the network: another boundary than the whole life that
other publishers tell. `actual` is itself an estimate, and is null until it is made; forecasts are not landed.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines.errors import Finding
from pipelines.http import Client
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources import _grid
from pipelines.window import Window

NAME = "neso"
BASE_URL = "https://api.carbonintensity.org.uk"
ZONE = "GB"
DAYS_PER_REQUEST = 14  # the publisher's limit
HALF_HOUR = timedelta(minutes=30)
WIRE = _grid.Wire("NESO")


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """Yields one page for each fourteen days; nothing is asked where no site is in Great Britain."""
    pins = {site.grid_pin for site in context.settings.sites if site.zone == ZONE}
    if not pins:
        yield Page((), "intensity", (f"no site is in the zone {ZONE}, so nothing was asked for",))
        return
    unused = () if NAME in pins else (
        f'no site in {ZONE} has grid_pin = "{NAME}", so these values are kept and no figure rests on them',)
    client = _client(context)
    for chunk in window.chunks(DAYS_PER_REQUEST):
        path = _path(chunk.start_utc, chunk.end_utc)
        page = read(client.get(path), chunk, path)
        context.progress(f"NESO: {chunk}")
        yield Page(page.rows, path, (*page.warnings, *unused), page.findings)


def read(answer: Any, chunk: Window, where: str) -> Page:
    """The half-hours of one answer.

    Raises:
        SourceError: the answer is of another shape, or holds a half-hour that was not asked for.
    """
    rows: list[dict[str, Any]] = []
    findings: list[Finding] = []
    for number, item in enumerate(_items(answer, where), start=1):
        place = f"{where}, row {number}"
        at, end = (WIRE.instant(item.get(edge), f"{place}, field {edge}") for edge in ("from", "to"))
        if end == chunk.start_utc:
            continue  # what ends as the first half-hour begins comes as well, and belongs to the request before
        WIRE.inside(at, chunk, HALF_HOUR, place)
        if end - at != HALF_HOUR:
            raise WIRE.misshapen(place, "it is not half an hour long")
        value = item["intensity"].get("actual")
        if value is not None:
            findings += WIRE.believable(value, f"{place}, field actual", at)
            rows.append({"start_utc": at, "actual_gco2_per_kwh": value})
    told = {row["start_utc"] for row in rows}
    return Page(rows, where, WIRE.absent(ZONE, chunk, len(told), HALF_HOUR), tuple(findings))


def check(context: Context) -> str:
    """Asks for one half-hour of a fixed day."""
    day = Window.of_days("2026-01-01", "2026-01-01")
    path = _path(day.start_utc, day.start_utc + HALF_HOUR)
    rows = read(_client(context).get(path), day, path).rows
    found = f"{len(rows)} half-hour{'' if len(rows) == 1 else 's'}"
    return f"NESO answers with {found} of 2026-01-01 00:00 UTC; it needs no key."


def _client(context: Context) -> Client:
    return Client("NESO", context.options(NAME).get("base_url", BASE_URL))


def _path(start: datetime, end: datetime) -> str:
    return f"intensity/{start:%Y-%m-%dT%H:%MZ}/{end:%Y-%m-%dT%H:%MZ}"


def _items(answer: Any, where: str) -> list[Mapping[str, Any]]:
    items = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and isinstance(item.get("intensity"), dict) for item in items
    ):
        raise WIRE.misshapen(where, "it holds no list `data` of half-hours with an intensity each")
    for item in items:
        value = item["intensity"].get("actual")
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str | None):
            raise WIRE.misshapen(where, "an intensity is not a number")
    return items


SOURCE = Source(
    name=NAME,
    description="CO2 of Great Britain's electricity by half-hour, as the system operator estimates it (NESO).",
    restate_days=3,
    check=check,
    options=("base_url",),
    tables=(
        Table(
            name="intensity",
            description="CO2 per kWh of electricity consumed in Great Britain, per half-hour.",
            key=("start_utc",),
            fetch=fetch,
            day_of=lambda row: row["start_utc"].date(),
            silent_days_are_missing=True,
            columns=(
                Column("start_utc", "TIMESTAMP", "Start of the half-hour.", required=True),
                Column("actual_gco2_per_kwh", "DECIMAL(12,6)", "CO2 of generation and imports per kWh, as estimated "
                       "after the half-hour.", True, minimum=0, additive=False),
            ),
        ),
    ),
)
