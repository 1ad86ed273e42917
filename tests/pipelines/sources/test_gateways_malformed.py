"""Ten thousand malformed payloads for the gateways' parsers: a finding or a sentence, no crash, no row made up."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.sources import _spend_logs, langfuse, litellm, openrouter
from pipelines.typed import to_arrow

DAY = date(2026, 6, 1)
START, STOP = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)
QUICK = settings(max_examples=260, deadline=None, suppress_health_check=list(HealthCheck))
PER_EXAMPLE = 16

TEXTS = st.sampled_from([
    "", " ", "\x00", "\ud800", "a" * 300, "1e999", "-0", "NaN", "None", "true", "{}", "[", '{"a":', "[[[[", "//",
    "http://[", "http://a:99999", "https://u:p@h/x", "2026-06-01T10:00:00Z", "2026-06-31T10:00:00Z",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-06-01", "workflow:x", "success",
    "someone@example.org", "openai/gpt-4o", "GENERATION",
])
SCALARS = st.one_of(
    st.none(), st.booleans(), TEXTS, st.integers(-2, 2**70), st.sampled_from([10**400, -(2**63)]),
    st.sampled_from([Decimal("1E+999999"), Decimal("1E-999999"), Decimal("0.1"), Decimal("-1")]),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
                      max_leaves=4)


def broken(good):
    """The good record with some of its fields, of whatever depth, replaced or taken away; or no record at all."""
    names = sorted(good)
    return st.one_of(
        st.dictionaries(st.sampled_from(names), VALUES, max_size=4).map(lambda new: {**good, **new}),
        st.lists(st.sampled_from(names), max_size=4).map(lambda gone: {n: v for n, v in good.items() if n not in gone}),
        st.dictionaries(st.sampled_from(names), VALUES),
    )


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
@given(st.lists(broken(LITELLM), min_size=PER_EXAMPLE, max_size=PER_EXAMPLE))
def test_litellms_records(records):
    for record in records:
        findings = []
        rows = litellm._rows([record], "a request", DAY, "workflow:", findings)
        judge(litellm.TABLE, rows, 1, findings)


OPENROUTER = {
    "date": "2026-06-01", "model": "openai/gpt-4.1", "model_permaslug": "openai/gpt-4.1-2025-04-14", "endpoint_id": "e",
    "provider_name": "OpenAI", "usage": Decimal("0.015"), "byok_usage_inference": 0, "requests": 5, "prompt_tokens": 50,
    "completion_tokens": 125, "reasoning_tokens": 25, "cached_tokens": 25,
}


@QUICK
@given(st.lists(broken(OPENROUTER), min_size=PER_EXAMPLE, max_size=PER_EXAMPLE))
def test_openrouters_records(records):
    for record in records:
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
USAGE = st.dictionaries(st.sampled_from(["input", "output", "total", "input_cached_tokens", "x"]), VALUES, max_size=3)


@QUICK
@given(st.lists(broken(LANGFUSE) | USAGE.map(lambda usage: {**LANGFUSE, "usageDetails": usage}),
                min_size=PER_EXAMPLE, max_size=PER_EXAMPLE))
def test_langfuses_records(records):
    for record in records:
        findings = []
        row = langfuse.row(record, "a request", DAY, {"provider": "openai", "workflow_tag_prefix": "x"}, findings)
        judge(langfuse.OBSERVATIONS, [row], 1, findings)


@QUICK
@given(st.lists(broken({"data": [LITELLM], "total": 1, "page": 1, "page_size": 1000, "total_pages": 1,
                        "total_is_capped": False}), min_size=4, max_size=4))
def test_litellms_answers(bodies):
    for body in bodies:
        asks = SimpleNamespace(get=lambda path, params, body=body: body, describe=lambda *asked: "a request")
        try:
            found = [record for records, _ in _spend_logs.slices(asks, START, START + _spend_logs.SECOND)
                     for record in records]
        except SourceError as refused:
            assert "\n" not in str(refused)
        else:
            assert len(found) <= len(body["data"]) and all(record in body["data"] for record in found)
