"""The OpenRouter source: totals by hand, own keys, and the thirty days after which nothing can be had."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from models_over_home import models_over

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import openrouter
from pipelines.sources.openrouter import ACTIVITY, SOURCE
from pipelines.window import Window

KEY = "sk-or-v1-SENTINEL-7f3a9c"
FETCHED = datetime(2026, 7, 1, 3, tzinfo=UTC)
TODAY = date(2026, 6, 20)
TWO_DAYS = Window.of_days("2026-06-18", "2026-06-19")
OWN = {  # the values of the vendor's published example, on a day of its own
    "date": "2026-06-18", "model": "openai/gpt-4.1", "model_permaslug": "openai/gpt-4.1-2025-04-14",
    "endpoint_id": "550e8400-e29b-41d4-a716-446655440000", "provider_name": "OpenAI", "usage": 0.015,
    "byok_usage_inference": 0.012, "requests": 5, "prompt_tokens": 50, "completion_tokens": 125, "reasoning_tokens": 25,
    "cached_tokens": 25,
}
BOUGHT = {
    **OWN, "model": "anthropic/claude-haiku-4.5", "model_permaslug": "anthropic/claude-4.5-haiku-20251001",
    "endpoint_id": "b", "provider_name": "Google", "byok_usage_inference": 0, "requests": 2, "prompt_tokens": 10,
    "cached_tokens": 30, "reasoning_tokens": 0,
}


class FakeOpenRouter:
    """Answers `/activity` for the last 30 completed days before `today`; `beyond` is what older days are given."""

    def __init__(self):
        self.requests, self.today, self.mend = [], TODAY, lambda body, asked: body
        self.records = [OWN, BOUGHT, {**OWN, "date": "2026-06-19"}]
        self.beyond = (400, {"error": {"message": "Date must be within the last 30 (completed) UTC days", "code": 400}})

    def __call__(self, request):
        self.requests.append(request)
        asked = dict(parse_qsl(urlsplit(request.url).query))
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return 403, {}, json.dumps({"error": {"message": "Only management keys can fetch activity", "code": 403}})
        oldest = self.today - timedelta(days=30)
        if "date" in asked and not oldest <= date.fromisoformat(asked["date"]) < self.today:
            return self.beyond[0], {}, json.dumps(self.beyond[1])
        kept = [r for r in self.records if oldest <= date.fromisoformat(r["date"]) < self.today
                and asked.get("date", r["date"]) == r["date"]]
        grouped = [{**r, "workspace_id": "ws_1"} for r in kept] if asked.get("group_by") == "workspace" else kept
        return 200, {}, json.dumps(self.mend({"data": grouped}, asked))


@pytest.fixture
def vendor(monkeypatch):
    fake, real = FakeOpenRouter(), openrouter.client
    monkeypatch.setattr(openrouter, "client", lambda context: replace(real(context), sleep=lambda seconds: None))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.GET, re.compile(r"https://openrouter\.ai/api/v1/activity.*"), callback=fake)
        yield fake


def context(tmp_path, key=KEY, **options):
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    environ = {"OPENROUTER_MANAGEMENT_KEY": key} if key else {}
    return Context(Settings(tmp_path, "Test", False, {"openrouter": options}, (), (), environ), scratch)


def land(tmp_path, window=TWO_DAYS, **more):
    staged = landing.stage(SOURCE, ACTIVITY, context(tmp_path, **more), window)
    return landing.commit(staged, [], tmp_path, FETCHED), staged.warnings


def test_own_values_reach_the_ledger(vendor, tmp_path):
    landed, warnings = land(tmp_path, by_workspace=True)
    assert landed.findings == [] and warnings == []
    ask = models_over(tmp_path, "stg_openrouter__activity", "int_openrouter__activity")

    # own key: 50 - 25 cached, and 0.015 + 0.012 dollars; what a replay tells to be cached is no part of the 10
    assert ask("""
        select usage_hour_utc, provider, model_reported, project_id, call_count, error_count, input_tokens,
            cached_input_tokens, output_tokens, reasoning_output_tokens, cost_usd
        from int_openrouter__activity order by usage_date, call_count
    """) == [
        (datetime(2026, 6, 18), "openrouter", "anthropic/claude-haiku-4.5", "ws_1", 2, None, 10, 30, 125, 0,
         Decimal("0.015000000")),
        (datetime(2026, 6, 18), "openai", "gpt-4.1-2025-04-14", "ws_1", 5, None, 25, 25, 125, 25,
         Decimal("0.027000000")),
        (datetime(2026, 6, 19), "openai", "gpt-4.1-2025-04-14", "ws_1", 5, None, 25, 25, 125, 25,
         Decimal("0.027000000")),
    ]


def test_a_gap_is_announced_with_the_day_on_which_it_is_for_ever(vendor, tmp_path):
    vendor.records = [{**OWN, "date": f"2026-06-{day:02d}"} for day in (1, 4, 18, 19)]
    sentence = ("2 days of OpenRouter are not landed, and 2026-06-01 is lost for ever on 2026-07-02: run `jevons "
                "materialize --from 2026-06-01 --to 2026-06-04` before")
    landed, warnings = land(tmp_path)
    assert warnings == [sentence] and landed.receipts[0].warnings == [sentence]
    assert SOURCE.check(context(tmp_path)) == (
        f"OpenRouter answers; it tells of use on 4 days up to 2026-06-19: {sentence}.")

    vendor.today = date(2026, 7, 1)  # the last day on which it is true that it can be had
    assert land(tmp_path, Window.of_days("2026-06-01", "2026-06-04"))[0].changed == [
        date(2026, 6, day) for day in (1, 2, 3, 4)]
    assert SOURCE.check(context(tmp_path)) == (
        "OpenRouter answers; it tells of use on 4 days up to 2026-06-19, all of them landed.")
    vendor.today = date(2026, 7, 2)
    vendor.records = vendor.records[1:]
    assert land(tmp_path, Window.of_days("2026-06-01", "2026-06-01"))[0].quarantined == [date(2026, 6, 1)]


@pytest.mark.parametrize("beyond", [
    (400, {"error": {"message": "Date must be within the last 30 (completed) UTC days"}}), (200, {"data": []}),
])
def test_a_day_that_is_kept_no_longer_stays_as_it_was_landed(vendor, tmp_path, beyond):
    land(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "raw").rglob("part.parquet")}
    vendor.today, vendor.beyond = date(2026, 7, 19), beyond
    landed, _ = land(tmp_path)
    assert landed.quarantined == [date(2026, 6, 18)] and landed.changed == []
    assert {path: path.read_bytes() for path in (tmp_path / "raw").rglob("part.parquet")} == before
    assert "what was landed" in landed.findings[0].sentence() and len(landed.findings) == 1


def test_an_empty_answer_for_a_day_of_use_is_not_believed(vendor, tmp_path):
    vendor.mend = lambda body, asked: {"data": []} if asked.get("date") == "2026-06-18" else body
    landed, _ = land(tmp_path)
    assert landed.quarantined == [date(2026, 6, 18)] and landed.changed == [date(2026, 6, 19)]
    assert "it holds no records, and 2 are in the list of all days" in landed.findings[0].rule


def test_a_day_without_use_is_an_empty_day(vendor, tmp_path):
    vendor.records = [OWN]
    landed, _ = land(tmp_path)
    assert [(receipt.day, receipt.rows) for receipt in landed.receipts] == [("2026-06-18", 1), ("2026-06-19", 0)]


@pytest.mark.parametrize(("change", "told"), [
    ({"date": "2026-06-17"}, "a record is of 2026-06-17"), ({"date": "soon"}, "a record is of no day"),
])
def test_a_record_of_another_day_is_refused(vendor, tmp_path, change, told):
    vendor.mend = lambda body, asked: {"data": [{**r, **change} for r in body["data"]]} if "date" in asked else body
    with pytest.raises(SourceError, match=told):
        land(tmp_path)


@pytest.mark.parametrize("change", [{"requests": None}, {"requests": 1.5}, {"user_id": "someone@example.org"}])
def test_what_does_not_fit_holds_its_day_back(vendor, tmp_path, change):
    vendor.records = [{**OWN, **change}, vendor.records[2]]
    staged = landing.stage(SOURCE, ACTIVITY, context(tmp_path), TWO_DAYS)
    if change == {"requests": None}:
        assert next(column for column in ACTIVITY.columns if column.name == "requests").required  # the gate's to refuse
        return
    assert {finding.day for finding in staged.findings} == {"2026-06-18"}
    landing.commit(staged, [], tmp_path, FETCHED)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"someone@example.org" not in written


def test_the_doctor_hears_which_key_it_needs(vendor, tmp_path):
    with pytest.raises(SourceError, match=r"lacks the permission: Only management keys can fetch activity; set OPENR"):
        SOURCE.check(context(tmp_path, f"{KEY}x"))
    with pytest.raises(SourceError, match=r"OPENROUTER_MANAGEMENT_KEY\): this environment variable is not set"):
        SOURCE.check(context(tmp_path, None))
    vendor.records = []
    with pytest.raises(SourceError, match="tells of no use at all .* in 30 days there is no record; look whether"):
        SOURCE.check(context(tmp_path))
