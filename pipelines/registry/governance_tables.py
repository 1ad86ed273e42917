"""The tables of what is claimed, levied, asked of vendors, changed, reviewed and handed back.

What may stand in them belongs in the modules of their drafts; they are listed as kinds of entry in `models`.
"""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Date, Integer, Text, UniqueConstraint
from sqlmodel import Field

from pipelines.registry.recorded import ExactDecimal, Recorded, RowId, UtcInstant


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
    supersedes: int | None = Field(default=None, foreign_key="claims.row_id", unique=True, sa_type=RowId)


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
    supersedes: int | None = Field(default=None, foreign_key="levies.row_id", unique=True, sa_type=RowId)


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
    supersedes: int | None = Field(default=None, foreign_key="levy_uses.row_id", unique=True, sa_type=RowId)


class Vendor(Recorded, table=True):
    """One version of a vendor and the providers that stand for it."""

    __tablename__ = "vendors"
    __table_args__ = (UniqueConstraint("vendor_id", "version"),)

    vendor_id: str = Field(max_length=64)
    vendor_name: str = Field(sa_type=Text)
    providers: str = Field(sa_type=Text)
    supersedes: int | None = Field(default=None, foreign_key="vendors.row_id", unique=True, sa_type=RowId)


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
    supersedes: int | None = Field(default=None, foreign_key="vendor_answers.row_id", unique=True, sa_type=RowId)


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
    supersedes: int | None = Field(default=None, foreign_key="changes.row_id", unique=True, sa_type=RowId)


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
    supersedes: int | None = Field(default=None, foreign_key="reviews.row_id", unique=True, sa_type=RowId)


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
    supersedes: int | None = Field(default=None, foreign_key="ratchets.row_id", unique=True, sa_type=RowId)
