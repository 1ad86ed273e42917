"""What an organisation declares of its sites, hardware, providers and models: the values, and how each is read.

The file that they stand in, and what it may hold besides, is the business of `settings`.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pipelines import cloud_regions, countries
from pipelines.errors import JevonsError

SIZE_CLASSES = ("S", "M", "L", "XL")
CONTROLS = ("own", "leased", "vendor")  # who decides over what runs at a site: the scope of its electricity
# the words of grid_sources in dbt_project.yml, and the year
GRID_PINS = ("grid_file", "electricity_maps", "eia", "entsoe", "neso", "yearly_mix")
SPEND = "spend"  # energy_from: no tokens are known of this provider, its energy is reckoned from what it was paid


@dataclass(frozen=True)
class Site:
    """A place where electricity is used.

    Attributes:
        zone: Grid zone as Electricity Maps names it.
        country: ISO 3166-1 alpha-3, for the yearly mix where no hourly value is known.
        pue_ratio: Facility over IT energy of own hardware; None where the factor already includes it.
        market_gco2e_per_kwh: Intensity of a supplier's tariff for all that the site uses; None means unknown.
        control: own, leased or vendor; None = own where a meter of ours stands, else vendor.
        market_boundary: Market whose certificates can be used there, a country's as alpha-3; None = the country.
        grid_pin: The one source of its intensities, of GRID_PINS; None = hourly values, else the yearly mix.
        cloud_region: Region of a cloud that it is, as in aws:eu-west-3; calls that a log places there are its own.
    """

    site_id: str
    zone: str
    country: str
    pue_ratio: Decimal | None = None
    pue_source: str | None = None
    market_gco2e_per_kwh: Decimal | None = None
    water_litres_per_kwh: Decimal | None = None
    control: str | None = None
    market_boundary: str | None = None
    grid_pin: str | None = None
    cloud_region: str | None = None


@dataclass(frozen=True)
class Hardware:
    """Machines that were bought on a day: what making them emitted counts in that month.

    Attributes:
        embodied_kgco2e: Of one of them, in kgCO2e; None means unknown.
        lifetime_years: Years over which the SCI view would spread it.
    """

    hardware_id: str
    site: str
    gpu_model: str
    count: int
    purchased_on: date
    embodied_kgco2e_low: Decimal | None = None
    embodied_kgco2e: Decimal | None = None
    embodied_kgco2e_high: Decimal | None = None
    source: str | None = None
    lifetime_years: Decimal | None = None


@dataclass(frozen=True)
class Provider:
    """Who runs a model: where and on what, which source counts its calls, and where its energy is known from."""

    provider: str
    site: str
    system_of_record: str | None = None
    energy_from: str | None = None
    gpu_model: str | None = None
    catalogue: str | None = None


@dataclass(frozen=True)
class Model:
    """What its owner knows of a model that no factor set knows: S, M, L or XL."""

    provider: str
    model: str
    size_class: str


def typed(path: Path, where: str, table: Mapping[str, Any], key: str, kind: type) -> Any:
    """The value of a key, or None; a sentence if it is of another kind."""
    if key in table and not isinstance(table[key], kind):
        raise JevonsError(
            "A setting is of the wrong kind", f"{path}, {where}.{key}", f"it is {table[key]!r:.60}",
            "give true or false, without quotes" if kind is bool else "give text in quotes",
        )
    return table.get(key)


def read_site(path: Path, name: str, table: Mapping[str, Any]) -> Site:
    """One [sites.name]; a sentence if it is incomplete or says what cannot be."""
    table = _placed(path, name, table)
    for needed in ("zone", "country"):
        if not table.get(needed):
            raise JevonsError(
                "A site is incomplete", f"{path}, sites.{name}", f"it has no `{needed}`",
                f"add {needed} = \"...\"",
            )
        typed(path, f"sites.{name}", table, needed, str)
    country = countries.alpha3(table["country"])
    if country is None:
        raise JevonsError(
            "A site names a country that there is not", f"{path}, sites.{name}.country",
            f"it is {table['country']!r:.60}", countries.FIX,
        )
    where = f"sites.{name}"
    if table.get("control", "own") not in CONTROLS:
        raise JevonsError(
            "A site is controlled by nobody that is known", f"{path}, {where}.control",
            f"it is {table['control']!r:.60}", f"give one of {', '.join(CONTROLS)}",
        )
    if table.get("grid_pin", GRID_PINS[0]) not in GRID_PINS:
        raise JevonsError(
            "A site is pinned to a grid source that there is not", f"{path}, {where}.grid_pin",
            f"it is {table['grid_pin']!r:.60}", f"give one of {', '.join(GRID_PINS)}, or leave it out",
        )
    return Site(
        name, table["zone"], country, _decimal(path, where, table, "pue"),
        typed(path, where, table, "pue_source", str), _decimal(path, where, table, "market_gco2e_per_kwh"),
        _decimal(path, where, table, "water_litres_per_kwh"), table.get("control"),
        countries.stored(typed(path, where, table, "market_boundary", str)), table.get("grid_pin"),
        table.get("cloud_region"),
    )


def _placed(path: Path, name: str, table: Mapping[str, Any]) -> Mapping[str, Any]:
    """The section with the zone and the country of its cloud region, where it names one instead of them."""
    if "cloud_region" not in table:
        return table
    where, found = f"{path}, sites.{name}.cloud_region", cloud_regions.region(table["cloud_region"])
    if found is None:
        raise JevonsError(
            "A site names a cloud region that is not known", where, f"it is {table['cloud_region']!r:.60}",
            'write aws, azure or google, a colon and the region, as in "aws:eu-west-3", or give zone and country',
        )
    both = sorted({"zone", "country"} & set(table))
    if both:
        raise JevonsError("A site says twice where it is", where, f"it has a `{both[0]}` as well",
                          "leave one of the two out")
    return {**table, "zone": found.zone, "country": found.country}


def read_hardware(path: Path, name: str, table: Mapping[str, Any], sites: set[str]) -> Hardware:
    """One [hardware.name]; a figure is taken only with its range and its source."""
    where = f"hardware.{name}"
    if table.get("site") not in sites:
        raise unknown_site(path, where, table.get("site"))
    count, bought = table.get("count"), table.get("purchased_on")
    for key, right, fix in (
        ("count", isinstance(count, int) and not isinstance(count, bool) and count > 0, "give a whole number, as in 8"),
        ("purchased_on", isinstance(bought, date) and not isinstance(bought, datetime),
         "write a day without quotes, as in 2026-03-31"),
        ("gpu_model", isinstance(table.get("gpu_model"), str), "say what it is, in quotes"),
    ):
        if not right:
            raise JevonsError("Hardware is declared incompletely", f"{path}, {where}.{key}",
                              f"it is {table.get(key)!r:.60}", fix)
    ends = [_decimal(path, where, table, f"embodied_kgco2e{end}") for end in ("_low", "", "_high")]
    known = [end for end in ends if end is not None]
    # without its range, the high end of a whole inventory would be below its middle
    if known != sorted(known) or len(known) not in (0, len(ends)):
        raise JevonsError(
            "Hardware has no true range", f"{path}, {where}.embodied_kgco2e",
            "low, value and high are not all there in order",
            "give embodied_kgco2e of one piece with its _low and _high (publishers differ), or none of them",
        )
    source = typed(path, where, table, "source", str)
    if known and not source:
        raise JevonsError("Hardware has a figure without a source", f"{path}, {where}.source", "it is not there",
                          "say where embodied_kgco2e comes from")
    return Hardware(name, table["site"], table["gpu_model"], count, bought, *ends, source,
                    _decimal(path, where, table, "lifetime_years"))


def _decimal(path: Path, where: str, table: Mapping[str, Any], key: str) -> Decimal | None:
    if table.get(key) is None:
        return None
    try:
        value = Decimal(str(table[key]))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0 or (key == "pue" and value < 1):
        raise JevonsError(
            "A setting has an impossible number", f"{path}, {where}.{key}", f"{table[key]!r} cannot be",
            "give a decimal number, at least 1 for pue, at least 0 for the others",
        )
    return value


def read_provider(
    path: Path, name: str, table: Mapping[str, Any], sites: set[str], sources: Container[str],
) -> Provider:
    """One [providers.name]; the sites and sources that it names must be declared."""
    if table.get("site") not in sites:
        raise unknown_site(path, f"providers.{name}", table.get("site"))
    for key in ("system_of_record", "energy_from"):
        # calls of such a provider would be counted by nobody, or their energy be looked for where nobody measures
        if table.get(key) is not None and table[key] not in sources and (key, table[key]) != ("energy_from", SPEND):
            raise JevonsError(
                "A provider relies on a source that is not there", f"{path}, providers.{name}.{key}",
                f"no [sources.{table[key]}] is declared", "declare it, correct the name or leave this line out",
            )
    return Provider(name, table["site"], table.get("system_of_record"), table.get("energy_from"),
                    *(typed(path, f"providers.{name}", table, key, str) for key in ("gpu_model", "catalogue")))


def read_model(path: Path, name: str, table: Mapping[str, Any]) -> Model:
    """One [models."provider/name"]."""
    provider, slash, model = name.partition("/")
    if not (provider and slash and model):
        raise JevonsError(
            "A model is named without its provider", f"{path}, models", f"{name!r} has no provider before a slash",
            f'write [models."provider/{name}"]',
        )
    if table.get("size_class") not in SIZE_CLASSES:
        raise JevonsError(
            "A model is of an unknown size", f"{path}, models.{name}.size_class",
            f"it is {table.get('size_class')!r:.60}", f"give one of {', '.join(SIZE_CLASSES)}",
        )
    return Model(provider, model, table["size_class"])


def unknown_site(path: Path, where: str, site: object) -> JevonsError:
    """The sentence for a site that is not declared."""
    return JevonsError(
        "A setting points to a site that is not there", f"{path}, {where}", f"no [sites.{site}] is declared",
        "declare it or correct the name",
    )
