"""Evidence: how the figures are known, how wide their ranges are, and which better evidence would narrow them most.

What does not belong here: how much was used, and by whom. Accounts that are set against each other stand in
`reconciliation`, what sources delivered in `deliveries`.
"""

import pandas
import streamlit as st

from dashboards import charts, parts, style, tables, words_of_evidence
from dashboards.book import Book
from dashboards.questions import evidence
from dashboards.tables import Column
from dashboards.views import deliveries, reconciliation
from pipelines import units

_KINDS = {name: (words_of_evidence.RUNGS[name][0], style.RUNGS[name]) for name in words_of_evidence.RUNGS}
_METRICS = {"energy_kwh": ("Energy", "kWh"), "location_kgco2e": ("Carbon, location-based", "kgCO2e")}
_MARTS = {
    "fct_range_monthly": "ranges of totals",
    "fct_factor_upgrade_monthly": "what better evidence would gain",
    "fct_reconciliation_daily": "vendors' accounts against each other",
    "fct_meter_reconciliation_daily": "meters against counters",
    "fct_estimate_backtest": "estimates against meters",
}
_MONTH = "The months that the days shown touch, whole."


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    _mix(book)
    _ranges(book)
    _upgrades(book)
    reconciliation.section(book)
    deliveries.section(book)
    parts.lacking(book, _MARTS)


def _mix(book: Book) -> None:
    rungs = _with_shares(evidence.rungs(book))
    note = (
        "The ladder of evidence, the best rung first. Shares of energy are of known energy, of calls of all calls."
        + words_of_evidence.no_energy_note(rungs)
    )
    parts.heading(words_of_evidence.mix_finding(rungs), note)
    if not (rungs["calls"].sum() or rungs["energy_kwh"].notna().any()):
        parts.empty("No call and no energy in these days.")
        return
    columns = [
        Column("name", "Known by"),
        Column("energy_kwh", "Energy, kWh", units.number, missing="none"),
        Column("energy_bar", "Of known energy"),
        Column("energy_share", "Share", units.percent, missing="none"),
        Column("calls", "Calls", units.count, missing="none"),
        Column("call_bar", "Of calls"),
        Column("call_share", "Share", units.percent, missing="none"),
    ]
    tables.table(
        rungs,
        columns,
        "Energy and calls by evidence",
        cells={
            "name": lambda row: tables.named(row.name, row.what, colour=style.RUNGS.get(row.rung, style.NOBODY)),
            "energy_kwh": _energy,
            "energy_bar": lambda row: tables.share(f"{row.name}: share of known energy", row.energy_share),
            "energy_share": lambda row: _share(row.energy_share),
            "calls": lambda row: f'<td class="n{"" if row.calls else " u"}">{_count(row.calls)}</td>',
            "call_bar": lambda row: tables.share(f"{row.name}: share of calls", row.call_share),
            "call_share": lambda row: _share(row.call_share),
        },
        row_class=lambda row: "nobody" if row.rung in words_of_evidence.WITHOUT_ENERGY else "",
    )
    said = {"energy_share": "Share of known energy", "call_share": "Share of calls"}
    columns = [Column(c.key, said.get(c.key, c.label), c.write) for c in columns if not c.key.endswith("_bar")]
    tables.download(book, "evidence", rungs, columns)
    _by_week(book)


def _with_shares(rungs: pandas.DataFrame) -> pandas.DataFrame:
    """All rungs of the ladder, also those that nothing stands on; what has no energy only if there is any."""
    asked = rungs.set_index("rung")
    apart = [name for name in (*words_of_evidence.WITHOUT_ENERGY, *asked.index) if name in asked.index]
    ladder = [name for name in words_of_evidence.RUNGS if name not in words_of_evidence.WITHOUT_ENERGY]
    whole = asked.reindex(list(dict.fromkeys([*ladder, *apart]))).rename_axis("rung").reset_index()
    energy, calls = whole["energy_kwh"].astype(float), whole["calls"].fillna(0)
    return whole.assign(
        energy_kwh=energy,
        calls=calls,
        gpu_seconds=whole["gpu_seconds"].fillna(0),
        name=[words_of_evidence.RUNGS.get(name, (f"Tier {name}", ""))[0] for name in whole["rung"]],
        what=[words_of_evidence.RUNGS.get(name, ("", ""))[1] or None for name in whole["rung"]],
        energy_share=energy.where(energy > 0) / energy.sum() if energy.sum() else None,
        call_share=calls.where(calls > 0) / calls.sum() if calls.sum() else None,
    )


def _energy(row) -> str:
    if units.is_unknown(row.energy_kwh):
        apart = {"unknown": "unknown", "metered_elsewhere": "in its meter's row"}
        return f'<td class="n u">{apart.get(row.rung, "none")}</td>'
    return f'<td class="n">{units.number(row.energy_kwh, 4)}</td>'


def _share(value) -> str:
    return '<td class="n u"></td>' if units.is_unknown(value) else f'<td class="n">{units.percent(value)}</td>'


def _count(value) -> str:
    return units.count(value) if value else "none"


def _by_week(book: Book) -> None:
    weekly = evidence.rungs_by_week(book)
    left, right = st.columns(2, gap="medium")
    with left:
        if (weekly["energy_kwh"] > 0).any():
            parts.subheading("Known energy by evidence", "Share of each week's known energy; colours as in the table.")
            spec = charts.stacked_shares(weekly, "energy_kwh", "% of known energy", _KINDS, "Known energy by evidence")
            parts.chart(spec, "evidence-energy")
        else:
            parts.subheading("Known energy by evidence")
            parts.empty("The energy of all these weeks is unknown, not zero.")
    with right:
        if (weekly["calls"] > 0).any():
            parts.subheading("Calls by evidence", "Share of each week's calls; grey: calls that carry no energy.")
            spec = charts.stacked_shares(weekly, "calls", "% of calls", _KINDS, "Calls by evidence")
            parts.chart(spec, "evidence-calls")
        else:
            parts.subheading("Calls by evidence")
            parts.empty("No call in these weeks.")
    columns = [
        Column("week", "Week from", units.day),
        Column("name", "Known by"),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("most_kwh", "Unknown, at most kWh", units.number, missing="–"),
        Column("calls", "Calls", units.count),
    ]
    named = weekly.assign(name=[words_of_evidence.RUNGS.get(name, (name, ""))[0] for name in weekly["rung"]])
    tables.twin(book, "evidence_weekly", named, columns, "Energy and calls by week and evidence")


def _ranges(book: Book) -> None:
    if not book.holds("fct_range_monthly"):
        return
    ranges = evidence.ranges(book)
    energies = ranges[ranges["metric"] == "energy_kwh"]
    if ranges.empty:
        parts.heading("No range is published for these months")
        parts.empty("A range is drawn for each month in which something was used.")
        return
    newest = (energies if len(energies) else ranges).iloc[-1]
    parts.heading(
        words_of_evidence.range_finding(newest),
        f"95 % range, drawn jointly: errors that rows share do not cancel out. {_MONTH} Dark bar: central, the sum of "
        "medians; diamond: mean, above it because errors are skewed; pale bar: low to high, with what is only bounded "
        "on top of the high end.",
    )
    for metric, (name, unit) in _METRICS.items():
        rows = ranges[ranges["metric"] == metric]
        if len(rows):
            _range_table(book, rows.reset_index(drop=True), metric, name, unit)


def _range_table(book: Book, rows: pandas.DataFrame, metric: str, name: str, unit: str) -> None:
    parts.subheading(f"{name} by month")
    end = float(rows[["central", "mean", "high"]].max().max() or 1) * 1.02 or 1.0
    columns = [
        Column("usage_month", "Month"),
        Column("bar", "Range, with the mean"),
        *(Column(key, f"{key.capitalize()}, {unit}", units.number) for key in ("low", "central", "mean", "high")),
    ]
    tables.table(
        rows,
        columns,
        f"{name}: low, central, mean and high by month",
        cells={
            "usage_month": lambda row: tables.named(units.month(row.usage_month)),
            "bar": lambda row: tables.bar(
                f"{units.month(row.usage_month)}: {words_of_evidence.bounds(metric, row.low, row.high)}",
                row.low, row.central, row.high, end, ahead=row.mean,
            ),
        },
    )  # fmt: skip
    tables.download(book, f"range_{metric}", rows, [column for column in columns if column.key != "bar"])


def _upgrades(book: Book) -> None:
    if not book.holds("fct_factor_upgrade_monthly"):
        return
    gains = evidence.upgrades(book)
    if gains.empty:
        parts.heading("No factor of these months could be known better")
        parts.empty("Everything that is known is metered at the wall, or nothing is known.")
        return
    gains = gains.assign(name=[words_of_evidence.factor_name(row) for row in gains.itertuples()])
    newest = gains[gains["usage_month"] == gains["usage_month"].max()]
    parts.heading(
        words_of_evidence.upgrade_finding(newest.iloc[0]),
        "If one factor alone were known one rung better, by how much would the range of the organisation's energy in "
        f"{units.month(newest.iloc[0]['usage_month'])} shrink? Errors of one method move together, so gains do not add "
        "up. The longest bar is the largest gain.",
    )
    most = float(newest["width_reduction_ratio"].max() or 0) or 1.0  # the longest bar
    columns = [
        Column("name", "Factor"),
        Column("now", "Known by"),
        Column("then", "One rung better"),
        Column("energy_ratio", "Of known energy", units.percent),
        Column("bar", "Range narrower"),
        Column("width_reduction_ratio", "By", units.percent),
        Column("upgraded", "Range then, kWh", str),
    ]
    tables.table(
        newest,
        columns,
        "Factors by what better evidence would gain",
        cells={
            "name": lambda row: tables.named(row.name, row.factor_id.removesuffix(f"/{row.name}")),
            "now": lambda row: tables.named(words_of_evidence.rung(row.evidence_tier)),
            "then": lambda row: tables.named(words_of_evidence.rung(row.upgraded_tier)),
            "bar": lambda row: tables.bar(
                f"{row.name}: the range shrinks by {units.percent(row.width_reduction_ratio)}",
                None, row.width_reduction_ratio, None, most, kind="b s",
            ),
            "upgraded": lambda row: _range_then(row),
        },
    )
    plain = [
        Column("usage_month", "Month"),
        *columns[:1],
        Column("factor_id", "Factor id"),
        Column("method", "Method"),
        Column("evidence_tier", "Evidence tier", units.count),
        Column("upgraded_tier", "Tier if better", units.count),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("energy_ratio", "Share of known energy", units.percent),
        Column("total_low_kwh", "Total low, kWh", units.number),
        Column("total_high_kwh", "Total high, kWh", units.number),
        Column("upgraded_low_kwh", "Total low if better, kWh", units.number),
        Column("upgraded_high_kwh", "Total high if better, kWh", units.number),
        Column("width_reduction_ratio", "Range shrinks by, ratio", units.percent),
    ]
    tables.download(book, "factor_upgrades", gains, plain)


def _range_then(row) -> str:
    low, high = units.number(row.upgraded_low_kwh), units.number(row.upgraded_high_kwh)
    return f'<td class="n">{low} to {high}</td>'
