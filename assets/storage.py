"""Dagster's own storage on SQLite, with each event log opened once and not anew for every statement.

What is stored, and where, is Dagster's; that this class is used is written by `assets.instance`.

Dagster 1.13 makes an engine and a connection for every statement of every event, and closing the last one writes the
whole journal back. A run over a quarter has thousands of events, which took it as long as all models and sources.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as db
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

KEPT_RUNS = 4  # open files of a process that lives for weeks


class KeptEventLog(SqliteEventLogStorage):
    """The event log of Dagster; the index over all runs and the logs of the latest few runs stay open."""

    def __init__(self, base_dir: str):
        self._kept: dict[str, db.Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[db.Connection]:
        if shard not in self._initialized_dbs:
            with super()._connect(shard):
                pass  # it makes the tables where there are none
        with self._db_lock:
            with self._engine(shard).begin() as connection:
                yield connection

    def _engine(self, shard: str) -> db.Engine:
        """The engine of a database; at most one connection is open, and whoever uses it holds the lock."""
        engine = self._kept.pop(shard, None)
        if engine is None:
            engine = db.create_engine(
                self.conn_string_for_shard(shard), poolclass=db.pool.QueuePool, pool_size=1,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            db.event.listen(engine, "connect", _spare_the_disk)
        self._kept[shard] = engine  # the latest used is last
        runs = [name for name in self._kept if name != INDEX_SHARD_NAME]
        for name in runs[:-KEPT_RUNS]:
            self._kept.pop(name).dispose()
        return engine

    def has_table(self, table_name: str) -> bool:
        """Whether the index has the table; asked at every event, and a table that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def wipe(self) -> None:
        """Removes all events; the files must be closed first."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Closes everything; what is asked afterwards is opened again."""
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._db_lock:
            while self._kept:
                self._kept.popitem()[1].dispose()


def _spare_the_disk(connection: Any, record: Any) -> None:
    """A commit need not reach the platters: a process that dies loses nothing, a power cut the last events at most."""
    connection.execute("pragma synchronous = normal")


class Storage(DagsterSqliteStorage):
    """Runs, events and schedules in the folders where Dagster keeps them by itself."""

    def __init__(self, base_dir: str, inst_data: Any = None):
        super().__init__(base_dir, inst_data)
        self._event_log_storage.dispose()
        self._event_log_storage = KeptEventLog(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "Storage":
        """Made by Dagster from its settings."""
        return cls.from_local(inst_data=inst_data, **config_value)
