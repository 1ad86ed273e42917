"""What goes into an estimate of rebound and what comes out: rows of changes and weeks, results, reasons for none.

How anything is estimated does not belong here, nor what a result is called in words (`pipelines.rebound.words`).

Source of the definition: Sorrell and Dimitropoulos, Ecological Economics 65 (2008) 636; rebound is the part of the
expected saving that was not realised.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import exp, log
from typing import NamedTuple

# A span of weeks on either side of a roll-out: half a year, beyond which other causes have long taken over.
MOST_PERIODS = 26
LEAST_PERIODS = 4  # on either side, for any figure at all
LEAST_BEFORE, LEAST_AFTER = 12, 8  # periods without which nothing causal is said where there is no control group
CONFIDENCE = 0.95
# Energy per request has to fall by this part at least: rebound divides by it.
LEAST_SAVING_RATIO = 0.01
# An interval that reaches further than this factor says nothing, and is refused.
LARGEST_FACTOR = 1000
RANDOMISED = "randomised order"  # `design` of a change whose order of roll-out was drawn by lot


class Touched(NamedTuple):
    """One workflow that a change has touched, as the efficiency register holds it.

    Attributes:
        change_id: The change.
        change_date: UTC day from which the change counts in this workflow; workflows may follow one another.
        workflow_id: The workflow.
        expected_saving_ratio: Part of the energy per request that the change should save; None = not declared.
        design: `randomised order`, or empty.
    """

    change_id: str
    change_date: date
    workflow_id: str
    expected_saving_ratio: Decimal | None
    design: str


class Week(NamedTuple):
    """One whole week of one workflow.

    Attributes:
        week_date: Its Monday, UTC.
        workflow_id: The workflow.
        team_id: The team that owns it.
        energy_kwh: Energy of the week; None where that of any call is unknown.
        request_count: Calls, retries included.
    """

    week_date: date
    workflow_id: str
    team_id: str
    energy_kwh: Decimal | None
    request_count: int


@dataclass(frozen=True)
class Effect:
    """What a level found of the total; the interval is None where the level has none.

    Attributes:
        used_ratio: Energy used, over the energy without the change: 0.9 where a tenth was saved.
        low, high: Its 95 % interval.
    """

    used_ratio: float | Fraction
    low: float | None = None
    high: float | None = None

    @classmethod
    def of_logs(cls, log_ratio: float, low: float, high: float) -> "Effect | None":
        """The effect from logarithms; None where the interval is so wide that it says nothing."""
        if not max(abs(low), abs(high)) < log(LARGEST_FACTOR):
            return None
        return cls(exp(log_ratio), exp(low), exp(high))

    def rebound(self, expected_saving_ratio: Fraction) -> tuple[float | Fraction, float | None, float | None]:
        """Rebound and its interval: 1 - realised / expected saving, which rises with the energy used."""
        figure, low, high = (
            None if used is None else 1 - (1 - used) / expected_saving_ratio
            for used in (self.used_ratio, self.low, self.high))
        return figure, low, high  # type: ignore[return-value]


@dataclass(frozen=True)
class EventPeriod:
    """One period of an event study, counted from each group's own roll-out.

    Attributes:
        first_week: Weeks from the roll-out to the period's first week; negative before it.
        effect: Energy over what the controls' course would have made of it.
    """

    first_week: int
    effect: Effect


@dataclass(frozen=True)
class Found:
    """What one level found, or why it found nothing.

    Attributes:
        effect: None where the level refuses.
        gap_reason: Why it refuses; empty where it does not.
        n_treated, n_control: Groups that rolled out, and those that were compared with.
        n_left_out: Groups that could have been one or the other, but lack weeks or were touched by another change.
        periods_before: Weeks that each of those that rolled out has before at least.
        periods_after: Weeks that the first of them has after.
        pre_trend_p: Probability of so different a course before the roll-outs if there was none; None = not tested.
        events: The event study, in order of time.
    """

    effect: Effect | None = None
    gap_reason: str = ""
    n_treated: int = 0
    n_control: int = 0
    n_left_out: int = 0
    periods_before: int = 0
    periods_after: int = 0
    pre_trend_p: float | None = None
    events: tuple[EventPeriod, ...] = field(default=())

    def with_effect(self, effect: Effect | None) -> "Found":
        """The finding with its effect, or the reason why there is none."""
        return replace(self, effect=effect, gap_reason="" if effect else "too_uncertain")
