"""Vendors' invoices as the organisation keeps them: who was paid how much, for which period, for what.

Whether an invoice is the record of a vendor's use or only corroborates another source is said by `system_of_record` in
jevons.toml and worked out in dbt. An amount in another currency than USD is refused: nothing is converted here.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pipelines.errors import Finding, SourceError
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._small_files import MEND, OPTIONS, records, told
from pipelines.userfiles import Refusals
from pipelines.window import Window

NAME = "invoices"
LONGEST = timedelta(days=1100)
COLUMNS = (
    Column("invoice_id", "VARCHAR", "Its number, and one for each line of it.", required=True),
    Column("line_id", "VARCHAR", "Line of the invoice; null where it has one."),
    Column("vendor", "VARCHAR", "Who was paid, as the providers section of jevons.toml names it.", required=True),
    Column("period_start", "DATE", "First day that is paid for.", required=True),
    Column("period_end", "DATE", "First day that is no more paid for.", required=True),
    Column("amount", "DECIMAL(18,6)", "What was paid, without tax; a credit note is negative.", required=True),
    Column("currency", "VARCHAR", "Always USD.", required=True),
    Column("paid_for", "VARCHAR", "What it was for.", required=True),
    Column("workflow_id", "VARCHAR", "Workflow that it was for; null = shared."),
)


def rule(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is wrong with a record as a whole, or None."""
    if record["currency"] != "USD":
        return "currency", f"{record['currency'][:12]} is not USD, and nothing is converted here"
    if record["period_end"] <= record["period_start"]:
        return "period_end", "it is the first day after the period, and not after its start"
    if record["period_end"] - record["period_start"] > LONGEST:
        return "period_end", f"a period of more than {LONGEST.days} days is no invoice's"
    if abs(record["amount"]) >= Decimal(10) ** 9:
        return "amount", "a billion for AI is a mistake"
    return None


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """All lines of all files; one refused line holds the whole table back."""
    refusals = Refusals()
    rows = [record for _, record in records(context, NAME, COLUMNS, refusals, rule)]
    yield Page(rows, context.options(NAME)["path"], findings=(*refusals.all(), *_undecided(context, rows)))


def check(context: Context) -> str:
    """Reads the files as a run would."""
    refusals = Refusals()
    rows = [record for _, record in records(context, NAME, COLUMNS, refusals, rule)]
    undecided = _undecided(context, rows)
    if undecided and not refusals.all():
        raise SourceError("An invoice may count twice", undecided[0].where, undecided[0].rule, undecided[0].fix)
    return told(context, NAME, len(rows), refusals)


def _undecided(context: Context, rows: list[dict[str, Any]]) -> tuple[Finding, ...]:
    """A vendor that another source reads as well is booked once: somebody has to say by which of the two."""
    settings = context.settings
    said = {each.provider for each in settings.providers if each.system_of_record}
    both = sorted({row["vendor"] for row in rows if settings.enabled(row["vendor"])} - said)
    return tuple(Finding(
        f"invoices of {vendor}", f"[sources.{vendor}] reads the same vendor, and neither is its system_of_record",
        f'write system_of_record = "{vendor}" or "{NAME}" in [providers.{vendor}]; then {MEND}',
    ) for vendor in both)


SOURCE = Source(
    name=NAME,
    description="Invoices of vendors, by line and period.",
    options=(*OPTIONS, "site"),
    check=check,
    tables=(
        Table("lines", COLUMNS, ("invoice_id", "line_id"), fetch, "One row per line of an invoice.", daily=False),
    ),
)
