"""Opens the registry's database, guards it against change, reads versions and appends new ones.

Whether an entry may be recorded is decided in `book`. The guards hold against statements, not against whoever
owns the file or may drop a table.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlmodel import Session, SQLModel

from pipelines.errors import JevonsError
from pipelines.registry import binding, staying
from pipelines.registry.allocation_tables import Allocation, AllocationShare
from pipelines.registry.models import KINDS, Kind, RefusedAttempt
from pipelines.registry.recorded import Recorded

logger = logging.getLogger(__name__)

_WITHOUT_VERSIONS = (RefusedAttempt, Allocation, AllocationShare)
_WRITE_LOCK = 0x4A65766F6E73  # "Jevons": the advisory lock that makes PostgreSQL writers take turns


def default_url(home: Path, configured: str | None = None) -> str:
    """The registry's SQLAlchemy URL: the configured one, or `registry.sqlite` in `home`."""
    return configured or f"sqlite:///{home / 'registry.sqlite'}"


def open_registry(url: str) -> Engine:
    """Connects, and makes whatever tables and guards are not there yet.

    Raises:
        JevonsError: if the URL is none, or the database cannot be opened, or cannot be guarded.
    """
    try:
        engine = _connect(url)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise JevonsError(
            "The registry cannot be opened", "JEVONS_REGISTRY_URL",
            "it is no SQLAlchemy URL with an installed driver",
            "unset it for SQLite, or use postgresql+psycopg://... with jevons[postgresql] installed",
        ) from error
    except OSError as error:
        raise JevonsError(
            "The registry cannot be opened", error.filename, (error.strerror or str(error)).lower(),
            "set JEVONS_HOME to a folder that may be written",
        ) from error
    shown = engine.url.render_as_string(hide_password=True)
    if engine.dialect.name not in ("sqlite", "postgresql"):
        raise JevonsError(
            "The registry cannot be kept there", shown, "no guard against changes is known for that database",
            "use SQLite or PostgreSQL",
        )
    try:
        with writing(engine) as session:
            connection = session.connection()
            tables = [table.__table__ for table in (*(kind.table for kind in KINDS.values()), *_WITHOUT_VERSIONS)]
            SQLModel.metadata.create_all(connection, tables=tables)
            _widen(connection, tables)
            _guard(connection)
    except DBAPIError as error:
        raise JevonsError(
            "The registry cannot be opened", shown, str(error.orig).splitlines()[0],
            "check that the database is there, is one and may be written",
        ) from error
    return engine


def _connect(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _plain(connection, _record):
        # The driver would begin transactions late, after the reads that a write is judged by.
        connection.isolation_level = None
        connection.execute("pragma foreign_keys = on")

    @event.listens_for(engine, "begin")
    def _begin(connection):
        writes = connection.get_execution_options().get("jevons_writes")
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One transaction in which nobody else writes: what was read before the write still holds with it."""
    with engine.connect().execution_options(jevons_writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _WRITE_LOCK})
        with Session(bind=connection, join_transaction_mode="conditional_savepoint") as session:
            yield session
            session.flush()


def _widen(connection: Connection, tables: Iterable[Table]) -> None:
    """Adds columns that came after a table was made; recorded rows have nothing in them, and stay as they were.

    No trigger asks about it: a column is added to the table, and no row is changed. Only a column that may be empty can
    come later.
    """
    for table in tables:
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(f"alter table {table.name} add column {column.name} {kind}")
                logger.info("added the column %s to %s of the registry", column.name, table.name)


def _guard(connection: Connection) -> None:
    """Makes the triggers that refuse every change of a recorded row, where they are missing or of an older make."""
    dialect = connection.dialect.name
    tables = {kind.table.__tablename__: kind.id_field for kind in KINDS.values()}
    tables |= {table.__tablename__: None for table in _WITHOUT_VERSIONS}
    wanted: dict[str, str] = {}
    for table, id_field in tables.items():
        if table != binding.TABLE:
            wanted |= guards(table, id_field, dialect)
    if dialect == "sqlite":
        wanted |= binding.sqlite_guards() | staying.sqlite_guards()
        present = dict(connection.exec_driver_sql("select name, sql from sqlite_master where type = 'trigger'").all())
        for name, statement in wanted.items():
            if present.get(name, "").casefold() == statement.casefold():
                continue
            if name in present:
                connection.exec_driver_sql(f"drop trigger {name}")
            connection.exec_driver_sql(statement)
            logger.info("guarded the registry with %s", name)
        return
    schema = connection.execute(text("select current_schema()")).scalar_one()
    wanted |= binding.postgresql_guards(schema, _WRITE_LOCK) | staying.postgresql_guards(schema, _WRITE_LOCK)
    listing = text(
        "select tgname from pg_trigger join pg_class on tgrelid = pg_class.oid"
        " where not tgisinternal and relnamespace = to_regnamespace(quote_ident(:schema))"
    )
    present = set(connection.execute(listing, {"schema": schema}).scalars())
    made = {name for name in wanted if name not in present}
    for name in sorted(made):
        connection.exec_driver_sql(wanted[name].replace("%", "%%"))
        logger.info("guarded the registry with %s", name)
    for name in made:
        table, bind, _ = name.partition("_bind_")
        older = (f"{table}_bind_", f"{table}_no_change") if table == binding.TABLE else f"{table}_bind_"
        for old in sorted(present) if bind else ():
            if old.startswith(older):
                connection.exec_driver_sql(f'drop trigger {old} on "{schema}".{table}')


def guards(table: str, id_field: str | None, dialect: str) -> dict[str, str]:
    """The DDL of the triggers that keep one table append-only, by trigger name.

    On SQLite a third trigger stops `insert or replace`, which deletes without asking a delete trigger. On PostgreSQL it
    holds in every session, also where `session_replication_role` turns ordinary triggers off.

    Args:
        id_field: The column that names an entry of which the table keeps versions; None where it keeps none.
    """
    message = binding.APPEND_ONLY.format(table)
    if dialect == "sqlite":
        refuse = f"begin select raise(abort, '{message}'); end"
        same = "row_id = new.row_id"
        if id_field is not None:
            same += f" or ({id_field} = new.{id_field} and version = new.version) or supersedes = new.supersedes"
        return {
            f"{table}_no_update": f"create trigger {table}_no_update before update on {table} {refuse}",
            f"{table}_no_delete": f"create trigger {table}_no_delete before delete on {table} {refuse}",
            f"{table}_no_replace": (
                f"create trigger {table}_no_replace before insert on {table}"
                f" when exists (select 1 from {table} where {same}) {refuse}"
            ),
        }
    return {
        f"{table}_never_changes": (
            f"create or replace function {table}_refuse_change() returns trigger language plpgsql as"
            f" $$ begin raise exception '{message}'; end $$;"
            f" create trigger {table}_never_changes before update or delete or truncate on {table}"
            f" for each statement execute function {table}_refuse_change();"
            f" alter table {table} enable always trigger {table}_never_changes"
        )
    }


def versions(
    session: Session, kind: Kind, entry_id: str | None = None, as_of: date | None = None
) -> list[Recorded]:
    """The recorded versions of a kind, or of one id, in the order of id and version.

    Args:
        as_of: Only what was recorded up to the end of that day, UTC; None for everything.
    """
    table = kind.table
    identity = getattr(table, kind.id_field)
    query = select(table).order_by(identity, table.version)
    if entry_id is not None:
        query = query.where(identity == entry_id)
    rows = session.scalars(query)
    return [row for row in rows if as_of is None or row.recorded_at_utc.date() <= as_of]


def current(session: Session, kind: Kind, as_of: date | None = None) -> dict[str, Recorded]:
    """The newest recorded version by id, sorted by id; `as_of` as for `versions`."""
    return newest_of(kind, versions(session, kind, as_of=as_of))


def newest_of(kind: Kind, rows: Iterable[Recorded]) -> dict[str, Recorded]:
    """The newest version by id, sorted by id, of versions in the order of `versions`."""
    return dict(sorted({getattr(row, kind.id_field): row for row in rows}.items()))
