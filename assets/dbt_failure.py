"""A model or test of dbt that failed, in words: which one, and what it found.

Whether a build failed, and what follows from it, is decided in `assets.warehouse`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from pipelines import engine

LONGEST = 300  # characters of a row that are shown
_NULL = re.compile(r"NOT NULL constraint failed: \w+\.(\w+)")


def which(unique_id: str, nodes: Mapping[str, Any]) -> str:
    """The name of a node as a person says it: dbt names a test after its model and all that it was given.

    Args:
        nodes: `nodes` of dbt's manifest.
    """
    kind, _, name = unique_id.split(".")[:3]
    test = nodes.get(unique_id, {}).get("test_metadata")
    if not test:
        return f"the {kind} {name}"
    model = nodes[unique_id]["attached_node"].split(".")[-1]
    column = test["kwargs"].get("column_name")
    return f"the test {test['name']} of {model}{f'.{column}' if column else ''}"


def found(result: Mapping[str, Any], path: Path, where: Path) -> str:
    """What a failed node found, where that can be said better than dbt does; else nothing.

    A column that a mart's contract wants filled is named. Of a test, whose message is a count, the first row is shown:
    it is asked for once more, in the warehouse as the failed build left it.

    Args:
        result: One of the results in dbt's run_results.json.
        path: The warehouse that was built.
        where: The home, to which the names of raw files are relative.
    """
    empty = _NULL.search(result["message"] or "")
    if empty:
        return f"{empty[1]} is null in one of its rows, and must not be"
    if result["status"] != "fail" or not result.get("compiled_code"):
        return ""
    try:
        with engine.connect(where / "scratch", str(path), read_only=True) as duck:
            duck.execute(f"set file_search_path = {engine.text(where)}")
            rows = duck.execute(f"select * from (\n{result['compiled_code']}\n) limit 1")
            names, row = [column[0] for column in rows.description], rows.fetchone()
    except duckdb.Error:
        return ""
    if row is None:
        return ""
    shown = ", ".join(f"{name} = {'null' if value is None else value}" for name, value in zip(names, row, strict=True))
    more = f" (the first of {result['failures']} such rows)" if result["failures"] > 1 else ""
    return f"{shown[:LONGEST]}{more}"
