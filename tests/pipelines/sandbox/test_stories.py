"""Each story of the sandbox can be seen in its raw data, with numbers."""

import csv
import io
from collections import Counter
from datetime import date, timedelta

import pytest
import requests

from pipelines.sandbox import files, server, stories
from pipelines.sandbox.organisation import MODELS, TEAMS
from pipelines.sandbox.ownership import API_KEYS, PROJECTS, RULES
from pipelines.sandbox.workflows import WORKFLOWS
from pipelines.sandbox.workloads import STREAMS

DAY = 86_400
JUNE_1 = 1_780_272_000
GPT, MINI = "gpt-5.4-2026-03-05", "gpt-5.4-mini-2026-03-17"
# Wh for one output token, from ecologits 0.11.3 (mean of its range, zone USA): 250 tokens gave 0.40-0.69 and 0.05-0.33.
WH_PER_TOKEN = {GPT: 0.54 / 250, MINI: 0.19 / 250}


def calls(day: date) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files.call_log_csv(7, day))))


@pytest.fixture(scope="module")
def two_weeks() -> list[dict[str, str]]:
    return [row for number in range(14) for row in calls(stories.day_of(number + 1))]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_size_of_the_organisation():
    assert (len({t.unit_id for t in TEAMS}), len(TEAMS), len(WORKFLOWS), len(MODELS)) == (4, 12, 60, 25)
    assert {t.country for t in TEAMS} == {"FRA", "DEU", "USA"}
    assert stories.DATA_TO - stories.DATA_FROM == timedelta(days=90)
    assert {s.model for s in STREAMS} == {m.name for m in MODELS}
    assert {s.workflow_id for s in STREAMS} - {None} == {w.workflow_id for w in WORKFLOWS}


def test_days_of_the_stories():
    assert stories.day_number(stories.MODEL_SWAP.day) == 45 and stories.MODEL_SWAP.day == date(2026, 7, 15)
    assert stories.day_number(stories.RESTATEMENT.day) == 60 and stories.RESTATEMENT.day == date(2026, 7, 30)


def test_shorter_prompts_and_no_more_calls(buckets):
    """From day 40 on half the output and 1 / 1.6 of the input, at most a tenth more or fewer calls in four weeks."""
    days = buckets("usage/completions", start_time=JUNE_1, end_time=JUNE_1 + 90 * DAY, bucket_width="1d", limit=31,
                   api_key_ids=["key_care_voice_summaries"])
    before, after = (
        {name: sum(row[name] for day in days[first - 1:first + 27] for row in day["results"])
         for name in ("num_model_requests", "input_tokens", "output_tokens")} for first in (12, 40))
    calls = after["num_model_requests"] / before["num_model_requests"]
    assert stories.day_number(stories.PROMPT_CUT.day) == 40 and 0.9 < calls < 1.1
    assert after["output_tokens"] / before["output_tokens"] == pytest.approx(0.5 * calls, rel=0.02)
    assert after["input_tokens"] / before["input_tokens"] == pytest.approx(calls / 1.6, rel=0.02)


@pytest.mark.parametrize("workflow", stories.MODEL_SWAP.workflow_ids)
def test_cheaper_model_then_more_energy_than_before(buckets, workflow):
    key = "key_" + workflow.replace("-", "_")
    days = buckets("usage/completions", start_time=JUNE_1, end_time=JUNE_1 + 90 * DAY, bucket_width="1d", limit=31,
                   api_key_ids=[key], group_by=["model"])
    models = [{row["model"] for row in day["results"]} for day in days]
    assert set().union(*models[:44]) == {GPT} and set().union(*models[44:]) == {MINI}

    def week(first: int) -> tuple[float, int]:
        rows = [row for day in days[first - 1 : first + 6] for row in day["results"]]
        energy = sum(row["output_tokens"] * WH_PER_TOKEN[row["model"]] for row in rows)
        return energy, sum(row["num_model_requests"] for row in rows)

    # Tuesdays to Mondays: days 37-43 before, 46-52 right after, 84-90 the last week.
    (before, calls_before), (after, calls_after), (last, calls_last) = week(37), week(46), week(84)
    assert after / calls_after < 0.4 * before / calls_before  # 0.19/0.54 = 0.35
    assert after < 0.75 * before
    assert last > 1.1 * before
    assert calls_last > 3.3 * calls_before


def test_a_key_that_nobody_owns(buckets, two_weeks):
    rows = buckets("usage/completions", start_time=JUNE_1, end_time=JUNE_1 + DAY, bucket_width="1d",
                   group_by=["api_key_id", "project_id"])[0]["results"]
    named = {rule.match_value for rule in RULES}
    unowned = {r["api_key_id"]: r for r in rows if r["api_key_id"] and r["api_key_id"] not in named}
    assert set(unowned) == {"key_hackathon_2025"}
    assert unowned["key_hackathon_2025"]["project_id"] not in named
    assert 1200 < unowned["key_hackathon_2025"]["num_model_requests"] < 1800
    nameless = [r for r in rows if r["api_key_id"] is None]
    assert {r["project_id"] for r in nameless} == {None, "proj_playground"}
    tags = {r["workflow_tag"] for r in two_weeks if r["workflow_tag"]}
    assert tags - named == {"pilot-2025"}
    assert any(not (r["workflow_tag"] or r["api_key_id"] or r["project_id"]) for r in two_weeks)


def test_a_workflow_that_retries_a_lot(two_weeks):
    rows = [r for r in two_weeks if r["workflow_tag"] == "pricing-vehicle-lookup"]
    retried = [r for r in rows if int(r["attempt"]) > 1]
    assert len(retried) / len(rows) == pytest.approx(0.35, abs=0.02)
    assert {r["call_purpose"] for r in retried} == {"retry"}
    others = [r for r in two_weeks if r["workflow_tag"] != "pricing-vehicle-lookup"]
    assert sum(int(r["attempt"]) > 1 for r in others) / len(others) == pytest.approx(0.02, abs=0.005)
    # A first attempt that is repeated has failed, and failed calls bring nothing.
    assert {r["output_tokens"] for r in two_weeks if r["status"] == "error"} == {"0"}


def test_a_nightly_job_that_brings_nothing(two_weeks):
    rows = [r for r in two_weeks if r["workflow_tag"] == "archive-relabelling"]
    assert {r["timestamp"][11:13] for r in rows} == {"02"}
    assert {r["call_purpose"] for r in rows} == {"background", "retry"}
    assert 300 * 14 < len(rows) < 460 * 14
    with_outcomes = {r["workflow_id"] for r in table(files.outcomes_csv(7, [date(2026, 6, 3)]))}
    assert "archive-relabelling" not in with_outcomes
    assert len(with_outcomes) >= 50


def test_a_vendor_restates_a_day():
    headers = {"Authorization": "Bearer sk-admin-sandbox-0000"}
    start = JUNE_1 + 59 * DAY

    def day_60(running) -> tuple[dict, dict]:
        params = {"start_time": start - DAY, "end_time": start + DAY, "limit": 2}
        page = requests.get(f"{running.openai_url}/organization/usage/completions", params=params, headers=headers,
                            timeout=30).json()
        return tuple(bucket["results"][0] for bucket in page["data"])

    with server.serve(as_of=date(2026, 8, 1)) as running:
        other_first, first = day_60(running)
        running.set_as_of(date(2026, 8, 2))
        other_later, later = day_60(running)
    assert other_first == other_later
    for name in ("num_model_requests", "input_tokens", "output_tokens"):
        assert first[name] / later[name] == pytest.approx(0.82, abs=0.01)


def test_models_without_a_factor(two_weeks):
    from ecologits.model_repository import models

    assert models.find_model("openai", MINI) and models.find_model("openai", GPT)
    seen = {(r["provider"], r["model"]) for r in two_weeks}
    hosted = {pair for pair in seen if pair[0] != "self_hosted"}
    assert {pair for pair in hosted if not models.find_model(*pair)} == {
        ("acme", "acme-llm-1"), ("deepseek", "deepseek-chat"),
    }
    assert not models.find_model("openai", "text-embedding-3-small")
    assert {r["cost_usd"] for r in two_weeks if r["provider"] in ("acme", "self_hosted")} == {""}


def test_size_and_habits_of_the_call_log(two_weeks):
    by_day = Counter(r["timestamp"][:10] for r in two_weeks)
    assert len(by_day) == 14
    workdays = [n for day, n in by_day.items() if date.fromisoformat(day).weekday() < 5]
    weekends = [n for day, n in by_day.items() if date.fromisoformat(day).weekday() >= 5]
    assert all(3200 < n < 4700 for n in workdays) and all(1400 < n < 2000 for n in weekends)
    errors = sum(r["status"] == "error" for r in two_weeks) / len(two_weeks)
    assert 0.03 < errors < 0.07
    assert {r["lifecycle_stage"] for r in two_weeks} == {"inference", "evaluation", "experiment", "data_pipeline"}
    assert any(int(r["cached_input_tokens"]) for r in two_weeks)
    assert len({r["id"] for r in two_weeks}) == len(two_weeks)
    assert sum(r["provider"] == "openai" for r in two_weeks) / len(two_weeks) == pytest.approx(0.025, abs=0.01)


# 10th, 50th and 90th percentile of (context, generated) tokens in the Azure traces of 2023, straight from the files.
AZURE = {"code": ((147, 1469, 5186), (7, 13, 55)), "conv": ((207, 1020, 2734), (54, 129, 424))}


@pytest.mark.parametrize("shape", ["code", "conv"])
def test_token_lengths_are_shaped_like_azures(two_weeks, shape):
    plain = {
        (s.provider, s.model, s.tag) for s in STREAMS
        if s.route == "call_log" and s.shape == shape and s.input_scale == s.output_scale == 1.0
    }
    rows = [r for r in two_weeks if (r["provider"], r["model"], r["workflow_tag"] or None) in plain
            and r["status"] == "ok"]
    assert len(rows) > 3000
    for column, expected in zip(("input_tokens", "output_tokens"), AZURE[shape], strict=True):
        lengths = sorted(int(r[column]) for r in rows)
        found = [lengths[int(len(lengths) * q)] for q in (0.1, 0.5, 0.9)]
        assert found == pytest.approx(expected, rel=0.12)


def test_rules_share_everything_and_know_every_key():
    shares = Counter()
    for rule in RULES:
        if rule.valid_to is None:
            shares[rule.match_type, rule.source, rule.match_value] += round(float(rule.share) * 10**8)
    assert set(shares.values()) == {10**8}
    assert {k.project_id for k in API_KEYS} <= {p.project_id for p in PROJECTS}
    handed = [r for r in RULES if r.match_value == stories.HANDOVER_API_KEY]
    assert [(r.workflow_id, r.valid_to) for r in handed] == [
        ("quote-explainer", date(2026, 8, 1)), ("care-knowledge-search", None),
    ]


def test_outcomes_do_not_grow_with_the_calls():
    last = stories.DATA_TO - timedelta(days=2)
    before = table(files.outcomes_csv(7, [date(2026, 7, 13) + timedelta(days=i) for i in range(2)]))
    after = table(files.outcomes_csv(7, [last - timedelta(days=i) for i in (4, 3)]))

    def of(rows: list[dict], name: str) -> int:
        return sum(int(row["outcome_count"]) for row in rows if row["workflow_id"] == name)

    ratio = of(after, "care-chat-assist") / of(before, "care-chat-assist")
    assert 0.95 < ratio < 1.5  # calls grow to 5.5 times
    for row in before:
        assert row["accepted_count"] == "" or int(row["accepted_count"]) <= int(row["outcome_count"])
