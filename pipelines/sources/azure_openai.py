"""Azure OpenAI and AI Foundry through the metrics of Azure Monitor: hourly totals by resource, deployment and model.

Two families of metrics describe the same traffic and land side by side; which of them counts is staging's business. Not
established by a primary source, and so configurable or checked: the API's version, whether every metric knows the model
(`by_model`), and for how long an hour still changes (three days are read again). A resource may lack a family, which
Azure answers with 400: the other stands for it, and that is said. More series than `TOP` would be left out in silence.
A resource's region is its place: its provider is `azure_openai/<region>` where there is such a section, and what would
be accounted for in another grid zone is refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines import cloud_regions
from pipelines.errors import Finding, SettingError, SourceError
from pipelines.http import Client, RequestRefused
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._day_files import shrunk
from pipelines.sources._grid import Wire
from pipelines.sources._kept_words import one_word
from pipelines.window import DAY, Window

NAME, SECRET, TENANT, CLIENT = "azure_openai", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"
BASE_URL, LOGIN_URL, API_VERSION = "https://management.azure.com", "https://login.microsoftonline.com", "2018-01-01"
OPTIONS = ("base_url", "login_url", "scope", "api_version")
DAYS_PER_REQUEST, QUIET_DAYS, TOP, HOUR = 7, 30, 1000, timedelta(hours=1)
COUNTS = ("request_count", "input_tokens", "output_tokens")
FAMILIES = {  # the metrics behind the counts; the first family is the newer one
    "models": ("ModelRequests", "InputTokens", "OutputTokens"),
    "openai": ("AzureOpenAIRequests", "ProcessedPromptTokens", "GeneratedTokens"),
}
WIRE = Wire("Azure Monitor")
DIMENSIONS = ("ModelDeploymentName", "ModelName")
_RESOURCE = re.compile(
    r"/subscriptions/[\w-]+/resourceGroups/[\w.()-]+/providers/Microsoft\.CognitiveServices/accounts/([\w.-]+)",
    re.IGNORECASE | re.ASCII)
_ID = re.compile(r"[\w.-]{3,100}", re.ASCII)


def client(context: Context) -> Client:
    """Logs in with the application's own credentials and returns the client that carries its token.

    Raises:
        SourceError: a credential is missing or refused, or the answer holds no token.
    """
    given = {name: (context.settings.secret(name) or "").strip() for name in (TENANT, CLIENT, SECRET)}
    for name, value in given.items():
        if not value or (name != SECRET and not _ID.fullmatch(value)):
            wrong = "is no id" if value else "is not set"
            raise SourceError(
                "Azure Monitor was not asked", name, f"this environment variable {wrong}",
                f"set it to that of an application with the role Monitoring Reader, or switch off sources.{NAME}")
    options, secret = context.options(NAME), given[SECRET]
    login = Client("Azure", options.get("login_url", LOGIN_URL), hidden={"client_secret": secret}, key_name=SECRET)
    path = f"{given[TENANT]}/oauth2/v2.0/token"
    answer = login.post(path, [("grant_type", "client_credentials"), ("client_id", given[CLIENT]),
                               ("scope", options.get("scope", f"{BASE_URL}/.default"))])
    token = answer.get("access_token") if isinstance(answer, Mapping) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or len(token) < 4:
        raise WIRE.misshapen("the login", "it holds no access_token")
    return Client("Azure Monitor", options.get("base_url", BASE_URL), {"Authorization": f"Bearer {token}"}, SECRET,
                  cut_out=(secret,))


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """One page for each resource, family and week.

    Raises:
        SourceError: Azure refused, told of an hour that was not asked for, or tells of no use at all in a month.
    """
    resources, asks = _resources(context), client(context)
    rows = dict.fromkeys(window.days(), 0)
    for name, resource in resources.items():
        for chunk in window.chunks(DAYS_PER_REQUEST):
            for page in _pages(context, asks, name, resource, chunk):
                for row in page.rows:
                    rows[row["hour_utc"].date()] += 1
                yield page
            context.progress(f"Azure Monitor: {name}, {chunk}")
    if not any(rows.values()):
        # an answer without use cannot be told from one that went wrong
        before = Window(window.first - QUIET_DAYS * DAY, window.first)
        if not any(page.rows for name, resource in resources.items()
                   for page in _pages(context, asks, name, resource, before)):
            raise SourceError("Azure Monitor tells of no use at all", f"{window} and {QUIET_DAYS} days before",
                              "none of the resources has any",
                              f"look whether these are the right resources, or switch off sources.{NAME}")
    for day, count in rows.items():
        yield Page((), f"{NAME} of {day}", findings=tuple(shrunk(context, NAME, USAGE, day, count)))


def read(answer: Any, family: str, resource: str, asked: Window, where: str) -> Page:
    """The hours of one answer: a row for each that Azure knows of any use in.

    Raises:
        SourceError: the answer is of another shape, or holds an hour that was not asked for.
    """
    values = answer.get("value") if isinstance(answer, Mapping) else None
    region = one_word(answer.get("resourceregion")) if isinstance(answer, Mapping) else None
    if not isinstance(values, list) or not region or answer.get("interval") != "PT1H":
        raise WIRE.misshapen(where, "it holds no hourly list `value` of a resource with its region")
    metrics = {_named(metric): metric for metric in values}
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    findings: list[Finding] = []
    for count, metric in zip(COUNTS, FAMILIES[family], strict=True):
        place, series = f"{where}, {metric}", metrics.get(metric.lower(), {}).get("timeseries")
        if not isinstance(series, list) or metrics[metric.lower()].get("unit") != "Count" or len(series) >= TOP:
            raise WIRE.misshapen(place, f"it holds no list of fewer than {TOP} series of counts")
        told: dict[tuple[Any, ...], int] = {}
        for each in series:
            deployment, model = _dimensions(each, place)
            for at, total in _points(each, asked, place):
                key = (at, deployment, model)
                if told.setdefault(key, total) != total:
                    findings.append(Finding(f"{place}, {at:%Y-%m-%dT%H:%MZ}", "it has two totals for one deployment",
                                            WIRE.again, at.date().isoformat()))
                    continue
                rows.setdefault(key, {
                    "hour_utc": at, "resource": resource, "region": region.lower(), "deployment": deployment,
                    "model": model, "family": family, **dict.fromkeys(COUNTS, 0)})[count] = total
    return Page([row for row in rows.values() if any(row[count] for count in COUNTS)], where, findings=tuple(findings))


def check(context: Context) -> str:
    """Logs in and asks which families of metrics each resource knows; use is not looked for.

    Raises:
        SourceError: Azure refused, or a resource knows neither family.
    """
    resources, asks, told = _resources(context), client(context), []
    for name, resource in resources.items():
        path = f"{resource}/providers/Microsoft.Insights/metricDefinitions"
        answer = asks.get(path, [("api-version", context.options(NAME).get("api_version", API_VERSION))])
        listed = answer.get("value") if isinstance(answer, Mapping) else None
        known = {_named(each) for each in listed} if isinstance(listed, list) else set()
        families = [family for family, metrics in FAMILIES.items() if {each.lower() for each in metrics} <= known]
        if not families:
            raise WIRE.misshapen(f"{name}, metricDefinitions", "it holds neither family of metrics")
        told.append(f"{name} ({' and '.join(families)})")
    return f"Azure Monitor answers, with the families of metrics of {', '.join(told)}."


def _pages(context: Context, asks: Client, name: str, resource: str, asked: Window) -> Iterator[Page]:
    """The answer of each family; one that the resource lacks is a warning, unless it lacks both.

    Raises:
        SourceError: Azure refused both, or anything else than a metric's name.
    """
    refusals: list[RequestRefused] = []
    for family in FAMILIES:
        where = f"{name}, {family}, {asked}"
        try:
            answer = asks.get(f"{resource}/providers/Microsoft.Insights/metrics", question(context, family, asked))
        except RequestRefused as refused:
            if refused.status != 400 or refusals:
                raise
            refusals.append(refused)
            yield Page((), where, (f"{name} does not tell the family {family} ({refused.why})",))
            continue
        page = read(answer, family, name, asked, where)
        yield replace(page, rows=[row | {"provider": provider(context, row["region"])} for row in page.rows])


def provider(context: Context, region: str) -> str:
    """The provider of a region's resources: one of its own where jevons.toml declares it.

    Raises:
        SourceError: its site lies in another grid zone than the region.
    """
    declared = {each.provider: each.site for each in context.settings.providers}
    name = f"{NAME}/{region}" if f"{NAME}/{region}" in declared else NAME
    site = next((each for each in context.settings.sites if each.site_id == declared.get(name)), None)
    known = cloud_regions.region(f"azure:{region}")
    if site and known and site.zone != known.zone and not context.options(NAME).get("site"):
        raise SourceError(
            "A resource of Azure stands in another place than its provider", f"jevons.toml, providers.{name}.site",
            f"the region {region} is in {known.zone}, and the site {site.site_id} in {site.zone}",
            f'declare a site with cloud_region = "azure:{region}" and [providers."{NAME}/{region}"] with it')
    return name


def question(context: Context, family: str, asked: Window) -> list[tuple[str, str]]:
    """The parameters of a question for one family; the end of a timespan is no part of it."""
    options = context.options(NAME)
    dimensions = DIMENSIONS[: 1 if options.get("by_model") is False else 2]
    return [
        ("api-version", options.get("api_version", API_VERSION)), ("metricnames", ",".join(FAMILIES[family])),
        ("timespan", f"{asked.start_utc:%Y-%m-%dT%H:%M:%SZ}/{asked.end_utc:%Y-%m-%dT%H:%M:%SZ}"),
        ("interval", "PT1H"), ("aggregation", "Total"), ("top", f"{TOP}"),
        ("$filter", " and ".join(f"{dimension} eq '*'" for dimension in dimensions)),
    ]


def _named(metric: Any) -> str:
    name = metric.get("name") if isinstance(metric, Mapping) else None
    return str(name.get("value")).lower() if isinstance(name, Mapping) else ""


def _dimensions(series: Any, where: str) -> tuple[str | None, str | None]:
    """Deployment and model of a series; Azure writes the names of dimensions in lower case."""
    listed = series.get("metadatavalues") if isinstance(series, Mapping) else None
    if not isinstance(listed, list):
        raise WIRE.misshapen(where, "a series does not say what it is of")
    told = {_named(each): one_word(each.get("value")) for each in listed if isinstance(each, Mapping)}
    deployment, model = (told.get(name.lower()) for name in DIMENSIONS)
    return deployment, model


def _points(series: Mapping[str, Any], asked: Window, where: str) -> Iterator[tuple[datetime, int]]:
    """The hours with a total; one in which nothing happened has none."""
    points = series.get("data")
    if not isinstance(points, list) or not all(isinstance(point, Mapping) for point in points):
        raise WIRE.misshapen(where, "a series holds no list `data` of points")
    for point in points:
        at = WIRE.instant(point.get("timeStamp"), where)
        WIRE.inside(at, asked, HOUR, where)
        total = point.get("total")
        if total is None:
            continue
        if isinstance(total, bool) or not isinstance(total, int | Decimal) or not 0 <= total < 10**18 or total % 1:
            raise WIRE.misshapen(f"{where}, {at:%Y-%m-%dT%H:%MZ}", "its total is no count")
        yield at, int(total)


def _resources(context: Context) -> dict[str, str]:
    """The ids of the resources, by the names at their ends."""
    options = context.options(NAME)
    ids = options.get("resources")
    found = [_RESOURCE.fullmatch(each) if isinstance(each, str) else None for each in ids] \
        if isinstance(ids, list) else [None]
    named = {match[1]: match[0] for match in found if match}
    if not named or len({name.lower() for name in named}) < len(found):
        raise SettingError(
            NAME, "resources", "it is no list of ids of Azure OpenAI or AI Foundry resources whose names differ",
            'write resources = ["/subscriptions/.../providers/Microsoft.CognitiveServices/accounts/..."]')
    if wrong := [name for name in OPTIONS if not isinstance(options.get(name, ""), str)]:
        raise SettingError(NAME, wrong[0], "it is no text", "quote it")
    return named


def _count(name: str, description: str) -> Column:
    return Column(name, "BIGINT", description, True, minimum=0)


USAGE = Table(
    "usage",
    (
        Column("hour_utc", "TIMESTAMP", "Start of the hour.", True),
        Column("resource", "VARCHAR", "Name of the resource, the last part of its id.", True),
        Column("region", "VARCHAR", "Azure region of the resource.", True),
        Column("provider", "VARCHAR", "Who runs the model, as jevons.toml declares it for the region.", True),
        Column("deployment", "VARCHAR", "Deployment; null where Azure does not say."),
        Column("model", "VARCHAR", "Model behind the deployment; null where Azure does not say."),
        Column("family", "VARCHAR", "Family of metrics; both tell the same requests.", True, allowed=tuple(FAMILIES)),
        _count("request_count", "Requests, failed ones too."),
        _count("input_tokens", "Input tokens, those of a cache not told apart."),
        _count("output_tokens", "Output tokens."),
    ),
    ("hour_utc", "resource", "deployment", "model", "family"), fetch,
    "Requests and tokens by hour, deployment, model and family of metrics.", lambda row: row["hour_utc"].date(),
)

SOURCE = Source(
    NAME, (USAGE,), "Azure OpenAI and AI Foundry through Azure Monitor's metrics.", SECRET, restate_days=3,
    options=(*OPTIONS, "site", "resources", "by_model"), check=check,
)
