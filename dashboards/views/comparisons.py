"""Comparisons: measurements before and after a change, or a vendor's figure and what came true, with the verdict.

What does not belong here: judging them; the marts give a verdict only where the conditions are stated and equal.
"""

from typing import Any

from dashboards import parts, tables, words_of_models
from dashboards.book import Book
from dashboards.questions import models
from dashboards.tables import Column
from pipelines import units

_SIGNS = {"more efficient": "within", "less efficient": "exceeded"}


def section(book: Book) -> None:
    """One row per pair of measurements."""
    if not book.holds("fct_comparison"):
        return
    pairs = models.comparisons(book)
    if pairs.empty:
        parts.heading("No measurement is compared with another")
        parts.empty(
            "Measurements come from files with the conditions that they were made under; the source `measurements` in "
            "jevons.toml names them. Check it:",
            "jevons doctor",
        )
        return
    parts.heading(
        words_of_models.comparison_finding(pairs),
        "A verdict needs stated and equal conditions, but for the one that the comparison is about, and ranges that do "
        "not overlap. Ratio: the later energy over the earlier one; below 1 is less. All measurements of the build, "
        "whatever days are chosen above.",
    )
    columns = [
        Column("compared_subject", "Compared"),
        Column("reference_subject", "With"),
        Column("tested_condition", "About"),
        Column("energy_ratio", "Ratio", units.number),
        Column("verdict", "Verdict"),
    ]
    tables.table(
        pairs,
        columns,
        "Comparisons of measurements",
        cells={
            "compared_subject": lambda row: _side(row, "compared"),
            "reference_subject": lambda row: _side(row, "reference"),
            "tested_condition": lambda row: (
                f"<td>{parts.escape(words_of_models.plain(row.tested_condition) or '–')}</td>"
            ),
            "energy_ratio": _ratio,
            "verdict": _verdict,
        },
    )
    more = [
        Column("comparison_id", "Comparison"), *columns[:3],
        Column("reference_date", "Day of the reference", units.day),
        Column("compared_date", "Day of the compared", units.day),
        *(Column(f"{side}_energy_wh_per_unit{end}", f"{side.capitalize()}{said}, Wh", units.number)
          for side in ("reference", "compared") for end, said in (("_low", " low"), ("", ""), ("_high", " high"))),
        Column("energy_ratio_low", "Ratio low", units.number), columns[3],
        Column("energy_ratio_high", "Ratio high", units.number),
        Column("differing_conditions", "Conditions that differ"),
        Column("unstated_conditions", "Conditions not stated"), columns[4],
    ]  # fmt: skip
    tables.download(book, "comparisons", pairs, more)


def _side(row: Any, side: str) -> str:
    energy = (getattr(row, f"{side}_energy_wh_per_unit{end}") for end in ("", "_low", "_high"))
    central, low, high = energy
    when = f"{words_of_models.phase(getattr(row, f'{side}_phase'))}, {units.day(getattr(row, f'{side}_date'))}"
    said = f"{words_of_models.wh(central)} ({words_of_models.wh_range(low, high)})"
    return tables.named(getattr(row, f"{side}_subject"), when, said)


def _ratio(row: Any) -> str:
    if units.is_unknown(row.energy_ratio_low) or units.is_unknown(row.energy_ratio_high):
        ends = "range unknown"
    else:
        ends = f"{units.number(row.energy_ratio_low)} to {units.number(row.energy_ratio_high)}"
    return f'<td class="n">{units.number(row.energy_ratio)}<small>{ends}</small></td>'


def _verdict(row: Any) -> str:
    said, why = words_of_models.verdict(row)
    mark = parts.status(_SIGNS.get(said, "undecided"), said)
    return f"<td>{mark}{f'<small>{parts.escape(why)}</small>' if why else ''}</td>"
