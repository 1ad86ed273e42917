"""Who adopted which ceiling and why, also for periods to come; and what was tried against ceilings and refused.

What does not belong here: where a ceiling stands.
"""

from typing import Any

import pandas

from dashboards import cells, parts, tables, words, words_of_ceilings
from dashboards.book import Book
from dashboards.questions import ceilings
from dashboards.tables import Column
from pipelines import units


def adopted(book: Book, anchor: str) -> None:
    """Each ceiling with its body, day, reason and evidence."""
    if not book.holds("dim_ceiling"):
        return
    rows = ceilings.adopted(book)
    if rows.empty:
        return
    coming = int(rows["is_coming"].sum())
    waits = units.counted(coming, "ceiling is", "ceilings are") if coming else "No ceiling is"
    parts.heading(
        f"{waits} adopted for a period to come",
        "The limits that stand. Each can be lowered, and none raised: by nobody, in no way.",
        anchor,
    )
    columns = [
        Column("name", "Ceiling", cell=lambda row: cells.named(row.name, "to come" if row.is_coming else None)),
        Column("period_start", "From", units.day),
        Column("last_day", "To", units.day),
        Column("limit_quantity", "Limit", units.number, cell=_limit),
        Column("unit", "Unit", only="file"),
        Column("adopted_by", "Adopted by", cell=lambda row: cells.named(row.adopted_by, units.day(row.adopted_at_utc))),
        Column("adopted_at_utc", "Adopted at (UTC)", only="file"),
        Column("reason", "Why", wide=True, cell=lambda row: cells.named(row.reason, row.evidence)),
        Column("evidence", "Evidence", only="file"),
    ]
    rows = rows.assign(
        name=[words.ceiling_name(row) for row in rows.itertuples()],
        last_day=pandas.to_datetime(rows["period_end"]) - pandas.Timedelta(days=1),
        unit=[units.metric_unit(metric) for metric in rows["metric"]],
    ).sort_values(["is_coming", "period_start"], ascending=False, kind="stable")
    tables.report(book, "ceilings_adopted", rows, columns, "Ceilings as they were adopted")


def refused(book: Book, anchor: str) -> None:
    """What was tried, by which way, and the rule in its way."""
    if not book.holds("fct_refused_attempt"):
        return
    rows = ceilings.refused(book)
    if rows.empty:
        parts.heading("Nobody tried to raise, move or delete a ceiling", anchor=anchor)
        return
    parts.heading(
        f"{units.counted(len(rows), 'attempt')} against a ceiling {units.noun(len(rows), 'was', 'were')} refused",
        "As it was written. Who tried it stands in the registry alone, as pages name no person: "
        "jevons ceilings refused.",
        anchor,
    )
    rows = rows.assign(
        name=[_name(row) for row in rows.itertuples()],
        tried=[words_of_ceilings.tried(row) for row in rows.itertuples()],
        way=[words_of_ceilings.way(row) for row in rows.itertuples()],
    )
    columns = [
        Column("attempted_at_utc", "When (UTC)", cell=_when),
        Column("name", "Ceiling", cell=lambda row: cells.named(row.name, row.ceiling_id)),
        Column("ceiling_id", "Id", only="file"),
        Column("tried", "What was tried", cell=lambda row: cells.named(row.tried, row.way)),
        Column("way", "Way", only="file"),
        Column("limit_quantity", "Limit asked for", only="file"),
        Column("rule", "Why it was refused", wide=True, cell=lambda row: cells.named(row.rule, row.fix)),
        Column("fix", "Way out", only="file"),
    ]
    tables.report(book, "refused_attempts", rows, columns, "Attempts that were refused")


def _name(row: Any) -> str:
    named = not any(map(units.is_unknown, (row.perimeter_type, row.perimeter_name, row.metric)))
    return words.ceiling_name(row) if named else "Not fully named"


def _limit(row: Any) -> str:
    write, unit = units.amounts(row.metric, row.limit_quantity)
    return f'<td class="n">{write(row.limit_quantity)} {unit}</td>'


def _when(row: Any) -> str:
    return cells.named(units.day(row.attempted_at_utc), f"{row.attempted_at_utc:%H:%M}")
