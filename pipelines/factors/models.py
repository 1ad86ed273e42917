"""Factor rows of language and embedding models: energy and embodied carbon per request and per token.

The coefficients do not belong here: they are in inputs.toml and in the library.
"""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files
from typing import Any

from pipelines.factors.values import (
    GRAMS_PER_KG,
    JOULES_PER_KWH,
    Ends,
    Span,
    fixed,
    interval,
    provenance,
    source_of,
    value_of,
)

# Token counts at which the library is asked. Without a latency its answer is affine in output tokens, so
# two points give both terms; a power of two keeps the slope free of rounding.
FEW_TOKENS, MANY_TOKENS = 0, 2**30


def model_rows(given: dict[str, Any]) -> Iterator[dict[str, str]]:
    """One row per model name of the library, then one per embedding model."""
    from ecologits.model_repository import models

    links = _links()
    for model in sorted(models.list_models(), key=lambda m: (m.provider.value, m.name)):
        yield _model_row(given, model, links[model.provider.value, model.name])
    for name in given["embeddings"]:
        yield _embedding_row(given, **name)


def _model_row(given: dict[str, Any], model: Any, link: str) -> dict[str, str]:
    size = model.architecture.parameters
    active, total = Ends.of(getattr(size, "active", size)), Ends.of(getattr(size, "total", size))
    energy_a, energy_b, embodied_a, embodied_b = _affine(model.provider.value, model.name)
    large = total.high > value_of(given, "large_model")
    gsd = value_of(given, "parametric_large_gsd" if large else "parametric_gsd")
    flags = ["pue", "host", "embodied", "no_idle", "no_network", "no_training", "no_embodied_input"]
    flags += ["first_token_host"] if energy_a.high else ["no_first_token"]
    flags += ["parameters_assumed"] if "model-arch-not-released" in {w.code for w in model.warnings} else []
    flags += ["text_only"] if "model-arch-multimodal" in {w.code for w in model.warnings} else []
    flags += ["moving_name"] if model.name.endswith("latest") else []
    sizes = [fixed(v) for v in (active.low, active.high, total.low, total.high)]
    return {
        **_identity(given["sets"]["ecologits"], model.provider.value, model.name),
        **energy_a.widened(interval(given, gsd)).columns("kwh_per_request"),
        **energy_b.widened(interval(given, gsd)).columns("kwh_per_output_token"),
        **_input_columns(given, active, gsd),
        "embodied_gco2e_per_request": fixed(embodied_a.central),
        "embodied_gco2e_per_output_token": fixed(embodied_b.central),
        **_water_columns(model.provider.value),
        "gsd_ratio": fixed(gsd),
        "boundary_flags": ";".join(flags),
        "correlation_group": "{}:active={}-{}:total={}-{}".format(model.provider.value, *sizes),
        **_size_columns(sizes),
        **_ends("ecologits_kwh_per_request", energy_a),
        **_ends("ecologits_kwh_per_output_token", energy_b),
        **_ends("ecologits_embodied_gco2e_per_request", embodied_a),
        **_ends("ecologits_embodied_gco2e_per_output_token", embodied_b),
        **provenance(given["sets"]["ecologits"], source_url=link),
    }


def _embedding_row(given: dict[str, Any], provider: str, model_name: str) -> dict[str, str]:
    assumed = given["coefficients"]["embedding"]
    size, gsd = Ends.of(Decimal(assumed["value"])), Decimal(assumed["gsd"])
    zero, unknown = Ends.of(0).widened(Decimal(1)), {"_min": "", "_max": ""}
    library = [f"ecologits_{quantity}_per_{unit}" for quantity in ("kwh", "embodied_gco2e")
               for unit in ("request", "output_token")]
    return {
        **_identity(given["sets"]["defaults"], provider, model_name),
        # All of its work is on input tokens and it has no output tokens: these are zeros, not unknowns.
        **zero.columns("kwh_per_request"),
        **zero.columns("kwh_per_output_token"),
        **_input_columns(given, size, gsd, of_model_only=True),
        "embodied_gco2e_per_request": "",
        "embodied_gco2e_per_output_token": "",
        **_water_columns(provider),
        "gsd_ratio": fixed(gsd),
        "boundary_flags": "pue;host;no_embodied;no_idle;no_network;no_training;parameters_assumed",
        "correlation_group": "default:embedding",
        **_size_columns([fixed(size.central)] * 4),
        **{name + end: empty for name in library for end, empty in unknown.items()},
        **provenance(given["sets"]["defaults"], **source_of(assumed)),
    }


def _affine(provider: str, model_name: str) -> Iterator[Ends]:
    """Energy (kWh) per request and per output token, then embodied carbon (gCO2e) per the same."""
    from ecologits.tracers.utils import llm_impacts

    few, many = (llm_impacts(provider, model_name, n, math.inf, "WOR") for n in (FEW_TOKENS, MANY_TOKENS))
    for unit, read in ((1, lambda i: i.usage.energy.value), (GRAMS_PER_KG, lambda i: i.embodied.gwp.value)):
        start, end = Ends.of(read(few)), Ends.of(read(many))
        yield Ends(start.low * unit, start.high * unit)
        yield Ends(*((e - s) * unit / MANY_TOKENS for s, e in ((start.low, end.low), (start.high, end.high))))


def _input_columns(
    given: dict[str, Any], active: Ends, gsd: Decimal, of_model_only: bool = False
) -> dict[str, str]:
    """Energy of an input token and of a cached one; independent errors add in quadrature of logarithms."""
    per_billion = value_of(given, "facility_ratio") * value_of(given, "prefill") / JOULES_PER_KWH
    sds = [gsd.ln()] if of_model_only else [gsd.ln(), Decimal(given["coefficients"]["prefill"]["gsd"]).ln()]
    reach = value_of(given, "interval_width") * sum(sd * sd for sd in sds).sqrt()
    fresh = Ends(active.low * per_billion, active.high * per_billion)
    ratio, low, high = (Decimal(given["coefficients"]["cached_input"][k]) for k in ("value", "low", "high"))
    down, up = (((ratio / low).ln() ** 2 + reach**2).sqrt(), ((high / ratio).ln() ** 2 + reach**2).sqrt())
    central = ratio * fresh.central
    cached = Span(central / down.exp(), central, central * up.exp())
    return {
        **fresh.widened(reach.exp()).columns("kwh_per_input_token"),
        **cached.columns("kwh_per_cached_input_token"),
        "input_gsd_ratio": fixed((reach / value_of(given, "interval_width")).exp(), places=6),
    }


def _water_columns(provider: str) -> dict[str, str]:
    """On-site water per facility kWh; the library pairs the low WUE with the low PUE, and high with high."""
    from ecologits.tracers.utils import PROVIDER_CONFIG_MAP

    name = "wue_onsite_litres_per_kwh"
    if provider not in PROVIDER_CONFIG_MAP:
        return {f"{name}_low": "", name: "", f"{name}_high": ""}
    site = PROVIDER_CONFIG_MAP[provider]
    wue, pue = Ends.of(site.datacenter_wue), Ends.of(site.datacenter_pue)
    low, high = wue.low / pue.low, wue.high / pue.high
    return Span(low, (low + high) / 2, high).columns(name)


def _identity(row: dict[str, Any], provider: str, model_name: str) -> dict[str, str]:
    return {
        "factor_id": f"{row['factor_set']}/{provider}/{model_name}",
        "factor_set": row["factor_set"],
        "provider": provider,
        "model_name": model_name,
        "method": row["method"],
        "evidence_tier": str(row["evidence_tier"]),
    }


def _ends(name: str, ends: Ends) -> dict[str, str]:
    return {f"{name}_min": fixed(ends.low), f"{name}_max": fixed(ends.high)}


def _size_columns(sizes: list[str]) -> dict[str, str]:
    names = [f"{kind}_parameters_billion_{end}" for kind in ("active", "total") for end in ("low", "high")]
    return dict(zip(names, sizes, strict=True))


def _links() -> dict[tuple[str, str], str]:
    """First source link of each model name, from the library's file: its objects lose the links."""
    data = json.loads((files("ecologits") / "data" / "models.json").read_text(encoding="utf-8"))
    links = {(m["provider"], m["name"]): m["sources"][0] for m in data["models"]}
    return links | {(a["provider"], a["name"]): links[a["provider"], a["alias"]] for a in data["aliases"]}
