"""Google Vertex AI through the metrics of Cloud Monitoring: hourly totals by project, location and model.

What Google charges lies in `focus`. Two metrics are asked, summed by Google over everything but the labels of `SERIES`:
requests by response code, tokens by type. The labels are documented, what they hold is not, so it is kept as it comes:
a model's name, the project behind `resource_container`. An hour counts by its end, since a point is of (start, end].
UNVERIFIED: for how long an hour still changes (three days are read again), whether tokens of a cache or of thinking are
among the counted ones, and whether batch jobs are. Where the endpoint `global` ran no metric tells.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from pipelines import cloud_regions
from pipelines.errors import Finding, SettingError, SourceError
from pipelines.http import Client
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources import _google_login
from pipelines.sources._day_files import shrunk
from pipelines.sources._grid import Wire
from pipelines.sources._kept_words import one_word
from pipelines.window import DAY, Window

NAME, CLOUD, BASE_URL = "vertex", "google", "https://monitoring.googleapis.com/v3"
SCOPE, ROLE = "https://www.googleapis.com/auth/monitoring.read", "the role Monitoring Viewer (roles/monitoring.viewer)"
DAYS_PER_REQUEST, QUIET_DAYS, MOST_PAGES, HOUR = 7, 30, 100, timedelta(hours=1)
PREFIX = "aiplatform.googleapis.com/publisher/online_serving/"
METRICS = {"model_invocation_count": "response_code", "token_count": "type"}  # each with the label that splits it
SERIES = ("resource_container", "location", "publisher", "model_user_id")
TOKENS = {"input": "input_tokens", "output": "output_tokens"}
WIRE = Wire("Cloud Monitoring")
_PROJECT = re.compile(r"[a-z][a-z0-9.:-]{4,61}[a-z0-9]|[0-9]{6,20}", re.ASCII)
_MODEL = re.compile(r"[\w.:/-]{1,200}(@[\w-]{1,30})?", re.ASCII)  # behind @ stands a version
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)

Counts = dict[tuple[Any, ...], dict[str, int]]
"""By hour and labels of a series, what stands under each value of the label that splits the metric."""


def client(context: Context) -> Client:
    """The client that carries a token; SourceError where there is none."""
    token = _google_login.token(context, NAME, SCOPE, ROLE)
    return Client("Cloud Monitoring", context.options(NAME).get("base_url", BASE_URL),
                  {"Authorization": f"Bearer {token}"}, _google_login.KEY_FILE)


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """One page for each project and week.

    Raises:
        SourceError: Google refused, told of an hour that was not asked for, or tells of no use at all in a month.
    """
    projects, asks = _projects(context), client(context)
    rows = dict.fromkeys(window.days(), 0)
    for project in projects:
        for chunk in window.chunks(DAYS_PER_REQUEST):
            page = _page(context, asks, project, chunk)
            for row in page.rows:
                rows[row["hour_utc"].date()] += 1
            yield page
            context.progress(f"Cloud Monitoring: {project}, {chunk}")
    if not any(rows.values()):
        # an answer without use cannot be told from one that went wrong
        before = Window(window.first - QUIET_DAYS * DAY, window.first)
        if not any(_page(context, asks, project, before).rows for project in projects):
            raise SourceError("Cloud Monitoring tells of no use at all", f"{window} and {QUIET_DAYS} days before",
                              "none of the projects has any",
                              f"look whether these are the right projects, or switch off sources.{NAME}")
    for day, count in rows.items():
        yield Page((), f"{NAME} of {day}", findings=tuple(shrunk(context, NAME, USAGE, day, count)))


def check(context: Context) -> str:
    """Asks each project for one series of requests of one day; use is not looked for.

    Raises:
        SourceError: there is no key, or Google refuses a project.
    """
    projects, asks = _projects(context), client(context)
    day = Window.of_days("2026-01-01", "2026-01-01")
    for project in projects:
        where, metric = f"{project}, {day}", next(iter(METRICS))
        _series(asks.get(f"projects/{project}/timeSeries", [*question(metric, day), ("pageSize", "1")]), where)
    return f"Cloud Monitoring answers, and the account may read the metrics of {', '.join(projects)}."


def question(metric: str, asked: Window) -> list[tuple[str, str]]:
    """The parameters of a question for one metric."""
    labels = [*(f"resource.label.{name}" for name in SERIES), f"metric.label.{METRICS[metric]}"]
    return [
        ("filter", f'metric.type="{PREFIX}{metric}"'),
        ("interval.startTime", f"{asked.start_utc:%Y-%m-%dT%H:%M:%SZ}"),
        ("interval.endTime", f"{asked.end_utc:%Y-%m-%dT%H:%M:%SZ}"),
        ("aggregation.alignmentPeriod", f"{HOUR.seconds}s"), ("aggregation.perSeriesAligner", "ALIGN_DELTA"),
        ("aggregation.crossSeriesReducer", "REDUCE_SUM"),
        *(("aggregation.groupByFields", label) for label in labels),
    ]


def read(answer: Any, metric: str, project: str, asked: Window, where: str) -> tuple[Counts, list[Finding]]:
    """The hours of one answer; a point that stands there twice is counted once, or refused.

    Raises:
        SourceError: the answer is incomplete or of another shape, or holds an hour that was not asked for.
    """
    told: Counts = {}
    findings: list[Finding] = []
    for series in _series(answer, where):
        kind, labels = _labels(series, metric, project, where)
        for at, count in _points(series, asked, where):
            if told.setdefault((at, *labels), {}).setdefault(kind, count) != count:
                findings.append(Finding(f"{where}, {at:%Y-%m-%dT%H:%MZ}", "it has two totals for one model and label",
                                        WIRE.again, at.date().isoformat()))
    return told, findings


def rows_of(requests: Counts, tokens: Counts) -> list[dict[str, Any]]:
    """The hours with any use. What no metric knows of an hour is null; after nothing but failures, no token is none."""
    rows = []
    for key in {**requests, **tokens}:
        codes, told = requests.get(key), tokens.get(key)
        calls = None if codes is None else sum(codes.values())
        failed = None if codes is None or "" in codes else sum(
            count for code, count in codes.items() if not code.startswith("2"))
        if told is None and calls is not None and calls == failed:
            told = {}
        if calls or any((told or {}).values()):
            rows.append({
                **dict(zip(("hour_utc", "project", "location", "publisher", "model"), key, strict=True)),
                "request_count": calls, "error_count": failed,
                **{name: None if told is None else told.get(kind, 0) for kind, name in TOKENS.items()},
            })
    return rows


def _page(context: Context, asks: Client, project: str, asked: Window) -> Page:
    """The hours of a project, of both metrics."""
    told, findings = zip(*(_metric(asks, project, metric, asked) for metric in METRICS), strict=True)
    rows = rows_of(*told)
    sites = {site.cloud_region for site in context.settings.sites}
    unplaced = sorted({f"{CLOUD}:{row['location']}" for row in rows} - sites)
    return Page(rows, f"{project}, {asked}", tuple(
        f"{name} is {'the region of no declared site' if cloud_regions.region(name) else 'no region'}: "
        f"its use is taken to run at the site of [providers.{NAME}]" for name in unplaced), sum(findings, ()))


def _metric(asks: Client, project: str, metric: str, asked: Window) -> tuple[Counts, tuple[Finding, ...]]:
    """The hours of a metric, of all pages.

    Raises:
        SourceError: Google refused, or a page came again, so that another may be missing.
    """
    path, first, where = f"projects/{project}/timeSeries", question(metric, asked), f"{project}, {metric}, {asked}"
    whole: Counts = {}
    findings: list[Finding] = []
    params, seen = first, set[str]()
    for _ in range(MOST_PAGES):
        answer = asks.get(path, params)
        told, odd = read(answer, metric, project, asked, where)
        findings += odd
        for key, counts in told.items():
            before = whole.setdefault(key, {})
            if counts.keys() & before.keys():
                raise SourceError("Cloud Monitoring's pages repeat each other", where,
                                  f"{key[0]:%Y-%m-%dT%H:%MZ} is on two of them, so that another may be missing",
                                  WIRE.again)
            before.update(counts)
        follow = answer.get("nextPageToken") or ""
        if not follow:
            return whole, tuple(findings)
        if not isinstance(follow, str) or follow in seen:
            break
        seen.add(follow)
        params = [*first, ("pageToken", follow)]
    raise SourceError("Cloud Monitoring's pages do not end", where,
                      f"a nextPageToken came twice, or there are more than {MOST_PAGES}", WIRE.again)


def _series(answer: Any, where: str) -> list[Any]:
    """The series of an answer; one without use is an empty object."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("timeSeries", []), list) or (
            "timeSeries" not in answer and set(answer) - {"unit", "nextPageToken", "executionErrors"}):
        raise WIRE.misshapen(where, "it holds no list `timeSeries`")
    if answer.get("executionErrors") or answer.get("unreachable"):
        raise SourceError("Cloud Monitoring's answer is not whole", where, "it says itself that something is missing",
                          WIRE.again)
    return answer.get("timeSeries", [])


def _labels(series: Any, metric: str, project: str, where: str) -> tuple[str, tuple[str | None, ...]]:
    """The value of the label that splits the metric, and whose series it is."""
    split, of = (series.get(part, {}) if isinstance(series, Mapping) else None for part in ("metric", "resource"))
    split, of = (part.get("labels", {}) if isinstance(part, Mapping) else None for part in (split, of))
    if not isinstance(split, Mapping) or not isinstance(of, Mapping):
        raise WIRE.misshapen(where, "a series does not say what it is of")
    kind = split.get(METRICS[metric], "")
    if not isinstance(kind, str) or (metric == "token_count" and kind not in TOKENS):
        raise WIRE.misshapen(where, f"a series is of none of the known labels {METRICS[metric]}")
    container, location, publisher = (one_word(of.get(name)) for name in SERIES[:3])
    model = of.get(SERIES[3])
    model = model.rpartition("/models/")[2] if isinstance(model, str) else ""  # it may stand behind its publisher
    if not location or not _MODEL.fullmatch(model):
        raise WIRE.misshapen(where, "a series names no location, or no model")
    return kind, ((container or project).removeprefix("projects/"), location, publisher, model)


def _points(series: Mapping[str, Any], asked: Window, where: str) -> Iterator[tuple[datetime, int]]:
    """Each hour with its count; one in which nothing happened has no point."""
    points = series.get("points")
    if series.get("valueType", "INT64") != "INT64" or not isinstance(points, list):
        raise WIRE.misshapen(where, "a series holds no list `points` of whole numbers")
    for point in points:
        interval, value = ((point.get(name) if isinstance(point, Mapping) else None) for name in ("interval", "value"))
        if not isinstance(interval, Mapping) or not isinstance(value, Mapping):
            raise WIRE.misshapen(where, "a point has no interval or no value")
        end = WIRE.instant(interval.get("endTime"), where)
        at = end - HOUR if end.year > 1 else end
        WIRE.inside(at, asked, HOUR, where)
        if not at <= WIRE.instant(interval.get("startTime", interval["endTime"]), where) <= end:
            raise WIRE.misshapen(where, f"the point of {end:%Y-%m-%dT%H:%MZ} is not of the hour before")
        count = value.get("int64Value")
        if type(count) not in (int, str) or not _COUNT.fullmatch(str(count)):  # 64 bits come as text
            raise WIRE.misshapen(f"{where}, {at:%Y-%m-%dT%H:%MZ}", "its value is no count")
        yield at, int(count)


def _projects(context: Context) -> list[str]:
    options = context.options(NAME)
    given = options.get("projects")
    if not isinstance(given, list) or not given or len(set(map(str, given))) < len(given) or not all(
            isinstance(each, str) and _PROJECT.fullmatch(each) for each in given):
        raise SettingError(NAME, "projects", "it is no list of ids of different projects",
                           'write projects = ["our-project"]')
    if wrong := [name for name in ("base_url", "login_url") if not isinstance(options.get(name, ""), str)]:
        raise SettingError(NAME, wrong[0], "it is no text", "quote it")
    return given


def _count(name: str, description: str) -> Column:
    return Column(name, "BIGINT", description, minimum=0)


USAGE = Table(
    "usage",
    (
        Column("hour_utc", "TIMESTAMP", "Start of the hour.", True),
        Column("project", "VARCHAR", "Project of the use, as Google names it, else the one that was asked.", True),
        Column("location", "VARCHAR", "Region whose endpoint was called, or global, eu and the like.", True),
        Column("publisher", "VARCHAR", "Publisher of the model: google, anthropic and others; null where not told."),
        Column("model", "VARCHAR", "Model as Google names it, without its publisher.", True),
        _count("request_count", "Requests, failed ones too; null where no metric tells."),
        _count("error_count", "Requests without a response code of success; null where codes are not told."),
        _count("input_tokens", "Input tokens, those of a cache not told apart; null where no metric tells."),
        _count("output_tokens", "Output tokens; null where no metric tells."),
    ),
    ("hour_utc", "project", "location", "publisher", "model"), fetch,
    "Requests and tokens by hour, project, location and model.", lambda row: row["hour_utc"].date(),
)

SOURCE = Source(
    NAME, (USAGE,), "Google Vertex AI through Cloud Monitoring's metrics.", _google_login.KEY_FILE, restate_days=3,
    options=("projects", "base_url", "login_url", "site"), check=check,
)
