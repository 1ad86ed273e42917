"""AWS Bedrock through CloudWatch's metrics: hourly totals by region and model, for calls that no invocation log tells.

That an hour's logs of the same account and region count before its metrics is dbt's business, not decided here.

Not established by a primary source, and so checked or configurable: what the metrics of cached tokens are called (two
names are known, one is read), that Invocations counts successes alone, and that input is without the cache, as in logs.
CloudWatch lists what was used within two weeks: `model_ids` names further models for earlier days. Where it tells a
total of all models, the part of it that no model explains is said. Metrics with more dimensions repeat those with one.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pipelines.errors import SettingError, SourceError
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._aws import SECRET_KEY, AwsClient
from pipelines.sources._cloudwatch import Metric, client, listed, sums
from pipelines.sources._day_files import shrunk
from pipelines.sources.bedrock import NAMED
from pipelines.window import Window

NAME, NAMESPACE, MODEL = "bedrock_metrics", "AWS/Bedrock", "ModelId"
DAYS_PER_REQUEST, SHOWN_NAMES = 7, 5
METRICS = {  # what each count is called, the preferred name first
    "invocation_count": ("Invocations",),
    "client_error_count": ("InvocationClientErrors",),
    "server_error_count": ("InvocationServerErrors",),
    "throttle_count": ("InvocationThrottles",),
    "input_tokens": ("InputTokenCount",),
    "output_tokens": ("OutputTokenCount",),
    "cached_input_tokens": ("CacheReadInputTokenCount", "CacheReadInputTokens"),
    "cache_write_input_tokens": ("CacheWriteInputTokenCount", "CacheWriteInputTokens"),
    "image_count": ("OutputImageCount",),
}
REQUESTS = tuple(METRICS)[:4]  # none of a kind are nothing, not unknown
ALL = Metric("Invocations", ())
_ACCOUNT, _REGION = re.compile(r"[0-9]{12}"), re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_ID = re.compile(r"[A-Za-z0-9][\w.:/-]{1,299}", re.ASCII)


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """One page for each region and week.

    Raises:
        SourceError: AWS refused, an answer is not whole, or no region has a metric of Bedrock.
    """
    options, used = _options(context), False
    rows = dict.fromkeys(window.days(), 0)
    for region in options["regions"]:
        asks = client(context, NAME, region)
        models, warnings = models_of(asks, region, options)
        used = used or bool(models)
        for chunk in window.chunks(DAYS_PER_REQUEST) if models else ():
            page = _page(asks, models, region, chunk, options, warnings)
            for row in page.rows:
                rows[row["hour_utc"].date()] += 1
            yield page
            warnings = ()
        context.progress(f"CloudWatch: {region}, {window}")
    if not used:
        raise _unused(options)
    for day, count in rows.items():
        yield Page((), f"{NAME} of {day}", findings=tuple(shrunk(context, NAME, USAGE, day, count)))


def check(context: Context) -> str:
    """Lists the metrics of each region, and reads one of them.

    Raises:
        SourceError: AWS refused one or the other, or no region has a metric of Bedrock.
    """
    options, told = _options(context), []
    for region in options["regions"]:
        asks = client(context, NAME, region)
        models, _ = models_of(asks, region, options)
        if models:
            sums(asks, NAMESPACE, [ALL], Window.of_days("2026-01-01", "2026-01-01"), f"{region}, GetMetricData")
            told.append(f"{region} ({len({model for model, _ in models if model})})")
    if not told:
        raise _unused(options)
    return f"CloudWatch answers, and knows models of Bedrock in {', '.join(told)}."


def models_of(
    asks: AwsClient, region: str, options: Mapping[str, Any]
) -> tuple[dict[tuple[str, str], Metric], tuple[str, ...]]:
    """The metric of each model and count, ("", ...) being all models together, and what cannot be read.

    Raises:
        SourceError: AWS refused, or its answer is of another shape.
    """
    found = listed(asks, NAMESPACE, f"{region}, ListMetrics")
    names = [name for choices in METRICS.values() for name in choices]
    single = {metric for metric in found if [name for name, _ in metric.dimensions] == [MODEL] and metric.name in names}
    single |= {Metric(name, ((MODEL, model),)) for model in options.get("model_ids", ()) for name in names}
    models: dict[tuple[str, str], Metric] = {}
    for count, choices in METRICS.items():
        for metric in sorted(single, key=lambda metric: (names.index(metric.name), metric.dimensions)):
            if metric.name in choices and _is_id(metric.dimensions[0][1]):
                models.setdefault((metric.dimensions[0][1], count), metric)
    if models and ALL in found:
        models["", REQUESTS[0]] = ALL
    lost = {dict(metric.dimensions)[MODEL] for metric in found if MODEL in dict(metric.dimensions)}
    lost -= {model for model, _ in models}
    return models, tuple(f"{region}: no metric of {model[:100]} can be read" for model in sorted(lost))


def _page(
    asks: AwsClient, models: Mapping[tuple[str, str], Metric], region: str, asked: Window, options: Mapping[str, Any],
    warnings: tuple[str, ...],
) -> Page:
    where, names = f"{region}, GetMetricData, {asked}", options.get("models", {})
    told = sums(asks, NAMESPACE, list(models.values()), asked, where)
    rows: dict[tuple[datetime, str], dict[str, Any]] = {}
    unexplained: Counter[datetime] = Counter()
    for (model, count), metric in models.items():
        for at, value in told[metric].items():
            if not model:
                unexplained[at] += value
                continue
            rows.setdefault((at, model), {
                "hour_utc": at, "account_id": options["account_id"], "region": region, "model_id": model,
                "model": names.get(model, model),
                **{each: 0 if each in REQUESTS or (model, each) in models else None for each in METRICS},
            })[count] = value
    for (at, _), row in rows.items():
        unexplained[at] -= row[REQUESTS[0]]
    if lost := sum(count for count in unexplained.values() if count > 0):
        warnings += (f"{where}: {lost} invocations are of models that are listed no more; name them in model_ids",)
    if hidden := sorted({row["model"] for row in rows.values() if not re.search(NAMED, row["model"])}):
        shown = ", ".join(hidden[:SHOWN_NAMES])
        warnings += (f"[sources.{NAME}.models] does not say which model is behind {shown}",)
    used = [row for row in rows.values() if any(row[count] for count in METRICS)]
    return Page(used, f"{where}, {len(models)} metrics", warnings)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def _unused(options: Mapping[str, Any]) -> SourceError:
    return SourceError(
        "CloudWatch has no metric of Bedrock", ", ".join(options["regions"]), "no model was called within two weeks",
        f"look whether these are the right regions, name model_ids, or switch off sources.{NAME}")


def _options(context: Context) -> Mapping[str, Any]:
    options, wrong = context.options(NAME), None
    regions, ids, names = options.get("regions"), options.get("model_ids", []), options.get("models", {})
    if not _all(regions, _REGION.fullmatch) or len(set(regions)) < len(regions) or not regions:
        wrong = "regions", "it is no list of regions", 'write regions = ["eu-west-3"]'
    elif not _all([options.get("account_id")], _ACCOUNT.fullmatch):
        wrong = "account_id", "it is no account of AWS in quotes", 'write account_id = "123456789012"'
    elif not _all(ids, _ID.fullmatch):
        wrong = "model_ids", "it is no list of ids", 'write model_ids = ["amazon.nova-pro-v1:0"]'
    elif not isinstance(names, Mapping) or not _all([*names.values()], bool):
        wrong = "models", "it is no section of models", "give the model's id behind each ARN"
    elif not isinstance(options.get("base_url", ""), str):
        wrong = "base_url", "it is no text", "quote it"
    if wrong:
        raise SettingError(NAME, *wrong)
    return options


def _all(values: Any, rule: Any) -> bool:
    return isinstance(values, Sequence) and all(isinstance(each, str) and rule(each) for each in values)


def _count(name: str, description: str) -> Column:
    return Column(name, "BIGINT", description, name in REQUESTS, minimum=0)


USAGE = Table(
    "usage",
    (
        Column("hour_utc", "TIMESTAMP", "Start of the hour.", True),
        Column("account_id", "VARCHAR", "AWS account that called, as jevons.toml says.", True),
        Column("region", "VARCHAR", "Region that was called.", True),
        Column("model_id", "VARCHAR", "Model or inference profile that was called, as an id or an ARN.", True),
        Column("model", "VARCHAR", "The same, or the model that jevons.toml says is behind it.", True),
        _count("invocation_count", "Requests that were answered."),
        _count("client_error_count", "Requests that failed by the caller's fault."),
        _count("server_error_count", "Requests that failed by AWS's fault."),
        _count("throttle_count", "Requests that were refused, as there were too many."),
        _count("input_tokens", "Tokens sent, without those of the cache; null where not told."),
        _count("output_tokens", "Tokens received; null where not told."),
        _count("cached_input_tokens", "Tokens read from a cache; null where not told."),
        _count("cache_write_input_tokens", "Tokens written to a cache; null where not told."),
        _count("image_count", "Images received; null where not told."),
    ),
    ("hour_utc", "account_id", "region", "model_id"), fetch, "Requests and tokens by hour, region and model.",
    lambda row: row["hour_utc"].date(),
)

SOURCE = Source(
    NAME, (USAGE,), "AWS Bedrock through CloudWatch's metrics.", SECRET_KEY, restate_days=3,
    options=("base_url", "regions", "account_id", "model_ids", "models"), check=check,
)
