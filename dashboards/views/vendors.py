"""Vendors: what each answered to six questions, with what evidence, beside its month in the ledger.

What does not belong here: figures of the days chosen above; a month here ends with the ledger.
"""

from collections.abc import Callable
from html import escape
from typing import Any

import pandas
import streamlit as st

from dashboards import cells, parts, tables, words_of_vendors
from dashboards.book import Book
from dashboards.questions import vendors
from dashboards.tables import Column
from pipelines import units

_SECTIONS = {"register": "Register", "answers": "Answers"}
_ALL = "All vendors asked"
# The sign of a ceiling's status that stands beside the words.
_SIGNS = {
    "yes": "within",
    "partly": "undecided",
    "no": "exceeded",
    "said, not shown": "undecided",
    "a cheaper meter": "exceeded",
    "answers in part": "undecided",
    "answers all six": "within",
}


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    if not book.holds("fct_vendor_register"):
        parts.lacking(book, {"fct_vendor_register": "what vendors answered"})
        return
    answers = vendors.answers(book)
    if answers.empty:
        parts.heading("No vendor is in usage or in the registry")
        parts.empty("Vendors and their answers are kept in the registry:", "jevons registry import vendors.csv")
        return
    parts.contents(_SECTIONS)
    _register(book, answers)
    _answers(book, answers)


def _register(book: Book, answers: pandas.DataFrame) -> None:
    listed = answers.drop_duplicates(["vendor_id", "is_registered"])
    for question in words_of_vendors.QUESTIONS:
        states = answers[answers["question"] == question].set_index(["vendor_id", "is_registered"])["state"]
        listed = listed.join(states.rename(question), on=["vendor_id", "is_registered"])
    month = listed["as_of_date"].dropna()
    ends = f" to {units.day(month.iloc[0])}" if len(month) else ""
    parts.heading(
        words_of_vendors.finding(listed),
        "A yes counts where evidence is on record; without it, it is only said. A cheaper meter: nothing is answered "
        f"yes with evidence. Energy, calls and cost are those of the 30 days{ends}, whatever days are chosen above.",
        "register",
    )
    columns = [
        Column("vendor_name", "Vendor", cell=_vendor),
        Column("providers", "Names in usage", only="file"),
        *(
            Column(key, head, cell=_state(key), full_label=question)
            for key, (head, question) in words_of_vendors.QUESTIONS.items()
        ),
        Column("verdict", "Verdict", cell=_state("verdict")),
        Column("yes_count", "Answered yes with evidence", units.count, only="file"),
        Column("calls", "Calls in 30 days", units.count, only="file"),
        Column("energy_kwh_low", "kWh in 30 days, low", units.number, only="file"),
        Column("energy_kwh", "kWh", units.number, cell=_month, full_label="kWh in 30 days"),
        Column("energy_kwh_high", "kWh in 30 days, high", units.number, only="file"),
        Column("energy_share", "Share of the organisation's energy", units.percent, only="file"),
        Column("coverage_ratio", "Share of calls with known energy", units.percent, only="file"),
        Column("cost_usd", "USD in 30 days", units.money, only="file"),
    ]
    nobody = lambda row: "" if row.is_registered else "nobody"  # noqa: E731
    tables.report(book, "vendors", listed, columns, "Vendors and six questions", row_class=nobody)


def _vendor(row: Any) -> str:
    return cells.named(row.vendor_name, row.providers if row.is_registered else "not in the registry")


def _state(key: str) -> Callable[[Any], str]:
    def cell(row: Any) -> str:
        said = getattr(row, key)
        if said not in _SIGNS:
            return f'<td class="a u">{escape("no answer" if said == "unanswered" else said)}</td>'
        return f'<td class="a">{parts.status(_SIGNS[said], said)}</td>'

    return cell


def _month(row: Any) -> str:
    if not row.calls:
        return '<td class="n u">not used</td>'
    said = [units.short_count(row.calls, units.noun(row.calls, "call"))]
    if not units.is_unknown(row.cost_usd):
        said.append(units.money(row.cost_usd, "USD"))
    if units.is_unknown(row.energy_kwh):
        most = [] if units.is_unknown(row.energy_kwh_high) else [f"at most {units.number(row.energy_kwh_high)}"]
        return f'<td class="n u">unknown<small>{"<br>".join([*most, *said])}</small></td>'
    share = f"{units.percent(row.energy_share)} of all"
    return f'<td class="n">{units.number(row.energy_kwh)}<small>{"<br>".join([share, *said])}</small></td>'


def _answers(book: Book, answers: pandas.DataFrame) -> None:
    asked = answers[answers["is_registered"]]
    if asked.empty:
        parts.heading("No answer is on record", anchor="answers")
        parts.empty(
            "Vendors and their answers are kept in the registry:",
            "jevons registry import vendors.csv vendor_answers.csv",
        )
        return
    missing = int((asked["state"] == "unanswered").sum())
    parts.heading(
        f"{units.counted(len(asked) - missing, 'answer')} on record, {missing} not given",
        "Of several answers to one question the newest counts. Age: from the answer to the ledger's last day.",
        "answers",
    )
    chosen = st.selectbox("Vendor", [_ALL, *asked["vendor_name"].unique()], key="vendor", width=420)
    if chosen != _ALL:
        asked = asked[asked["vendor_name"] == chosen]
    asked = asked.assign(asked=[words_of_vendors.QUESTIONS.get(name, ("", name))[1] for name in asked["question"]])
    columns = [
        Column("asked", "Question", wide=True, cell=lambda row: cells.named(row.asked, row.vendor_name)),
        Column("vendor_name", "Vendor", only="file"),
        Column("state", "Answer", cell=_state("state")),
        Column("answer_text", "In short", wide=True),
        Column("evidence_title", "Evidence", wide=True, cell=_evidence),
        Column("evidence_address", "Address of the evidence", only="file"),
        Column("answered_on_date", "Answered on", units.day, missing="–"),
        Column("age_days", "Age in days", units.count, missing="–"),
    ]
    tables.report(book, "vendor_answers", asked, columns, "Answers of vendors")


def _evidence(row: Any) -> str:
    if units.is_unknown(row.evidence_title):
        return '<td class="w u">none</td>'
    return cells.named(row.evidence_title, row.evidence_address).replace("<td>", '<td class="w">', 1)
