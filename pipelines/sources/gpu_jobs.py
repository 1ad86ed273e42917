"""Jobs that held GPUs (training, fine-tuning, experiments), from Slurm's accounting, CodeCarbon or own files.

What energy they used, and whether a meter already holds it, is worked out in dbt, not here.

A job is landed whole under each UTC day in which it ran. The ledger replaces days: had a job its row only on the day it
ended, its energy of the days before would be missing from them, or would change days that nobody asked for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, tzinfo
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.errors import SettingError
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources import _codecarbon, _sacct
from pipelines.sources._small_files import MEND, OPTIONS, files, records, told
from pipelines.sources._typed_texts import Wrong, days_of, typed
from pipelines.userfiles import Refusals, Row, Unreadable
from pipelines.window import DAY, Window

NAME = "gpu_jobs"
TOOLS = {"sacct": _sacct, "codecarbon": _codecarbon}
STAGES = ("training", "fine_tuning", "experiment", "evaluation", "inference", "data_pipeline")
STILL_RUNNING = ("RUNNING", "SUSPENDED", "RESIZING")
STATES = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "PREEMPTED", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL",
          "DEADLINE", "REQUEUED", "REVOKED", *STILL_RUNNING)

JOB = (
    Column("job_id", "VARCHAR", "The job, unique for all time.", required=True),
    Column("run_id", "VARCHAR", "Run that the job is a part of; null = the job is its own run."),
    Column("experiment_id", "VARCHAR", "Experiment or sweep that the run is a part of."),
    Column("workflow_tag", "VARCHAR", "What says for whom it ran; null = not given."),
    Column("lifecycle_stage", "VARCHAR", "What it was for; null = not told.", allowed=STAGES),
    Column("model_id", "VARCHAR", "Model that was made or judged."),
    Column("started_at_utc", "TIMESTAMP", "When it got its GPUs.", required=True),
    Column("ended_at_utc", "TIMESTAMP", "When it let go of them, or until when it is known to have run.", True),
    Column("state", "VARCHAR", "How it ended, in Slurm's words.", required=True, allowed=STATES),
    Column("gpu_model", "VARCHAR", "Model of its GPUs; null = not told."),
    Column("gpu_count", "BIGINT", "GPUs that it held.", required=True, minimum=1, additive=False),
    Column("nodes", "VARCHAR", "Machines that it ran on, separated by commas; null = not told."),
    Column("pod", "VARCHAR", "Its name in the labels of GPU meters; * at the end stands for any ending."),
    Column("is_exclusive", "BOOLEAN", "Whether no other job shared its machines; null = not told."),
    Column("energy_j", "DECIMAL(18,3)", "Energy that the scheduler's meters read; null = none did.", minimum=0,
           additive=False),
    Column("output_tokens", "BIGINT", "Tokens trained on or generated; null = not told.", minimum=0, additive=False),
    Column("superseded_by", "VARCHAR", "Run that replaced this one's result; null = none."),
)


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """Yields the jobs of the window, once for each of its days in which they ran."""
    refusals = Refusals()
    skipped = {"never ran or held no GPU": 0, "has not ended and says not how long it has run": 0}
    found = _jobs(context, refusals, skipped)
    rows = []
    for record in found.values():
        rows += [{"usage_date": day, **record} for day in _days(record) if day in window]
    warnings = tuple(f"{count} left out: each {why}" for why, count in skipped.items() if count)
    yield Page(rows, f"{context.options(NAME)['path']}, {window}", warnings, refusals.all())


def check(context: Context) -> str:
    """Reads the files and counts the jobs."""
    refusals = Refusals()
    found = _jobs(context, refusals, {})
    return told(context, NAME, len(found), refusals)


def _jobs(context: Context, refusals: Refusals, skipped: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Every job once: what is known of its end replaces what was known while it ran."""
    options, zone = context.options(NAME), _zone(context)
    tool = TOOLS.get(options.get("format"))
    given = _told_by(tool, context, refusals, zone, skipped) if tool else (
        (row, record) for row, record in records(context, NAME, _FROM_FILE, refusals, _rule, zone, _days)
        if _ran(record, skipped)
    )
    found: dict[str, tuple[Row, dict[str, Any]]] = {}
    for row, record in given:
        # a job gives 0 joules where nothing was read: unknown, not nothing
        record["energy_j"] = record["energy_j"] or None
        first, known = found.get(record["job_id"], (row, record))
        if known == record or (known["state"] in STILL_RUNNING and _later(record, known)):
            found[record["job_id"]] = row, record
        elif not (record["state"] in STILL_RUNNING and _later(known, record)):
            for day in {*_days(known), *_days(record)}:
                refusals.add(f"{first.where} and {row.where}", f"they contradict each other on job {record['job_id']}",
                             "keep the right one; for requeued jobs add SLUID or Submit to the format", day)
    return {job: record for job, (_, record) in found.items()}


def _days(record: Mapping[str, Any]) -> list[date | None]:
    """The days in which a job ran; None, which stands for all, where that cannot be told."""
    started, ended = record["started_at_utc"], record["ended_at_utc"]
    if started is None or ended is None or ended < started:
        return [None]
    first, last = days_of(started, ended)
    return [first + DAY * count for count in range((last - first).days + 1)]


def _later(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one["state"] not in STILL_RUNNING or one["ended_at_utc"] >= other["ended_at_utc"]


def _ran(record: Mapping[str, Any], skipped: dict[str, int]) -> bool:
    if record["ended_at_utc"] is None:
        why = "has not ended and says not how long it has run"
        skipped[why] = skipped.get(why, 0) + 1
    return record["ended_at_utc"] is not None


def _told_by(
    tool: ModuleType, context: Context, refusals: Refusals, zone: tzinfo | None, skipped: dict[str, int]
) -> Iterator[tuple[Row, dict[str, Any]]]:
    options = _tool_options(context)
    for file in files(context, NAME):
        try:
            for row in tool.jobs(file):
                if row.problem:
                    refusals.add(row.where, row.problem, MEND, None)
                    continue
                said = None
                try:
                    said = tool.ours(row.values, options, zone)
                    if said is None:
                        skipped["never ran or held no GPU"] = skipped.get("never ran or held no GPU", 0) + 1
                        continue
                    record = {column.name: typed(column, said.get(column.name)) for column in JOB}
                except Wrong as wrong:
                    fix = "set time_zone in [sources.gpu_jobs]" if "no time zone" in str(wrong) else MEND
                    for day in _days(said) if said else [None]:
                        refusals.add(row.where, str(wrong), fix, day)
                    continue
                yield row, record
        except Unreadable as wrong:
            refusals.add(wrong.where, wrong.rule, wrong.fix, None)


def _tool_options(context: Context) -> Mapping[str, Any]:
    options = context.options(NAME)
    columns, models = options.get("columns", {}), options.get("gpu_models", {})
    wrong = None
    if not isinstance(columns, Mapping) or not isinstance(models, Mapping):
        wrong = "`columns` and `gpu_models` are sections of names", "write [sources.gpu_jobs.columns]"
    elif unheard := sorted(set(columns) - {column.name for column in JOB}):
        wrong = f"`{unheard[0]}` is no column of it", f"use {', '.join(column.name for column in JOB)}"
    elif people := sorted(set(columns.values()) & set(SOURCE.personal)):
        wrong = f"`{people[0]}` names people, and no people are kept", "take another field, such as Account"
    if wrong:
        raise SettingError(NAME, "", *wrong)
    return options


def _rule(record: Mapping[str, Any]) -> tuple[str, str] | None:
    started, ended = record["started_at_utc"], record["ended_at_utc"]
    if ended is None and record["state"] not in STILL_RUNNING:
        return "ended_at_utc", f"it is empty, and the job is {record['state']}"
    if ended is not None and ended < started:
        return "ended_at_utc", "the job ends before it starts"
    return None


def _zone(context: Context) -> tzinfo | None:
    name = context.options(NAME).get("time_zone")
    try:
        return ZoneInfo(name) if name is not None else None
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise SettingError(
            NAME, "time_zone", f"{str(name)[:40]!r} is no time zone",
            'write a name of the IANA list, as in time_zone = "Europe/Paris"',
        ) from error


# a job of an own file that still runs may leave its end empty
_FROM_FILE = tuple(replace(column, required=False) if column.name == "ended_at_utc" else column for column in JOB)

SOURCE = Source(
    name=NAME,
    description="Who held GPUs, for which run, and how it ended.",
    restate_days=7,
    personal=("User", "UID", "Group", "GID", "SubmitLine", "Comment"),
    options=(*OPTIONS, "site", "time_zone", "exclusive", "gpu_model", "gpu_models"),
    check=check,
    tables=(
        Table(
            "jobs", (Column("usage_date", "DATE", "UTC day in which the job ran.", required=True), *JOB),
            ("usage_date", "job_id"), fetch, "One row per job and UTC day in which it ran; the job is whole in each.",
            day_of=lambda row: row["usage_date"],
        ),
    ),
)
