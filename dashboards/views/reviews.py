"""Workload reviews: which are owed and by whom, what the data answer, and the command that records an answer.

What does not belong here: recording it; pages never write.
"""

from html import escape
from typing import Any

import pandas
import streamlit as st

from dashboards import cells, parts, tables, words_of_efficiency
from dashboards.book import Book
from dashboards.questions import efficiency
from dashboards.questions.decompositions import Perimeter
from dashboards.tables import Column
from pipelines import units

MART = "fct_workload_review"


def section(book: Book, of: Perimeter, anchor: str) -> None:
    """All reviews, and one of them in detail."""
    if not book.holds(MART):
        return
    reviews = efficiency.reviews(book, of)
    if reviews.empty:
        parts.heading("No review is owed: no change is known", anchor=anchor)
        return
    parts.heading(
        words_of_efficiency.reviews_finding(reviews),
        "Each change owes a review after 30 and after 90 days, by the owner of the change; owed: due for more than a "
        f"week. As of {units.day(reviews['as_of_date'].max())}: what was answered since then shows with the next "
        f"build, and at once in jevons reviews list. Rows: {MART}.",
        anchor,
    )
    columns = [
        Column("change_id", "Review of", cell=_review),
        Column("after_days", "After days", units.count, only="file"),
        Column("change_type", "What", only="file"),
        Column("due_date", "Due", units.day),
        Column("owner", "Owed by"),
        Column("workflow_ids", "Workflows", only="file"),
        Column("status", "State", cell=_state),
        Column("energy_change_ratio", "Total", words_of_efficiency.change, cell=_total, full_label="Change of total"),
        Column("intensity_change_ratio", "Change of energy per call", words_of_efficiency.change, only="file"),
        Column("outcome", "Decided", cell=_decided, missing="nothing yet"),
        Column("decided_by", "By", only="file"),
        Column("decided_at_utc", "At, UTC", str, only="file"),
        Column("reason", "Why", only="file"),
        *(Column(name, name.replace("_", " ").capitalize(), units.number if "count" in name or "kwh" in name
                 or "tokens" in name else None, only="file")
          for name in reviews.columns if name.startswith(("before_", "after_", "expanded", "retired"))
          and name != "after_days"),
    ]  # fmt: skip
    tables.report(book, "workload_reviews", reviews, columns, "Workload reviews")
    _detail(book, reviews)


def _review(row: Any) -> str:
    kind = words_of_efficiency.TYPES.get(row.change_type, row.change_type)
    return cells.named(row.change_id, f"after {row.after_days} days", kind)


def _state(row: Any) -> str:
    return f'<td>{parts.status(words_of_efficiency.STATES.get(row.status, ""), row.status)}</td>'


def _total(row: Any) -> str:
    if units.is_unknown(row.energy_change_ratio):
        return f'<td class="n u">{escape(words_of_efficiency.gap(row.gap_reason) or "unknown")}</td>'
    each = words_of_efficiency.change(row.intensity_change_ratio)
    return f'<td class="n">{words_of_efficiency.change(row.energy_change_ratio)}<small>a call {each}</small></td>'


def _decided(row: Any) -> str:
    if units.is_unknown(row.outcome):
        return '<td class="u">nothing yet</td>'
    day = None if units.is_unknown(row.decided_at_utc) else units.day(pandas.Timestamp(row.decided_at_utc))
    return cells.named(words_of_efficiency.OUTCOMES.get(row.outcome, row.outcome), row.decided_by, day, row.reason)


def _detail(book: Book, reviews: pandas.DataFrame) -> None:
    rows = {f"{row.change_id}/{row.after_days}": row for row in reviews.itertuples()}
    names = {key: words_of_efficiency.review_name(row) for key, row in rows.items()}
    parts.subheading("One review", "Before: counted to as many days as after. A dash: the source does not tell.")
    chosen = rows[st.selectbox("Review", list(rows), format_func=names.get, key="less-review", width=620)]
    if units.is_unknown(chosen.before_energy_kwh) and not units.is_unknown(chosen.gap_reason):
        parts.note(f"No figures: {words_of_efficiency.gap(chosen.gap_reason)}.")
    columns = [
        Column("question", "Question"),
        Column("figure", "Figure"),
        Column("before", "Before", wide=True),
        Column("after", "After", wide=True),
        Column("change", "Change"),
    ]
    tables.report(book, "review_answers", _answers(chosen), columns, "What the data answer")
    said = "Its owner says what follows, keep, cap, retire or hand_back; who said so is kept for the audit:"
    if chosen.status == "answered":
        said = "It is answered; another answer, keep, cap, retire or hand_back, is a new version beside the first one:"
    parts.empty(said, words_of_efficiency.answer_command(chosen))


def _answers(row: Any) -> pandas.DataFrame:
    """The seed questions with what is known before and after."""

    def counted(question: str, figure: str, name: str, write=units.count):
        before, after = getattr(row, f"before_{name}"), getattr(row, f"after_{name}")
        known = not units.is_unknown(before) and not units.is_unknown(after)
        by = words_of_efficiency.change(after / before - 1) if known and before else ""
        return question, figure, *(("–" if units.is_unknown(value) else write(value)) for value in (before, after)), by

    def listed(question: str, figure: str, text: Any):
        return question, figure, "", "none" if units.is_unknown(text) else text, ""

    changed, measured = "What changed?", "What is measured?"
    known = not units.is_unknown(row.after_energy_kwh)
    by = row.intensity_change_ratio
    ratio = "–" if units.is_unknown(by) else words_of_efficiency.change(by)
    each = [f"{units.number(getattr(row, f'{side}_energy_kwh') * 1000 / getattr(row, f'{side}_call_count'))} Wh"
            if known and getattr(row, f"{side}_call_count") else "–" for side in ("before", "after")]  # fmt: skip
    models = ["–" if units.is_unknown(text) else text for text in (row.before_model_ids, row.after_model_ids)]
    types = "outcomes" if units.is_unknown(row.outcome_types) else row.outcome_types.replace("_", " ")
    answers = [
        counted(changed, "Calls", "call_count"),
        counted(changed, "Energy, central", "energy_kwh", units.energy),
        (changed, "Energy of a call", *each, ratio),
        counted(changed, "Tokens", "all_tokens"),
        counted(changed, "Retries", "retry_count"),
        counted(changed, "Background runs", "background_call_count"),
        (changed, "Models", *models, ""),
        listed("What expanded?", "Workflows with more calls or other models", row.expanded_workflow_ids),
        counted(measured, f"Quality: {types}", "outcome_count"),
        counted(measured, "Of these accepted", "accepted_count"),
        (measured, "Latency, as declared", "", "not declared" if units.is_unknown(row.latency_tiers)
         else row.latency_tiers, ""),
        listed("What was retired?", "Workflows", row.retired_workflow_ids),
        listed("What was retired?", "Models", row.retired_model_ids),
    ]  # fmt: skip
    return pandas.DataFrame(answers, columns=["question", "figure", "before", "after", "change"])
