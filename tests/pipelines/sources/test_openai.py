"""The OpenAI source from its requests to the staging models: contract, number of requests, totals, no people."""

import hashlib
import hmac
import json
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
import requests
from fake_openai import EXAMPLES, FIXTURES, KEY, SHARED, bucket, context, page, serving
from models_over_home import models_over

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.sources.openai import SOURCE
from pipelines.window import Window

SPECIFICATION = SHARED / "openai-admin.openapi.json"
FETCHED = datetime(2026, 7, 1, 3, tzinfo=UTC)
TWO_DAYS = Window.of_days("2026-06-01", "2026-06-02")
DAILY = ("completions", "embeddings", "costs")
needs_reference = pytest.mark.skipif(not SPECIFICATION.is_file(), reason="OpenAI's specification is not beside us")


@pytest.fixture
def vendor(monkeypatch):
    with serving(monkeypatch) as fake:
        yield fake


def seconds(instant):
    return int(datetime.fromisoformat(instant).timestamp())


def load(vendor):
    for kind, buckets in json.loads((FIXTURES / "hours.json").read_text()).items():
        for instant, results in buckets.items():
            vendor.results[kind, seconds(instant)] = results
    vendor.lists = json.loads((FIXTURES / "lists.json").read_text())


def stage(table, tmp_path, window, **more):
    return landing.stage(SOURCE, SOURCE.table(table), context(tmp_path, **more), window)


def land(table, tmp_path, window, **more):
    return landing.commit(stage(table, tmp_path, window, **more), [], tmp_path, FETCHED)


def staged_rows(staged):
    return [row for path in staged.files.values() for row in pq.read_table(path).to_pylist()]


def staging(home):
    """The staging models over this home."""
    return models_over(home, *(f"stg_openai__{table.name}" for table in SOURCE.tables))


@pytest.mark.parametrize(
    ("window", "counts"),
    [
        # 24 hours in one page of 168; one day in one page of 180
        (Window.of_days("2026-06-01", "2026-06-01"), (1, 1, 1)),
        # 365 x 24 = 8760 hours = 52 x 168 + 24; 365 days = 180 + 180 + 5
        (Window.of_days("2026-01-01", "2026-12-31"), (53, 53, 3)),
        # 4 days = 96 hours; costs cut at 2025-12-06 into 2 + 2 days
        (Window.of_days("2025-12-04", "2025-12-07"), (1, 1, 2)),
        # 730 days = 17520 hours = 104 x 168 + 48; 2024-12-06 to 2025-12-05 is 365 days (3), the rest 365 days (3)
        (Window(date(2024, 12, 6), date(2026, 12, 6)), (105, 105, 6)),
    ],
)
def test_a_window_takes_as_few_requests_as_the_limits_allow(vendor, tmp_path, window, counts):
    for table, count in zip(DAILY, counts, strict=True):
        vendor.requests.clear()
        pages = list(SOURCE.table(table).fetch(context(tmp_path), window))
        assert len(vendor.requests) == len(pages) == count
        assert not any(page.findings for page in pages)


def test_costs_are_asked_by_key_only_from_the_day_on_which_openai_allows_it(vendor, tmp_path):
    stage("costs", tmp_path, Window.of_days("2025-12-04", "2025-12-07"))
    before, after = (params for _, params in vendor.asked)
    assert [v for k, v in before if k == "group_by[]"] == ["project_id", "line_item"]
    assert [v for k, v in after if k == "group_by[]"] == ["project_id", "line_item", "api_key_id"]
    assert dict(before)["end_time"] == dict(after)["start_time"] == "1764979200"
    assert dict(before)["limit"] == dict(after)["limit"] == "2"


def test_a_cursor_comes_with_every_other_parameter_unchanged(vendor, tmp_path):
    stage("completions", tmp_path, Window.of_days("2026-06-01", "2026-06-14"))
    first, second = (params for _, params in vendor.asked)
    assert second == [*first, ("page", "page_168")]
    assert first == [
        ("start_time", "1780272000"), ("end_time", "1781481600"), ("bucket_width", "1h"),
        ("group_by[]", "project_id"), ("group_by[]", "api_key_id"), ("group_by[]", "model"), ("group_by[]", "batch"),
        ("group_by[]", "service_tier"), ("limit", "168"),
    ]


@needs_reference
def test_every_request_is_one_that_the_specification_knows(vendor, tmp_path):
    openapi_core = pytest.importorskip("openapi_core")
    from openapi_core.contrib.requests import RequestsOpenAPIRequest

    raw = json.loads(SPECIFICATION.read_text())
    specification = openapi_core.OpenAPI.from_dict(raw)
    load(vendor)
    for window in (TWO_DAYS, Window.of_days("2025-06-01", "2026-05-31")):
        for table in SOURCE.tables:
            list(table.fetch(context(tmp_path), window))
    SOURCE.check(context(tmp_path))
    assert Counter(path for path, _ in vendor.asked) == {
        # 1 + 53 pages each and one for the check; costs 1, then 188 days before the cut (2) and 177 after (1), and 1;
        # projects twice a window (for themselves and for the keys), and 1; keys once a window
        "organization/usage/completions": 55, "organization/usage/embeddings": 54, "organization/costs": 5,
        "organization/projects": 5, "organization/projects/proj_north/api_keys": 2,
        "organization/projects/proj_old/api_keys": 2,
    }
    for sent, (path, params) in zip(vendor.requests, vendor.asked, strict=True):
        # brackets are how the vendor's own client writes what the specification calls `group_by`
        plain = [(name.removesuffix("[]"), value) for name, value in params]
        specification.validate_request(RequestsOpenAPIRequest(
            requests.Request("GET", f"https://api.openai.com/v1/{path}", params=plain).prepare()
        ))
        template = path.replace("proj_north", "{project_id}").replace("proj_old", "{project_id}")
        known = {parameter["name"] for parameter in raw["paths"][f"/{template}"]["get"]["parameters"]}
        assert {name for name, _ in plain} <= known
        assert sent.headers["Authorization"] == f"Bearer {KEY}"


@needs_reference
def test_the_columns_are_the_fields_of_the_specification(vendor):
    schemas = json.loads(SPECIFICATION.read_text())["components"]["schemas"]
    sdk = {"api_source", "input_cache_write_30m_tokens", "input_cache_write_12h_tokens"}  # the vendor's client has them
    for table, schema, left in (
        ("completions", "UsageCompletionsResult", {"object", "user_id"}),
        ("embeddings", "UsageEmbeddingsResult", {"object", "user_id"}),
        ("costs", "CostsResult", {"object", "amount"}), ("projects", "Project", {"object"}),
        ("api_keys", "ProjectApiKey", {"object", "owner", "redacted_value"}),
    ):
        ours = {column.name for column in SOURCE.table(table).columns}
        assert set(schemas[schema]["properties"]) - left <= ours
        assert ours - set(schemas[schema]["properties"]) <= sdk | {
            "start_time", "end_time", "amount_value", "amount_currency", "project_id", "owner_type",
            "owner_user_hash", "owner_service_account_id",
        }


def test_own_values_reach_staging(vendor, tmp_path):
    load(vendor)
    for table in SOURCE.tables:
        assert land(table.name, tmp_path, TWO_DAYS).findings == []
    ask = staging(tmp_path)

    # 1200 input, 500 of it read from and 200 written to a cache -> 500 + 500 + 200; no split told -> 80 + 0 + 0
    assert ask("select * exclude (landed_date) from stg_openai__completions order by call_count") == [
        (date(2026, 6, 1), datetime(2026, 6, 1), "proj_north", None, "gpt-5-mini-2026-01-15", None, None,
         1, 80, 0, 0, 9),
        (date(2026, 6, 1), datetime(2026, 6, 1), "proj_north", "key_search", "gpt-5-mini-2026-01-15", False, "default",
         7, 500, 500, 200, 310),
        (date(2026, 6, 2), datetime(2026, 6, 2, 23), "proj_old", "key_night", "gpt-5-2026-01-15", True, "default",
         20, 4000, 0, 0, 1000),
    ]
    assert ask("select * exclude (landed_date) from stg_openai__embeddings") == [
        (date(2026, 6, 1), datetime(2026, 6, 1, 14), "proj_north", "key_search", "text-embedding-3-small", 12, 9001),
    ]
    assert ask("select * exclude (landed_date) from stg_openai__costs order by cost_usd") == [
        (date(2026, 6, 2), "proj_old", "key_night", "gpt-5-2026-01-15, cached input", "gpt-5-2026-01-15",
         Decimal("-0.000001000"), None, None),
        # the binary noise of 0.130804380000000017 is gone
        (date(2026, 6, 1), "proj_north", "key_search", "gpt-5-mini-2026-01-15, input", "gpt-5-mini-2026-01-15",
         Decimal("0.130804380"), Decimal("1280.000000"), "tokens"),
        # an amount in text, a currency in capitals, a line item that names no model
        (date(2026, 6, 1), "proj_north", None, "file storage", None, Decimal("12.500000000"), Decimal("0.250000"),
         "gibibyte_hours"),
    ]
    assert ask("select typeof(cost_usd) from stg_openai__costs limit 1") == [("DECIMAL(18,9)",)]
    assert ask("select * from stg_openai__projects order by 1") == [
        ("proj_north", "North", "active", "EU_STORAGE_PROCESSING", datetime(2024, 6, 1), None),
        ("proj_old", "Old", "archived", None, datetime(2024, 1, 1), datetime(2026, 1, 1)),
    ]
    assert ask("select * exclude (created_at_utc) from stg_openai__api_keys order by 1") == [
        ("key_bot", "bot", "proj_north", "service_account", None, "svc_bot", "inactive", None),
        ("key_night", "night", "proj_old", "user", None, None, "active", datetime(2025, 12, 31)),
        ("key_search", "search", "proj_north", "user", None, None, "active", datetime(2026, 6, 1)),
    ]
    # a filter on the landed day opens that day's file only, though three are there
    plan = ask("explain analyze select * from stg_openai__completions where landed_date = date '2026-06-02'")[0][1]
    assert "Scanning Files: 1/3" in plan


@needs_reference
def test_the_vendors_examples_and_the_13_real_buckets_reach_staging(vendor, tmp_path):
    real = json.loads((EXAMPLES / "cookbook_completions_usage_2025-01.json").read_text())["data"]
    assert len(real) == 13
    # the first real bucket begins at 17:31 of its day; OpenAI's own answer for the idle hours before it
    idle = [bucket(start, start + 3600, []) for start in range(seconds("2025-01-11T00:00:00Z"), 1736614800 + 1, 3600)]
    vendor.queue = [page(*idle, *real)]
    assert land("completions", tmp_path, Window.of_days("2025-01-11", "2025-01-23")).findings == []
    examples = {}
    for table, name in (("completions", "usage_completions"), ("embeddings", "usage_embeddings"), ("costs", "costs")):
        examples[table] = json.loads((EXAMPLES / f"organization_{name}.json").read_text())
        vendor.queue = [(200, {}, examples[table])]
        if examples[table]["has_more"]:  # the example is the first of several pages
            vendor.queue.append(page())
        assert land(table, tmp_path, Window.of_days("2024-11-01", "2024-11-01")).findings == []
    for table, name in (("projects", "projects"), ("api_keys", "projects_project_id_api_keys")):
        vendor.queue = [(200, {}, json.loads((EXAMPLES / f"organization_{n}.json").read_text()))
                        for n in dict.fromkeys(("projects", name))]
        assert land(table, tmp_path, TWO_DAYS).findings == []
    ask = staging(tmp_path)

    results = [r for b in [*real, *examples["completions"]["data"]] for r in b["results"]]
    assert ask("""
        select sum(call_count), sum(input_tokens + cached_input_tokens + cache_write_input_tokens),
            sum(cached_input_tokens), sum(output_tokens), sum(cache_write_input_tokens), count(*)
        from stg_openai__completions
    """) == [(
        sum(r["num_model_requests"] for r in results), sum(r["input_tokens"] for r in results),
        sum(r.get("input_cached_tokens", 0) for r in results), sum(r["output_tokens"] for r in results), 100, 13,
    )]
    by_day = Counter()
    for b in real:
        by_day[datetime.fromtimestamp(b["start_time"], UTC).date()] += sum(r["input_tokens"] for r in b["results"])
    assert ask("""
        select usage_date, sum(input_tokens + cached_input_tokens) from stg_openai__completions
        where usage_date >= date '2025-01-01' group by 1 order by 1
    """) == sorted((day, total) for day, total in by_day.items() if total)
    # a bucket that begins within its hour counts for that hour
    assert ask("select min(usage_hour_utc) from stg_openai__completions where usage_date = date '2025-01-11'") == [
        (datetime(2025, 1, 11, 17),)
    ]
    assert ask("select usage_hour_utc, call_count, input_tokens from stg_openai__embeddings") == [
        (datetime(2024, 11, 1), 2, 16)
    ]
    assert ask("select usage_date, cost_usd from stg_openai__costs") == [(date(2024, 11, 1), Decimal("0.060000000"))]
    assert ask("select project_id from stg_openai__projects") == [("proj_abc",)]
    assert ask("select api_key_id, project_id, owner_user_hash from stg_openai__api_keys") == [
        ("key_abc", "proj_abc", None)
    ]


def test_no_person_is_in_anything_that_is_written(vendor, tmp_path):
    load(vendor)
    for table in SOURCE.tables:
        land(table.name, tmp_path, TWO_DAYS)
    parts = sorted((tmp_path / "raw").rglob("part.parquet"))
    assert len(parts) == 3 * 2 + 2
    everything = [str(pq.read_table(part).to_pylist()) for part in parts]
    everything += [path.read_text() for path in (tmp_path / "raw").rglob("receipt.json")]
    assert len(everything) == 16
    for text in everything:
        assert "SENTINEL" not in text and "user_" not in text.replace("user_hash", "") and KEY not in text


def test_an_owner_is_hashed_with_the_organisations_own_key(vendor, tmp_path):
    load(vendor)
    environ = {"OPENAI_ADMIN_KEY": KEY, "JEVONS_HASH_KEY": "pepper"}
    hashes = {row["id"]: row["owner_user_hash"] for row in staged_rows(stage("api_keys", tmp_path, TWO_DAYS,
                                                                             environ=environ))}
    expected = hmac.digest(b"pepper", b"user_SENTINEL", hashlib.sha256).hex()
    assert hashes["key_search"] == expected and hashes["key_bot"] is None and len(hashes["key_night"]) == 64


def test_lists_are_read_to_their_end(vendor, tmp_path):
    # 250 projects in pages of 100, 100 and 50; the third has 101 keys in pages of 100 and 1
    projects = [{"object": "organization.project", "id": f"proj/{n}", "created_at": 1704067200 + n} for n in range(250)]
    vendor.lists = {"organization/projects": projects}
    vendor.lists |= {f"organization/projects/proj/{n}/api_keys": [] for n in range(250)}
    template = json.loads((FIXTURES / "lists.json").read_text())["organization/projects/proj_old/api_keys"][0]
    vendor.lists["organization/projects/proj/2/api_keys"] = [{**template, "id": f"key_{n}"} for n in range(101)]
    assert len(staged_rows(stage("projects", tmp_path, TWO_DAYS))) == 250
    assert [dict(params).get("after") for _, params in vendor.asked] == [None, "proj/99", "proj/199"]
    vendor.requests.clear()
    rows = staged_rows(stage("api_keys", tmp_path, TWO_DAYS))
    assert len(rows) == 101 and {row["project_id"] for row in rows} == {"proj/2"}
    assert len(vendor.requests) == 3 + 251
    assert vendor.asked[3][0] == "organization/projects/proj%2F0/api_keys"  # an id cannot leave its place in the path


def test_an_archived_project_that_shuts_its_keys_away_costs_no_other_name(vendor, tmp_path):
    load(vendor)
    vendor.refused = {"proj_old/api_keys": (404, "Project is archived")}
    staged = stage("api_keys", tmp_path, TWO_DAYS)
    assert {row["id"] for row in staged_rows(staged)} == {"key_search", "key_bot"}
    (warning,) = staged.warnings
    assert "proj_old" in warning and "Project is archived" in warning
    vendor.refused = {"proj_north/api_keys": (404, "Not found")}
    with pytest.raises(SourceError, match="Not found"):
        stage("api_keys", tmp_path, TWO_DAYS)


def test_running_again_changes_no_byte_and_a_restated_day_only_itself(vendor, tmp_path):
    load(vendor)
    assert land("completions", tmp_path, TWO_DAYS).changed == list(TWO_DAYS.days())
    assert land("completions", tmp_path, TWO_DAYS).changed == []
    vendor.results["completions", seconds("2026-06-02T23:00:00Z")] = []  # a group that vanished on re-reading
    again = land("completions", tmp_path, TWO_DAYS)
    assert again.changed == [date(2026, 6, 2)]
    assert [receipt.rows for receipt in again.receipts] == [2, 0]


def test_the_doctor_hears_that_all_is_well(vendor, tmp_path):
    load(vendor)
    assert SOURCE.check(context(tmp_path)) == "OpenAI answers, and the key may read usage, costs and projects."
    assert [path for path, _ in vendor.asked] == [
        "organization/usage/completions", "organization/costs", "organization/projects"
    ]


@pytest.mark.parametrize(
    ("path", "what"), [("completions", "usage"), ("costs", "costs"), ("projects", "projects")]
)
def test_the_doctor_hears_which_permission_is_missing(vendor, tmp_path, path, what):
    load(vendor)
    vendor.refused = {path: (403, "You have insufficient permissions. Missing scopes: api.usage.read")}
    with pytest.raises(SourceError) as told:
        SOURCE.check(context(tmp_path))
    assert str(told.value).startswith(f"OpenAI does not let this key read {what} (organization/")
    assert "Missing scopes: api.usage.read; set OPENAI_ADMIN_KEY to an admin key" in str(told.value)


def test_every_column_is_described_and_counts_cannot_be_negative():
    assert SOURCE.secret == "OPENAI_ADMIN_KEY" and SOURCE.restate_days == 3
    for table in SOURCE.tables:
        assert {*table.key} <= {column.name for column in table.columns}
        for column in table.columns:
            assert column.description.endswith(".")
            assert (column.minimum == 0) == (column.type == "BIGINT")
