"""Factor rows that stand for a class: embeddings, sizes, images, audio, video, and money where nothing else is known.

The coefficients do not belong here: they are in inputs.toml. Models that are known by name are in `models`.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipelines.factors.rules import (
    identity,
    input_columns,
    no_columns,
    size_columns,
    water_columns,
    zero_columns,
)
from pipelines.factors.values import Ends, Span, fixed, interval, provenance, source_of, span_of

TOKENS = ("request", "output_token", "input_token", "cached_input_token", "cache_write_token")
MEDIA = ("image", "audio_second", "video_second")
WH_PER_KWH, NANO = Decimal(1000), Decimal(1_000_000_000)
NOT_MEASURED = "no_embodied;no_idle;no_network;no_training"


def default_rows(given: dict[str, Any]) -> Iterator[dict[str, str]]:
    """One row per embedding model, size class and medium, then one for spend."""
    for name in given["embeddings"]:
        yield _embedding_row(given, **name)
    for name, row in given["size_classes"].items():
        yield _size_class_row(given, name, row)
    for name, row in given["media"].items():
        yield _media_row(given, name, row)
    yield _spend_row(given)


def tier_rows(given: dict[str, Any]) -> Iterator[dict[str, str]]:
    """One row per rung of the ladder of evidence: how far a figure of it may be off."""
    for tier, row in sorted(given["tiers"].items()):
        gsd = Decimal(row["gsd"])
        yield {
            "evidence_tier": tier,
            "factor_set": given["sets"]["defaults"]["factor_set"],
            "tier_name": row["name"],
            "gsd_ratio": row["gsd"],
            "interval_ratio": fixed(interval(given, gsd), places=9),
            **provenance(given["sets"]["defaults"], **source_of(row)),
        }


def _embedding_row(given: dict[str, Any], provider: str, model_name: str) -> dict[str, str]:
    assumed = given["coefficients"]["embedding"]
    size, gsd = Ends.of(Decimal(assumed["value"])), Decimal(assumed["gsd"])
    energy = {
        # all of its work is on input tokens and it has no output tokens: these are zeros, not unknowns
        **zero_columns("request", "output_token"),
        **input_columns(given, size, [gsd]),
        **no_columns(*MEDIA),
    }
    return _row(given, provider, model_name, energy, assumed, gsd, "default:embedding",
                "pue;host;parameters_assumed", sizes=[fixed(size.central)] * 4)


def _size_class_row(given: dict[str, Any], name: str, row: dict[str, Any]) -> dict[str, str]:
    gsd, active = Decimal(row["gsd"]), Ends.of(Decimal(row["active_parameters_billion"]))
    output = Ends.of(Decimal(row["wh_per_1000_output_tokens"]) / WH_PER_KWH / 1000)
    energy = {
        **zero_columns("request"),
        **output.widened(interval(given, gsd)).columns("kwh_per_output_token"),
        **input_columns(given, active, [gsd]),
        **no_columns(*MEDIA),
    }
    return _row(given, "size_class", name, energy, row, gsd, "default:size_class", "pue;host;parameters_assumed")


def _media_row(given: dict[str, Any], name: str, row: dict[str, Any]) -> dict[str, str]:
    gsd, kind = Decimal(row["gsd"]), row["kind"]
    one = Ends.of(Decimal(row["wh"]) / WH_PER_KWH).widened(interval(given, gsd))
    energy = {
        # the whole work is in the picture or the second: its tokens are the same work, counted in another way
        **zero_columns(*TOKENS),
        **no_columns(*(other for other in MEDIA if other != kind)),
        **one.columns(f"kwh_per_{kind}"),
    }
    return _row(given, "generic", name, energy, row, gsd, f"default:{name}", "pue;host;parameters_assumed")


def _spend_row(given: dict[str, Any]) -> dict[str, str]:
    row = given["spend"]
    gsd = Decimal(row["gsd"])
    per_dollar = Ends.of(Decimal(row["electricity_share_ratio"]) / Decimal(row["tariff_usd_per_kwh"]) / NANO)
    energy = {
        # money is all that is counted; what else the bill's source tells is the same use once more
        **zero_columns(*TOKENS, *MEDIA),
        **per_dollar.widened(interval(given, gsd)).columns("kwh_per_nano_usd"),
    }
    return _row(given, "spend", "%", energy, row, gsd, "default:spend", "pue;host")


def _row(
    given: dict[str, Any], provider: str, model_name: str, energy: dict[str, str], source: dict[str, Any],
    gsd: Decimal, group: str, flags: str, sizes: list[str] | None = None,
) -> dict[str, str]:
    unknown = [f"ecologits_{quantity}_per_{unit}_{end}" for quantity in ("kwh", "embodied_gco2e")
               for unit in ("request", "output_token") for end in ("min", "max")]
    one = Span(Decimal(1), Decimal(1), Decimal(1))
    output_is_zero = energy["kwh_per_output_token"] == "0"
    return {
        **identity(given["sets"]["defaults"], provider, model_name),
        "input_gsd_ratio": "",
        **zero_columns("nano_usd"),
        **energy,
        **(one if output_is_zero else span_of(given, "batch_output")).columns("batch_output_ratio"),
        "embodied_gco2e_per_request": "",
        "embodied_gco2e_per_output_token": "",
        **water_columns(provider),
        "gsd_ratio": fixed(gsd),
        "boundary_flags": f"{flags};{NOT_MEASURED}",
        "correlation_group": group,
        **size_columns(sizes or [""] * 4),
        **dict.fromkeys(unknown, ""),
        "quarantine_reason": "",
        **provenance(given["sets"]["defaults"], **source_of(source)),
    }
