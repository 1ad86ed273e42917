"""What the registry's commands share: opening the registry, ending on an error, printing tables.

The commands themselves belong in `commands`.
"""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Engine

from pipelines.errors import JevonsError
from pipelines.registry.ceilings import plain
from pipelines.registry.store import default_url, open_registry
from pipelines.settings import home

Url = Annotated[
    str | None,
    typer.Option(
        "--registry-url", envvar="JEVONS_REGISTRY_URL",
        help="SQLAlchemy URL of the registry; by default registry.sqlite in JEVONS_HOME.", show_envvar=True,
    ),
]


@contextmanager
def registry(url: str | None) -> Iterator[Engine]:
    """The registry for one command; a `JevonsError` ends the command with its sentence and exit code 1."""
    try:
        engine = open_registry(default_url(home(), url))
        try:
            yield engine
        finally:
            engine.dispose()
    except JevonsError as error:
        complain(str(error))
        raise typer.Exit(1) from error


def complain(sentence: str) -> None:
    """Prints a sentence on standard error."""
    Console(stderr=True, soft_wrap=True).print(sentence, markup=False, highlight=False, style="red")


def show(title: str, columns: list[str], rows: list[dict[str, Any]]) -> None:
    """Prints rows as a table, or one below the other where the terminal is too narrow for that."""
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 240)
    if console.is_terminal and console.width < 14 * len(columns):
        for row in rows:
            card = Table(title=title, show_header=False, title_justify="left")
            for column in columns:
                card.add_row(column, _cell(row[column]))
            console.print(card)
    else:
        table = Table(*columns, title=f"{title} ({len(rows)})", title_justify="left")
        for row in rows:
            table.add_row(*(_cell(row[column]) for column in columns))
        console.print(table)
    if not rows:
        console.print("Nothing is recorded yet: see `jevons registry import --help`.", highlight=False)


def login() -> str:
    """Who is logged in, for the audit."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown login"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return escape(plain(value) if isinstance(value, Decimal) else str(value))
