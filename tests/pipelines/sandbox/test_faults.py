"""Each scripted fault does what its name says, to the requests that its rule names and to no others."""

import json
import time

import pytest
import requests

from pipelines.sandbox import faults, server
from pipelines.sandbox.faults import Faults, Rule

JUNE_1 = 1_780_272_000
HEADERS = {"Authorization": "Bearer sk-admin-sandbox-0000", "auth-token": "em-demo-token"}
USAGE = "/openai/v1/organization/usage/completions"
GRID = "/electricitymaps/v4/carbon-intensity/past-range"
GRID_DAY = {"zone": "FR", "start": "2026-06-01T00:00:00Z", "end": "2026-06-02T00:00:00Z"}


def asked(*rules: Rule, path: str = USAGE, times: int = 1, **params) -> list[requests.Response]:
    params = params or {"start_time": JUNE_1, "limit": 2, "group_by[]": "model"}
    with server.serve(faults=Faults(*rules)) as running:
        return [requests.get(running.url + path, params=params, headers=HEADERS, timeout=10) for _ in range(times)]


def spoiled(*mutators, path: str = USAGE, **params) -> dict:
    [answer] = asked(Rule(path, faults.changed(*mutators)), path=path, **params)
    return answer.json()


def test_only_the_named_request_is_spoiled():
    codes = [a.status_code for a in asked(Rule("/usage/", faults.status(500), nth=2), times=3)]
    assert codes == [200, 500, 200]
    codes = [a.status_code for a in asked(Rule("/usage/", faults.status(503), nth=(1, 3)), times=3)]
    assert codes == [503, 200, 503]
    assert asked(Rule("/costs", faults.status(500)))[0].status_code == 200
    rules = Rule("/usage/", faults.status(500), query="group_by[]=api_key_id")
    assert asked(rules)[0].status_code == 200


def test_requests_are_counted():
    with server.serve() as running:
        requests.get(running.url + USAGE, params={"start_time": JUNE_1}, headers=HEADERS, timeout=10)
        requests.post(f"{running.prometheus_url}/api/v1/query", data={"query": "up[1m]"}, timeout=10)
        assert running.requests == [
            ("GET", USAGE, f"start_time={JUNE_1}"), ("POST", "/prometheus/api/v1/query", "query=up%5B1m%5D"),
        ]
        running.clear_requests()
        assert running.requests == []


@pytest.mark.parametrize("value", [2, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_429(value):
    [answer] = asked(Rule("", faults.retry_after(value)))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(value))
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_bodies_that_are_not_whole():
    [answer] = asked(Rule("", faults.truncated(0.5)))
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)
    [answer] = asked(Rule("", faults.invalid_json()))
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        asked(Rule("", faults.reset_mid_body()))


def test_slow_and_misnamed_answers():
    started = time.monotonic()
    asked(Rule("", faults.stall(0.3)))
    assert time.monotonic() - started >= 0.3
    [answer] = asked(Rule("", faults.content_type("text/html")))
    assert answer.headers["Content-Type"] == "text/html" and answer.json()["object"] == "page"
    [answer] = asked(Rule("", faults.status(502, "<h1>Bad Gateway</h1>")))
    assert (answer.status_code, answer.text) == (502, "<h1>Bad Gateway</h1>")


def test_numbers_and_fields():
    right = asked()[0].json()["data"][0]["results"]
    wrong = spoiled(faults.negative("input_tokens"))["data"][0]["results"]
    assert [w["input_tokens"] for w in wrong] == [-r["input_tokens"] - 1 for r in right]
    wrong = spoiled(faults.fractional("output_tokens"))["data"][0]["results"]
    assert [w["output_tokens"] for w in wrong] == [r["output_tokens"] + 0.5 for r in right]
    assert all("sandbox_surprise" in w for w in spoiled(faults.unknown_field())["data"][0]["results"])
    assert not any("output_tokens" in w for w in spoiled(faults.drop_field("output_tokens"))["data"][0]["results"])
    wrong = spoiled(faults.set_field("num_model_requests", lambda old: old * 2, every=2))["data"]
    rows = [row for bucket in wrong for row in bucket["results"]]
    pairs = zip(rows, [r for b in asked()[0].json()["data"] for r in b["results"]], strict=True)
    assert [w["num_model_requests"] // r["num_model_requests"] for w, r in pairs] == [2, 1] * (len(rows) // 2) + [2] * (
        len(rows) % 2
    )


def test_pages():
    assert spoiled(faults.bucket_outside())["data"][0]["start_time"] == JUNE_1 - 400 * 86_400
    assert len(spoiled(faults.duplicate_record())["data"]) == 3
    again = spoiled(faults.repeat_cursor())
    assert (again["has_more"], again["next_page"]) == (True, "page_again")
    pages = [a.json() for a in asked(Rule("", faults.changed(faults.endless_paging())), times=3)]
    assert [page["next_page"] for page in pages] == ["page_00000001", "page_00000002", "page_00000003"]
    with server.serve(faults=Faults(Rule("", faults.duplicate_page()))) as running:
        params = {"start_time": JUNE_1, "limit": 1}
        first = requests.get(running.url + USAGE, params=params, headers=HEADERS, timeout=10).json()
        params["page"] = first["next_page"]
        assert requests.get(running.url + USAGE, params=params, headers=HEADERS, timeout=10).json() == first


def test_other_sources_can_be_spoiled_too():
    body = spoiled(faults.wrong_zone("IS"), path=GRID, **GRID_DAY)
    assert {body["zone"], *(row["zone"] for row in body["data"])} == {"IS"}
    body = spoiled(faults.set_field("carbonIntensity", lambda old: old + 1000), path=GRID, **GRID_DAY)
    assert min(row["carbonIntensity"] for row in body["data"]) > 1000
    query = {"query": "DCGM_FI_DEV_POWER_USAGE[5m]", "time": JUNE_1 + 3600}
    body = spoiled(faults.set_field("values", []), faults.set_top("warnings", ["partial"]),
                   path="/prometheus/api/v1/query", **query)
    assert body["warnings"] == ["partial"]
    assert [one["values"] for one in body["data"]["result"]] == [[]] * 8


def test_stopping_twice_and_asking_after():
    running = server.start()
    url = running.url
    assert requests.get(url, timeout=5).json()["sandbox"] is True
    running.stop()
    running.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
