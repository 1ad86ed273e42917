"""Levy: what carbon costs each team inside the organisation, what the fund holds, and what it was used for.

What does not belong here: money of two currencies in one figure, and shadow prices beside the fund.
"""

from typing import Any

import pandas
import streamlit as st

from dashboards import cells, parts, tables, words, words_of_levies
from dashboards.book import NOBODY, Book
from dashboards.questions import levies
from dashboards.tables import Column
from pipelines import units

_SECTIONS = {"owed": "What is owed", "prices": "Prices", "fund": "Fund", "uses": "Uses"}
_ALL = "All months shown"


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    if not book.holds("fct_levy_posting"):
        parts.lacking(book, {"fct_levy_posting": "what carbon costs inside the organisation"})
        return
    funds, owed = levies.funds(book), levies.owed(book)
    if funds.empty and owed.empty:
        parts.heading("Carbon has no price in these months")
        parts.empty(
            "A levy puts a price on a tonne, as a fee that is paid into a fund or as a shadow price that is only "
            "reckoned with. Prices are kept in the registry:",
            "jevons registry import levies.csv",
        )
        return
    parts.contents(_SECTIONS)
    _owed(book, owed)
    _prices(book)
    _fund(book, funds)
    _uses(book)
    tables.twin(book, "levy_postings", _postings(book), _POSTING, "Postings", "Show every posting")


def _owed(book: Book, owed: pandas.DataFrame) -> None:
    if owed.empty:
        parts.heading("No carbon is priced in these months", anchor="owed")
        return
    owed = owed.assign(
        name=[words.nobody_or(row.team_id, row.team_name) for row in owed.itertuples()],
        unknown=[words_of_levies.gap(row) for row in owed.itertuples()],
    )
    months = {units.month(month): month for month in owed["usage_month"].drop_duplicates()}
    title = st.container()
    chosen = st.selectbox("Month", [_ALL, *months], index=1, key="levy-month", width=420)
    if chosen != _ALL:
        owed = owed[owed["usage_month"] == months[chosen]]
    with title:
        parts.heading(
            f"{words_of_levies.owed_finding(owed)}, {chosen if chosen != _ALL else 'all months shown'}",
            "Whole months, whatever days are chosen above. A fee is paid; a shadow price is reckoned with and never "
            "paid, so the two are not added. What nobody owns is the perimeter's own expense. Small: the fee if the "
            f"carbon were at the high end of its range.{words_of_levies.restated_note(owed)}",
            "owed",
        )
    columns = [
        Column("name", "Team", cell=lambda row: cells.named(row.name, units.month(row.usage_month))),
        Column("usage_month", "Month", units.day, only="file"),
        Column("fee_kgco2e_low", "Carbon under the fee, kgCO2e, low", units.number, only="file"),
        Column("fee_kgco2e", "Carbon under the fee, kgCO2e", units.number, missing="none known", cell=_carbon),
        Column("fee_kgco2e_high", "Carbon under the fee, kgCO2e, high", units.number, only="file"),
        Column("fee", "Fee", units.money, cell=_fee),
        Column("fee_high", "Fee at the high end", units.money, only="file"),
        Column("shadow_kgco2e", "Carbon under the shadow price, kgCO2e", units.number, only="file"),
        Column("shadow", "Shadow price, not paid", units.money, missing="none"),
        Column("currency", "Currency"),
        Column("unposted_high", "Not posted, at most", units.money, only="file"),
        Column("unpriced_kgco2e_high", "Carbon unknown, kgCO2e, at most", units.number, only="file"),
        Column("gap_reasons", "Why unknown", only="file"),
        Column("unknown", "Not posted", wide=True, only="page"),
        Column("restated_days", "Days delivered again", units.count, only="file"),
    ]
    nobody = lambda row: "nobody" if row.team_id in NOBODY else ""  # noqa: E731
    tables.report(book, "levy", owed, columns, "Owed by team and month", row_class=nobody)


def _carbon(row: Any) -> str:
    return cells.ranged(row.fee_kgco2e, row.fee_kgco2e_low, row.fee_kgco2e_high)


def _fee(row: Any) -> str:
    if units.is_unknown(row.fee):
        return '<td class="n u">none posted</td>'
    most = "" if units.is_unknown(row.fee_high) else f"<small>at most {units.money(row.fee_high)}</small>"
    return f'<td class="n">{units.money(row.fee)}{most}</td>'


def _prices(book: Book) -> None:
    prices = levies.prices(book)
    if prices.empty:
        return
    prices = prices.assign(
        kind=[words_of_levies.KINDS.get(kind, kind) for kind in prices["levy_kind"]],
        on=[words_of_levies.BASES.get(basis, basis) for basis in prices["basis"]],
        span=[
            " to ".join(dict.fromkeys((units.month(row.first_month), units.month(row.last_month))))
            for row in prices.itertuples()
        ],
    )
    parts.heading(
        f"{units.counted(len(prices), 'price')} of carbon in these months",
        "Of several of one kind the nearest counts: workflow, team, unit, organisation. A price that changes counts "
        "from its day on.",
        "prices",
    )
    columns = [
        Column("levy_id", "Levy", cell=lambda row: cells.named(row.levy_id, row.kind)),
        Column("kind", "Kind", only="file"),
        Column("perimeter_name", "Adopted for", cell=_adopted),
        Column("adopted_by", "By", only="file"),
        Column("price_per_tonne", "Price of a tonne", units.money),
        Column("currency", "Currency"),
        Column("span", "Priced in", cell=lambda row: cells.named(row.span, row.on)),
        Column("on", "Basis", only="file"),
        Column("kgco2e", "Carbon, kgCO2e", units.number, missing="none known"),
        Column("amount", "Amount", units.money, missing="none"),
    ]
    tables.report(book, "levy_prices", prices, columns, "Prices of carbon")


def _adopted(row: Any) -> str:
    return cells.named(row.perimeter_name, f"by {row.adopted_by}")


def _fund(book: Book, funds: pandas.DataFrame) -> None:
    if funds.empty:
        parts.heading("No fee has been paid into a fund", "A shadow price brings nothing that could be used.", "fund")
        return
    parts.heading(
        words_of_levies.fund_finding(funds),
        "Over all months of the build. One fund for each perimeter and currency.",
        "fund",
    )
    columns = [
        Column("perimeter_name", "Fund of"),
        Column("currency", "Currency"),
        Column("paid_in", "Paid in", units.money),
        Column("used", "Used", units.money),
        Column("remaining", "Left", units.money),
    ]
    tables.report(book, "levy_funds", funds, columns, "Funds")


def _uses(book: Book) -> None:
    uses = levies.uses(book)
    if uses.empty:
        parts.heading("Nothing of a fund has been used", anchor="uses")
        parts.empty("What proceeds are used for is kept in the registry:", "jevons registry import levy_uses.csv")
        return
    parts.heading(f"{units.counted(len(uses), 'use')} of proceeds on record", anchor="uses")
    columns = [
        Column("purpose", "Used for", wide=True),
        Column("used_on_date", "On", units.day),
        Column("perimeter_name", "Fund of"),
        Column("amount", "Amount", units.money),
        Column("currency", "Currency"),
        Column("approved_by", "Decided by"),
        Column("evidence", "Evidence", wide=True),
        Column("use_id", "Id", only="file"),
        Column("levy_id", "Levy", only="file"),
    ]
    tables.report(book, "levy_uses", uses, columns, "Uses of proceeds")


def _postings(book: Book) -> pandas.DataFrame:
    rows = levies.postings(book)
    return rows.assign(account=[words_of_levies.ACCOUNTS.get(name, name) for name in rows["account"]])


_POSTING = [
    Column("levy_id", "Levy"),
    Column("usage_month", "Month", units.month),
    Column("account", "Account"),
    Column("party", "Team or use"),
    Column("debit", "Debit", units.money, missing="–"),
    Column("credit", "Credit", units.money, missing="–"),
    Column("currency", "Currency"),
    Column("kgco2e", "kgCO2e", units.number, missing="–"),
    Column("price", "Price of a tonne", units.money),
    Column("evidence", "Evidence", missing="–"),
]
