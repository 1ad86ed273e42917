"""Google Vertex AI against answers of Cloud Monitoring's shape: totals by hand, a signed login, nothing invented."""

import copy
import itertools
import json
import logging
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from models_over_home import models_over

from pipelines import landing
from pipelines.declared import Provider, Site
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import _google_login, vertex
from pipelines.sources.vertex import METRICS, SOURCE, USAGE
from pipelines.window import Window

ANSWERS = json.loads((Path(__file__).parents[2] / "fixtures/vertex/metrics.json").read_text("utf-8"))
TOKEN, PERSON = "token-SENTINEL-6c", "who@SENTINEL.example"
URL, LOGIN = "https://monitoring.googleapis.com/v3/projects/acme-ai/timeSeries", "https://oauth2.googleapis.com/token"
DAY = Window.of_days("2026-06-01", "2026-06-01")
REQUESTS, TOKENS = METRICS
KEY = rsa.generate_private_key(65537, 2048)
PRIVATE = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption()).decode()


class FakeMonitoring:
    """Answers each metric page by page; a status and a body in place of pages is sent as it is."""

    def __init__(self):
        self.told, self.asked = copy.deepcopy(ANSWERS), []

    def __call__(self, request):
        asked = parse_qsl(urlsplit(request.url).query)
        self.asked.append(asked)
        pages = self.told[dict(asked)["filter"].split('"')[1].rpartition("/")[2]]
        if isinstance(pages, tuple):
            return pages[0], {}, json.dumps(pages[1])
        tokens = ["", *(page.get("nextPageToken") for page in pages)]
        return 200, {}, json.dumps(pages[tokens.index(dict(asked).get("pageToken", ""))])


@pytest.fixture
def google(monkeypatch):
    fake = FakeMonitoring()
    for module in (vertex, _google_login):
        monkeypatch.setattr(module, "Client", partial(module.Client, sleep=lambda seconds: None))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        fake.mock = mock
        mock.add("POST", LOGIN, json={"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
        mock.add_callback("GET", URL, callback=fake)
        yield fake


def context(home, sites=(), providers=(), environ=None, **options):
    (home / "scratch").mkdir(exist_ok=True)
    key_file = home / "outside-SENTINEL.json"
    key_file.write_text(json.dumps({"type": "service_account", "client_email": PERSON, "private_key": PRIVATE}))
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(key_file)} if environ is None else environ
    options = {"projects": ["acme-ai"]} | options
    return Context(Settings(home, "Test", False, {SOURCE.name: options}, sites, providers, environ), home / "scratch")


def land(here):
    staged = landing.stage(SOURCE, USAGE, here, DAY)
    return staged, landing.commit(staged, [], here.settings.home, datetime(2026, 7, 1, tzinfo=UTC))


def test_own_values_reach_the_ledger_by_a_login_that_is_signed(google, tmp_path):
    staged, done = land(context(tmp_path))
    assert done.changed == [date(2026, 6, 1)] and done.findings == []
    login, *questions = [call.request for call in google.mock.calls]
    asked = parse_qs(login.body)
    assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims = jwt.decode(asked["assertion"][0], KEY.public_key(), algorithms=["RS256"], audience=LOGIN)
    assert (claims["iss"], claims["scope"]) == (PERSON, "https://www.googleapis.com/auth/monitoring.read")
    assert claims["exp"] - claims["iat"] == 3600
    assert {request.headers["Authorization"] for request in questions} == {f"Bearer {TOKEN}"}
    assert google.asked[0] == [
        ("filter", 'metric.type="aiplatform.googleapis.com/publisher/online_serving/model_invocation_count"'),
        ("interval.startTime", "2026-06-01T00:00:00Z"), ("interval.endTime", "2026-06-02T00:00:00Z"),
        ("aggregation.alignmentPeriod", "3600s"), ("aggregation.perSeriesAligner", "ALIGN_DELTA"),
        ("aggregation.crossSeriesReducer", "REDUCE_SUM"),
        *(("aggregation.groupByFields", f"resource.label.{name}")
          for name in ("resource_container", "location", "publisher", "model_user_id")),
        ("aggregation.groupByFields", "metric.label.response_code")]
    assert google.asked[1] == [*google.asked[0], ("pageToken", "CgYI-x")] and len(google.asked) == 3
    ask = models_over(tmp_path, "stg_vertex__usage", "int_vertex__activity")
    # gemini, hour 23: 5 answered and 2 refused = 7, no point of output is 0, and 2^53 + 1 is exact; claude, hour 10:
    # 4 failures of 4 used no token; imagen has no tokens at all, and how many it used is unknown
    assert ask("""
        select hour(usage_hour_utc), model_reported, node, call_count, error_count, input_tokens, output_tokens
        from int_vertex__activity order by 1, 2
    """) == [
        (0, "gemini-2.5-flash", "google:europe-west4", 40, 0, 1200, 300),
        (9, "claude-sonnet-4-5@20250929", "google:us-east5", 3, 0, 70, 50),
        (9, "imagen-4.0-generate-001", "google:global", 6, 0, None, None),
        (10, "claude-sonnet-4-5@20250929", "google:us-east5", 4, 4, 0, 0),
        (23, "gemini-2.5-flash", "google:europe-west4", 7, 2, 9007199254740993, 0),
    ]
    assert ask("select distinct source, provider, project_id, cost_usd, retry_count from int_vertex__activity") == [
        ("vertex", "vertex", "123456789012", None, None)]


def test_the_location_decides_the_site_and_what_has_none_is_said(google, tmp_path):
    sites = Site("us", "US-MIDA-PJM", "USA"), Site("nl", "NL", "NLD", cloud_region="google:europe-west4")
    staged, _ = land(context(tmp_path, sites, (Provider("vertex", "us"),)))
    assert staged.warnings == [
        "google:global is no region: its use is taken to run at the site of [providers.vertex]",
        "google:us-east5 is the region of no declared site: its use is taken to run at the site of [providers.vertex]"]


def test_an_access_token_needs_no_login(google, tmp_path):
    land(context(tmp_path, environ={"GOOGLE_ACCESS_TOKEN": TOKEN}))
    assert {call.request.headers["Authorization"] for call in google.mock.calls} == {f"Bearer {TOKEN}"}


def point(google, metric=TOKENS, page=0, series=0):
    return google.told[metric][page]["timeSeries"][series]["points"][0]


@pytest.mark.parametrize("change, said", [
    (lambda g: g.told[TOKENS][0].update(executionErrors=[{"code": 13}]), "says itself that something is missing"),
    (lambda g: g.told[REQUESTS][1].update(unreachable=["europe"]), "says itself that something is missing"),
    (lambda g: g.told[TOKENS][0].update(timeSeries={}), "no list `timeSeries`"),
    (lambda g: g.told.update({TOKENS: [{"html": ""}]}), "no list `timeSeries`"),
    (lambda g: g.told[TOKENS][0]["timeSeries"][0].update(valueType="DOUBLE"), "whole numbers"),
    (lambda g: g.told[TOKENS][0]["timeSeries"][0]["metric"]["labels"].update(type="thinking"), "none of the known"),
    (lambda g: g.told[TOKENS][0]["timeSeries"][0]["resource"]["labels"].pop("location"), "no location"),
    (lambda g: g.told[TOKENS][0]["timeSeries"][0]["resource"]["labels"].update(model_user_id=None), "no model"),
    (lambda g: point(g).update(value={"doubleValue": 2.5}), "its value is no count"),
    (lambda g: point(g).update(value={"int64Value": "-1"}), "its value is no count"),
    (lambda g: point(g)["interval"].update(endTime="2026-06-02T01:00:00Z"), "not asked for"),
    (lambda g: point(g)["interval"].update(endTime="2026-06-01T23:30:00Z"), "not a multiple"),
    (lambda g: point(g)["interval"].update(startTime="2026-06-01T20:00:00Z"), "not of the hour before"),
    (lambda g: g.told[REQUESTS][1]["timeSeries"].append(g.told[REQUESTS][0]["timeSeries"][0]), "repeat each other"),
    (lambda g: g.told[REQUESTS][1].update(nextPageToken="CgYI-x", timeSeries=[]), "do not end"),
])
def test_an_answer_that_cannot_be_trusted_is_refused_whole(google, tmp_path, change, said):
    change(google)
    with pytest.raises(SourceError, match=said):
        land(context(tmp_path))


def test_two_totals_for_one_hour_hold_the_day_back_and_one_told_twice_is_one(google, tmp_path):
    series = google.told[TOKENS][0]["timeSeries"]
    series.append(copy.deepcopy(series[0]))
    assert land(context(tmp_path))[1].findings == []
    point(google, series=-1)["value"]["int64Value"] = "1"
    assert "two totals for one model" in land(context(tmp_path))[1].findings[0].sentence()


def test_two_projects_that_tell_of_one_count_it_once(google, tmp_path):
    google.mock.add_callback("GET", URL.replace("acme-ai", "acme-scope"), callback=google)
    _, done = land(context(tmp_path, projects=["acme-ai", "acme-scope"]))
    assert (done.receipts[0].rows, done.receipts[0].duplicates, done.findings) == (5, 5, [])


def test_no_use_is_believed_if_there_was_some_in_the_month_before(google, tmp_path):
    land(context(tmp_path))
    google.told = {REQUESTS: [{"unit": "1"}], TOKENS: [{}]}
    with pytest.raises(SourceError, match="tells of no use at all"):
        land(context(tmp_path))
    assert dict(google.asked[-1])["interval.startTime"] == "2026-05-02T00:00:00Z"
    google.told = copy.deepcopy(ANSWERS)
    google.told[REQUESTS][1]["timeSeries"].pop()  # a model that was there is there no more
    assert land(context(tmp_path))[1].quarantined == [date(2026, 6, 1)]


def test_nothing_secret_or_personal_is_written(google, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    google.told[TOKENS][0]["timeSeries"][0]["metric"]["labels"]["user"] = PERSON
    google.told[TOKENS][0]["timeSeries"][1]["resource"]["labels"] |= {"resource_container": PERSON, "publisher": PERSON}
    told = [repr(context(tmp_path)), repr(land(context(tmp_path))[0].warnings)]
    echo = {"error": {"message": f"{TOKEN} {PERSON} {PRIVATE.splitlines()[1]}"[:90]}}
    for status in (400, 403, 500):
        google.told[TOKENS] = status, echo
        with pytest.raises(SourceError) as refused:
            land(context(tmp_path))
        told.append(repr(refused.value))
    claims = []

    def echoed(request):
        claims.append(parse_qs(request.body)["assertion"][0])
        return answers[len(claims) - 1][0], {}, answers[len(claims) - 1][1].replace("CLAIM", claims[-1])

    answers = [(400, f'{{"error": "invalid_grant", "message": "{PERSON}"}}'), (401, f'{{"error": "{PERSON} CLAIM"}}'),
               (403, '{"error": {"message": "CLAIM"}}'), (200, '{"access_token": null}')]
    google.mock.remove("POST", LOGIN)
    google.mock.add_callback("POST", LOGIN, callback=echoed)
    for _ in answers:
        with pytest.raises(SourceError) as refused:
            SOURCE.check(context(tmp_path))
        told.append(repr(refused.value))
    written = b"".join(path.read_bytes() for path in (tmp_path / "raw").rglob("*") if path.is_file()).decode("latin-1")
    for text in (*told, caplog.text, written):
        for secret in ("SENTINEL", claims[0][:40], PRIVATE[40:80]):
            assert secret not in text


@pytest.mark.parametrize("held, said", [
    (None, "it cannot be read"), ("{", "it cannot be read"), ("[]", "no key of a service account"),
    ('{"type": "authorized_user"}', "no key of a service account"),
    ('{"type": "service_account", "client_email": "a", "private_key": "SENTINEL"}', "cannot sign"),
])
def test_a_key_file_that_is_none_is_said_without_its_contents(google, tmp_path, held, said):
    path = tmp_path / "key.json"
    if held:
        path.write_text(held)
    with pytest.raises(SourceError, match=said) as refused:
        SOURCE.check(context(tmp_path, environ={"GOOGLE_APPLICATION_CREDENTIALS": str(path)}))
    assert "SENTINEL" not in str(refused.value) and str(tmp_path) not in str(refused.value)


def test_what_is_not_configured_is_said_and_the_doctor_asks_each_project(google, tmp_path):
    with pytest.raises(SourceError, match="GOOGLE_APPLICATION_CREDENTIALS.*is not set.*roles/monitoring.viewer"):
        SOURCE.check(context(tmp_path, environ={}))
    with pytest.raises(SourceError, match="no token that can be sent"):
        SOURCE.check(context(tmp_path, environ={"GOOGLE_ACCESS_TOKEN": "a b c d"}))
    for wrong in (None, [], "acme", ["acme-ai", "acme-ai"], ["a/../b"], [7]):
        with pytest.raises(SourceError, match="no list of ids"):
            SOURCE.check(context(tmp_path, projects=wrong))
    with pytest.raises(SourceError, match="is no text"):
        SOURCE.check(context(tmp_path, base_url=7))
    assert SOURCE.check(context(tmp_path)) == (
        "Cloud Monitoring answers, and the account may read the metrics of acme-ai.")
    google.told[REQUESTS] = 403, {"error": {"message": "Permission monitoring.timeSeries.list denied"}}
    with pytest.raises(SourceError, match="lacks the permission: Permission monitoring.timeSeries.list denied"):
        SOURCE.check(context(tmp_path))


NAMES = ["timeSeries", "metric", "resource", "labels", "points", "interval", "startTime", "endTime", "value",
         "int64Value", "type", "location", "model_user_id", "valueType", "nextPageToken"]
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**19), st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from(["INT64", "7", "-7", "2026-06-01T01:00:00Z", "0001-01-01T00:00:00Z", "x@y.z", "input", ""]))
VALUES = st.recursive(LEAVES, lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)), max_leaves=4)
SERIES = ["timeSeries", 0]
DEPTHS = ([], SERIES, [*SERIES, "metric"], [*SERIES, "metric", "labels"], [*SERIES, "resource", "labels"],
          [*SERIES, "points", 0], [*SERIES, "points", 0, "interval"], [*SERIES, "points", 0, "value"])


@examples(max_examples=12, deadline=None, database=None)
@given(values=st.lists(VALUES, min_size=8, max_size=8))
def test_no_payload_crashes_the_parser_and_none_invents_a_row(values):
    """Whole answers of another shape, and true ones in which one field somewhere holds another value."""
    bodies = [(whole, None) for whole in values]
    true = json.dumps({"timeSeries": [ANSWERS[TOKENS][0]["timeSeries"][1]]})
    for depth, name, value in itertools.product(DEPTHS, NAMES, values):
        body = inner = json.loads(true)
        for step in depth:
            inner = inner[step]
        inner[name] = value
        bodies.append((body, name))
    for body, changed in bodies:
        try:
            told, findings = vertex.read(body, TOKENS, "acme-ai", DAY, "here")
        except SourceError as refused:
            assert "\n" not in str(refused)
            continue
        rows = vertex.rows_of({}, told)
        assert len(rows) + len(findings) <= 3 and (changed or not rows)
        for row in rows:
            assert row["hour_utc"].date() == date(2026, 6, 1) and "x@y.z" not in map(str, row.values())
            assert all(row[name] is None or (type(row[name]) is int and row[name] >= 0)
                       for name in ("request_count", "error_count", "input_tokens", "output_tokens"))
            # labels of another series are true as well, and say of what kind the tokens are
            told_as = "input_tokens" if changed == "labels" and row["output_tokens"] == 0 else "output_tokens"
            assert changed in ("points", "timeSeries", "value", "int64Value", "type") or row[told_as] == 300
