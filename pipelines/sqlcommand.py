"""The logic of `jevons sql`: one question to the published build, answered as a table, CSV or JSON.

What does not belong here: options, exit codes and streams; the command line owns those. The answer holds
nothing but data: the build id comes beside it, so that the command can print it where it disturbs no pipe.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines import units
from pipelines.snapshot import Snapshot, current

FORMATS = ("table", "csv", "json")
SHOWN_ROWS = 200
_ROWS_PER_BATCH = 10_000
_READABLE_WIDTH = 20
_LONGEST_ID = 40
_BETWEEN = 3  # columns of the terminal between two columns of an answer


@dataclass(frozen=True)
class Answer:
    """Text of an answer, piece by piece, and the build that gave it."""

    build_id: str
    pieces: Iterator[str]


def run_sql(home: Path, sql: str, fmt: str = "table", width: int = 120) -> Answer:
    """Ask the current build one question.

    Args:
        home: folder of `published/`.
        sql: one SELECT, DESCRIBE, SUMMARIZE or EXPLAIN.
        fmt: `table` for people, `csv` for spreadsheets, `json` for programs (an array, one row a line).
        width: columns of the terminal, for `table`.

    Raises:
        JevonsError: nothing is published, or the statement is wrong or refused.
    """
    if fmt not in FORMATS:
        raise ValueError(f"not a format: {fmt!r}")
    snapshot = current(home)
    rows = _rows(snapshot, sql)
    schema = next(rows)  # runs the statement: a wrong one fails here, before anything is printed
    writers = {
        "table": lambda: _table(schema, rows, width),
        "csv": lambda: _csv(schema.names, rows),
        "json": lambda: _json(schema.names, rows),
    }
    return Answer(snapshot.build_id, writers[fmt]())


def _rows(snapshot: Snapshot, sql: str) -> Iterator[Any]:
    """Yield the schema of the columns, then each row as a tuple; a long answer is never held whole."""
    with snapshot.open(sql) as answer:
        reader = answer.to_arrow_reader(_ROWS_PER_BATCH)
        first = next(iter(reader), None)
        yield reader.schema
        while first is not None:
            columns = [column.to_pylist() for column in first.columns]
            yield from zip(*columns, strict=True)
            first = next(iter(reader), None)


def _csv(names: list[str], rows: Iterator[tuple]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([units.safe_cell(name) for name in names])
    for number, row in enumerate(rows, start=1):
        writer.writerow([units.safe_cell(_plain(value)) for value in row])
        if number % _ROWS_PER_BATCH == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _json(names: list[str], rows: Iterator[tuple]) -> Iterator[str]:
    yield "["
    separator = "\n"
    for row in rows:
        record = {name: _json_value(value) for name, value in zip(names, row, strict=True)}
        yield separator + json.dumps(record, allow_nan=False)
        separator = ",\n"
    yield "\n]\n"


def _table(schema: pyarrow.Schema, rows: Iterator[tuple], width: int) -> Iterator[str]:
    shown = list(islice(rows, SHOWN_ROWS))
    more = sum(1 for _ in rows)
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    numeric = [_is_numeric(column.type) for column in schema]
    cells = [[_cell(row[i], is_numeric) for row in shown] for i, is_numeric in enumerate(numeric)]
    names = [Text(_printable(name)) for name in schema.names]
    widths = _widths(names, cells, numeric, width)
    for name, is_numeric, wide in zip(names, numeric, widths, strict=True):
        table.add_column(name, justify="right" if is_numeric else "left", overflow="fold", width=wide)
    for row in zip(*cells, strict=True):
        table.add_row(*row)
    console = Console(file=io.StringIO(), color_system=None, force_terminal=False)
    console.width = max(width, sum(widths) + _BETWEEN * (len(widths) + 1))
    console.print(table)
    plural = "row" if len(shown) + more == 1 else "rows"
    console.print(Text(f"{len(shown) + more:,} {plural}"))
    if more:
        console.print(Text(f"{more:,} of them not shown; --csv and --json give all"))
    yield console.file.getvalue()


def _widths(names: list[Text], cells: list[list[Text]], numeric: list[bool], width: int) -> list[int]:
    """How wide each column is: a number or a heading is never cut, text shares what is left, and some of it is kept."""
    whole = [max(_lines(text) for text in [name, *column]) for name, column in zip(names, cells, strict=True)]
    least = [
        wide if is_numeric else min(wide, max(name.cell_len, _READABLE_WIDTH, _longest_word(column)))
        for name, wide, column, is_numeric in zip(names, whole, cells, numeric, strict=True)
    ]
    spare = max(0, width - sum(least) - _BETWEEN * (len(least) + 1))
    for i in sorted(range(len(least)), key=lambda i: whole[i] - least[i]):
        rest = sum(whole[j] > least[j] for j in range(len(least)))
        given = min(whole[i] - least[i], spare // max(1, rest))
        least[i], spare = least[i] + given, spare - given
    return least


def _lines(text: Text) -> int:
    return max(line.cell_len for line in text.split(allow_blank=True))


def _longest_word(column: list[Text]) -> int:
    """So that an id can be copied; what is longer than any id is folded."""
    return min(_LONGEST_ID, max((len(word) for text in column for word in text.plain.split()), default=0))


def _cell(value: Any, is_numeric: bool) -> Text:
    if value is None:  # of a quantity, null means: not known, and never 0
        return Text(units.UNKNOWN if is_numeric else "")
    return Text(_printable(str(_plain(value))))


def _printable(text: str) -> str:
    """Replace control characters: a team's name must not move the cursor of a terminal. EXPLAIN draws on many lines."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _is_numeric(kind: pyarrow.DataType) -> bool:
    return pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind) or pyarrow.types.is_decimal(kind)


def _plain(value: Any) -> Any:
    """Write decimals without exponent and instants in ISO form; None stays an empty cell."""
    if isinstance(value, Decimal):
        return _Fixed(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(_json_value(value))
    return value


class _Fixed(Decimal):
    """A decimal that prints all its digits (0.000000001, not 1E-9) and is still a number, never a formula."""

    def __str__(self) -> str:
        return format(Decimal(self), "f")


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float) and units.is_unknown(value):
        return None
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _json_value(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
