"""Vendors' rows as typed columns: what fits, what is refused, and that nothing changes silently."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pytest

from pipelines.source import Column, Table
from pipelines.typed import arrow_schema, arrow_type, to_arrow

TABLE = Table(
    "t",
    (Column("name", "VARCHAR", ""), Column("n", "BIGINT", ""), Column("i", "INTEGER", ""), Column("b", "BOOLEAN", ""),
     Column("d", "DATE", ""), Column("at_utc", "TIMESTAMP", ""), Column("x", "DECIMAL(12,6)", "")),
    ("name",), lambda context, window: iter(()), "T.", day_of=lambda row: row["d"],
)
DAY = date(2026, 6, 1)


def one(**values):
    """The row as it is stored, or the rule that it breaks."""
    table, findings = to_arrow(TABLE, [{"d": DAY, **values}], "GET page")
    return table.to_pylist()[0] if not findings else [finding.rule for finding in findings]


def test_each_type_is_kept_exactly():
    plus_two = timezone(timedelta(hours=2))
    assert one(name="é\u0000", n=-(2**63), i=2**31 - 1, b=False, x=Decimal("-999999.999999"),
               at_utc=datetime(2026, 6, 1, 1, 30, tzinfo=plus_two)) == {
        "name": "é\u0000", "n": -(2**63), "i": 2**31 - 1, "b": False, "d": DAY, "x": Decimal("-999999.999999"),
        "at_utc": datetime(2026, 5, 31, 23, 30),  # 01:30 at UTC+2
    }


def test_what_is_not_there_is_null_and_not_zero():
    assert one() == {"name": None, "n": None, "i": None, "b": None, "d": DAY, "at_utc": None, "x": None}


@pytest.mark.parametrize(
    ("field", "value", "stored"), [
        ("n", 5.0, 5), ("n", Decimal("7"), 7), ("n", Decimal("1E+3"), 1000), ("n", 2**63 - 1, 2**63 - 1),
        ("x", 1, Decimal(1)), ("x", "0.5", Decimal("0.5")), ("x", 0.1, Decimal("0.1")), ("x", Decimal("1E-6"),
                                                                                         Decimal("0.000001")),
    ],
)
def test_whole_numbers_and_decimals_may_be_written_in_several_ways(field, value, stored):
    assert one(**{field: value})[field] == stored


@pytest.mark.parametrize(
    ("field", "value", "rule"), [
        ("n", 1.5, "'1.5' is not a whole number"), ("n", Decimal("0.000001"), "is not a whole number"),
        ("n", "5", "'5' is not a whole number"), ("n", True, "'True' is not a whole number"),
        ("n", 2**63, "is not a whole number"), ("n", -(2**63) - 1, "is not a whole number"),
        ("n", float("nan"), "'nan' is not a whole number"), ("n", float("inf"), "'inf' is not a whole number"),
        ("n", Decimal("NaN"), "'NaN' is not a whole number"), ("n", [1], "'[1]' is not a whole number"),
        ("i", 2**31, "is not a whole number"), ("i", 10**400, "is not a whole number"),
        ("x", Decimal("0.0000001"), "is not a decimal number"), ("x", Decimal("1000000"), "is not a decimal number"),
        ("x", 1e-7, "is not a decimal number"), ("x", "1,5", "'1,5' is not a decimal number"),
        ("x", "nan", "is not a decimal number"), ("x", float("-inf"), "is not a decimal number"),
        ("x", False, "is not a decimal number"), ("x", Decimal("1E-999999999"), "is not a decimal number"),
        ("b", 1, "'1' is not a true or false"), ("b", "true", "'true' is not a true or false"),
        ("name", 5, "'5' is not a text"), ("name", {"a": 1}, "is not a text"), ("name", "\ud800", "is not a text"),
        ("d", "2026-06-01", "is not a day (YYYY-MM-DD)"), ("d", datetime(2026, 6, 1, tzinfo=UTC), "is not a day"),
        ("at_utc", datetime(2026, 6, 1), "is not a instant with a time zone"),
        ("at_utc", "2026-06-01T00:00:00Z", "is not a instant"), ("at_utc", 1_780_272_000, "is not a instant"),
        ("at_utc", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))), "is not a instant"),
    ],
)
def test_what_does_not_fit_is_refused_and_never_bent(field, value, rule):
    (found,) = one(**{field: value})
    assert rule.replace("a instant", "an instant") in found.replace("a instant", "an instant")


def test_the_good_rows_stay_and_each_wrong_field_is_named():
    rows = [{"d": DAY, "n": 1}, {"d": date(2026, 6, 2), "n": 1.5, "x": "y"}, {"d": DAY, "n": 3, "new": 0}]
    table, findings = to_arrow(TABLE, rows, "GET page 1")
    assert table["n"].to_pylist() == [1]
    assert [(f.where, f.day) for f in findings] == [
        ("GET page 1, row 2, field n", "2026-06-02"), ("GET page 1, row 2, field x", "2026-06-02"),
        ("GET page 1, row 3, field new", "2026-06-01"),
    ]
    assert findings[2].rule == "this field is not part of the source's contract"


@pytest.mark.parametrize("day", ["soon", None, 5])
def test_a_row_whose_day_cannot_be_told_holds_back_the_request(day):
    _, (first, *_) = to_arrow(TABLE, [{"d": day, "n": 1.5}], "GET page")
    assert first.day is None


def test_no_rows_give_a_table_of_the_same_columns():
    table, findings = to_arrow(TABLE, [], "GET page")
    assert table.schema == arrow_schema(TABLE) and table.num_rows == 0 and findings == []


def test_a_type_that_nobody_knows_is_a_mistake_in_the_source():
    assert arrow_type(Column("c", "DECIMAL(24,12)", "")) == pa.decimal128(24, 12)
    with pytest.raises(ValueError, match="column c has the unknown type DOUBLE"):
        arrow_type(Column("c", "DOUBLE", ""))
