"""One request that vendor and gateways report counts once: the record's account is booked, the others corroborate."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from models_over_home import models_over

from pipelines import landing
from pipelines.declared import Provider, Site
from pipelines.settings import Settings
from pipelines.source import Context, Page
from pipelines.sources import all_sources
from pipelines.window import Window

DAY = Window.of_days("2026-06-01", "2026-06-01")
AT = datetime(2026, 6, 1, 10, tzinfo=UTC)
FETCHED = datetime(2026, 7, 1, 3, tzinfo=UTC)
VENDOR = {"start_time": int(AT.timestamp()), "end_time": int(AT.timestamp()) + 3600, "model": "gpt-4o",
          "api_key_id": "key_proxy", "project_id": "proj_a", "batch": False, "service_tier": "default",
          "input_tokens": 1200, "input_cached_tokens": 300, "output_tokens": 100, "num_model_requests": 2}
REQUEST = {"started_at_utc": AT, "model": "gpt-4o", "provider_word": "openai", "api_host": "api.openai.com",
           "api_key_hash": "88" * 32, "prompt_tokens": 600, "completion_tokens": 50, "cached_tokens": 150,
           "status": "success"}
GATEWAYS = {
    "litellm": ("requests", [{**REQUEST, "request_id": "a"}, {**REQUEST, "request_id": "b"},
                             {**REQUEST, "request_id": "a_cache_hit1", "cache_hit": "True"}]),
    "openrouter": ("activity", [{
        "usage_date": AT.date(), "model": "openai/gpt-4o", "model_permaslug": "openai/gpt-4o", "endpoint_id": "e",
        "provider_name": "OpenAI", "requests": 2, "prompt_tokens": 1200, "completion_tokens": 100,
        "reasoning_tokens": 0, "cached_tokens": 300, "usage_usd": 0, "byok_usage_inference_usd": 1}]),
    "langfuse": ("observations", [
        {"observation_id": name, "started_at_utc": AT, "type": "GENERATION", "model": "gpt-4o", "provider": "openai",
         "input_tokens": 450, "cached_tokens": 150, "cache_write_tokens": 0, "output_tokens": 50} for name in "ab"]),
}


def land(home, settings, source, table, rows):
    """The rows as if the source had sent them."""
    source = next(each for each in all_sources() if each.name == source)
    (home / "scratch").mkdir(exist_ok=True)
    found = source.table(table)
    if rows is not None:
        found = replace(found, fetch=lambda context, window: iter([Page(rows, "by hand")]))
    staged = landing.stage(source, found, Context(settings, home / "scratch"), DAY)
    assert landing.commit(staged, [], home, FETCHED).findings == []


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """The accounts of a home in which OpenAI's report is the record and every gateway tells of the same two calls."""
    home = tmp_path_factory.mktemp("once")
    provider = Provider("openai", "us", "openai", None, None, None)
    settings = Settings(home, "Test", False, {name: {} for name in ("openai", *GATEWAYS)},
                        (Site("us", "US-MIDA-PJM", "USA"),), (provider,))
    land(home, settings, "settings", "providers", None)
    land(home, settings, "openai", "completions", [VENDOR])
    for source, (table, rows) in GATEWAYS.items():
        land(home, settings, source, table, rows)
    return models_over(
        home, "stg_settings__providers", "stg_openai__completions", "stg_openai__embeddings", "stg_openai__costs",
        "int_openai__activity", "model_alias", "int_activity__hourly", "int_vendor_account__daily",
        "int_vendor_pair__daily", activity_sources=["openai", *GATEWAYS], min_date="2026-06-01", max_date="2026-06-02",
    )


def test_what_is_booked_is_the_vendors_report_alone(ask):
    assert ask("""
        select source, sum(call_count), sum(input_tokens), sum(cached_input_tokens), sum(output_tokens)
        from int_activity__hourly where is_of_record group by source
    """) == [("openai", 2, 900, 300, 100)]
    assert {source for source, in ask("select source from int_activity__hourly where not is_of_record")} == {*GATEWAYS}


@pytest.mark.parametrize("source", GATEWAYS)
def test_each_gateways_account_is_put_beside_it(ask, source):
    assert ask(f"""
        select usage_date, provider, of_record_source, is_counted_twice, of_record_call_count, other_call_count,
            of_record_input_tokens, other_input_tokens, of_record_output_tokens, other_output_tokens, unseen_call_count
        from int_vendor_pair__daily where other_source = '{source}'
    """) == [(date(2026, 6, 1), "openai", "openai", False, 2, 2, 1200, 1200, 100, 100, None)]
