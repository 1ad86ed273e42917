"""A Claude Enterprise plan's analytics: totals by hand, the remainder of the largest groups, nobody, nothing twice."""

import copy
import itertools
import json
import logging
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pyarrow.parquet as pq
import pytest
import responses
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from models_over_home import models_over

from pipelines import landing
from pipelines.errors import JevonsError, SourceError
from pipelines.http import Client
from pipelines.settings import Settings
from pipelines.source import Context, Page
from pipelines.sources import anthropic, claude_enterprise
from pipelines.sources._bucket_pages import DAY_S
from pipelines.sources.claude_enterprise import COSTS, SOURCE, TOKENS, USAGE
from pipelines.window import Window
from quality.landing import inspect

FIXTURES = Path(__file__).parents[2] / "fixtures/anthropic"
TOLD = json.loads((FIXTURES / "analytics.json").read_text("utf-8"))
KEY, PERSON = "sk-ant-api01-SENTINEL-5d", "who@SENTINEL.example"
TWO_DAYS, ONE_DAY = Window.of_days("2026-06-01", "2026-06-02"), Window.of_days("2026-06-01", "2026-06-01")
FETCHED = datetime(2026, 7, 1, tzinfo=UTC)


class FakeAnalytics:
    """Answers both reports bucket by bucket, forty on a page, by groups or as a whole."""

    def __init__(self):
        self.told, self.asked, self.refreshed, self.refused = copy.deepcopy(TOLD), [], "2026-07-01T00:00:00Z", None

    def __call__(self, request):
        path, asked = urlsplit(request.url).path.rpartition("/")[2], parse_qsl(urlsplit(request.url).query)
        self.asked.append((path, asked))
        one = dict(asked)
        if self.refused:
            return self.refused[0], {}, json.dumps(self.refused[1])
        assert request.headers["x-api-key"] == KEY
        width = timedelta(hours=1) if one["bucket_width"] == "1h" else timedelta(days=1)
        start, end = (datetime.fromisoformat(one[name]) for name in ("starting_at", "ending_at"))
        assert end - start <= timedelta(days=31)
        results = self.told[path]["groups" if "group_by[]" in one else "whole"]
        edges = [start + width * number for number in range((end - start) // width)]
        first = int(one.get("page", 0))
        data = [{"starting_at": text(at), "ending_at": text(at + width), "results": results.get(text(at), [])}
                for at in edges[first:first + 40]]
        more = first + 40 < len(edges)
        return 200, {}, json.dumps({"data": data, "has_more": more, "next_page": str(first + 40) if more else None,
                                    "data_refreshed_at": self.refreshed})


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def vendor(monkeypatch):
    fake, real = FakeAnalytics(), claude_enterprise.client
    monkeypatch.setattr(claude_enterprise, "client", lambda context: replace(real(context), sleep=lambda seconds: None))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback("GET", re.compile(r"https://api\.anthropic\.com/v1/organizations/analytics/.*"), fake)
        yield fake


def context(home, environ=None, **options):
    (home / "scratch").mkdir(exist_ok=True)
    environ = {"ANTHROPIC_ANALYTICS_KEY": KEY} if environ is None else environ
    sources = {"claude_enterprise": {"plan": "usage"} | options, "anthropic": {"claude_code": True}}
    return Context(Settings(home, "Test", False, sources, (), (), environ), home / "scratch")


def land(home, table="usage", window=TWO_DAYS, **options):
    staged = landing.stage(SOURCE, SOURCE.table(table), context(home, **options), window)
    return staged, landing.commit(staged, [], home, FETCHED)


def raw(home, table):
    return pq.read_table(home / "raw/claude_enterprise" / table / "dt=2026-06-01/part.parquet").to_pylist()


def test_own_values_reach_the_ledger_with_what_is_beyond_the_largest_groups(vendor, tmp_path):
    staged, done = land(tmp_path)
    assert done.findings == [] and done.changed == [date(2026, 6, 1), date(2026, 6, 2)]
    # as a whole 20 requests, in groups 10 + 4 + 3: 3 of 22 in two days are in none
    assert staged.warnings == [
        "organizations/analytics/usage_report, 2026-06-01 to 2026-06-02: 3 of 22 requests are in none of the groups "
        "that Anthropic tells, the 100 largest of each bucket: their product and model are unknown"]
    assert [value for path, asked in vendor.asked for name, value in asked if name == "group_by[]"] == [
        "product", "model"] * 2 and len(vendor.asked) == 4
    staged, done = land(tmp_path, "costs")
    assert done.findings == [] and "0.5 of 165.28912 amount_cents" in staged.warnings[0]
    ask = models_over(tmp_path, "int_anthropic__activity", "int_claude_enterprise__activity")
    # beyond: 1500 - 1000 - 400 = 100 in, 290 - 200 - 80 = 10 out; cached 600 - 500 - 100 = 0. Code was run three times
    assert ask("""
        select hour(usage_hour_utc), project_id, model_reported, call_count, input_tokens, cached_input_tokens,
            cache_write_input_tokens, output_tokens from int_claude_enterprise__activity
        where output_tokens > 0 order by output_tokens
    """) == [
        (23, "chat", "claude-haiku-4-5", 2, 40, 0, 0, 8), (9, None, None, 3, 100, 0, 0, 10),
        (9, "claude_code", "claude-opus-5", 4, 400, 100, 0, 80), (9, "chat", "claude-opus-5", 10, 1000, 500, 50, 200)]
    # 123.78912 + 41 + 0.5 cents: as much as the whole, in dollars
    assert ask("select sum(cost_usd), sum(call_count), any_value(provider) from int_claude_enterprise__activity") == [
        (Decimal("1.652891200"), 19, "claude_enterprise")]
    assert "SENTINEL" not in str(raw(tmp_path, "usage")) + str(raw(tmp_path, "costs"))


def test_claude_code_is_counted_once_beside_its_own_report(vendor, tmp_path):
    # of the Enterprise plan's Claude Code (500 out) and of a team's (10); the next day, the plan's analytics are empty
    tokens = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    used = [{"day": date(2026, 6, day), "customer_type": "subscription", "subscription_type": kind, "user_count": 1,
             "api_key_name": None, "model": "claude-opus-5", **dict.fromkeys(tokens, 1), "output_tokens": out,
             "estimated_cost_cents": Decimal(1)}
            for day, kind, out in ((1, "enterprise", 500), (1, "team", 10), (2, None, 500))]
    table = replace(anthropic.SOURCE.table("claude_code"), fetch=lambda here, window: iter([Page(used, "made up")]))
    landing.commit(landing.stage(anthropic.SOURCE, table, context(tmp_path), TWO_DAYS), [], tmp_path, FETCHED)
    ask = models_over(tmp_path, "int_anthropic__activity", "int_claude_enterprise__activity")
    for plan, by_report, by_plan in (("usage", [(1, 10), (2, 500)], [(8,), (10,), (80,), (200,)]),
                                     ("seats", [(1, 10), (1, 500), (2, 500)], [(8,), (10,), (200,)])):
        land(tmp_path, plan=plan)
        assert ask("select day(usage_date), output_tokens from int_anthropic__activity order by all") == by_report
        assert ask("select output_tokens from int_claude_enterprise__activity order by 1") == by_plan


def found(vendor, home, table="usage", **more):
    """The days that are held back by the source, else by the gate."""
    staged = landing.stage(SOURCE, SOURCE.table(table), context(home, **more), TWO_DAYS)
    return staged.findings or inspect(SOURCE.table(table), staged.files, home / "scratch")


@pytest.mark.parametrize("change, said", [
    (lambda told: told["whole"]["2026-06-01T09:00:00Z"][0].update(output_tokens=279), "of two moments"),
    (lambda told: told["whole"].pop("2026-06-01T09:00:00Z"), "of two moments"),
    (lambda told: told["whole"]["2026-06-01T09:00:00Z"][0].update(output_tokens="290"), "output_tokens is no number"),
    (lambda told: told["whole"]["2026-06-01T09:00:00Z"][0].pop("cache_creation"), "does not say what it cached"),
    (lambda told: told["whole"]["2026-06-01T09:00:00Z"].append(
        told["whole"]["2026-06-01T23:00:00Z"][0]), "two rows of one group"),
    (lambda told: told["groups"]["2026-06-01T09:00:00Z"][0].update(output_tokens=-1), "output_tokens"),
    (lambda told: told["groups"]["2026-06-01T09:00:00Z"][0].update(user_email="a"), "user_email"),
])
def test_what_does_not_add_up_holds_its_day_back(vendor, tmp_path, change, said):
    change(vendor.told["usage_report"])
    findings = found(vendor, tmp_path)
    assert {finding.day for finding in findings} == {"2026-06-01"}
    assert any(said in finding.sentence() for finding in findings)


def test_requests_that_are_not_told_are_unknown_and_no_reason_for_a_remainder(vendor, tmp_path):
    for row in vendor.told["usage_report"]["groups"]["2026-06-01T09:00:00Z"]:
        row["requests"] = None
    whole = vendor.told["usage_report"]["whole"]["2026-06-01T09:00:00Z"][0]
    whole |= {"uncached_input_tokens": 1400, "output_tokens": 280}
    staged, _ = land(tmp_path)
    assert not any(row["is_remainder"] for row in raw(tmp_path, "usage")) and staged.warnings == []
    whole["output_tokens"] = 281
    land(tmp_path)
    assert [row["requests"] for row in raw(tmp_path, "usage") if row["is_remainder"]] == [None]


def test_a_day_that_is_not_whole_yet_waits_and_one_that_is_revised_is_replaced(vendor, tmp_path):
    vendor.refreshed = "2026-06-02T21:00:00Z"
    _, done = land(tmp_path)
    assert done.changed == [date(2026, 6, 1)] and done.quarantined == [date(2026, 6, 2)]
    assert "its figures are of 2026-06-02T21:00Z, before its end" in done.findings[0].sentence()
    vendor.refreshed = None  # not told, so believed
    for part in ("whole", "groups"):
        vendor.told["usage_report"][part]["2026-06-01T23:00:00Z"][0]["output_tokens"] = 9
    assert land(tmp_path)[1].changed == [date(2026, 6, 1), date(2026, 6, 2)] and SOURCE.restate_days == 30
    assert sum(row["output_tokens"] for row in raw(tmp_path, "usage")) == 299
    vendor.asked.clear()
    land(tmp_path, "costs", Window.of_days("2026-05-01", "2026-06-02"))  # 33 days: no question is longer than 31
    assert len(vendor.asked) == 4


def test_nothing_secret_or_personal_is_told(vendor, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    told = []
    for status in (400, 401, 403, 404, 500):
        vendor.refused = status, {"error": {"message": f"{KEY} of {PERSON}"}}
        for ask in (land, lambda home: SOURCE.check(context(home))):
            with pytest.raises(SourceError) as refused:
                ask(tmp_path)
            told.append(repr(refused.value))
    assert "SENTINEL" not in "".join(told) + caplog.text


def test_the_doctor_says_what_the_key_may_not_read_and_what_is_not_configured(vendor, tmp_path):
    assert SOURCE.check(context(tmp_path)) == "Anthropic answers, and the key may read use and costs."
    vendor.refused = 403, {"error": {"message": "missing scope"}}
    with pytest.raises(SourceError, match="does not let this key read use.*missing scope.*read:analytics"):
        SOURCE.check(context(tmp_path))
    with pytest.raises(SourceError, match="ANTHROPIC_ANALYTICS_KEY.*is not set"):
        SOURCE.check(context(tmp_path, {}))
    for plan in (None, "team", []):
        with pytest.raises(SourceError, match="does not say how the Enterprise plan is paid"):
            SOURCE.check(context(tmp_path, plan=plan))


@dataclass
class Says(Client):
    """Answers without a network: by groups, and as a whole."""

    groups: Any = None
    whole: Any = None

    def get(self, path, params=()):
        return self.groups if "group_by[]" in dict(params) else self.whole


NAMES = ["data", "results", "starting_at", "ending_at", "has_more", "next_page", "product", "model", "requests",
         "uncached_input_tokens", "cache_creation", "output_tokens", "amount", "currency"]
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**19), st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from(["7", "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", "EUR", PERSON, ""]))
VALUES = st.recursive(LEAVES, lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)), max_leaves=4)
DEPTHS = ([], ["data", 0], ["data", 0, "results", 0])
REPORTS = {"usage_report": (replace(USAGE, width_s=DAY_S), claude_enterprise.usage, ("requests", *TOKENS)),
           "cost_report": (COSTS, claude_enterprise.cost, ("amount_cents", "requests"))}


@examples(max_examples=6, deadline=None, database=None)
@given(values=st.lists(VALUES, min_size=8, max_size=8))
def test_no_payload_crashes_the_parser_and_none_invents_a_row(values):
    """True answers in which one field, of the groups or of the whole, holds another value."""
    says = Says("Anthropic", "https://x.example")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claude_enterprise, "client", lambda context: says)
        for (report, (buckets, flatten, sums)), side in itertools.product(REPORTS.items(), ("groups", "whole")):
            true = json.dumps({"has_more": False, "next_page": None, "data": [
                {"starting_at": "2026-06-01T00:00:00Z", "ending_at": "2026-06-02T00:00:00Z",
                 "results": next(iter(TOLD[report][side].values()))}]})
            for depth, name, value in itertools.product(DEPTHS, NAMES, values):
                says.groups, says.whole = (json.loads(true, parse_float=Decimal) for _ in range(2))
                inner = getattr(says, side)
                for step in depth:
                    inner = inner[step]
                inner[name] = value
                try:
                    pages = list(claude_enterprise.fetch(buckets, flatten, sums, HERE, ONE_DAY))
                except JevonsError as refused:
                    assert "\n" not in str(refused)
                    continue
                rows = [row for page in pages for row in page.rows]
                left = [row for row in rows if row["is_remainder"]]
                assert len(left) <= 1 and (len(rows) <= 4 or name == "results")
                assert all((row["requests"] or 0) >= 0 for row in left)


HERE = Context(Settings(Path(), "Test", False, {"claude_enterprise": {"plan": "usage"}}, (), (), {}), Path())
