"""Output-token energy of a model behind an API: EcoLogits' estimate and the fitted form, as one range.

The fitted form does not belong here (benchmark.py), nor the writing of factor rows (models.py).
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist

from pipelines.factors.benchmark import assumptions, estimate
from pipelines.factors.values import JOULES_PER_KWH, Ends, Span, inputs, value_of

DIGITS = 9
"""Significant digits of a result: what is past them may differ between machines' mathematics libraries."""


@dataclass(frozen=True)
class Combined:
    """Facility energy of an output token, in kWh.

    Attributes:
        span: 95% range and central value (a geometric mean).
        gsd_ratio: Geometric standard deviation.
        fitted: The fitted form's central value alone.
        ecologits: EcoLogits' central value alone.
    """

    span: Span
    gsd_ratio: Decimal
    fitted: Decimal
    ecologits: Decimal


def combined(
    total: Ends, active: Ends, ecologits: Ends, sizes_assumed: bool = False, reasoning: bool = False
) -> Combined:
    """Combines two estimates of one model in logarithms.

    The variance is that of the fitted form with batch, accelerator and weight precision unknown, plus: how far the two
    methods are apart, as the variance of drawing one of them by its weight; the range of sizes, read as 90% of a
    log-normal; the total of a model that discloses none; and the ratio of facility to accelerator energy. Independent
    errors add in quadrature (IPCC 2006 Guidelines, volume 1, chapter 3).

    Args:
        total: Total parameters, billions.
        active: Active parameters, billions.
        ecologits: EcoLogits' facility kWh per output token, for the low and the high sizes.
        sizes_assumed: Whether the maker of the model has not disclosed its sizes.
        reasoning: Whether its outputs are of a reasoning model's length.

    Raises:
        ValueError: an end of a range is not positive, or active parameters exceed the total.
    """
    given, shared = assumptions()["combined"], inputs()
    weight = float(given["ecologits_weight"])
    facility = float(value_of(shared, "facility_ratio") / JOULES_PER_KWH)
    central_active, central_total = float(active.central), float(total.central)
    fitted = estimate(central_total, min(central_active, central_total), reasoning=reasoning)
    first = math.log(fitted.central * facility)
    second = math.log(float(ecologits.central))
    parts = [
        math.log(fitted.gsd),
        math.sqrt(weight * (1 - weight)) * (second - first),
        _size_range(total, active, ecologits, weight, reasoning),
        math.log(float(shared["coefficients"]["facility_ratio"]["gsd"])),
    ]
    if sizes_assumed:
        larger = estimate(central_total * given["assumed_total_gsd"], central_active, reasoning=reasoning)
        parts.append(math.log(larger.central / fitted.central))
    sd = math.sqrt(sum(part * part for part in parts))
    centre, reach = (1 - weight) * first + weight * second, sd * float(value_of(shared, "interval_width"))
    low, central, high, gsd, one, other = map(
        _decimal, (centre - reach, centre, centre + reach, sd, first, second)
    )
    return Combined(Span(low, central, high), gsd, one, other)


def _size_range(total: Ends, active: Ends, ecologits: Ends, weight: float, reasoning: bool) -> float:
    """Standard deviation that the range of sizes adds; its ends are paired, as EcoLogits pairs them."""
    small, large = (
        math.log(estimate(float(t), float(a), reasoning=reasoning).central)
        for t, a in ((total.low, active.low), (total.high, active.high))
    )
    library = math.log(float(ecologits.high) / float(ecologits.low))
    return ((1 - weight) * (large - small) + weight * library) / (2 * NormalDist().inv_cdf(0.95))


def _decimal(logarithm: float) -> Decimal:
    return Decimal(f"{math.exp(logarithm):.{DIGITS}g}")
