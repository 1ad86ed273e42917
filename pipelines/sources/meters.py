"""Readings of the meters at the wall: hosts, power strips and sites, from files that the organisation drops.

What the readings mean for the account (joules by hour, what a host takes beside its GPUs) belongs to dbt.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines import engine
from pipelines.errors import JevonsError, SourceError
from pipelines.source import Column, Context, DayFile, Page, Source, Table
from pipelines.sources._meter_rows import BOUNDARIES, KINDS, MEND, READING, Reader
from pipelines.typed import arrow_schema
from pipelines.userfiles import File, Refusals, Unreadable, matching, read, write_records
from pipelines.window import DAY, Window

NAME = "meters"
# How far a day's file looks back and ahead: a meter that is read once a day still has an end.
NEAR = timedelta(hours=24)
STEP_SECONDS = 3600


def fetch(context: Context, window: Window) -> Iterator[Page | DayFile]:
    """One file per delivered day: its readings, the last one before the day and the first after it, at most a day away.

    A day is delivered if it has readings, or if a file of its own came, even one that holds none: nobody read then.

    So days can be made in any order: each sees both ends of the intervals that reach over its midnights.
    """
    options = _options(context)
    around = Window(window.first - DAY, window.end + DAY)
    files = matching(context.settings.home, options["path"], around)
    if not files:
        yield Page((), options["path"], (f"no file matches {options['path']}",))
        return
    reader = Reader(
        options["site"], frozenset(site.site_id for site in context.settings.sites),
        {name: options.get("columns", {}).get(name, name) for name in READING},
        frozenset(options.get("ignore_columns", ())),
    )
    everything = context.scratch / f"{NAME}.rows.parquet"
    schema = pa.schema([field for field in arrow_schema(READINGS) if field.name != "step_seconds"])
    write_records(everything, schema, _readings(reader, files, around, options))
    request = f"{options['path']}: {len(files)} file{'s' if len(files) > 1 else ''}, {window}"
    context.progress(f"{NAME}: read {request}")
    own = {file.day for file in files if file.day}
    yield from _by_day(
        context, everything, window, request, reader.refusals, options.get("step_seconds", STEP_SECONDS), own)


def check(context: Context) -> str:
    """Looks for the files."""
    options = _options(context)
    day = Window.of_days("2026-01-01", "2026-01-01")
    files = matching(context.settings.home, options["path"].replace("{date}", "*"), day)
    if not files:
        raise SourceError(
            "No file of meter readings was found", f"path = {options['path']!r}",
            "no file under JEVONS_HOME matches it", f"put a file there, or correct path in [sources.{NAME}]",
        )
    found = "1 file of meter readings matches" if len(files) == 1 else f"{len(files)} files of meter readings match"
    return f"{found} {options['path']}."


def _readings(
    reader: Reader, files: Sequence[File], around: Window, options: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    for file in files:
        try:
            for row in read(file, options.get("format"), options.get("delimiter", ",")):
                record = reader.reading(row, file)
                if record and record["sampled_at_utc"].date() in around:
                    yield record
        except Unreadable as wrong:
            reader.refusals.add(wrong.where, wrong.rule, wrong.fix, file.day)


def _by_day(
    context: Context, everything: Path, window: Window, request: str, refusals: Refusals, step: int, own: Set[date],
) -> Iterator[DayFile]:
    columns = ", ".join(READING)
    with engine.connect(context.scratch) as duck:
        duck.execute(f"""
            create temp table readings as
            select *, cast(sampled_at_utc as date) as day
            from read_parquet({engine.text(everything)}, hive_partitioning = false)
        """)
        for day, meter, places in duck.execute("""
            select day, meter_id, list(distinct place order by place) from readings group by day, meter_id
            having count(distinct row(site, host, meter_kind, boundary)) > 1
                or count(distinct energy_kwh is null) > 1
            order by 1, 2
        """).fetchall():
            refusals.add(
                " and ".join(places[:2]),
                f"the meter {meter} changes its site, host, kind, boundary or counter on {day}",
                "give each meter a name of its own, and its counter in every reading or in none", day,
            )
        for day, meter, at, places in duck.execute("""
            select day, meter_id, sampled_at_utc, list(distinct place order by place) from readings
            group by day, meter_id, sampled_at_utc having count(distinct row(energy_kwh, power_w)) > 1 order by 1, 2, 3
        """).fetchall():
            refusals.add(" and ".join(places[:3]), f"the meter {meter} has different readings at {at}", MEND, day)
        delivered = own | {row[0] for row in duck.execute("select distinct day from readings").fetchall()}
        findings = tuple(f for f in refusals.all() if f.day is None or date.fromisoformat(f.day) in window)
        refused = {finding.day for finding in findings}
        for day in window.days():
            if day not in delivered and day.isoformat() not in refused:
                continue  # nothing was delivered
            path = context.scratch / f"{NAME}.{day}.parquet"
            duck.execute(f"""
                copy (
                    with near as (
                        select distinct meter_id, case when day < date '{day}' then max(sampled_at_utc)
                            else min(sampled_at_utc) end as sampled_at_utc
                        from readings
                        where day <> date '{day}'
                            and sampled_at_utc >= timestamp '{day}' - interval '{NEAR.total_seconds():.0f} seconds'
                            and sampled_at_utc < timestamp '{day + DAY}' + interval '{NEAR.total_seconds():.0f} seconds'
                        group by meter_id, day
                    )
                    select distinct {columns}, cast({step} as integer) as step_seconds
                    from readings
                    where day = date '{day}'
                        or (meter_id in (select meter_id from readings where day = date '{day}')
                            and exists (select 1 from near where near.meter_id = readings.meter_id
                                and near.sampled_at_utc = readings.sampled_at_utc))
                    order by meter_id, sampled_at_utc
                ) to {engine.text(path)} (format parquet, compression zstd)
            """)
            yield DayFile(day, path, request, findings=findings)
            findings = ()


def _options(context: Context) -> Mapping[str, Any]:
    options, wrong = context.options(NAME), None
    columns, ignored, step = options.get("columns", {}), options.get("ignore_columns", []), options.get("step_seconds")
    if not isinstance(options.get("path"), str):
        wrong = "path", "it names no files", 'write path = "inbox/meters/{date}*.csv"'
    elif not isinstance(options.get("site"), str):
        wrong = "site", "it names no site", 'write site = "..." with the site at which the hosts stand'
    elif options.get("format", "csv") not in ("csv", "jsonl", "parquet"):
        wrong = "format", f"{options['format']!r} is not known", "use csv, jsonl or parquet"
    elif not isinstance(options.get("delimiter", ","), str) or len(options.get("delimiter", ",")) != 1:
        wrong = "delimiter", "it is not one character", 'write one, as in delimiter = ";"'
    elif not isinstance(columns, Mapping) or set(columns) - set(READING) or not all(
            isinstance(name, str) for name in columns.values()):
        wrong = "columns", "it is no section of names", f"name {', '.join(READING)}"
    elif not isinstance(ignored, list) or not all(isinstance(name, str) for name in ignored):
        wrong = "ignore_columns", "it is no list of names", 'write ignore_columns = ["comment"]'
    elif step is not None and (not isinstance(step, int) or isinstance(step, bool) or not 1 <= step <= 86_400):
        wrong = "step_seconds", f"{step!r} is not 1 to 86400", "give the seconds between two readings"
    if wrong:
        raise JevonsError("A setting cannot be used", f"jevons.toml, sources.{NAME}.{wrong[0]}", *wrong[1:])
    return options


READINGS = Table(
    name="readings",
    columns=(
        Column("meter_id", "VARCHAR", "The meter, or one outlet of it", required=True),
        Column("site", "VARCHAR", "Site at which it stands", required=True),
        Column("host", "VARCHAR", "The machine that it feeds, as the GPUs' readings name it; null = more than one"),
        Column("meter_kind", "VARCHAR", "A whole site, a power strip, or a host's own controller", required=True,
               allowed=KINDS),
        Column("boundary", "VARCHAR", "it = what computes, facility = with cooling and power conversion", required=True,
               allowed=BOUNDARIES),
        Column("sampled_at_utc", "TIMESTAMP", "When it was read", required=True),
        Column("energy_kwh", "DECIMAL(18,6)", "Its counter; it may start again; null = it has none", minimum=0,
               additive=False),
        Column("power_w", "DECIMAL(18,3)", "Power at that instant; null = not given", minimum=0, additive=False),
        Column("step_seconds", "INTEGER", "The interval between readings that was configured", required=True, minimum=1,
               additive=False),
    ),
    key=("meter_id", "sampled_at_utc"),
    fetch=fetch,
    description="Readings of meters; a day's file also holds its neighbours' nearest",
    day_of=lambda row: row["sampled_at_utc"].date(),
    silent_days_are_missing=True,
)

SOURCE = Source(
    name=NAME,
    tables=(READINGS,),
    description="Meters of hosts, power strips and sites, read from files",
    restate_days=1,  # the last interval of a day is known only once the next day has begun
    check=check,
    options=("path", "site", "format", "delimiter", "columns", "ignore_columns", "step_seconds"),
)
