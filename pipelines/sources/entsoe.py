"""ENTSO-E: what generated the electricity of a European zone, fuel by fuel, in steps of 15 to 60 minutes.

What each fuel emits, and which hours are whole, is decided in dbt, not here. Curves are of the kind A03: a position
that is left out repeats the one before. What comes over the border is in none of these values; what pumps take is left
out.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree as Tree

from pipelines.errors import SourceError
from pipelines.http import Client, RequestRefused
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources import _grid
from pipelines.sources._entsoe_areas import AREAS
from pipelines.window import Window

NAME = "entsoe"
SECRET = "ENTSOE_SECURITY_TOKEN"
BASE_URL = "https://web-api.tp.entsoe.eu"
PATH = "api"
DAYS_PER_REQUEST = 30  # a year is the publisher's limit; a month keeps an answer small
STEPS = {"PT15M": 15, "PT30M": 30, "PT60M": 60, "PT1H": 60}
WIRE = _grid.Wire("ENTSO-E")
NO_TOKEN = f"no {SECRET} is set, so nothing was asked for"
NO_ZONE = "no site is in a zone of ENTSO-E's, such as FR"
NOTHING = "no matching data found"
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_TOO_MUCH = re.compile(r"exceeds? (the )?(maximum )?allowed", re.IGNORECASE)


class _Plain(Tree.TreeBuilder):
    """Builds a tree of a document without a type, in which entities (files, endless texts) would be declared."""

    def doctype(self, *_: Any) -> None:
        raise ValueError("it declares a document type, which no answer does")


def read_xml(body: bytes) -> Tree.Element:
    """The root of a body of XML.

    Raises:
        ValueError: it is not whole, or declares a document type.
    """
    parser = Tree.XMLParser(target=_Plain())
    try:
        parser.feed(body)
        return parser.close()
    except (Tree.ParseError, LookupError) as error:
        raise ValueError(str(error)) from error


def told_in_xml(body: bytes) -> str | None:
    """The reason of an acknowledgement, in which ENTSO-E says no."""
    texts = [_text(reason, "text") for reason in _all(read_xml(body), "Reason")]
    return next((text for text in texts if text), None)


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """Yields one page for each zone and month; without a token, or without a zone of theirs, an empty one says so."""
    client, zones = _client(context), _zones(context)
    if client is None or not zones:
        yield Page((), PATH, (NO_TOKEN if client is None else f"{NO_ZONE}, so nothing was asked for",))
        return
    for zone in zones:
        for chunk in window.chunks(DAYS_PER_REQUEST):
            yield from _asked(client, zone, chunk)
            context.progress(f"ENTSO-E: {zone}, {chunk}")


def _asked(client: Client, zone: str, chunk: Window) -> Iterator[Page]:
    """The page of a question, or those of its halves where one is too much at once."""
    params = [
        ("documentType", "A75"), ("processType", "A16"), ("in_Domain", AREAS[zone]),
        ("periodStart", f"{chunk.start_utc:%Y%m%d%H%M}"), ("periodEnd", f"{chunk.end_utc:%Y%m%d%H%M}"),
    ]
    where = client.describe(PATH, params)
    try:
        root = client.get(PATH, params)
        refused = (told_in_xml(Tree.tostring(root)) or "it says nothing") if _name(root).startswith("Ack") else None
    except RequestRefused as error:
        if error.status != 400:
            raise
        refused = error.said
        if NOTHING not in refused.lower() and not _TOO_MUCH.search(refused):
            raise
    if refused is None:
        yield Page(*read(root, zone, chunk, where))
    elif NOTHING in refused.lower():
        yield Page((), where, (f"{zone}, {chunk}: ENTSO-E has no data",))
    elif _TOO_MUCH.search(refused) and chunk.end - chunk.first > timedelta(days=1):
        for half in chunk.chunks((chunk.end - chunk.first).days // 2):
            yield from _asked(client, zone, half)
    else:
        raise SourceError("ENTSO-E refused the request", where, client.redacted(refused)[:200], WIRE.again)


def read(root: Tree.Element, zone: str, chunk: Window, where: str) -> tuple[list[dict[str, Any]], str, tuple[str, ...]]:
    """The values of one document, the request and what was missing.

    Raises:
        SourceError: the document is of another shape, or holds a value that was not asked for.
    """
    if _name(root) != "GL_MarketDocument":
        raise WIRE.misshapen(where, f"it is a {_name(root)[:40]}")
    rows: list[dict[str, Any]] = []
    for number, series in enumerate(_all(root, "TimeSeries"), start=1):
        place = f"{where}, series {number}"
        if _text(series, "outBiddingZone_Domain.mRID"):
            continue  # what the pumps of a store take, under the code of what they give
        area = _text(series, "inBiddingZone_Domain.mRID")
        if area not in (None, AREAS[zone]):
            raise SourceError("ENTSO-E answered for another zone", place, f"{AREAS[zone]} was asked for and "
                              f"{area[:40]} came", WIRE.again)
        if _text(series, "quantity_Measure_Unit.name") not in (None, "MAW"):
            raise WIRE.misshapen(place, "its unit is not MAW")
        fuel = _text(series, "MktPSRType", "psrType")
        if not fuel:
            raise WIRE.misshapen(place, "it has no psrType")
        if _text(series, "curveType") not in (None, "A01", "A03"):
            raise WIRE.misshapen(place, "its curve is neither A01 nor A03")
        for period in _all(series, "Period"):
            for at, minutes, value in _points(period, chunk, place):
                rows.append({"zone": zone, "start_utc": at, "fuel_code": fuel, "period_minutes": minutes,
                             "generation_mw": value})
    hours = {row["start_utc"].replace(minute=0) for row in rows}
    return rows, where, WIRE.absent(zone, chunk, len(hours), timedelta(hours=1))


def _points(period: Tree.Element, chunk: Window, where: str) -> Iterator[tuple[datetime, int, str]]:
    """Start, minutes and value of each step of a period, those that are left out filled by the one before."""
    start, end = (WIRE.instant(_text(period, "timeInterval", edge), f"{where}, {edge}") for edge in ("start", "end"))
    minutes = STEPS.get(_text(period, "resolution") or "")
    if minutes is None or not start < end:
        raise WIRE.misshapen(where, f"a period is empty, or its steps are none of {', '.join(STEPS)}")
    step = timedelta(minutes=minutes)
    for at in (start, end - step):
        WIRE.inside(at, chunk, step, where)
    told: dict[int, str] = {}
    for point in _all(period, "Point"):
        position, value = _text(point, "position") or "", _text(point, "quantity") or ""
        count = (end - start) // step
        if not re.fullmatch(r"[1-9][0-9]{0,4}", position) or not _NUMBER.fullmatch(value) or int(position) > count:
            raise WIRE.misshapen(where, f"position {position[:20]!r} with {value[:20]!r} is no value of {count} steps")
        if told.setdefault(int(position), value) != value:
            raise WIRE.misshapen(where, f"position {position} has two values")
    if 1 not in told:
        raise WIRE.misshapen(where, "a period has no first value, which those after it may repeat")
    value = told[1]
    for position in range(1, (end - start) // step + 1):
        value = told.get(position, value)
        yield start + (position - 1) * step, minutes, value


def check(context: Context) -> str:
    """Asks for one day of one zone, a fixed one."""
    client, zones = _client(context), _zones(context)
    if client is None:
        return NO_TOKEN[0].upper() + NO_TOKEN[1:] + "."
    if not zones:
        return f"{NO_ZONE[0].upper()}{NO_ZONE[1:]}, so there is nothing to ask for."
    pages = list(_asked(client, zones[0], Window.of_days("2026-01-01", "2026-01-01")))
    fuels = {row["fuel_code"] for page in pages for row in page.rows}
    return f"ENTSO-E answers for {zones[0]} with {len(fuels)} fuels of 2026-01-01."


def _zones(context: Context) -> list[str]:
    return sorted({site.zone for site in context.settings.sites} & set(AREAS))


def _client(context: Context) -> Client | None:
    token = context.settings.secret(SECRET)
    base_url = context.options(NAME).get("base_url", BASE_URL)
    return Client("ENTSO-E", base_url, key_name=SECRET, hidden={"securityToken": token}, reader=read_xml,
                  teller=told_in_xml, form="XML") if token else None


def _name(element: Tree.Element) -> str:
    """The tag without its namespace, which carries the version of the document."""
    return str(element.tag).rpartition("}")[2]


def _all(element: Tree.Element, name: str) -> list[Tree.Element]:
    return [child for child in element if _name(child) == name]


def _text(element: Tree.Element, *path: str) -> str | None:
    """The text of the first descendant by that path, or None."""
    for name in path:
        element = next(iter(_all(element, name)), None)
        if element is None:
            return None
    return (element.text or "").strip() or None


SOURCE = Source(
    name=NAME,
    description="Electricity by fuel of European zones (ENTSO-E Transparency Platform, actual generation per type).",
    secret=SECRET,
    restate_days=7,
    check=check,
    options=("base_url",),
    tables=(
        Table(
            name="generation",
            description="Generation of a zone by fuel, as a mean over each step.",
            key=("zone", "start_utc", "fuel_code"),
            fetch=fetch,
            day_of=lambda row: row["start_utc"].date(),
            silent_days_are_missing=True,
            columns=(
                Column("zone", "VARCHAR", "Grid zone, as Electricity Maps names it.", required=True),
                Column("start_utc", "TIMESTAMP", "Start of the step.", required=True),
                Column("fuel_code", "VARCHAR", "Fuel, as ENTSO-E's psrType. An open list.", required=True),
                Column("period_minutes", "INTEGER", "Length of the step.", required=True, minimum=1),
                Column("generation_mw", "DECIMAL(18,6)", "Mean power over the step.", required=True, additive=False),
            ),
        ),
    ),
)
