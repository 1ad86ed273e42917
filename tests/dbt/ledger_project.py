"""The ledger's models, rendered once by dbt and run in DuckDB's memory on made-up activity.

What goes in and what must come out belongs to the tests.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from parsed_project import PROJECT, runner

FIRST, END = "2026-01-01", "2027-01-01"
VARIABLES = (f"{{min_date: '{FIRST}', max_date: '{END}', activity_sources: [openai, call_log, gpu_prometheus], "
             "grid_sources: [grid_file, electricity_maps, neso]}")
# in the order in which they are made; what lies between them is ephemeral
MODELS = (
    "int_activity__hourly", "int_site__named", "int_grid__hourly", "int_energy_line__hourly",
    "int_site_energy__hourly", "int_market__hourly", "int_instrument__hourly", "int_footprint__hourly",
    "fct_footprint_daily", "dim_team", "fct_workflow_daily", "fct_team_daily", "fct_organisation_daily",
    "fct_market_monthly", "fct_market_instrument_monthly", "fct_inventory_monthly",
)
# what staging reads that is no view of its own
LANDED = re.compile(r"read_parquet\('raw/(\w+)/(\w+)/(?:[^()]|\([^()]*\))*\)")
TEXT, COUNT, INSTANT, DAY = pa.string(), pa.decimal128(18, 0), pa.timestamp("us"), pa.date32()
FACTOR, RATIO = pa.decimal128(18, 18), pa.decimal128(12, 6)
IDENTITIES = ("api_key_id", "project_id", "workflow_tag", "pod", "node")
QUANTITIES = ("call_count", "retry_count", "error_count", "input_tokens", "cached_input_tokens",
              "cache_write_input_tokens", "output_tokens", "reasoning_output_tokens", "image_count", "audio_seconds",
              "video_seconds", "gpu_seconds", "energy_millijoules")
KINDS = ("request", "input_token", "cached_input_token", "cache_write_token", "output_token", "image", "audio_second",
         "video_second", "nano_usd")
ENDS = ("_low", "", "_high")
ACTIVITY = {
    "usage_date": DAY, "usage_hour_utc": INSTANT, "source": TEXT, "provider": TEXT, "model_reported": TEXT,
    **dict.fromkeys(IDENTITIES, TEXT), "lifecycle_stage": TEXT, "call_purpose": TEXT, "serving_mode": TEXT,
    "energy_line": TEXT, "meter_method": TEXT, **dict.fromkeys(QUANTITIES, COUNT), "cost_usd": pa.decimal128(18, 9),
}
TABLES = {
    "int_call_log__activity": ACTIVITY,
    "int_openai__activity": ACTIVITY,
    "int_gpu_prometheus__activity": ACTIVITY,
    "model_alias": {"provider": TEXT, "model_reported": TEXT, "provider_canonical": TEXT, "model_canonical": TEXT,
                    "valid_from": DAY, "valid_to": DAY},
    "int_disclosure__factors": {
        **dict.fromkeys(("factor_id", "factor_set", "provider", "model_name", "gpu_model", "quarantine_reason",
                         "supplier"), TEXT),
        "evidence_tier": pa.int32(), **{f"kwh_per_{kind}{end}": FACTOR for kind in KINDS for end in ENDS},
        **{f"batch_output_ratio{end}": pa.decimal128(7, 6) for end in ENDS},
        "embodied_gco2e_per_request": FACTOR, "embodied_gco2e_per_output_token": FACTOR,
        "wue_onsite_litres_per_kwh": FACTOR, "valid_from": DAY, "valid_to": DAY,
    },
    "factor_set": {
        "factor_id": TEXT, "factor_set": TEXT, "provider": TEXT, "model_name": TEXT, "gpu_model": TEXT,
        "quarantine_reason": TEXT,
        "evidence_tier": pa.int32(), **{f"kwh_per_{kind}{end}": FACTOR for kind in KINDS for end in ENDS},
        **{f"batch_output_ratio{end}": pa.decimal128(7, 6) for end in ENDS},
        "embodied_gco2e_per_request": FACTOR, "embodied_gco2e_per_output_token": FACTOR,
        "wue_onsite_litres_per_kwh": FACTOR, "valid_from": DAY,
    },
    "gpu_factor": {
        "gpu_factor_id": TEXT, "factor_set": TEXT, "gpu_model_pattern": TEXT, "quantity": TEXT,
        "evidence_tier": pa.int32(), **{f"value{end}": pa.decimal128(24, 18) for end in ENDS},
    },
    "grid_yearly": {"grid_factor_id": TEXT, "factor_set": TEXT, "zone_country": TEXT, "gco2e_per_kwh": RATIO,
                    "grid_source": TEXT, "grid_boundary": TEXT, "water_litres_per_kwh": RATIO},
    "gpu_model": {"gpu_model_pattern": TEXT, "tdp_w": pa.decimal128(9, 3), "idle_w": pa.decimal128(9, 3)},
    "stg_settings__runtime_proxies": {"gpu_model": TEXT, "low_w": RATIO, "fitted_w": RATIO, "high_w": RATIO,
                                      "valid_from": DAY},
    "grid_rung": {"grid_rung": TEXT, "factor_set": TEXT, "low_ratio": RATIO, "high_ratio": RATIO},
    "stg_settings__providers": dict.fromkeys(
        ("provider", "site_id", "system_of_record", "energy_from", "gpu_model", "catalogue"), TEXT),
    "stg_settings__models": dict.fromkeys(("provider", "model", "size_class"), TEXT),
    "stg_settings__sources": {"source": TEXT, "site_id": TEXT},
    "stg_settings__sites": {"site_id": TEXT, "zone": TEXT, "country": TEXT, "pue_ratio": RATIO, "pue_source": TEXT,
                            "market_gco2e_per_kwh": RATIO, "water_litres_per_kwh": RATIO, "control": TEXT,
                            "market_boundary": TEXT, "grid_pin": TEXT, "cloud_region": TEXT},
    "stg_settings__hardware": {
        "hardware_id": TEXT, "purchase_date": DAY, "piece_count": pa.int64(),
        **{f"embodied_kgco2e{end}": pa.decimal128(18, 6) for end in ENDS}},
    "stg_instruments__instruments": {
        "instrument_id": TEXT, "site_id": TEXT, "market_boundary": TEXT, "instrument_kind": TEXT,
        "period_start_utc": INSTANT, "period_end_utc": INSTANT, "mwh": pa.decimal128(18, 6), "gco2e_per_kwh": RATIO,
        "issued_by": TEXT, "evidence": TEXT},
    "stg_electricity_maps__carbon_intensity": {
        "zone": TEXT, "usage_date": DAY, "usage_hour_utc": INSTANT, "gco2e_per_kwh": RATIO,
        "grid_boundary": TEXT, "is_estimated": pa.bool_()},
    "raw_devices__fleet": {
        **dict.fromkeys(("dt", "device_type", "site_id", "workflow_id", "evidence"), TEXT),
        **dict.fromkeys(("device_count", "active_hours", "active_w_low", "active_w", "active_w_high"), RATIO)},
    "raw_grid_file__intensity": {"zone": TEXT, "hour_utc": INSTANT, "gco2e_per_kwh": RATIO, "grid_boundary": TEXT,
                                 "publisher": TEXT, "is_estimated": pa.bool_()},
    "raw_neso__intensity": {"dt": TEXT, "start_utc": INSTANT, "actual_gco2_per_kwh": RATIO},
    "stg_registry__teams": dict.fromkeys(("team_id", "team_name", "unit_id", "unit_name", "country"), TEXT),
    "stg_registry__workflows": {"workflow_id": TEXT, "team_id": TEXT},
    "stg_registry__attribution_rules": {
        "rule_id": TEXT, "match_type": TEXT, "source": TEXT, "match_value": TEXT, "workflow_id": TEXT,
        "share": pa.decimal128(9, 8), "valid_from": DAY, "valid_to": DAY},
}


class Ledger:
    """The rendered models; whoever tests others beside them names these and what they read."""

    models: Sequence[str] = MODELS
    tables: Mapping[str, Mapping[str, pa.DataType]] = TABLES
    variables: str = VARIABLES

    def __init__(self, folder: Path):
        """Renders the models into `folder`; takes a few seconds."""
        (folder / "warehouse").mkdir(parents=True)
        before = os.environ.get("JEVONS_HOME")
        os.environ["JEVONS_HOME"] = str(folder)
        try:
            done = runner().invoke([
                "compile", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--quiet", "--target-path",
                str(folder / "target"), "--vars", self.variables, "--select", *self.models,
            ])
        finally:
            DuckDBConnectionManager.close_all_connections()  # or this process keeps the warehouse locked
            if before is None:
                del os.environ["JEVONS_HOME"]
            else:
                os.environ["JEVONS_HOME"] = before
        assert done.success, done.exception
        compiled = folder / "target" / "compiled" / "jevons" / "models"
        self.sql = {name: LANDED.sub(r"raw_\1__\2", next(compiled.rglob(f"{name}.sql")).read_text("utf-8"))
                    for name in self.models}
        self.duck = duckdb.connect()
        self.duck.execute("set threads = 2")
        self.duck.execute("attach ':memory:' as jevons")
        self.duck.execute("use jevons")

    def run(self, tables: Mapping[str, Sequence[Mapping[str, Any]]], *wanted: str) -> None:
        """Fills the tables that the models read (empty where none are given) and makes the models anew.

        Args:
            wanted: Models; no others are made but those that they read. All models where none is named.
        """
        needed = set(wanted or self.models)
        for name in reversed(self.models):
            if name in needed:
                needed.update(other for other in self.models if f'"{other}"' in self.sql[name])
        for name, columns in self.tables.items():
            rows = tables.get(name, ())
            schema = pa.schema(list(columns.items()))
            arrow = pa.table([pa.array([row.get(column) for row in rows], kind) for column, kind in columns.items()],
                             schema=schema)
            self.duck.register("made_up", arrow)
            self.duck.execute(f"create or replace table {name} as select * from made_up")
            self.duck.unregister("made_up")
        for name in self.models:
            self.duck.execute(f"drop table if exists {name}")  # or one that is not made anew could be read
        for name in self.models:
            if name in needed:
                self.duck.execute(f"create table {name} as {self.sql[name]}")

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        found = self.duck.execute(query)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def totals(self, table: str, columns: Iterable[str], where: str = "true") -> dict[str, Any]:
        """Exact sums of the columns; nothing known sums to 0."""
        summed = ", ".join(f"coalesce(sum({column}), 0) as {column}" for column in columns)
        return self.rows(f"select {summed} from {table} where {where}")[0]
