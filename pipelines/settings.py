"""What an organisation configured: JEVONS_HOME, `jevons.toml` and the names of secrets.

The only module of this room that looks at the environment. What a setting means to a source is the source's business.
"""

import os
import tomllib
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pipelines.alerts.settings import AlertSettings, read_alerts
from pipelines.declared import (
    Hardware,
    Model,
    Provider,
    Site,
    read_hardware,
    read_model,
    read_provider,
    read_site,
    typed,
    unknown_site,
)
from pipelines.errors import JevonsError
from pipelines.gate.settings import GateSettings, read_gate

FILE = "jevons.toml"
NAMED = ("sources", "sites", "providers", "models", "hardware")  # sections that hold one section per name
KEYS = {
    "organisation": {"name", "sandbox"},
    "sites": {"zone", "country", "cloud_region", "pue", "pue_source", "market_gco2e_per_kwh", "water_litres_per_kwh",
              "control", "market_boundary", "grid_pin"},
    "providers": {"site", "system_of_record", "energy_from", "gpu_model", "catalogue"},
    "models": {"size_class"},
    "hardware": {"site", "gpu_model", "count", "purchased_on", "embodied_kgco2e", "embodied_kgco2e_low",
                 "embodied_kgco2e_high", "source", "lifetime_years"},
}


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds everything of one organisation (JEVONS_HOME, default `data/`)."""
    return Path(environ.get("JEVONS_HOME") or "data").resolve()


def gate_key(environ: Mapping[str, str] = os.environ) -> str | None:
    """The secret that gate files are signed with (JEVONS_GATE_KEY), or None."""
    return environ.get("JEVONS_GATE_KEY") or None


@dataclass(frozen=True)
class Settings:
    """Everything read from one `jevons.toml`, checked."""

    home: Path
    organisation: str
    sandbox: bool
    sources: Mapping[str, Mapping[str, Any]]
    sites: tuple[Site, ...]
    providers: tuple[Provider, ...]
    environ: Mapping[str, str] = field(repr=False, default_factory=dict)
    models: tuple[Model, ...] = ()
    hardware: tuple[Hardware, ...] = ()
    gate: GateSettings = GateSettings()
    alerts: AlertSettings = AlertSettings()

    def secret(self, name: str) -> str | None:
        """The secret of that environment name, or None; never logged, never written."""
        return self.environ.get(name) or None

    def enabled(self, source: str) -> bool:
        """Whether the source has a table in `jevons.toml` that is not switched off."""
        return source in self.sources and self.sources[source].get("enabled", True) is not False


def load(home: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads `jevons.toml` in `home`.

    Raises:
        JevonsError: if the file is missing, is not TOML, or names a thing that does not exist.
    """
    path = home / FILE
    if not path.is_file():
        raise JevonsError(
            "No organisation is configured", str(path), "the file does not exist",
            "run `jevons init` to write one, or set JEVONS_HOME to the folder that holds it",
        )
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise JevonsError("The settings cannot be read", str(path), str(error), "mend that line") from error
    unknown = set(raw) - {"organisation", "gate", "alerts", *NAMED}
    if unknown:
        raise JevonsError(
            "The settings have an unknown section", str(path), f"`{sorted(unknown)[0]}` means nothing here",
            "use organisation, sources, sites, providers, models, hardware, gate or alerts",
        )
    for section, table in raw.items():
        _a_section(path, section, table)
        for name, each in table.items() if section in NAMED else ():
            _a_section(path, f"{section}.{name}", each)
            _known(path, f"{section}.{name}", each, KEYS.get(section, each))
    _known(path, "organisation", raw.get("organisation", {}), KEYS["organisation"])
    _known_sources(path, raw.get("sources", {}))
    sites = tuple(read_site(path, name, table) for name, table in sorted(raw.get("sites", {}).items()))
    known = {site.site_id for site in sites}
    providers = tuple(
        read_provider(path, name, table, known, raw.get("sources", {}))
        for name, table in sorted(raw.get("providers", {}).items())
    )
    for name, table in raw.get("sources", {}).items():
        if "site" in table and table["site"] not in known:
            raise unknown_site(path, f"sources.{name}", table["site"])
    organisation = raw.get("organisation", {})
    name = typed(path, "organisation", organisation, "name", str)
    return Settings(
        home, name or "Unnamed organisation", bool(typed(path, "organisation", organisation, "sandbox", bool)),
        raw.get("sources", {}), sites, providers, dict(environ),
        tuple(read_model(path, name, table) for name, table in sorted(raw.get("models", {}).items())),
        tuple(read_hardware(path, name, table, known) for name, table in sorted(raw.get("hardware", {}).items())),
        read_gate(path, raw.get("gate", {})),
        read_alerts(path, raw.get("alerts", {})),
    )


def _a_section(path: Path, name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise JevonsError(
            "The settings have a value where a section belongs", f"{path}, {name}", f"{value!r} is not a section",
            f"write [{name}] and put its settings below it",
        )


def _known(path: Path, where: str, table: Mapping[str, Any], allowed: Container[str]) -> None:
    """A word that nothing reads is a mistyped one: passing it over would change what is counted."""
    for key in sorted(set(table) - set(allowed)):
        raise JevonsError(
            "A setting means nothing", f"{path}, {where}.{key}", "nothing reads a setting of that name",
            f"use {', '.join(sorted(allowed))}",
        )


def _known_sources(path: Path, tables: Mapping[str, Mapping[str, Any]]) -> None:
    from pipelines.sources import all_sources  # late: sources are made of what stands above

    known = {source.name: source for source in all_sources() if not source.always}
    for name, table in tables.items():
        if name not in known:
            meant = get_close_matches(name, known) or sorted(known)
            raise JevonsError(
                "The settings name a source that there is not", f"{path}, sources.{name}",
                f"no source is called {name}", f"use {' or '.join(meant)}, or leave the section out",
            )
        typed(path, f"sources.{name}", table, "enabled", bool)
        if known[name].options is not None:
            _known(path, f"sources.{name}", table, {"enabled", *known[name].options})
