"""Evidence: how the figures are known, how wide their ranges are, and which better evidence would narrow them most.

What does not belong here: how much was used, and by whom. Accounts that are set against each other stand in
`reconciliation`, what sources delivered in `deliveries`.
"""

from typing import Any

import pandas
import streamlit as st

from dashboards import cells, charts, parts, style, tables, words_of_evidence
from dashboards.book import Book
from dashboards.parts import Section
from dashboards.questions import evidence
from dashboards.tables import Column
from dashboards.views import backtests, deliveries, energy_lines, meters, ranges, reconciliation
from pipelines import units

_KINDS = {name: (words_of_evidence.RUNGS[name][0], style.RUNGS[name]) for name in words_of_evidence.RUNGS}
_SECTIONS = (
    Section("mix", "How it is known"),
    Section("ranges", "Ranges", "fct_range_monthly", "ranges of totals"),
    Section("upgrades", "What better evidence gains", "fct_factor_upgrade_monthly", "what better evidence would gain"),
    Section("vendors", "Vendors' accounts", "fct_reconciliation_daily", "vendors' accounts against each other"),
    Section("meters", "Meters", "fct_meter_reconciliation_daily.open_days", "meters against counters"),
    Section("lines", "Lines of the meter", "fct_energy_line_daily", "lines of each meter"),
    Section("backtests", "Estimates against meters", "fct_estimate_backtest.busy_kwh", "estimates against meters"),
    Section("deliveries", "Deliveries"),
    Section("restated", "Restated days"),
)


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    parts.contents(parts.present(book, _SECTIONS))
    _mix(book)
    ranges.section(book, "ranges")
    ranges.upgrades(book, "upgrades")
    reconciliation.section(book, "vendors")
    meters.section(book, "meters")
    energy_lines.section(book, "lines")
    backtests.section(book, "backtests")
    deliveries.section(book, "deliveries", "restated")
    parts.lacking(book, parts.told(_SECTIONS))


def _mix(book: Book) -> None:
    rungs = _with_shares(evidence.rungs(book))
    note = (
        "The ladder of evidence, the best rung first. Shares of energy are of known energy, of calls of all calls."
        + words_of_evidence.no_energy_note(rungs)
    )
    parts.heading(words_of_evidence.mix_finding(rungs), note, "mix")
    if not (rungs["calls"].sum() or rungs["energy_kwh"].notna().any()):
        parts.empty("No call and no energy in these days.")
        return
    tables.report(
        book,
        "evidence",
        rungs,
        [
            Column("name", "Known by", cell=_rung),
            Column("energy_kwh", "Energy, kWh", units.number, cell=_energy),
            *_shares("energy", "known energy"),
            Column("calls", "Calls", units.count, cell=_calls),
            *_shares("call", "calls"),
        ],
        "Energy and calls by evidence",
        row_class=lambda row: "nobody" if row.rung in words_of_evidence.WITHOUT_ENERGY else "",
    )
    _by_week(book)


def _shares(name: str, of: str) -> list[Column]:
    """The bar and the figure of a share."""

    def share(row: Any) -> str:
        part = getattr(row, f"{name}_share")
        return '<td class="n u"></td>' if units.is_unknown(part) else f'<td class="n">{units.percent(part)}</td>'

    def bar(row: Any) -> str:
        return cells.share(f"{row.name}: share of {of}", getattr(row, f"{name}_share"))

    return [
        Column(f"{name}_bar", f"Of {of}", cell=bar, only="page"),
        Column(f"{name}_share", "Share", units.percent, cell=share, full_label=f"Share of {of}"),
    ]


def _rung(row: Any) -> str:
    return cells.named(row.name, row.what, colour=style.RUNGS.get(row.rung, style.NOBODY))


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


def _energy(row: Any) -> str:
    if units.is_unknown(row.energy_kwh):
        apart = {"unknown": "unknown", "metered_elsewhere": "in its meter's row"}
        return f'<td class="n u">{apart.get(row.rung, "none")}</td>'
    return f'<td class="n">{units.number(row.energy_kwh, 4)}</td>'


def _calls(row: Any) -> str:
    return f'<td class="n">{units.count(row.calls)}</td>' if row.calls else '<td class="n u">none</td>'


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
