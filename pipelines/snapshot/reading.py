"""Reading a published build: find the current one, ask it, check it against its manifest.

What does not belong here: writing a build, and printing an answer.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow

from pipelines.errors import JevonsError
from pipelines.snapshot.layout import (
    AUDIT_FILE,
    BUILD_ID,
    FOLDER,
    MANIFEST_FILE,
    POINTER_FILE,
    derived_build_id,
    first_line,
    quoted_name,
    quoted_text,
    sha256,
)

if TYPE_CHECKING:
    import pandas  # slow to load, and only the pages want a frame

# Given when the file is opened, not by SET afterwards: two connections of one process share an instance, and
# the second SET would meet the lock of the first.
_LOCKED_DOWN = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "allow_community_extensions": "false",
    "memory_limit": "2GB",
    "temp_directory": "",
    "lock_configuration": "true",
}


@dataclass(frozen=True)
class Snapshot:
    """One complete published build, open for reading."""

    build_id: str
    path: Path
    manifest: dict[str, Any] = field(hash=False)

    @contextlib.contextmanager
    def open(self, sql: str, params: Sequence[Any] = ()) -> Iterator[duckdb.DuckDBPyRelation]:
        """Ask one read-only question and yield its answer; the file is closed on leaving."""
        file = (self.path / AUDIT_FILE).resolve()
        if not file.is_file():
            raise JevonsError(
                "The published build cannot be opened",
                str(file),
                "it is no longer there (only the newest builds are kept)",
                "ask again for the current build",
            )
        try:
            with duckdb.connect(str(file), read_only=True, config=_LOCKED_DOWN) as connection:
                _refuse_all_but_one_question(connection, sql)
                yield connection.sql(sql, params=list(params) or None)
        except duckdb.Error as error:
            raise _query_error(self.build_id, error) from None

    def query(self, sql: str, params: Sequence[Any] = ()) -> pyarrow.Table:
        """Answer one question; the build id travels in the schema metadata of the table."""
        with self.open(sql, params) as answer:
            return answer.to_arrow_table().replace_schema_metadata({"build_id": self.build_id})

    def fetch_df(self, sql: str, params: Sequence[Any] = ()) -> "pandas.DataFrame":
        """Answer one question as a frame for a page; DECIMAL becomes float: good to draw, not to add up."""
        with self.open(sql, params) as answer:
            return answer.df()


def is_published(home: Path) -> bool:
    """Whether there is a build to read at all."""
    return (Path(home) / FOLDER / POINTER_FILE).exists()


def current(home: Path) -> Snapshot:
    """Return the build that `CURRENT` names now."""
    published = Path(home) / FOLDER
    pointer = published / POINTER_FILE
    try:
        build_id = pointer.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise JevonsError(
            "Nothing is published yet",
            str(pointer),
            "no build has been made in this JEVONS_HOME",
            "run `make demo`, or `jevons materialize --from YYYY-MM-DD --to YYYY-MM-DD`",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(pointer, first_line(error)) from None
    if not BUILD_ID.fullmatch(build_id):
        raise _damaged(pointer, "it does not hold the name of a build")
    path = (published / build_id).resolve()
    try:
        manifest = json.loads((path / MANIFEST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path / MANIFEST_FILE, first_line(error)) from None
    return Snapshot(build_id, path, manifest)


def verify(snapshot: Snapshot) -> list[str]:
    """Compare a build with its manifest; return one sentence per finding, none if all is well.

    Hashes of the Parquet files are recomputed, the name of the build is derived again, and each table of the
    audit file is compared with its Parquet file by row count and by an order-free sum of row hashes.
    """
    findings = []
    tables = snapshot.manifest.get("tables", {})
    facts = {key: value for key, value in snapshot.manifest.items() if key not in ("build_id", "tables")}
    if {snapshot.manifest.get("build_id"), derived_build_id(tables, facts)} != {snapshot.build_id}:
        findings.append(f"{MANIFEST_FILE}: its content does not give the build id {snapshot.build_id}")
    for name, recorded in sorted(tables.items()):
        parquet = snapshot.path / f"{name}.parquet"
        if not parquet.is_file():
            findings.append(f"{parquet.name}: missing")
        elif sha256(parquet) != recorded["sha256"]:
            findings.append(f"{parquet.name}: its SHA-256 differs from the manifest")
        else:
            findings.extend(_compare_with_audit(snapshot, name, parquet, recorded["rows"]))
    return findings


def _compare_with_audit(snapshot: Snapshot, name: str, parquet: Path, rows: int) -> Iterator[str]:
    summary = "select count(*), sum(hash(t)) from {} as t"
    try:
        with duckdb.connect() as connection:
            in_file = connection.execute(summary.format(f"read_parquet({quoted_text(parquet)})")).fetchone()
        with snapshot.open(summary.format(quoted_name(name))) as answer:
            in_audit = answer.fetchall()[0]
    except (duckdb.Error, JevonsError) as error:
        yield f"{name}: cannot be compared with {AUDIT_FILE}: {first_line(error)}"
        return
    if in_audit[0] != rows:
        yield f"{AUDIT_FILE}: {name} holds {in_audit[0]} rows, the manifest says {rows}"
    elif in_audit != in_file:
        yield f"{AUDIT_FILE}: {name} holds other values than {parquet.name}"


def _refuse_all_but_one_question(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = connection.extract_statements(sql)
    allowed = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    if len(statements) != 1 or statements[0].type not in allowed:
        kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
        raise JevonsError(
            "The statement was refused",
            "published build",
            f"a published build answers one SELECT at a time, and this is {kinds}",
            "ask with a single SELECT, DESCRIBE, SUMMARIZE or EXPLAIN",
        )


def _query_error(build_id: str, error: duckdb.Error) -> JevonsError:
    if isinstance(error, duckdb.PermissionException):
        why, fix = first_line(error), 'ask only about the tables of the build: `jevons sql "show tables"`'
    elif isinstance(error, duckdb.OutOfMemoryException):
        why, fix = "the answer needs more memory than a reader may take", "sum or filter in the query"
    else:
        why, fix = _with_hint(error), 'correct the query; `jevons sql "show tables"` lists the tables'
    return JevonsError("The query could not be answered", f"published build {build_id}", why, fix)


def _with_hint(error: duckdb.Error) -> str:
    hints = [line for line in str(error).splitlines()[1:] if line.startswith(("Did you mean", "Candidate"))]
    return " - ".join([first_line(error), *hints[:1]])


def _damaged(path: Path, why: str) -> JevonsError:
    return JevonsError(
        "The published build cannot be read",
        str(path),
        why,
        "publish again: `jevons materialize` makes a new build",
    )
