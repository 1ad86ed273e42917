"""The Azure OpenAI source against answers of the published shape: totals by hand, two families counted once."""

import json
import logging
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from urllib.parse import parse_qsl

import pyarrow.parquet as pq
import pytest
import responses
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from models_over_home import models_over

from pipelines import landing
from pipelines.declared import Provider, Site
from pipelines.errors import SourceError
from pipelines.http import read_json
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import azure_openai
from pipelines.sources.azure_openai import FAMILIES, SOURCE, USAGE
from pipelines.window import Window

SECRET, TOKEN = "secret-SENTINEL-2b", "token-SENTINEL-6c"
ENVIRON = {"AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "client-1", "AZURE_CLIENT_SECRET": SECRET}
RESOURCE = "/subscriptions/s-1/resourceGroups/rg.1/providers/Microsoft.CognitiveServices/accounts/acme"
URL = f"https://management.azure.com{RESOURCE}/providers/Microsoft.Insights/metrics"
LOGIN = "https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token"
DAY = Window.of_days("2026-06-01", "2026-06-01")


def series(total, hour=0, deployment="chat", model="gpt-4o"):
    dimensions = {"modeldeploymentname": deployment, "modelname": model}
    named = [{"name": {"value": name}, "value": value} for name, value in dimensions.items() if value]
    return {"metadatavalues": named, "data": [{"timeStamp": f"2026-06-01T{hour:02d}:00:00Z", "total": total},
                                              {"timeStamp": "2026-06-01T23:00:00Z"}]}


def answer(family, *counts, **more):
    """For each metric of the family its series."""
    return {"cost": 0, "interval": "PT1H", "resourceregion": "westeurope", "value": [
        {"name": {"value": name}, "unit": "Count", "timeseries": list(told)}
        for name, told in zip(FAMILIES[family], counts or ((), (), ()), strict=True)]} | more


class FakeMonitor:
    """Answers each family; a status and a body in place of an answer is sent as it is."""

    def __init__(self):
        # hour 0: both families know the deployment; hour 2: the older alone knows chat, and the newer alone claude
        self.told = {
            "models": answer("models", [series(2.0), series(1.0, 2, "claude", None)],
                             [series(100.0), series(7.0, 2, "claude", None)], [series(10.0)]),
            "openai": answer("openai", [series(2.0), series(3.0, 2)], [series(100.0), series(50.0, 2)], [series(10.0)]),
        }
        self.asked, self.defined = [], [*FAMILIES["openai"], *FAMILIES["models"][:2]]

    def __call__(self, request):
        asked = dict(parse_qsl(request.url.partition("?")[2]))
        if "metricDefinitions" in request.url:
            return 200, {}, json.dumps({"value": [{"name": {"value": name}} for name in self.defined]})
        self.asked.append(asked)
        family = next(name for name, metrics in FAMILIES.items() if asked["metricnames"] == ",".join(metrics))
        told = self.told[family]
        status, body = told if isinstance(told, tuple) else (200, told)
        return status, {}, json.dumps(body)


@pytest.fixture
def monitor(monkeypatch):
    fake = FakeMonitor()
    monkeypatch.setattr(azure_openai, "Client", partial(azure_openai.Client, sleep=lambda seconds: None))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        fake.mock = mock
        mock.add("POST", LOGIN, json={"token_type": "Bearer", "access_token": TOKEN})
        mock.add_callback("GET", URL, callback=fake)
        mock.add_callback("GET", URL.replace("metrics", "metricDefinitions"), callback=fake)
        yield fake


def context(home, environ=ENVIRON, sites=(), providers=(), **options):
    (home / "scratch").mkdir(exist_ok=True)
    options = {"resources": [RESOURCE]} | options
    return Context(Settings(home, "Test", False, {SOURCE.name: options}, sites, providers, environ), home / "scratch")


def land(here):
    staged = landing.stage(SOURCE, USAGE, here, DAY)
    return staged, landing.commit(staged, [], here.settings.home, datetime(2026, 7, 1, tzinfo=UTC))


def test_own_values_reach_the_ledger_and_two_families_are_counted_once(monitor, tmp_path):
    staged, done = land(context(tmp_path))
    assert done.changed == [date(2026, 6, 1)] and done.findings == [] and staged.warnings == []
    login, *questions = [call.request for call in monitor.mock.calls]
    assert dict(parse_qsl(login.body)) == {
        "grant_type": "client_credentials", "client_id": "client-1", "client_secret": SECRET,
        "scope": "https://management.azure.com/.default"}
    assert {request.headers["Authorization"] for request in questions} == {f"Bearer {TOKEN}"}
    assert monitor.asked[0] == {
        "api-version": "2018-01-01", "metricnames": "ModelRequests,InputTokens,OutputTokens",
        "timespan": "2026-06-01T00:00:00Z/2026-06-02T00:00:00Z", "interval": "PT1H", "aggregation": "Total",
        "top": "1000", "$filter": "ModelDeploymentName eq '*' and ModelName eq '*'"}
    ask = models_over(tmp_path, "stg_azure_openai__usage", "int_azure_openai__activity")
    # 2 requests of the first hour are in both families and stand once; 2 + 3 + 1 in all
    assert ask("""
        select usage_hour_utc, provider, model_reported, project_id, workflow_tag, call_count, input_tokens,
            output_tokens, retry_count, cost_usd
        from int_azure_openai__activity order by 1, 3
    """) == [
        (datetime(2026, 6, 1, 0), "azure_openai", "gpt-4o", "acme", "chat", 2, 100, 10, None, None),
        (datetime(2026, 6, 1, 2), "azure_openai", "claude", "acme", "claude", 1, 7, 0, None, None),
        (datetime(2026, 6, 1, 2), "azure_openai", "gpt-4o", "acme", "chat", 3, 50, 0, None, None),
    ]


def test_the_region_of_a_resource_is_its_place(monitor, tmp_path):
    us, nl = Site("us", "US-MIDA-PJM", "USA"), Site("weu", "NL", "NLD")
    general, regional = Provider("azure_openai", "us"), Provider("azure_openai/westeurope", "weu")
    with pytest.raises(SourceError, match="the region westeurope is in NL, and the site us in US-MIDA-PJM"):
        land(context(tmp_path, sites=(us, nl), providers=(general,)))
    land(context(tmp_path, sites=(us, nl), providers=(general, regional)))
    part = tmp_path / "raw" / "azure_openai" / "usage" / "dt=2026-06-01" / "part.parquet"
    assert {row["provider"] for row in pq.read_table(part).to_pylist()} == {"azure_openai/westeurope"}
    # whoever says where the source stands is believed
    land(context(tmp_path, sites=(us, nl), providers=(general,), site="us"))
    assert {row["provider"] for row in pq.read_table(part).to_pylist()} == {"azure_openai"}


def test_a_family_that_a_resource_lacks_is_a_warning_and_both_are_a_refusal(monitor, tmp_path):
    lacking = 400, {"code": "BadRequest", "message": "Failed to find metric configuration"}
    monitor.told["models"] = lacking
    staged, done = land(context(tmp_path))
    assert done.changed == [date(2026, 6, 1)] and len(staged.warnings) == 1
    assert staged.warnings[0].startswith("acme does not tell the family models (it answered 400")
    monitor.told["openai"] = lacking
    with pytest.raises(SourceError, match="Failed to find metric configuration"):
        land(context(tmp_path))


def test_no_use_is_believed_if_there_was_some_in_the_month_before(monitor, tmp_path):
    empty = {family: answer(family) for family in FAMILIES}
    monitor.told |= empty
    with pytest.raises(SourceError, match="tells of no use at all"):
        land(context(tmp_path))
    early = answer("models", [series(1.0)], [], [])
    early["value"][0]["timeseries"][0]["data"] = [{"timeStamp": "2026-05-31T00:00:00Z", "total": 1}]
    real = azure_openai.read

    def read(body, family, resource, asked, where):
        before = asked.first == date(2026, 5, 2) and family == "models"
        return real(early if before else body, family, resource, asked, where)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(azure_openai, "read", read)
        assert land(context(tmp_path))[1].receipts[0].rows == 0


def test_fewer_hours_than_were_landed_hold_the_day_back(monitor, tmp_path):
    land(context(tmp_path))
    monitor.told["models"] = answer("models", [series(2.0)], [series(100.0)], [series(10.0)])
    assert land(context(tmp_path))[1].quarantined == [date(2026, 6, 1)]


@pytest.mark.parametrize("body, said", [
    (answer("models", interval="PT5M"), "hourly list"),
    (answer("models", resourceregion=None), "hourly list"),
    ({"value": []}, "hourly list"),
    (answer("models") | {"value": []}, "no list of fewer than 1000 series"),
    (answer("models", [series(1.0)] * 1000, [], []), "no list of fewer than 1000 series"),
    (answer("models", [series("1")], [], []), "its total is no count"),
    (answer("models", [series(1.5)], [], []), "its total is no count"),
    (answer("models", [series(-1)], [], []), "its total is no count"),
])
def test_an_answer_that_cannot_be_trusted_is_refused_whole(monitor, tmp_path, body, said):
    monitor.told["models"] = body
    with pytest.raises(SourceError, match=said):
        land(context(tmp_path))


def test_two_totals_for_one_hour_hold_the_day_back_and_one_told_twice_is_one(monitor, tmp_path):
    monitor.told["models"] = answer("models", [series(2.0), series(2.0)], [], [])
    assert land(context(tmp_path))[1].findings == []
    monitor.told["models"] = answer("models", [series(2.0), series(3.0)], [], [])
    assert "two totals for one deployment" in land(context(tmp_path))[1].findings[0].sentence()


def test_nothing_secret_or_personal_is_written(monitor, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    monitor.told["openai"] = answer("openai", [series(2.0, 3, "who@SENTINEL.example", "a b SENTINEL")], [], [],
                                    userEmail="who@SENTINEL.example")
    told = [repr(context(tmp_path)), repr(land(context(tmp_path))[0].warnings)]
    echo = {"error": {"message": f"{TOKEN} {SECRET} who@SENTINEL.example"}}
    for status in (400, 403, 500):
        monitor.told |= dict.fromkeys(FAMILIES, (status, echo))
        with pytest.raises(SourceError) as refused:
            land(context(tmp_path))
        told.append(repr(refused.value))
    for status, body in ((401, {"error": f"{SECRET}"}), (500, {"error": SECRET}), (200, {"access_token": None})):
        monitor.mock.replace("POST", LOGIN, status=status, json=body)
        with pytest.raises(SourceError) as refused:
            SOURCE.check(context(tmp_path))
        told.append(repr(refused.value))
    assert "SENTINEL" not in "".join(told) + caplog.text
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"SENTINEL" in path.read_bytes()]


def test_what_is_not_configured_is_said(monitor, tmp_path):
    for name in ENVIRON:
        with pytest.raises(SourceError, match=f"{name}.*is not set"):
            SOURCE.check(context(tmp_path, ENVIRON | {name: ""}))
    with pytest.raises(SourceError, match="is no id"):
        SOURCE.check(context(tmp_path, ENVIRON | {"AZURE_TENANT_ID": "a/../b"}))
    for wrong in (None, [], "x", [RESOURCE, "/subscriptions/x"], [RESOURCE, RESOURCE.replace("rg.1", "rg2")], [7]):
        with pytest.raises(SourceError, match="no list of ids"):
            SOURCE.check(context(tmp_path, resources=wrong))
    with pytest.raises(SourceError, match="is no text"):
        SOURCE.check(context(tmp_path, api_version=2018))
    land(context(tmp_path, by_model=False))
    assert monitor.asked[-1]["$filter"] == "ModelDeploymentName eq '*'"


def test_the_doctor_hears_which_families_a_resource_knows(monitor, tmp_path):
    assert SOURCE.check(context(tmp_path)) == (
        "Azure Monitor answers, with the families of metrics of acme (openai).")
    monitor.defined += FAMILIES["models"]
    assert "acme (models and openai)" in SOURCE.check(context(tmp_path))
    monitor.defined = ["Latency"]
    with pytest.raises(SourceError, match="neither family of metrics"):
        SOURCE.check(context(tmp_path))


NAMES = ["value", "name", "unit", "timeseries", "data", "metadatavalues", "timeStamp", "total", "interval",
         "resourceregion"]
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**19), st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from(["PT1H", "Count", "2026-06-01T00:00:00Z", "2026-06-01T00:30:00Z", "x@y", "ModelRequests", ""]))
VALUES = st.recursive(LEAVES, lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)), max_leaves=4)
DEPTHS = ([], ["value", 0], ["value", 0, "timeseries", 0], ["value", 0, "timeseries", 0, "data", 0],
          ["value", 0, "timeseries", 0, "metadatavalues", 0])


@examples(max_examples=1000, deadline=None, database=None)
@given(depth=st.sampled_from(DEPTHS), change=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=2), whole=VALUES,
       alone=st.booleans())
def test_no_payload_crashes_the_parser_and_none_invents_a_row(depth, change, whole, alone):
    """A whole answer of another shape, or a true one with fields changed somewhere in it."""
    body = whole
    if not alone:
        body = inner = read_json(json.dumps(answer("models", [series(2.0)], [series(5.0)], [])).encode())
        for step in depth:
            inner = inner[step]
        inner.update(change)
    try:
        page = azure_openai.read(body, "models", "acme", DAY, "here")
    except SourceError as refused:
        assert "\n" not in str(refused)
        return
    assert not alone and len(page.rows) <= 2
    for row in page.rows:
        assert row["hour_utc"].date() == date(2026, 6, 1) and row["resource"] == "acme"
        assert all(isinstance(row[name], int) and row[name] >= 0 for name in azure_openai.COUNTS)
        assert not any("@" in str(value) for value in row.values())
        assert depth[-2:] == ["data", 0] or "data" in change or Decimal(row["request_count"]) in (0, 2)
