"""Business outcomes by workflow and day, from the organisation's own files or by a query on its database.

Whether a workflow is known and what an outcome cost in energy is worked out in dbt, not here.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines import engine
from pipelines.databases import ask
from pipelines.errors import SourceError
from pipelines.source import Column, Context, DayFile, Page, Source, Table
from pipelines.typed import arrow_schema
from pipelines.units import noun
from pipelines.userfiles import File, Refusals, Row, Unreadable, matching, read, write_records
from pipelines.window import Window

log = logging.getLogger(__name__)

NAME = "outcomes"
URL_ENV = "OUTCOMES_DATABASE_URL"
OPTIONS = {"enabled", "path", "format", "delimiter", "columns", "ignore_columns", "url_env", "query"}
LARGEST_COUNT = 10**18 - 1  # what the ledger's DECIMAL(18,0) holds
LONGEST_NAME = 200
MEND = "correct it and land the day again"
_TEXTS = ("path", "query", "format", "delimiter", "url_env")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_EMAIL = re.compile(r"\S@\S")


class Wrong(Exception):
    """A value that its column does not take, with the rule that it breaks."""


@dataclass
class Contract:
    """Which of the file's columns is which of ours, and which rows may pass."""

    theirs: Mapping[str, str]
    ignored: frozenset[str]
    refusals: Refusals = field(default_factory=Refusals)
    shapes: dict[tuple[str, ...], list[tuple[str, str, str]]] = field(default_factory=dict)

    def row(self, row: Row, window: Window, file_day: date | None, bounded: bool) -> dict[str, Any] | None:
        """The typed record, or None: either it belongs to another day, or it was refused and its day is held back.

        Args:
            bounded: True where only days of the window were asked for, so that another day is a mistake.
        """
        day = file_day
        try:
            day = _day(row.values.get(self.theirs["usage_date"]))
        except Wrong as wrong:
            if self.theirs["usage_date"] in row.values and not row.problem:
                self._refuse(row, "usage_date", str(wrong), day)
                return None
        if day and (day != file_day if file_day else day not in window):
            if file_day or bounded:
                asked = f"the file of {file_day}" if file_day else "an answer that was asked for other days"
                self._refuse(row, "usage_date", f"{day} is in {asked}", file_day)
            return None
        if row.problem:
            self.refusals.add(row.where, row.problem, MEND, day)
            return None
        misshapen = self._shape(row.values)
        for name, rule, fix in misshapen:
            self.refusals.add(f"{row.where.rpartition(', ')[0]}, field {name}", rule, fix, day)
        return None if misshapen else self._typed(row, day)

    def _typed(self, row: Row, day: date) -> dict[str, Any] | None:
        record: dict[str, Any] = {"usage_date": day, "place": row.where}
        refused = False
        for name, kind in (
            ("workflow_id", _name), ("outcome_type", _name), ("outcome_count", _count), ("accepted_count", _count),
        ):
            try:
                record[name] = kind(row.values.get(self.theirs[name]), name == "accepted_count")
            except Wrong as wrong:
                self._refuse(row, name, str(wrong), day)
                refused = True
        if not refused and record["accepted_count"] is not None and record["accepted_count"] > record["outcome_count"]:
            rule = f"{record['accepted_count']} accepted of {record['outcome_count']} outcomes cannot be"
            self._refuse(row, "accepted_count", rule, day)
            refused = True
        return None if refused else record

    def _refuse(self, row: Row, name: str, rule: str, day: date | None) -> None:
        self.refusals.add(f"{row.where}, field {self.theirs[name]}", rule, MEND, day)

    def _shape(self, values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """What is wrong with the columns themselves: too many, so that no personal field slips in, or too few."""
        names = tuple(values)
        if names not in self.shapes:
            known = set(self.theirs.values())
            self.shapes[names] = [
                (name, "this column is not known, and unknown columns may hold personal data",
                 "drop it from the file or list it in ignore_columns of [sources.outcomes]")
                for name in sorted(set(names) - known - self.ignored)
            ] + [
                (self.theirs[ours], "this column is not there", "add it, or name it in [sources.outcomes.columns]")
                for ours in sorted(set(self.theirs) - {"accepted_count"}) if self.theirs[ours] not in names
            ]
        return self.shapes[names]


def fetch(context: Context, window: Window) -> Iterator[Page | DayFile]:
    """Yields one file per delivered day: an empty one where the input holds nothing of that day."""
    options = _options(context)
    contract = Contract(
        {name: options.get("columns", {}).get(name, name) for name in _COLUMN_NAMES},
        frozenset(options.get("ignore_columns", ())),
    )
    if "query" in options:
        days, request = list(window.days()), f"query on the database of {_url_env(options)}, {window}"
        records = _checked(contract, window, [(None, _query(context, options, window))])
    else:
        files = matching(context.settings.home, options["path"], window)
        if not files:
            yield Page((), options["path"], (f"no file matches {options['path']}",))
            return
        dated = [file.day for file in files if file.day]
        days = sorted(set(dated)) if dated else list(window.days())
        request = f"{options['path']}: {len(files)} file{'s' if len(files) > 1 else ''}, {window}"
        rows = ((file, read(file, options.get("format"), options.get("delimiter", ","))) for file in files)
        records = _checked(contract, window, rows)
    everything = context.scratch / "outcomes.rows.parquet"
    write_records(everything, arrow_schema(SOURCE.tables[0]), records)
    context.progress(f"outcomes: read {request}")
    yield from _by_day(context, everything, days, request, contract)


def check(context: Context) -> str:
    """Looks for the files, or runs the query for one fixed day."""
    options = _options(context)
    day = Window.of_days("2026-01-01", "2026-01-01")
    if "query" in options:
        found = sum(1 for _ in _query(context, options, day))
        rows = f"{found} {noun(found, 'row')}"
        return f"The outcomes query on the database of {_url_env(options)} runs; it gives {rows} for 2026-01-01."
    files = matching(context.settings.home, options["path"].replace("{date}", "*"), day)
    if not files:
        raise SourceError(
            "No file of outcomes was found", f"path = {options['path']!r}", "no file under JEVONS_HOME matches it",
            "put a file there, or correct path in [sources.outcomes]",
        )
    found = "1 file of outcomes matches" if len(files) == 1 else f"{len(files)} files of outcomes match"
    return f"{found} {options['path']}."


def _checked(
    contract: Contract, window: Window, inputs: Iterable[tuple[File | None, Iterator[Row]]]
) -> Iterator[dict[str, Any]]:
    for file, rows in inputs:
        day = file.day if file else None
        try:
            for row in rows:
                record = contract.row(row, window, day, bounded=file is None)
                if record:
                    yield record
        except Unreadable as wrong:
            contract.refusals.add(wrong.where, wrong.rule, wrong.fix, day)


def _by_day(
    context: Context, everything: Path, days: Sequence[date], request: str, contract: Contract
) -> Iterator[DayFile]:
    """Sorts the records into a file per day; contradicting ones are named with both of their places."""
    columns = ", ".join(_COLUMN_NAMES)
    source = f"read_parquet({engine.text(everything)}, hive_partitioning = false)"
    with engine.connect(context.scratch) as duck:
        for day, workflow, outcome, places in duck.execute(f"""
            select usage_date, workflow_id, outcome_type, list(place order by place)
            from {source} group by usage_date, workflow_id, outcome_type
            having count(distinct row(outcome_count, accepted_count)) > 1 order by 1, 2, 3
        """).fetchall():
            contract.refusals.add(
                " and ".join(places[:3]), f"{workflow} has different counts of {outcome!r} for {day}",
                "keep the right one and land the day again", day,
            )
        findings = contract.refusals.all()
        for day in days:
            path = context.scratch / f"outcomes.{day}.parquet"
            duck.execute(f"""
                copy (select {columns} from {source} where usage_date = date '{day}' order by {columns})
                to {engine.text(path)} (format parquet, compression zstd)
            """)
            yield DayFile(day, path, request, findings=findings)
            findings = ()


def _options(context: Context) -> Mapping[str, Any]:
    options = context.options(NAME)
    columns = options.get("columns", {})
    ignored = options.get("ignore_columns", [])
    unknown, wrong = sorted(set(options) - OPTIONS), None
    if not isinstance(columns, Mapping) or not all(isinstance(name, str) for name in columns.values()):
        wrong = "`columns` is no section of names", f"write [sources.outcomes.columns]: {_OUR_NAMES}"
    elif not isinstance(ignored, list) or not all(isinstance(name, str) for name in ignored):
        wrong = "`ignore_columns` is no list of names", 'write ignore_columns = ["comment"]'
    elif unwritten := [name for name in _TEXTS if not isinstance(options.get(name, ""), str)]:
        wrong = f"`{unwritten[0]}` is no text", "put it in quotes"
    elif unknown := [*unknown, *sorted(f"columns.{name}" for name in set(columns) - set(_COLUMN_NAMES))]:
        wrong = f"`{unknown[0]}` means nothing here", f"use {', '.join(sorted(OPTIONS))}; columns: {_OUR_NAMES}"
    elif ("path" in options) == ("query" in options):
        wrong = "it needs either `path` or `query`", 'write path = "inbox/outcomes/*.csv", or a query'
    elif options.get("format", "csv") not in ("csv", "jsonl", "parquet"):
        wrong = f"the format {options['format']!r} is not known", "use csv, jsonl or parquet"
    elif len(options.get("delimiter", ",")) != 1:
        wrong = f"{options['delimiter']!r} is no delimiter", 'write one character, as in delimiter = ";"'
    elif len({*columns.values()}) < len(columns):
        wrong = "two columns are read from the same one", "give each its own in [sources.outcomes.columns]"
    if wrong:
        raise SourceError("The outcomes are not configured rightly", "jevons.toml, sources.outcomes", *wrong)
    return options


def _query(context: Context, options: Mapping[str, Any], window: Window) -> Iterator[Row]:
    return ask(_url_env(options), context.settings.secret(_url_env(options)), options["query"], window)


def _url_env(options: Mapping[str, Any]) -> str:
    return options.get("url_env", URL_ENV)


def _shown(value: Any) -> str:
    return "a value with an e-mail address" if _EMAIL.search(str(value)) else repr(str(value))[:42]


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise Wrong("it is empty" if value in (None, "") else f"{_shown(value)} is not a day (YYYY-MM-DD)")


def _name(value: Any, optional: bool) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Wrong("it is empty" if value in (None, "") or isinstance(value, str) else f"{_shown(value)} is not text")
    text = value.strip()
    if _EMAIL.search(text):
        raise Wrong("it holds an e-mail address, and no people are kept")
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise Wrong(f"{_shown(text)} is not one line of at most {LONGEST_NAME} characters")
    return text


def _count(value: Any, optional: bool) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        if optional:
            return None
        raise Wrong("it is empty")
    count = value
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        count = int(value)
    elif isinstance(value, Decimal | float) and value == value and abs(value) <= LARGEST_COUNT and value == int(value):
        count = int(value)
    if not isinstance(count, int) or isinstance(count, bool):
        raise Wrong(f"{_shown(value)} is not a whole number")
    if not 0 <= count <= LARGEST_COUNT:
        raise Wrong(f"{count} is {'negative' if count < 0 else 'too large'}")
    return count


_COLUMN_NAMES = ("usage_date", "workflow_id", "outcome_type", "outcome_count", "accepted_count")
_OUR_NAMES = ", ".join(_COLUMN_NAMES)

SOURCE = Source(
    name=NAME,
    description="What the workflows brought about, counted by the organisation itself.",
    restate_days=7,
    check=check,
    tables=(
        Table(
            name="outcomes",
            description="Outcomes of a workflow on a day, by type, and how many of them were accepted.",
            key=("usage_date", "workflow_id", "outcome_type"),
            fetch=fetch,
            day_of=lambda row: row["usage_date"],
            silent_days_are_missing=True,
            columns=(
                Column("usage_date", "DATE", "UTC day of the outcome.", required=True),
                Column("workflow_id", "VARCHAR", "The workflow, as the registry names it.", required=True),
                Column("outcome_type", "VARCHAR", "What came about, such as a solved ticket.", required=True),
                Column("outcome_count", "BIGINT", "How many.", required=True, minimum=0),
                Column("accepted_count", "BIGINT", "How many of them were accepted; null = not judged.", minimum=0),
            ),
        ),
    ),
)
