"""The files of a table, CSV and XLSX: numbers as numbers, dates as dates, and no cell that a spreadsheet runs.

What does not belong here: which columns a table has, and its look on a page. What is not known is an empty cell; a last
column says in words why, for every row that has one. The same rows give the same bytes.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Real
from typing import Any, Protocol

import pandas
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from pipelines import units

REASONS = "Empty cells"
_MADE = datetime(2000, 1, 1)  # in the file's properties: the hour of a download would change its bytes
_OLDEST = datetime(1900, 3, 1)  # spreadsheets do not agree on the days before
_WIDEST = 60  # characters
_CLOSED = {
    "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd",
}  # fmt: skip


class FileColumn(Protocol):
    """What a file must know of a column."""

    key: str
    label: str
    numeric: bool

    def text(self, value: Any) -> str: ...


def csv_text(frame: pandas.DataFrame, columns: Sequence[FileColumn]) -> str:
    """Rows as CSV (RFC 4180) with plain numbers; days and instants as ISO 8601 has them."""
    buffer = io.StringIO()
    # the writer quotes a cell with either of these signs, so that none of them begins a row
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in _rows(frame, columns):
        writer.writerow([_iso(value) if isinstance(value, date) else value for value in row])
    return buffer.getvalue()


def xlsx_bytes(
    frame: pandas.DataFrame, columns: Sequence[FileColumn], name: str, about: Mapping[str, str]
) -> bytes:
    """Rows as a workbook.

    Args:
        frame: the rows.
        columns: in the order of the sheet.
        name: of the sheet.
        about: what a second sheet says: whose figures, of which build.
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _CLOSED) as workbook:
        workbook.set_properties({"created": _MADE})
        bold, instant = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet = workbook.add_worksheet(re.sub(r"[^A-Za-z0-9 _-]", "_", name)[:31])
        rows = list(_rows(frame, columns))
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                _write(sheet, number, place, value, instant)
        sheet.set_row(0, None, bold)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows) - 1, len(rows[0]) - 1)
        for place, cells in enumerate(zip(*rows, strict=True)):
            longest = max(19 if isinstance(cell, date) else len(str(cell)) for cell in cells)
            sheet.set_column(place, place, min(max(longest, 8), _WIDEST) + 1)
        notes = workbook.add_worksheet("About")
        notes.set_column(0, 0, 20)
        for number, pair in enumerate(about.items()):
            for place, text in enumerate(pair):
                notes.write_string(number, place, units.safe_cell(text))
    return buffer.getvalue()


def _rows(frame: pandas.DataFrame, columns: Sequence[FileColumn]) -> Iterator[list[Any]]:
    """The heading, then every row, of text, numbers and dates; None where something is not known."""
    reasons = [_reason(row, columns) for row in frame.itertuples()]
    more = [REASONS] if any(reasons) else []
    yield [units.safe_cell(text) for text in (*(column.label for column in columns), *more)]
    for row, reason in zip(frame.itertuples(), reasons, strict=True):
        cells = [_value(getattr(row, column.key)) for column in columns]
        yield [*cells, units.safe_cell(reason) or None] if more else cells


def _reason(row: Any, columns: Sequence[FileColumn]) -> str:
    """Which figures of a row are not there, in the words of the page."""
    lacking = (column for column in columns if column.numeric and units.is_unknown(getattr(row, column.key)))
    return "; ".join(f"{column.label}: {column.text(None).strip('–') or 'none'}" for column in lacking)


def _value(value: Any) -> Any:
    if units.is_unknown(value):
        return None
    if isinstance(value, pandas.Timestamp):
        value = value.to_pydatetime()
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)
        return value.date() if value.time() == time() else value
    if hasattr(value, "item"):  # of numpy
        value = value.item()
    return units.safe_cell(value) if isinstance(value, (Real, Decimal, date)) else units.safe_cell(str(value))


def _iso(value: date) -> str:
    return value.isoformat(sep=" ", timespec="seconds") if isinstance(value, datetime) else value.isoformat()


def _write(sheet: Worksheet, row: int, column: int, value: Any, instant: Any) -> None:
    """One cell by its type; nothing is left to the writer's guess."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        if moment < _OLDEST:
            sheet.write_string(row, column, _iso(value))
        else:
            sheet.write_datetime(row, column, moment, instant if isinstance(value, datetime) else None)
    elif isinstance(value, (Real, Decimal)) and math.isfinite(value):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value))
