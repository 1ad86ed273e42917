"""The tables of the registry: every row is one recorded version, and stays as it was written.

Validation belongs in `drafts`, since a SQLModel table validates nothing; connections and guards in `store`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Date, DateTime, Integer, Numeric, String, Text, UniqueConstraint
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from pipelines.registry.changes import ChangeDraft
from pipelines.registry.claims import ClaimDraft
from pipelines.registry.decisions import RatchetDraft, ReviewDraft
from pipelines.registry.drafts import CeilingDraft, Draft, RuleDraft, TeamDraft, WorkflowDraft
from pipelines.registry.fields import choices_of
from pipelines.registry.gate_rules import GateRuleDraft
from pipelines.registry.levies import LevyDraft, LevyUseDraft
from pipelines.registry.vendors import VendorAnswerDraft, VendorDraft


class ExactDecimal(TypeDecorator):
    """DECIMAL(precision, scale), which SQLite keeps as text with all decimals: its own numbers are floats."""

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int):
        super().__init__()
        self.precision, self.scale = precision, scale

    def load_dialect_impl(self, dialect: Any) -> Any:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(self.precision + 1))
        return dialect.type_descriptor(Numeric(self.precision, self.scale))

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> Any:
        if value is None:
            return None
        value = value.quantize(Decimal(1).scaleb(-self.scale))
        return f"{value:f}" if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(value).quantize(Decimal(1).scaleb(-self.scale))


class UtcInstant(TypeDecorator):
    """An instant, kept and read as UTC without zone; one without a zone is the caller's mistake."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant must name its time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value


_RowId = BigInteger().with_variant(Integer, "sqlite")


class Recorded(SQLModel):
    """What every row carries: since when it holds, and who recorded it, when, why and instead of which row.

    Attributes:
        row_id: Order of recording within the table.
        version: 1 for the first row of an id, then counted up.
        valid_from: First day on which it holds (for a ceiling, the day of its adoption).
        supersedes: `row_id` of the version that stood before; None for the first.
    """

    row_id: int | None = Field(default=None, primary_key=True, sa_type=_RowId)
    version: int
    valid_from: date = Field(sa_type=Date)
    recorded_at_utc: datetime = Field(sa_type=UtcInstant)
    recorded_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)


class Team(Recorded, table=True):
    """One version of a team."""

    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("team_id", "version"),)

    team_id: str = Field(max_length=64)
    team_name: str = Field(sa_type=Text)
    unit_id: str = Field(max_length=64)
    unit_name: str = Field(sa_type=Text)
    country: str = Field(max_length=3)
    valid_to: date | None = Field(default=None, sa_type=Date)
    supersedes: int | None = Field(default=None, foreign_key="teams.row_id", unique=True, sa_type=_RowId)


class Workflow(Recorded, table=True):
    """One version of a workflow."""

    __tablename__ = "workflows"
    __table_args__ = (UniqueConstraint("workflow_id", "version"),)

    workflow_id: str = Field(max_length=64)
    workflow_name: str = Field(sa_type=Text)
    team_id: str = Field(max_length=64)
    owner: str = Field(sa_type=Text)
    job_description: str = Field(sa_type=Text)
    usefulness_class: str = Field(max_length=16)
    latency_tier: str = Field(max_length=64)
    cacheable: bool
    small_model_fit: str = Field(max_length=16)
    expected_monthly_calls: int = Field(sa_type=BigInteger)
    review_due_date: date = Field(sa_type=Date)
    status: str = Field(max_length=16)
    valid_to: date | None = Field(default=None, sa_type=Date)
    sector_tag: str | None = Field(default=None, max_length=64)
    supersedes: int | None = Field(default=None, foreign_key="workflows.row_id", unique=True, sa_type=_RowId)


class AttributionRule(Recorded, table=True):
    """One version of a rule from an identity seen in usage to a workflow."""

    __tablename__ = "attribution_rules"
    __table_args__ = (UniqueConstraint("rule_id", "version"),)

    rule_id: str = Field(max_length=64)
    match_type: str = Field(max_length=16)
    source: str | None = Field(default=None, max_length=64)
    match_value: str = Field(sa_type=Text)
    workflow_id: str = Field(max_length=64)
    share: Decimal = Field(sa_type=ExactDecimal(9, 8))
    valid_to: date | None = Field(default=None, sa_type=Date)
    supersedes: int | None = Field(
        default=None, foreign_key="attribution_rules.row_id", unique=True, sa_type=_RowId
    )


class Ceiling(Recorded, table=True):
    """One version of a ceiling: its adoption, or a lowering."""

    __tablename__ = "ceilings"
    __table_args__ = (UniqueConstraint("ceiling_id", "version"),)

    ceiling_id: str = Field(max_length=64)
    perimeter_type: str = Field(max_length=16)
    perimeter_id: str = Field(max_length=64)
    metric: str = Field(max_length=32)
    period_start: date = Field(sa_type=Date)
    period_end: date = Field(sa_type=Date)
    limit_quantity: Decimal = Field(sa_type=ExactDecimal(24, 9))
    adopted_by: str = Field(sa_type=Text)
    adopted_at_utc: datetime = Field(sa_type=UtcInstant)
    evidence: str | None = Field(default=None, sa_type=Text)
    supersedes: int | None = Field(default=None, foreign_key="ceilings.row_id", unique=True, sa_type=_RowId)


class RefusedAttempt(SQLModel, table=True):
    """One attempt at a ceiling that was refused: who tried what, when, by which way, and the rule in its way.

    Attributes:
        path: command, import, or sql for a statement that the database itself refused.
        tried: JSON of the perimeter, metric, period and limit as they were given.
        field: What was at fault; empty where the whole is.
    """

    __tablename__ = "refused_attempts"

    row_id: int | None = Field(default=None, primary_key=True, sa_type=_RowId)
    attempted_at_utc: datetime = Field(sa_type=UtcInstant)
    attempted_by: str = Field(sa_type=Text)
    path: str = Field(max_length=16)
    entry_id: str = Field(sa_type=Text)
    tried: str = Field(sa_type=Text)
    field: str = Field(max_length=64)
    rule: str = Field(sa_type=Text)
    fix: str = Field(sa_type=Text)


class GateRule(Recorded, table=True):
    """One version of a rule of the gate: what happens to a class of work before a limit is reached."""

    __tablename__ = "gate_rules"
    __table_args__ = (UniqueConstraint("gate_rule_id", "version"),)

    gate_rule_id: str = Field(max_length=64)
    usefulness_class: str = Field(max_length=16)
    action: str = Field(max_length=16)
    from_ratio: Decimal = Field(sa_type=ExactDecimal(9, 8))
    metric: str | None = Field(default=None, max_length=32)
    perimeter_type: str | None = Field(default=None, max_length=16)
    perimeter_id: str | None = Field(default=None, max_length=64)
    adopted_by: str = Field(sa_type=Text)
    review_due_date: date = Field(sa_type=Date)
    valid_to: date | None = Field(default=None, sa_type=Date)
    supersedes: int | None = Field(default=None, foreign_key="gate_rules.row_id", unique=True, sa_type=_RowId)


class Claim(Recorded, table=True):
    """One version of a claim of efficiency."""

    __tablename__ = "claims"
    __table_args__ = (UniqueConstraint("claim_id", "version"),)

    claim_id: str = Field(max_length=64)
    claimant: str = Field(sa_type=Text)
    claim_text: str = Field(sa_type=Text)
    claimed_on: date = Field(sa_type=Date)
    claim_source: str = Field(sa_type=Text)
    claimed_saving_ratio: Decimal = Field(sa_type=ExactDecimal(9, 8))
    functional_unit: str = Field(max_length=16)
    workload: str | None = Field(default=None, sa_type=Text)
    baseline: str | None = Field(default=None, sa_type=Text)
    hardware: str | None = Field(default=None, sa_type=Text)
    meter: str | None = Field(default=None, sa_type=Text)
    perimeter_type: str | None = Field(default=None, max_length=16)
    perimeter_id: str | None = Field(default=None, max_length=64)
    baseline_start: date | None = Field(default=None, sa_type=Date)
    baseline_end: date | None = Field(default=None, sa_type=Date)
    tested_start: date | None = Field(default=None, sa_type=Date)
    tested_end: date | None = Field(default=None, sa_type=Date)
    valid_to: date | None = Field(default=None, sa_type=Date)
    supersedes: int | None = Field(default=None, foreign_key="claims.row_id", unique=True, sa_type=_RowId)


class Levy(Recorded, table=True):
    """One version of a levy: a price of carbon on a perimeter."""

    __tablename__ = "levies"
    __table_args__ = (UniqueConstraint("levy_id", "version"),)

    levy_id: str = Field(max_length=64)
    levy_kind: str = Field(max_length=16)
    perimeter_type: str = Field(max_length=16)
    perimeter_id: str = Field(max_length=64)
    basis: str = Field(max_length=32)
    price_per_tonne: Decimal = Field(sa_type=ExactDecimal(13, 4))
    currency: str = Field(max_length=3)
    adopted_by: str = Field(sa_type=Text)
    valid_to: date | None = Field(default=None, sa_type=Date)
    supersedes: int | None = Field(default=None, foreign_key="levies.row_id", unique=True, sa_type=_RowId)


class LevyUse(Recorded, table=True):
    """One version of what a part of a levy's fund was used for."""

    __tablename__ = "levy_uses"
    __table_args__ = (UniqueConstraint("use_id", "version"),)

    use_id: str = Field(max_length=64)
    levy_id: str = Field(max_length=64)
    used_on_date: date = Field(sa_type=Date)
    amount: Decimal = Field(sa_type=ExactDecimal(18, 2))
    purpose: str = Field(sa_type=Text)
    approved_by: str = Field(sa_type=Text)
    evidence: str = Field(sa_type=Text)
    supersedes: int | None = Field(default=None, foreign_key="levy_uses.row_id", unique=True, sa_type=_RowId)


class Vendor(Recorded, table=True):
    """One version of a vendor and the providers that stand for it."""

    __tablename__ = "vendors"
    __table_args__ = (UniqueConstraint("vendor_id", "version"),)

    vendor_id: str = Field(max_length=64)
    vendor_name: str = Field(sa_type=Text)
    providers: str = Field(sa_type=Text)
    supersedes: int | None = Field(default=None, foreign_key="vendors.row_id", unique=True, sa_type=_RowId)


class VendorAnswer(Recorded, table=True):
    """One version of a vendor's answer to a question."""

    __tablename__ = "vendor_answers"
    __table_args__ = (UniqueConstraint("answer_id", "version"),)

    answer_id: str = Field(max_length=64)
    vendor_id: str = Field(max_length=64)
    question: str = Field(max_length=32)
    answer: str = Field(max_length=16)
    answer_text: str = Field(sa_type=Text)
    evidence_title: str | None = Field(default=None, sa_type=Text)
    evidence_address: str | None = Field(default=None, sa_type=Text)
    answered_on_date: date = Field(sa_type=Date)
    supersedes: int | None = Field(default=None, foreign_key="vendor_answers.row_id", unique=True, sa_type=_RowId)


class Change(Recorded, table=True):
    """One version of an efficiency change."""

    __tablename__ = "changes"
    __table_args__ = (UniqueConstraint("change_id", "version"),)

    change_id: str = Field(max_length=64)
    change_type: str = Field(max_length=16)
    change_date: date = Field(sa_type=Date)
    workflow_ids: str = Field(sa_type=Text)
    expected_saving_ratio: Decimal | None = Field(default=None, sa_type=ExactDecimal(9, 8))
    expected_source: str | None = Field(default=None, sa_type=Text)
    design: str | None = Field(default=None, max_length=32)
    owner: str | None = Field(default=None, sa_type=Text)
    origin: str = Field(max_length=16)
    valid_to: date | None = Field(default=None, sa_type=Date)
    supersedes: int | None = Field(default=None, foreign_key="changes.row_id", unique=True, sa_type=_RowId)


class Review(Recorded, table=True):
    """One version of the outcome of a workload review."""

    __tablename__ = "reviews"
    __table_args__ = (UniqueConstraint("review_id", "version"),)

    review_id: str = Field(max_length=72)
    change_id: str = Field(max_length=64)
    after_days: int = Field(sa_type=Integer)
    outcome: str = Field(max_length=16)
    decided_by: str = Field(sa_type=Text)
    decided_at_utc: datetime = Field(sa_type=UtcInstant)
    supersedes: int | None = Field(default=None, foreign_key="reviews.row_id", unique=True, sa_type=_RowId)


class Ratchet(Recorded, table=True):
    """One version of what became of the lower ceiling that a confirmed saving proposes."""

    __tablename__ = "ratchets"
    __table_args__ = (UniqueConstraint("change_id", "version"),)

    change_id: str = Field(max_length=64)
    decision: str = Field(max_length=16)
    ceiling_id: str = Field(max_length=64)
    limit_before_quantity: Decimal = Field(sa_type=ExactDecimal(24, 9))
    limit_quantity: Decimal = Field(sa_type=ExactDecimal(24, 9))
    decided_by: str = Field(sa_type=Text)
    decided_at_utc: datetime = Field(sa_type=UtcInstant)
    supersedes: int | None = Field(default=None, foreign_key="ratchets.row_id", unique=True, sa_type=_RowId)


@dataclass(frozen=True)
class Kind:
    """One sort of entry: its name on the command line, its table, its draft and its id column.

    Attributes:
        fixed: Columns that say what an entry is, and that no later version of it may change.
    """

    name: str
    table: type[Recorded]
    draft: type[Draft]
    id_field: str
    fixed: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its CSV file, in order."""
        return tuple(self.draft.model_fields)

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that a CSV file must have."""
        return tuple(name for name, field in self.draft.model_fields.items() if field.is_required())

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The columns that take one of a few words, and these."""
        found = {
            name: [choice for choice in map(choices_of, field.metadata) if choice]
            for name, field in self.draft.model_fields.items()
        }
        return {name: choices[0] for name, choices in found.items() if choices}


# In this order a first import finds whatever it refers to.
KINDS = {
    kind.name: kind
    for kind in (
        Kind("teams", Team, TeamDraft, "team_id"),
        Kind("workflows", Workflow, WorkflowDraft, "workflow_id"),
        Kind("rules", AttributionRule, RuleDraft, "rule_id"),
        Kind("ceilings", Ceiling, CeilingDraft, "ceiling_id"),
        Kind("gate_rules", GateRule, GateRuleDraft, "gate_rule_id"),
        Kind("claims", Claim, ClaimDraft, "claim_id"),
        Kind("levies", Levy, LevyDraft, "levy_id",
             ("levy_kind", "perimeter_type", "perimeter_id", "basis", "currency")),
        Kind("levy_uses", LevyUse, LevyUseDraft, "use_id", ("levy_id",)),
        Kind("vendors", Vendor, VendorDraft, "vendor_id"),
        Kind("vendor_answers", VendorAnswer, VendorAnswerDraft, "answer_id", ("vendor_id", "question")),
        Kind("changes", Change, ChangeDraft, "change_id"),
        Kind("reviews", Review, ReviewDraft, "review_id"),
        Kind("ratchets", Ratchet, RatchetDraft, "change_id"),
    )
}
