"""Writing a published build: sorted Parquet, the audit file, the manifest, then the pointer.

What does not belong here: deciding when to publish, and reading a build.
"""

import contextlib
import fcntl
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.errors import JevonsError
from pipelines.snapshot.layout import (
    AUDIT_FILE,
    BUILD_ID,
    FACTS,
    FOLDER,
    MANIFEST_FILE,
    POINTER_FILE,
    derived_build_id,
    first_line,
    quoted_name,
    quoted_text,
    sha256,
)

log = logging.getLogger(__name__)

KEPT_BUILDS = 10

_TEMPORARY = ".tmp-"
_ROWS_PER_GROUP = 122_880
# Older DuckDB releases can read this file version as well; an auditor need not have the writer's release.
_STORAGE_VERSION = "v1.2.0"
_TABLE_NAME = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Published:
    """What one call of `publish` left behind; `unchanged` is true if the same build was already there."""

    build_id: str
    path: Path
    unchanged: bool


def publish(
    warehouse: Path, home: Path, marts: Sequence[str], facts: dict[str, Any],
    beside: Callable[[Path, str], None] | None = None,
) -> Published:
    """Publish the marts of a warehouse file and point `CURRENT` at them.

    Args:
        warehouse: DuckDB file whose schema `main` holds the marts; opened read-only.
        home: folder of `published/`.
        marts: names of tables or views to publish.
        facts: what the manifest says besides the tables: the keys of `FACTS`.
        beside: called with the folder and the id of the build before `CURRENT` names it, to put a file there that the
            manifest does not hold; also for a build that was there already.
    """
    facts = _checked_facts(facts)
    published = Path(home) / FOLDER
    published.mkdir(parents=True, exist_ok=True)
    with _only_publisher(published):
        _remove_leftovers(published)
        folder = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=published))
        try:
            tables = _write_parquet(Path(warehouse), folder, marts)
            build_id = derived_build_id(tables, facts)
            target = published / build_id
            unchanged = _is_complete(target, build_id)
            if unchanged:
                if beside:
                    beside(target, build_id)
                os.utime(target)  # it is the newest again, so that it is not the next to be removed
            else:
                _write_audit_file(folder, sorted(tables))
                _write_manifest(folder, {"build_id": build_id, **facts, "tables": tables})
                if beside:
                    beside(folder, build_id)
                _seal(folder)
                if target.exists():  # damaged since it was published
                    os.rename(target, published / f"{_TEMPORARY}damaged-{build_id}")
                os.rename(folder, target)
                _sync(published)
            _point_at(published, build_id)
        except (OSError, duckdb.IOException) as error:
            raise JevonsError(
                "The marts were not published",
                str(published),
                f"{first_line(error)}; the earlier build stays in place",
                "free disk space or mend the permissions of that folder, then publish again",
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        _remove_oldest(published, keep=build_id)
    log.info("published build %s (%s)", build_id, "unchanged" if unchanged else f"{len(tables)} tables")
    return Published(build_id, target, unchanged)


def _write_parquet(warehouse: Path, folder: Path, marts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Write one sorted Parquet file per mart; the order is total, so the bytes depend on the rows only."""
    if not warehouse.is_file():
        raise JevonsError(
            "The marts cannot be published",
            str(warehouse),
            "the warehouse file is not there",
            "materialise a day first: `jevons materialize --from YYYY-MM-DD --to YYYY-MM-DD`",
        )
    tables = {}
    with duckdb.connect(config={"temp_directory": str(folder / "spill")}) as connection:
        try:
            connection.execute(f"attach {quoted_text(warehouse)} as warehouse (read_only)")
        except duckdb.Error as error:
            raise JevonsError(
                "The marts cannot be published",
                str(warehouse),
                f"the warehouse does not open for reading: {first_line(error)}",
                "wait until the running job has finished, then publish again",
            ) from error
        for name in sorted(set(marts)):
            columns = _columns(connection, name, warehouse)
            file = folder / f"{name}.parquet"
            order = ", ".join(quoted_name(column) for column in columns)
            rows = connection.execute(
                f"copy (select * from warehouse.main.{quoted_name(name)} order by {order})"
                f" to {quoted_text(file)}"
                f" (format parquet, compression zstd, row_group_size {_ROWS_PER_GROUP})"
            ).fetchone()[0]
            tables[name] = {"rows": rows, "sha256": sha256(file), "bytes": file.stat().st_size}
    shutil.rmtree(folder / "spill", ignore_errors=True)
    return tables


def _columns(connection: duckdb.DuckDBPyConnection, name: str, warehouse: Path) -> list[str]:
    if not _TABLE_NAME.fullmatch(name):
        raise ValueError(f"not a table name: {name!r}")
    try:
        described = connection.execute(f"describe warehouse.main.{quoted_name(name)}").fetchall()
        return [row[0] for row in described]
    except duckdb.CatalogException:
        raise JevonsError(
            f"The mart {name} cannot be published",
            str(warehouse),
            "the warehouse has no such table",
            "build the marts first: `jevons materialize --from YYYY-MM-DD --to YYYY-MM-DD`",
        ) from None


def _write_audit_file(folder: Path, tables: Sequence[str]) -> None:
    """Load the Parquet files into one DuckDB file; nothing stays in a write-ahead log."""
    file = folder / AUDIT_FILE
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted_text(file)} as audit (storage_version '{_STORAGE_VERSION}')")
        for name in tables:
            source = f"read_parquet({quoted_text(folder / f'{name}.parquet')})"
            connection.execute(f"create table audit.main.{quoted_name(name)} as select * from {source}")
        connection.execute("checkpoint audit")
        connection.execute("detach audit")
    left_over = file.with_name(f"{AUDIT_FILE}.wal")
    if left_over.exists():
        raise OSError(f"{left_over.name} is left beside the audit file")


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")


def _seal(folder: Path) -> None:
    """Make every file read-only and force files and folder to disk, before any name points here."""
    for file in sorted(folder.iterdir()):
        file.chmod(0o444)
        _sync(file)
    folder.chmod(0o755)  # mkdtemp made it private; auditors may be other users
    _sync(folder)


def _point_at(published: Path, build_id: str) -> None:
    draft = published / f"{_TEMPORARY}{POINTER_FILE}"
    with draft.open("w", encoding="ascii") as stream:
        stream.write(build_id + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, published / POINTER_FILE)
    _sync(published)


def _is_complete(target: Path, build_id: str) -> bool:
    if not (target / AUDIT_FILE).is_file():
        return False
    try:
        manifest = json.loads((target / MANIFEST_FILE).read_text(encoding="utf-8"))
        return manifest["build_id"] == build_id and all(
            sha256(target / f"{name}.parquet") == recorded["sha256"]
            for name, recorded in manifest["tables"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def _remove_leftovers(published: Path) -> None:
    for path in published.glob(f"{_TEMPORARY}*"):
        log.info("removing what an interrupted publish left: %s", path.name)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _remove_oldest(published: Path, keep: str) -> None:
    """Keep the newest builds; a build is renamed first, so that nobody meets half of one."""
    builds = [path for path in published.iterdir() if path.is_dir() and BUILD_ID.fullmatch(path.name)]
    builds.sort(key=lambda path: (path.name == keep, path.stat().st_mtime_ns, path.name))
    for path in builds[:-KEPT_BUILDS]:
        doomed = published / f"{_TEMPORARY}old-{path.name}"
        try:
            os.rename(path, doomed)
        except OSError as error:  # the new build is already out; tidying can wait for the next publish
            log.warning("the old build %s was not removed: %s", path.name, error)
        shutil.rmtree(doomed, ignore_errors=True)


@contextlib.contextmanager
def _only_publisher(published: Path) -> Iterator[None]:
    """Hold a lock that the system gives back even when the process is killed."""
    with (published / ".lock").open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JevonsError(
                "The marts were not published",
                str(published),
                "another process is publishing there now",
                "wait until it has finished, then publish again",
            ) from None
        yield


def _checked_facts(facts: dict[str, Any]) -> dict[str, Any]:
    missing = [key for key in FACTS if key not in facts]
    if missing:
        raise ValueError(f"facts lack {', '.join(missing)}")
    return {key: _plain(value) for key, value in facts.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
