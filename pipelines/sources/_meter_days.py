"""Readings of meters as a raw table, the same for every source of them, and the file of each day.

Where readings come from belongs to the sources; what they mean for the account to dbt.
"""

from collections.abc import Iterator, Sequence, Set
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import engine
from pipelines.source import Column, Context, DayFile, Fetch, Table
from pipelines.sources._meter_rows import BOUNDARIES, KINDS, MEND, READING, Reader
from pipelines.typed import arrow_schema
from pipelines.userfiles import File, Refusals, Unreadable, read, write_records
from pipelines.window import DAY, Window

# How far a day's file looks back and ahead: a meter that is read once a day still has an end.
NEAR = timedelta(hours=24)
CPU = "cpu"  # not a meter of the whole machine: its processors and memory, by their own counters


def readings(fetch: Fetch) -> Table:
    """The raw table of a source of readings."""
    return Table(
        name="readings",
        columns=(
            Column("meter_id", "VARCHAR", "The meter, or one outlet of it", required=True),
            Column("site", "VARCHAR", "Site at which it stands", required=True),
            Column("host", "VARCHAR", "The machine that it feeds, as the GPUs' readings name it; null = more than one"),
            Column("meter_kind", "VARCHAR", "A whole site, a power strip, a host's own controller, or counters of "
                   "its processors", required=True, allowed=(*KINDS, CPU)),
            Column("boundary", "VARCHAR", "it = what computes, facility = with cooling and power conversion",
                   required=True, allowed=BOUNDARIES),
            Column("sampled_at_utc", "TIMESTAMP", "When it was read", required=True),
            Column("energy_kwh", "DECIMAL(18,6)", "Its counter; it may start again; null = it has none", minimum=0,
                   additive=False),
            Column("power_w", "DECIMAL(18,3)", "Power at that instant; null = not given", minimum=0, additive=False),
            Column("step_seconds", "INTEGER", "The interval between readings that was configured", required=True,
                   minimum=1, additive=False),
        ),
        key=("meter_id", "sampled_at_utc"),
        fetch=fetch,
        description="Readings of meters; a day's file also holds its neighbours' nearest",
        day_of=lambda row: row["sampled_at_utc"].date(),
        silent_days_are_missing=True,
    )


def of_files(
    context: Context, source: str, files: Sequence[File], reader: Reader, window: Window, pattern: str, step: int,
    kind: str | None = None, delimiter: str = ",",
) -> Iterator[DayFile]:
    """The days of readings that stand in files; a day whose own file holds none is delivered."""
    everything, around = context.scratch / f"{source}.rows.parquet", Window(window.first - DAY, window.end + DAY)
    schema = pa.schema([field for field in arrow_schema(readings(_nothing)) if field.name != "step_seconds"])

    def records() -> Iterator[dict[str, Any]]:
        for file in files:
            try:
                for row in read(file, kind, delimiter):
                    record = reader.reading(row, file)
                    if record and record["sampled_at_utc"].date() in around:
                        yield record
            except Unreadable as wrong:
                reader.refusals.add(wrong.where, wrong.rule, wrong.fix, file.day)

    write_records(everything, schema, records())
    request = f"{pattern}: {len(files)} file{'s' if len(files) > 1 else ''}, {window}"
    context.progress(f"{source}: read {request}")
    own = {file.day for file in files if file.day}
    yield from by_day(context, source, everything, window, request, reader.refusals, step, own)


def _nothing(context: Context, window: Window) -> Iterator[DayFile]:
    yield from ()


def by_day(
    context: Context, source: str, everything: Path, window: Window, request: str, refusals: Refusals, step: int,
    own: Set[date], near: timedelta = NEAR,
) -> Iterator[DayFile]:
    """A file for each day that has readings, with the nearest ones of its neighbours that are at most `near` away.

    Args:
        everything: Parquet file of the columns of READING and `place`, of the window and its neighbours. Where it has
            `rank` too, the lowest of a host, kind and day stands: others measure the same.
        own: Days that were delivered even if they hold no reading.
    """
    columns = ", ".join(READING)
    best = ("qualify rank = min(rank) over (partition by host, meter_kind, cast(sampled_at_utc as date))"
            if "rank" in pq.read_schema(everything).names else "")
    with engine.connect(context.scratch) as duck:
        duck.execute(f"""
            create temp table readings as
            select *, cast(sampled_at_utc as date) as day
            from read_parquet({engine.text(everything)}, hive_partitioning = false)
            {best}
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
            path = context.scratch / f"{source}.{day}.parquet"
            duck.execute(f"""
                copy (
                    with near as (
                        select distinct meter_id, case when day < date '{day}' then max(sampled_at_utc)
                            else min(sampled_at_utc) end as sampled_at_utc
                        from readings
                        where day <> date '{day}'
                            and sampled_at_utc >= timestamp '{day}' - interval '{near.total_seconds():.0f} seconds'
                            and sampled_at_utc < timestamp '{day + DAY}' + interval '{near.total_seconds():.0f} seconds'
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
