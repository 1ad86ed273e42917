"""The other half of gate 2: the keys and closed sets that the models promise, all asked for in one pass.

They are declared beside the models, as tests of dbt; there each would be a step of every run. Rules about figures
belong to `quality.marts`, sums that must agree to dbt's own run.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines import engine

TAG = "gate_2"
"""On each test of dbt that is asked here, and by nobody else in a run."""
SHOWN = 200  # characters of the first row that breaks a promise


def inspect(warehouse: Path, home: Path, nodes: Mapping[str, Any]) -> list[str]:
    """The sentence of every promise that is broken, with the model's name in front.

    Args:
        home: To which the warehouse's views name raw files.
        nodes: `nodes` of dbt's manifest.
    """
    with engine.connect(home / "scratch", str(warehouse), read_only=True) as duck:
        duck.execute(f"set file_search_path = {engine.text(home)}")
        broken = []
        for model, subject, wanted, query in _promises(nodes):
            row = duck.execute(f"select *, count(*) over () from ({query}) order by all limit 1").fetchone()
            if row:
                *found, count = row
                shown = ", ".join("null" if value is None else str(value) for value in found)[:SHOWN]
                times = "once" if count == 1 else f"{count} times"
                broken.append(f"{model}: {subject} {wanted}, broken {times} (found {shown})")
    return broken


def promised(nodes: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The tests of models that are asked here; those of seeds hold until somebody changes a seed."""
    for node in nodes.values():
        if TAG in node.get("tags", ()) and node["attached_node"].startswith("model."):
            yield node


def _promises(nodes: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Model, subject, what is promised of it, and a query for the rows or keys that break it, by model."""
    for node in sorted(promised(nodes), key=lambda node: (node["attached_node"], node["name"])):
        name, given = node["test_metadata"]["name"], node["test_metadata"]["kwargs"]
        model = nodes[node["attached_node"]]["name"]
        columns = given.get("columns") or [given["column_name"]]
        subject = ", ".join(columns)
        nowhere, somewhere = (f" {word} ".join(f"{c} is {what}" for c in columns)
                              for word, what in (("and", "not null"), ("or", "null")))
        twice = f"select {subject} from {model} where {{}} group by {subject} having count(*) > 1"
        match name:
            case "unique_key":  # null counts as a value: a fact's key may hold an unknown
                yield model, subject, "must name one row", twice.format("true")
            case "unique":
                yield model, subject, "must name one row", twice.format(nowhere)
            case "primary_key":
                yield model, subject, "must name one row, and no part be empty", (
                    f"{twice.format('true')} or {somewhere}")
            case "present":
                yield model, subject, "must not be empty", f"select {subject} from {model} where {somewhere}"
            case "accepted_values":
                listed = ", ".join(engine.text(value) for value in given["values"])
                yield model, subject, f"must be one of {', '.join(map(str, given['values']))}", (
                    f"select {subject} from {model} where {subject} not in ({listed})")
            case "relationships":
                to = re.search(r"'(\w+)'", given["to"])[1]
                yield model, subject, f"must be in {to}.{given['field']}", (
                    f"select {subject} from {model} where {nowhere} and {subject} not in "
                    f"(select {given['field']} from {to} where {given['field']} is not null)")
            case _:
                raise AssertionError(f"nobody asks for {name} of {model}")
