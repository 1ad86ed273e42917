"""What OpenAI can get wrong, and the one sentence that a person reads then."""

import json
import logging
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
import requests
from fake_openai import KEY, RESULT, bucket, completion, context, page, problem, serving

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.sources.openai import SOURCE
from pipelines.window import Window

DAY = Window.of_days("2026-06-01", "2026-06-01")
START = 1780272000  # 2026-06-01T00:00:00Z
HOUR = 3600
FETCHED = datetime(2026, 7, 1, 3, tzinfo=UTC)


@pytest.fixture
def vendor(monkeypatch):
    with serving(monkeypatch) as fake:
        yield fake


@pytest.fixture(autouse=True)
def the_key_is_never_told(caplog):
    """Whatever goes wrong, no log line may hold the key."""
    caplog.set_level(logging.DEBUG)
    yield
    assert KEY not in caplog.text


def stage(tmp_path, table="completions", window=DAY, **more):
    return landing.stage(SOURCE, SOURCE.table(table), context(tmp_path, **more), window)


def commit(staged, tmp_path):
    return landing.commit(staged, [], tmp_path, FETCHED)


def rows(staged):
    return [row for path in staged.files.values() for row in pq.read_table(path).to_pylist()]


def refusal(tmp_path, *parts, **more):
    """The sentence of the refusal; it holds all parts, stands on one line, ends once and does not hold the key."""
    with pytest.raises(SourceError) as told:
        stage(tmp_path, **more)
    sentence = str(told.value)
    for part in parts:
        assert part in sentence
    assert "\n" not in sentence and sentence.endswith(".") and not sentence.endswith("..")
    assert KEY not in sentence and KEY not in repr(told.value) and told.value.__cause__ is None
    assert not (tmp_path / "raw").exists()
    return sentence


def hours(results=(), count=24):
    return [bucket(START + n * HOUR, START + (n + 1) * HOUR, results if n == 0 else []) for n in range(count)]


def test_without_a_key_nothing_is_asked(vendor, tmp_path):
    refusal(tmp_path, "OpenAI was not asked (OPENAI_ADMIN_KEY): this environment variable is not set; set it to an "
            "admin key", environ={})
    refusal(tmp_path, "characters that no key has", environ={"OPENAI_ADMIN_KEY": KEY + "\u2026"})
    assert vendor.requests == []


def test_a_line_end_behind_the_key_does_no_harm(vendor, tmp_path):
    stage(tmp_path, environ={"OPENAI_ADMIN_KEY": f" {KEY}\n"})
    assert vendor.requests[0].headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("base_url", ["http://api.openai.com/v1", "api.openai.com/v1", "ftp://127.0.0.1/v1"])
def test_the_key_does_not_travel_in_the_clear(vendor, tmp_path, base_url):
    refusal(tmp_path, "jevons.toml, sources.openai.base_url", "the key only travels over https", base_url=base_url)
    assert vendor.requests == []


def test_a_wrong_key(vendor, tmp_path):
    told = "Incorrect API key provided: ***."
    vendor.queue = [problem(401, f"Incorrect API key provided: {KEY}.\nFind yours online.")]
    sentence = refusal(tmp_path, "OpenAI refused the request (organization/usage/completions?start_time=1780272000",
                       "the key was refused", told, "set OPENAI_ADMIN_KEY to a key that may read this")
    assert "Find yours online" in sentence and vendor.waits == []


def test_a_key_without_the_permission(vendor, tmp_path):
    vendor.queue = [problem(403, "You have insufficient permissions. Missing scopes: api.usage.read")]
    refusal(tmp_path, "the key is valid but lacks the permission", "Missing scopes: api.usage.read")
    assert len(vendor.requests) == 1


def test_a_request_that_openai_finds_wrong_is_not_repeated(vendor, tmp_path):
    vendor.queue = [problem(400, "Invalid limit provided: 366. Limit must be less than or equal to 180.")]
    refusal(tmp_path, "it answered 400: Invalid limit provided: 366", table="costs")
    assert len(vendor.requests) == 1


def test_too_many_requests_wait_as_long_as_openai_says(vendor, tmp_path):
    now = "Mon, 22 Jun 2026 10:00:00 GMT"
    vendor.queue = [
        problem(429, "Rate limit reached", {"Retry-After": "7"}),
        problem(429, "Rate limit reached", {"Retry-After": "Mon, 22 Jun 2026 10:00:31 GMT", "Date": now}),
        problem(429, "Rate limit reached", {"Retry-After": "Mon, 22 Jun 2026 10:00:09 -0000", "Date": now}),
        problem(429, "Rate limit reached", {"Retry-After": "86400"}),  # never longer than two minutes
        None,
    ]
    vendor.results["completions", START] = [completion()]
    assert len(rows(stage(tmp_path))) == 1
    assert vendor.waits == [7, 31, 9, 120] and len(vendor.requests) == 5


def test_too_many_requests_for_ever(vendor, tmp_path):
    vendor.queue = [problem(429, "Rate limit reached", {"Retry-After": "1"})] * 9
    refusal(tmp_path, "OpenAI could not be read", "it answered 429: Rate limit reached, 5 times", "run the same days")
    assert vendor.waits == [1, 1, 1, 1] and len(vendor.requests) == 5


@pytest.mark.parametrize("value", ["nan", "inf", "soon", "Mon, 99 Jun 2026", ""])
def test_a_retry_after_that_means_nothing_is_our_own_wait(vendor, tmp_path, value):
    vendor.queue = [problem(429, "", {"Retry-After": value}), problem(503, "", {"Retry-After": value}), None]
    stage(tmp_path)
    assert vendor.waits == [1, 2]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_asked_again_and_then_told(vendor, tmp_path, status):
    vendor.queue = [(status, {}, "<html>bad\ngateway</html>")] * 2 + [None]
    assert stage(tmp_path).findings == []
    vendor.queue = [problem(status, "The server had an error")] * 5
    refusal(tmp_path, f"it answered {status}: The server had an error, 5 times")
    assert vendor.waits == [1, 2, 1, 2, 4, 8]


@pytest.mark.parametrize(
    "cut", [
        (200, {}, '{"object": "page", "data": [{"object": "buck'), (200, {}, ""), (200, {}, "<html></html>"),
        (200, {}, '{"object": "page", "data": NaN}'), requests.ConnectionError("reset"),
        requests.exceptions.ChunkedEncodingError("cut"), requests.exceptions.ContentDecodingError("not gzip"),
    ],
)
def test_a_truncated_answer_is_asked_again_and_then_told(vendor, tmp_path, cut):
    vendor.results["completions", START] = [completion()]
    vendor.queue = [cut] * 4 + [None]
    assert len(rows(stage(tmp_path))) == 1
    vendor.queue = [cut] * 5
    sentence = refusal(tmp_path, "OpenAI could not be read", ", 5 times; run the same days again later")
    assert "is not whole JSON" in sentence or "the connection failed" in sentence


@pytest.mark.parametrize(
    ("body", "why"), [
        ([], "it is not a page with a list of data"), ({"object": "list", "data": []}, "it is not a page"),
        ({"object": "page", "data": {}}, "it is not a page with a list of data"),
        ({"object": "page", "data": []}, "it does not say whether there is more"),
        ({"object": "page", "data": [], "has_more": True, "next_page": None}, "there is more but has no next_page"),
        ({"object": "page", "data": [], "has_more": True, "next_page": ""}, "there is more but has no next_page"),
        ({"object": "page", "data": ["x"], "has_more": False}, "bucket 1): it is not a bucket"),
        ({"object": "page", "data": [{"object": "bucket", "start_time": START, "results": []}], "has_more": False},
         "it has no start_time, end_time or results"),
        ({"object": "page", "data": [bucket(float(START), START + HOUR, [])], "has_more": False}, "no start_time"),
        ({"object": "page", "data": [bucket(START, START + HOUR, None)], "has_more": False}, "or results"),
        ({"object": "page", "data": [bucket(START, START + HOUR, [completion(object=RESULT["costs"])])],
          "has_more": False}, "bucket 2026-06-01T00:00:00Z): a result is not a organization.usage.completions.result"),
    ],
)
def test_an_answer_of_another_shape(vendor, tmp_path, body, why):
    vendor.queue = [(200, {}, body)]
    refusal(tmp_path, "OpenAI's answer has another shape", why.replace("not a o", "not an o"))


@pytest.mark.parametrize(
    ("table", "body", "why"), [
        ("projects", {"object": "page", "data": [], "has_more": False}, "it is not a list with a list of data"),
        ("projects", {"object": "list", "data": [{"object": "organization.project"}], "has_more": False},
         "item 1): it is not an organization.project with an id"),
        ("projects", {"object": "list", "data": [], "has_more": True, "last_id": None}, "more but has no last_id"),
    ],
)
def test_a_list_of_another_shape(vendor, tmp_path, table, body, why):
    vendor.queue = [(200, {}, body)]
    refusal(tmp_path, "OpenAI's answer has another shape", why, table=table)


@pytest.mark.parametrize("owner", [None, "x", {"type": "user", "user": "Name"}])
def test_a_key_without_an_owner(vendor, tmp_path, owner):
    vendor.lists = {
        "organization/projects": [{"object": "organization.project", "id": "p", "created_at": 1}],
        "organization/projects/p/api_keys": [{"object": "organization.project.api_key", "id": "k", "owner": owner}],
    }
    refusal(tmp_path, "key k): it has no owner", table="api_keys")


def test_a_cursor_that_comes_twice(vendor, tmp_path):
    vendor.queue = [page(*hours(count=1), next_page="c1"), page(*hours(count=2), next_page="c2"),
                    page(*hours(count=3), next_page="c1")]
    refusal(tmp_path, "OpenAI's pages turn in a circle", "page=c2", "the cursor c1 came twice")
    assert len(vendor.requests) == 3


def test_a_list_that_turns_in_a_circle(vendor, tmp_path):
    item = {"object": "organization.project", "id": "p", "created_at": 1}
    body = {"object": "list", "data": [item], "has_more": True, "last_id": "p"}
    vendor.queue = [(200, {}, body), (200, {}, body)]
    refusal(tmp_path, "OpenAI's pages turn in a circle", "the cursor p came twice", table="projects")


def test_pages_without_end_and_without_anything_new(vendor, tmp_path):
    vendor.queue = [page(*hours(), next_page=f"c{n}") for n in range(100)]
    refusal(tmp_path, "OpenAI's pages do not end", "3 in a row held nothing new")
    assert len(vendor.requests) == 4  # the first page brought everything


def test_pages_without_end_that_always_bring_something_new(vendor, tmp_path):
    # a bucket of one second each: a day has room for 86,400 of them, 24 were asked for
    vendor.queue = [page(bucket(START + n, START + n + 1, []), next_page=f"c{n}") for n in range(100)]
    refusal(tmp_path, "OpenAI's pages do not end", "there can be no more than 24")
    assert len(vendor.requests) == 24 + 3


@pytest.mark.parametrize(
    ("start", "end"), [
        (START - HOUR, START), (START + 24 * HOUR, START + 25 * HOUR), (START - 60, START + HOUR),
        (START + 23 * HOUR, START + 24 * HOUR + 1), (START + HOUR, START + HOUR), (START + HOUR, START),
        (10**18, 10**19),
    ],
)
def test_a_bucket_outside_the_window_asked(vendor, tmp_path, start, end):
    vendor.queue = [page(bucket(start, end, []))]
    told = "" if start == 10**18 else datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%dT%H:%M:%SZ to ")
    refusal(tmp_path, "OpenAI sent a bucket that was not asked for", told,
            "it is not inside 2026-06-01 to 2026-06-01")


def test_a_bucket_of_two_days(vendor, tmp_path):
    vendor.queue = [page(bucket(START + 23 * HOUR, START + 25 * HOUR, []))]
    refusal(tmp_path, "OpenAI sent a bucket of two days", "2026-06-01T23:00:00Z to 2026-06-02T01:00:00Z",
            window=Window.of_days("2026-06-01", "2026-06-02"))


def test_a_first_bucket_that_begins_within_its_hour_is_taken(vendor, tmp_path):
    first = bucket(START + 1860, START + HOUR, [completion()])
    vendor.queue = [page(first, *hours()[1:])]
    staged = stage(tmp_path)
    assert staged.findings == [] and [row["start_time"] for row in rows(staged)] == [START + 1860]


def test_a_bucket_wider_than_asked_is_told_in_the_receipt(vendor, tmp_path):
    vendor.queue = [page(bucket(START, START + 24 * HOUR, [completion()]))]
    landed = commit(stage(tmp_path), tmp_path)
    assert landed.findings == []
    assert landed.receipts[0].warnings == ["the bucket 2026-06-01T00:00:00Z is 86400 s wide, 3600 s were asked"]


def test_an_hour_that_was_not_answered_holds_its_day_back_and_no_other(vendor, tmp_path):
    window = Window.of_days("2026-06-01", "2026-06-04")
    left_out = {START + 13 * HOUR, START + 24 * HOUR, START + 47 * HOUR} | {START + n * HOUR for n in range(72, 96)}
    vendor.mend = lambda body, params: {
        **body, "data": [b for b in body["data"] if b["start_time"] not in left_out]
    }
    landed = commit(stage(tmp_path, window=window), tmp_path)
    assert [finding.sentence() for finding in landed.findings] == [
        f"organization/usage/completions of {day}: {what} not answered; run the same days again; if it stays, "
        "report it to OpenAI."
        for day, what in (("2026-06-01", "hour 13 (UTC) was"), ("2026-06-02", "hours 00, 23 (UTC) were"),
                          ("2026-06-04", "the day was"))
    ]
    assert [receipt.day for receipt in landed.receipts] == ["2026-06-03"]
    assert landed.quarantined == [date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 4)]


def test_a_cost_day_that_was_not_answered(vendor, tmp_path):
    vendor.mend = lambda body, params: {**body, "data": body["data"][:-1]}
    landed = commit(stage(tmp_path, "costs", Window.of_days("2026-06-01", "2026-06-03")), tmp_path)
    assert [finding.where for finding in landed.findings] == ["organization/costs of 2026-06-03"]
    assert [receipt.day for receipt in landed.receipts] == ["2026-06-01", "2026-06-02"]


def test_an_idle_day_is_an_empty_file(vendor, tmp_path):
    landed = commit(stage(tmp_path), tmp_path)
    assert [(receipt.day, receipt.rows) for receipt in landed.receipts] == [("2026-06-01", 0)]


def test_a_page_that_comes_twice_counts_once(vendor, tmp_path):
    half = hours([completion()])
    vendor.queue = [page(*half[:12], next_page="c1"), page(*half[:12], next_page="c2"), page(*half[12:])]
    landed = commit(stage(tmp_path), tmp_path)
    assert landed.findings == []
    assert (landed.receipts[0].rows, landed.receipts[0].duplicates) == (1, 1)
    assert landed.receipts[0].totals["input_tokens"] == "100"


def test_the_same_identity_with_another_payload_is_held_back(vendor, tmp_path):
    vendor.results["completions", START] = [completion(), completion(input_tokens=101)]
    vendor.results["completions", START + 24 * HOUR] = [completion()]
    landed = commit(stage(tmp_path, window=Window.of_days("2026-06-01", "2026-06-02")), tmp_path)
    (finding,) = landed.findings
    assert finding.rule.startswith("1 id stands for different records (") and "proj_a, key_a, gpt-x" in finding.rule
    assert landed.quarantined == [date(2026, 6, 1)] and landed.changed == [date(2026, 6, 2)]


def test_negative_tokens_reach_the_gate_as_they_are(vendor, tmp_path):
    vendor.results["completions", START] = [completion(input_tokens=-5)]
    staged = stage(tmp_path)
    assert [row["input_tokens"] for row in rows(staged)] == [-5] and staged.findings == []
    column = next(c for c in SOURCE.table("completions").columns if c.name == "input_tokens")
    assert column.minimum == 0 and column.required  # what the gate refuses it by


@pytest.mark.parametrize(
    ("field", "value", "rule"), [
        ("output_tokens", 1.5, "'1.5' is not a whole number"), ("output_tokens", "20", "'20' is not a whole number"),
        ("output_tokens", True, "'True' is not a whole number"), ("output_tokens", 10**30, "is not a whole number"),
        ("model", 7, "'7' is not a text"), ("batch", "yes", "'yes' is not a true or false"),
        ("reasoning_tokens", 3, "this field is not part of the source's contract"),
    ],
)
def test_a_field_that_does_not_fit_is_named_and_holds_its_day_back(vendor, tmp_path, field, value, rule):
    vendor.results["completions", START] = [completion(**{field: value})]
    vendor.results["completions", START + 24 * HOUR] = [completion()]
    landed = commit(stage(tmp_path, window=Window.of_days("2026-06-01", "2026-06-02")), tmp_path)
    (finding,) = landed.findings
    assert finding.rule.endswith(rule) and finding.where.endswith(f"row 1, field {field}")
    assert landed.quarantined == [date(2026, 6, 1)] and landed.changed == [date(2026, 6, 2)]


def test_numbers_with_monstrous_exponents_neither_hang_nor_crash(vendor, tmp_path):
    whole = json.dumps(page(*hours([completion(output_tokens="?")]))[2])
    for number in ("1E+999999999", "1E-999999999", "-1E+400"):
        vendor.queue = [(200, {}, whole.replace('"?"', number))]
        (finding,) = stage(tmp_path).findings
        assert finding.rule == f"{str(Decimal(number))!r} is not a whole number"


@pytest.mark.parametrize(
    ("change", "where", "rule"), [
        ({"amount": {"value": 1, "currency": "eur"}}, "field amount.currency", "'eur' is not usd"),
        ({"amount": {"value": 1}}, "field amount.currency", "'' is not usd"),
        ({"amount": None}, "field amount", "the cost has no amount"),
        ({"amount": {"value": "a lot", "currency": "usd"}}, "field amount_value", "'a lot' is not a decimal number"),
        ({"amount": {"value": True, "currency": "usd"}}, "field amount_value", "'True' is not a decimal number"),
        ({"amount": {"value": 1, "currency": "usd", "tax": 2}}, "field amount.tax", "not part of the source"),
        ({"quantity": "1E+999999999"}, "field quantity", "is not a decimal number"),
    ],
)
def test_a_cost_that_does_not_fit(vendor, tmp_path, change, where, rule):
    good = {"object": RESULT["costs"], "amount": {"value": 0.5, "currency": "usd"}, "line_item": "gpt-x, input"}
    vendor.results["costs", START] = [{**good, **change}]
    vendor.results["costs", START + 24 * HOUR] = [good]
    landed = commit(stage(tmp_path, "costs", Window.of_days("2026-06-01", "2026-06-02")), tmp_path)
    (finding,) = landed.findings
    assert finding.where.endswith(where) and rule in finding.rule and finding.day == "2026-06-01"
    assert landed.quarantined == [date(2026, 6, 1)] and landed.changed == [date(2026, 6, 2)]


def test_the_key_is_in_no_file(vendor, tmp_path):
    vendor.queue = [problem(500, f"Bearer {KEY} broke"), None]
    vendor.results["completions", START] = [completion(), completion(input_tokens="x")]
    window = Window(DAY.first, DAY.first + timedelta(days=2))
    commit(stage(tmp_path, window=window), tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"part.parquet", "receipt.json", "findings.json"}
    for path in files:
        assert KEY.encode() not in path.read_bytes()


def test_an_address_or_key_that_cannot_be_sent_is_told_without_the_key(tmp_path, caplog):
    from pipelines.http import Client

    for headers, name in (({"Authorization": f"Bearer {KEY}\n"}, "InvalidHeader"),
                          ({"Authorization": f"Bearer {KEY}\u2026"}, "UnicodeEncodeError")):
        with pytest.raises(SourceError) as told:
            Client("OpenAI", "http://127.0.0.1:9", headers, "OPENAI_ADMIN_KEY").get("organization/costs")
        assert name in str(told.value) and "OPENAI_ADMIN_KEY" in str(told.value)
        assert KEY not in str(told.value) and told.value.__context__ is None
