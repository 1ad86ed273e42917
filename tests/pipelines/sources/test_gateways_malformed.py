"""Ten thousand malformed payloads for the gateways' parsers: a finding or a sentence, no crash, no row made up."""

from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from types import SimpleNamespace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.sources import _spend_logs, langfuse, litellm, openrouter
from pipelines.typed import to_arrow

DAY = date(2026, 6, 1)
START, STOP = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
PER_EXAMPLE = 104  # times 40 examples and three parsers: 12,480
SEEDS = st.integers(0, 2**32)

TEXTS = (
    "", " ", "\x00", "\ud800", "a" * 300, "1e999", "-0", "NaN", "None", "true", "{}", "[", '{"a":', "[[[[", "//",
    "http://[", "http://a:99999", "https://u:p@h/x", "2026-06-01T10:00:00Z", "2026-06-31T10:00:00Z",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-06-01", "workflow:x", "success",
    "someone@example.org", "openai/gpt-4o", "GENERATION",
)
SCALARS = (
    None, True, False, *TEXTS, -2, -1, 0, 1, 7, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**70, 10**400, -(2**63),
    Decimal("1E+999999"), Decimal("1E-999999"), Decimal("0.1"), Decimal("-1"),
)


def value(draw, depth=2):
    """Something that JSON can hold, of whatever depth."""
    kind = draw.random()
    if depth and kind < 0.15:
        return [value(draw, depth - 1) for _ in range(draw.randrange(3))]
    if depth and kind < 0.3:
        return {draw.choice(TEXTS): value(draw, depth - 1) for _ in range(draw.randrange(3))}
    return draw.randrange(-2, 2**70) if kind < 0.35 else draw.choice(SCALARS)


def broken(draw, good):
    """The good record with some of its fields, of whatever depth, replaced or taken away; or no record at all."""
    names, kind = list(good), draw.randrange(3)
    if kind == 0:
        return good | {draw.choice(names): value(draw) for _ in range(draw.randrange(5))}
    if kind == 1:
        gone = {draw.choice(names) for _ in range(draw.randrange(5))}
        return {name: each for name, each in good.items() if name not in gone}
    return {name: value(draw) for name in draw.sample(names, draw.randrange(len(names)))}


def judge(table, rows, count, findings):
    """What landing makes of the rows: each is there or is named, and none is more than was told."""
    typed, wrong = to_arrow(table, rows, "a request")
    assert typed.num_rows <= len(rows) <= count
    assert typed.num_rows == count or findings or wrong
    for finding in [*findings, *wrong]:
        assert finding.sentence().endswith(".") and "someone@example.org" not in str(finding.where)


LITELLM = {
    "request_id": "a", "call_type": "acompletion", "api_key": "88" * 32, "spend": Decimal("0.1"), "prompt_tokens": 3,
    "completion_tokens": 2, "startTime": "2026-06-01T10:00:00Z", "model": "gpt-4o", "custom_llm_provider": "openai",
    "api_base": "https://api.openai.com", "cache_hit": "False", "request_tags": ["workflow:x"], "team_id": None,
    "status": "success", "metadata": {"usage_object": {"prompt_tokens_details": {"cached_tokens": 1}}},
}


@QUICK
@given(SEEDS)
def test_litellms_records(seed):
    draw = Random(seed)
    for _ in range(PER_EXAMPLE):
        record, findings = broken(draw, LITELLM), []
        rows = litellm._rows([record], "a request", DAY, "workflow:", findings)
        judge(litellm.TABLE, rows, 1, findings)


OPENROUTER = {
    "date": "2026-06-01", "model": "openai/gpt-4.1", "model_permaslug": "openai/gpt-4.1-2025-04-14", "endpoint_id": "e",
    "provider_name": "OpenAI", "usage": Decimal("0.015"), "byok_usage_inference": 0, "requests": 5, "prompt_tokens": 50,
    "completion_tokens": 125, "reasoning_tokens": 25, "cached_tokens": 25,
}


@QUICK
@given(SEEDS)
def test_openrouters_records(seed):
    draw = Random(seed)
    for _ in range(PER_EXAMPLE):
        record = broken(draw, OPENROUTER)
        asks = SimpleNamespace(get=lambda *asked, told=record: {"data": [told]}, describe=lambda *asked: "a request")
        try:
            kept = openrouter._kept(asks, [])
        except SourceError:
            assert openrouter._day(record) is None
        else:
            assert sum(kept.values()) == 1
        judge(openrouter.ACTIVITY, [openrouter.row(record)], 1, [])


LANGFUSE = {
    "id": "a", "startTime": "2026-06-01T10:00:00Z", "projectId": "p", "type": "GENERATION", "level": "DEFAULT",
    "model": "gpt-4o", "usageDetails": {"input": 12, "input_cached_tokens": 3, "output": 8, "total": 23},
    "totalCost": Decimal("0.1"), "tags": ["workflow:x"],
}
COUNTS = ("input", "output", "total", "input_cached_tokens", "x")


@QUICK
@given(SEEDS)
def test_langfuses_records(seed):
    draw = Random(seed)
    for number in range(PER_EXAMPLE):
        usage = {draw.choice(COUNTS): value(draw) for _ in range(draw.randrange(4))}
        record, findings = {**LANGFUSE, "usageDetails": usage} if number % 2 else broken(draw, LANGFUSE), []
        row = langfuse.row(record, "a request", DAY, {"provider": "openai", "workflow_tag_prefix": "x"}, findings)
        judge(langfuse.OBSERVATIONS, [row], 1, findings)


ANSWER = {"data": [LITELLM], "total": 1, "page": 1, "page_size": 1000, "total_pages": 1, "total_is_capped": False}


@QUICK
@given(SEEDS)
def test_litellms_answers(seed):
    draw = Random(seed)
    for _ in range(26):
        body = broken(draw, ANSWER)
        asks = SimpleNamespace(get=lambda path, params, body=body: body, describe=lambda *asked: "a request")
        try:
            found = [record for records, _ in _spend_logs.slices(asks, START, START + _spend_logs.SECOND)
                     for record in records]
        except SourceError as refused:
            assert "\n" not in str(refused)
        else:
            assert len(found) <= len(body["data"]) and all(record in body["data"] for record in found)
