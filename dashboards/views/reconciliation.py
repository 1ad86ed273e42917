"""Reconciliation: where two accounts of the same use differ, since when, and why.

What does not belong here: choosing between them; the ledger books the system of record and nothing twice.
"""

from functools import partial
from typing import Any

import pandas

from dashboards import cells, parts, tables, words_of_gaps
from dashboards.book import Book
from dashboards.questions import reconciliation
from dashboards.tables import Column
from pipelines import units

_AGES = (
    ("Up to a week old", 0, 7),
    ("8 to 30 days old", 8, 30),
    ("31 to 90 days old", 31, 90),
    ("Over 90 days", 91, None),
)
_AMOUNTS = {"call_count": units.count, "input_tokens": units.short_count, "output_tokens": units.short_count}


def section(book: Book, anchor: str) -> None:
    """Open gaps by age and one by one, then those that closed and all accounts."""
    if not book.holds("fct_reconciliation_daily"):
        return
    accounts = reconciliation.vendor_accounts(book)
    if accounts.empty:
        parts.heading("No vendor's use was told by two sources in these days", anchor=anchor)
        parts.empty(
            "Two sources of one provider are compared: its usage report, the gateway's log, the invoice. Name them in "
            "jevons.toml and check:",
            "jevons doctor",
        )
        return
    gaps = reconciliation.vendor_gaps(book)
    gaps = gaps.assign(
        name=[words_of_gaps.account(row) for row in gaps.itertuples()],
        pair=[words_of_gaps.pair(row) for row in gaps.itertuples()],
        why=[words_of_gaps.cause(row.cause) for row in gaps.itertuples()],
    )
    parts.heading(
        words_of_gaps.reconciliation_finding(accounts, gaps),
        "The system of record is booked; the other source is held against it and never added. A gap is as old as the "
        "first day of its unbroken run, counted to the newest day of the ledger. Gap: what the system of record says "
        "beyond the other, over the days of the run.",
        anchor,
    )
    current = gaps[gaps["is_open"]] if len(gaps) else gaps
    _ages(current)
    if len(current):
        _table(book, current)
    over = gaps[~gaps["is_open"].astype(bool)]
    if len(over):
        columns = tables.of_file(_columns(1.0))
        tables.twin(book, "gaps_closed", over, columns, "Gaps that closed", "Show gaps that closed")
    columns = [
        Column("provider", "Provider"),
        Column("quantity", "Quantity"),
        Column("of_record_source", "System of record"),
        Column("other_source", "Held against"),
        Column("days", "Days compared", units.count),
        Column("agreed_days", "Days in agreement", units.count),
        Column("tolerance_ratio", "Tolerance", units.percent),
    ]
    tables.twin(book, "accounts", accounts, columns, "Accounts that were compared", "Show all accounts")


def _ages(current: pandas.DataFrame) -> None:
    """How many gaps are how old, as accounts are aged; what one side never tells is counted apart."""
    told = current[current["cause"] != "not_told"]
    cards = []
    for label, least, most in _AGES:
        within = told[told["age_days"].between(least, most if most is not None else 10**6)]
        note = ", ".join(sorted(set(within["provider"]))) if len(within) else "no open gap"
        cards.append(parts.card(label, units.count(len(within)), note))
    silent = len(current) - len(told)
    if silent:
        note = "one side does not state the quantity, so that nothing can be said"
        cards.append(parts.card("Not comparable", units.count(silent), note))
    parts.cards(cards)


def _table(book: Book, gaps: pandas.DataFrame) -> None:
    oldest = max(float(gaps["age_days"].max()), 1.0)
    nobody = lambda row: "nobody" if row.cause == "not_told" else ""  # noqa: E731
    tables.report(book, "gaps_open", gaps, _columns(oldest), "Open gaps, the oldest first", row_class=nobody)


def _columns(oldest: float) -> list[Column]:
    """What is told of a gap; the longest bar is the `oldest`, in days."""

    def bar(row: Any) -> str:
        said = f"{row.name}: open for {units.counted(row.age_days, 'day')}"
        return cells.bar(said, None, row.age_days, None, oldest, kind="b s")

    return [
        Column("name", "Account", cell=lambda row: cells.named(row.name, row.pair), only="page"),
        Column("provider", "Provider", only="file"),
        Column("quantity", "Quantity", only="file"),
        Column("of_record_source", "System of record", only="file"),
        Column("other_source", "Held against", only="file"),
        Column("why", "Cause", wide=True),
        Column("opened_date", "First day", units.day, only="file"),
        Column("last_date", "Last day", units.day, only="file"),
        Column("days", "Days", units.count, only="file"),
        Column("of_record_quantity", "System of record", units.number, cell=partial(_amount, key="of_record_quantity"),
               full_label="System of record says"),
        Column("other_quantity", "Other", units.number, cell=partial(_amount, key="other_quantity"),
               full_label="The other says"),
        Column("gap_quantity", "Gap", units.number, only="file"),
        Column("gap_ratio", "Gap", units.percent, cell=cells.gap, full_label="Gap, ratio"),
        Column("bar", "Open for", cell=bar, only="page"),
        Column("age_days", "Age, days", units.count, cell=lambda row: cells.dated(row.age_days, row.opened_date)),
    ]  # fmt: skip


def _amount(row: Any, key: str) -> str:
    value = getattr(row, key)
    if units.is_unknown(value):
        return '<td class="n u">not told</td>'
    if row.quantity == "cost_usd":
        return f'<td class="n">{value:,.2f} USD</td>'
    return f'<td class="n">{_AMOUNTS.get(row.quantity, units.number)(value)}</td>'
