"""The ratchet and the running account: what a saving proposes for a ceiling, what growth took back, what is left.

What does not belong here: the ceilings themselves, which have their own page.
"""

import shlex
from typing import Any

import pandas

from dashboards import cells, parts, tables, words_of_efficiency
from dashboards.book import Book
from dashboards.questions import efficiency
from dashboards.questions.decompositions import Perimeter
from dashboards.tables import Column
from pipelines import units

RATCHET, ACCOUNT = "fct_ratchet_proposal", "fct_saving_account"


def ratchet(book: Book, of: Perimeter, anchor: str) -> None:
    """What each change proposes, and what was decided of it."""
    if not book.holds(RATCHET) or not book.holds("fct_efficiency_change"):
        return
    rows = efficiency.ratchets(book, of)
    if rows.empty:
        parts.heading("No saving proposes a lower ceiling: no change is known", anchor=anchor)
        return
    open_, done = ((rows["status"] == state).sum() for state in ("proposed", "adopted"))
    proposed = units.counted(open_, "saving proposes a lower ceiling", "savings propose lower ceilings")
    parts.heading(
        f"{proposed if open_ else 'No saving proposes a lower ceiling'}, {done or 'none'} adopted",
        "What is saved even at the low end of its range, and was to be kept or handed back by its review, lowers the "
        f"ceiling around it by one act; to decline it needs a reason. Rows: {RATCHET}.",
        anchor,
    )
    columns = [
        Column("change_id", "Change", cell=_decision),
        Column("status", "State", only="file"),
        Column("saved_energy_kwh", "Saved in the weeks after, kWh", units.number, cell=_saved),
        Column("saved_energy_kwh_low", "Saved, low", units.number, only="file"),
        Column("saved_energy_kwh_high", "Saved, high", units.number, only="file"),
        Column("ceiling_id", "Ceiling", cell=_ceiling),
        Column("limit_kwh", "Limit, kWh", units.number, missing="–"),
        Column("saving_kwh", "Lower by, kWh", units.number, missing="–"),
        Column("proposed_limit_kwh", "To, kWh", units.number, missing="–"),
        Column("gap_reason", "Why unknown", only="file"),
        Column("decided_by", "Decided", cell=_decided, missing="nothing yet"),
        Column("reason", "Why", only="file"),
    ]
    tables.report(book, "ratchet", rows, columns, "What savings propose")
    for row in rows[rows["status"] == "proposed"].itertuples():
        change = shlex.quote(row.change_id)
        parts.empty("It is adopted by one act, or declined with a reason (decline in place of adopt):",
                    f'jevons ratchet adopt {change} --by "Who decides" --reason "Why"')  # fmt: skip


def _decision(row: Any) -> str:
    after = None if units.is_unknown(row.after_days) else f"reviewed after {int(row.after_days)} days"
    return cells.named(row.change_id, row.status, after)


def _saved(row: Any) -> str:
    if units.is_unknown(row.saved_energy_kwh):
        return f'<td class="n u">{words_of_efficiency.gap(row.gap_reason) or "–"}</td>'
    return cells.ranged(row.saved_energy_kwh, row.saved_energy_kwh_low, row.saved_energy_kwh_high)


def _ceiling(row: Any) -> str:
    if units.is_unknown(row.ceiling_id):
        return '<td class="u">–</td>'
    ends = (pandas.Timestamp(row.period_end) - pandas.Timedelta(days=1)).date()
    return cells.named(row.ceiling_id, f"{units.day(row.period_start)} to {units.day(ends)}")


def _decided(row: Any) -> str:
    if units.is_unknown(row.decided_by):
        return '<td class="u">nothing yet</td>'
    return cells.named(row.decided_by, units.day(pandas.Timestamp(row.decided_at_utc)), row.reason)


def account(book: Book, of: Perimeter, anchor: str) -> None:
    """What changes saved and growth took back, by team and month."""
    if not book.holds(ACCOUNT):
        return
    rows = efficiency.accounts(book, of)
    if rows.empty:
        parts.heading("No saving is booked here yet", anchor=anchor)
        return
    whose = " The account of its team, over all of its workflows." if of.kind == "workflow" else ""
    parts.heading(
        words_of_efficiency.account_finding(rows),
        "Saved: what as many days took before the change, less what as many calls would take now. Taken back: what "
        "was used, less that. Balance: of all months so far, less what was handed back as a lower ceiling; below "
        f"zero, more is used than before.{whose} Central figures. Rows: {ACCOUNT}.",
        anchor,
    )
    columns = [
        Column("team_name", "Team"),
        Column("usage_month", "Month", units.month),
        Column("saved_energy_kwh", "Saved, kWh", units.number),
        Column("taken_back_energy_kwh", "Taken back by growth, kWh", units.number),
        Column("net_energy_kwh", "Net, kWh", units.number),
        Column("handed_back_energy_kwh", "Handed back, kWh", units.number),
        Column("balance_energy_kwh", "Balance, kWh", units.number),
    ]
    tables.report(book, "saving_account", rows, columns, "Running account of savings")
