"""Files of tables: types, formulas, reasons, the same bytes twice, and an independent reader.

What does not belong here: downloading one from a page; `test_browser` does.
"""

import csv
import io
import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pandas
import pytest
from workbooks import sheets

from dashboards.files import csv_text, xlsx_bytes
from dashboards.tables import Column
from pipelines import units

STARTS = ("=", "+", "-", "@", "\t", "\r")
FRAME = pandas.DataFrame(
    {
        "name": ["=1+1", "https://evil.example", "00123", "1.5", "x" * 40_000, None],
        "kwh": [1.5, None, -2.0, 0.0, 1e-9, float("inf")],
        "calls": pandas.array([2**53 - 1, 0, None, 3, 4, 5], dtype="Int64"),
        "exact": [Decimal("0.1"), Decimal(7), None, None, Decimal("-1.25"), Decimal(0)],
        "day": [date(2026, 6, 1), None, date(1899, 12, 31), date(2024, 2, 29), date(1900, 3, 1), date(2026, 1, 1)],
        "at": pandas.to_datetime(["2026-06-01 14:05:06", None, "2026-06-01 00:00:00", None, None, None]),
        "fits": [True, False, None, None, None, True],
    }
)
COLUMNS = [
    Column("name", "@Name"), Column("kwh", "Energy, kWh", units.number), Column("exact", "Exact", units.number),
    Column("calls", "Calls", units.count, missing="not told"), Column("day", "Day"), Column("at", "At"),
    Column("fits", "Fits"),
]  # fmt: skip


def _book(frame=FRAME, columns=COLUMNS, name="some/[table]", about=None):
    return xlsx_bytes(frame, columns, name, {"Organisation": "=cmd()"} if about is None else about)


def test_numbers_are_numbers_dates_dates_and_unknown_an_empty_cell_with_its_reason():
    head, *rows = sheets(_book())["some__table_"]
    assert head == ["'@Name", "Energy, kWh", "Exact", "Calls", "Day", "At", "Fits", "Empty cells"]
    # 1 June 2026 is 46,174 days after 30 December 1899: 126 years of 365 days, 31 leap days to 2024, 151 days, and 2
    assert 126 * 365 + 31 + 151 + 2 == 46174
    assert rows[0] == ["'=1+1", 1.5, 0.1, 2**53 - 1, 46174, pytest.approx(46174 + (14 * 3600 + 306) / 86400), True]
    assert rows[1] == ["https://evil.example", None, 7, 0, None, None, False, "Energy, kWh: unknown"]
    # before March 1900 a spreadsheet has no days; text that looks like a number stays text
    assert rows[2] == ["00123", -2, None, None, "1899-12-31", 46174, None, "Exact: unknown; Calls: not told"]
    assert rows[3][0] == "1.5" and rows[3][4] == 45351
    assert len(rows[4][0]) == 32767 and rows[4][1:5] == [1e-9, -1.25, 4, 61]
    assert rows[5][:4] == [None, "inf", 0, 5]


def test_what_the_csv_holds_is_the_same():
    head, *rows = csv.reader(io.StringIO(csv_text(FRAME, COLUMNS)))
    assert head[0] == "'@Name" and head[-1] == "Empty cells"
    assert rows[0] == ["'=1+1", "1.5", "0.1", "9007199254740991", "2026-06-01", "2026-06-01 14:05:06", "True", ""]
    assert rows[1][1] == "" and rows[1][-1] == "Energy, kWh: unknown"
    assert csv_text(FRAME.iloc[[0]], COLUMNS).splitlines()[0].endswith("Fits")  # no reason, no column


@pytest.mark.parametrize("start", STARTS)
def test_no_cell_and_no_heading_can_run(start):
    frame = pandas.DataFrame({"a": [f"{start}cmd|' /C calc'!A0"]})
    columns = [Column("a", f"{start}head")]
    safe = [[f"'{start}head"], [f"'{start}cmd|' /C calc'!A0"]]
    # XML keeps no carriage return: it is written as an escape, which spreadsheets read back
    written = [[cell.replace("\r", "_x000D_") for cell in row] for row in safe]
    assert sheets(_book(frame, columns, about={f"{start}x": f"{start}y"}))["some__table_"] in (safe, written)
    assert list(csv.reader(io.StringIO(csv_text(frame, columns), newline=""))) == safe


def test_a_line_break_in_a_cell_begins_no_row():
    frame = pandas.DataFrame({"a": ["x\r=cmd()", "x\n=cmd()", "x\r\n=cmd()"], "b": [1, 2, 3]})
    columns = [Column("a", "A"), Column("b", "B", units.count)]
    rows = list(csv.reader(io.StringIO(csv_text(frame, columns), newline="")))
    assert rows[1:] == [["x\r=cmd()", "1"], ["x\n=cmd()", "2"], ["x\r\n=cmd()", "3"]]


def test_the_same_rows_give_the_same_bytes():
    first = _book()
    assert _book() == first
    assert _book(FRAME.assign(kwh=1.0)) != first
    with zipfile.ZipFile(io.BytesIO(first)) as folder:  # no hour of its making is in it
        assert {entry.date_time for entry in folder.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        properties = folder.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[0-9:]+", properties)) == {"2000-01-01T00:00:00"}


def test_a_table_without_rows_is_a_heading():
    book = sheets(_book(FRAME.iloc[:0]))
    assert book["some__table_"] == [["'@Name", "Energy, kWh", "Exact", "Calls", "Day", "At", "Fits"]]
    assert book["About"] == [["Organisation", "'=cmd()"]]


def test_an_instant_with_a_zone_is_written_in_utc():
    frame = pandas.DataFrame({"at": [datetime(2026, 6, 1, 12, tzinfo=UTC)]})
    assert csv_text(frame, [Column("at", "At")]).splitlines()[1] == "2026-06-01 12:00:00"
    assert sheets(_book(frame, [Column("at", "At")]))["some__table_"][1] == [46174.5]
