"""The LiteLLM source by its endpoint and by its table: whole days behind a cap, nothing of people, totals by hand."""

import json
import re
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pyarrow.parquet as pq
import pytest
import responses
import sqlalchemy
from models_over_home import models_over
from postgresql_server import served

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import litellm
from pipelines.sources.litellm import SOURCE, TABLE
from pipelines.window import Window

KEY = "sk-SENTINEL-7f3a9c"
BASE = "https://litellm.example.org"
FETCHED = datetime(2026, 7, 1, 3, tzinfo=UTC)
DAY = Window.of_days("2026-06-01", "2026-06-01")
TWO_DAYS = Window.of_days("2026-06-01", "2026-06-02")
RECORDS = json.loads((Path(__file__).parents[2] / "fixtures" / "litellm" / "spend_logs.json").read_text())


class FakeLiteLLM:
    """Answers `/spend/logs/v2` as LiteLLM's code does: both ends are asked, 10,000 counted, ties lie as they come."""

    def __init__(self, records=RECORDS, cap=10_000):
        self.cap, self.requests, self.shuffles = cap, [], False
        self.users, self.mend = (200, [None]), lambda body: body
        self.put(records)

    def put(self, records):
        self.records = sorted(((datetime.fromisoformat(r["startTime"]), r) for r in records), key=lambda each: each[0])

    def __call__(self, request):
        self.requests.append(request)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {}, json.dumps({"error": {"message": f"invalid key {request.headers['Authorization'][7:]} of"}})
        path, asked = urlsplit(request.url).path, dict(parse_qsl(urlsplit(request.url).query))
        if path == "/spend/users":
            return self.users[0], {}, json.dumps(self.users[1])
        assert path == "/spend/logs/v2" and (asked["sort_by"], asked["sort_order"]) == ("startTime", "asc")
        start, end = (datetime.fromisoformat(asked[name]).replace(tzinfo=UTC) for name in ("start_date", "end_date"))
        found = [(at, r) for at, r in self.records if start <= at <= end]
        page, size = int(asked["page"]), int(asked["page_size"])
        if self.shuffles and page % 2 == 0:  # PostgreSQL owes no order to what starts together
            found.sort(key=lambda each: (each[0], -each[1]["number"]))
        total = min(len(found), self.cap)
        body = {"data": [r for _, r in found[(page - 1) * size:page * size]], "total": total, "page": page,
                "page_size": size, "total_pages": -(-total // size), "total_is_capped": len(found) > self.cap}
        return 200, {}, json.dumps(self.mend(body))


@pytest.fixture
def proxy(monkeypatch):
    fake, real = FakeLiteLLM(), litellm.client
    monkeypatch.setattr(litellm, "client", lambda context: replace(real(context), sleep=lambda seconds: None))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.GET, re.compile(re.escape(BASE) + "/.*"), callback=fake)
        yield fake


def context(tmp_path, environ=None, **options):
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    options = {"base_url": BASE, "workflow_tag_prefix": "workflow:", **options}
    options = {name: value for name, value in options.items() if value is not None}
    return Context(Settings(tmp_path, "Test", False, {"litellm": options}, (), (),
                            {"LITELLM_API_KEY": KEY} if environ is None else environ), scratch)


def land(tmp_path, window=TWO_DAYS, **more):
    return landing.commit(landing.stage(SOURCE, TABLE, context(tmp_path, **more), window), [], tmp_path, FETCHED)


def landed_rows(tmp_path):
    return [row for part in sorted((tmp_path / "raw").rglob("part.parquet")) for row in pq.read_table(part).to_pylist()]


def many(count, seconds, first="2026-06-01T00:00:00"):
    """Requests that start one after the other, so many in so many seconds."""
    start = datetime.fromisoformat(first).replace(tzinfo=UTC)
    return [
        {**RECORDS[1], "request_id": f"r{number}", "number": number, "prompt_tokens": number,
         "startTime": (start + timedelta(seconds=seconds) * number / count).isoformat()}
        for number in range(count)
    ]


def test_own_values_reach_the_ledger(proxy, tmp_path):
    assert land(tmp_path).findings == []
    ask = models_over(tmp_path, "stg_litellm__requests", "int_litellm__activity")

    # 10 h: 1200 in of which 300 cached, and one that failed; the proxy's own cache answered the same once more.
    # Bedrock: 3200 - 200 read - 1500 written = 1500. The batch is 19 + 1 calls; asking after it and typing are none.
    hashed = RECORDS[0]["api_key"]
    assert ask("""
        select usage_hour_utc, provider, model_reported, api_key_id, project_id, workflow_tag, serving_mode, call_count,
            error_count, input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens,
            reasoning_output_tokens, cost_usd
        from int_litellm__activity order by usage_hour_utc
    """) == [
        (datetime(2026, 6, 1, 10), "openai", "gpt-4o", hashed, "claims", "letters", None, 2, 1, 900, 300, 0, 100, 40,
         Decimal("0.004125000")),
        (datetime(2026, 6, 1, 23), "bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", None, None, "sums", None,
         1, 0, 1500, 200, 1500, 300, None, Decimal("0.250000000")),
        (datetime(2026, 6, 2, 0), "vllm.internal:8000", "llama", None, None, None, None, 1, 0, 60, 0, 0, 10, None, 0),
        (datetime(2026, 6, 2, 5), "azure_openai", "gpt-4o", None, None, None, "batch", 20, 1, 8000, 0, 0, 1000, None,
         Decimal("1.500000000")),
        (datetime(2026, 6, 2, 6), None, "unknown-model", None, None, None, None, 1, 1, 0, 0, 0, 0, None, 0),
    ]
    assert ask("select count(*), sum(is_cache_hit::int) from stg_litellm__requests") == [(8, 1)]


def test_nothing_of_users_or_content_is_in_anything_that_is_written(proxy, tmp_path):
    land(tmp_path)
    for told in [str(landed_rows(tmp_path))] + [path.read_text() for path in (tmp_path / "raw").rglob("receipt.json")]:
        assert len(told) > 100 and "SENTINEL" not in told and "192.0.2" not in told and "example.org" not in told


def test_a_day_of_25001_requests_behind_a_cap_of_10000_is_whole(proxy, tmp_path):
    proxy.put(many(25_001, 86_400) + many(3, 3, "2026-06-02T00:00:00"))
    landed = land(tmp_path, DAY)
    # the sum of 0 to 25,000 is 25,000 x 25,001 / 2
    assert [(r.rows, r.totals["prompt_tokens"], r.duplicates) for r in landed.receipts] == [(25_001, "312512500", 0)]
    assert [row["prompt_tokens"] for row in landed_rows(tmp_path)] == list(range(25_001)), "in order of time"


def test_requests_at_an_edge_of_slices_are_counted_once(proxy, tmp_path):
    noon = [{**each, "startTime": "2026-06-01T12:00:00Z"} for each in many(40, 1)]
    proxy.cap = 100
    proxy.put(noon + [{**each, "request_id": f"b{each['number']}"} for each in many(90, 43_000)])
    assert [receipt.rows for receipt in land(tmp_path, DAY).receipts] == [130]


def test_more_requests_in_a_second_than_it_counts_are_refused(proxy, tmp_path):
    proxy.cap = 9
    proxy.put(many(10, 1, "2026-06-01T07:30:05"))
    with pytest.raises(SourceError) as told:
        land(tmp_path, DAY)
    sentence = str(told.value)
    assert sentence.startswith("LiteLLM does not give all requests of one second (spend/logs/v2?start_date=2026-06-01")
    assert "07%3A30%3A05" in sentence and "replace base_url by url_env" in sentence
    assert not (tmp_path / "raw").exists()


def test_fewer_requests_than_it_counts_are_refused(proxy, tmp_path):
    proxy.mend = lambda body: {**body, "total": 2_500}
    with pytest.raises(SourceError, match="LiteLLM sent less than there is .* it counts 2500 requests and sent 5; run"):
        land(tmp_path, DAY)
    assert len(proxy.requests) == 3  # one for the key, and a second page, which is empty


def test_an_old_proxy_that_does_not_say_that_it_stopped_counting_is_not_believed(proxy, tmp_path):
    proxy.mend = lambda body: {name: value for name, value in body.items() if name != "total_is_capped"}
    proxy.put(many(10_500, 86_400))
    assert [receipt.rows for receipt in land(tmp_path, DAY).receipts] == [10_500]


def test_requests_that_change_places_between_two_pages_are_all_read(proxy, tmp_path):
    proxy.shuffles = True
    early = many(1_500, 0)
    late = [{**each, "request_id": f"l{each['number']}", "startTime": "2026-06-01T20:00:00Z"} for each in many(700, 0)]
    proxy.put([{**each, "startTime": f"2026-06-01T0{each['number'] % 2}:00:00Z"} for each in early] + late)
    assert [receipt.rows for receipt in land(tmp_path, DAY).receipts] == [2_200]
    proxy.put([{**each, "startTime": "2026-06-01T00:00:00Z"} for each in early])
    with pytest.raises(SourceError, match=r"of 1500 requests it sent \d+, some of them twice; read its database"):
        land(tmp_path, DAY)


def test_what_was_deleted_at_the_proxy_stays_in_the_ledger(proxy, tmp_path):
    land(tmp_path, DAY)
    proxy.put(RECORDS[1:])
    landed = land(tmp_path, DAY)
    assert landed.quarantined == [date(2026, 6, 1)] and len(landed_rows(tmp_path)) == 4
    assert "3 are told of, and 4 were landed before: they were deleted there" in landed.findings[0].sentence()


@pytest.mark.parametrize(("answer", "why"), [
    ((403, {"error": {"message": f"key {KEY} may not"}}), "the key is valid but lacks the permission: key *** may not"),
    ((200, []), "it is shown the requests of its own user only"),
])
def test_a_key_that_sees_its_own_requests_only_is_refused(proxy, tmp_path, answer, why):
    proxy.users = answer
    for asking in (lambda: land(tmp_path, DAY), lambda: SOURCE.check(context(tmp_path))):
        with pytest.raises(SourceError) as told:
            asking()
        assert str(told.value) == (
            f"LiteLLM shows this key only a part (LITELLM_API_KEY): {why}; set it to a key of a user with the role "
            "proxy_admin_viewer made by an admin of the proxy.")


def test_the_doctor_hears_what_is_there(proxy, tmp_path):
    said = "LiteLLM answers spend/logs/v2, and the key sees the requests of all users."
    assert SOURCE.check(context(tmp_path)) == said
    proxy.users = (404, {})
    assert "could not be found out (404)" in SOURCE.check(context(tmp_path))
    with pytest.raises(SourceError, match=r"LiteLLM shows this key only a part .* invalid key \*\*\* of"):
        SOURCE.check(context(tmp_path, {"LITELLM_API_KEY": f"{KEY}x"}))


@pytest.mark.parametrize(("options", "why"), [
    ({"url_env": "OUR_LOGS"}, "it has both `base_url` and `url_env`"),
    ({"workflow_tag_prefix": 3}, "`workflow_tag_prefix` is no text"),
    ({"base_url": "http://litellm.internal:4000"}, "the key only travels over https"),
])
def test_settings_that_mean_nothing_are_refused(proxy, tmp_path, options, why):
    with pytest.raises(SourceError) as told:
        land(tmp_path, **options)
    assert why in str(told.value) and proxy.requests == []


@pytest.mark.parametrize(("change", "rule"), [
    ({"startTime": None}, "it is no instant"), ({"metadata": [1]}, "it is no object"),
    ({"prompt_tokens": "1200"}, "'1200' is not a whole number"), ({"spend": "much"}, "'much' is not a decimal number"),
    ({"metadata": {"usage_object": {"cache_read_input_tokens": 1.5}}}, "'1.5' is not a whole number"),
])
def test_what_does_not_fit_holds_its_day_back_and_no_other(proxy, tmp_path, change, rule):
    proxy.mend = lambda body: {**body, "data": [
        {**record, **change} if record["request_id"] == "chatcmpl-1" else record for record in body["data"]]}
    landed = land(tmp_path)
    assert landed.quarantined == [date(2026, 6, 1)] and landed.changed == [date(2026, 6, 2)]
    assert any(rule in finding.rule for finding in landed.findings)


SPEND_LOGS = """
create table "LiteLLM_SpendLogs" (
    request_id text primary key, call_type text, api_key text default '', spend float default 0, total_tokens int,
    prompt_tokens int default 0, completion_tokens int default 0, "startTime" timestamp, "endTime" timestamp,
    model text default '', custom_llm_provider text, api_base text, "user" text, metadata jsonb default '{}',
    cache_hit text, request_tags jsonb default '[]', team_id text, end_user text, requester_ip_address text,
    messages jsonb, response jsonb, session_id text, status text)
"""
INSERT = """
insert into "LiteLLM_SpendLogs" select * from json_populate_record(null::"LiteLLM_SpendLogs", cast(:record as json))
"""


def test_the_table_on_a_real_postgresql_gives_the_same_bytes_as_the_endpoint(proxy, tmp_path):
    for way in ("asked", "queried"):
        (tmp_path / way).mkdir()
    land(tmp_path / "asked")
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "pg") as url:
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(SPEND_LOGS))
            for record in RECORDS:
                written = record | {"metadata": json.dumps(record["metadata"])} if record is RECORDS[0] else record
                connection.execute(sqlalchemy.text(INSERT), {"record": json.dumps(written)})
        environ = {"LITELLM_DATABASE_URL": url}
        landed = land(tmp_path / "queried", base_url=None, environ=environ)
        assert SOURCE.check(context(tmp_path, environ, base_url=None)) == (
            "LiteLLM's table can be read; it holds 0 requests of 2026-01-01.")
        with engine.begin() as connection:  # more than are fetched at once
            connection.execute(sqlalchemy.text("""
                insert into "LiteLLM_SpendLogs" (request_id, "startTime", prompt_tokens)
                select 'n' || n, timestamp '2026-06-03' + n * interval '1 second', n from generate_series(0, 25000) as n
            """))
        engine.dispose()
        many_rows = land(tmp_path / "queried", Window.of_days("2026-06-03", "2026-06-03"), base_url=None,
                         environ=environ)
    assert landed.findings == [] and [receipt.rows for receipt in landed.receipts] == [4, 4]
    assert landed.receipts[0].requests == ["LiteLLM_SpendLogs of 2026-06-01"]
    asked, queried = (
        {part.parent.name: part.read_bytes() for part in (tmp_path / way / "raw").rglob("part.parquet")
         if "2026-06-03" not in str(part)} for way in ("asked", "queried"))
    assert asked == queried and len(asked) == 2
    assert [(r.rows, r.totals["prompt_tokens"]) for r in many_rows.receipts] == [(25_001, "312512500")]


def test_a_database_that_cannot_be_asked_is_one_sentence(tmp_path):
    for environ, why in (({}, r"LITELLM_DATABASE_URL\): this environment variable is not set"),
                         ({"LITELLM_DATABASE_URL": "sqlite:///:memory:"}, "refused the query")):
        with pytest.raises(SourceError, match=why):
            land(tmp_path, base_url=None, environ=environ)
