"""What somebody asks the registry to record about the gate: which work is slowed or stopped before a limit is reached.

What a rule does to a call belongs in `pipelines.gate`; its table in `models`.
"""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BeforeValidator, ValidationInfo, field_validator, model_validator

from pipelines.gate.file import ACTIONS, CLASSES
from pipelines.registry.drafts import METRICS, PERIMETER_TYPES, Lasting
from pipelines.registry.fields import Day, Identifier, Role, country, decimal, one_of, refusal, shown


def _ratio(value: object) -> Decimal:
    ratio = decimal(value, 9, 8)
    if ratio > 1:
        raise refusal(
            f"the ratio {shown(value)} is above 1, and at the limit all but essential work stops anyway",
            "write 0.8 for four fifths of the limit",
        )
    return ratio


class GateRuleDraft(Lasting):
    """From which used part of a ceiling on a class of work is slowed, batched, moved to a smaller model or stopped.

    Attributes:
        from_ratio: Used over limit, at most 1. Essential work has no rule: it always passes.
        metric: Only ceilings in this metric; None for all.
        perimeter_type: Only work inside that perimeter, whichever ceiling covers it; None for all work.
        adopted_by: The body that assigned it.
        valid_to: Exclusive. Equal to `valid_from`, it withdraws the rule: it then holds on no day.
    """

    withdrawable = True

    gate_rule_id: Identifier
    usefulness_class: one_of(*(name for name in CLASSES if name != "essential"))
    action: one_of(*ACTIONS)
    from_ratio: Annotated[Decimal, BeforeValidator(_ratio)]
    metric: one_of(*METRICS) | None = None
    perimeter_type: one_of(*PERIMETER_TYPES) | None = None
    perimeter_id: Identifier | None = None
    adopted_by: Role
    review_due_date: Day
    valid_from: Day
    valid_to: Day | None = None

    @field_validator("perimeter_id")
    @classmethod
    def _a_country(cls, value: str | None, info: ValidationInfo) -> str | None:
        return country(value) if value and info.data.get("perimeter_type") == "country" else value

    @model_validator(mode="after")
    def _a_perimeter(self) -> Self:
        if (self.perimeter_type is None) != (self.perimeter_id is None):
            raise refusal("half a perimeter is none", "give perimeter_type and perimeter_id, or neither",
                          "perimeter_id" if self.perimeter_id is None else "perimeter_type")
        if self.perimeter_type == "organisation" and self.perimeter_id != "organisation":
            raise refusal(f"the whole organisation is one perimeter, not {shown(self.perimeter_id)}",
                          "write organisation", "perimeter_id")
        return self
