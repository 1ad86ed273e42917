"""Gate 1: may what a fetch staged go into raw/?

The rules come from the columns of the source; where a refused day goes is decided by landing.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import duckdb
import great_expectations.expectations as gxe

from pipelines import engine
from pipelines.errors import Finding
from pipelines.source import Table
from quality.validation import Broken, broken_rules

VIEW = "batch"


def rules(table: Table) -> list[gxe.Expectation]:
    """The rules that the table's columns state: required, at least, one of. Keys are made unique while staging."""
    found: list[gxe.Expectation] = []
    for column in table.columns:
        if column.required:
            found.append(gxe.ExpectColumnValuesToNotBeNull(column=column.name))
        if column.minimum is not None:
            found.append(gxe.ExpectColumnValuesToBeBetween(column=column.name, min_value=column.minimum))
        if column.allowed:
            found.append(gxe.ExpectColumnValuesToBeInSet(column=column.name, value_set=list(column.allowed)))
    return found


def inspect(table: Table, files: Mapping[date | None, Path], scratch: Path) -> list[Finding]:
    """Looks at everything that one fetch staged at once; only if a rule is broken, at each day apart.

    A backfill of a year that is in order so costs what one day costs.

    Returns:
        One finding per broken rule and day.
    """
    if not files:
        return []
    broken = _broken(files.values(), rules(table), scratch)
    if not broken:
        return []
    suspects = [rule.rule for rule in broken]
    return [
        Finding(
            f"{table.name} of {day or 'the whole table'}", found.sentence,
            "correct it at the source and land the day again", day.isoformat() if day else None,
        )
        for day, path in sorted(files.items(), key=lambda item: str(item[0]))
        for found in _broken([path], suspects, scratch)
    ]


def _broken(paths: Iterable[Path], suite: list[gxe.Expectation], scratch: Path) -> list[Broken]:
    database = scratch / "gate.duckdb"
    with duckdb.connect(str(database), config={"memory_limit": engine.memory_limit()}) as duck:
        listed = ", ".join(engine.text(path) for path in paths)
        duck.execute(f"create or replace view {VIEW} as select * from read_parquet([{listed}])")
    return broken_rules(database, {VIEW: suite})[VIEW]
