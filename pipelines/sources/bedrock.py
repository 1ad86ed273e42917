"""Calls of AWS Bedrock from its model invocation logs, as S3 holds them; no prompt, answer or caller is kept.

How files are found and lines judged lies in `_files` and `_call_reading`; what a model is called in the ledger is
staging's business.

The organisation copies the bucket under JEVONS_HOME by its own means. Where the files lie is UNVERIFIED, so `path` says
it; {date} in it stands for the folders YYYY/MM/DD. A record may lie in the files of the neighbouring days, which are
opened too. UNVERIFIED as well: that a failed call has an `errorCode`, and that `inputTokenCount` is without the tokens
of the cache. Only Converse, ConverseStream, InvokeModel and InvokeModelWithResponseStream are logged: jobs of batch
inference and the endpoint `bedrock-mantle` are not.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import duckdb

from pipelines import engine
from pipelines.errors import SettingError, SourceError
from pipelines.source import Column, Context, DayFile, Source, Table
from pipelines.sources import _call_reading, _files, _scans
from pipelines.sources._call_options import Options
from pipelines.units import noun
from pipelines.window import DAY, Window

NAME, CLOUD = "bedrock", "aws"
PATH = "inbox/bedrock/AWSLogs/*/BedrockModelInvocationLogs/*/{date}/*/*.json.gz"
SPILL_DAYS = 1
METADATA = "workflow_metadata"
NAMED = "^[^:/]+(:[^/]*)?$|:(foundation-model|inference-profile)/"

_FIELDS = {
    "request_id": "requestId", "started_at_utc": "timestamp", "operation": "operation", "account_id": "accountId",
    "model_id": "modelId", "model": "modelId", "region": "region", "inference_region": "inferenceRegion",
    "error_code": "errorCode", "input_tokens": "/input/inputTokenCount",
    "cached_input_tokens": "/input/cacheReadInputTokenCount",
    "cache_write_input_tokens": "/input/cacheWriteInputTokenCount", "output_tokens": "/output/outputTokenCount",
}

COLUMNS = (
    Column("request_id", "VARCHAR", "The request's id.", required=True),
    Column("started_at_utc", "TIMESTAMP", "When the request came.", required=True),
    Column("operation", "VARCHAR", "Converse, InvokeModel, or one of them with a stream."),
    Column("account_id", "VARCHAR", "AWS account that called.", required=True),
    Column("model_id", "VARCHAR", "Model or inference profile that was called, as an id or an ARN.", required=True),
    Column("model", "VARCHAR", "The same, or the model that jevons.toml says is behind it.", required=True),
    Column("region", "VARCHAR", "Region that was called.", required=True),
    Column("inference_region", "VARCHAR", "Region that answered, where it was another; else null."),
    Column("workflow_tag", "VARCHAR", "Value of the request's metadata that workflow_metadata names; else null."),
    Column("error_code", "VARCHAR", "Why the request failed; null where it did not."),
    Column("input_tokens", "BIGINT", "Tokens sent, without those of the cache; null where not told.", minimum=0),
    Column("cached_input_tokens", "BIGINT", "Tokens read from a cache; null where not told.", minimum=0),
    Column("cache_write_input_tokens", "BIGINT", "Tokens written to a cache; null where not told.", minimum=0),
    Column("output_tokens", "BIGINT", "Tokens received; null where not told.", minimum=0),
)


def fetch(context: Context, window: Window) -> Iterator[DayFile]:
    """One file a day, streamed by DuckDB: of a line, only the fields above leave the reader.

    Raises:
        SourceError: the settings mean nothing, or the path leads out of JEVONS_HOME.
    """
    options = _options(context.options(NAME))
    near = timedelta(days=SPILL_DAYS)
    files = [file for day in Window(window.first - near, window.end + near).days() for file in _of_day(context, day)]
    if not files:
        return
    context.progress(f"{NAME}: {window}, {len(files)} {noun(len(files), 'file')} "
                     f"({sum(file.size_bytes for file in files):,} bytes)")
    sites = {site.cloud_region for site in context.settings.sites if site.cloud_region}
    with engine.connect(context.scratch) as duck:
        for day in _call_reading.read(duck, TABLE, options, files, window, context.scratch):
            said = _unplaced(duck, day, sites), _unnamed(duck, day)
            yield replace(day, warnings=(*day.warnings, *(text for text in said if text)))


def check(context: Context) -> str:
    """How many files there are, and whether those of the newest day can be read.

    Raises:
        SourceError: there is none, or a record of that day is refused; names the first.
    """
    _options(context.options(NAME))
    pattern = _path(context)
    found = _files.matching(context.settings.home, pattern.replace(_files.DAY, "*/*/*"), None, "jsonl")
    days = [date(*map(int, day)) for file in found for day in re.findall(r"/(\d{4})/(\d\d)/(\d\d)/", f"/{file.shown}")]
    if not days:
        raise SourceError(
            "No invocation log of Bedrock was found", f"path = {pattern!r}", "no file under JEVONS_HOME matches it",
            f"switch on invocation logging to S3 and copy the bucket there, or correct path in [sources.{NAME}]",
        )
    newest = max(days)
    day = next(iter(fetch(context, Window(newest, newest + DAY))))
    if day.findings:
        raise SourceError("A record of an invocation log is refused", day.findings[0].where, day.findings[0].rule,
                          day.findings[0].fix)
    said = " ".join(f" {warning}." for warning in day.warnings)
    return f"{len(found)} {noun(len(found), 'file')}; those of {newest}, the newest day, can be read.{said}"


def _path(context: Context) -> str:
    return str(context.options(NAME).get("path", PATH))


def _of_day(context: Context, day: date) -> list[_files.Given]:
    named = _path(context).replace(_files.DAY, f"{day:%Y/%m/%d}")
    return [replace(file, day=day) for file in _files.matching(context.settings.home, named, None, "jsonl")]


def _options(section: Mapping[str, Any]) -> Options:
    """What the section says, as the reader of call logs wants it.

    Raises:
        SourceError: naming the key, what it says and what it may say.
    """
    path, tag, models = section.get("path", PATH), section.get(METADATA, ""), section.get("models", {})
    wrong = None
    if not isinstance(path, str) or _files.DAY not in path:
        wrong = "path", path, f'write path = "{PATH}"'
    elif not isinstance(tag, str):
        wrong = METADATA, tag, 'name one key of requestMetadata, as in "workflow"'
    elif not isinstance(models, Mapping) or not all(isinstance(name, str) and name for name in models.values()):
        wrong = "models", models, "give the model's id behind each ARN"
    if wrong:
        raise SettingError(NAME, wrong[0], f"it is {wrong[1]!r:.60}", wrong[2])
    pointer = f"/requestMetadata/{tag.replace('~', '~0').replace('/', '~1')}" if tag else ""
    return Options(
        path=path, format="jsonl", delimiter=",", columns={**_FIELDS, "workflow_tag": pointer}, defaults={},
        values={"model": models}, ignored=frozenset({_scans.ANY}), unit=None, naive_utc=False,
        input_includes_cached=False, spill_days=SPILL_DAYS,
    )


def _unplaced(duck: duckdb.DuckDBPyConnection, day: DayFile, sites: set[str]) -> str:
    """Says of which regions no site is declared, so that their calls stand at the provider's."""
    regions = duck.execute(
        f"select distinct '{CLOUD}:' || coalesce(inference_region, region) as name "
        f"from read_parquet({engine.text(day.path)}) order by name"
    ).fetchall()
    names = [name for (name,) in regions if name not in sites]
    return f"no site is declared with the cloud_region {', '.join(names[:_files.SHOWN_NAMES])}: its calls are taken " \
           f"to run at the site of [providers.{NAME}]" if names else ""


def _unnamed(duck: duckdb.DuckDBPyConnection, day: DayFile) -> str:
    """Says which profiles no model is declared for, so that their calls are of unknown energy."""
    models = duck.execute(
        f"select distinct model from read_parquet({engine.text(day.path)}) "
        f"where not regexp_matches(model, {engine.text(NAMED)}) order by model"
    ).fetchall()
    names = ", ".join(name for name, in models[:_files.SHOWN_NAMES])
    return f"[sources.{NAME}.models] does not say which model is behind {names}" if models else ""


TABLE = Table(
    name="invocations", columns=COLUMNS, key=("request_id",), fetch=fetch, silent_days_are_missing=True,
    description="Requests to models of Bedrock, failed ones included.", unlike=("request_id", "started_at_utc"),
    day_of=lambda row: row["started_at_utc"].date(),
)

SOURCE = Source(
    name=NAME, tables=(TABLE,), description="Calls of AWS Bedrock from its model invocation logs.",
    restate_days=SPILL_DAYS, options=("path", METADATA, "models"),
    personal=("identity", "inputBodyJson", "inputBodyS3Path", "outputBodyJson", "outputBodyS3Path",
              "requestMetadata but for one key"),
    check=check,
)
