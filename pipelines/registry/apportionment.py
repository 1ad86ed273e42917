"""Splits a quantity among several by weighted criteria, so that the parts sum to it to the last digit.

Where the values of a criterion come from belongs in `allocation` and `past_use`; here is arithmetic, in whole numbers.

The method is the largest remainder: each part is rounded down to a step, and the steps that are left go to the largest
remainders, ties to the first name. Whose own value alone rises never gets less. Known limits of the method remain:
where the quantity itself rises, or several values change at once, a part may fall by a step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod

SHARE_DIGITS = 12  # of a share as it is shown and kept; the quota does not pass through it


@dataclass(frozen=True)
class Criterion:
    """One of the reasons by which a quantity is split.

    Attributes:
        weight: Of 1, which the weights of all criteria sum to.
        values: Name of each part to its value, at least 0, in a unit of the criterion's own; not all of them 0.
    """

    name: str
    weight: Decimal
    values: Mapping[str, Decimal]


@dataclass(frozen=True)
class Part:
    """What one gets.

    Attributes:
        share: Of 1, rounded to `SHARE_DIGITS`.
        quota: In the unit of the quantity, exact.
    """

    share: Decimal
    quota: Decimal


def apportioned(quantity: Decimal, decimals: int, criteria: Sequence[Criterion]) -> dict[str, Part]:
    """The part of each, by name.

    Args:
        quantity: What is split; a whole number of steps of 10**-decimals.
        decimals: Of the quotas.
        criteria: Of the same names.
    """
    names = sorted(criteria[0].values)
    values = [_whole([criterion.values[name] for name in names]) for criterion in criteria]
    sums = [sum(row) for row in values]
    weights = [weight * prod(sums[:at] + sums[at + 1:])
               for at, weight in enumerate(_whole([criterion.weight for criterion in criteria]))]
    scores = [sum(weight * row[at] for weight, row in zip(weights, values, strict=True)) for at in range(len(names))]
    total = sum(scores)
    quotas = largest_remainder(_steps(quantity, decimals), scores)
    return {
        name: Part(
            Decimal((2 * score * 10**SHARE_DIGITS + total) // (2 * total)).scaleb(-SHARE_DIGITS),
            Decimal(f"{quota}e-{decimals}"),
        )
        for name, score, quota in zip(names, scores, quotas, strict=True)
    }


def largest_remainder(whole: int, scores: Sequence[int]) -> list[int]:
    """A whole number split in proportion to scores, in whole numbers; of equal remainders the first one is served."""
    total = sum(scores)
    parts = [whole * score // total for score in scores]
    order = sorted(range(len(scores)), key=lambda at: (-(whole * scores[at] % total), at))
    for at in order[:whole - sum(parts)]:
        parts[at] += 1
    return parts


def _whole(values: Sequence[Decimal]) -> list[int]:
    """Decimals as whole numbers in the same proportions."""
    places = max(0, *(-int(value.as_tuple().exponent) for value in values))
    return [_steps(value, places) for value in values]


def _steps(value: Decimal, places: int) -> int:
    """How often 10**-places goes into a value, without the rounding that decimals of many digits would bring."""
    top, bottom = value.as_integer_ratio()
    steps, rest = divmod(top * 10**places, bottom)
    if rest:
        raise ValueError(f"{value} is no whole number of steps of 10**-{places}")
    return steps
