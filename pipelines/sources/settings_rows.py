"""The source `settings`: what `jevons.toml` declares about sites, providers and sources, landed like any record.

Reading and checking the file is the business of `pipelines.settings`; secrets are never among these rows.
"""

from collections.abc import Iterator
from dataclasses import asdict

from pipelines import runtime_proxies
from pipelines.declared import CONTROLS, GRID_PINS, SIZE_CLASSES
from pipelines.errors import JevonsError
from pipelines.settings import FILE
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.window import Window


def _sites(context: Context, window: Window) -> Iterator[Page]:
    yield Page([asdict(site) for site in context.settings.sites], f"{FILE}, sites")


def _providers(context: Context, window: Window) -> Iterator[Page]:
    yield Page([asdict(provider) for provider in context.settings.providers], f"{FILE}, providers")


def _models(context: Context, window: Window) -> Iterator[Page]:
    yield Page([asdict(model) for model in context.settings.models], f"{FILE}, models")


def _hardware(context: Context, window: Window) -> Iterator[Page]:
    yield Page([asdict(each) for each in context.settings.hardware], f"{FILE}, hardware")


def _sources(context: Context, window: Window) -> Iterator[Page]:
    from pipelines.sources import all_sources  # the list of sources includes this one

    settings = context.settings
    sites = {name: settings.sources[name].get("site") for name in sorted(settings.sources) if settings.enabled(name)}
    for source in all_sources():
        # records of kin are read together, so that one site stands for all of them
        site = sites.get(source.name)
        if source.kin and site and sites.setdefault(source.kin, site) != site:
            raise JevonsError(
                "Two sources stand at two sites", f"{FILE}, sources.{source.kin}, sources.{source.name}",
                "their machines are one fleet", "give both the same `site`",
            )
    yield Page([{"source": name, "site": site} for name, site in sorted(sites.items())], f"{FILE}, sources")


def _runtime_proxies(context: Context, window: Window) -> Iterator[Page]:
    yield Page(list(runtime_proxies.frozen(context.settings.home)), str(runtime_proxies.FILE))


SOURCE = Source(
    name="settings",
    description="What the organisation configured: where electricity is used and who runs its models.",
    always=True,
    tables=(
        Table("sites", (
            Column("site_id", "VARCHAR", "Its name in jevons.toml.", required=True),
            Column("zone", "VARCHAR", "Grid zone as Electricity Maps names it.", required=True),
            Column("country", "VARCHAR", "ISO 3166-1 alpha-3.", required=True),
            Column("pue_ratio", "DECIMAL(12,6)", "Facility over IT energy; null = not given.", minimum=1),
            Column("pue_source", "VARCHAR", "Where that ratio comes from."),
            Column("market_gco2e_per_kwh", "DECIMAL(12,6)", "Supplier's tariff for all use; null = none.", minimum=0),
            Column("water_litres_per_kwh", "DECIMAL(12,6)", "On-site water; null = unknown.", minimum=0),
            Column("control", "VARCHAR", "Who decides over what runs there; null = not said.", allowed=CONTROLS),
            Column("market_boundary", "VARCHAR", "Market of its certificates; null = the country."),
            Column("grid_pin", "VARCHAR", "The one source of its intensities; null = the ladder.", allowed=GRID_PINS),
            Column("cloud_region", "VARCHAR", "Region of a cloud that it is; null = not said."),
        ), ("site_id",), _sites, "One row per site.", daily=False),
        Table("providers", (
            Column("provider", "VARCHAR", "Who runs the model.", required=True),
            Column("site", "VARCHAR", "Site where it runs.", required=True),
            Column("system_of_record", "VARCHAR", "Source that counts its calls; null = whichever has them."),
            Column("energy_from", "VARCHAR", "Source that meters its energy; null = estimated, spend = by its price."),
            Column("gpu_model", "VARCHAR", "GPU that its models run on; null = not known."),
            Column("catalogue", "VARCHAR", "Provider whose names its models go by; null = its own."),
        ), ("provider",), _providers, "One row per provider.", daily=False),
        Table("models", (
            Column("provider", "VARCHAR", "Provider of the model, after aliases.", required=True),
            Column("model", "VARCHAR", "Name of the model, after aliases.", required=True),
            Column("size_class", "VARCHAR", "How large it is.", required=True, allowed=SIZE_CLASSES),
        ), ("provider", "model"), _models, "One row per model that the organisation described.", daily=False),
        Table("hardware", (
            Column("hardware_id", "VARCHAR", "Its name in jevons.toml.", required=True),
            Column("site", "VARCHAR", "Site where it stands.", required=True),
            Column("gpu_model", "VARCHAR", "What it is.", required=True),
            Column("count", "BIGINT", "How many were bought.", required=True, minimum=1),
            Column("purchased_on", "DATE", "Day of the purchase.", required=True),
            Column("embodied_kgco2e_low", "DECIMAL(18,6)", "Low end of embodied_kgco2e; null = no range.", minimum=0),
            Column("embodied_kgco2e", "DECIMAL(18,6)", "Embodied carbon of one piece; null = unknown.", minimum=0),
            Column("embodied_kgco2e_high", "DECIMAL(18,6)", "High end of embodied_kgco2e; null = no range.", minimum=0),
            Column("source", "VARCHAR", "Where the figure comes from."),
            Column("lifetime_years", "DECIMAL(12,6)", "Years of use expected; null = not said.", minimum=0),
        ), ("hardware_id",), _hardware, "One row per purchase of hardware.", daily=False),
        Table("sources", (
            Column("source", "VARCHAR", "Source that is switched on.", required=True),
            Column("site", "VARCHAR", "Site that its meters stand at; null = by provider."),
        ), ("source",), _sources, "One row per source that is switched on.", daily=False),
        Table("runtime_proxies", (
            Column("gpu_model", "VARCHAR", "GPU model as its driver names it.", required=True),
            Column("low_w", "DECIMAL(12,6)", "Low end of fitted_w.", required=True, minimum=0),
            Column("fitted_w", "DECIMAL(12,6)", "Watts of a held GPU in the organisation's metered hours.",
                   required=True, minimum=0),
            Column("high_w", "DECIMAL(12,6)", "High end of fitted_w.", required=True, minimum=0),
            Column("gsd_ratio", "DECIMAL(12,6)", "Spread of those hours.", required=True, minimum=1),
            Column("metered_hours", "BIGINT", "How many hours were fitted.", required=True, minimum=1),
            Column("fitted_from_date", "DATE", "First day of those hours.", required=True),
            Column("fitted_to_date", "DATE", "Last day of those hours.", required=True),
            Column("valid_from", "DATE", "First day on which the fit counts.", required=True),
        ), ("gpu_model", "valid_from"), _runtime_proxies, "One row per fit that was frozen.", daily=False),
    ),
)
