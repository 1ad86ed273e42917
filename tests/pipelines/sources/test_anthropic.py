"""The Anthropic source from its requests to the activity in the ledger: contract, totals by hand, no people."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pyarrow.parquet as pq
import pytest
import responses
from models_over_home import models_over

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import anthropic
from pipelines.sources.anthropic import SOURCE
from pipelines.window import Window

KEY = "sk-ant-admin01-SENTINEL-7f3a9c"
FIXTURES = Path(__file__).parents[2] / "fixtures" / "anthropic"
FETCHED = datetime(2026, 7, 1, 3, tzinfo=UTC)
TWO_DAYS = Window.of_days("2026-06-01", "2026-06-02")
WIDTH = {"1h": timedelta(hours=1), "1d": timedelta(days=1)}


class FakeAnthropic:
    """Answers from `results` and `lists`; `refused` maps the ending of a path to (status, message)."""

    def __init__(self):
        self.requests, self.refused, self.mend = [], {}, lambda body: body
        self.results = {
            kind: {datetime.fromisoformat(at): rows for at, rows in buckets.items()}
            for kind, buckets in json.loads((FIXTURES / "hours.json").read_text()).items()
        }
        self.lists = json.loads((FIXTURES / "lists.json").read_text())

    def __call__(self, request):
        self.requests.append(request)
        path, asked = urlsplit(request.url).path.removeprefix("/v1/"), dict(parse_qsl(urlsplit(request.url).query))
        for ending, (status, message) in self.refused.items():
            if path.endswith(ending):
                error = {"type": "error", "error": {"type": "permission_error", "message": message}}
                return status, {}, json.dumps(error)
        if request.headers.get("x-api-key") != KEY or request.headers.get("anthropic-version") != "2023-06-01":
            return 401, {}, json.dumps({"type": "error", "error": {"message": f"invalid x-api-key {KEY}"}})
        body = self.items(path, asked) if path in self.lists else self.buckets(path, asked)
        return 200, {}, json.dumps(self.mend(body))

    def buckets(self, path, asked):
        """A page of buckets, empty ones among them; its cursor is the position, which Anthropic hides."""
        width, kind = WIDTH[asked["bucket_width"]], "costs" if path.endswith("cost_report") else "messages"
        assert 1 <= int(asked["limit"]) <= (168 if kind == "messages" and asked["bucket_width"] == "1h" else 31)
        start, end = (datetime.fromisoformat(asked[name]) for name in ("starting_at", "ending_at"))
        first = int(asked.get("page", "page_0").removeprefix("page_"))
        after, count = first + int(asked["limit"]), (end - start) // width
        edges = [start + number * width for number in range(first, min(after, count))]
        data = [{"starting_at": text(at), "ending_at": text(at + width), "results": self.results[kind].get(at, [])}
                for at in edges]
        return {"data": data, "has_more": after < count, "next_page": f"page_{after}" if after < count else None}

    def items(self, path, asked):
        """A page of a list; its cursor is the last id."""
        items, limit = self.lists[path], int(asked.get("limit", 20))
        first = next((n + 1 for n, item in enumerate(items) if item["id"] == asked.get("after_id")), 0)
        data = items[first:first + limit]
        return {"data": data, "first_id": data[0]["id"] if data else None,
                "last_id": data[-1]["id"] if data else None, "has_more": first + limit < len(items)}


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def vendor(monkeypatch):
    fake, real = FakeAnthropic(), anthropic.client
    monkeypatch.setattr(anthropic, "client", lambda context: replace(real(context), sleep=lambda seconds: None))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.GET, re.compile(r"https://api\.anthropic\.com/v1/.*"), callback=fake)
        yield fake


def context(tmp_path, environ=None, **options):
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    environ = {"ANTHROPIC_ADMIN_KEY": KEY, "JEVONS_HASH_KEY": "pepper"} if environ is None else environ
    return Context(Settings(tmp_path, "Test", False, {"anthropic": {"workspace_tag": "team", **options}}, (), (),
                            environ), scratch)


def land(table, tmp_path, window=TWO_DAYS, **more):
    staged = landing.stage(SOURCE, SOURCE.table(table), context(tmp_path, **more), window)
    return landing.commit(staged, [], tmp_path, FETCHED)


def test_own_values_reach_the_ledger(vendor, tmp_path):
    for table in SOURCE.tables:
        assert land(table.name, tmp_path).findings == []
    ask = models_over(tmp_path, *(f"stg_anthropic__{table.name}" for table in SOURCE.tables),
                      "int_anthropic__activity")

    # input of the first row is 1500 fresh + 200 read + (500 for 5 minutes + 1000 for an hour) written = 3200
    assert ask("""
        select usage_hour_utc, api_key_id, project_id, workflow_tag, model_reported, serving_mode, call_purpose,
            call_count, input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens, cost_usd
        from int_anthropic__activity where output_tokens > 0 order by output_tokens
    """) == [
        (datetime(2026, 6, 1), None, None, None, "claude-haiku-4-5", None, "unknown", None, 70, 0, 0, 8, 0),
        (datetime(2026, 6, 1), "apikey_search", "wrkspc_north", "north", "claude-opus-5", None, "unknown", None,
         1500, 200, 1500, 500, 0),
        (datetime(2026, 6, 2, 23), "apikey_night", "wrkspc_old", None, "claude-opus-5", "batch", "batch", None,
         4000, 300, 0, 900, 0),
    ]
    # 123.78912 cents are 1.2378912 dollars, not 123.79; a charge that names no model; a credit
    assert ask("select usage_date, workspace_id, model_reported, token_type, cost_usd from stg_anthropic__costs "
               "order by cost_usd") == [
        (date(2026, 6, 2), None, "claude-haiku-4-5", "output_tokens", Decimal("-0.005000000")),
        (date(2026, 6, 1), "wrkspc_north", None, None, Decimal("0.100000000")),
        (date(2026, 6, 1), "wrkspc_north", "claude-opus-5", "uncached_input_tokens", Decimal("1.237891200")),
    ]
    # 1.2378912 + 0.1 - 0.005, and no call is counted by a row of costs either
    assert ask("select sum(cost_usd), sum(call_count), typeof(max(cost_usd)) from int_anthropic__activity") == [
        (Decimal("1.332891200"), None, "DECIMAL(18,9)")
    ]
    assert ask("select * exclude (workspace_geo, default_inference_geo) from stg_anthropic__workspaces order by 1") == [
        ("wrkspc_north", "North", "north", datetime(2025, 4, 1, 8), None),
        ("wrkspc_old", "Old", None, datetime(2025, 4, 2, 8), datetime(2026, 6, 3)),
    ]
    assert ask("select api_key_id, status, workspace_id, created_by_type, length(created_by_hash), expires_at_utc "
               "from stg_anthropic__api_keys order by 1") == [
        ("apikey_night", "expired", "wrkspc_old", None, None, datetime(2026, 6, 30)),
        ("apikey_search", "active", "wrkspc_north", "user", 64, None),
    ]


def test_no_person_and_no_key_is_in_anything_that_is_written(vendor, tmp_path):
    for table in SOURCE.tables:
        land(table.name, tmp_path)
    parts = sorted((tmp_path / "raw").rglob("part.parquet"))
    assert len(parts) == 2 * 3 + 2
    for told in [str(pq.read_table(part).to_pylist()) for part in parts] + [
        path.read_text() for path in (tmp_path / "raw").rglob("receipt.json")
    ]:
        assert "SENTINEL" not in told and "user_" not in told


@pytest.mark.parametrize(
    ("days", "counts"), [(1, (1, 1)), (365, (53, 12))],  # 8760 h = 52 x 168 + 24; 365 d = 11 x 31 + 24
)
def test_a_window_takes_as_few_requests_as_the_limits_allow(vendor, tmp_path, days, counts):
    window = Window(date(2025, 7, 1), date(2025, 7, 1) + timedelta(days=days))
    for table, count in zip(("messages", "costs"), counts, strict=True):
        vendor.requests.clear()
        pages = list(SOURCE.table(table).fetch(context(tmp_path), window))
        assert len(vendor.requests) == len(pages) == count and not any(page.findings for page in pages)


def test_a_cursor_comes_with_every_other_parameter_unchanged(vendor, tmp_path):
    list(SOURCE.table("messages").fetch(context(tmp_path), Window.of_days("2026-06-01", "2026-06-14")))
    first, second = (parse_qsl(urlsplit(request.url).query) for request in vendor.requests)
    assert second == [*first, ("page", "page_168")]
    assert first == [
        ("starting_at", "2026-06-01T00:00:00Z"), ("ending_at", "2026-06-15T00:00:00Z"), ("bucket_width", "1h"),
        ("group_by[]", "api_key_id"), ("group_by[]", "workspace_id"), ("group_by[]", "model"),
        ("group_by[]", "service_tier"), ("group_by[]", "context_window"), ("group_by[]", "inference_geo"),
        ("limit", "168"),
    ]


def test_lists_are_read_to_their_end(vendor, tmp_path):
    key = vendor.lists["organizations/api_keys"][0]
    vendor.lists["organizations/api_keys"] = [{**key, "id": f"apikey_{number}"} for number in range(250)]
    rows = [row for page in SOURCE.table("api_keys").fetch(context(tmp_path), TWO_DAYS) for row in page.rows]
    assert len({row["id"] for row in rows}) == 250 and len(vendor.requests) == 3


def test_the_doctor_hears_that_all_is_well(vendor, tmp_path):
    assert SOURCE.check(context(tmp_path)) == (
        "Anthropic answers, and the key may read usage, costs, workspaces and API keys.")


@pytest.mark.parametrize(
    ("path", "what", "status"), [("messages", "usage", 403), ("cost_report", "costs", 401),
                                 ("workspaces", "workspaces", 404), ("api_keys", "API keys", 403)],
)
def test_the_doctor_hears_what_the_key_may_not_read(vendor, tmp_path, path, what, status):
    vendor.refused = {path: (status, f"x-api-key {KEY} is not an Admin API key")}
    with pytest.raises(SourceError) as told:
        SOURCE.check(context(tmp_path))
    sentence = str(told.value)
    assert sentence.startswith(f"Anthropic does not let this key read {what} (organizations/")
    assert "x-api-key *** is not an Admin API key; set ANTHROPIC_ADMIN_KEY to an Admin API key" in sentence
    assert KEY not in sentence and "\n" not in sentence


def test_without_a_key_nothing_is_asked(vendor, tmp_path):
    with pytest.raises(SourceError, match=r"Anthropic was not asked \(ANTHROPIC_ADMIN_KEY\): this env"):
        land("messages", tmp_path, environ={})
    with pytest.raises(SourceError, match="the key only travels over https"):
        land("messages", tmp_path, base_url="http://api.anthropic.com/v1")
    assert vendor.requests == []


@pytest.mark.parametrize(
    ("table", "change", "where", "rule"), [
        ("messages", {"cache_creation": None}, "field cache_creation", "does not say what it cached"),
        ("messages", {"cache_creation": {"ephemeral_1h_input_tokens": 1}},
         "field cache_creation_ephemeral_5m_input_tokens", "is required"),
        ("messages", {"cache_creation": {"ephemeral_1h_input_tokens": 1, "ephemeral_5m_input_tokens": 1,
                                         "ephemeral_9h_input_tokens": 1}},
         "field cache_creation.ephemeral_9h_input_tokens", "not part of the source's contract"),
        ("costs", {"currency": "EUR"}, "field currency", "'EUR' is not USD"),
        ("costs", {"amount": "a lot"}, "field amount_cents", "'a lot' is not a decimal number"),
        ("costs", {"amount": None}, "field amount_cents", "is required"),
    ],
)
def test_what_does_not_fit_holds_its_day_back_and_no_other(vendor, tmp_path, table, change, where, rule):
    at = datetime(2026, 6, 1, tzinfo=UTC)
    vendor.results[table][at] = [{**vendor.results[table][at][0], **change}]
    staged = landing.stage(SOURCE, SOURCE.table(table), context(tmp_path), TWO_DAYS)
    findings = [finding for finding in staged.findings if where in finding.where]
    if not findings:
        column = next(c for c in SOURCE.table(table).columns if where == f"field {c.name}")
        assert rule == "is required" and column.required  # the gate's to refuse
        return
    assert rule in findings[0].rule and {finding.day for finding in findings} == {"2026-06-01"}
    landed = landing.commit(staged, [], tmp_path, FETCHED)
    assert landed.quarantined == [date(2026, 6, 1)] and landed.changed == [date(2026, 6, 2)]


def test_an_hour_that_was_not_answered_holds_its_day_back(vendor, tmp_path):
    vendor.mend = lambda body: {**body, "data": body["data"][:-1]}
    landed = land("messages", tmp_path)
    assert [finding.sentence() for finding in landed.findings] == [
        "organizations/usage_report/messages of 2026-06-02: hour 23 (UTC) was not answered; run the same days again; "
        "if it stays, report it to Anthropic."]
    assert landed.changed == [date(2026, 6, 1)]
