"""Calls that the gate denied, from the lines that it writes: one for each question.

Who is denied is decided in `pipelines.gate`; what the calls would have used is worked out in dbt.

Each line has an id of its own: found in two copies of a file, it is landed once.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from pipelines.errors import SettingError
from pipelines.gate.file import ACTIONS, CLASSES
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._small_files import records
from pipelines.userfiles import File, Refusals, matching
from pipelines.window import Window

NAME = "denied_calls"
OWN = "gate/denied/{date}.jsonl"  # where the gate of this JEVONS_HOME writes
PAGE_ROWS = 10_000
LINE = (
    Column("denial_id", "VARCHAR", "The question, unique for all time.", required=True),
    Column("denied_at_utc", "TIMESTAMP", "When it was asked.", required=True),
    Column("workflow_id", "VARCHAR", "The workflow, as it was named; orphan where its name was no id.", required=True),
    Column("usefulness_class", "VARCHAR", "Its class as declared; null = nobody declared it.", allowed=CLASSES),
    Column("provider", "VARCHAR", "Who was to run the model; null = not told."),
    Column("action", "VARCHAR", "What was done.", required=True, allowed=ACTIONS),
    Column("ceiling_id", "VARCHAR", "The ceiling that decided; null = the gate had no file to trust."),
    Column("rule_id", "VARCHAR", "The rule that decided; null = the limit itself, or no file to trust."),
    Column("build_id", "VARCHAR", "The published build that the answer rests on; null = none."),
    Column("calls", "BIGINT", "Calls that were about to be made.", required=True, minimum=1),
)


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """Yields the window's lines of all files; a day without a line is a day on which nothing was denied."""
    refusals = Refusals()
    asked = f"{', '.join(_patterns(context))}, {window}"
    rows: list[dict[str, Any]] = []
    for _, record in records(
        context, NAME, LINE, refusals, lambda record: None, days=_days, found=_files(context, window),
        ignored=("verdict", "reason"),
    ):
        day = record["denied_at_utc"].date()
        if day in window:
            rows.append({"usage_date": day, **record})
        if len(rows) == PAGE_ROWS:
            yield Page(rows, asked)
            rows = []
    yield Page(rows, asked, findings=refusals.all())


def check(context: Context) -> str:
    """Counts the files."""
    patterns = _patterns(context)
    day = Window.of_days("2026-01-01", "2026-01-01")
    found = {file.shown for pattern in patterns
             for file in matching(context.settings.home, pattern.replace("{date}", "*"), day)}
    return f"{len(found) or 'no'} file{'' if len(found) == 1 else 's'} of denied calls in {', '.join(patterns)}."


def _files(context: Context, window: Window) -> list[File]:
    """Each file of the patterns once."""
    found = {file.shown: file for pattern in _patterns(context)
             for file in matching(context.settings.home, pattern, window)}
    return list(found.values())


def _patterns(context: Context) -> list[str]:
    path = context.options(NAME).get("path", OWN)
    patterns = [path] if isinstance(path, str) else path
    if not isinstance(patterns, list) or not patterns or not all(isinstance(each, str) and each for each in patterns):
        raise SettingError(NAME, "path", "it is no text and no list of texts", f'write path = "{OWN}"')
    return patterns


def _days(record: Mapping[str, Any]) -> Iterable[date | None]:
    return (record["denied_at_utc"].date() if record["denied_at_utc"] else None,)


SOURCE = Source(
    name=NAME,
    description="What the gate denied: work that was refused, never a saving.",
    restate_days=3,  # copies of other machines may be late
    options=("path",),
    check=check,
    tables=(
        Table(
            "questions", (Column("usage_date", "DATE", "UTC day of the question.", required=True), *LINE),
            ("usage_date", "denial_id"), fetch, "One row per question to the gate whose calls were denied.",
            day_of=lambda row: row["usage_date"],
        ),
    ),
)
