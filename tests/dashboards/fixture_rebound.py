"""Made-up rows for the marts behind the page Less, or only better; their tables have the columns of the contracts.

What does not belong here: assertions, and the ledger itself, which stands in `fixture_marts`.
"""

from datetime import date, datetime

import fixture_evidence

MARTS = [
    "fct_decomposition_monthly", "fct_training_decomposition_monthly", "fct_efficiency_change", "fct_workload_review",
    "fct_rebound", "fct_ratchet_proposal", "fct_saving_account", "fct_claim_docket",
]  # fmt: skip
SWAP, SEEN = "it's a swap", "detected:agent-loop:2026-07-16"
JUNE = {"base_first_date": date(2026, 6, 1), "base_last_date": date(2026, 6, 30),
        "compared_first_date": date(2026, 7, 1), "compared_last_date": date(2026, 7, 31),
        "base_day_count": 30, "compared_day_count": 31, "is_whole": True}  # fmt: skip
JULY = {"base_first_date": date(2026, 7, 1), "base_last_date": date(2026, 7, 31),
        "compared_first_date": date(2026, 8, 1), "compared_last_date": date(2026, 8, 29),
        "base_day_count": 31, "compared_day_count": 29, "is_whole": False}  # fmt: skip


def fill(connection, days: int, hostile_name: str, hostile_text: str) -> None:
    """Create the tables as their contracts say; with days, also fill them."""
    rows = {name: [] for name in MARTS}
    if days:
        rows = dict(zip(MARTS, (
            list(_effects()), list(_runs()), list(_changes(hostile_name)), list(_reviews(hostile_name)),
            list(_rebounds()), list(_ratchets()), list(_accounts()), list(_claims(hostile_name, hostile_text)),
        ), strict=True))  # fmt: skip
    for name in MARTS:
        types = fixture_evidence.contract(name)
        connection.execute(f"create table {name} ({', '.join(f'{key} {kind}' for key, kind in types.items())})")
        fixture_evidence.insert(connection, name, rows[name])


def _effects():
    """June to July 100 to 130 kWh: +50 +20 -35 +3 -6 -2 = +30; July to August 130 to 117: -8 -10 +5 = -13."""
    first = {"chain": "monthly", "measure": "energy_kwh", **JUNE, "base_quantity": 100, "compared_quantity": 130,
             "base_coverage_ratio": 0.99, "compared_coverage_ratio": 0.98, "gap_reason": "no_factor"}  # fmt: skip
    later = {"chain": "monthly", "measure": "energy_kwh", **JULY, "base_quantity": 130, "compared_quantity": 117,
             "base_coverage_ratio": 1, "compared_coverage_ratio": 1}  # fmt: skip
    for kind, place in (("organisation", "organisation"), ("team", "claims"), ("workflow", "claims-triage")):
        of = {"perimeter_type": kind, "perimeter_id": place}
        for part, factor, effect in (
            ("requests", "activity", 50), ("requests", "tokens_per_call", 20), ("requests", "energy_per_token", -35),
            ("idle", "days", 3), ("requests", "estimation", -6), ("requests", "coverage", -2),
        ):  # fmt: skip
            yield {**first, **of, "part": part, "factor": factor, "effect_quantity": effect, "activity_unit": "calls"}
        yield {**first, **of, "part": "unknown", "factor": "unknown", "effect_low": -4, "effect_high": 9}
        for factor, effect in (("days", -8), ("energy_per_token", -10), ("activity", 5)):
            yield {**later, **of, "part": "requests", "factor": factor, "effect_quantity": effect}
        yield {**later, **of, "measure": "market_kgco2e", "part": "unknown", "factor": "unknown", "effect_low": -3,
               "effect_high": 5, "base_quantity": None, "compared_quantity": None, "base_coverage_ratio": 0,
               "compared_coverage_ratio": 0, "gap_reason": "no_contract"}  # fmt: skip


def _runs():
    shared = {"chain": "monthly", "measure": "energy_kwh", **JULY, "perimeter_type": "organisation",
              "perimeter_id": "organisation", "part": "runs", "base_quantity": 40, "compared_quantity": 20,
              "base_coverage_ratio": 1, "compared_coverage_ratio": 1, "base_run_count": 3, "compared_run_count": 2,
              "base_interval_days": 17.5}  # fmt: skip
    for factor, effect in (("activity", -24), ("energy_per_gpu_second", 4)):
        yield {**shared, "factor": factor, "effect_quantity": effect}


def _changes(hostile_name):
    yield {"change_id": SWAP, "change_type": "model_swap", "origin": "declared", "change_date": date(2026, 7, 15),
           "workflow_ids": "claims-triage", "workflow_count": 1, "team_ids": "claims", "owner": "A. Moreau",
           "expected_saving_ratio": 0.5, "expected_source": "Letter of the vendor", "after_30_call_change_ratio": 0.8,
           "after_30_energy_change_ratio": 0.08, "after_30_intensity_change_ratio": -0.4,
           "after_90_gap_reason": "not_yet"}  # fmt: skip
    yield {"change_id": SEEN, "change_type": "undeclared", "origin": "detected", "change_date": date(2026, 7, 16),
           "workflow_ids": "agent-loop", "workflow_count": 1, "team_ids": "hostile", "owner": hostile_name,
           "detected_date": date(2026, 7, 16), "seen_date": date(2026, 8, 2), "moved_ratio": "energy_wh_per_call",
           "before_level": 1.8, "after_level": 0.99, "level_change_ratio_low": -0.46, "level_change_ratio": -0.45,
           "level_change_ratio_high": -0.44, "after_30_call_change_ratio": 0.4, "after_30_energy_change_ratio": -0.23,
           "after_30_intensity_change_ratio": -0.45, "after_90_gap_reason": "not_yet"}  # fmt: skip


def _reviews(hostile_name):
    swap = {"change_id": SWAP, "change_type": "model_swap", "change_date": date(2026, 7, 15), "team_ids": "claims",
            "workflow_ids": "claims-triage", "owner": "A. Moreau", "as_of_date": date(2026, 8, 29)}  # fmt: skip
    yield {**swap, "after_days": 30, "due_date": date(2026, 8, 14), "status": "owed", "before_call_count": 1000,
           "after_call_count": 1800, "before_energy_kwh": 10, "after_energy_kwh": 10.8, "call_change_ratio": 0.8,
           "energy_change_ratio": 0.08, "intensity_change_ratio": -0.4, "before_model_ids": "v/large",
           "after_model_ids": "v/small", "expanded_workflow_ids": "claims-letters", "retired_model_ids": "v/large",
           "before_background_call_count": 0, "after_background_call_count": 90, "before_outcome_count": 50,
           "after_outcome_count": 55, "outcome_types": "claims settled"}  # fmt: skip
    yield {**swap, "after_days": 90, "due_date": date(2026, 10, 13), "status": "not yet due", "gap_reason": "not_yet"}
    yield {**swap, "change_id": SEEN, "change_type": "undeclared", "team_ids": "hostile", "workflow_ids": "agent-loop",
           "owner": hostile_name, "after_days": 30, "due_date": date(2026, 8, 15), "status": "answered",
           "before_call_count": 100, "after_call_count": 140, "before_energy_kwh": 1, "after_energy_kwh": 0.77,
           "energy_change_ratio": -0.23, "intensity_change_ratio": -0.45, "outcome": "hand_back",
           "decided_by": hostile_name, "decided_at_utc": datetime(2026, 8, 20, 9), "reason": "It holds"}  # fmt: skip


def _rebounds():
    one = {"treated_count": 1, "control_count": 0, "left_out_count": 0, "before_week_count": 6, "after_week_count": 5,
           "method": "m", "gap_reason": ""}  # fmt: skip
    split = {**one, "level": 1, "level_name": "accounting split", "warrant": "accounting"}
    trend = {**one, "level": 2, "level_name": "interrupted time series"}
    yield {**split, "change_id": SWAP, "rebound_ratio": 1.16, "verdict": "backfire", "expected_saving_ratio": 0.5,
           "expected_source": "declared", "claim": "backfire"}  # fmt: skip
    yield {**trend, "change_id": SWAP, "gap_reason": "too_few_periods"}
    yield {**one, "change_id": SWAP, "level": 3, "level_name": "difference-in-differences", "rebound_ratio_low": 0.5,
           "rebound_ratio": 0.8, "rebound_ratio_high": 1.1, "verdict": "undecided", "control_count": 4,
           "warrant": "controlled_contested", "pre_trend_probability": 0.01}  # fmt: skip
    yield {**split, "change_id": SEEN, "rebound_ratio": 0.4, "verdict": "partial"}
    yield {**trend, "change_id": SEEN, "rebound_ratio_low": 0.1, "rebound_ratio": 0.3, "rebound_ratio_high": 0.5,
           "verdict": "partial", "warrant": "trend"}  # fmt: skip


def _ratchets():
    yield {"change_id": SWAP, "status": "not reviewed", "team_ids": "claims"}
    yield {"change_id": SEEN, "status": "proposed", "team_ids": "hostile", "after_days": 30, "outcome": "hand_back",
           "saved_energy_kwh_low": 2, "saved_energy_kwh": 5, "saved_energy_kwh_high": 9, "ceiling_id": "hostile-q3",
           "period_start": date(2026, 7, 1), "period_end": date(2026, 10, 1), "limit_kwh": 100, "saving_kwh": 6,
           "proposed_limit_kwh": 94}  # fmt: skip


def _accounts():
    for team, saved, taken in (("claims", 4, 5), ("hostile", 6, 1)):
        yield {"team_id": team, "usage_month": date(2026, 7, 1), "saved_energy_kwh": saved,
               "taken_back_energy_kwh": taken, "net_energy_kwh": saved - taken, "handed_back_energy_kwh": 0,
               "balance_energy_kwh": saved - taken}  # fmt: skip


def _claims(hostile_name, hostile_text):
    said = {"claimant": hostile_name, "claimed_date": date(2026, 5, 4), "claim_source": "Talk",
            "functional_unit": "call", "baseline_week_count": 6, "tested_week_count": 6}  # fmt: skip
    yield {**said, "claim_id": "hundredfold", "claim_text": "100x less energy", "claimed_saving_ratio": 0.99,
           "verdict": "not testable", "gap_reason": "no_workload"}  # fmt: skip
    tested = {**said, "workload": "Triage", "baseline": "The larger model", "baseline_measured_ratio": 0,
              "tested_measured_ratio": 0}  # fmt: skip
    yield {**tested, "claim_id": "half", "claim_text": "Half the energy", "claimed_saving_ratio": 0.5,
           "perimeter_type": "workflow", "perimeter_id": "claims-triage", "unit_saving_ratio_low": 0.35,
           "unit_saving_ratio": 0.4, "unit_saving_ratio_high": 0.45, "total_saving_ratio_low": -0.2,
           "total_saving_ratio": -0.08, "total_saving_ratio_high": 0.04, "verdict": "offset by volume"}  # fmt: skip
    yield {**tested, "claim_id": "fifth", "claim_text": hostile_text, "claimed_saving_ratio": 0.2,
           "perimeter_type": "team", "perimeter_id": "search", "unit_saving_ratio": 0.25, "total_saving_ratio": 0.22,
           "baseline_measured_ratio": 0.5, "tested_measured_ratio": 0.75, "verdict": "confirmed"}  # fmt: skip
