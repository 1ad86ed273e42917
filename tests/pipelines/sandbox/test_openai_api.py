"""The sandbox's OpenAI: contract, paging and sums."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
import requests
from support import SHARED

from pipelines.sandbox import server

DAY = 86_400
JUNE_1 = 1_780_272_000  # date -u -d 2026-06-01 +%s
ALL_GROUPS = ["project_id", "api_key_id", "model", "batch", "service_tier"]
SPECIFICATION = SHARED / "openai-admin.openapi.json"
TOKENS = ("input_tokens", "output_tokens", "num_model_requests", "input_cached_tokens", "input_uncached_tokens",
          "input_cache_write_tokens")


def total(buckets: list[dict], names=TOKENS) -> Counter:
    sums = Counter()
    for bucket in buckets:
        for row in bucket["results"]:
            sums.update({name: row[name] for name in names})
    return sums


@pytest.fixture(scope="module")
def specification() -> dict:
    if not SPECIFICATION.is_file():
        pytest.skip(f"OpenAI's specification is not at {SPECIFICATION}")
    return json.loads(SPECIFICATION.read_text())


def check(specification: dict, name: str, value: dict) -> None:
    from jsonschema import Draft202012Validator

    schema = {"$ref": f"#/components/schemas/{name}", "components": specification["components"]}
    Draft202012Validator(schema).validate(value)


@pytest.mark.parametrize(
    ("path", "schema", "result", "params"),
    [
        ("usage/completions", "UsageResponse", "UsageCompletionsResult",
         {"bucket_width": "1h", "group_by": ALL_GROUPS}),
        ("usage/completions", "UsageResponse", "UsageCompletionsResult", {}),
        ("usage/embeddings", "UsageResponse", "UsageEmbeddingsResult", {"group_by": ["model", "api_key_id"]}),
        ("costs", "UsageResponse", "CostsResult", {"group_by": ["project_id", "line_item", "api_key_id"]}),
        ("costs", "UsageResponse", "CostsResult", {}),
    ],
)
def test_buckets_fit_the_specification(ask, specification, path, schema, result, params):
    status, page = ask(path, start_time=JUNE_1, **params)
    assert status == 200
    check(specification, schema, page)
    rows = [row for bucket in page["data"] for row in bucket["results"]]
    assert rows
    known = set(specification["components"]["schemas"][result]["properties"])
    for row in rows:
        check(specification, result, row)
        assert set(row) <= known


def test_lists_and_errors_fit_the_specification(ask, specification):
    status, projects = ask("projects", include_archived="true", limit=100)
    assert status == 200
    check(specification, "ProjectListResponse", projects)
    for project in projects["data"]:
        status, keys = ask(f"projects/{project['id']}/api_keys", owner_project_access="any")
        assert status == 200
        check(specification, "ProjectApiKeyListResponse", keys)
    status, error = ask("costs")
    assert status == 400
    check(specification, "ErrorResponse", error)


def test_pages_add_up_to_what_one_page_says(buckets):
    end = JUNE_1 + 14 * DAY
    whole = buckets("usage/completions", start_time=JUNE_1, end_time=end, bucket_width="1d", limit=31)
    hours = buckets("usage/completions", start_time=JUNE_1, end_time=end, bucket_width="1h", limit=5,
                    group_by=ALL_GROUPS)
    assert [b["start_time"] for b in hours] == list(range(JUNE_1, end, 3600))
    assert [b["end_time"] for b in hours] == list(range(JUNE_1 + 3600, end + 3600, 3600))
    assert total(whole) == total(hours)
    assert total(whole)["num_model_requests"] > 14 * 90_000


def test_minutes_add_up_to_their_hour(buckets):
    start = JUNE_1 + 9 * 3600
    question = {"start_time": start, "end_time": start + 3600, "group_by": ["model", "api_key_id"]}
    hour = buckets("usage/completions", bucket_width="1h", **question)
    minutes = buckets("usage/completions", bucket_width="1m", limit=60, **question)
    assert (len(hour), len(minutes)) == (1, 60)
    assert total(hour) == total(minutes)


@pytest.mark.parametrize("group_by", [[], ["model"], ["project_id", "batch"], ["user_id"], ALL_GROUPS])
def test_every_grouping_has_the_same_total(buckets, group_by):
    question = {"start_time": JUNE_1, "end_time": JUNE_1 + 3 * DAY, "bucket_width": "1d"}
    assert total(buckets("usage/completions", **question, group_by=group_by)) == total(
        buckets("usage/completions", **question)
    )


def test_token_kinds_are_disjoint_and_ungrouped_dimensions_null(buckets):
    for bucket in buckets("usage/completions", start_time=JUNE_1, end_time=JUNE_1 + DAY, bucket_width="1h",
                          group_by=["model"]):
        for row in bucket["results"]:
            parts = row["input_cached_tokens"] + row["input_cache_write_tokens"] + row["input_uncached_tokens"]
            assert row["input_tokens"] == parts
            assert row["input_uncached_tokens"] == row["input_text_tokens"]
            assert row["num_model_requests"] >= 1 and min(row[name] for name in TOKENS) >= 0
            assert row["model"]
            ungrouped = ("project_id", "user_id", "api_key_id", "batch", "service_tier")
            assert [row[name] for name in ungrouped] == [None] * 5


def test_filters_keep_only_what_is_asked(buckets):
    question = {"start_time": JUNE_1, "end_time": JUNE_1 + DAY, "bucket_width": "1d"}
    rows = buckets("usage/completions", **question, group_by=ALL_GROUPS)[0]["results"]
    batch = buckets("usage/completions", **question, batch="true")
    assert total(batch)["output_tokens"] == sum(r["output_tokens"] for r in rows if r["batch"])
    two = buckets("usage/completions", **question, project_ids=["proj_legal_de", "proj_people_us"], group_by=ALL_GROUPS)
    assert {r["project_id"] for r in two[0]["results"]} == {"proj_legal_de", "proj_people_us"}


def test_a_start_inside_an_hour_makes_the_first_bucket_partial(buckets):
    start = JUNE_1 + 9 * 3600 + 1500
    found = buckets("usage/completions", start_time=start, end_time=JUNE_1 + 12 * 3600, bucket_width="1h")
    edges = [(b["start_time"], b["end_time"]) for b in found]
    assert edges == [(start, JUNE_1 + 36_000), (JUNE_1 + 36_000, JUNE_1 + 39_600), (JUNE_1 + 39_600, JUNE_1 + 43_200)]
    whole = buckets("usage/completions", start_time=JUNE_1 + 9 * 3600, end_time=JUNE_1 + 12 * 3600, bucket_width="1h")
    assert total(found[1:]) == total(whole[1:])
    ratio = total(found[:1])["num_model_requests"] / total(whole[:1])["num_model_requests"]
    assert ratio == pytest.approx(2100 / 3600, abs=0.01)  # 35 of 60 minutes


def test_nothing_happened_before_the_first_day_nor_happens_after_today(buckets):
    early = buckets("usage/completions", start_time=JUNE_1 - 2 * DAY, end_time=JUNE_1, bucket_width="1d")
    assert [bucket["results"] for bucket in early] == [[], []]
    with server.serve(as_of=date(2026, 6, 3)) as running:
        headers = {"Authorization": "Bearer sk-admin-sandbox-0000"}
        url = f"{running.openai_url}/organization/usage/completions"
        params = {"start_time": JUNE_1, "end_time": JUNE_1 + 30 * DAY, "limit": 31}
        page = requests.get(url, params=params, headers=headers, timeout=30).json()
    assert [b["start_time"] for b in page["data"]] == [JUNE_1, JUNE_1 + DAY]
    assert page["has_more"] is False and page["next_page"] is None


def test_costs_are_tokens_times_price(buckets):
    question = {"start_time": JUNE_1, "end_time": JUNE_1 + DAY, "project_ids": ["proj_legal_de"]}
    [used] = buckets("usage/completions", **question, bucket_width="1d")[0]["results"]
    items = {r["line_item"]: r for r in buckets("costs", **question, group_by=["line_item"])[0]["results"]}
    assert set(items) == {"gpt-4o-2024-08-06, input", "gpt-4o-2024-08-06, output"}
    assert items["gpt-4o-2024-08-06, input"]["quantity"] == used["input_tokens"]
    assert items["gpt-4o-2024-08-06, input"]["quantity_unit"] == "tokens"
    # 2.50 dollars a million input tokens, 10.00 a million output tokens
    expected = (used["input_tokens"] * Decimal("2.5") + used["output_tokens"] * 10) / 10**6
    assert sum(Decimal(str(r["amount"]["value"])) for r in items.values()) == expected
    [whole] = buckets("costs", **question)[0]["results"]
    assert Decimal(str(whole["amount"]["value"])) == expected
    assert whole["quantity"] is None and whole["line_item"] is None


def test_costs_of_all_groupings_agree_to_the_nano_dollar(buckets):
    question = {"start_time": JUNE_1, "end_time": JUNE_1 + 90 * DAY, "limit": 180}
    sums = [
        sum(
            Decimal(str(row["amount"]["value"]))
            for bucket in buckets("costs", **question, group_by=group_by)
            for row in bucket["results"]
        )
        for group_by in ([], ["project_id"], ["project_id", "line_item", "api_key_id"])
    ]
    assert sums[0] == sums[1] == sums[2]


@pytest.mark.parametrize(
    ("path", "params", "text"),
    [
        ("usage/completions", {}, "Missing required parameter: 'start_time'."),
        ("usage/completions", {"start_time": JUNE_1, "bucket_width": "1h", "limit": 169},
         "Invalid limit provided: 169. Limit must be less than or equal to 168."),
        ("usage/completions", {"start_time": JUNE_1, "limit": 32}, "less than or equal to 31."),
        ("usage/completions", {"start_time": JUNE_1, "bucket_width": "1m", "limit": 1441}, "equal to 1440."),
        ("costs", {"start_time": JUNE_1, "limit": 366},
         "Invalid limit provided: 366. Limit must be less than or equal to 180."),
        ("costs", {"start_time": JUNE_1, "bucket_width": "1h"}, "Invalid value: '1h'."),
        ("costs", {"start_time": 1_764_979_199, "group_by": ["api_key_id"]}, "1764979200"),
        ("costs", {"start_time": JUNE_1, "group_by": ["model"]}, "Invalid value for group_by"),
        ("usage/embeddings", {"start_time": JUNE_1, "group_by": ["batch"]}, "Invalid value for group_by"),
        ("usage/completions", {"start_time": JUNE_1, "end_time": JUNE_1}, "end_time"),
        ("usage/completions", {"start_time": "yesterday"}, "expected an integer"),
        ("usage/completions", {"start_time": JUNE_1, "colour": "blue"}, "Unknown parameter: 'colour'."),
        ("usage/completions", {"start_time": JUNE_1, "page": "page_abc"}, "cursor does not belong"),
    ],
)
def test_refused(ask, path, params, text):
    status, body = ask(path, **params)
    assert status == 400
    assert text in body["error"]["message"]
    assert set(body["error"]) == {"message", "type", "param", "code"}


def test_a_cursor_belongs_to_its_parameters(ask):
    params = {"start_time": JUNE_1, "bucket_width": "1h", "limit": 24, "group_by": ["model"]}
    _, page = ask("usage/completions", **params)
    assert ask("usage/completions", **params, page=page["next_page"])[0] == 200
    for changed in ({"limit": 25}, {"group_by": ["project_id"]}, {"start_time": JUNE_1 + 3600}):
        assert ask("usage/completions", **(params | changed), page=page["next_page"])[0] == 400
    assert ask("usage/embeddings", **params, page=page["next_page"])[0] == 400


def test_both_spellings_of_arrays_are_understood(sandbox):
    base = f"{sandbox.openai_url}/organization/usage/completions?start_time={JUNE_1}&limit=1"
    headers = {"Authorization": "Bearer sk-admin-sandbox-0000"}
    brackets = requests.get(f"{base}&group_by[]=model&group_by[]=batch", headers=headers, timeout=30).json()
    plain = requests.get(f"{base}&group_by=model&group_by=batch", headers=headers, timeout=30).json()
    assert brackets["data"] == plain["data"]


@pytest.mark.parametrize(
    ("key", "status", "text"),
    [(None, 401, "didn't provide"), ("Bearer sk-proj-abc", 403, "Missing scopes: api.usage.read"),
     ("Bearer sk-admin-other", 401, "Incorrect API key")],
)
def test_keys(sandbox, key, status, text):
    headers = {"Authorization": key} if key else {}
    answer = requests.get(f"{sandbox.openai_url}/organization/projects", headers=headers, timeout=30)
    assert answer.status_code == status
    assert text in answer.json()["error"]["message"]


def test_lists_are_paged_by_the_last_id(ask):
    whole = ask("projects", include_archived="true")[1]["data"]
    assert len(whole) == 14  # 12 teams, the playground, the archived hackathon
    assert len(ask("projects")[1]["data"]) == 13
    seen, after = [], {}
    while True:
        _, page = ask("projects", include_archived="true", limit=4, **after)
        seen += page["data"]
        assert page["last_id"] == page["data"][-1]["id"]
        if not page["has_more"]:
            break
        after = {"after": page["last_id"]}
    assert seen == whole
    assert ask("projects", after="proj_none")[0] == 400
    assert ask("projects", limit=101)[0] == 400
    assert ask("projects/proj_none/api_keys")[0] == 404


def test_keys_of_leavers_need_any(ask):
    assert ask("projects/proj_hackathon/api_keys")[1]["data"] == []
    [key] = ask("projects/proj_hackathon/api_keys", owner_project_access="any")[1]["data"]
    assert (key["id"], key["owner_project_access"]) == ("key_hackathon_2025", "inactive")
    assert set(key["owner"]["user"]) == {"id", "name", "email", "role", "created_at"}
