"""The columns of a factor row that are made in one way for all models: who it is, its input tokens, its water.

Which models there are does not belong here.
"""

from decimal import Decimal
from typing import Any

from pipelines.factors.values import JOULES_PER_KWH, Ends, Span, fixed, span_of, value_of


def identity(row: dict[str, Any], provider: str, model_name: str, gpu_model: str = "") -> dict[str, str]:
    """The key of a row; `gpu_model` is given where the factor was measured on that GPU."""
    on = f"@{gpu_model}" if gpu_model else ""
    return {
        "factor_id": f"{row['factor_set']}/{provider}/{model_name}{on}",
        "factor_set": row["factor_set"],
        "provider": provider,
        "model_name": model_name,
        "gpu_model": gpu_model,
        "method": row["method"],
        "evidence_tier": str(row["evidence_tier"]),
    }


def zero_columns(*kinds: str) -> dict[str, str]:
    """Kinds that are known to cost nothing here, because another kind counts the same work."""
    return {f"kwh_per_{kind}{end}": "0" for kind in kinds for end in ("_low", "", "_high")}


def no_columns(*kinds: str) -> dict[str, str]:
    """Kinds that the row has no rule for: unknown, which is not zero."""
    return {f"kwh_per_{kind}{end}": "" for kind in kinds for end in ("_low", "", "_high")}


def input_columns(given: dict[str, Any], active: Ends, gsds: list[Decimal]) -> dict[str, str]:
    """Energy of an input token: fresh, read from a cache, written to a cache.

    Prefill is bound by arithmetic: 2 FLOP per active parameter and token. Independent errors add in quadrature of
    logarithms.

    Args:
        given: The coefficients.
        active: Active parameters, in billions.
        gsds: Geometric standard deviations of what the energy of a fresh token rests on.
    """
    width = value_of(given, "interval_width")
    reach = width * sum(gsd.ln() ** 2 for gsd in gsds).sqrt()
    per_billion = value_of(given, "facility_ratio") * value_of(given, "prefill") / JOULES_PER_KWH
    fresh = Ends(active.low * per_billion, active.high * per_billion)
    columns = fresh.widened(reach.exp()).columns("kwh_per_input_token")
    for kind, coefficient in (("cached_input_token", "cached_input"), ("cache_write_token", "cache_write")):
        ratio = span_of(given, coefficient)
        down, up = (((a / b).ln() ** 2 + reach**2).sqrt()
                    for a, b in ((ratio.central, ratio.low), (ratio.high, ratio.central)))
        central = ratio.central * fresh.central
        columns |= Span(central / down.exp(), central, central * up.exp()).columns(f"kwh_per_{kind}")
    return {**columns, "input_gsd_ratio": fixed((reach / width).exp(), places=6)}


def water_columns(provider: str) -> dict[str, str]:
    """On-site water per facility kWh; the library pairs the low WUE with the low PUE, and high with high."""
    from ecologits.tracers.utils import PROVIDER_CONFIG_MAP

    name = "wue_onsite_litres_per_kwh"
    if provider not in PROVIDER_CONFIG_MAP:
        return {f"{name}_low": "", name: "", f"{name}_high": ""}
    site = PROVIDER_CONFIG_MAP[provider]
    wue, pue = Ends.of(site.datacenter_wue), Ends.of(site.datacenter_pue)
    low, high = wue.low / pue.low, wue.high / pue.high
    return Span(low, (low + high) / 2, high).columns(name)


def size_columns(sizes: list[str]) -> dict[str, str]:
    """Active and total parameters, low and high, in billions."""
    names = [f"{kind}_parameters_billion_{end}" for kind in ("active", "total") for end in ("low", "high")]
    return dict(zip(names, sizes, strict=True))
