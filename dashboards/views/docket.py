"""The docket of claims: who claims what, beside what came true of the organisation's own workload, and the verdict.

What does not belong here: the verdict's making; realised totals alone decide, in the mart.
"""

from html import escape
from typing import Any

from dashboards import cells, parts, tables, words_of_efficiency
from dashboards.book import Book
from dashboards.questions import efficiency
from dashboards.questions.decompositions import Perimeter
from dashboards.tables import Column
from pipelines import units

MART = "fct_claim_docket"


def section(book: Book, of: Perimeter, anchor: str) -> None:
    """One row a claim; those that can be tested first."""
    if not book.holds(MART):
        return
    claims = efficiency.claims(book, of)
    if claims.empty:
        parts.heading("No claim of efficiency is on the docket", anchor=anchor)
        parts.empty("Who claims what, of which workload and against which baseline, is kept in the registry:",
                    "jevons registry import claims.csv")  # fmt: skip
        return
    parts.heading(
        words_of_efficiency.claims_finding(claims),
        "Less is −, more is +, over whole weeks before and after; interval: 95 %, of how weeks differ, not of factors. "
        "Where no meter read the energy, the verdict is one about estimates. Offset by volume: a unit takes less, the "
        "total does not. A claim without workload or baseline gets no further than not testable. "
        f"Rows: {MART}.",
        anchor,
    )
    claims = claims.assign(
        unit=[words_of_efficiency.UNITS.get(name, name) for name in claims["functional_unit"]],
        why=[words_of_efficiency.gap(reason) for reason in claims["gap_reason"]],
        evidence=[words_of_efficiency.evidence(row) for row in claims.itertuples()],
    )
    columns = [
        Column("claim_text", "Claim", wide=True, cell=_claim),
        Column("claimant", "Who", only="file"),
        Column("claimed_date", "When", units.day, only="file"),
        Column("claim_source", "Where", only="file"),
        Column("claimed_saving_ratio", "Claimed", cell=_claimed, only="page"),
        Column("claimed_saving_ratio", "Claimed saving", units.percent, only="file"),
        Column("unit", "Of what", only="file"),
        Column("workload", "Workload and baseline", cell=_workload, full_label="Workload", missing="not stated"),
        Column("baseline", "Baseline", only="file", missing="not stated"),
        Column("hardware", "Hardware", only="file", missing="not stated"),
        Column("meter", "Meter that would test it", only="file", missing="not said"),
        Column("perimeter_id", "Tested on", only="file"),
        *_realised("unit", "Per unit", "Saved per unit"),
        *_realised("total", "Total", "Saved of the total"),
        Column("verdict", "Verdict", cell=_verdict),
        Column("why", "Why not testable", only="file"),
        Column("evidence", "Evidence", only="file"),
        Column("baseline_measured_ratio", "Read by a meter before", units.percent, only="file"),
        Column("tested_measured_ratio", "Read by a meter after", units.percent, only="file"),
        Column("baseline_kwh_per_week", "kWh a week before", units.number, only="file"),
        Column("tested_kwh_per_week", "kWh a week after", units.number, only="file"),
        Column("baseline_coverage_ratio", "Coverage before", units.percent, only="file"),
        Column("tested_coverage_ratio", "Coverage after", units.percent, only="file"),
        Column("baseline_week_count", "Weeks before", units.count, only="file"),
        Column("tested_week_count", "Weeks after", units.count, only="file"),
    ]
    tables.report(book, "claims_docket", claims, columns, "Docket of claims")


def _realised(name: str, label: str, full: str) -> list[Column]:
    key = f"{name}_saving_ratio"
    return [
        Column(key, label, words_of_efficiency.change, cell=lambda row: _saving(row, key), full_label=full),
        Column(f"{key}_low", f"{full}, low", words_of_efficiency.change, only="file"),
        Column(f"{key}_high", f"{full}, high", words_of_efficiency.change, only="file"),
    ]


def _claim(row: Any) -> str:
    said = cells.named(row.claim_text, row.claimant, units.day(row.claimed_date), row.claim_source)
    return said.replace("<td", '<td class="w"', 1)


def _claimed(row: Any) -> str:
    return f'<td class="o">{units.percent(row.claimed_saving_ratio, 0)} less<small>{escape(row.unit)}</small></td>'


def _workload(row: Any) -> str:
    missing = units.is_unknown
    return cells.named(
        "no workload stated" if missing(row.workload) else row.workload,
        "no baseline stated" if missing(row.baseline) else f"against: {row.baseline}",
        "hardware not stated" if missing(row.hardware) else f"on: {row.hardware}",
        None if missing(row.perimeter_id) else f"tested on {row.perimeter_id}",
    )


def _saving(row: Any, key: str) -> str:
    """A saving as what it is, less or more, with its interval."""
    by, low, high = (getattr(row, f"{key}{end}") for end in ("", "_low", "_high"))
    if units.is_unknown(by):
        return '<td class="n u">unknown</td>'
    known = not units.is_unknown(low) and not units.is_unknown(high)
    ends = f"{words_of_efficiency.change(-high)} to {words_of_efficiency.change(-low)}" if known else "no interval"
    return f'<td class="n">{words_of_efficiency.change(-by)}<small>{ends}</small></td>'


def _verdict(row: Any) -> str:
    mark = parts.status(words_of_efficiency.DOCKET.get(row.verdict, ""), row.verdict)
    said = " · ".join(filter(None, (row.why, row.evidence)))
    return f'<td class="a">{mark}<small>{escape(said)}</small></td>'
