"""Gate 2: may the marts be published?

Keys, contracts and identities are tested by dbt where they are defined; here stands what no published figure may be.
"""

from pathlib import Path

import duckdb
import great_expectations.expectations as gxe

from quality.validation import broken_rules


def _never_negative(*columns: str) -> list[gxe.Expectation]:
    return [gxe.ExpectColumnValuesToBeBetween(column=column, min_value=0) for column in columns]


def _a_share(*columns: str) -> list[gxe.Expectation]:
    return [gxe.ExpectColumnValuesToBeBetween(column=column, min_value=0, max_value=1) for column in columns]


def _ordered(low: str, high: str) -> gxe.Expectation:
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=high, column_B=low, or_equal=True, ignore_row_if="either_value_is_missing"
    )


_FOOTPRINT = [
    *_never_negative("call_count", "input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens",
                     "image_count", "audio_seconds", "video_seconds", "gpu_seconds",
                     "energy_kwh_low", "location_gco2e_low", "location_gco2e", "market_gco2e_low", "embodied_gco2e",
                     "water_onsite_litres", "water_offsite_litres", "water_litres"),
    _ordered("energy_kwh_low", "energy_kwh"),
    _ordered("energy_kwh", "energy_kwh_high"),
    *(_ordered(f"{basis}_gco2e{low}", f"{basis}_gco2e{high}")
      for basis in ("location", "market") for low, high in (("_low", ""), ("", "_high"))),
]
SUITES: dict[str, list[gxe.Expectation]] = {
    "fct_footprint_daily": [
        *_FOOTPRINT,
        gxe.ExpectColumnValuesToBeInSet(
            column="attribution_method", value_set=["direct", "allocated", "orphan", "unattributed"]),
        gxe.ExpectColumnValuesToBeInSet(column="ghg_scope", value_set=[2, 3]),
        *_never_negative("location_direct_gco2e_low"),
        _ordered("location_direct_gco2e", "location_gco2e"),  # a part of it
        *(_ordered(f"location_direct_gco2e{low}", f"location_direct_gco2e{high}") for low, high in (
            ("_low", ""), ("", "_high"))),
        gxe.ExpectColumnValuesToBeInSet(column="energy_line", value_set=["direct", "shared", "idle", "overhead"]),
        *[gxe.ExpectColumnValuesToNotBeNull(column=c) for c in ("usage_date", "team_id", "workflow_id", "source")],
    ],
    "fct_workflow_daily": [*_FOOTPRINT, *_a_share("coverage_ratio", "measured_ratio")],
    "fct_team_daily": [*_FOOTPRINT, *_a_share("coverage_ratio", "measured_ratio")],
    "fct_organisation_daily": [*_FOOTPRINT, *_a_share("coverage_ratio", "measured_ratio", "orphan_call_ratio")],
    "fct_inventory_monthly": [
        *_never_negative("emitted_gco2e_low", "energy_kwh"),
        _ordered("emitted_gco2e_low", "emitted_gco2e"),
        _ordered("emitted_gco2e", "emitted_gco2e_high"),
        *_a_share("coverage_ratio"),
        gxe.ExpectColumnValuesToBeInSet(column="basis", value_set=["location", "market"]),
    ],
    "fct_market_monthly": _never_negative("instrument_kwh", "tariff_kwh", "residual_mix_kwh", "unknown_kwh"),
    "fct_market_instrument_monthly": [*_never_negative("used_kwh", "left_over_kwh")],
    "fct_sci_daily": _never_negative("operational_gco2e", "embodied_gco2e", "sci_gco2e_per_unit"),
    "fct_ceiling_position_daily": [
        _ordered("used_low", "used_quantity"),
        _ordered("used_quantity", "used_high"),
        _ordered("forecast_low", "forecast_quantity"),
        _ordered("forecast_quantity", "forecast_high"),
        _ordered("used_low", "forecast_low"),
        *_a_share("breach_probability"),
        *_a_share("breach_probability_high"),
        gxe.ExpectColumnValuesToBeInSet(
            column="status", value_set=["within", "undecided", "on course to exceed", "exceeded"]),
    ],
    "fct_ceiling_step": [
        *_a_share("from_ratio"),
        _ordered("begins_date_low", "begins_date"),
        _ordered("begins_date", "begins_date_high"),
        gxe.ExpectColumnValuesToBeInSet(column="usefulness_class", value_set=["useful", "comfort", "experimental"]),
    ],
    "fct_coverage_daily": [*_a_share("orphan_call_ratio"), _ordered("received_tables", "expected_tables"),
                           _ordered("received_account_count", "expected_account_count")],
    "fct_workload_inventory": [
        *_never_negative("call_count", "energy_kwh_low", "excess_call_count", "call_trend_ratio", "energy_trend_ratio"),
        _ordered("energy_kwh_low", "energy_kwh"),
        _ordered("energy_kwh", "energy_kwh_high"),
        *_a_share("coverage_ratio", "retry_ratio"),
    ],
    "fct_workload_lever": [
        _ordered("saved_energy_kwh_low", "saved_energy_kwh"),
        _ordered("saved_energy_kwh", "saved_energy_kwh_high"),
        _ordered("saved_energy_kwh_high", "base_energy_kwh_high"),  # nothing saves more than there is
        *_a_share("coverage_ratio"),
    ],
    "fct_governance": [*_never_negative("item_count", "call_count", "energy_kwh_low"),
                       _ordered("energy_kwh_low", "energy_kwh"), _ordered("energy_kwh", "energy_kwh_high")],
    "fct_governance_task": [*_never_negative("waiting_days_count", "call_count"),
                            _ordered("energy_kwh", "energy_kwh_high")],
    "fct_claim_docket": [
        *_a_share("claimed_saving_ratio", "baseline_coverage_ratio", "tested_coverage_ratio"),
        _ordered("unit_saving_ratio_low", "unit_saving_ratio_high"),
        _ordered("total_saving_ratio_low", "total_saving_ratio_high"),
        gxe.ExpectColumnValuesToBeInSet(column="verdict", value_set=[
            "confirmed", "partly confirmed", "offset by volume", "contradicted", "not testable"]),
    ],
    "fct_denied_daily": [
        _ordered("denied_energy_kwh_low", "denied_energy_kwh"),
        _ordered("denied_energy_kwh", "denied_energy_kwh_high"),
        _ordered("question_count", "denied_call_count"),
        *_never_negative("question_count", "denied_energy_kwh_low"),
    ],
    "fct_levy_posting": [
        *_never_negative("debit_amount", "credit_amount", "amount_high", "basis_kgco2e_low", "price_per_tonne"),
        _ordered("basis_kgco2e_low", "basis_kgco2e"),
        _ordered("basis_kgco2e", "basis_kgco2e_high"),
        gxe.ExpectColumnValuesToBeInSet(column="levy_kind", value_set=["fee", "shadow"]),
    ],
    "fct_vendor_register": [
        *_never_negative("call_count", "energy_kwh_low", "answer_age_days_count"),
        _ordered("energy_kwh_low", "energy_kwh"), _ordered("energy_kwh", "energy_kwh_high"),
        *_a_share("coverage_ratio", "energy_ratio"),
        gxe.ExpectColumnValuesToBeBetween(column="yes_count", min_value=0, max_value=6),
        gxe.ExpectColumnValuesToBeInSet(
            column="verdict", value_set=["a cheaper meter", "answers in part", "answers all six", "not asked"]),
    ],
    "fct_decomposition_monthly": [
        *_never_negative("base_quantity", "compared_quantity", "effect_ratio", "effect_high"),
        *_a_share("base_coverage_ratio", "compared_coverage_ratio"),
        _ordered("effect_low", "effect_high"),
        gxe.ExpectColumnValuesToBeInSet(column="chain", value_set=["monthly", "chained", "end_point"]),
    ],
    "fct_training_decomposition_monthly": [
        *_never_negative("base_quantity", "compared_quantity", "effect_ratio", "base_run_count", "compared_run_count"),
        *_a_share("base_coverage_ratio", "compared_coverage_ratio"),
    ],
    "fct_efficiency_change": [
        gxe.ExpectColumnValuesToBeInSet(column="origin", value_set=["declared", "detected"]),
        *(_ordered(f"{level}{low}", f"{level}{high}") for level in ("before_level", "after_level", "level_change_ratio")
          for low, high in (("_low", ""), ("", "_high"))),
        *(_ordered(f"after_{days}_saved_energy_kwh{low}", f"after_{days}_saved_energy_kwh{high}")
          for days in (30, 90) for low, high in (("_low", ""), ("", "_high"))),
    ],
    "fct_workload_review": [
        gxe.ExpectColumnValuesToBeInSet(column="status", value_set=["not yet due", "due", "owed", "answered"]),
        _ordered("saved_energy_kwh_low", "saved_energy_kwh"), _ordered("saved_energy_kwh", "saved_energy_kwh_high"),
    ],
    "fct_ratchet_proposal": [
        _ordered("proposed_limit_kwh", "limit_kwh"),  # a ceiling is never raised
        *_never_negative("proposed_limit_kwh", "saving_kwh"),
    ],
    "fct_saving_account": _never_negative("handed_back_energy_kwh"),
    "fct_rebound": [
        *_never_negative("used_ratio_low", "energy_before_kwh", "energy_after_kwh"),
        _ordered("rebound_ratio_low", "rebound_ratio"),
        _ordered("rebound_ratio", "rebound_ratio_high"),
        *_a_share("expected_saving_ratio", "pre_trend_probability"),
    ],
    "fct_range_monthly": [_ordered("low", "central"), _ordered("central", "high"), _ordered("low", "mean")],
}


def inspect(warehouse: Path) -> dict[str, list[str]]:
    """The sentences of every broken rule, by mart; marts in order have an empty list."""
    with duckdb.connect(str(warehouse), read_only=True) as reader:
        # rules are about rows, and a mart's columns are held by its contract: where there is no row, nothing is asked
        filled = {mart for mart in SUITES if reader.execute(f"select exists (select 1 from {mart})").fetchone()[0]}
    found = broken_rules(warehouse, {mart: suite for mart, suite in SUITES.items() if mart in filled})
    return {mart: [broken.sentence for broken in found.get(mart, ())] for mart in SUITES}
