"""The tables of who uses AI for what and within which limits, and the kinds of entry that the registry knows.

Every row is one recorded version, and stays as it was written. Validation belongs in `drafts`, since a SQLModel table
validates nothing; connections and guards in `store`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Date, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from pipelines.registry.changes import ChangeDraft
from pipelines.registry.claims import ClaimDraft
from pipelines.registry.decisions import RatchetDraft, ReviewDraft
from pipelines.registry.drafts import CeilingDraft, Draft, RuleDraft, TeamDraft, WorkflowDraft
from pipelines.registry.fields import choices_of
from pipelines.registry.gate_rules import GateRuleDraft
from pipelines.registry.governance_tables import Change, Claim, Levy, LevyUse, Ratchet, Review, Vendor, VendorAnswer
from pipelines.registry.levies import LevyDraft, LevyUseDraft
from pipelines.registry.recorded import ExactDecimal, Recorded, RowId, UtcInstant
from pipelines.registry.vendors import VendorAnswerDraft, VendorDraft


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
    supersedes: int | None = Field(default=None, foreign_key="teams.row_id", unique=True, sa_type=RowId)


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
    supersedes: int | None = Field(default=None, foreign_key="workflows.row_id", unique=True, sa_type=RowId)


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
        default=None, foreign_key="attribution_rules.row_id", unique=True, sa_type=RowId
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
    supersedes: int | None = Field(default=None, foreign_key="ceilings.row_id", unique=True, sa_type=RowId)


class RefusedAttempt(SQLModel, table=True):
    """One attempt at a ceiling that was refused: who tried what, when, by which way, and the rule in its way.

    Attributes:
        path: command, import, or sql for a statement that the database itself refused.
        tried: JSON of the perimeter, metric, period and limit as they were given.
        field: What was at fault; empty where the whole is.
    """

    __tablename__ = "refused_attempts"

    row_id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
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
    supersedes: int | None = Field(default=None, foreign_key="gate_rules.row_id", unique=True, sa_type=RowId)


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
