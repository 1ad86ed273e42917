"""Comparisons: measurements before and after a change, or a vendor's figure and what came true, with the verdict.

What does not belong here: judging them; the marts give a verdict only where the conditions are stated and equal.
"""

from typing import Any

from dashboards import cells, parts, tables, words_of_models
from dashboards.book import Book
from dashboards.questions import models
from dashboards.tables import Column
from pipelines import units

_SIGNS = {"more efficient": "within", "less efficient": "exceeded"}


def section(book: Book, anchor: str) -> None:
    """One row per pair of measurements."""
    if not book.holds("fct_comparison"):
        return
    pairs = models.comparisons(book)
    if pairs.empty:
        parts.heading("No measurement is compared with another", anchor=anchor)
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
        anchor,
    )
    columns = [
        Column("comparison_id", "Comparison", only="file"),
        Column("compared_subject", "Compared", cell=lambda row: _side(row, "compared")),
        Column("reference_subject", "With", cell=lambda row: _side(row, "reference")),
        Column("tested_condition", "About", cell=_about),
        Column("reference_date", "Day of the reference", units.day, only="file"),
        Column("compared_date", "Day of the compared", units.day, only="file"),
        *(Column(f"{side}_energy_wh_per_unit{end}", f"{side.capitalize()}{said}, Wh", units.number, only="file")
          for side in ("reference", "compared") for end, said in (("_low", " low"), ("", ""), ("_high", " high"))),
        Column("energy_ratio_low", "Ratio low", units.number, only="file"),
        Column("energy_ratio", "Ratio", units.number, cell=_ratio),
        Column("energy_ratio_high", "Ratio high", units.number, only="file"),
        Column("differing_conditions", "Conditions that differ", only="file"),
        Column("unstated_conditions", "Conditions not stated", only="file"),
        Column("verdict", "Verdict", cell=_verdict),
    ]  # fmt: skip
    tables.report(book, "comparisons", pairs, columns, "Comparisons of measurements")


def _about(row: Any) -> str:
    return f"<td>{parts.escape(words_of_models.plain(row.tested_condition) or '–')}</td>"


def _side(row: Any, side: str) -> str:
    energy = (getattr(row, f"{side}_energy_wh_per_unit{end}") for end in ("", "_low", "_high"))
    central, low, high = energy
    when = f"{words_of_models.phase(getattr(row, f'{side}_phase'))}, {units.day(getattr(row, f'{side}_date'))}"
    said = f"{words_of_models.wh(central)} ({words_of_models.wh_range(low, high)})"
    return cells.named(getattr(row, f"{side}_subject"), when, said)


def _ratio(row: Any) -> str:
    return cells.ranged(row.energy_ratio, row.energy_ratio_low, row.energy_ratio_high)


def _verdict(row: Any) -> str:
    said, why = words_of_models.verdict(row)
    mark = parts.status(_SIGNS.get(said, "undecided"), said)
    return f"<td>{mark}{f'<small>{parts.escape(why)}</small>' if why else ''}</td>"
