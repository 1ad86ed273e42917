"""Records of the small files in which an organisation declares things: typed, or refused with file and line.

Which columns there are belongs to the source, how a text becomes a value to `_typed_texts`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, tzinfo
from typing import Any

from pipelines.errors import SettingError, SourceError
from pipelines.source import Column, Context, Fetch, Page
from pipelines.sources._typed_texts import Wrong, typed
from pipelines.units import noun
from pipelines.userfiles import File, Refusals, Row, Unreadable, matching, read
from pipelines.window import Window

OPTIONS = ("path", "format", "delimiter", "columns", "ignore_columns")
MEND = "correct it and land the table again"

Rule = Callable[[Mapping[str, Any]], tuple[str, str] | None]
"""Looks at a whole record: the column that is wrong and why, or None."""


Days = Callable[[Mapping[str, Any]], Iterable[date | None]]


def files(context: Context, source: str) -> list[File]:
    """The files that the section of the source names.

    Raises:
        SourceError: the section is not written rightly, or no file matches.
    """
    options = context.options(source)
    wrong = None
    if not isinstance(options.get("path"), str) or "{date}" in options["path"]:
        wrong = "path", "it is no text without {date}", f'write path = "inbox/{source}/*.csv"'
    elif not isinstance(options.get("columns", {}), Mapping):
        wrong = "columns", "it is no section of names", f"write [sources.{source}.columns] with a name for each"
    elif not isinstance(options.get("ignore_columns", []), list):
        wrong = "ignore_columns", "it is no list of names", 'write ignore_columns = ["comment"]'
    elif len(options.get("delimiter", ",")) != 1:
        wrong = "delimiter", f"{options['delimiter']!r} is no delimiter", 'write one character, as in delimiter = ";"'
    if wrong:
        raise SettingError(source, *wrong)
    found = matching(context.settings.home, options["path"], Window.of_days("2026-01-01", "2026-01-01"))
    if not found:
        raise SourceError(
            f"No file of {source} was found", f"path = {options['path']!r}", "no file under JEVONS_HOME matches it",
            f"put a file there, or correct path in [sources.{source}]",
        )
    return found


def records(
    context: Context, source: str, columns: Sequence[Column], refusals: Refusals, rule: Rule,
    zone: tzinfo | None = None, days: Days = lambda record: (None,), found: Sequence[File] | None = None,
    ignored: Collection[str] = (),
) -> Iterator[tuple[Row, dict[str, Any]]]:
    """The records of the source's files with the row that each came from; what does not fit is added to `refusals`.

    Args:
        columns: Our columns; the section's `columns` may say what the file calls them.
        zone: Time zone of instants without one; None refuses them.
        days: The days that a refused record holds back, from what could be read of it; None stands for all.
        found: The files, where the source has looked for them itself; one with a day holds back no other.
        ignored: Columns that are passed over, beside those that the section lists.
    """
    options = context.options(source)
    theirs = {column.name: options.get("columns", {}).get(column.name, column.name) for column in columns}
    unheard = sorted(set(options.get("columns", {})) - set(theirs))
    if unheard:
        raise SettingError(
            source, "columns", f"`{unheard[0]}` is no column of it", f"use {', '.join(theirs)}",
        )
    ignored = {*ignored, *options.get("ignore_columns", [])}
    for file in files(context, source) if found is None else found:
        try:
            for row in read(file, options.get("format"), options.get("delimiter", ",")):
                if row.problem:
                    refusals.add(row.where, row.problem, MEND, file.day)
                    continue
                unknown = sorted(set(row.values) - set(theirs.values()) - ignored)
                if unknown:
                    refusals.add(
                        f"{file.shown}, field {unknown[0]}",
                        "this column is not known, and unknown columns may hold personal data",
                        f"drop it from the file or list it in ignore_columns of [sources.{source}]", file.day,
                    )
                    continue
                record, broken = _record(row, columns, theirs, zone)
                if not broken and (odd := rule(record)):
                    broken = [odd]
                for name, why in broken:
                    for day in days(record):
                        refusals.add(f"{row.where}, field {theirs[name]}", why, MEND, day)
                if not broken:
                    yield row, record
        except Unreadable as wrong:
            refusals.add(wrong.where, wrong.rule, wrong.fix, file.day)


def _record(
    row: Row, columns: Sequence[Column], theirs: Mapping[str, str], zone: tzinfo | None
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What could be read of a row, null where nothing could, and each column that could not with the reason."""
    record: dict[str, Any] = dict.fromkeys(theirs)
    broken = []
    for column in columns:
        try:
            record[column.name] = typed(column, row.values.get(theirs[column.name]), zone)
        except Wrong as wrong:
            broken.append((column.name, str(wrong)))
    return record, broken


def whole_table(source: str, columns: Sequence[Column], rule: Rule = lambda record: None) -> Fetch:
    """A fetch of a table without days: all records of all files; one refused row holds the whole table back."""

    def fetch(context: Context, window: Window) -> Iterator[Page]:
        refusals = Refusals()
        rows = [record for _, record in records(context, source, columns, refusals, rule)]
        yield Page(rows, context.options(source)["path"], findings=refusals.all())

    return fetch


def checked(source: str, columns: Sequence[Column], rule: Rule = lambda record: None) -> Callable[[Context], str]:
    """A check for `jevons doctor`: reads the files and counts the records, or names the first that is refused."""

    def check(context: Context) -> str:
        refusals = Refusals()
        count = sum(1 for _ in records(context, source, columns, refusals, rule))
        return told(context, source, count, refusals)

    return check


def told(context: Context, source: str, count: int, refusals: Refusals) -> str:
    """One sentence on what was read.

    Raises:
        SourceError: a row was refused; names the first.
    """
    findings = refusals.all()
    if findings:
        raise SourceError(
            f"{len(findings)} {noun(len(findings), 'row or field', 'rows or fields')} of {source} "
            f"{noun(len(findings), 'is', 'are')} refused", findings[0].where, findings[0].rule,
            findings[0].fix,
        )
    return f"{count} record{'' if count == 1 else 's'} of {source} in {context.options(source)['path']} can be read."
