"""Tables: real HTML ones, bars within their cells, the table behind a chart, and the CSV.

What does not belong here: which columns a page shows.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import pandas
import streamlit as st

from dashboards.book import Book
from pipelines import units

SHOWN_ROWS = 400
WHOLE_ROWS = 20  # shown without scrolling


@dataclass(frozen=True)
class Column:
    """How one column of a table is headed and written; the unit stands in the heading."""

    key: str
    label: str
    write: Callable[[Any], str] | None = None
    wide: bool = False
    missing: str = ""

    @property
    def numeric(self) -> bool:
        return self.write is not None

    def text(self, value: Any) -> str:
        """The cell as plain text."""
        if units.is_unknown(value) and (self.missing or self.write is None):
            return self.missing
        return str(value) if self.write is None else self.write(value)


def table(
    frame: pandas.DataFrame,
    columns: Sequence[Column],
    caption: str,
    *,
    cells: Mapping[str, Callable[[Any], str]] | None = None,
    row_class: Callable[[Any], str] = lambda row: "",
) -> None:
    """An HTML table: a real one, for eyes, screen readers and copying.

    Args:
        frame: rows to show; the first `SHOWN_ROWS` are.
        columns: what to show of them; the first names the row.
        caption: what the table is, for screen readers.
        cells: maps a column's key to a function from a row to the trusted HTML of its cell.
        row_class: maps a row to a CSS class.
    """
    cells = cells or {}
    head = "".join(f'<th scope="col" class="{"n" if c.numeric else ""}">{escape(c.label)}</th>' for c in columns)
    columns = [_lined_up(frame, column) for column in columns]
    body = []
    for row in frame.head(SHOWN_ROWS).itertuples():
        written = "".join(cells[c.key](row) if c.key in cells else _cell(row, c) for c in columns)
        body.append(f'<tr class="{row_class(row)}">{written}</tr>')
    kind = "j-scroll whole" if len(frame) <= WHOLE_ROWS else "j-scroll"
    st.html(
        f'<div class="{kind}" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="j"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )
    if len(frame) > SHOWN_ROWS:
        st.html(f'<p class="j">The first {SHOWN_ROWS:,} of {len(frame):,} rows; the CSV holds all.</p>')


def _lined_up(frame: pandas.DataFrame, column: Column) -> Column:
    """Give plain numbers of one column the same decimals."""
    if column.write is not units.number:
        return column
    return replace(column, write=units.aligned(frame[column.key].head(SHOWN_ROWS)))


def _cell(row: Any, column: Column) -> str:
    value = getattr(row, column.key)
    applies = {"n": column.numeric, "u": column.numeric and units.is_unknown(value), "w": column.wide}
    kind = " ".join(name for name, does in applies.items() if does)
    return f'<td class="{kind}">{escape(column.text(value))}</td>'


def named(name: str, *below: Any, colour: str = "") -> str:
    """HTML of a cell with a name, the colour that stands for it in charts and, small, what else there is to know."""
    said = " · ".join(str(text) for text in below if not units.is_unknown(text))
    mark = f'<i class="j-swatch" style="background:{colour}"></i>' if colour else ""
    return f"<td>{mark}{escape(name)}{f'<small>{escape(said)}</small>' if said else ''}</td>"


def share(said: str, part: Any) -> str:
    """HTML of a cell with a short bar for a share of a whole; no bar where there is none."""
    if units.is_unknown(part):
        return '<td class="b s"></td>'
    return bar(said, None, part, None, 1.0, kind="b s")


def gap(row: Any) -> str:
    """HTML of a cell with a row's `gap_ratio`, its sign, and its `tolerance_ratio` below."""
    if units.is_unknown(row.gap_ratio):
        return '<td class="n u">unknown</td>'
    sign = "+" if row.gap_ratio > 0 else "−" if row.gap_ratio < 0 else ""
    share = units.percent(abs(row.gap_ratio))
    said = f"{share[:2]}{sign}{share[2:]}" if share[0] in "<>" else f"{sign}{share}"
    tolerated = row.tolerance_ratio
    allowed = "" if units.is_unknown(tolerated) else f"<small>±{units.percent(tolerated)} is fine</small>"
    return f'<td class="n">{said}{allowed}</td>'


def bar(
    said: str, low: Any, central: Any, high: Any, end: float, *, ahead: Any = None, wall: Any = None, kind: str = "b"
) -> str:
    """HTML of a cell with a bar: the central figure, its range and, for a ceiling, the forecast and the wall.

    Args:
        said: the same in words, for people who do not see it.
        low, central, high: the estimate; a range beyond `end` is cut off, with an arrow head.
        end: value at the right edge.
        ahead: the forecast, drawn as a diamond.
        wall: the limit, drawn as a red line; what lies beyond it is reddish.
        kind: CSS classes of the cell.
    """

    def at(value: Any) -> float:
        return round(min(max(float(value), 0.0) / end, 1.0) * 100, 2)

    pieces = ['<i class="track"></i>']
    if not units.is_unknown(wall):
        pieces.append(f'<i class="past" style="left:{at(wall)}%"></i>')
    if not units.is_unknown(low) and not units.is_unknown(high) and low != high:
        pieces.append(f'<i class="low-high" style="left:{at(low)}%;width:{round(at(high) - at(low), 2)}%"></i>')
    if units.is_unknown(central):
        pieces.append('<em class="j-status open">unknown</em>')
    else:
        pieces.append(f'<i class="central" style="width:{at(central)}%"></i>')
    if not units.is_unknown(wall):
        pieces.append(f'<i class="wall" style="left:{at(wall)}%"></i>')
    if not units.is_unknown(ahead) and ahead <= end:
        pieces.append(f'<i class="ahead" style="left:{at(ahead)}%"></i>')
    if any(not units.is_unknown(value) and value > end for value in (central, high, ahead)):
        pieces.append('<i class="beyond"></i>')
    label = escape(said).replace("&lt;", "‹")  # the sanitizer of the page drops an attribute that looks like a tag
    return f'<td class="{kind}"><div class="j-bar" role="img" aria-label="{label}">{"".join(pieces)}</div></td>'


def twin(
    book: Book, name: str, frame: pandas.DataFrame, columns: Sequence[Column], caption: str, fold: str = "Show as table"
) -> None:
    """The chart's table, folded away, and its download; the file's name carries the build."""
    with st.expander(fold):
        table(frame, columns, caption)
        download(book, name, frame, columns)


def download(book: Book, name: str, frame: pandas.DataFrame, columns: Sequence[Column]) -> None:
    """Offer the rows as CSV."""
    st.download_button(
        "Download CSV",
        csv_text(frame, columns),
        file_name=f"{name}_{book.snapshot.build_id}.csv",
        mime="text/csv",
        key=f"csv-{name}",
        on_click="ignore",
    )


def csv_text(frame: pandas.DataFrame, columns: Sequence[Column]) -> str:
    """Rows as CSV with plain numbers; unknown stays empty and no cell can run as a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([units.safe_cell(column.label) for column in columns])
    for row in frame.itertuples():
        writer.writerow([_csv_value(getattr(row, column.key)) for column in columns])
    return buffer.getvalue()


def _csv_value(value: Any) -> Any:
    if units.is_unknown(value):
        return ""
    if isinstance(value, pandas.Timestamp):
        return value.date().isoformat()
    return units.safe_cell(value)
