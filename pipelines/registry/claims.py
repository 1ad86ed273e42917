"""What somebody asks the registry to record about a claim of efficiency: who says what of which workload.

The verdict belongs in the warehouse, which knows what came true (`fct_claim_docket`); the table in `models`.
"""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, model_validator

from pipelines.registry.drafts import Lasting
from pipelines.registry.fields import Day, Identifier, Role, decimal, one_of, refusal, shown, text

FUNCTIONAL_UNITS = ("total", "call", "output_token", "outcome")
CLAIM_PERIMETERS = ("organisation", "unit", "team", "workflow")


def _part(value: Any) -> Decimal:
    ratio = decimal(value, 18, 8)
    if not 0 < ratio < 1:
        raise refusal(
            f"{shown(value)} is no part of the energy that can be saved",
            "write 0.7 for 70 percent less, 0.99 for a hundredth of it",
        )
    return ratio


class ClaimDraft(Lasting):
    """A claim that something takes less energy, with what it takes to test it; what was not said stays empty.

    Attributes:
        claimant: The vendor or body that claims it.
        claim_source: Where it was said: title and address.
        claimed_saving_ratio: Above 0 and below 1, of the energy of one functional unit.
        functional_unit: Of what energy is said to be saved; `total` for the whole workload.
        workload, baseline, hardware: As the claimant states them.
        meter: Which meter would test it.
        perimeter_type, perimeter_id: The organisation's own workload on which it is tested.
        baseline_start, baseline_end: The days before, end exclusive.
        tested_start, tested_end: The days after, end exclusive; without an end, up to the ledger's last day.
        valid_to: Exclusive. Equal to `valid_from`, it withdraws the claim.
    """

    withdrawable: ClassVar[bool] = True

    claim_id: Identifier
    claimant: Role
    claim_text: text(500)
    claimed_on: Day
    claim_source: text(500)
    claimed_saving_ratio: Annotated[Decimal, BeforeValidator(_part)]
    functional_unit: one_of(*FUNCTIONAL_UNITS)
    workload: text(500) | None = None
    baseline: text(500) | None = None
    hardware: text(200) | None = None
    meter: text(200) | None = None
    perimeter_type: one_of(*CLAIM_PERIMETERS) | None = None
    perimeter_id: Identifier | None = None
    baseline_start: Day | None = None
    baseline_end: Day | None = None
    tested_start: Day | None = None
    tested_end: Day | None = None
    valid_from: Day
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if (self.perimeter_type is None) != (self.perimeter_id is None):
            raise refusal(
                "a perimeter has a type and an id", "fill in both, or leave both empty", "perimeter_id"
            )
        if self.perimeter_type == "organisation" and self.perimeter_id != "organisation":
            raise refusal(
                f"the whole organisation is one perimeter, not {shown(self.perimeter_id)}",
                "write organisation", "perimeter_id",
            )
        for first, end in (("baseline_start", "baseline_end"), ("tested_start", "tested_end")):
            starts, ends = getattr(self, first), getattr(self, end)
            if ends is not None and (starts is None or ends <= starts):
                raise refusal(
                    f"{end} {ends} is not after {first} {starts or '(empty)'}",
                    "give the first day after the period", end,
                )
        if self.baseline_start is not None and self.baseline_end is None:
            raise refusal("the baseline has no end", "give the first day after it", "baseline_end")
        if self.baseline_end and self.tested_start and self.tested_start < self.baseline_end:
            raise refusal(
                f"tested_start {self.tested_start} is before the baseline's end {self.baseline_end}",
                "give days after the baseline", "tested_start",
            )
        return self
