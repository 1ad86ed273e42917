"""Rebound of each change at each level of evidence: how much of the expected saving is gone again, and by what warrant.

What does not belong here: a figure without its ground; what the mart does not call causal is not called so.
"""

from typing import Any

from dashboards import cells, parts, tables, words_of_efficiency
from dashboards.book import Book
from dashboards.questions import efficiency
from dashboards.questions.decompositions import Perimeter
from dashboards.tables import Column
from pipelines import units

MART = "fct_rebound"


def section(book: Book, of: Perimeter, anchor: str) -> None:
    """One row a change and level."""
    if not book.holds(MART) or not book.holds("fct_efficiency_change"):
        return
    found = efficiency.rebounds(book, of)
    if found.empty:
        parts.heading("There is no change whose rebound could be asked for", anchor=anchor)
        return
    parts.heading(
        words_of_efficiency.rebound_finding(found),
        "Rebound: the part of the expected saving that the total does not show; 0: nothing is gone, 1: all of it, "
        "above 1: backfire. In energy, never in money. Interval: 95 %, of chance in weeks and groups; before and "
        f"after alone has none. Rows: {MART}; the method: docs/rebound.md.",
        anchor,
    )
    found = found.assign(
        ground=[words_of_efficiency.warrant(row) for row in found.itertuples()],
        said=["" if units.is_unknown(name) else words_of_efficiency.VERDICTS.get(name, name)
              for name in found["verdict"]],
    )  # fmt: skip
    lacking = found[found["rebound_ratio"].isna()]
    others = {change: _others(rows) for change, rows in lacking.groupby("change_id")}
    found = found.assign(others=[others.get(change) for change in found["change_id"]])
    columns = [
        Column("change_id", "Change", cell=_change),
        Column("level", "Level", units.count, only="file"),
        Column("level_name", "Level of evidence", cell=_level),
        Column("method", "Method", only="file"),
        Column("rebound_ratio", "Rebound", units.number, cell=_rebound),
        Column("rebound_ratio_low", "Rebound, low", units.number, only="file"),
        Column("rebound_ratio_high", "Rebound, high", units.number, only="file"),
        Column("said", "Verdict"),
        Column("ground", "What it may be used for", wide=True, cell=_ground),
        Column("claim", "What may be said", only="file"),
        Column("expected_saving_ratio", "Expected saving", units.percent, only="file"),
        Column("expected_source", "Expected by", only="file"),
        Column("energy_before_kwh", "Mean week before, kWh", units.number, only="file"),
        Column("energy_after_kwh", "Mean week after, kWh", units.number, only="file"),
        Column("treated_count", "Reached", units.count, only="file"),
        Column("control_count", "Not reached", units.count, only="file"),
        Column("left_out_count", "Left out", units.count, only="file"),
        Column("before_week_count", "Weeks before", units.count, only="file"),
        Column("after_week_count", "Weeks after", units.count, only="file"),
        Column("pre_trend_probability", "Chance of the earlier trends", units.number, only="file"),
    ]
    # On the page levels without a figure stand below those with one; the files hold a row for each.
    known = found["rebound_ratio"].notna()
    without = ~found["change_id"].isin(found[known]["change_id"]) & ~found.duplicated("change_id")
    shown = found[known | without]
    tables.table(shown, tables.of_page(columns), "Rebound by level of evidence")
    tables.download(book, "rebound", found, tables.of_file(columns))


def _change(row: Any) -> str:
    expected = None
    if not units.is_unknown(row.expected_saving_ratio):
        expected = f"expected {units.percent(row.expected_saving_ratio, 0)}, {row.expected_source}"
    return cells.named(row.change_id, expected)


def _level(row: Any) -> str:
    if units.is_unknown(row.rebound_ratio):
        return "<td>none yet</td>"
    groups = f"{row.treated_count} reached, {row.control_count} not" if row.level > 2 else None
    weeks = f"{row.before_week_count} weeks before, {row.after_week_count} after"
    return cells.named(f"{row.level} {row.level_name}", weeks, groups)


def _rebound(row: Any) -> str:
    if units.is_unknown(row.rebound_ratio):
        return '<td class="n u">none</td>'
    known = not units.is_unknown(row.rebound_ratio_low) and not units.is_unknown(row.rebound_ratio_high)
    ends = f"{row.rebound_ratio_low:.2f} to {row.rebound_ratio_high:.2f}" if known else "no interval"
    return f'<td class="n">{row.rebound_ratio:.2f}<small>{ends}</small></td>'.replace("-", "−")


def _others(rows: Any) -> str:
    """Levels of a change without a figure, and why."""
    said = (f"level {row.level} ({words_of_efficiency.gap(row.gap_reason)})" for row in rows.itertuples())
    return f"no figure at {', '.join(said)}"


def _ground(row: Any) -> str:
    ground = "Nothing yet" if units.is_unknown(row.rebound_ratio) else row.ground
    return cells.named(ground, row.others).replace("<td", '<td class="w"', 1)
