"""Asks an organisation's own database for the rows of a window, by a query of its own.

What the columns mean belongs to the source that asks; the registry's database is opened elsewhere.
"""

from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import sqlalchemy
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from pipelines.errors import SourceError
from pipelines.userfiles import Row, Unreadable
from pipelines.window import Window

ROWS_AT_ONCE = 1000
_READ_ONLY = {"postgresql": "set transaction read only", "sqlite": "pragma query_only = on"}


def ask(url_env: str, url: str | None, query: str, window: Window) -> Iterator[Row]:
    """The rows of the query, streamed. PostgreSQL and SQLite let it change nothing, elsewhere it is rolled back.

    Args:
        url_env: Environment variable that the URL came from; the only name of the database in messages.
        url: SQLAlchemy URL, with its password.
        query: SQL that uses `:first` (first day, included) and `:end` (first day after it) and nothing else.

    Raises:
        SourceError: the query is not bounded, or the database refuses.
        Unreadable: two columns of the answer have one name.
    """
    where = f"query of {url_env}"
    if not url:
        raise SourceError(
            "The database was not asked", url_env, "this environment variable is not set",
            "set it to the SQLAlchemy URL of the database",
        )
    bounded = sqlalchemy.text(query)
    if set(bounded.compile().params) != {"first", "end"}:
        raise SourceError(
            "The query is not bounded", where, "it has to use :first and :end and no other parameter",
            "write `where day >= :first and day < :end`",
        )
    bounded = bounded.bindparams(
        sqlalchemy.bindparam("first", window.first, sqlalchemy.Date),
        sqlalchemy.bindparam("end", window.end, sqlalchemy.Date),
    )
    database = _open(url_env, url)
    try:
        with database.connect() as connection:  # closing without a commit rolls back
            if database.dialect.name in _READ_ONLY:
                connection.exec_driver_sql(_READ_ONLY[database.dialect.name])
            result = connection.execution_options(stream_results=True).execute(bounded)
            names = list(result.keys())
            if len(set(names)) < len(names):
                raise Unreadable(where, "two of its columns have one name", "name them apart with `as`")
            for number, values in enumerate(result.yield_per(ROWS_AT_ONCE), start=1):
                yield Row(f"{where}, row {number}", dict(zip(names, values, strict=True)))
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or type(error).__name__).strip().partition("\n")[0]
        raise SourceError(
            "The database refused the query", where, _redacted(said, url, database.url)[:200].rstrip("."),
            "correct the query or the database's address",
        ) from None
    finally:
        database.dispose()


def _open(url_env: str, url: str) -> sqlalchemy.Engine:
    try:
        return sqlalchemy.create_engine(url)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        # The cause is cut off, here as above: the driver's own words may hold the password.
        raise SourceError(
            "The database cannot be opened", url_env, "it is no SQLAlchemy URL with an installed driver",
            "write it as postgresql+psycopg://user:password@host/name and install that driver",
        ) from None


def _redacted(text: str, url: str, parts: sqlalchemy.URL) -> str:
    secrets = [url]
    for value in (parts.password, *parts.query.values()):
        if value:
            secrets += [str(value), quote(str(value)), quote_plus(str(value))]
    for secret in secrets:
        text = text.replace(secret, "***")
    return text
