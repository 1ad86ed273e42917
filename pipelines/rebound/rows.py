"""Estimates as rows of text: one for each change and level, and one for each period of an event study.

Types do not belong here: the warehouse casts (`int_rebound`), so that no binary fraction gets into it.
"""

from collections.abc import Iterable, Iterator

from pipelines.rebound.estimating import Estimate

DECIMALS = ("rebound_ratio_low", "rebound_ratio", "rebound_ratio_high",
            "used_ratio_low", "used_ratio", "used_ratio_high",
            "expected_saving_ratio", "energy_before_kwh", "energy_after_kwh", "pre_trend_probability")
COUNTS = ("level", "event_week", "treated_count", "control_count", "left_out_count", "before_count", "after_count")
WORDS = ("change_id", "level_name", "method", "expected_source", "verdict", "warrant", "claim", "gap_reason")
Row = dict[str, str | None]


def rows(estimates: Iterable[Estimate]) -> Iterator[Row]:
    """All columns of each row, as text; `event_week` is None but for periods of an event study."""
    for estimate in estimates:
        found, effect = estimate.found, estimate.found.effect
        whole: dict[str, object] = {
            "change_id": estimate.change_id, "level": estimate.level, "level_name": estimate.level_name,
            "method": estimate.method, "verdict": estimate.verdict, "warrant": estimate.warrant,
            "claim": estimate.claim, "gap_reason": estimate.gap_reason,
            "rebound_ratio_low": estimate.low, "rebound_ratio": estimate.rebound, "rebound_ratio_high": estimate.high,
            "expected_saving_ratio": estimate.expected_saving_ratio, "expected_source": estimate.expected_source,
            "energy_before_kwh": estimate.energy_before_kwh, "energy_after_kwh": estimate.energy_after_kwh,
            "treated_count": found.n_treated, "control_count": found.n_control, "left_out_count": found.n_left_out,
            "before_count": found.periods_before, "after_count": found.periods_after,
            "pre_trend_probability": found.pre_trend_p,
        }
        yield _written(whole if effect is None else whole | _used(effect))
        for event in found.events:
            yield _written({"change_id": estimate.change_id, "level": estimate.level, "event_week": event.first_week,
                            **_used(event.effect)})


def _used(effect) -> dict[str, object]:
    return {"used_ratio_low": effect.low, "used_ratio": effect.used_ratio, "used_ratio_high": effect.high}


def _written(values: dict[str, object]) -> Row:
    """An empty text is no value, save for `gap_reason`, which says by it that there is no gap."""
    row: Row = dict.fromkeys((*WORDS, *COUNTS, *DECIMALS))
    for name, value in values.items():
        if value is not None and (value != "" or name == "gap_reason"):
            row[name] = f"{float(value):.9f}" if name in DECIMALS else str(value)
    return row
