"""Some models of the project over what was landed in a home, without the run that makes the whole warehouse.

What must hold for all models together belongs to the demo and to the ledger's own tests.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from parsed_project import PROJECT, runner

from pipelines import landing
from pipelines.sources import all_sources


def models_over(home: Path, *names: str, **variables: Any) -> Callable[[str], list[tuple[Any, ...]]]:
    """Renders the models and makes a view of each, in this order; takes a second or two.

    Args:
        names: Models and, before each, those that it reads and that are not ephemeral; a seed is read as it is frozen.
        variables: Of the project, other than they stand there.

    Returns:
        Asks them: SQL to rows.
    """
    landing.ensure_readable(home, all_sources())
    (home / "warehouse").mkdir(exist_ok=True)
    before = os.environ.get("JEVONS_HOME")
    os.environ["JEVONS_HOME"] = str(home)
    try:
        dbt = runner()
        done = dbt.invoke([
            "compile", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--quiet",
            "--target-path", str(home / "target"), "--vars", json.dumps(variables), "--select", *names,
        ])
    finally:
        DuckDBConnectionManager.close_all_connections()  # or this process keeps the warehouse locked
        if before is None:
            del os.environ["JEVONS_HOME"]
        else:
            os.environ["JEVONS_HOME"] = before
    assert done.success, done.exception
    compiled = home / "target" / "compiled" / "jevons" / "models"
    duck = duckdb.connect(config={"file_search_path": str(home)})
    duck.execute("attach ':memory:' as jevons")
    duck.execute("use jevons")
    for name in names:
        if (seed := PROJECT / "seeds" / f"{name}.csv").exists():
            types = dbt.manifest.nodes[f"seed.jevons.{name}"].config.column_types
            duck.execute(f"create view {name} as select * from read_csv('{seed}', types = {types})")
            continue
        duck.execute(f"create view {name} as {next(compiled.rglob(f'{name}.sql')).read_text('utf-8')}")
    return lambda sql: duck.execute(sql).fetchall()
