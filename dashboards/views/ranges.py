"""Ranges of totals, and which better evidence would narrow them most.

What does not belong here: how the figures are known; the page `evidence` begins with that.
"""

from typing import Any

import pandas

from dashboards import cells, parts, tables, words_of_evidence
from dashboards.book import Book
from dashboards.questions import evidence
from dashboards.tables import Column
from pipelines import units

_METRICS = {"energy_kwh": ("Energy", "kWh"), "location_kgco2e": ("Carbon, location-based", "kgCO2e")}
_TOP_FACTORS = 12
_MONTH = "The months that the days shown touch, whole."


def section(book: Book, anchor: str) -> None:
    """The joint range of each month's energy and carbon."""
    if not book.holds("fct_range_monthly"):
        return
    months = evidence.ranges(book)
    energies = months[months["metric"] == "energy_kwh"]
    if months.empty:
        parts.heading("No range is published for these months", anchor=anchor)
        parts.empty("A range is drawn for each month in which something was used.")
        return
    newest = (energies if len(energies) else months).iloc[-1]
    parts.heading(
        words_of_evidence.range_finding(newest),
        f"95 % range, drawn jointly: errors that rows share do not cancel out. {_MONTH} Dark bar: central, the sum of "
        "medians; diamond: mean, above it because errors are skewed; pale bar: low to high, with what is only bounded "
        "on top of the high end.",
        anchor,
    )
    for metric, (name, unit) in _METRICS.items():
        rows = months[months["metric"] == metric]
        if len(rows):
            _range_table(book, rows.reset_index(drop=True), metric, name, unit)


def _range_table(book: Book, rows: pandas.DataFrame, metric: str, name: str, unit: str) -> None:
    parts.subheading(f"{name} by month")
    end = float(rows[["central", "mean", "high"]].max().max() or 1) * 1.02 or 1.0

    def bar(row: Any) -> str:
        said = f"{units.month(row.usage_month)}: {words_of_evidence.bounds(metric, row.low, row.high)}"
        return cells.bar(said, row.low, row.central, row.high, end, ahead=row.mean)

    columns = [
        Column("usage_month", "Month", cell=lambda row: cells.named(units.month(row.usage_month))),
        Column("bar", "Range, with the mean", cell=bar, only="page"),
        *(Column(key, f"{key.capitalize()}, {unit}", units.number) for key in ("low", "central", "mean", "high")),
    ]
    tables.report(book, f"range_{metric}", rows, columns, f"{name}: low, central, mean and high by month")


def upgrades(book: Book, anchor: str) -> None:
    """The factors that would narrow the newest month's range most if they were known one rung better."""
    if not book.holds("fct_factor_upgrade_monthly"):
        return
    gains = evidence.upgrades(book)
    if gains.empty:
        parts.heading("No factor of these months could be known better", anchor=anchor)
        parts.empty("Everything that is known is metered at the wall, or nothing is known.")
        return
    gains = gains.assign(
        name=[words_of_evidence.factor_name(row) for row in gains.itertuples()],
        now=[words_of_evidence.rung(tier) for tier in gains["evidence_tier"]],
        then=[words_of_evidence.rung(tier) for tier in gains["upgraded_tier"]],
    )
    newest = gains[gains["usage_month"] == gains["usage_month"].max()]
    parts.heading(
        words_of_evidence.upgrade_finding(newest.iloc[0]),
        "If one factor alone were known one rung better, by how much would the range of the organisation's energy in "
        f"{units.month(newest.iloc[0]['usage_month'])} shrink? Errors of one method move together, so gains do not add "
        "up. The longest bar is the largest gain.",
        anchor,
    )
    most = float(newest["width_reduction_ratio"].max() or 0) or 1.0  # the longest bar

    def bar(row: Any) -> str:
        said = f"{row.name}: the range shrinks by {units.percent(row.width_reduction_ratio)}"
        return cells.bar(said, None, row.width_reduction_ratio, None, most, kind="b s")

    columns = [
        Column("usage_month", "Month", only="file"),
        Column("name", "Factor", cell=lambda row: cells.named(row.name, row.factor_id.removesuffix(f"/{row.name}"))),
        Column("factor_id", "Factor id", only="file"),
        Column("method", "Method", only="file"),
        Column("now", "Known by", only="page"),
        Column("then", "One rung better", only="page"),
        Column("evidence_tier", "Evidence tier", units.count, only="file"),
        Column("upgraded_tier", "Tier if better", units.count, only="file"),
        Column("energy_kwh", "Energy, kWh", units.number, only="file"),
        Column("energy_ratio", "Of known energy", units.percent, full_label="Share of known energy"),
        Column("total_low_kwh", "Total low, kWh", units.number, only="file"),
        Column("total_high_kwh", "Total high, kWh", units.number, only="file"),
        Column("bar", "Range narrower", cell=bar, only="page"),
        Column("width_reduction_ratio", "By", units.percent, full_label="Range shrinks by, ratio"),
        Column("upgraded_low_kwh", "Range then, kWh", units.number, cell=_range_then,
               full_label="Total low if better, kWh"),
        Column("upgraded_high_kwh", "Total high if better, kWh", units.number, only="file"),
    ]  # fmt: skip
    shown = newest.head(_TOP_FACTORS)
    tables.table(shown, tables.of_page(columns), "Factors by what better evidence would gain")
    if len(newest) > len(shown):
        parts.note(words_of_evidence.other_factors(newest.iloc[len(shown):]))  # fmt: skip
    tables.download(book, "factor_upgrades", gains, tables.of_file(columns))


def _range_then(row: Any) -> str:
    low, high = units.number(row.upgraded_low_kwh), units.number(row.upgraded_high_kwh)
    return f'<td class="n">{low} to {high}</td>'
