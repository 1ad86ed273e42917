"""What the tables of the registry are made of: what every row carries, exact decimals, instants in UTC.

The tables themselves belong in `models` and the modules beside it whose names end in `tables`.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Date, DateTime, Integer, Numeric, String, Text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


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


RowId = BigInteger().with_variant(Integer, "sqlite")


class Recorded(SQLModel):
    """What every row carries: since when it holds, and who recorded it, when, why and instead of which row.

    Attributes:
        row_id: Order of recording within the table.
        version: 1 for the first row of an id, then counted up.
        valid_from: First day on which it holds (for a ceiling, the day of its adoption).
        supersedes: `row_id` of the version that stood before; None for the first.
    """

    row_id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    version: int
    valid_from: date = Field(sa_type=Date)
    recorded_at_utc: datetime = Field(sa_type=UtcInstant)
    recorded_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
