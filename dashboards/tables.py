"""Tables: real HTML ones, the table behind a chart, and their downloads.

What does not belong here: which columns a page shows, cells that are more than text (`cells`), and what a file holds
(`files`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import pandas
import streamlit as st

from dashboards.book import Book
from dashboards.files import csv_text, xlsx_bytes
from pipelines import units

SHOWN_ROWS = 400
WHOLE_ROWS = 20  # shown without scrolling
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Column:
    """How one column of a table is headed and written; the unit stands in the heading.

    Attributes:
        key: the column of the frame.
        label: its heading.
        write: makes text of a number; without it, the value is text already.
        wide: whether it holds sentences.
        missing: what stands for a value that is not there.
        cell: maps a row to the trusted HTML of its cell, where the plain text would not do.
        only: `page` or `file`: the other of the two goes without it.
        full_label: heading in the file, where the page's needs its neighbours to be understood.
    """

    key: str
    label: str
    write: Callable[[Any], str] | None = None
    wide: bool = False
    missing: str = ""
    cell: Callable[[Any], str] | None = None
    only: str = ""
    full_label: str = ""

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
    row_class: Callable[[Any], str] = lambda row: "",
) -> None:
    """An HTML table: a real one, for eyes, screen readers and copying; on a narrow page each row becomes a list.

    Args:
        frame: rows to show; the first `SHOWN_ROWS` are.
        columns: what to show of them; the first names the row.
        caption: what the table is, for screen readers.
        row_class: maps a row to a CSS class.
    """
    head = "".join(_heading(column) for column in columns)
    columns = [_lined_up(frame, column) for column in columns]
    body = []
    for row in frame.head(SHOWN_ROWS).itertuples():
        written = "".join(_cell(row, column) for column in columns)
        body.append(f'<tr role="row" class="{row_class(row)}">{written}</tr>')
    kind = "j-scroll whole" if len(frame) <= WHOLE_ROWS else "j-scroll"
    st.html(
        f'<div class="{kind}" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="j" role="table"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{"".join(body)}</tbody>'
        "</table></div>"
    )
    if len(frame) > SHOWN_ROWS:
        st.html(f'<p class="j">The first {SHOWN_ROWS:,} of {len(frame):,} rows; the files hold all.</p>')


def report(
    book: Book,
    name: str,
    frame: pandas.DataFrame,
    columns: Sequence[Column],
    caption: str,
    *,
    row_class: Callable[[Any], str] = lambda row: "",
) -> None:
    """A table and its download from one list of columns: `only` and `full_label` say where the two differ.

    Args:
        book: the build, whose id is in the name of the file.
        name: of the file, without its ending.
        frame: all rows; the file holds them all.
        columns: of both, in the order of both.
        caption: what the table is, for screen readers.
        row_class: maps a row to a CSS class.
    """
    table(frame, of_page(columns), caption, row_class=row_class)
    download(book, name, frame, of_file(columns))


def of_page(columns: Sequence[Column]) -> list[Column]:
    """The columns that the page shows."""
    return [column for column in columns if column.only != "file"]


def of_file(columns: Sequence[Column]) -> list[Column]:
    """The columns of the download, under the headings that they have there."""
    return [replace(column, label=column.full_label or column.label) for column in columns if column.only != "page"]


def _heading(column: Column) -> str:
    kind = "n" if column.numeric else ""
    return f'<th scope="col" role="columnheader" class="{kind}">{escape(column.label)}</th>'


def _lined_up(frame: pandas.DataFrame, column: Column) -> Column:
    """Give plain numbers of one column the same decimals."""
    if column.cell or column.write is not units.number:
        return column
    return replace(column, write=units.aligned(frame[column.key].head(SHOWN_ROWS)))


def _cell(row: Any, column: Column) -> str:
    """A cell with the heading of its column, which stands before the value where a row is drawn as a list."""
    label = f'<td role="cell" data-label="{escape(column.label)}"'
    if column.cell:
        return label + column.cell(row).removeprefix("<td")
    value = getattr(row, column.key)
    applies = {"n": column.numeric, "u": column.numeric and units.is_unknown(value), "w": column.wide}
    kind = " ".join(name for name, does in applies.items() if does)
    return f'{label} class="{kind}">{escape(column.text(value))}</td>'


def twin(
    book: Book, name: str, frame: pandas.DataFrame, columns: Sequence[Column], caption: str, fold: str = "Show as table"
) -> None:
    """The chart's table, folded away, and its download; the file's name carries the build."""
    with st.expander(fold):
        table(frame, columns, caption)
        download(book, name, frame, columns)


def download(book: Book, name: str, frame: pandas.DataFrame, columns: Sequence[Column]) -> None:
    """Offer the rows as CSV and as XLSX; neither is made before somebody asks for it."""
    kinds = {
        "CSV": (lambda: csv_text(frame, columns), "text/csv"),
        "XLSX": (lambda: xlsx_bytes(frame, columns, name, book.about), _XLSX),
    }
    with st.container(horizontal=True, gap="small"):
        for kind, (make, mime) in kinds.items():
            ending = kind.lower()
            st.download_button(
                f"Download {kind}",
                make,
                file_name=f"{name}_{book.snapshot.build_id}.{ending}",
                mime=mime,
                key=f"{ending}-{name}",
                on_click="ignore",
            )
