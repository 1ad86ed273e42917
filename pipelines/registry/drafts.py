"""What somebody asks the registry to record: one validated value per entry, not yet written.

Tables belong in `models`; rules that need other entries belong in `together`, `ceilings` and `book`.
"""

from typing import ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pipelines.gate.file import CLASSES
from pipelines.registry.fields import (
    Count,
    Country,
    Day,
    Identifier,
    Instant,
    Limit,
    Role,
    Share,
    YesNo,
    country,
    one_of,
    refusal,
    shown,
    text,
)

PERIMETER_TYPES = ("organisation", "unit", "team", "workflow", "service", "country", "sector_tag")
METRICS = (
    "energy_kwh", "location_kgco2e", "market_kgco2e", "requests", "tokens", "gpu_hours", "cost_usd",
)
COUNTED = {"requests": "a request", "tokens": "a token"}  # metrics in whole numbers
MATCH_TYPES = ("api_key", "project", "pod", "tag", "node")


class Draft(BaseModel):
    """An entry as asked for. The field order is the column order of the CSV file.

    Attributes:
        withdrawable: Whether `valid_to` may equal `valid_from`: the entry then holds on no day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    withdrawable: ClassVar[bool] = False


class Lasting(Draft):
    """An entry with a `valid_from` and an optional `valid_to` among its fields; the order of these is its own."""

    @model_validator(mode="after")
    def _validity(self) -> Self:
        ends = self.valid_to
        if ends is None or ends > self.valid_from or (self.withdrawable and ends == self.valid_from):
            return self
        raise refusal(
            f"valid_to {ends} is not after valid_from {self.valid_from}",
            "give the first day on which it no longer holds, or leave it empty",
            "valid_to",
        )


class TeamDraft(Lasting):
    """A team, the unit that it is in and the country in which it is counted."""

    team_id: Identifier
    team_name: text(200)
    unit_id: Identifier
    unit_name: text(200)
    country: Country
    valid_from: Day
    valid_to: Day | None = None


class WorkflowDraft(Lasting):
    """A workflow with its owner and its job description: what the model calls are for.

    Attributes:
        sector_tag: The sector that it serves, across teams and units; None for none.
    """

    workflow_id: Identifier
    workflow_name: text(200)
    team_id: Identifier
    owner: Role
    job_description: text(2000)
    usefulness_class: one_of(*CLASSES)
    latency_tier: Identifier
    cacheable: YesNo
    small_model_fit: one_of("yes", "no", "untested")
    expected_monthly_calls: Count
    review_due_date: Day
    status: one_of("active", "retired")
    valid_from: Day
    valid_to: Day | None = None
    sector_tag: Identifier | None = None


class RuleDraft(Lasting):
    """Which workflow an identity seen in usage belongs to, and with which share.

    Attributes:
        source: The source in which the identity is seen; None for any.
        share: Part of the identity's usage; the rules of one identity sum to 1 on each day.
        valid_to: Exclusive. Equal to `valid_from`, it withdraws the rule: it then holds on no day.
    """

    withdrawable = True

    rule_id: Identifier
    match_type: one_of(*MATCH_TYPES)
    source: Identifier | None = None
    match_value: text(255)
    workflow_id: Identifier
    share: Share
    valid_from: Day
    valid_to: Day | None = None


class CeilingDraft(Draft):
    """A limit that a perimeter adopts for a period.

    Attributes:
        ceiling_id: None for the id that stands for this perimeter, metric and period, or a derived one.
        period_end: Exclusive.
        perimeter_id: Of a service, the provider as the ledger names it; of a country, its code; of a sector tag, the
            tag that workflows carry.
        limit_quantity: In the unit of the metric, which its name ends in; tokens and requests are counted.
        adopted_by: None for what stands, or for whoever records the first adoption. So for the next two.
        evidence: What the limit rests on: a title, an address, the id of an allocation; None for what stands.
    """

    ceiling_id: Identifier | None = None
    perimeter_type: one_of(*PERIMETER_TYPES)
    perimeter_id: Identifier
    metric: one_of(*METRICS)
    period_start: Day
    period_end: Day
    limit_quantity: Limit
    adopted_by: Role | None = None
    adopted_at_utc: Instant | None = None
    reason: text(500) | None = None
    evidence: text(500) | None = None

    @field_validator("perimeter_id")
    @classmethod
    def _a_country(cls, value: str, info: ValidationInfo) -> str:
        return country(value) if info.data.get("perimeter_type") == "country" else value

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.period_end <= self.period_start:
            raise refusal(
                f"the period ends on {self.period_end}, not after its start {self.period_start}",
                "give the first day after the period", "period_end",
            )
        if self.perimeter_type == "organisation" and self.perimeter_id != "organisation":
            raise refusal(
                f"the whole organisation is one perimeter, not {shown(self.perimeter_id)}",
                "write organisation", "perimeter_id",
            )
        if self.metric in COUNTED and self.limit_quantity != int(self.limit_quantity):
            raise refusal(f"there is no part of {COUNTED[self.metric]}", "write a whole number", "limit_quantity")
        return self


class Recording(Draft):
    """Who records something, why, when and by which way; the clock is the caller's."""

    recorded_by: text(200)
    reason: text(500)
    recorded_at_utc: Instant
    path: one_of("command", "import") = "command"


def problems(error: ValidationError) -> list[tuple[str, str, str]]:
    """A failed validation as (field, rule, fix), in the order of the fields."""
    found = []
    for item in error.errors(include_url=False, include_input=False):
        field = item.get("ctx", {}).get("field") or ".".join(str(part) for part in item["loc"][:1])
        if item["type"] == "jevons":
            found.append((field, item["ctx"]["rule"], item["ctx"]["fix"]))
        elif item["type"] == "missing":
            found.append((field, "the value is missing", "fill it in"))
        else:
            found.append((field, item["msg"], "correct the value"))
    return found

