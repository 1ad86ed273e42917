"""Every fault that an HTTP vendor can have, over the sources that ask one: recovered whole, or refused in a sentence.

The right answers come from the sandbox over a real socket. What each fault must lead to stands in the matrix; beside it
one law holds in every case: a day that was landed holds what the untroubled day holds, and any other day is named.
"""

import itertools
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pyarrow.parquet as pq
import pytest

from pipelines import http, landing
from pipelines.declared import Site
from pipelines.errors import SourceError
from pipelines.sandbox import faults, server
from pipelines.sandbox.azure_api import RESOURCE
from pipelines.sandbox.faults import Mutator, Rule, retry_after, set_field, set_top, status
from pipelines.sandbox.files import environment
from pipelines.sandbox.google_api import PROJECT
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import all_sources, entsoe
from pipelines.window import Window

WINDOW = Window.of_days("2026-06-01", "2026-06-08")  # 192 hours: two pages of 168
SHORT = Window.of_days("2026-06-01", "2026-06-03")  # for those whose pages hold less, and for those that have none
FETCHED = datetime(2026, 7, 1, 3, tzinfo=UTC)
NOW, SOON = "Mon, 22 Jun 2026 10:00:00 GMT", "Mon, 22 Jun 2026 10:00:07 GMT"
STALL_S, TIMEOUT_S = 0.4, 0.15
RECOVERED, REFUSED = "recovered", "refused"


@dataclass(frozen=True)
class Wire:
    """One table of one source, and the words of its vendor that a fault changes."""

    source: str
    table: str
    path: str
    count: str
    label: str
    dimensions: tuple[str, ...]
    edges: tuple[str, ...]
    options: dict[str, str]
    secret: str | None
    paged: bool = True
    buckets: bool = True
    least: int = 24
    settings: dict[str, object] = field(default_factory=dict)  # options beside the address
    again: Callable[[], Mutator] = faults.repeat_cursor
    endless: Callable[[], Mutator] = faults.endless_paging
    zone: str = "FR"
    form: str = "%Y-%m-%dT%H:%M:%SZ"  # of the edges
    inside: str | None = None  # where the list of data lies, if not at the top

    @property
    def window(self) -> Window:
        """As few days as make more than one page."""
        return WINDOW if self.paged and self.source not in PAGES_OF_A_DAY else SHORT


PAGES_OF_A_DAY = ("litellm", "langfuse")


def more_each_time(count):
    """Pages that are counted instead of followed: each answer says that there are so many more than there are."""
    told = itertools.count(count, count)
    return set_top("total", lambda old: old + next(told))


def cursors_without_end():
    """Each answer has a cursor that was never seen."""
    told = itertools.count(1_000_000)
    return set_top("meta", lambda old: {"cursor": str(next(told))})


def tokens_without_end(name="nextPageToken"):
    """The same for Cloud Monitoring and CloudWatch."""
    told = itertools.count(1)
    return set_top(name, lambda old: f"{next(told)}")


WIRES = (
    Wire("openai", "embeddings", "/usage/embeddings", "input_tokens", "model", ("project_id", "api_key_id", "model"),
         ("start_time", "end_time"), {"base_url": "openai_url"}, "OPENAI_ADMIN_KEY"),
    Wire("anthropic", "messages", "/usage_report/messages", "output_tokens", "service_tier",
         ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo"),
         ("starting_at", "ending_at"), {"base_url": "anthropic_url"}, "ANTHROPIC_ADMIN_KEY"),
    Wire("electricity_maps", "carbon_intensity", "/carbon-intensity/past-range", "carbonIntensity", "estimationMethod",
         ("estimationMethod",), ("datetime",), {"base_url": "electricity_maps_url"}, "ELECTRICITY_MAPS_TOKEN",
         paged=False, buckets=False),
    Wire("litellm", "requests", "/spend/logs/v2", "completion_tokens", "call_type",
         ("call_type", "team_id", "api_base", "request_tags", "custom_llm_provider", "cache_hit"), ("startTime",),
         {"base_url": "litellm_url"}, "LITELLM_API_KEY", buckets=False,
         again=partial(set_top, "total", 9_999), endless=partial(more_each_time, 1_000)),
    Wire("openrouter", "activity", "/openrouter/api/v1/activity", "completion_tokens", "provider_name",
         ("provider_name", "model"), ("date",), {"base_url": "openrouter_url"}, "OPENROUTER_MANAGEMENT_KEY",
         paged=False, buckets=False, least=5),
    Wire("neso", "intensity", "/intensity/", "actual", "index", ("index",), ("from", "to"), {"base_url": "neso_url"},
         None, paged=False, buckets=False, zone="GB"),
    Wire("eia", "generation", "/fuel-type-data/", "value", "type-name", ("type-name",), ("period",),
         {"base_url": "eia_url"}, "EIA_API_KEY", paged=False, buckets=False, zone="US-MIDA-PJM", form="%Y-%m-%dT%H",
         inside="response"),
    Wire("outcomes", "outcomes", "/tickets/tickets", "letters", "queue", ("verdict",), ("closed_at",),
         {"url": "tickets_url"}, "TICKETS_TOKEN", settings={
             "token_env": "TICKETS_TOKEN", "paging": "cursor", "page_param": "page", "next": "/next_page",
             "size_param": "limit", "page_size": 100, "items": "/data", "total": "/total", "id": "id",
             "instant": "closed_at", "margin_days": 0, "params": {"from": "{first}", "to": "{end}"}, "count": "letters",
             "outcome": "kind", "workflow": "queue", "workflows": {"claims": "claims-triage"}, "accepted": "verdict",
             "accepted_values": ["sent"]}),
    Wire("entsoe", "generation", "/api", "quantity", "businessType", (), ("start",), {"base_url": "entsoe_url"},
         "ENTSOE_SECURITY_TOKEN", paged=False, buckets=False, form="%Y-%m-%dT%H:%MZ", inside="TimeSeries"),
    Wire("watttime", "marginal", "/v3/historical", "value", "note", (), ("point_time",), {"base_url": "watttime_url"},
         "WATTTIME_PASSWORD", paged=False, buckets=False, settings={"user": "demo", "regions": {"FR": "FR"}}),
    Wire("langfuse", "observations", "/api/public/v2/observations", "usageDetails", "environment",
         ("parentObservationId", "environment", "tags", "projectId"), ("startTime",), {"base_url": "langfuse_url"},
         "LANGFUSE_SECRET_KEY", buckets=False, again=partial(set_top, "meta", {"cursor": "again"}),
         endless=cursors_without_end, settings={"provider": "anthropic"}),
    Wire("azure_openai", "usage", "/providers/Microsoft.Insights/metrics", "total", "note", (), ("timeStamp",),
         {"base_url": "azure_url", "login_url": "azure_url"}, "AZURE_CLIENT_SECRET", paged=False, buckets=False,
         settings={"resources": [RESOURCE]}, inside="value"),
    Wire("bedrock_metrics", "usage", "/aws/", "Value", "Label", (), ("Timestamp",), {"base_url": "aws_url"},
         "AWS_SECRET_ACCESS_KEY", buckets=False, settings={"regions": ["eu-west-3"], "account_id": "123456789012"},
         again=partial(set_top, "NextToken", "again"), endless=partial(tokens_without_end, "NextToken"),
         inside="MetricDataResults"),
    Wire("claude_enterprise", "usage", "/analytics/usage_report", "output_tokens", "product", ("product", "model"),
         ("starting_at", "ending_at"), {"base_url": "anthropic_url"}, "ANTHROPIC_ANALYTICS_KEY",
         settings={"plan": "usage"}),
    Wire("vertex", "usage", "/timeSeries", "int64Value", "publisher", ("publisher",), ("startTime", "endTime"),
         {"base_url": "google_url"}, "GOOGLE_ACCESS_TOKEN", buckets=False, inside="timeSeries",
         settings={"projects": [PROJECT]}, again=partial(set_top, "nextPageToken", "200"), endless=tokens_without_end),
)
ENTSOE = next(wire for wire in WIRES if wire.source == "entsoe")


def moved(wire, value, by):
    return value + int(by.total_seconds()) if isinstance(value, int) else \
        (datetime.fromisoformat(value) + by).strftime(wire.form)


def changed(wire, *mutators):
    """The right answer after each mutator has changed what holds its list of data."""
    if wire.inside is None:
        return faults.changed(*mutators)
    if wire.inside == "TimeSeries":
        return xml_changed(mutators)
    if wire.inside == "MetricDataResults":
        return sums_changed(mutators)
    if wire.inside == "timeSeries":
        return points_changed(mutators)
    if wire.inside == "value":  # Azure's list lies in each series of each metric
        return faults.changed(lambda body: [mutate(series) for metric in body["value"]
                                            for series in metric["timeseries"] for mutate in mutators])
    return faults.changed(*(lambda body, mutate=mutate: mutate(body[wire.inside]) for mutate in mutators))


def points_changed(mutators):
    """The same for Cloud Monitoring: each point with the labels of its series as a flat record, and back."""
    def mutate(body):
        flat = [{**series["resource"]["labels"], **point["interval"], **point["value"], "metric": series["metric"]}
                for series in body.pop("timeSeries", []) for point in series["points"]]
        body["data"] = flat
        for each in mutators:
            each(body)
        body["timeSeries"] = [
            {"metric": item["metric"], "resource": {"labels": item}, "points": [{"interval": item, "value": item}]}
            for item in body.pop("data")]
        body.pop("has_more", None)

    return faults.changed(mutate)


def xml_changed(mutators):
    """The same for a document of ENTSO-E: its hours as a list of flat records, and back."""
    def action(request, right):
        rows, *_ = entsoe.read(entsoe.read_xml(right.body), "FR", WINDOW, "")
        body = {"data": [{"psrType": row["fuel_code"], "start": row["start_utc"].strftime(ENTSOE.form),
                          "quantity": row["generation_mw"]} for row in rows]}
        for mutate in mutators:
            mutate(body)
        said = "".join(
            "<TimeSeries><MktPSRType>" + "".join(tag(item, name) for name in item if name not in ("start", "quantity"))
            + "</MktPSRType><Period><timeInterval>" + tag(item, "start") + tag(
                {"end": moved(ENTSOE, item["start"], timedelta(hours=1))}, "end")
            + "</timeInterval><resolution>PT60M</resolution><Point><position>1</position>" + tag(item, "quantity")
            + "</Point></Period></TimeSeries>" for item in body["data"])
        return replace(right, body=f"<GL_MarketDocument>{said}</GL_MarketDocument>".encode())

    return action


def sums_changed(mutators):
    """The same for CloudWatch's arrays: each value as a flat record, and back; a list of metrics stays as it is."""
    def mutate(body):
        if "MetricDataResults" not in body:
            return
        body["data"] = [
            {"Timestamp": int(at), "Value": value} | {name: result[name] for name in ("Id", "Label", "StatusCode")}
            for result in body["MetricDataResults"]
            for at, value in zip(result["Timestamps"], result["Values"], strict=True)]
        for each in mutators:
            each(body)
        results = {}
        for item in body.pop("data"):
            more = {name: value for name, value in item.items() if name not in ("Timestamp", "Value")}
            result = results.setdefault(item["Id"], more | {"Timestamps": [], "Values": []})
            result["Timestamps"].append(item["Timestamp"])
            result["Values"] += [item["Value"]] if "Value" in item else []
        body["MetricDataResults"] = list(results.values())
    return faults.changed(mutate)


def tag(item, name):
    return f"<{name}>{item[name]}</{name}>" if item.get(name) is not None else ""


def shift(wire, by, which=slice(None)):
    """Moves the edges of buckets, or the hours of values."""
    def mutate(body):
        for item in body["data"][which]:
            item.update({edge: moved(wire, item[edge], by) for edge in wire.edges})
    return changed(wire, mutate)


def no_dimensions(wire):
    """Null in every dimension, as it is for use that nobody can be charged for: one record a bucket is left."""
    def mutate(body):
        for item in body["data"]:
            if "results" in item:
                item["results"] = item["results"][:1]
        for record in faults.records(body):
            record.update(dict.fromkeys(wire.dimensions))
    return changed(wire, mutate)


def quoted(value):
    return None if value is None else str(value)


# name: (action for a wire, requests that it spoils, or None for all of them, what must come of it)
ONCE, TWICE, ALWAYS = 1, (1, 2), None
MATRIX = {
    **{f"{code} for ever": (lambda wire, code=code: status(code), ALWAYS, REFUSED)
       for code in (400, 401, 403, 404, 408, 429, 500, 502, 529)},
    **{f"{code} twice": (lambda wire, code=code: status(code), TWICE, RECOVERED) for code in (408, 500, 502, 529)},
    "429 with seconds": (lambda wire: retry_after(7), ONCE, RECOVERED),
    "429 with a date": (lambda wire: status(429, None, {"Retry-After": SOON, "Date": NOW}), ONCE, RECOVERED),
    "429 with a date, for ever": (lambda wire: status(429, None, {"Retry-After": SOON, "Date": NOW}), ALWAYS, REFUSED),
    "reset mid-body": (lambda wire: faults.reset_mid_body(), ONCE, RECOVERED),
    "reset mid-body, for ever": (lambda wire: faults.reset_mid_body(), ALWAYS, REFUSED),
    "truncated JSON": (lambda wire: faults.truncated(), ONCE, RECOVERED),
    "truncated JSON, for ever": (lambda wire: faults.truncated(), ALWAYS, REFUSED),
    "invalid JSON": (lambda wire: faults.invalid_json("{]"), ONCE, RECOVERED),
    "invalid JSON, for ever": (lambda wire: faults.invalid_json("{]"), ALWAYS, REFUSED),
    "wrong content type": (lambda wire: faults.content_type("text/html"), ALWAYS, RECOVERED),
    "a page of HTML": (lambda wire: status(200, "<html>sign in</html>"), ALWAYS, REFUSED),
    "empty page": (lambda wire: changed(wire, set_top("data", []), set_top("has_more", False)), ALWAYS, REFUSED),
    "repeated cursor": (lambda wire: changed(wire, wire.again()), ALWAYS, REFUSED),
    "endless paging": (lambda wire: changed(wire, wire.endless()), ALWAYS, REFUSED),
    "duplicated page": (lambda wire: faults.duplicate_page(), ALWAYS, REFUSED),
    "last page is the first again": (lambda wire: same_page(wire), ALWAYS, REFUSED),
    "a bucket twice": (lambda wire: changed(wire, faults.duplicate_record()), ALWAYS, RECOVERED),
    "shifted window": (lambda wire: shift(wire, timedelta(days=-8), slice(-24, None)), ALWAYS, REFUSED),
    "a bucket of the future": (lambda wire: shift(wire, timedelta(days=400), slice(-1, None)), ALWAYS, REFUSED),
    "a field more": (lambda wire: changed(wire, faults.unknown_field()), ALWAYS, REFUSED),
    "a field missing": (lambda wire: changed(wire, faults.drop_field(wire.count)), ALWAYS, REFUSED),
    "a new value": (lambda wire: changed(wire, set_field(wire.label, "never-seen-before")), ALWAYS, RECOVERED),
    "numbers as strings": (lambda wire: changed(wire, set_field(wire.count, quoted)), ALWAYS, REFUSED),
    "dimensions that are null": (no_dimensions, ALWAYS, RECOVERED),
    "a stall": (lambda wire: faults.stall(STALL_S), ONCE, RECOVERED),
    "a stall for ever": (lambda wire: faults.stall(STALL_S), ALWAYS, REFUSED),
    "a clock ten hours wrong": (lambda wire: skewed(timedelta(hours=10)), ONCE, RECOVERED),
}
ONLY_PAGED = {"repeated cursor", "endless paging", "duplicated page", "last page is the first again"}
# Of an hour of the grid one number is read: what else the vendor tells is left out, and one in quotes is a number.
OTHERWISE = {
    **{(source, fault): RECOVERED for source in ("electricity_maps", "neso", "eia", "entsoe")
       for fault in ("a field more", "numbers as strings")},
    ("watttime", "a field more"): RECOVERED, ("azure_openai", "a field more"): RECOVERED,
    ("bedrock_metrics", "a field more"): RECOVERED,
    ("vertex", "a field more"): RECOVERED, ("vertex", "numbers as strings"): RECOVERED,  # as its 64 bits always are
    # a log of requests holds what people wrote: what is not known is left out
    ("litellm", "a field more"): RECOVERED, ("langfuse", "a field more"): RECOVERED,
    # of a ticket nothing but what is counted is read; a queue that stands in no map is refused
    ("outcomes", "a field more"): RECOVERED, ("outcomes", "numbers as strings"): RECOVERED,
    ("outcomes", "a new value"): REFUSED,
}


def same_page(wire):
    """Each later answer holds the first one's buckets, and says that it is the last."""
    kept = []

    def mutate(body):
        kept.append(json.dumps(body["data"]))
        if len(kept) > 1:
            body["data"] = json.loads(kept[0])
    return changed(wire, mutate)


def skewed(by):
    """429 of a machine whose clock is wrong: the date to wait for counts from the machine's own date."""
    clock = datetime(2026, 6, 22, 10, tzinfo=UTC) + by
    told = [f"{at:%a, %d %b %Y %H:%M:%S} GMT" for at in (clock, clock + timedelta(seconds=7))]
    return status(429, None, {"Date": told[0], "Retry-After": told[1]})


@pytest.fixture(scope="module")
def sandbox():
    with server.serve(as_of=date(2026, 6, 20)) as running:  # who keeps 30 days still has them
        yield running


@pytest.fixture(scope="module")
def untroubled(sandbox, tmp_path_factory):
    """What each wire lands on each day when nothing goes wrong."""
    right = {}
    for wire in WIRES:
        sandbox.clear_requests()
        right[wire.source] = landed(wire, sandbox, tmp_path_factory.mktemp(wire.source))[0]
        pages = sum(wire.path in request.path for request in sandbox.requests)
        assert pages >= 2 or not wire.paged, "where there is one page, no fault of paging can show"
    return right


@pytest.fixture
def waits(monkeypatch):
    """The waits that a client would have made; nobody waits, and patience is short."""
    noted, ask = [], http.Client._ask

    def quick(self, *words):
        self.sleep, self.timeout = noted.append, (TIMEOUT_S, TIMEOUT_S if impatient else 5)
        return ask(self, *words)

    impatient = []
    monkeypatch.setattr(http.Client, "_ask", quick)
    return noted, impatient


def landed(wire, sandbox, home):
    """Totals of each landed day by column, the days that are held back by name, and every sentence that was told."""
    (home / "scratch").mkdir(parents=True)
    options = {name: getattr(sandbox, url) for name, url in wire.options.items()} | wire.settings
    site = Site("here", wire.zone, "FRA")
    settings = Settings(home, "Test", True, {wire.source: options}, (site,), (), environment())
    source = next(source for source in all_sources() if source.name == wire.source)
    staged = landing.stage(source, source.table(wire.table), Context(settings, home / "scratch"), wire.window)
    required = [column for column in source.table(wire.table).columns if column.required]
    done = landing.commit(staged, [], home, FETCHED)
    days, held = {}, {finding.day for finding in done.findings} | {day.isoformat() for day in done.missing}
    if None in held:  # a finding without a day holds back the whole request
        held |= {day.isoformat() for day in wire.window.days()}
    for part in (home / "raw").rglob("part.parquet"):
        rows, day = pq.ParquetFile(part).read().to_pylist(), part.parent.name.removeprefix("dt=")
        if any(row[column.name] is None for row in rows for column in required):
            held.add(day)  # what the gate refuses next, by the name of the column
        else:
            days[day] = totals(rows)
    return days, held, [finding.sentence() for finding in done.findings]


def totals(rows):
    found = Counter()
    for row in rows:
        found["rows"] += 1
        for name, value in row.items():
            if type(value) in (int, Decimal) and name not in ("start_time", "end_time"):
                found[name] += value
    return found


@pytest.mark.parametrize(
    ("wire", "fault"), [(wire, fault) for wire in WIRES for fault in MATRIX if wire.paged or fault not in ONLY_PAGED],
    ids=lambda value: getattr(value, "source", value),
)
def test_a_fault_is_recovered_from_or_refused_in_one_sentence(wire, fault, sandbox, untroubled, waits, tmp_path):
    make, nth, expected = MATRIX[fault]
    expected = OTHERWISE.get((wire.source, fault), expected)
    noted, impatient = waits
    impatient.extend(["stall"] if "stall" in fault else [])
    sandbox.faults = faults.Faults(Rule(wire.path, make(wire), nth))
    try:
        days, held, told = landed(wire, sandbox, tmp_path / "home")
    except SourceError as refusal:
        days, held, told = {}, set(untroubled[wire.source]), [str(refusal)]
    finally:
        sandbox.faults = None

    right = untroubled[wire.source]
    assert sorted(right) == [day.isoformat() for day in wire.window.days()]
    assert min(day["rows"] for day in right.values()) >= wire.least
    if fault == "dimensions that are null" and wire.buckets:
        assert days.keys() == right.keys() and all(day["rows"] <= 24 for day in days.values()), told
    else:
        assert {day: sums for day, sums in days.items() if sums != right[day]} == {}, "none short, none counted twice"
    assert (days.keys() == right.keys()) == (expected == RECOVERED), told
    assert right.keys() - days.keys() <= held, "a day that is not there is named"
    for sentence in told:
        assert "\n" not in sentence and sentence.endswith(".")
        assert wire.secret is None or environment()[wire.secret] not in sentence
    if fault in ("429 with a date", "429 with seconds", "a clock ten hours wrong"):
        assert noted == [7]
