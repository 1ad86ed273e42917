"""The models of requests and runs beside the ledger's, rendered by dbt and run in DuckDB's memory on made-up calls.

What goes in and what must come out belongs to the tests; how the ledger is rendered, to ledger_project.
"""

import pyarrow as pa
from ledger_project import DAY, INSTANT, MODELS, TABLES, TEXT, Ledger

REQUEST_MODELS = (
    "int_request__kinds", "fct_request_distribution_daily", "fct_request_quantile_monthly", "int_agent_run__daily",
    "fct_agent_run_daily", "fct_agent_run_distribution_daily",
)
WHOLE = pa.int64()
CALLS = {
    "request_id": TEXT, "usage_date": DAY, "usage_hour_utc": INSTANT, "started_at_utc": INSTANT, "provider": TEXT,
    "model_reported": TEXT, "api_key_id": TEXT, "project_id": TEXT, "workflow_tag": TEXT, "input_tokens": WHOLE,
    "cached_input_tokens": WHOLE, "cache_write_input_tokens": WHOLE, "output_tokens": WHOLE,
    "reasoning_output_tokens": WHOLE, "image_count": WHOLE, "audio_seconds": WHOLE, "video_seconds": WHOLE,
    "duration_seconds": pa.decimal128(12, 3), "run_id": TEXT, "step_kind": TEXT, "serving_mode": TEXT, "status": TEXT,
    "attempt": pa.int32(), "call_purpose": TEXT, "lifecycle_stage": TEXT, "cost_usd": pa.decimal128(18, 9),
}


class Requests(Ledger):
    """The rendered models: from calls to the ledger's hours, and to histograms."""

    models = (
        "int_call_log__activity",
        *MODELS[: MODELS.index("int_footprint__hourly") + 1],
        *REQUEST_MODELS,
    )
    tables = {
        **{name: columns for name, columns in TABLES.items() if name != "int_call_log__activity"},
        "stg_registry__workflows": {**TABLES["stg_registry__workflows"], "latency_tier": TEXT},
        "stg_call_log__calls": CALLS,
    }
