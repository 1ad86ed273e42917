"""Turns a vendor's rows into typed columns, and says which row, field and rule stand in the way.

Whether the values are plausible is the gate's business; here a value either has its column's type or has not.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa

from pipelines.errors import Finding
from pipelines.source import Column, Table

_SIMPLE = {
    "VARCHAR": pa.string(), "BIGINT": pa.int64(), "INTEGER": pa.int32(), "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"),
}
# OverflowError: an instant of the year 1 or 9999 that leaves the calendar on its way to UTC
REFUSED = (pa.ArrowException, TypeError, ValueError, InvalidOperation, OverflowError)


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type of a column's DuckDB type."""
    if column.type in _SIMPLE:
        return _SIMPLE[column.type]
    decimal = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", column.type)
    if not decimal:
        raise ValueError(f"column {column.name} has the unknown type {column.type}")
    return pa.decimal128(int(decimal[1]), int(decimal[2]))


def arrow_schema(table: Table) -> pa.Schema:
    """The table's columns as an Arrow schema."""
    return pa.schema([(column.name, arrow_type(column)) for column in table.columns])


def to_arrow(table: Table, rows: Sequence[Mapping[str, Any]], where: str) -> tuple[pa.Table, list[Finding]]:
    """The rows as typed columns, and the findings for those that do not fit.

    Args:
        where: The request the rows came from, for the findings.

    Returns:
        A table of the rows that fit, and a finding for each field that is unknown or has the wrong type. The finding
        carries the row's day, so that the whole day is held back rather than published without the row.
    """
    schema = arrow_schema(table)
    known = set(schema.names)
    if all(row.keys() <= known for row in rows):
        try:
            return pa.table([_exact([row.get(f.name) for row in rows], f.type) for f in schema], schema=schema), []
        except REFUSED:
            pass  # one field somewhere does not fit: look at them one by one
    findings: list[Finding] = []
    fitting: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        wrong = [
            Finding(f"{where}, row {number}, field {name}", "this field is not part of the source's contract",
                    "update Jevons, or report the vendor's change; the day waits in quarantine", _day(table, row))
            for name in sorted(row.keys() - known)
        ]
        fit: dict[str, Any] = {}
        for column in table.columns:
            try:
                fit[column.name] = _exact([row.get(column.name)], schema.field(column.name).type)[0].as_py()
            except REFUSED:
                wrong.append(Finding(
                    f"{where}, row {number}, field {column.name}",
                    f"{str(row.get(column.name))[:40]!r} is not a {_spoken(column.type)}",
                    "correct it at the source and run the day again", _day(table, row),
                ))
        findings += wrong
        if not wrong:
            fitting.append(fit)
    columns = [pa.array([row[f.name] for row in fitting], f.type) for f in schema]
    return pa.table(columns, schema=schema), findings


def _exact(values: list[Any], kind: pa.DataType) -> pa.Array:
    """The values as an array, refusing every silent change that Arrow would make."""
    if pa.types.is_integer(kind):
        for value in values:
            if isinstance(value, (bool, str)):
                raise ValueError(value)
            # the size first: int() of 1E+999999999, a valid JSON number, would take hours
            if value is not None and (not -(2**63) <= value < 2**63 or value != int(value)):
                raise ValueError(value)
        values = [None if value is None else int(value) for value in values]
    elif pa.types.is_decimal(kind):
        values = [None if value is None else _decimal(value) for value in values]
    elif pa.types.is_timestamp(kind):
        values = [None if value is None else _utc(value) for value in values]
    elif pa.types.is_date(kind) and any(isinstance(value, datetime) for value in values):
        raise ValueError("an instant is not a day")
    return pa.array(values, kind)


def _decimal(value: Any) -> Decimal:
    number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    # Arrow crashes the whole process on 1E-999999999, a valid JSON number
    if not number.is_finite() or abs(number.adjusted()) > 100:
        raise ValueError(value)
    return number


def _utc(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return value.astimezone(UTC).replace(tzinfo=None)


def _day(table: Table, row: Mapping[str, Any]) -> str | None:
    """The row's day, or None (the whole request is held back) if even that cannot be told."""
    if table.day_of is None:
        return None
    try:
        day = table.day_of(row)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return day.isoformat() if isinstance(day, date) else None


def _spoken(kind: str) -> str:
    return {
        "BIGINT": "whole number", "INTEGER": "whole number", "VARCHAR": "text", "BOOLEAN": "true or false",
        "DATE": "day (YYYY-MM-DD)", "TIMESTAMP": "instant with a time zone",
    }.get(kind, "decimal number")
