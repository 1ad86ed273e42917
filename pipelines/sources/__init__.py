"""The sources that Jevons reads: one file each, listed here by file name.

A source's own contract lives in its file; nothing else needs to know that it exists.
"""

from functools import cache
from importlib import import_module

from pipelines.settings import Settings
from pipelines.source import Source

MODULES = (
    "openai", "anthropic", "call_log", "gpu_prometheus", "meters", "electricity_maps", "outcomes", "instruments",
    "neso", "eia", "entsoe", "gpu_jobs", "run_stages", "evaluations", "quality_bars", "measurements", "disclosures",
    "denied_calls", "litellm", "openrouter", "focus", "github_copilot", "langfuse", "cursor", "invoices", "devices",
    "azure_openai", "bedrock", "bedrock_metrics", "vertex", "claude_enterprise", "watttime", "host_prometheus",
    "redfish", "grid_file", "otel", "nvidia_smi", "otel_metrics", "registry", "settings_rows", "deliveries",
)


@cache
def all_sources() -> tuple[Source, ...]:
    """Every source, in the order in which they are read; `landing` last, because it reports on the others."""
    return tuple(import_module(f"pipelines.sources.{name}").SOURCE for name in MODULES)


def enabled_sources(settings: Settings) -> tuple[Source, ...]:
    """The sources that are always read and those with a section in `jevons.toml`."""
    return tuple(source for source in all_sources() if source.always or settings.enabled(source.name))
