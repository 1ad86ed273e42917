"""The Langfuse source: kinds of tokens by hand, whose a model is, pages to their end, and nothing of what was said."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from models_over_home import models_over

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import langfuse
from pipelines.sources.langfuse import OBSERVATIONS, SOURCE, kinds_of_tokens
from pipelines.window import Window

PUBLIC, KEY = "pk-lf-SENTINEL-public", "sk-lf-SENTINEL-7f3a9c"
BASIC = b64encode(f"{PUBLIC}:{KEY}".encode()).decode()
FETCHED = datetime(2026, 7, 1, 3, tzinfo=UTC)
TWO_DAYS = Window.of_days("2026-06-01", "2026-06-02")
GENERATION = {
    "id": "obs-1", "traceId": "tr-1", "startTime": "2026-06-01T10:00:00.123Z", "endTime": "2026-06-01T10:00:02Z",
    "projectId": "pj-1", "parentObservationId": None, "type": "GENERATION", "name": "SENTINEL-NAME", "level": "DEFAULT",
    "statusMessage": "SENTINEL-STATUS", "userId": "SENTINEL-USER", "sessionId": "SENTINEL-SESSION",
    "environment": "production", "model": "gpt-4o-2024-08-06", "modelParameters": {"stop": "SENTINEL-STOP"},
    "usageDetails": {"input": 1200, "input_cached_tokens": 300, "output": 80, "total": 1580},
    "costDetails": {"input": 0.003}, "totalCost": 0.0038, "tags": ["SENTINEL-TAG", "team:search"],
    "traceName": "SENTINEL-TRACE", "input": "SENTINEL-PROMPT", "output": "SENTINEL-ANSWER",
}
RECORDS = [
    GENERATION,
    {**GENERATION, "id": "obs-2", "startTime": "2026-06-01T12:59:59.999+02:00", "level": "ERROR", "usageDetails": {},
     "totalCost": None},
    {**GENERATION, "id": "obs-3", "startTime": "2026-06-01T23:59:59.999Z", "model": "claude-haiku-4-5", "tags": [],
     "usageDetails": {"input": 7, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 30, "output": 5}},
    {**GENERATION, "id": "obs-4", "startTime": "2026-06-02T00:00:00Z", "type": "EMBEDDING", "tags": None,
     "model": "openai/text-embedding-3-small", "usageDetails": {"input": 44, "total": 44}, "totalCost": 0},
    {**GENERATION, "id": "span-5", "startTime": "2026-06-02T00:00:00Z", "type": "SPAN"},
]


class FakeLangfuse:
    """Answers `/api/public/v2/observations` with pages of `size`; its cursor is the position."""

    def __init__(self):
        self.records, self.requests, self.size, self.mend = RECORDS, [], 1000, lambda body, asked: body
        self.refused = None

    def __call__(self, request):
        asked = dict(parse_qsl(urlsplit(request.url).query))
        self.requests.append(asked)
        if self.refused:
            return self.refused, {}, json.dumps({"message": f"refused {KEY} {PUBLIC} {BASIC}"})
        if request.headers.get("Authorization") != f"Basic {BASIC}":
            return 401, {}, json.dumps({"message": "Invalid credentials"})
        assert "io" not in asked["fields"] and "metadata" not in asked["fields"] and int(asked["limit"]) <= 1000
        start, end = (datetime.fromisoformat(asked[name]) for name in ("fromStartTime", "toStartTime"))
        found = [r for r in self.records if start <= datetime.fromisoformat(r["startTime"]) < end
                 and r["type"] == asked["type"]]
        first = int(asked.get("cursor", 0))
        after = first + min(self.size, int(asked["limit"]))
        meta = {"cursor": str(after)} if after < len(found) else {}
        return 200, {}, json.dumps(self.mend({"data": found[first:after], "meta": meta}, asked))


@pytest.fixture
def vendor(monkeypatch):
    fake, real = FakeLangfuse(), langfuse.client
    monkeypatch.setattr(langfuse, "client", lambda context: replace(real(context), sleep=lambda seconds: None))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.GET, re.compile(r"https://cloud\.langfuse\.com/.*"), callback=fake)
        yield fake


def context(tmp_path, environ=None, **options):
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    environ = {"LANGFUSE_PUBLIC_KEY": PUBLIC, "LANGFUSE_SECRET_KEY": KEY} if environ is None else environ
    options = options or {"providers": {"gpt-": "openai", "openai/": "openai", "claude-": "bedrock"},
                          "workflow_tag_prefix": "team:"}
    return Context(Settings(tmp_path, "Test", False, {"langfuse": options}, (), (), environ), scratch)


def land(tmp_path, window=TWO_DAYS, **more):
    staged = landing.stage(SOURCE, OBSERVATIONS, context(tmp_path, **more), window)
    return landing.commit(staged, [], tmp_path, FETCHED)


def test_own_values_reach_the_ledger_and_nothing_that_was_said(vendor, tmp_path):
    assert land(tmp_path).findings == []
    ask = models_over(tmp_path, "stg_langfuse__observations", "int_langfuse__activity")

    # 10 h UTC: one call of 1200 + 300 cached (they are apart: 1200 + 300 + 80 = 1580), one failed one without usage
    assert ask("""
        select usage_hour_utc, provider, model_reported, project_id, workflow_tag, call_count, error_count,
            input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens, reasoning_output_tokens,
            cost_usd
        from int_langfuse__activity order by usage_hour_utc
    """) == [
        (datetime(2026, 6, 1, 10), "openai", "gpt-4o-2024-08-06", "pj-1", "search", 2, 1, 1200, 300, 0, 80, None,
         Decimal("0.003800000")),
        (datetime(2026, 6, 1, 23), "bedrock", "claude-haiku-4-5", "pj-1", None, 1, 0, 7, 20, 30, 5, None,
         Decimal("0.003800000")),
        (datetime(2026, 6, 2, 0), "openai", "text-embedding-3-small", "pj-1", None, 1, 0, 44, 0, 0, 0, None, 0),
    ]
    written = [path.read_bytes() for path in (tmp_path / "raw").rglob("*") if path.is_file()]
    assert len(written) > 4 and not any(b"SENTINEL" in each for each in written)


@pytest.mark.parametrize(("usage", "tokens"), [
    ({"input": 1200, "input_cached_tokens": 300, "output": 80, "total": 1580}, (1200, 300, 0, 80, None)),
    ({"input": 1500, "input_cached_tokens": 300, "output": 80, "total": 1580}, (1200, 300, 0, 80, None)),  # part of it
    ({"input": 10, "output": 50, "output_reasoning_tokens": 30, "total": 90}, (10, 0, 0, 80, 30)),
    ({"input": 10, "output": 80, "output_reasoning_tokens": 30, "total": 90}, (10, 0, 0, 80, 30)),
    ({"input": 10, "input_audio_tokens": 4, "output": 1, "output_audio_tokens": 2}, (14, 0, 0, 3, None)),
    ({"input": 10, "input_cache_creation_5m": 6, "input_cache_read": 5, "output": 1}, (10, 5, 6, 1, None)),
    ({"prompt_tokens": 3, "completion_tokens": 2, "total": 5, "total_cost_units": 9}, (3, 0, 0, 2, None)),
    (None, (None,) * 5), ({}, (None,) * 5),
])
def test_kinds_of_tokens_are_apart_whichever_way_they_are_told(usage, tokens):
    assert tuple(kinds_of_tokens(usage).values()) == tokens


@pytest.mark.parametrize(("change", "rule"), [
    ({"usageDetails": {"input": "12"}}, "'input' is no count of tokens"), ({"usageDetails": [1]}, "it is no object"),
    ({"usageDetails": {"input": -1}}, "is no count"), ({"model": "llama"}, "nothing says whose model 'llama' is"),
    ({"usageDetails": {"input": 1, "input_cached_tokens": 3, "output": 1, "total": 2}}, "more than their sum"),
    ({"totalCost": "much"}, "'much' is not a decimal number"),
])
def test_what_does_not_fit_holds_its_day_back_and_no_other(vendor, tmp_path, change, rule):
    vendor.records = [{**GENERATION, **change}, *RECORDS[1:]]
    landed = land(tmp_path)
    assert landed.quarantined == [date(2026, 6, 1)] and landed.changed == [date(2026, 6, 2)]
    assert any(rule in finding.rule for finding in landed.findings)


def test_usage_that_was_asked_for_and_is_not_told_holds_its_day_back(vendor, tmp_path):
    vendor.records = [{name: value for name, value in GENERATION.items() if name != "usageDetails"}, *RECORDS[1:]]
    assert land(tmp_path).quarantined == [date(2026, 6, 1)]


def test_pages_are_read_to_their_end_with_every_other_parameter_unchanged(vendor, tmp_path):
    vendor.size = 3
    vendor.records = [{**GENERATION, "id": f"g{number}"} for number in range(7)]
    assert [receipt.rows for receipt in land(tmp_path).receipts] == [7, 0]
    first, second, third = vendor.requests[:3]
    assert second == {**first, "cursor": "3"} and third == {**first, "cursor": "6"}
    assert first == {"fields": "core,basic,model,usage,trace_context", "type": "GENERATION", "limit": "1000",
                     "fromStartTime": "2026-06-01T00:00:00Z", "toStartTime": "2026-06-02T00:00:00Z"}


def test_a_quiet_day_is_believed_after_a_spoken_month_only(vendor, tmp_path):
    vendor.records = [GENERATION]
    assert [receipt.rows for receipt in land(tmp_path, Window.of_days("2026-06-30", "2026-07-01")).receipts] == [0, 0]
    with pytest.raises(SourceError, match="Langfuse tells of nothing at all .* in 30 days there is no generation"):
        land(tmp_path, Window.of_days("2026-07-02", "2026-07-02"))


def test_what_was_deleted_at_langfuse_stays_in_the_ledger(vendor, tmp_path):
    land(tmp_path)
    vendor.records = RECORDS[1:]
    assert land(tmp_path).quarantined == [date(2026, 6, 1)]


@pytest.mark.parametrize(("options", "why"), [
    ({"base_url": "https://cloud.langfuse.com"}, "nothing says whose the models are"),
    ({"providers": ["gpt-"]}, "`providers` is no section of names"), ({"provider": 3}, "`provider` is no text"),
])
def test_settings_that_mean_nothing_are_refused(vendor, tmp_path, options, why):
    with pytest.raises(SourceError, match=why):
        land(tmp_path, **options)
    assert vendor.requests == []


def test_the_longest_beginning_says_whose_a_model_is(vendor, tmp_path):
    declared = {"providers": {"gpt-": "openai", "gpt-4o-": "azure_openai"}, "provider": "self_hosted"}
    assert [langfuse._provider(model, declared) for model in ("gpt-4o-x", "gpt-5", "llama", None)] == [
        "azure_openai", "openai", "self_hosted", "self_hosted"]


def test_the_doctor_hears_what_is_wrong_with_a_key(vendor, tmp_path):
    assert SOURCE.check(context(tmp_path)) == "Langfuse answers, and the keys may read the project's observations."
    for name in ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"):
        environ = {"LANGFUSE_PUBLIC_KEY": PUBLIC, "LANGFUSE_SECRET_KEY": KEY, name: ""}
        with pytest.raises(SourceError, match=rf"\({name}\): this environment variable is not set"):
            SOURCE.check(context(tmp_path, environ))
    for status, why in ((401, "the key was refused"), (403, "lacks the permission"), (404, "a Langfuse of your own")):
        vendor.refused = status
        with pytest.raises(SourceError) as told:
            SOURCE.check(context(tmp_path))
        assert why in str(told.value) and "\n" not in str(told.value)
        assert not any(secret in str(told.value) for secret in (KEY, PUBLIC, BASIC))
