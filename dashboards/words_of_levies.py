"""Sentences about carbon's price inside the organisation: what is owed, what a fund holds.

What does not belong here: HTML and SQL; texts are plain. Amounts of two currencies never meet in one.
"""

from typing import Any

import pandas

from dashboards.book import NOBODY
from pipelines import units

KINDS = {"fee": "fee", "shadow": "shadow price"}
BASES = {"location_kgco2e": "location-based", "market_kgco2e": "market-based"}
ACCOUNTS = {
    "team_expense": "expense of the team",
    "perimeter_expense": "expense of the perimeter: nobody owns the use",
    "levy_fund": "fund",
    "proceeds_used": "proceeds used",
    "shadow_cost": "memorandum: shadow cost",
    "shadow_contra": "memorandum: contra",
    "not_posted": "not posted: carbon unknown",
}


def owed_finding(rows: pandas.DataFrame) -> str:
    """Say what is owed in fees over all rows, in each currency, and how much of it is for what nobody owns."""
    fees = rows[rows["fee"].notna()]
    if fees.empty:
        return "No fee is owed in these months"
    said = []
    for currency, part in fees.groupby("currency"):
        nobody = part[part["team_id"].isin(NOBODY)]["fee"].sum()
        own = f", {units.money(nobody, currency)} of it for what nobody owns" if nobody else ""
        said.append(f"{units.money(part['fee'].sum(), currency)}{own}")
    return f"Owed for carbon: {'; '.join(said)}"


def fund_finding(rows: pandas.DataFrame) -> str:
    """Say what is left in the funds."""
    left = "; ".join(
        f"{row.perimeter_name} {units.money(row.remaining, row.currency)}"
        + (", more was used than came in" if row.remaining < 0 else "")
        for row in rows.itertuples()
    )
    return f"Left in the {units.noun(len(rows), 'fund')}: {left}"


def restated_note(rows: pandas.DataFrame) -> str:
    """Say which months earlier builds may have posted otherwise; nothing where there are none."""
    months = sorted({row.usage_month for row in rows.itertuples() if row.restated_days})
    if not months:
        return ""
    named = ", ".join(units.month(month) for month in months)
    return f" A source has delivered days of {named} again: earlier builds, which stay, may have posted otherwise."


def gap(row: Any) -> str:
    """Say how much of a team's carbon has no price because it is not known."""
    if not row.unpriced:
        return ""
    if units.is_unknown(row.unposted_high):
        return "some carbon unknown, without a bound"
    return f"unknown carbon: at most {units.money(row.unposted_high, row.currency)} more"
