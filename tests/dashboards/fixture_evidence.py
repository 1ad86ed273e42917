"""Made-up rows for the marts behind the pages Evidence and Models; their tables have the columns of the contracts.

What does not belong here: assertions, and the ledger itself, which stands in `fixture_marts`.
"""

import math
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import pyarrow
import yaml

MODELS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"
MARTS = [
    "fct_range_monthly", "fct_factor_upgrade_monthly", "fct_reconciliation_daily", "fct_meter_reconciliation_daily",
    "fct_estimate_backtest", "fct_model_choice", "fct_workflow_model_choice", "fct_training_run",
    "fct_request_quantile_monthly", "fct_comparison", "fct_energy_line_daily", "fct_run_stage",
]  # fmt: skip
HOSTILE_RUN = "<img src=x onerror=alert(3)>run"
HOSTILE_HOST = "<img src=x onerror=alert(4)>node"
HOSTILE_MODEL = "lab/<b>tiny</b>*8b*"


def fill(connection, first_day: date, days: int) -> None:
    """Create the tables as their contracts say; with days, also fill them."""
    columns = {name: contract(name) for name in MARTS}
    for name, types in columns.items():
        connection.execute(f"create table {name} ({', '.join(f'{key} {kind}' for key, kind in types.items())})")
    if not days:
        return
    last = first_day + timedelta(days=days - 1)
    rows = {
        "fct_range_monthly": list(_ranges(first_day, last)),
        "fct_factor_upgrade_monthly": list(_upgrades(first_day, last)),
        "fct_reconciliation_daily": list(_reconciliation(first_day, days)),
        "fct_meter_reconciliation_daily": list(_meters(first_day, days)),
        "fct_estimate_backtest": list(_backtests(first_day, last)),
        "fct_model_choice": list(_choices()),
        "fct_workflow_model_choice": list(_workflow_choices()),
        "fct_training_run": list(_runs(first_day)),
        "fct_request_quantile_monthly": list(_quantiles(first_day, last)),
        "fct_comparison": list(_comparisons()),
        "fct_energy_line_daily": list(_lines(first_day, days)),
        "fct_run_stage": list(_stages()),
    }
    for name, mart in rows.items():
        insert(connection, name, mart)


def insert(connection, table: str, rows: list[dict]) -> None:
    """Add rows at once; what a row does not name is null."""
    if rows:
        names = list(dict.fromkeys(name for row in rows for name in row))
        given = pyarrow.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])
        connection.register("given", given)
        connection.execute(f"insert into {table} by name select * from given")


@cache
def contract(name: str) -> dict[str, str]:
    """Column names and types of a mart, from the contract that dbt enforces."""
    (file,) = MODELS.rglob(f"{name}.yml")
    (model,) = (model for model in yaml.safe_load(file.read_text())["models"] if model["name"] == name)
    return {column["name"]: column["data_type"] for column in model["columns"]}


def months(first_day: date, last_day: date) -> list[date]:
    month, found = first_day.replace(day=1), []
    while month <= last_day:
        found.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return found


def _ranges(first_day, last_day):
    """June: 400 to 2,600 kWh around 1,000; each month 20 % more; carbon at 0.21 kg a kWh, ends a tenth wider."""
    for number, month in enumerate(months(first_day, last_day)):
        grown = 1.2**number
        for metric, scale, wider in (("energy_kwh", 1, 1), ("location_kgco2e", 0.21, 1.1)):
            yield {
                "usage_month": month, "perimeter_type": "organisation", "perimeter_id": "organisation",
                "metric": metric, "low": 400 * grown * scale / wider, "central": 1000 * grown * scale,
                "mean": 1250 * grown * scale, "high": 2600 * grown * scale * wider,
            }  # fmt: skip


def _upgrades(first_day, last_day):
    factors = [
        ("f1", "parametric", 4, 0.71, 0.462),
        ("f2", "benchmark", 3, 0.16, 0.081),
        ("f3", "size_class", 5, 0.09, 0.034),
        ("site/paris-dc/pue", "pue_ratio", 4, 0.03, 0.004),
        ("f4", "energy_counter_ratio", 1, 0.01, 0.0),
    ]
    for number, month in enumerate(months(first_day, last_day)):
        low, central, high = (end * 1.2**number for end in (400, 1000, 2600))
        for factor_id, method, tier, share, gain in factors:
            yield {
                "usage_month": month, "factor_id": factor_id, "method": method, "evidence_tier": tier,
                "upgraded_tier": tier - 1, "energy_kwh": central * share, "energy_ratio": share, "total_low_kwh": low,
                "total_kwh": central, "total_high_kwh": high, "upgraded_low_kwh": low + (high - low) * gain * 0.2,
                "upgraded_high_kwh": high - (high - low) * gain * 0.8, "width_reduction_ratio": gain,
            }  # fmt: skip


def _reconciliation(first_day, days):
    """Calls agree; 6 % of output tokens are under keys that the gateway never names, from day 20 on; a day is late."""
    accounts = [
        ("openai", "call_count", "openai", "call_log", 40_000, lambda day: (0, None)),
        ("openai", "input_tokens", "openai", "call_log", 36_000_000, lambda day: (0.012, None)),
        ("openai", "output_tokens", "openai", "call_log", 8_000_000,
         lambda day: (0.064, "unseen_keys") if day >= 20 else (0.004, None)),
        ("openai", "cost_usd", "openai", "invoice", 310,
         lambda day: (-0.031, "late") if day >= days - 2 else (0.001, None)),
        ("azure", "call_count", "azure_monitor", "call_log", 5_000,
         lambda day: (0.22, "bypassed") if 30 <= day < 37 else (0.002, None)),
        ("azure", "cost_usd", "azure_monitor", "call_log", 0, lambda day: (None, "not_told")),
    ]  # fmt: skip
    newest = first_day + timedelta(days=days - 1)
    for provider, quantity, of_record, other, amount, gap_of in accounts:
        opened = None
        for day in range(days):
            usage_date = first_day + timedelta(days=day)
            gap, cause = gap_of(day)
            opened = (opened or usage_date) if cause else None
            yield {
                "usage_date": usage_date, "provider": provider, "quantity": quantity, "of_record_source": of_record,
                "other_source": other, "of_record_quantity": amount if gap is not None else None,
                "other_quantity": amount * (1 - gap) if gap is not None else None,
                "gap_quantity": amount * gap if gap is not None else None, "gap_ratio": gap, "tolerance_ratio": 0.02,
                "is_within": None if gap is None else abs(gap) <= 0.02, "cause": cause, "opened_date": opened,
                "age_days": (newest - opened).days if opened else None,
            }  # fmt: skip


def _meters(first_day, days):
    for host, kind, boundary, meter, counters, estimate, cause, until in (
        ("gpu-01", "pdu", "it", 21.0, 14.0, 17.0, "gpus_not_read", 20),
        ("gpu-02", "pdu", "it", 26.0, 14.5, 20.8, "host_share", None),
        (None, "site", "facility", 61.0, 28.5, 51.0, "unlisted_equipment", None),
    ):
        for day in range(days):
            usage_date = first_day + timedelta(days=day)
            found = cause if 10 <= day < (until or days) else None
            gap = meter - estimate if found else meter * 0.03
            yield {
                "usage_date": usage_date, "site_id": "paris-dc", "host": host, "meter_kind": kind, "boundary": boundary,
                "meter_id": f"m-{host or 'site'}", "meter_count": 1, "compared_hours": 24, "read_kwh": meter,
                "meter_kwh": meter, "counters_kwh": counters, "estimate_kwh": meter - gap,
                "residual_kwh": meter - counters, "gap_kwh": gap, "gap_ratio": gap / meter,
                "tolerance_ratio": 0.1, "is_within": abs(gap) <= meter * 0.1, "cause": found,
                "opened_date": first_day + timedelta(days=10) if found else None,
                "open_days": day - 9 if found else None,
            }  # fmt: skip


def _lines(first_day, days):
    """Lines that add up to the 21 and 26 kWh a day of `_meters`; a third machine has no meter."""
    for host, line, kwh in (
        ("gpu-01", "gpu_active", 9), ("gpu-01", "gpu_idle_allocated", 5), ("gpu-01", "host_share", 7),
        ("gpu-02", "gpu_idle_unallocated", 14.5), ("gpu-02", "host_share", 12),
        ("gpu-02", "meter_below_counters", -0.5), (HOSTILE_HOST, "gpu_active", 1),
    ):  # fmt: skip
        for day in range(days):
            yield {
                "usage_date": first_day + timedelta(days=day), "host": host, "line": line,
                "is_metered": host != HOSTILE_HOST, "energy_j": kwh * 3_600_000, "energy_kwh": kwh,
            }  # fmt: skip


def _stages():
    """A run of which 30 of 430 kWh belong to no stage, one whose windows overlap by 2 kWh, one without a total."""
    for run, total, status, stages in (
        ("rank-train-7", 430, "unbalanced", {"backward": 200, "forward": 120, "communication": 80}),
        (HOSTILE_RUN, 120, "balanced", {"forward": 70, "evaluation": 52}),
        ("sweep-44", None, "no total", {"forward": 5}),
    ):
        rest = None if total is None else total - sum(stages.values())
        for stage, kwh in {**stages, "unattributed": rest}.items():
            yield {
                "run_id": run, "stage": stage, "window_count": 0 if stage == "unattributed" else 3,
                "stage_seconds": None if stage == "unattributed" else 5400,
                "energy_j": None if kwh is None else kwh * 3_600_000,
                "run_energy_j": None if total is None else total * 3_600_000,
                "stage_energy_ratio": None if None in (kwh, total) else kwh / total, "status": status,
            }  # fmt: skip


def _backtests(first_day, last_day):
    for month in months(first_day, last_day):
        for model, factor, tier, ratio in (
            ("self_hosted/llama-70b", "f2", 3, 1.12),
            ("self_hosted/tiny", "f3", 5, 0.41),
        ):
            yield {
                "usage_month": month, "provider": "self_hosted", "model_id": model, "factor_id": factor,
                "evidence_tier": tier, "call_count": 60_000, "compared_call_count": 58_000, "observation_count": 29,
                "metered_kwh": 100 * ratio, "busy_kwh": 78 * ratio, "idle_kwh": 22 * ratio, "idle_ratio": 0.22,
                "estimated_kwh": 78, "metered_over_estimated_ratio": ratio * 100 / 78, "geometric_mean_ratio": ratio,
                "gsd_ratio": 1.18, "range_ratio": 2, "finding": "within_range" if ratio > 0.5 else "below_range",
            }  # fmt: skip


def _choices():
    """Model, hardware, quality, half its range, Wh an item, factor of its range, boundary, tier, on the frontier."""
    results = [
        (HOSTILE_MODEL, "1x L4", 0.71, 0.03, 0.021, 1.1, "gpu", None, True),
        ("qwen/qwen3-8b", "1x H100", 0.80, 0.025, 0.06, 1.1, "gpu", None, True),
        ("meta/llama-3.1-8b", "1x H100", 0.765, 0.03, 0.075, 1.1, "gpu", None, False),
        ("qwen/qwen3-32b", "2x H100", 0.86, 0.02, 0.31, 1.1, "gpu", None, True),
        ("meta/llama-3.1-70b", "4x H100", 0.855, 0.02, 0.74, 1.1, "gpu", None, False),
        ("openai/gpt-4o-mini", None, 0.875, 0.02, 0.9, 2.6, "facility", 4, True),
        ("openai/gpt-4.1", None, 0.895, 0.018, 3.4, 3.2, "facility", 4, True),
        ("acme/acme-llm-1", None, 0.88, None, None, None, None, None, None),
        ("openai/whisper-large-v3", "1x L4", 0.081, 0.004, 0.8, 1.1, "gpu", None, True),
        ("openai/whisper-small", "1x L4", 0.124, 0.006, 0.19, 1.1, "gpu", None, True),
    ]
    for model, hardware, quality, half, energy, factor, boundary, tier, front in results:
        task, metric = ("transcription", "word_error_rate") if "whisper" in model else ("claims_triage", "accuracy")
        basis = "unknown" if energy is None else "estimated" if tier else "measured"
        yield {
            "model_id": model, "hardware": hardware, "task": task, "metric": metric,
            "engine": "vLLM 0.10.1" if hardware else None, "precision": "bf16" if hardware else None,
            "batch_size": 32 if hardware else None, "quality_score": quality,
            "quality_low": None if half is None else quality - half,
            "quality_high": None if half is None else quality + half,
            "is_lower_better": metric == "word_error_rate", "item_count": 1200,
            "energy_wh_per_item_low": energy / factor if energy else None, "energy_wh_per_item": energy,
            "energy_wh_per_item_high": energy * factor if energy else None, "energy_basis": basis,
            "energy_boundary": boundary, "evidence_tier": tier, "is_on_frontier": front,
            "evaluated_date": date(2026, 7, 3), "evaluated_by": "Quality office",
        }  # fmt: skip


def _workflow_choices():
    shared = {
        "metric": "accuracy",
        "set_by": "Head of claims",
        "reason": "Above the human rate",
        "valid_from": date(2026, 6, 1),
    }
    yield {
        **shared, "workflow_id": "claims-triage", "task": "claims_triage", "minimum_quality": 0.8,
        "used_model_id": "meta/llama-3.1-70b", "used_quality_score": 0.855, "used_energy_wh_per_item_low": 0.67,
        "used_energy_wh_per_item": 0.74, "used_energy_wh_per_item_high": 0.81, "used_energy_basis": "measured",
        "used_energy_boundary": "gpu", "cheapest_model_id": "qwen/qwen3-8b", "cheapest_hardware": "1x H100",
        "cheapest_quality_score": 0.8, "is_surely_met": False, "cheapest_energy_wh_per_item_low": 0.055,
        "cheapest_energy_wh_per_item": 0.06, "cheapest_energy_wh_per_item_high": 0.066,
        "cheapest_energy_boundary": "gpu", "saving_wh_per_item_low": 0.604, "saving_wh_per_item": 0.68,
        "saving_wh_per_item_high": 0.755, "finding": "a cheaper model meets the bar",
    }  # fmt: skip
    yield {
        **shared, "workflow_id": "hostile-flow", "task": "claims_triage", "minimum_quality": 0.85,
        "used_model_id": "openai/gpt-4o-mini", "used_quality_score": 0.875, "used_energy_wh_per_item_low": 0.35,
        "used_energy_wh_per_item": 0.9, "used_energy_wh_per_item_high": 2.34, "used_energy_basis": "estimated",
        "used_energy_boundary": "facility", "cheapest_model_id": "qwen/qwen3-32b", "cheapest_hardware": "2x H100",
        "cheapest_quality_score": 0.86, "is_surely_met": False, "cheapest_energy_wh_per_item_low": 0.28,
        "cheapest_energy_wh_per_item": 0.31, "cheapest_energy_wh_per_item_high": 0.34,
        "cheapest_energy_boundary": "gpu", "finding": "not comparable: boundaries differ",
    }  # fmt: skip
    yield {
        **shared, "workflow_id": "contract-check", "task": "claims_triage", "minimum_quality": 0.97,
        "used_model_id": "acme/acme-llm-1", "finding": "no measured model meets the bar",
    }  # fmt: skip


def _runs(first_day):
    """Seven runs; 210 of the 1,010 known kWh are lost, 120 of them are of experiments."""
    runs = [
        ("triage-ft-1", "org/claims-lora", "fine_tuning", "COMPLETED", "triage-ft-2", 6, 90, 1.15, 90, None),
        ("triage-ft-2", "org/claims-lora", "fine_tuning", "COMPLETED", None, 27, 110, 1.15, 0, 21),
        ("triage-ft-3", "org/claims-lora", "fine_tuning", "COMPLETED", None, 55, 140, 1.15, 0, 28),
        ("rank-train-7", "org/ranker", "training", "COMPLETED", None, 40, 430, 1.6, 0, None),
        ("rank-train-6", "org/ranker", "training", "NODE_FAIL", None, 33, 120, 1.6, 120, None),
        (HOSTILE_RUN, "org/ranker", "experiment", "COMPLETED", None, 20, 120, 1.15, 0, None),
        ("sweep-44", None, "experiment", "RUNNING", None, 80, None, None, None, None),
    ]
    for run, model, stage, state, superseded, ended, kwh, factor, lost, since in runs:
        end = datetime.combine(first_day + timedelta(days=ended), datetime.min.time())
        yield {
            "run_id": run, "workflow_id": "search-rewrite", "team_id": "search", "model_id": model,
            "lifecycle_stage": stage, "state": state, "superseded_by": superseded,
            "started_at_utc": end - timedelta(hours=30), "ended_at_utc": end, "job_count": 3,
            "failed_job_count": 0 if state == "COMPLETED" else 1, "missing_day_count": 0, "gpu_seconds": 30 * 3600 * 8,
            "energy_kwh_low": kwh / factor if kwh else None, "energy_kwh": kwh,
            "energy_kwh_high": kwh * factor if kwh else 400, "energy_method": "gpu_counter" if kwh else None,
            "coverage_ratio": 1 if kwh else 0, "lost_energy_kwh": lost,
            "lost_energy_ratio": None if kwh is None else lost / kwh, "days_since_previous_run_count": since,
            "output_tokens": 40_000_000 if kwh else None, "energy_wh_per_output_token": kwh / 40_000 if kwh else None,
            "organisation_energy_ratio": kwh / 1010 if kwh else None, "organisation_experiment_ratio": 120 / 1010,
            "organisation_lost_ratio": 210 / 1010,
        }  # fmt: skip


def _quantiles(first_day, last_day):
    perimeters = [("organisation", "organisation", 0.31, 6.0, 900_000)]
    for number, flow in enumerate(
        ("claims-triage", "claims-letters", "search-rewrite", "search-reviews", "hostile-flow", "agent-loop",
         "contract-check", "orphan")
    ):  # fmt: skip
        perimeters.append(("workflow", flow, 0.12 * 1.7**number, 3 + number, 90_000))
    perimeters += [("team", "hostile", 0.6, 5.0, 150_000), ("model", "openai/gpt-4o-mini", 0.3, 6.0, 880_000)]
    perimeters += [("latency_tier", "interactive", 0.2, 4.0, 500_000), ("length_class", "long", 1.4, 3.0, 80_000)]
    for month in months(first_day, last_day):
        for kind, identity, median, spread, calls in perimeters:
            yield {
                "usage_month": month, "perimeter_type": kind, "perimeter_id": identity, "call_count": calls,
                "gap_call_count": calls // 50, "energy_kwh": calls * median * math.sqrt(spread) / 1000,
                "mean_wh": median * math.sqrt(spread), "p50_wh": median, "p95_wh": median * spread,
                "p99_wh": median * spread * 2.4, "top_1_percent_energy_ratio": 0.02 * spread,
            }  # fmt: skip
        yield {
            "usage_month": month, "perimeter_type": "workflow", "perimeter_id": "acme-pilot", "call_count": 700,
            "gap_call_count": 700,
        }  # fmt: skip


def _comparisons():
    shared = {"reference_phase": "before", "compared_phase": "after", "reference_date": date(2026, 6, 10)}
    rows = [
        ("vLLM 0.9 to 0.10", "serving_stack", 0.42, 0.3, 1.06, "", "", "more efficient"),
        ("bf16 to fp8", "precision", 0.42, 0.405, 1.06, "", "", "no difference shown"),
        ("Batch 32 to 8", "batch_size", 0.42, 0.66, 1.06, "", "", "less efficient"),
        ("H100 to H200", "hardware", 0.42, 0.25, 1.06, "driver, input_tokens", "output_tokens",
         "not comparable: driver, input_tokens differ; output_tokens not stated"),
    ]  # fmt: skip
    for number, (name, tested, before, after, factor, differing, unstated, verdict) in enumerate(rows):
        yield {
            **shared, "comparison_id": f"cmp-{number}", "reference_measurement_id": f"m-{number}-a",
            "compared_measurement_id": f"m-{number}-b", "reference_subject": f"{name}, before",
            "compared_subject": f"{name}, after", "compared_date": date(2026, 7, 20), "tested_condition": tested,
            "reference_energy_wh_per_unit_low": before / factor, "reference_energy_wh_per_unit": before,
            "reference_energy_wh_per_unit_high": before * factor, "compared_energy_wh_per_unit_low": after / factor,
            "compared_energy_wh_per_unit": after, "compared_energy_wh_per_unit_high": after * factor,
            "energy_ratio_low": after / before / factor**2, "energy_ratio": after / before,
            "energy_ratio_high": after / before * factor**2, "differing_conditions": differing,
            "unstated_conditions": unstated, "verdict": verdict,
        }  # fmt: skip
    yield {
        **shared, "comparison_id": "cmp-claim", "reference_measurement_id": "v", "compared_measurement_id": "w",
        "reference_phase": "vendor_claim", "reference_subject": "Vendor: a tenth",
        "compared_subject": "Our own week of it", "compared_date": date(2026, 8, 2), "tested_condition": None,
        "reference_energy_wh_per_unit": 0.04, "compared_energy_wh_per_unit_low": 0.3,
        "compared_energy_wh_per_unit": 0.33,
        "compared_energy_wh_per_unit_high": 0.36, "energy_ratio": 8.25, "differing_conditions": "",
        "unstated_conditions": "", "verdict": "not comparable: range not stated",
    }  # fmt: skip
