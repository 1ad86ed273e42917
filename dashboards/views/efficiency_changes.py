"""The register of efficiency changes: what was expected of each, what shifted, and what the total did after it.

What does not belong here: the reviews that a change owes, and how much of its saving is gone again.
"""

from html import escape
from typing import Any

from dashboards import cells, parts, tables, words_of_efficiency
from dashboards.book import Book
from dashboards.questions import efficiency
from dashboards.questions.decompositions import Perimeter
from dashboards.tables import Column
from pipelines import units

MART = "fct_efficiency_change"


def section(book: Book, of: Perimeter, anchor: str) -> None:
    """One row a change."""
    if not book.holds(MART):
        return
    changes = efficiency.changes(book, of)
    if changes.empty:
        parts.heading("No efficiency change is declared, and none was seen", anchor=anchor)
        parts.empty(
            "A change that is to save energy is declared; one that nobody declared is seen when the energy of a call, "
            "of an outcome or of a token shifts and stays:", "jevons registry import changes.csv",
        )  # fmt: skip
        return
    parts.heading(
        words_of_efficiency.register_finding(changes),
        "Energy of a call and the total of the whole weeks after a change, against as many like the four before it, by "
        "central estimates; the files hold the ranges. Shift: the level before and after, with the 95 % range of how "
        f"weeks differ. Rows: {MART}.",
        anchor,
    )
    changes = changes.assign(
        kind=[words_of_efficiency.TYPES.get(name, name) for name in changes["change_type"]],
        ratio=[words_of_efficiency.RATIOS.get(name, name) for name in changes["moved_ratio"]],
        realised=[words_of_efficiency.realised(*words_of_efficiency.latest(row)) for row in changes.itertuples()],
    )
    columns = [
        Column("change_id", "Change", cell=_change),
        Column("kind", "What", only="file"),
        Column("origin", "Declared or detected", only="file"),
        Column("change_date", "Since", units.day, only="file"),
        Column("detected_date", "Shift seen from", units.day, only="file"),
        Column("workflow_ids", "Workflows", cell=lambda row: cells.named(row.workflow_ids, row.owner)),
        Column("owner", "Owner", only="file"),
        Column("expected_saving_ratio", "Expected", cell=_expected, only="page"),
        Column("expected_saving_ratio", "Expected saving", units.percent, missing="nobody said", only="file"),
        Column("expected_source", "Who says so", only="file"),
        Column("ratio", "What shifted", only="file"),
        Column("before_level", "Level before", units.number, only="file"),
        Column("after_level", "Level after", units.number, only="file"),
        Column("level_change_ratio", "Shift", cell=_shift, only="page"),
        Column("level_change_ratio", "Shift", words_of_efficiency.change, only="file"),
        Column("realised", "Less, or only better", only="file"),
    ]
    for days in (30, 90):
        after = f"after_{days}_"
        columns += [
            Column(f"{after}intensity_change_ratio", f"After {days} days", only="page",
                   cell=lambda row, after=after: _after(row, after)),
            Column(f"{after}intensity_change_ratio", f"Energy per call after {days} days",
                   words_of_efficiency.change, only="file"),
            Column(f"{after}call_change_ratio", f"Calls after {days} days", words_of_efficiency.change, only="file"),
            Column(f"{after}energy_change_ratio", f"Total after {days} days", words_of_efficiency.change, only="file"),
            *(Column(f"{after}saved_energy_kwh{end}", f"Saved after {days} days, kWh{name}", units.number, only="file")
              for end, name in (("_low", ", low"), ("", ""), ("_high", ", high"))),
            Column(f"{after}gap_reason", f"Why unknown after {days} days", only="file"),
        ]  # fmt: skip
    tables.report(book, "efficiency_changes", changes, columns, "Register of efficiency changes")


def _change(row: Any) -> str:
    said = row.origin if row.origin == "declared" or units.is_unknown(row.seen_date) else (
        f"detected on {units.day(row.seen_date)}"
    )  # fmt: skip
    return cells.named(row.change_id, row.kind, f"since {units.day(row.change_date)}", said)


def _expected(row: Any) -> str:
    if units.is_unknown(row.expected_saving_ratio):
        return '<td class="u">nobody said</td>'
    by = "" if units.is_unknown(row.expected_source) else f"<small>{escape(row.expected_source)}</small>"
    return f"<td>{units.percent(row.expected_saving_ratio, 0)} less{by}</td>"


def _shift(row: Any) -> str:
    if units.is_unknown(row.level_change_ratio):
        return "<td>none seen</td>"
    low, high = (words_of_efficiency.change(getattr(row, f"level_change_ratio_{end}")) for end in ("low", "high"))
    return (
        f"<td>{escape(row.ratio)} {words_of_efficiency.change(row.level_change_ratio)}<small>"
        f"{units.number(row.before_level)} to {units.number(row.after_level)} · {low} to {high}</small></td>"
    )


def _after(row: Any, after: str) -> str:
    intensity, total, calls = (getattr(row, f"{after}{name}_change_ratio") for name in ("intensity", "energy", "call"))
    reason = getattr(row, f"{after}gap_reason")
    if units.is_unknown(intensity) or units.is_unknown(total):
        return f'<td class="u">{escape(words_of_efficiency.gap(reason) or "not known")}</td>'
    write = words_of_efficiency.change
    said = words_of_efficiency.realised(intensity, total, reason)
    return f"<td>{said}<small>a call {write(intensity)} · calls {write(calls)} · total {write(total)}</small></td>"
