"""The tables of allocations: how the limit of a ceiling was split among those below it, with all that it was made of.

The computation belongs in `apportionment`, reading and writing in `allocation`. Rows stay as they were written.
"""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Date, Text
from sqlmodel import Field, SQLModel

from pipelines.registry.recorded import ExactDecimal, RowId, UtcInstant


class Allocation(SQLModel, table=True):
    """One computation that was adopted.

    Attributes:
        allocation_id: Made from the content, so that a changed row no longer has the name it is called by.
        parent_ceiling_id: The ceiling that was split.
        perimeter_type: Of the parent.
        quantity: What was split, in the unit of the metric: the parent's limit, or less.
        decimals: Of the quotas.
        child_type: unit, team or workflow.
        weights: JSON: criterion to its weight; they sum to 1.
        inputs: JSON: the build and the days that use was read from, weights of classes, the file of headcounts.
    """

    __tablename__ = "allocations"

    row_id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    allocation_id: str = Field(max_length=64)
    recorded_at_utc: datetime = Field(sa_type=UtcInstant)
    recorded_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    parent_ceiling_id: str = Field(max_length=64)
    perimeter_type: str = Field(max_length=16)
    perimeter_id: str = Field(max_length=64)
    metric: str = Field(max_length=32)
    period_start: date = Field(sa_type=Date)
    period_end: date = Field(sa_type=Date)
    quantity: Decimal = Field(sa_type=ExactDecimal(24, 9))
    decimals: int
    child_type: str = Field(max_length=16)
    weights: str = Field(sa_type=Text)
    inputs: str = Field(sa_type=Text)


class AllocationShare(SQLModel, table=True):
    """What one child got.

    Attributes:
        inputs: JSON: criterion to the child's value; of use also how many calls of it are unknown, and use by class.
        share: Of 1.
        quota_quantity: Its limit, in the unit of the metric.
    """

    __tablename__ = "allocation_shares"

    row_id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    allocation_id: str = Field(max_length=64)
    perimeter_id: str = Field(max_length=64)
    inputs: str = Field(sa_type=Text)
    share: Decimal = Field(sa_type=ExactDecimal(13, 12))
    quota_quantity: Decimal = Field(sa_type=ExactDecimal(24, 9))
