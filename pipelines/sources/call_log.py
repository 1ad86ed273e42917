"""Model calls from log files that an organisation already has: CSV, JSON lines or Parquet, one row a call.

How a file is opened and a field is read lies in the `_files`, `_scans`, `_strict` and `_call_*` modules; whether a
value is plausible is the gate's business.

`path` may hold {date}: then a file is of one day, only the files of the days asked are opened, and a day without file
is missing. A line of another day is refused (the day waits in quarantine), unless `spill_days` says that lines may lie
in the files of neighbouring days: then those are opened too, and each line is counted on its own day. Without {date}
every file is opened once for the whole window, and lines of other days are left for their own run.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from pipelines import engine
from pipelines.errors import SourceError
from pipelines.source import Column, Context, DayFile, Source, Table
from pipelines.sources import _call_plan, _call_reading, _files
from pipelines.sources._call_options import Options, read_options
from pipelines.window import DAY, Window

NAME = "call_log"

COLUMNS = (
    Column("request_id", "VARCHAR", "The call's own id; derived from file name and line where the log has none.",
           required=True),
    Column("started_at_utc", "TIMESTAMP", "When the call started.", required=True),
    Column("provider", "VARCHAR", "Who runs the model."),
    Column("model", "VARCHAR", "The model as the log names it.", required=True),
    Column("api_key_id", "VARCHAR", "Id of the key that was used, never the key."),
    Column("project_id", "VARCHAR", "Project, application or deployment."),
    Column("workflow_tag", "VARCHAR", "What the caller says it works for."),
    Column("input_tokens", "BIGINT", "Tokens sent, as logged.", required=True, minimum=0),
    Column("cached_input_tokens", "BIGINT", "Tokens read from a cache, as logged; null where the log does not say.",
           minimum=0),
    Column("cache_write_input_tokens", "BIGINT", "Tokens written to a cache, as logged; null where not said.",
           minimum=0),
    Column("output_tokens", "BIGINT", "Tokens received.", required=True, minimum=0),
    Column("reasoning_output_tokens", "BIGINT", "Of those, tokens of reasoning; null where not said.", minimum=0),
    Column("image_count", "BIGINT", "Images made; null where not said.", minimum=0),
    Column("audio_seconds", "BIGINT", "Whole seconds of speech heard or spoken; null where not said.", minimum=0),
    Column("video_seconds", "BIGINT", "Whole seconds of video made; null where not said.", minimum=0),
    Column("duration_seconds", "DECIMAL(12,3)", "From request to last token; null where not said.", minimum=0),
    Column("run_id", "VARCHAR", "Run of an agent that the call is a step of; null where not said."),
    Column("step_kind", "VARCHAR", "What the step does in its run.",
           allowed=("model", "tool", "retry", "safety", "other")),
    Column("serving_mode", "VARCHAR", "batch where the vendor's batch service answered.", allowed=("batch",)),
    Column("status", "VARCHAR", "How it ended; null where the log does not say.", allowed=("ok", "error")),
    Column("attempt", "INTEGER", "1 for the first try, more for a retry; null where the log does not say.", minimum=1),
    Column("call_purpose", "VARCHAR", "Why it was made.",
           allowed=("interactive", "batch", "background", "retry", "evaluation", "unknown")),
    Column("lifecycle_stage", "VARCHAR", "Stage of the model's life that it belongs to.",
           allowed=("training", "fine_tuning", "experiment", "evaluation", "inference", "data_pipeline", "idle",
                    "unknown")),
    Column("cost_usd", "DECIMAL(18,9)", "Cost as logged, rounded to a billionth of a dollar.", minimum=0),
    Column("input_includes_cached", "BOOLEAN", "True where input_tokens include the cached and cache-written ones.",
           required=True),
)


def fetch(context: Context, window: Window) -> Iterator[DayFile]:
    """One file a day, streamed by DuckDB.

    Raises:
        SourceError: the settings mean nothing, or the path leads out of JEVONS_HOME.
    """
    options = read_options(context.options(NAME), COLUMNS)
    home = context.settings.home
    with engine.connect(context.scratch) as duck:
        if options.dated and not options.spill_days:
            for day in window.days():
                files = _files.matching(home, options.path, day, options.format)
                if files:
                    context.progress(f"{NAME}: {day}, {_said(files)}")
                    yield from _call_reading.read(duck, TABLE, options, files, Window(day, day + DAY), context.scratch)
            return
        files = [file for day in _file_days(options, window)
                 for file in _files.matching(home, options.path, day, options.format)]
        if files:
            context.progress(f"{NAME}: {window}, {_said(files)}")
            yield from _call_reading.read(duck, TABLE, options, files, window, context.scratch)


def check(context: Context) -> str:
    """How many files there are for the newest day, after a look at the header of the last one.

    Raises:
        SourceError: there is none, or it could not be landed as it is.
    """
    options = read_options(context.options(NAME), COLUMNS)
    home = context.settings.home
    day, files = None, _files.matching(home, options.path.replace(_files.DAY, "*"), None, options.format)
    if options.dated:
        for day in sorted(set().union(*(_files.days_in(file.shown) for file in files)), reverse=True):
            if files := _files.matching(home, options.path, day, options.format):
                break
        else:
            files = []
    if not files:
        raise SourceError(
            "No call log was found", f"path = {options.path!r}", "no file under JEVONS_HOME matches it",
            "put a file there, or correct path in [sources.call_log]",
        )
    with engine.connect(context.scratch) as duck:
        _call_plan.fields(COLUMNS, options, files[-1], _files.columns(duck, files[-1], options.delimiter))
    of_day = f" of {day}, the newest day" if day else ""
    return f"{_said(files)}{of_day}; the columns of {files[-1].shown} are all accounted for."


def _file_days(options: Options, window: Window) -> list[date | None]:
    if not options.dated:
        return [None]
    spill = timedelta(days=options.spill_days)
    return list(Window(window.first - spill, window.end + spill).days())


def _said(files: list[_files.Given]) -> str:
    size = sum(file.size_bytes for file in files)
    return f"{len(files)} file{'s' if len(files) != 1 else ''} ({size:,} bytes)"


TABLE = Table(
    name="calls", columns=COLUMNS, key=("request_id",), fetch=fetch, description="Model calls, one row a call.",
    day_of=lambda row: row["started_at_utc"].date(), silent_days_are_missing=True,
    unlike=("request_id", "started_at_utc", "cost_usd"),
)

SOURCE = Source(
    name=NAME, tables=(TABLE,), description="Model calls from log files that the organisation already has.",
    check=check,
)
