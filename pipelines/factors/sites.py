"""Factor rows that no model name carries: electricity by country and year, and own accelerators.

Hourly grid data and the metered energy itself do not belong here.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipelines.factors.values import (
    GRAMS_PER_KG,
    JOULES_PER_KWH,
    SECONDS_PER_YEAR,
    Ends,
    Span,
    fixed,
    interval,
    provenance,
    source_of,
    span_of,
    value_of,
)

# ratios around 1 by which a reading may be wrong, best first, and ratios of one energy or power to another
READINGS = ("metered_host", "host_residual", "energy_counter", "power_integral", "power_integral_gappy",
            "tdp_utilisation", "runtime_fitted", "runtime_default")
SHARES = ("default_pue", "host_share", "busy_power", "idle_power", "reconciliation")


def grid_rows(given: dict[str, Any]) -> Iterator[dict[str, str]]:
    """One row per electricity zone of the library."""
    from ecologits.electricity_mix_repository import electricity_mixes

    library = given["sets"]["ecologits"]
    for mix in sorted(electricity_mixes.list_electricity_mixes(), key=lambda m: m.zone):
        # The library writes 0 where its source has no figure: no grid is free of carbon over its life cycle.
        carbon = Decimal(str(mix.gwp)) * GRAMS_PER_KG if mix.gwp else None
        borrowed = "electricity-mix-wue-world" in {w.code for w in mix.warnings}
        yield {
            "grid_factor_id": f"{library['factor_set']}/grid/{mix.zone}",
            "factor_set": library["factor_set"],
            "zone_country": mix.zone,
            "grid_source": given["sets"]["grid"]["grid_source"],
            "grid_boundary": given["sets"]["grid"]["grid_boundary"],
            "gco2e_per_kwh": fixed(carbon) if carbon is not None else "",
            "carbon_basis": "zone" if carbon is not None else "missing",
            "water_litres_per_kwh": fixed(Decimal(str(mix.wue))),
            "water_basis": "world" if borrowed or mix.zone == "WOR" else "zone",
            **provenance(library, **source_of(given["sets"]["grid"])),
            "water_source_url": given["sets"]["grid"]["water_source_url"],
        }


def rung_rows(given: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The error of each rung of the grid's ladder, as ratios of the 95 % interval to the central value.

    The yearly rung's is measured: how far other publishers and years are from the figure that is used. What no rung
    knows is bounded by the high end of the dirtiest yearly mix.
    """
    ours, coefficients, apart = given["sets"]["defaults"], given["coefficients"], given["grid_disagreement"]
    logs = [
        (Decimal(other) / Decimal(row["used"])).ln()
        for row in apart["gco2e_per_kwh"].values() for name, other in row.items() if name != "used"
    ]
    yearly = (sum(log**2 for log in logs) / len(logs)).sqrt().exp()
    for rung, gsd, method, source in (
        ("hourly_measured", Decimal(coefficients["grid_hourly_measured"]["gsd"]), "judgement",
         source_of(coefficients["grid_hourly_measured"])),
        ("hourly_estimated", Decimal(coefficients["grid_hourly_estimated"]["gsd"]), "judgement",
         source_of(coefficients["grid_hourly_estimated"])),
        ("yearly_mix", yearly, "measured", source_of(apart)),
        ("unknown", None, "bound", source_of(apart)),
    ):
        width = interval(given, gsd or yearly)
        yield {
            "grid_rung_id": f"{ours['factor_set']}/grid_rung/{rung}",
            "factor_set": ours["factor_set"],
            "grid_rung": rung,
            "gsd_ratio": fixed(gsd, 6) if gsd else "",
            "low_ratio": fixed(1 / width, 6) if gsd else "",
            "high_ratio": fixed(width, 6),
            "method": method,
            **provenance(ours, **source),
        }


def fuel_rows(given: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What electricity emits by the fuel that a publisher's code stands for; none for storage and the unknown."""
    ours = given["sets"]["defaults"]
    for publisher, codes in given["fuel_codes"].items():
        for code, fuel in codes.items():
            row = given["fuels"].get(fuel, {})
            yield {
                "grid_fuel_id": f"{ours['factor_set']}/grid_fuel/{publisher}/{code}",
                "factor_set": ours["factor_set"],
                "grid_source": publisher,
                "fuel_code": code,
                "fuel": fuel,
                "technology": row.get("technology", ""),
                **{f"{boundary}_gco2e_per_kwh{end}": value for boundary in ("lifecycle", "direct")
                   for end, value in zip(("_low", "", "_high"), row.get(boundary, ("", "", "")), strict=True)},
                "direct_basis": row.get("direct_basis", "published") if row else "",
                **provenance(ours, **source_of({**given["fuel_tables"], **row})),
            }


def gpu_rows(given: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The factors of an organisation's own accelerators; `%` matches every GPU model."""
    from ecologits.impacts import llm

    frame = Decimal(llm.SERVER_EMBODIED_IMPACT_GWP) / llm.SERVER_GPUS
    central = (frame + llm.GPU_EMBODIED_IMPACT_GWP) * GRAMS_PER_KG / llm.HARDWARE_LIFESPAN
    life = value_of(given, "hardware_life_long") * SECONDS_PER_YEAR
    low = (frame + value_of(given, "gpu_embodied_low")) * GRAMS_PER_KG / life
    library, ours = given["sets"]["ecologits"], given["sets"]["defaults"]
    yield _gpu_row(
        library, "embodied_gco2e_per_gpu_second", Span(low, central, central**2 / low), tier="4",
        unit="gCO2e per second in which one GPU is held, at full use of its life",
        source_title=f"{library['factor_set']}: server and GPU embodied constants over 3 years; "
        f"low end: {given['coefficients']['gpu_embodied_low']['source_title']}, 6 years",
        source_url=given["sets"]["gpu"]["source_url"], flags=given["sets"]["gpu"]["boundary_flags"],
    )
    for quantity in READINGS:
        row = given["coefficients"][quantity]
        span = Ends.of(Decimal(row["value"])).widened(interval(given, Decimal(row["gsd"])))
        yield _gpu_row(ours, f"{quantity}_ratio", span, str(row["evidence_tier"]), row["gsd"],
                       "true energy per energy read", row["boundary_flags"], **source_of(row))
    for quantity in SHARES:
        row = given["coefficients"][quantity]
        yield _gpu_row(ours, f"{quantity}_ratio", span_of(given, quantity), str(row["evidence_tier"]),
                       unit=row["unit"], flags=row["boundary_flags"], **source_of(row))
    row = given["coefficients"]["largest_gpu_power"]
    bound = Decimal(row["value"]) / JOULES_PER_KWH
    yield _gpu_row(ours, "largest_kwh_per_gpu_second", Span(bound, bound, bound), str(row["evidence_tier"]),
                   unit="kWh per second in which one GPU is held and no meter read it", flags=row["boundary_flags"],
                   **source_of(row))


def _gpu_row(
    set_: dict[str, Any], quantity: str, span: Span, tier: str, gsd: str = "", unit: str = "", flags: str = "",
    **source: str,
) -> dict[str, str]:
    return {
        "gpu_factor_id": f"{set_['factor_set']}/gpu/{quantity}",
        "factor_set": set_["factor_set"],
        "gpu_model_pattern": "%",
        "quantity": quantity,
        **span.columns("value"),
        "gsd_ratio": gsd,
        "unit": unit,
        "boundary_flags": flags,
        "evidence_tier": tier,
        **provenance(set_, **source),
    }
