"""Pieces that every page is made of: headings, cards, tables, a chart with its table and download.

What does not belong here: SQL and what a particular page says. Whatever comes from data is escaped here, once:
text enters HTML only through `escape`, and no name is ever read as Markdown.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import altair as alt
import pandas
import streamlit as st

from dashboards import charts, style, words
from dashboards.data import Book
from pipelines import units

SHOWN_ROWS = 400


@dataclass(frozen=True)
class Column:
    """How one column of a table is headed and written; the unit stands in the heading."""

    key: str
    label: str
    write: Callable[[Any], str] | None = None
    wide: bool = False

    @property
    def numeric(self) -> bool:
        return self.write is not None

    def text(self, value: Any) -> str:
        """The cell as plain text."""
        if self.write is not None:
            return self.write(value)
        return "" if units.is_unknown(value) else str(value)


def heading(text: str, note: str = "") -> None:
    """A section's title, which says the finding, and one muted sentence below it."""
    st.html(f'<h2 class="j">{escape(text)}</h2>' + (f'<p class="j">{escape(note)}</p>' if note else ""))


def subheading(text: str, note: str = "", even: bool = False) -> None:
    """The title of one chart; `even` keeps charts in a row on one line."""
    kind = "j even" if even else "j"
    below = f'<p class="{kind}">{escape(note)}</p>' if note else ""
    st.html(f'<h3 class="{kind}">{escape(text)}</h3>{below}')


def empty(text: str, command: str = "") -> None:
    """Say that there is nothing to show, why, and what to type."""
    code = f" <code>{escape(command)}</code>" if command else ""
    st.html(f'<div class="j-empty">{escape(text)}{code}</div>')


def card(label: str, value: str, note: str = "", badges: Sequence[tuple[str, bool]] = ()) -> str:
    """HTML of one figure with what is known about it; a badge that warns is marked."""
    marks = "".join(f'<span class="j-badge{" low" if low else ""}">{escape(text)}</span>' for text, low in badges)
    return (
        f'<div class="j-card"><div class="label">{escape(label)}</div><div class="value">{escape(value)}</div>'
        f'<div class="note">{escape(note)}</div>{marks}</div>'
    )


def cards(items: Iterable[str]) -> None:
    """A row of cards."""
    st.html(f'<div class="j-cards">{"".join(items)}</div>')


def total_cards(book: Book) -> None:
    """The organisation's totals over the days shown, each with coverage and evidence."""
    total = book.totals()
    covered = words.coverage(total.calls, total.covered_calls)
    proof = words.evidence(book.evidence())
    teams = book.teams()
    nobody = teams[teams["team_id"].isin(["orphan", "unattributed"])]
    share = None
    if not units.is_unknown(total.energy_kwh) and total.energy_kwh:
        share = nobody["energy_kwh"].sum() / total.energy_kwh
    calls_share = nobody["calls"].sum() / total.calls if not units.is_unknown(total.calls) and total.calls else None
    retries = total.retries / total.calls if not units.is_unknown(total.calls) and total.calls else None
    cards(
        [
            card(
                "Energy",
                units.energy(total.energy_kwh),
                f"range {units.energy_range(total.energy_kwh_low, total.energy_kwh_high)}; {proof}",
                [covered],
            ),
            card(
                "Carbon, location-based",
                units.carbon(total.location_kgco2e),
                f"of the known energy; {proof}",
                [covered],
            ),
            card(
                "Model calls",
                units.short_count(total.calls),
                f"{units.percent(retries)} of them are retries",
                [("counted, not estimated", False)],
            ),
            card(
                "Without an owner",
                units.percent(share),
                f"of known energy, and {units.percent(calls_share)} of calls",
                [("counted in every total", False)],
            ),
        ]
    )


def status(text: str) -> str:
    """HTML of a ceiling's status: a sign of its own shape and the words; colour only repeats them."""
    mark = style.STATUS_MARKS.get(text, "◆")
    return f'<span class="j-status {style.STATUS_CLASSES.get(text, "open")}">{mark} {escape(text)}</span>'


def table(frame: pandas.DataFrame, columns: Sequence[Column], caption: str, **special: Any) -> None:
    """An HTML table: a real one, for eyes, screen readers and copying.

    Args:
        frame: rows to show; the first `SHOWN_ROWS` are.
        columns: what to show of them.
        caption: what the table is, for screen readers.
        special: `cells` maps a column's key to a function from a row to trusted HTML; `row_class` maps a row to a
            CSS class.
    """
    cells = special.get("cells", {})
    row_class = special.get("row_class", lambda row: "")
    head = "".join(f'<th scope="col" class="{"n" if c.numeric else ""}">{escape(c.label)}</th>' for c in columns)
    body = []
    columns = [_lined_up(frame, column) for column in columns]
    for row in frame.head(SHOWN_ROWS).itertuples():
        written = "".join(
            cells[c.key](row).join(('<td class="o">', "</td>")) if c.key in cells else _cell(row, c) for c in columns
        )
        body.append(f'<tr class="{row_class(row)}">{written}</tr>')
    st.html(
        f'<div class="j-scroll" tabindex="0"><table class="j"><caption>{escape(caption)}</caption>'
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
    text = column.text(getattr(row, column.key))
    kind = " ".join(
        name for name, applies in (("n", column.numeric), ("u", text == units.UNKNOWN), ("w", column.wide)) if applies
    )
    return f'<td class="{kind}">{escape(text)}</td>'


def twin(book: Book, name: str, frame: pandas.DataFrame, columns: Sequence[Column], caption: str) -> None:
    """The chart's table, folded away, and its download; the file's name carries the build."""
    with st.expander("Show as table"):
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


def weekly_energy(weekly: pandas.DataFrame, key: str) -> None:
    """Draw weekly energy, or say that none of it is known; an empty axis would look like zero."""
    if weekly["energy_kwh"].isna().all():
        empty("The energy of all these weeks is unknown, not zero.")
    else:
        chart(charts.weekly_bars(weekly, "energy_kwh", "kWh", style.ENERGY, "Energy by week"), key)


def chart(spec: alt.LayerChart, key: str) -> None:
    """Draw a chart over the width that is there."""
    st.altair_chart(spec, width="stretch", theme=None, key=key)
