"""The tests of the models' SQL on made-up rows, and of the frozen seeds: what says something of the code, not of a day.

What a run asks of its own rows belongs to dbt's part of it and to gate 2.
"""

from pathlib import Path

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from parsed_project import PROJECT, runner


def test_the_unit_tests_of_the_models_hold_and_so_do_the_frozen_seeds(home: Path) -> None:
    """They need a warehouse only for the types of what the models read."""
    try:
        done = runner().invoke([
            "test", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--quiet", "--no-write-json",
            "--target-path", str(home / "target"), "--log-level-file", "none",
            "--select", "resource_type:unit_test", "resource_type:seed",
        ])
    finally:
        DuckDBConnectionManager.close_all_connections()  # or this process keeps the warehouse locked
    assert done.success, done.exception or [r.message for r in done.result if r.status not in ("success", "pass")]
    ran = [result.node.resource_type for result in done.result]
    assert ran.count("unit_test") > 100 and ran.count("test") > 30
