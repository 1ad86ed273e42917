"""Factor rows of the models that EcoLogits knows: energy and embodied carbon per request and per token.

The coefficients do not belong here: they are in inputs.toml and in the library. What has no model of its own (classes,
prices, images) is in `defaults`.
"""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files
from typing import Any

from pipelines.factors.benchmark_closed import combined
from pipelines.factors.prices import implausible
from pipelines.factors.rules import identity, input_columns, no_columns, size_columns, water_columns
from pipelines.factors.values import GRAMS_PER_KG, Ends, Span, fixed, interval, provenance, span_of, value_of

# Token counts at which the library is asked. Without a latency its answer is affine in output tokens, so
# two points give both terms; a power of two keeps the slope free of rounding.
FEW_TOKENS, MANY_TOKENS = 0, 2**30


def model_rows(given: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Per model name of the library one row of its own estimate, and one that is combined with measurements."""
    from ecologits.model_repository import models

    links = _links()
    for model in sorted(models.list_models(), key=lambda m: (m.provider.value, m.name)):
        yield from _rows_of(given, model, links[model.provider.value, model.name])


def _rows_of(given: dict[str, Any], model: Any, link: str) -> Iterator[dict[str, str]]:
    size = model.architecture.parameters
    active, total = Ends.of(getattr(size, "active", size)), Ends.of(getattr(size, "total", size))
    energies = tuple(_affine(model.provider.value, model.name))
    large = total.high > value_of(given, "large_model")
    gsd = value_of(given, "parametric_large_gsd" if large else "parametric_gsd")
    output = energies[1].widened(interval(given, gsd))
    yield _row(given, "ecologits", model, link, (active, total), energies, output, gsd)
    assumed = "model-arch-not-released" in {warning.code for warning in model.warnings}
    both = combined(total, active, energies[1], assumed)
    yield _row(given, "combined", model, link, (active, total), energies, both.span, both.gsd_ratio)


def _row(
    given: dict[str, Any], set_name: str, model: Any, link: str, parameters: tuple[Ends, Ends],
    energies: tuple[Ends, ...], output: Span, gsd: Decimal,
) -> dict[str, str]:
    active, total = parameters
    energy_a, energy_b, embodied_a, embodied_b = energies
    flags = ["pue", "host", "embodied", "no_idle", "no_network", "no_training", "no_embodied_input"]
    flags += ["first_token_host"] if energy_a.high else ["no_first_token"]
    flags += ["parameters_assumed"] if "model-arch-not-released" in {w.code for w in model.warnings} else []
    flags += ["text_only"] if "model-arch-multimodal" in {w.code for w in model.warnings} else []
    flags += ["moving_name"] if model.name.endswith("latest") else []
    sizes = [fixed(v) for v in (active.low, active.high, total.low, total.high)]
    return {
        **identity(given["sets"][set_name], model.provider.value, model.name),
        **energy_a.widened(interval(given, gsd)).columns("kwh_per_request"),
        **output.columns("kwh_per_output_token"),
        **input_columns(given, active, [gsd, Decimal(given["coefficients"]["prefill"]["gsd"])]),
        **no_columns("image", "audio_second", "video_second"),
        "kwh_per_nano_usd_low": "0", "kwh_per_nano_usd": "0", "kwh_per_nano_usd_high": "0",
        **span_of(given, "batch_output").columns("batch_output_ratio"),
        "embodied_gco2e_per_request": fixed(embodied_a.central),
        "embodied_gco2e_per_output_token": fixed(embodied_b.central),
        **water_columns(model.provider.value),
        "gsd_ratio": fixed(gsd),
        "boundary_flags": ";".join(flags),
        "correlation_group": "{}:active={}-{}:total={}-{}".format(model.provider.value, *sizes),
        **size_columns(sizes),
        **_ends("ecologits_kwh_per_request", energy_a),
        **_ends("ecologits_kwh_per_output_token", energy_b),
        **_ends("ecologits_embodied_gco2e_per_request", embodied_a),
        **_ends("ecologits_embodied_gco2e_per_output_token", embodied_b),
        "quarantine_reason": implausible(given, model.provider.value, model.name, output.central),
        **provenance(given["sets"][set_name], source_url=link),
    }


def _affine(provider: str, model_name: str) -> Iterator[Ends]:
    """Energy (kWh) per request and per output token, then embodied carbon (gCO2e) per the same."""
    from ecologits.tracers.utils import llm_impacts

    few, many = (llm_impacts(provider, model_name, n, math.inf, "WOR") for n in (FEW_TOKENS, MANY_TOKENS))
    for unit, read in ((1, lambda i: i.usage.energy.value), (GRAMS_PER_KG, lambda i: i.embodied.gwp.value)):
        start, end = Ends.of(read(few)), Ends.of(read(many))
        yield Ends(start.low * unit, start.high * unit)
        yield Ends(*((e - s) * unit / MANY_TOKENS for s, e in ((start.low, end.low), (start.high, end.high))))


def _ends(name: str, ends: Ends) -> dict[str, str]:
    return {f"{name}_min": fixed(ends.low), f"{name}_max": fixed(ends.high)}


def _links() -> dict[tuple[str, str], str]:
    """First source link of each model name, from the library's file: its objects lose the links."""
    data = json.loads((files("ecologits") / "data" / "models.json").read_text(encoding="utf-8"))
    links = {(m["provider"], m["name"]): m["sources"][0] for m in data["models"]}
    return links | {(a["provider"], a["name"]): links[a["provider"], a["alias"]] for a in data["aliases"]}
