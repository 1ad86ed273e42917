"""Power of NVIDIA boards as `nvidia-smi --query-gpu=... --format=csv -l N` logs it, on machines without an exporter.

What a line is lies in `_nvidia_smi`; what readings mean for the account (joules by hour, and that an exporter's count
where both tell of a board) belongs to dbt.

The log has no energy counter and does not name its machine: power is integrated, and a file's folder is the machine.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from pipelines import engine
from pipelines.errors import SettingError, SourceError
from pipelines.source import Column, Context, DayFile, Page, Source, Table
from pipelines.sources._nvidia_smi import Log, header
from pipelines.typed import arrow_schema
from pipelines.units import noun
from pipelines.userfiles import Refusals, Unreadable, matching, write_records
from pipelines.window import DAY, Window

NAME, HOUR = "nvidia_smi", timedelta(hours=1)
GAP_STEPS, LONGEST_GAP_SECONDS = 10, 3600
CHECKED_LINES = 1000


def fetch(context: Context, window: Window) -> Iterator[Page | DayFile]:
    """One file per day that has readings; in it are each board's last one before the day and first after it, too.

    Those are at most an hour away, as an exporter's are.
    """
    options, log = settings_of(context)
    files = matching(context.settings.home, options["path"], Window(window.first - DAY, window.end + DAY))
    request = f"{options['path']}: {len(files)} {noun(len(files), 'file')}, {window}"
    refusals, everything = Refusals(), context.scratch / f"{NAME}.rows.parquet"
    first, end = (at.replace(tzinfo=None) for at in (window.start_utc - HOUR, window.end_utc + HOUR))

    def records() -> Iterator[dict[str, Any]]:
        for file in files:
            try:
                yield from (row for row in log.samples(file) if first <= row["sampled_at_utc"] < end)
            except Unreadable as wrong:
                refusals.add(wrong.where, wrong.rule, wrong.fix, None)

    write_records(everything, pa.schema(list(arrow_schema(SAMPLES))[:-2]), records())
    context.progress(f"{NAME}: read {request}")
    said, findings = log.said(None) if files else (f"no file matches {options['path']}",), refusals.all()
    bridged = min(options.get("gap_steps", GAP_STEPS) * options["step_seconds"], LONGEST_GAP_SECONDS)
    with engine.connect(context.scratch) as duck:
        told = {day for (day,) in duck.execute(
            f"select distinct cast(sampled_at_utc as date) from read_parquet({engine.text(everything)})").fetchall()}
        for day in sorted(told & {*window.days()}):
            path = context.scratch / f"{NAME}-{day}.parquet"
            duck.execute(_DAY_SQL.format(
                everything=engine.text(everything), day=day, end=day + DAY, path=engine.text(path),
                step=options["step_seconds"], bridged=bridged))
            yield DayFile(day, path, request, (*said, *log.said(day)), findings=findings)
            said, findings = (), ()
    if said or findings:
        yield Page((), request, said, findings)


def check(context: Context) -> str:
    """Reads the first lines of the last file.

    Raises:
        SourceError: there is no file, or no reading in those lines.
    """
    options, log = settings_of(context)
    pattern = options["path"].replace("{date}", "*")
    files = matching(context.settings.home, pattern, Window.of_days("2026-01-01", "2026-01-01"))
    if not files:
        raise SourceError("No log of nvidia-smi was found", f"path = {options['path']!r}",
                          "no file under JEVONS_HOME matches it", f"put one there, or correct path in [sources.{NAME}]")
    try:
        found = list(islice(log.samples(files[-1]), CHECKED_LINES))
    except Unreadable as wrong:
        raise SourceError("A log of nvidia-smi cannot be read", wrong.where, wrong.rule, wrong.fix) from wrong
    if not found:
        why = next((f"its lines {reason}" for _, reason in log.left_out), "it has no line")
        raise SourceError("A log of nvidia-smi holds no reading", files[-1].shown, why, "look at that file")
    boards, power = {row["uuid"] for row in found}, any(row["quantity"] == "power_w" for row in found)
    return (f"{len(files)} {noun(len(files), 'log')} of nvidia-smi; {files[-1].shown} tells the "
            f"{'power' if power else 'utilisation, not the power,'} of {len(boards)} {noun(len(boards), 'board')}.")


def settings_of(context: Context) -> tuple[Mapping[str, Any], Log]:
    """The section of `jevons.toml`, and a reader that does as it says.

    Raises:
        SourceError: an option is not what it should be.
    """
    options, wrong = context.options(NAME), None
    step, gap, columns = options.get("step_seconds"), options.get("gap_steps", GAP_STEPS), options.get("columns", [])
    holders, zone = options.get("holders", {}), None
    try:
        zone = ZoneInfo(options["time_zone"])
        columns = header(columns, "columns") if columns else []
    except (KeyError, ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        wrong = "time_zone", "the log tells local time, and this is no time zone", 'write "Europe/Paris", say, or "UTC"'
    except (Unreadable, AttributeError) as error:
        why = error.rule if isinstance(error, Unreadable) else "it is no list of names"
        wrong = "columns", why, "name the columns of --query-gpu in their order"
    if not isinstance(options.get("path"), str):
        wrong = "path", "it names no files", f'write path = "inbox/{NAME}/*/*.csv", with a folder for each machine'
    elif not _whole(step, 1):
        wrong = "step_seconds", f"{step!r} is not 1 to {LONGEST_GAP_SECONDS}", "give the N of nvidia-smi's -l N"
    elif not _whole(gap, 2):
        wrong = "gap_steps", f"{gap!r} is not 2 to {LONGEST_GAP_SECONDS}", "say after how many steps a gap is unknown"
    elif not isinstance(holders, Mapping) or not all(isinstance(name, str) for name in holders.values()):
        wrong = "holders", "it is no section of names", 'write holders = { "node-1" = "search-index" }'
    if wrong:
        raise SettingError(NAME, *wrong)
    return options, Log(zone, tuple(columns), holders)


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= LONGEST_GAP_SECONDS


_DAY_SQL = """
    copy (
        with samples as (select * exclude (place) from read_parquet({everything}, hive_partitioning = false)),
        near as (
            select uuid, max(sampled_at_utc) as sampled_at_utc from samples
            where sampled_at_utc >= timestamp '{day}' - interval 1 hour and sampled_at_utc < timestamp '{day}'
            group by uuid
            union all
            select uuid, min(sampled_at_utc) from samples
            where sampled_at_utc >= timestamp '{end}' and sampled_at_utc < timestamp '{end}' + interval 1 hour
            group by uuid
        ),
        kept as (
            select * from samples where sampled_at_utc >= timestamp '{day}' and sampled_at_utc < timestamp '{end}'
            union all
            select samples.* from samples join near using (uuid, sampled_at_utc)
        )
        select *, cast({step} as integer) as step_seconds, cast({bridged} as integer) as bridged_seconds
        from kept order by uuid, sampled_at_utc, quantity
    ) to {path} (format parquet, compression zstd)
"""

SAMPLES = Table(
    name="samples",
    columns=(
        Column("quantity", "VARCHAR", "Power, or utilisation where a board tells no power", required=True,
               allowed=("power_w", "util_ratio")),
        Column("uuid", "VARCHAR", "The board's UUID", required=True),
        Column("gpu_model", "VARCHAR", "Model name as the driver gives it"),
        Column("hostname", "VARCHAR", "The machine, by the folder of its log"),
        Column("pod", "VARCHAR", "Who holds the machine's boards, as jevons.toml says; null = nobody is named"),
        Column("sampled_at_utc", "TIMESTAMP", "When it was read", required=True),
        Column("value", "DECIMAL(24,6)", "The reading in watts or as a ratio", required=True, minimum=0,
               additive=False),
        Column("step_seconds", "INTEGER", "The interval between readings that was configured", required=True, minimum=1,
               additive=False),
        Column("bridged_seconds", "INTEGER", "A longer gap between two readings is unknown", required=True, minimum=1,
               additive=False),
    ),
    key=("quantity", "uuid", "sampled_at_utc"),
    fetch=fetch,
    description="Readings of boards' power or utilisation; a day's file also holds its neighbours' nearest",
    day_of=lambda row: row["sampled_at_utc"].date(),
    silent_days_are_missing=True,
)

SOURCE = Source(
    name=NAME,
    tables=(SAMPLES,),
    description="Power of NVIDIA boards as nvidia-smi logs it, from files",
    restate_days=1,  # the last interval of a day is known only once the next day has begun
    check=check,
    options=("path", "site", "time_zone", "step_seconds", "gap_steps", "columns", "holders"),
    kin="gpu_prometheus",
)
