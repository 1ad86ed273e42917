"""How the `jevons` command speaks: one console for what was asked, one for everything else.

What is said belongs to the commands.
"""

import os
import sys
from typing import TextIO

import typer
from rich.console import Console

from pipelines.settings import home

DAYS = ["%Y-%m-%d"]  # how a day is written on the command line
WIDE = 200  # columns where nobody's window sets a limit: tables in files and pipes are not squeezed


def _console(stream: TextIO) -> Console:
    narrow = stream.isatty() or os.environ.get("COLUMNS")
    return Console(stderr=stream is sys.stderr, width=None if narrow else WIDE)


out, err = _console(sys.stdout), _console(sys.stderr)


def say(console: Console, sentence: str) -> None:
    """One sentence is one line, however wide the window: it can be copied, and searched for."""
    console.print(sentence, highlight=False, soft_wrap=True)


def plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def ask(statement: str, csv: bool, json: bool) -> None:
    """Puts a question to the published build and prints the answer; the build id goes to standard error."""
    from pipelines.sqlcommand import run_sql

    if csv and json:
        raise typer.BadParameter("give --csv or --json, not both")
    answer = run_sql(home(), statement, "csv" if csv else "json" if json else "table", out.width)
    for piece in answer.pieces:
        sys.stdout.write(piece)
    err.print(f"build {answer.build_id}", style="dim", highlight=False)
