"""DuckDB connections, all alike: UTC, bounded memory, spilling beside the data, no extension from outside.

SQL belongs to whoever connects.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY_LIMIT = "3GB"


def memory_limit() -> str:
    """How much one DuckDB process may take (JEVONS_MEMORY_LIMIT); above it, it spills to disk."""
    return os.environ.get("JEVONS_MEMORY_LIMIT") or MEMORY_LIMIT


@contextmanager
def connect(scratch: Path, database: str = ":memory:", read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that spills into `scratch` and never installs anything."""
    config = {
        "memory_limit": memory_limit(),
        "temp_directory": str(scratch / "spill"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    connection = duckdb.connect(database, read_only=read_only, config=config)
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()


def text(value: object) -> str:
    """The value as a SQL string literal, for the few places that take no parameter (COPY targets)."""
    return "'" + str(value).replace("'", "''") + "'"


def name(identifier: str) -> str:
    """The identifier quoted."""
    return '"' + identifier.replace('"', '""') + '"'
