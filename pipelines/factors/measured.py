"""Factor rows of models that were measured on a known GPU: what the benchmark read there, with the facility's share.

The measurements do not belong here (they are frozen in benchmark_factor.csv), nor models behind an API (`models`).
"""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.factors.benchmark import estimate
from pipelines.factors.benchmark_closed import DIGITS
from pipelines.factors.rules import (
    identity,
    input_columns,
    no_columns,
    size_columns,
    water_columns,
    zero_columns,
)
from pipelines.factors.values import JOULES_PER_KWH, Ends, Span, fixed, interval, provenance, span_of, value_of

FROZEN = Path(__file__).parents[2] / "dbt_project" / "seeds" / "benchmark_factor.csv"
PROVIDER = "huggingface_hub"
TASKS = ("lm-arena-chat", "gpqa", "sourcegraph-fim")
"""Text in, text out, the most usual first: a model that was measured at several takes the first."""


def measured_rows(given: dict[str, Any], library: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    """One row per model and GPU, for a batch size that is not known; one more for another GPU.

    Args:
        given: The coefficients.
        library: Rows of the models that the library knows: they need no row for another GPU, and give the embodied
            carbon.
    """
    known = {row["model_name"]: row for row in library if row["provider"] == PROVIDER}
    with FROZEN.open(encoding="utf-8", newline="") as source:
        found = [row for row in csv.DictReader(source) if row["batch_basis"] == "unknown" and row["task"] in TASKS]
    usual: dict[tuple[str, str], dict[str, str]] = {}
    seen: dict[str, list[tuple[dict[str, str], Span]]] = {}
    for row in sorted(found, key=lambda row: TASKS.index(row["task"])):
        usual.setdefault((row["model_name"], row["gpu_model"]), row)
    for (name, gpu_model), row in sorted(usual.items()):
        joules, gsd = Decimal(row["joules_per_output_token"]), Decimal(row["gsd_ratio"])
        output, gsd = _facility(given, joules, gsd)
        yield _row(given, "benchmark", row, gpu_model, output, gsd, known.get(name, {}))
        seen.setdefault(name, []).append((row, output))
    for name in sorted(seen.keys() - known.keys()):
        row = seen[name][0][0]
        fitted = estimate(*(float(row[f"{kind}_parameters_billion"]) for kind in ("total", "active")))
        output, gsd = _facility(given, *(Decimal(f"{value:.{DIGITS}g}") for value in (fitted.central, fitted.gsd)))
        # not to know the GPU must not make the unknown look smaller than it was measured on one
        output = Span(min(output.low, *(span.low for _, span in seen[name])), output.central,
                      max(output.high, *(span.high for _, span in seen[name])))
        yield _row(given, "combined", row, "", output, gsd, {})


def _facility(given: dict[str, Any], joules: Decimal, gsd: Decimal) -> tuple[Span, Decimal]:
    """Facility kWh per output token and its geometric standard deviation, from the accelerators' joules."""
    both = (gsd.ln() ** 2 + Decimal(given["coefficients"]["facility_ratio"]["gsd"]).ln() ** 2).sqrt().exp()
    return Ends.of(joules * value_of(given, "facility_ratio") / JOULES_PER_KWH).widened(interval(given, both)), both


def _row(
    given: dict[str, Any], set_name: str, row: dict[str, str], gpu_model: str, output: Span, gsd: Decimal,
    embodied: dict[str, str],
) -> dict[str, str]:
    set_, active = given["sets"][set_name], Ends.of(Decimal(row["active_parameters_billion"]))
    sizes = [fixed(Decimal(row[f"{kind}_parameters_billion"])) for kind in ("active", "total") for _ in ("low", "high")]
    kept = ("embodied_gco2e_per_request", "embodied_gco2e_per_output_token")
    unknown = [f"ecologits_{quantity}_per_{unit}_{end}" for quantity in ("kwh", "embodied_gco2e")
               for unit in ("request", "output_token") for end in ("min", "max")]
    return {
        **identity(set_, PROVIDER, row["model_name"], gpu_model),
        **zero_columns("request", "nano_usd"),
        **output.columns("kwh_per_output_token"),
        **input_columns(given, active, [gsd, Decimal(given["coefficients"]["prefill"]["gsd"])]),
        **no_columns("image", "audio_second", "video_second"),
        **span_of(given, "batch_output").columns("batch_output_ratio"),
        **{name: embodied.get(name, "") for name in kept},
        **water_columns(PROVIDER),
        "gsd_ratio": fixed(gsd, places=6),
        "boundary_flags": "pue;host;idle;no_network;no_training;no_embodied_input;short_prompts_in_output",
        "correlation_group": f"benchmark:{row['model_name']}",
        **size_columns(sizes),
        **dict.fromkeys(unknown, ""),
        "quarantine_reason": "",
        **provenance(set_, source_url=set_.get("source_url") or row["source_url"]),
    }
