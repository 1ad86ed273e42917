"""Claude Code's report: added up over people, each page once, and only what no other report holds in the ledger."""

import copy
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pyarrow.parquet as pq
import pytest
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models_over_home import models_over

from pipelines import landing
from pipelines.errors import JevonsError
from pipelines.http import Client
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import _claude_code, anthropic
from pipelines.sources.anthropic import SOURCE, WIRE
from pipelines.window import Window

DAYS = json.loads((Path(__file__).parents[2] / "fixtures/anthropic/claude_code.json").read_text("utf-8"))
URL = "https://api.anthropic.com/v1/" + _claude_code.PATH
TWO_DAYS, ONE_DAY = Window.of_days("2026-06-01", "2026-06-02"), Window.of_days("2026-06-01", "2026-06-01")


def context(tmp_path: Path, **options: object) -> Context:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return Context(Settings(
        tmp_path, "Test", False, {"anthropic": {"claude_code": True, **options}}, (), (),
        {"ANTHROPIC_ADMIN_KEY": "sk-ant-admin01-SENTINEL"}), scratch)


def answering(days: dict[str, list], page: int = 2):
    """The vendor: so many records on a page."""
    def answer(request):
        asked = dict(parse_qsl(urlsplit(request.url).query))
        assert asked["limit"] == "1000"
        records, first = days[asked["starting_at"]], int(asked.get("page", "0"))
        more = first + page < len(records)
        return 200, {}, json.dumps({"data": records[first:first + page], "has_more": more,
                                    "next_page": str(first + page) if more else None})
    return answer


def land(tmp_path: Path, days: dict[str, list], **options: object):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.GET, URL, callback=answering(days))
        staged = landing.stage(SOURCE, SOURCE.table("claude_code"), context(tmp_path, **options), TWO_DAYS)
        return landing.commit(staged, [], tmp_path, datetime(2026, 7, 1, tzinfo=UTC)), len(mock.calls)


def test_people_are_added_up_and_only_subscriptions_are_use_that_no_other_report_holds(tmp_path):
    landed, requests = land(tmp_path, DAYS)
    assert landed.findings == [] and requests == 3  # two pages of the first day, one of the second
    rows = pq.read_table(tmp_path / "raw/anthropic/claude_code/dt=2026-06-01/part.parquet").to_pylist()
    assert "SENTINEL" not in str(rows) and len(rows) == 3
    ask = models_over(tmp_path, "stg_anthropic__messages", "stg_anthropic__costs", "stg_anthropic__workspaces",
                      "int_anthropic__activity")
    # opus: 1000 + 500 fresh, 5000 + 1000 read, 700 + 300 written, 300 + 200 out; the API key's are among the messages
    assert ask("""
        select usage_date, project_id, model_reported, input_tokens, cached_input_tokens, cache_write_input_tokens,
            output_tokens, call_count, cost_usd from int_anthropic__activity order by model_reported
    """) == [
        (date(2026, 6, 1), "claude_code", "claude-haiku-4-5", 40, 0, 0, 10, None, 0),
        (date(2026, 6, 1), "claude_code", "claude-opus-5", 1500, 6000, 1000, 500, None, 0),
    ]
    opus = next(row for row in rows if row["model"] == "claude-opus-5" and row["customer_type"] == "subscription")
    assert (opus["user_count"], opus["estimated_cost_cents"]) == (2, Decimal(40))


def test_where_it_is_not_asked_for_nobody_is_asked(tmp_path):
    landed, requests = land(tmp_path, DAYS, claude_code=False)
    assert requests == 0 and [receipt.rows for receipt in landed.receipts] == [0, 0]


@pytest.mark.parametrize(("change", "said"), [
    (lambda record: record.pop("actor"), "no actor"),
    (lambda record: record.update(model_breakdown=None), "no model_breakdown"),
    (lambda record: record.update(date="2026-06-02T00:00:00Z"), "2026-06-01 was asked for"),
    (lambda record: record["model_breakdown"][0].pop("tokens"), "no tokens"),
])
def test_a_record_of_another_shape_is_refused(tmp_path, change, said):
    days = copy.deepcopy(DAYS)
    change(days["2026-06-01"][1])
    with pytest.raises(JevonsError, match=said):
        land(tmp_path, days)


@pytest.mark.parametrize("change", [
    lambda records: records.append(copy.deepcopy(records[0])),
    lambda records: records[0]["model_breakdown"][0]["tokens"].update(input="1000"),
    lambda records: records[0]["model_breakdown"][0]["tokens"].update(thinking=5),
    lambda records: records[0]["model_breakdown"][0]["estimated_cost"].update(currency="EUR"),
    lambda records: records[0].update(customer_type="reseller"),
    lambda records: records[0]["model_breakdown"][0]["tokens"].update(output=-1),
])
def test_what_cannot_be_counted_holds_its_day_back(tmp_path, change):
    days = copy.deepcopy(DAYS)
    change(days["2026-06-01"])
    staged_days = {"2026-06-01"}
    with responses.RequestsMock() as mock:
        mock.add_callback(responses.GET, URL, callback=answering(days))
        staged = landing.stage(SOURCE, SOURCE.table("claude_code"), context(tmp_path), TWO_DAYS)
    from quality.landing import inspect  # the gate's rules of columns

    found = [*staged.findings, *inspect(SOURCE.table("claude_code"), staged.files, tmp_path / "scratch")]
    assert {finding.day for finding in found} == staged_days


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        "date", "actor", "email_address", "api_key_name", "model_breakdown", "tokens", "input", "output", "model",
        "estimated_cost", "amount", "currency", "data", "has_more", "next_page", "customer_type"]), inner, max_size=5),
    max_leaves=12,
)


def spoiled(value):
    """The right page with the value in place of itself, of a record, and of each field of a record and its model."""
    yield value
    for place in range(3):
        records = copy.deepcopy(DAYS["2026-06-01"])
        records[place] = value
        yield {"data": records, "has_more": False, "next_page": None}
    for part in (lambda records: records[0], lambda records: records[0]["model_breakdown"][0]):
        for name in part(DAYS["2026-06-01"]):
            records = copy.deepcopy(DAYS["2026-06-01"])
            part(records)[name] = value
            yield {"data": records, "has_more": False, "next_page": None}


@settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(anything, min_size=25, max_size=25))
def test_no_payload_crashes_the_reader_or_invents_a_row(values):
    """Some 13,000 payloads: each value in each place."""
    whole, count = sum(len(record["model_breakdown"]) for record in DAYS["2026-06-01"]), 0
    for body in (body for value in values for body in spoiled(value)):
        count += 1
        asked = Client("Anthropic", "https://x.example")
        asked.get = lambda path, params=(), told=body: json.loads(json.dumps(told), parse_float=Decimal)
        try:
            pages = list(_claude_code.read(WIRE, asked, Context(None, Path()), ONE_DAY))
        except JevonsError:
            continue
        assert sum(row["user_count"] for page in pages for row in page.rows) <= whole
        assert all(type(row[name]) is int
                   for page in pages for row in page.rows for name in _claude_code.TOKENS.values())
    assert count * 30 >= 10_000


def test_the_table_is_the_sources_own():
    assert anthropic.SOURCE.table("claude_code").key == _claude_code.KEY
