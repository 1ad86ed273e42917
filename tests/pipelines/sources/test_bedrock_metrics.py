"""Bedrock's metrics in CloudWatch by answers of its published shape: signatures, pages, totals by hand, once."""

import json
import re
from datetime import UTC, datetime
from functools import partial
from itertools import product

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
import responses
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from models_over_home import models_over

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.http import read_json
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import _cloudwatch, all_sources
from pipelines.sources._aws import Credentials, sign
from pipelines.sources._cloudwatch import Metric, listed, sums
from pipelines.sources.bedrock_metrics import SOURCE, USAGE
from pipelines.typed import to_arrow
from pipelines.window import Window

KEY, SECRET, TOKEN = "AKIASENTINEL7A", "secret/SENTINEL+2b", "token-SENTINEL-6c"
ENVIRON = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
URL, ACCOUNT = "https://monitoring.us-east-1.amazonaws.com/", "123456789012"
NOVA, CLAUDE = "amazon.nova-pro-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/rag1"
DAY = Window.of_days("2026-06-01", "2026-06-01")
SUITE = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


def metric(name, model=NOVA, **more):
    dimensions = ({"ModelId": model} if model else {}) | more
    return {"Namespace": "AWS/Bedrock", "MetricName": name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()]}


class FakeCloudWatch:
    """Has metrics and their values by hour; answers in pages of so many metrics; `instead` are answers sent first."""

    def __init__(self):
        self.values = {
            ("Invocations", NOVA): {0: 10, 1: 4}, ("InvocationClientErrors", NOVA): {0: 1},
            ("InputTokenCount", NOVA): {0: 1000, 1: 40}, ("OutputTokenCount", NOVA): {0: 100, 1: 4},
            ("CacheReadInputTokens", NOVA): {0: 7},
            ("Invocations", PROFILE): {1: 3}, ("InvocationThrottles", PROFILE): {1: 2},
            ("InputTokenCount", PROFILE): {1: 300}, ("OutputTokenCount", PROFILE): {1: 30},
        }
        self.metrics = [metric(name, model) for name, model in self.values]
        self.size, self.last, self.instead, self.asked = 100, "Complete", [], []

    def __call__(self, request):
        self.asked.append(request)
        if self.instead:
            status, body = self.instead.pop(0)
            return status, {}, json.dumps(body)
        asked, operation = json.loads(request.body), request.headers["X-Amz-Target"].rpartition(".")[2]
        start = int(asked.get("NextToken", 0))
        queries = asked.get("MetricDataQueries", [])
        whole = self.metrics if operation == "ListMetrics" else [self._result(each) for each in queries]
        body = {"Metrics" if operation == "ListMetrics" else "MetricDataResults": whole[start : start + self.size]}
        more = start + self.size < len(whole)
        return 200, {}, json.dumps(body | ({"NextToken": str(start + self.size)} if more else {}))

    def _result(self, query):
        asked = query["MetricStat"]["Metric"]
        told = self.values.get((asked["MetricName"], "".join(each["Value"] for each in asked["Dimensions"])), {})
        assert asked["Namespace"] == "AWS/Bedrock" and query["MetricStat"]["Period"] == 3600
        return {"Id": query["Id"], "Label": "sentinel@example.org", "StatusCode": self.last,
                "Timestamps": [DAY.start_s + 3600 * hour for hour in told],
                "Values": [float(value) for value in told.values()]}


@pytest.fixture
def cloud(monkeypatch):
    fake = FakeCloudWatch()
    monkeypatch.setattr(_cloudwatch, "AwsClient", partial(_cloudwatch.AwsClient, sleep=lambda seconds: None))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback("POST", URL, callback=fake)
        yield fake


def context(home, environ=ENVIRON, **options):
    (home / "scratch").mkdir(exist_ok=True)
    options = {"regions": ["us-east-1"], "account_id": ACCOUNT, "models": {PROFILE: NOVA}} | options
    return Context(Settings(home, "Test", False, {SOURCE.name: options}, (), (), environ), home / "scratch")


def land(here):
    staged = landing.stage(SOURCE, USAGE, here, DAY)
    return staged, landing.commit(staged, [], here.settings.home, datetime(2026, 7, 1, tzinfo=UTC))


def written(home, source, table, rows):
    """A day of another source."""
    path = home / "raw" / source / table.name / "dt=2026-06-01" / "part.parquet"
    path.parent.mkdir(parents=True)
    made, wrong = to_arrow(table, rows, "test")
    assert not wrong
    pq.write_table(made, path)


@pytest.mark.parametrize(("method", "url", "kind", "body", "service", "names", "signature"), [
    # AWS's published test suite of Signature Version 4, and the example of its documentation (the last)
    ("GET", "https://example.amazonaws.com/", None, None, "service", "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", None, None, "service", "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    ("POST", "https://example.amazonaws.com/", None, None, "service", "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ("POST", "https://example.amazonaws.com/", "application/x-www-form-urlencoded", "Param1=value1", "service",
     "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ("GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
     "application/x-www-form-urlencoded; charset=utf-8", None, "iam", "content-type;host;x-amz-date",
     "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
])
def test_requests_are_signed_as_aws_signs_them(method, url, kind, body, service, names, signature):
    request = requests.Request(method, url, headers={"Content-Type": kind} if kind else {}, data=body).prepare()
    sign(request, SUITE, "us-east-1", service, datetime(2015, 8, 30, 12, 36, tzinfo=UTC))
    assert request.headers["Authorization"] == (
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request, SignedHeaders={names}, "
        f"Signature={signature}")


def test_own_values_reach_the_ledger_and_a_logged_hour_is_counted_once(cloud, tmp_path):
    staged, done = land(context(tmp_path))
    assert done.findings == [] and staged.warnings == []
    for request in cloud.asked:
        assert request.headers["X-Amz-Security-Token"] == TOKEN
        assert re.fullmatch(
            rf"AWS4-HMAC-SHA256 Credential={KEY}/[0-9]{{8}}/us-east-1/monitoring/aws4_request, "
            r"SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}",
            request.headers["Authorization"])
    asked = json.loads(cloud.asked[1].body)
    assert (asked["StartTime"], asked["EndTime"]) == (DAY.start_s, DAY.end_s)
    call = {"operation": "Converse", "model_id": NOVA, "model": NOVA, "region": "us-east-1", "account_id": ACCOUNT}
    written(tmp_path, "bedrock", next(each for each in all_sources() if each.name == "bedrock").tables[0], [
        # the first hour is logged, though another region answered; of the second only another account's calls are
        *(call | {"request_id": f"{minute}", "started_at_utc": datetime(2026, 6, 1, 0, minute, tzinfo=UTC),
                  "inference_region": "us-west-2"} for minute in (1, 59)),
        call | {"request_id": "3", "started_at_utc": datetime(2026, 6, 1, 1, tzinfo=UTC), "account_id": "9" * 12},
    ])
    ask = models_over(tmp_path, "stg_settings__providers", "int_bedrock_metrics__activity")
    every = """
        select hour(usage_hour_utc), provider, model_reported, project_id, workflow_tag, node, call_count, error_count,
            input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens, image_count
        from int_bedrock_metrics__activity order by 1, 5
    """
    second = [
        (1, "bedrock", "amazon.nova-pro-v1:0", ACCOUNT, "rag1", "aws:us-east-1", 5, 2, 300, None, None, 30, None),
        (1, "bedrock", "amazon.nova-pro-v1:0", ACCOUNT, None, "aws:us-east-1", 4, 0, 40, 0, None, 4, None),
    ]
    assert ask(every) == second
    # a system of record decides for all hours, and the metrics stand beside it
    table = next(each for each in all_sources() if each.name == "settings").table("providers")
    path = tmp_path / "raw" / "settings" / "providers" / "part.parquet"
    rows, _ = to_arrow(table, [{"provider": "bedrock", "site": "s", "system_of_record": "bedrock"}], "test")
    pq.write_table(rows, path)
    assert ask(every) == [(0, "bedrock", "amazon.nova-pro-v1:0", ACCOUNT, None, "aws:us-east-1", 11, 1, 1000, 7, None,
                           100, None), *second]


def test_pages_are_followed_and_one_of_two_names_is_read(cloud, tmp_path):
    cloud.size = 4
    cloud.values |= {("CacheReadInputTokenCount", NOVA): {0: 8}, ("OutputImageCount", "512stability.sd3"): {0: 5}}
    cloud.metrics += [metric("CacheReadInputTokenCount"), metric("Invocations", NOVA, ServiceTier="flex"),
                      metric("OutputImageCount", "stability.sd3", ImageSize="512"), metric("Latency", "x y"),
                      metric("Invocations", "a b")]
    staged, done = land(context(tmp_path))
    assert done.findings == [] and staged.warnings == [
        "us-east-1: no metric of a b can be read", "us-east-1: no metric of stability.sd3 can be read",
        "us-east-1: no metric of x y can be read"]
    rows = pq.read_table(tmp_path / "raw/bedrock_metrics/usage/dt=2026-06-01/part.parquet").to_pylist()
    assert sum(row["cached_input_tokens"] or 0 for row in rows) == 8
    assert sum(row["invocation_count"] for row in rows) == 17 and {row["model_id"] for row in rows} == {NOVA, PROFILE}


def test_models_that_are_listed_no_more_are_asked_for_by_name_and_missed_where_there_is_a_total(cloud, tmp_path):
    cloud.values |= {("Invocations", ""): {0: 10, 1: 9}, ("Invocations", CLAUDE): {1: 2}}
    cloud.metrics += [metric("Invocations", None)]
    staged, _ = land(context(tmp_path, models={}))
    assert staged.warnings == [
        "us-east-1, GetMetricData, 2026-06-01 to 2026-06-01: 2 invocations are of models that are listed no "
        "more; name them in model_ids",
        f"[sources.bedrock_metrics.models] does not say which model is behind {PROFILE}"]
    staged, _ = land(context(tmp_path, model_ids=[CLAUDE]))
    assert staged.warnings == []


@pytest.mark.parametrize(("kind", "said"), [
    ("com.amazon.coral.service#AccessDeniedException", "the key is valid but lacks the permission: AccessDenied"),
    ("UnrecognizedClientException", "the key was refused: UnrecognizedClientException"),
    ("com.amazon.coral.service#ExpiredTokenException:http://x/", "the key was refused: ExpiredTokenException"),
    ("InvalidParameterValueException", "it answered 400: InvalidParameterValueException"),
])
def test_a_refusal_is_one_sentence_without_a_secret(cloud, tmp_path, kind, said):
    secrets = f"{KEY} {SECRET} {TOKEN} kim@example.org"
    for ask in (lambda: land(context(tmp_path)), lambda: SOURCE.check(context(tmp_path))):
        cloud.instead = [(400, {"__type": kind, "Message": f"not you: {secrets}"})]
        with pytest.raises(SourceError) as refused:
            ask()
        assert said in str(refused.value) and "AWS_SECRET_ACCESS_KEY" in str(refused.value) or "400" in said
        assert "SENTINEL" not in str(refused.value) and "kim@" not in str(refused.value)
        assert "\n" not in str(refused.value)


def test_what_came_too_often_is_asked_again(cloud, tmp_path, caplog):
    cloud.instead = [(400, {"__type": "ThrottlingException", "message": f"Rate exceeded {SECRET}"})] * 3
    _, done = land(context(tmp_path))
    assert done.findings == [] and len(cloud.asked) == 5
    assert "ThrottlingException" in caplog.text and "SENTINEL" not in caplog.text


@pytest.mark.parametrize(("answers", "said"), [
    ([{"Metrics": [], "NextToken": "a"}, {"Metrics": [], "NextToken": "a"}], "pages do not end"),
    ([{"Metrics": [], "NextToken": each} for each in "abcd"], "pages do not end"),
    ([{"Metrics": [], "NextToken": 7}], "pages do not end"),
    ([{"Metrics": [{"MetricName": 1}]}], "has another shape"), ([{"Metrics": {}}], "has another shape"),
    ([{"Metrics": []}], "no metric of Bedrock"), ([[]], "has another shape"),
])
def test_a_list_that_is_none_is_refused(cloud, tmp_path, answers, said):
    cloud.instead = [(200, answer) for answer in answers]
    with pytest.raises(SourceError, match=said):
        land(context(tmp_path))


@pytest.mark.parametrize(("last", "size", "said"), [
    ("PartialData", 100, "9 of 9 metrics are not complete"), ("Forbidden", 100, "not complete .Forbidden."),
    ("Complete", 0, "pages do not end"),
])
def test_an_answer_that_is_not_whole_is_refused(cloud, tmp_path, last, size, said):
    here, metrics = context(tmp_path), [Metric(name, (("ModelId", model),)) for name, model in cloud.values]
    cloud.last, cloud.size = last, size
    with pytest.raises(SourceError, match=said):
        sums(_cloudwatch.client(here, SOURCE.name, "us-east-1"), "AWS/Bedrock", metrics, DAY, "here")


@pytest.mark.parametrize(("option", "value"), [
    ("regions", None), ("regions", []), ("regions", ["eu-west-3", "eu-west-3"]), ("regions", ["Paris"]),
    ("regions", "a"), ("account_id", 123456789012), ("account_id", "1"), ("model_ids", ["a b"]),
    ("models", {"a": ""}), ("base_url", 1),
])
def test_a_setting_that_means_nothing_is_refused(tmp_path, option, value):
    with pytest.raises(SourceError, match=f"sources.bedrock_metrics.{option}"):
        land(context(tmp_path, **{option: value}))


def test_a_key_that_is_missing_or_would_travel_openly_is_said(tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        with pytest.raises(SourceError, match=name):
            land(context(tmp_path, ENVIRON | {name: ""}))
    with pytest.raises(SourceError, match="unencrypted"):
        land(context(tmp_path, base_url="http://proxy.internal/{region}"))


def test_the_doctor_lists_and_reads(cloud, tmp_path):
    assert SOURCE.check(context(tmp_path)) == "CloudWatch answers, and knows models of Bedrock in us-east-1 (2)."
    assert [request.headers["X-Amz-Target"].rpartition(".")[2] for request in cloud.asked] == [
        "ListMetrics", "GetMetricData"]


def test_nothing_secret_or_personal_is_written(cloud, tmp_path):
    land(context(tmp_path))
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"SENTINEL" not in kept and b"sentinel" not in kept
    part = tmp_path / "raw/bedrock_metrics/usage/dt=2026-06-01/part.parquet"
    assert "entinel" not in str(pq.read_table(part).to_pylist()) and pa.types.is_int64(
        pq.read_schema(part).field("input_tokens").type)


class Said:
    """Answers every question with the same body."""

    def __init__(self, body):
        self.body = body

    def post(self, operation, question):
        return self.body


VALUES = st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | st.sampled_from(
    ["m0", "m1", "Complete", "", 1, 1.5, [], {}, [DAY.start_s], [1.0], [DAY.start_s, DAY.start_s], "\ud7ff"]
) | st.lists(st.integers(0, 5), max_size=2)
GOOD = {"Id": "m0", "StatusCode": "Complete", "Timestamps": [DAY.start_s], "Values": [2]}
RESULTS = st.just(GOOD) | VALUES | st.builds(
    lambda name, value: {**GOOD, name: value}, st.sampled_from([*GOOD, "Label"]), VALUES)


@examples(max_examples=20, deadline=None, database=None)
@given(st.lists(RESULTS, min_size=22, max_size=22))
def test_of_malformed_answers_no_value_is_invented(drawn):
    """529 answers an example: two of 22 results and a good one, and the same as lists of metrics."""
    one = Metric("Invocations", ())
    for both in product([GOOD, *drawn], repeat=2):
        try:
            body = read_json(json.dumps({"MetricDataResults": both, "Metrics": both}).encode())
        except ValueError:
            continue
        try:
            told = sums(Said(body), "AWS/Bedrock", [one], DAY, "here")[one]
        except SourceError:
            told = {}
        said = [value for each in both if isinstance(each, dict) and isinstance(each.get("Values"), list)
                for value in each["Values"]]
        assert all(DAY.start_utc <= at < DAY.end_utc and type(value) is int and value in said
                   for at, value in told.items())
        with pytest.raises(SourceError):
            listed(Said(body), "AWS/Bedrock", "here")
