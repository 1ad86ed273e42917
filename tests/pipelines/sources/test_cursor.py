"""Cursor from its requests to the activity in the ledger: totals by hand, events without tokens, nobody named."""

import json
import re
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
import responses
from models_over_home import models_over

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import cursor
from pipelines.sources.cursor import SOURCE, added_up
from pipelines.window import Window

KEY = "key_SENTINEL-7f3a9c"
FETCHED = datetime(2026, 7, 5, 3, tzinfo=UTC)
DAYS = Window.of_days("2026-06-29", "2026-06-30")


def event(at="2026-06-29T10:15:00.123", tokens=(126, 450, 6112, 11964), **more):
    """The documented event, at another time; tokens are input, output, cache write and cache read."""
    stamp = str(int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000))
    kinds = ("inputTokens", "outputTokens", "cacheWriteTokens", "cacheReadTokens")
    told = dict(zip(kinds, tokens or (), strict=False))
    return {"timestamp": stamp, "userEmail": "SENTINEL@example.org", "model": "claude-4.5-sonnet",
            "kind": "Usage-based", "maxMode": True, "isTokenBasedCall": bool(tokens), "isChargeable": True,
            "chargedCents": Decimal("21.36232"), **({"tokenUsage": told} if tokens else {}), **more}


class FakeCursor:
    """Answers for a team of five; `change` gets every answer before it goes."""

    def __init__(self):
        self.asked, self.change = [], lambda request, answer: answer
        self.events = [
            event(), event("2026-06-29T10:59:59.999", (74, 50, 0, 36)),
            event("2026-06-29T23:00:00", None, kind="Included in Business", isChargeable=False),
            event("2026-06-30T00:00:00", (1, 2, 3, 4), model="gpt-5", chargedCents=0),
        ]

    def __call__(self, request):
        sent = b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        if sent != f"{KEY}:":
            return 401, {}, json.dumps({"error": f"invalid {sent}"})
        asked = json.loads(request.body)
        self.asked.append((request.url.rpartition("/")[2], asked))
        if request.url.endswith("/teams/spend"):
            members = [{"email": "SENTINEL@example.org", "name": "SENTINEL", "spendCents": 2450}]
            return self.change(request, (200, {}, json.dumps({"teamMemberSpend": members, "totalMembers": 5,
                                                              "totalPages": 5})))
        inside = [each for each in self.events if asked["startDate"] <= int(each["timestamp"]) <= asked["endDate"]]
        first = (asked["page"] - 1) * asked["pageSize"]
        more = first + asked["pageSize"] < len(inside)
        return self.change(request, (200, {}, json.dumps({
            "totalUsageEventsCount": len(inside), "usageEvents": inside[first:first + asked["pageSize"]],
            "pagination": {"currentPage": asked["page"], "hasNextPage": more, "pageSize": asked["pageSize"]},
            "period": {name: asked[name] for name in ("startDate", "endDate")}}, default=float)))


@pytest.fixture
def vendor(monkeypatch):
    fake, real = FakeCursor(), cursor.client
    monkeypatch.setattr(cursor, "client", lambda given: replace(real(given), sleep=lambda seconds: None))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.POST, re.compile("https://api.cursor.com/.*"), callback=fake)
        yield fake


def context(home, environ=None, **options):
    (home / "scratch").mkdir(exist_ok=True, parents=True)
    return Context(Settings(home, "Test", False, {"cursor": {"seat_usd_per_month": 40, **options}}, (), (),
                            {"CURSOR_API_KEY": KEY} if environ is None else environ), home / "scratch")


def land(home, table, window=DAYS, **more):
    staged = landing.stage(SOURCE, SOURCE.table(table), context(home, **more), window)
    return landing.commit(staged, [], home, FETCHED)


def test_events_and_seats_reach_the_ledger_and_nobody_is_named(vendor, tmp_path):
    for table in SOURCE.tables:
        assert land(tmp_path, table.name).findings == []
    told = [str(pq.read_table(part).to_pylist()) for part in (tmp_path / "raw").rglob("part.parquet")]
    told += [path.read_text() for path in (tmp_path / "raw").rglob("receipt.json")]
    assert len(told) == 8 and not any("SENTINEL" in each for each in told)
    ask = models_over(tmp_path, "int_cursor__activity")
    # 126 + 74 fresh, 11964 + 36 read, 6112 written, 450 + 50 out; 2 x 21.36232 cents are 0.4272464 dollars.
    # A day of June for five seats of 40: 5 x 40 / 30, in billionths: 1.333333334, then 1.333333333
    assert ask("select usage_hour_utc, model_reported, call_count, input_tokens, cached_input_tokens, "
               "cache_write_input_tokens, output_tokens, cost_usd from int_cursor__activity "
               "order by 1, 3 nulls first") == [
        (datetime(2026, 6, 29), None, None, None, None, None, None, Decimal("6.66666667")),
        (datetime(2026, 6, 29, 10), "claude-4.5-sonnet", 2, 200, 12000, 6112, 500, Decimal("0.4272464")),
        (datetime(2026, 6, 29, 23), None, 1, None, None, None, None, Decimal(0)),
        (datetime(2026, 6, 30), None, None, None, None, None, None, Decimal("6.666666665")),
        (datetime(2026, 6, 30), "gpt-5", 1, 1, 4, 3, 2, Decimal(0)),
    ]


def test_a_day_is_read_page_by_page_to_its_end(vendor, tmp_path):
    vendor.events = [event(f"2026-06-29T00:{number // 60:02d}:{number % 60:02d}") for number in range(250)]
    land(tmp_path, "events", Window.of_days("2026-06-29", "2026-06-29"))
    assert [(asked["page"], asked["endDate"] - asked["startDate"]) for _, asked in vendor.asked] == [
        (1, 86_399_999), (2, 86_399_999), (3, 86_399_999)]
    rows = pq.read_table(next((tmp_path / "raw").rglob("part.parquet"))).to_pylist()
    assert [row["event_count"] for row in rows] == [250]


def test_a_page_that_comes_again_is_refused(vendor, tmp_path):
    kept = []

    def first(request, answer):
        kept.append(answer)
        return kept[0]

    vendor.change = first
    with pytest.raises(SourceError, match="Cursor sent another page .*: it is page 1; run the same days again"):
        land(tmp_path, "events", page_size=1)


def test_an_event_that_comes_again_is_counted_once():
    once = added_up([event(), event(model="gpt-5")], date(2026, 6, 29), "here")
    assert added_up([event(), event(model="gpt-5"), event()], date(2026, 6, 29), "here") == once


@pytest.mark.parametrize(("change", "field"), [
    ({"timestamp": "soon"}, "timestamp"), ({"timestamp": "99999999999999999"}, "timestamp"),
    ({"timestamp": "1750979225854"}, "timestamp"), ({"userEmail": None}, "userEmail"), ({"model": 5}, "model"),
    ({"tokenUsage": {"inputTokens": 1}}, "cacheReadTokens"), ({"tokenUsage": None}, "tokenUsage"),
    ({"tokenUsage": []}, "tokenUsage"), ({"chargedCents": None}, "chargedCents"),
    ({"chargedCents": "21"}, "chargedCents"),
])
def test_an_event_that_does_not_fit_is_named_by_its_field(change, field):
    rows, findings = added_up([event(), {**event(), **change}], date(2026, 6, 29), "here")
    assert [finding.where for finding in findings] == [f"here, event 2, field {field}"]
    assert [row["event_count"] for row in rows] == [1] and "SENTINEL" not in str(findings)


def test_the_doctor_says_what_the_key_may_read(vendor, tmp_path):
    assert SOURCE.check(context(tmp_path)) == (
        "Cursor answers: the team has 5 members, and the key may read usage events.")
    with pytest.raises(SourceError) as told:
        SOURCE.check(context(tmp_path, {"CURSOR_API_KEY": KEY + "x"}))
    assert "does not let this key read members" in str(told.value) and "SENTINEL" not in str(told.value)
    with pytest.raises(SourceError, match="the key only travels over https"):
        SOURCE.check(context(tmp_path, base_url="http://api.cursor.com"))
