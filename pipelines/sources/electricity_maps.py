"""Electricity Maps: how much carbon each kWh of a grid zone carried, hour by hour.

Which rung of the ladder serves an hour without a value (the yearly mix of the country) is decided in dbt, not here.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from pipelines.declared import SPEND
from pipelines.errors import Finding, SourceError
from pipelines.http import Client, RequestRefused
from pipelines.settings import Settings
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.units import noun
from pipelines.window import Window

log = logging.getLogger(__name__)

NAME = "electricity_maps"
SECRET = "ELECTRICITY_MAPS_TOKEN"
BASE_URL = "https://api.electricitymaps.com/v4"
FALLBACK_URL = "https://api.electricitymaps.com/v3"
PATH = "carbon-intensity/past-range"
DAYS_PER_REQUEST = 10  # the vendor's limit for hourly values
LIFECYCLE, DIRECT = "lifecycle", "direct"  # with plants and fuel chain, or the generation alone
HIGHEST_GCO2E_PER_KWH = 3000  # twice the dirtiest lignite block; above it, the unit or the value is wrong
STEP = Decimal("0.000001")  # the column keeps six decimals; a computed mean may come with more
NO_TOKEN = f"no {SECRET} is set, so no hourly value was asked for: the yearly mix of each site's country is used"
RESEND = "run the same days again; if it stays, report it to Electricity Maps"

# Not every 404 says that the version is gone: one about the zone or its data must reach the reader.
_ABOUT_THE_PATH = re.compile(r"\b(route|endpoint|version|path|url|cannot get|legacy|gone)\b", re.IGNORECASE)
_ABOUT_THE_ZONE = re.compile(r"\b(zones?|zonekey|location|data|datetime|range)\b", re.IGNORECASE)


@dataclass
class Api:
    """The version that answers: v4 until it proves to be unavailable, from then on v3."""

    client: Client
    fallback_url: str | None
    answered: bool = False
    warning: str | None = None

    def past_range(self, params: Sequence[tuple[str, str]]) -> Any:
        """One answer of past-range, from the version that is there."""
        try:
            answer = self.client.get(PATH, params)
        except RequestRefused as refused:
            if self.answered or not self.fallback_url or not version_unavailable(refused):
                raise
            self.warning = f"{self._version()} is unavailable ({refused.status}), read from {self.fallback_url}"
            log.warning("Electricity Maps: %s", self.warning)
            self.client = replace(self.client, base_url=self.fallback_url)
            self.fallback_url = None
            answer = self.client.get(PATH, params)
        self.answered = True
        return answer

    def describe(self, params: Sequence[tuple[str, str]]) -> str:
        """The request with its version, as the receipt keeps it."""
        return f"{self._version()}/{self.client.describe(PATH, params)}"

    def _version(self) -> str:
        return self.client.base_url.rstrip("/").rpartition("/")[2]


def version_unavailable(refused: RequestRefused) -> bool:
    """Whether the refusal means that this version of the API has no such address, rather than no such zone or data."""
    if refused.status == 410:
        return True
    return refused.status == 404 and (
        bool(_ABOUT_THE_PATH.search(refused.said)) or not _ABOUT_THE_ZONE.search(refused.said)
    )


def parameters(zone: str, start: datetime, end: datetime, kind: str = LIFECYCLE) -> list[tuple[str, str]]:
    """The request for the hours from `start` (included) to `end` (excluded).

    Without disableCallerLookup the vendor answers for the place of the machine that asks when it does not know a zone.
    """
    return [
        ("zone", zone), ("start", f"{start:%Y-%m-%dT%H:%M:%SZ}"), ("end", f"{end:%Y-%m-%dT%H:%M:%SZ}"),
        ("temporalGranularity", "hourly"), ("emissionFactorType", kind), ("disableCallerLookup", "true"),
    ]


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """Yields one page per zone and ten days, and a second one where Scope 2 needs the direct part.

    Without a token, it is one empty page that says so.
    """
    zones = sorted({site.zone for site in context.settings.sites})
    api = _api(context)
    if api is None or not zones:
        warning = NO_TOKEN if api is None else "no site is declared in jevons.toml, so there is no zone to ask for"
        yield Page((), PATH, (warning,))
        return
    own = zones_of_own_use(context.settings)
    for zone, kind in sorted([(zone, LIFECYCLE) for zone in zones] + [(zone, DIRECT) for zone in own], key=_order):
        for chunk in window.chunks(DAYS_PER_REQUEST):
            params = parameters(zone, chunk.start_utc, chunk.end_utc, kind)
            try:
                answer = api.past_range(params)
            except RequestRefused as refused:
                if kind == LIFECYCLE:
                    raise
                # the whole-life values of the same hours were given: what the plan leaves out is unknown, not an end
                yield Page((), api.describe(params), (f"{zone}: no direct values, because {refused.why}",))
                break
            page = read(answer, zone, chunk, api.describe(params), kind)
            context.progress(f"Electricity Maps: {zone}, {chunk}, {kind}")
            yield replace(page, warnings=(*page.warnings, api.warning)) if api.warning else page


def _order(asked: tuple[str, str]) -> tuple[str, bool]:
    """A zone's whole life before its direct part: what fails first is what is needed most."""
    return asked[0], asked[1] == DIRECT


def zones_of_own_use(settings: Settings) -> set[str]:
    """Zones with a site whose electricity is Scope 2, the only scope that asks for the direct part alone.

    Who controls a site that does not say so is decided in dbt by the same rule (int_site__named): whose meter it has.
    """
    metered = {table.get("site") for name, table in settings.sources.items() if settings.enabled(name)}
    metered |= {each.site for each in settings.providers if each.energy_from not in (None, SPEND)}
    return {
        site.zone for site in settings.sites
        if site.control == "own" or (site.control is None and site.site_id in metered)
    }


def read(answer: Any, zone: str, chunk: Window, where: str, kind: str = LIFECYCLE) -> Page:
    """The hours of one answer.

    Raises:
        SourceError: nothing in the answer can be trusted: another zone, made-up values, another granularity.
    """
    items = _items(answer, zone, where, kind)
    rows: list[dict[str, Any]] = []
    findings: list[Finding] = []
    hours: set[datetime] = set()
    for number, item in enumerate(items, start=1):
        place = f"{where}, row {number}"
        at, wrong = _hour(item, place, chunk)
        if wrong:
            findings += wrong
            continue
        value = _first(item, "carbonIntensity", "value")
        if value is None:
            continue  # an hour that the vendor lists without a value is as unknown as one that it leaves out
        hours.add(at)
        if isinstance(value, int | Decimal) and value > HIGHEST_GCO2E_PER_KWH:
            findings.append(Finding(
                f"{place}, field carbonIntensity", f"{value} gCO2e/kWh is above {HIGHEST_GCO2E_PER_KWH}, which no grid "
                "reaches", "check the unit with Electricity Maps", at.date().isoformat(),
            ))
        rows.append({
            "zone": zone, "datetime_utc": at, "carbon_intensity_gco2e_per_kwh": _six_decimals(value),
            "emission_factor_type": kind, "flow_traced": item.get("flowTraced"),
            "is_estimated": item.get("isEstimated"), "estimation_method": item.get("estimationMethod"),
            "updated_at_utc": _instant(item.get("updatedAt")) or item.get("updatedAt"),
            "created_at_utc": _instant(item.get("createdAt")) or item.get("createdAt"),
            "temporal_granularity": item.get("temporalGranularity", answer.get("temporalGranularity")),
        })
    expected = sum(1 for _ in chunk.hours())
    absent = expected - len(hours)
    lacking = "value" if kind == LIFECYCLE else "direct value"
    have = noun(absent, "has", "have")
    warnings = (f"{zone}, {chunk}: {absent} of {expected} hours {have} no {lacking}",) if absent > 0 else ()
    return Page(rows, where, warnings, tuple(findings))


def check(context: Context) -> str:
    """Asks for one hour of one zone; a fixed day, so that the same question gives the same answer."""
    api = _api(context)
    if api is None:
        return NO_TOKEN[0].upper() + NO_TOKEN[1:] + "."
    zones = sorted({site.zone for site in context.settings.sites})
    if not zones:
        return "No site is declared in jevons.toml, so there is no zone to ask for."
    day = Window.of_days("2026-01-01", "2026-01-01")
    params = parameters(zones[0], day.start_utc, day.start_utc + timedelta(hours=1))
    answer = api.past_range(params)
    page = read(answer, zones[0], day, api.describe(params))
    found = f"{len(page.rows)} hourly value{'s' if len(page.rows) != 1 else ''}"
    note = f" ({api.warning})" if api.warning else ""
    return f"Electricity Maps answers for {zones[0]} with {found} of 2026-01-01 00:00 UTC{note}."


def _api(context: Context) -> Api | None:
    token = context.settings.secret(SECRET)
    if not token:
        return None
    options = context.options(NAME)
    base_url = options.get("base_url", BASE_URL)
    # A token is sent to no host that nobody named: with an address of one's own, the fallback is one's own as well.
    fallback_url = options.get("fallback_url", FALLBACK_URL if base_url == BASE_URL else None)
    return Api(Client("Electricity Maps", base_url, {"auth-token": token}, SECRET), fallback_url)


def _items(answer: Any, zone: str, where: str, kind: str) -> list[Mapping[str, Any]]:
    """The records of an answer that is about the zone asked, in real hourly values."""
    items = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _refused("has an answer of another shape", where, "it holds no list `data` of records", RESEND)
    if "SANDBOX" in str(answer.get("_disclaimer", "")).upper() or any(
        item.get("estimationMethod") == "SANDBOX_MODE_DATA" or "SANDBOX" in str(item.get("_disclaimer", "")).upper()
        for item in items
    ):
        raise _refused(
            "sent made-up values", where, "the key is a sandbox key, whose values are random",
            f"set {SECRET} to a production key, or unset it to use the yearly mix",
        )
    for told in [answer, *items]:
        named = told.get("zone", answer.get("zone"))
        if named != zone and (told is not answer or named is not None):
            raise _refused(
                "answered for another zone", where, f"{zone} was asked for and {str(named)[:40]} came",
                "correct the zone in [sites] of jevons.toml",
            )
        for field, wanted in (("temporalGranularity", "hourly"), ("emissionFactorType", kind)):
            # what is not said is the vendor's default, which direct values are not: each says so itself
            said = told.get(field, answer.get(field) if wanted == DIRECT and told is not answer else wanted)
            if said != wanted:
                raise _refused(
                    "sent values of another kind", where, f"{field} {wanted} was asked for and {str(said)[:40]} came",
                    RESEND,
                )
    return items


def _hour(item: Mapping[str, Any], place: str, chunk: Window) -> tuple[datetime, list[Finding]]:
    """The hour of a record, or why it is none; an instant without its zone may belong to any day of the request."""
    text = item.get("datetime")
    at = _instant(text)
    if at is None:
        return datetime.min, [
            Finding(
                f"{place}, field datetime", f"{str(text)[:40]!r} is not an instant with a time zone", RESEND,
                day.isoformat(),
            )
            for day in chunk.days()
        ]
    if (at.minute, at.second, at.microsecond) != (0, 0, 0):
        day = at.date() if at.date() in chunk else chunk.first
        return at, [Finding(f"{place}, field datetime", f"{text} is not the start of an hour", RESEND, day.isoformat())]
    if not chunk.start_utc <= at < chunk.end_utc:
        nearest: date = chunk.first if at < chunk.start_utc else chunk.end - timedelta(days=1)
        return at, [
            Finding(f"{place}, field datetime", f"{text} is outside the hours asked for", RESEND, nearest.isoformat())
        ]
    return at, []


def _instant(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
        return at.astimezone(UTC) if at and at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _first(item: Mapping[str, Any], *names: str) -> Any:
    return next((item[name] for name in names if item.get(name) is not None), None)


def _six_decimals(value: Any) -> Any:
    return value.quantize(STEP, ROUND_HALF_EVEN) if isinstance(value, Decimal) and abs(value) < 10**6 else value


def _refused(what: str, where: str, why: str, fix: str) -> SourceError:
    return SourceError(f"Electricity Maps {what}", where, why, fix)


SOURCE = Source(
    name=NAME,
    description="Hourly carbon intensity of the grid zones of the organisation's sites (Electricity Maps).",
    secret=SECRET,
    restate_days=7,
    check=check,
    options=("base_url", "fallback_url"),
    tables=(
        Table(
            name="carbon_intensity",
            description="Flow-traced carbon intensity of the electricity consumed in a zone, per hour and boundary.",
            key=("zone", "datetime_utc", "emission_factor_type"),
            fetch=fetch,
            day_of=lambda row: row["datetime_utc"].date(),
            silent_days_are_missing=True,
            columns=(
                Column("zone", "VARCHAR", "Grid zone as Electricity Maps names it.", required=True),
                Column("datetime_utc", "TIMESTAMP", "Start of the hour.", required=True),
                Column("carbon_intensity_gco2e_per_kwh", "DECIMAL(12,6)", "Carbon intensity.", True, minimum=0,
                       additive=False),
                Column("emission_factor_type", "VARCHAR", "lifecycle: with plants and fuel chain; direct: generation "
                       "alone.", required=True, allowed=(LIFECYCLE, DIRECT)),
                Column("flow_traced", "BOOLEAN", "Whether imports and exports are followed."),
                Column("is_estimated", "BOOLEAN", "Whether the value is an estimate and not a measured mix."),
                Column("estimation_method", "VARCHAR", "How it was estimated; null where measured. An open list."),
                Column("updated_at_utc", "TIMESTAMP", "When the vendor last changed the value."),
                Column("created_at_utc", "TIMESTAMP", "When the vendor first had a value."),
                Column("temporal_granularity", "VARCHAR", "hourly."),
            ),
        ),
    ),
)
