"""Business outcomes by workflow and day: from files, by a query on a database or on Prometheus, from pages of JSON.

Whether a workflow is known and what an outcome cost in energy is worked out in dbt, not here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from pipelines import engine
from pipelines.databases import ask
from pipelines.errors import SourceError
from pipelines.source import Column, Context, DayFile, Page, Source, Table
from pipelines.sources import _outcome_prometheus, _outcome_rest
from pipelines.sources._outcome_feeds import NAME, URL_ENV, Feed, client_of, feeds_of
from pipelines.sources._outcome_rows import COLUMN_NAMES, Contract
from pipelines.typed import arrow_schema
from pipelines.units import noun
from pipelines.userfiles import File, Refusals, Row, Unreadable, matching, read, write_records
from pipelines.window import Window


@dataclass(frozen=True)
class Input:
    """What a feed gives for a window.

    Attributes:
        rows: With the file that they stand in, or None where they answer a question about the window.
        days: The days that it tells of, those on which nothing came about among them.
    """

    rows: Iterable[tuple[File | None, Iterator[Row]]]
    days: Sequence[date]
    request: str
    warnings: tuple[str, ...] = ()


def fetch(context: Context, window: Window) -> Iterator[Page | DayFile]:
    """Yields one file per day that every feed tells of: an empty one where nothing came about on it."""
    refusals, schema = Refusals(), arrow_schema(SOURCE.tables[0]).append(pa.field("feed", pa.string()))
    feeds = feeds_of(context)
    inputs = [_input(context, feed, window, refusals) for feed in feeds]
    request, warnings = "; ".join(each.request for each in inputs), tuple(w for each in inputs for w in each.warnings)
    days = sorted(set(inputs[0].days).intersection(*(each.days for each in inputs[1:])))
    if not days:
        yield Page((), request, warnings)
        return
    everything = context.scratch / "outcomes.rows.parquet"
    write_records(everything, schema, (
        {**record, "feed": feed.section}
        for feed, each in zip(feeds, inputs, strict=True) for record in _checked(feed, each, window, refusals)
    ))
    context.progress(f"outcomes: read {request}")
    yield from _by_day(context, everything, days, request, warnings, refusals)


def check(context: Context) -> str:
    """Looks for the files, and asks the others for one fixed day."""
    return " ".join(_check(context, feed) for feed in feeds_of(context))


def _input(context: Context, feed: Feed, window: Window, refusals: Refusals) -> Input:
    options = feed.options
    if feed.kind == "query":
        return Input([(None, _query(context, feed, window))], list(window.days()),
                     f"query on the database of {_url_env(feed)}, {window}")
    if feed.kind == "promql":
        told = _outcome_prometheus.ask(client_of(context.settings, feed, "Prometheus"), options, window)
        return Input([(None, iter(told.rows))], told.days, told.request, told.warnings)
    if feed.kind == "url":
        items, request = _outcome_rest.ask(client_of(context.settings, feed, _machine(feed)), options, window, refusals)
        return Input([(None, items.rows(request))], list(window.days()), request)
    files = matching(context.settings.home, options["path"], window)
    if not files:
        return Input((), (), options["path"], (f"no file matches {options['path']}",))
    dated = [file.day for file in files if file.day]
    return Input(
        ((file, read(file, options.get("format"), options.get("delimiter", ","))) for file in files),
        sorted(set(dated)) if dated else list(window.days()),
        f"{options['path']}: {len(files)} file{'s' if len(files) > 1 else ''}, {window}",
    )


def _check(context: Context, feed: Feed) -> str:
    options, day = feed.options, Window.of_days("2026-01-01", "2026-01-01")
    if feed.kind == "query":
        found = sum(1 for _ in _query(context, feed, day))
        rows = f"{found} {noun(found, 'row')}"
        return f"The outcomes query on the database of {_url_env(feed)} runs; it gives {rows} for 2026-01-01."
    if feed.kind == "promql":
        return _outcome_prometheus.check(client_of(context.settings, feed, "Prometheus"), options, day.first)
    if feed.kind == "url":
        refusals = Refusals()
        items, _ = _outcome_rest.ask(client_of(context.settings, feed, _machine(feed)), options, day, refusals)
        for wrong in refusals.all()[:1]:
            raise SourceError("An item of outcomes is refused", wrong.where, wrong.rule, wrong.fix)
        return f"{_machine(feed)} answers with {len(items.known)} {noun(len(items.known), 'item')} for 2026-01-01."
    files = matching(context.settings.home, options["path"].replace("{date}", "*"), day)
    if not files:
        raise SourceError(
            "No file of outcomes was found", f"path = {options['path']!r}", "no file under JEVONS_HOME matches it",
            f"put a file there, or correct path in [{feed.section}]",
        )
    found = "1 file of outcomes matches" if len(files) == 1 else f"{len(files)} files of outcomes match"
    return f"{found} {options['path']}."


def _checked(feed: Feed, given: Input, window: Window, refusals: Refusals) -> Iterator[dict[str, Any]]:
    contract = Contract(
        {name: feed.options.get("columns", {}).get(name, name) for name in COLUMN_NAMES},
        frozenset(feed.options.get("ignore_columns", ())), feed.section, refusals,
    )
    for file, rows in given.rows:
        day = file.day if file else None
        try:
            for row in rows:
                record = contract.row(row, window, day, bounded=file is None)
                if record:
                    yield record
        except Unreadable as wrong:
            refusals.add(wrong.where, wrong.rule, wrong.fix, day)


def _by_day(
    context: Context, everything: Path, days: Sequence[date], request: str, warnings: tuple[str, ...],
    refusals: Refusals,
) -> Iterator[DayFile]:
    """Sorts the records into a file per day; contradicting ones are named with both of their places."""
    columns = ", ".join(COLUMN_NAMES)
    source = f"read_parquet({engine.text(everything)}, hive_partitioning = false)"
    with engine.connect(context.scratch) as duck:
        for day, workflow, outcome, places, feeds in duck.execute(f"""
            select usage_date, workflow_id, outcome_type, list(place order by place), count(distinct feed)
            from {source} group by usage_date, workflow_id, outcome_type
            having count(distinct row(outcome_count, accepted_count)) > 1 or count(distinct feed) > 1 order by 1, 2, 3
        """).fetchall():
            rule = f"{workflow} has different counts of {outcome!r} for {day}"
            if feeds > 1:
                rule = f"{feeds} feeds count {outcome!r} of {workflow} for {day}"
            refusals.add(" and ".join(places[:3]), rule, "keep the right one and land the day again", day)
        findings = refusals.all()
        for day in days:
            path = context.scratch / f"outcomes.{day}.parquet"
            duck.execute(f"""
                copy (select {columns} from {source} where usage_date = date '{day}' order by {columns})
                to {engine.text(path)} (format parquet, compression zstd)
            """)
            yield DayFile(day, path, request, warnings, findings)
            findings, warnings = (), ()


def _query(context: Context, feed: Feed, window: Window) -> Iterator[Row]:
    return ask(_url_env(feed), context.settings.secret(_url_env(feed)), feed.options["query"], window)


def _url_env(feed: Feed) -> str:
    return feed.options.get("url_env", URL_ENV)


def _machine(feed: Feed) -> str:
    return urlsplit(feed.options["url"]).hostname or ""


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
