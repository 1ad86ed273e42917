"""The two gates: what they stop, what they let through, and the sentence that a person reads."""

import re
from datetime import UTC, date, datetime, timedelta

import duckdb
import great_expectations.expectations as gxe
import pyarrow.parquet as pq
import pytest

from pipelines.source import Column, Table
from pipelines.typed import arrow_schema, to_arrow
from quality import landing, marts
from quality.validation import broken_rules

D1, D2, D3 = date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)
TABLE = Table(
    "calls",
    (
        Column("id", "VARCHAR", "Key.", required=True),
        Column("tokens", "BIGINT", "Count.", required=True, minimum=0),
        Column("attempt", "INTEGER", "From 1.", minimum=1),
        Column("usd", "DECIMAL(18,9)", "Cost.", minimum=0),
        Column("status", "VARCHAR", "How it ended.", allowed=("ok", "error")),
        Column("at_utc", "TIMESTAMP", "When."),
    ),
    ("id",), lambda context, window: iter(()), "Calls.",
)
GOOD = {"id": "a", "tokens": 0, "attempt": 1, "usd": "0.5", "status": "ok", "at_utc": datetime(2026, 6, 1, tzinfo=UTC)}


def batch(folder, *days):
    """Files of the days, as staged."""
    files = {}
    for day, rows in days:
        table, findings = to_arrow(TABLE, rows, "test")
        assert not findings
        files[day] = folder / f"{day or 'whole'}.parquet"
        pq.write_table(table, files[day])
    return files


def sentences(folder, *days):
    return [(f.day, f.rule) for f in landing.inspect(TABLE, batch(folder, *days), folder)]


def readable(sentence):
    """One line that shows neither objects nor nothing."""
    return "\n" not in sentence and not re.search(r"Decimal\(|None|nan|<|\{|np\.", sentence)


def test_records_in_order_pass(tmp_path):
    optional = {"id": "b", "tokens": 5, "attempt": None, "usd": None, "status": None, "at_utc": None}
    assert sentences(tmp_path, (D1, [GOOD, optional]), (D2, [GOOD])) == []


WRONG = [
    ({"tokens": -5}, "tokens must be at least 0, broken once (found -5)"),
    ({"tokens": None}, "tokens must not be empty, broken once"),
    ({"id": None}, "id must not be empty, broken once"),
    ({"attempt": 0}, "attempt must be at least 1, broken once (found 0)"),
    ({"usd": "-0.000000001"}, "usd must be at least 0, broken once (found -0.000000001)"),
    ({"status": "fine"}, "status must be one of ok, error, broken once (found fine)"),
    ({}, None),
]


def test_a_broken_rule_holds_back_its_day_and_no_other(tmp_path):
    days = [(D1 + timedelta(days=n), [GOOD, {**GOOD, "id": "b", **wrong}]) for n, (wrong, _) in enumerate(WRONG)]
    found = sentences(tmp_path, *days)
    assert found == [(str(day), rule) for (day, _), (_, rule) in zip(days, WRONG, strict=True) if rule]
    assert all(readable(rule) for _, rule in found)


def test_every_broken_rule_of_every_day_is_told(tmp_path):
    first = [{**GOOD, "id": str(n), "tokens": -n} for n in range(1, 9)]
    second = [{**GOOD, "status": "x"}, {**GOOD, "id": "b", "tokens": -7, "status": "y"}]
    assert sentences(tmp_path, (D1, first), (D2, second), (D3, [GOOD])) == [
        ("2026-06-01", "tokens must be at least 0, broken 8 times (found -1, -2, -3, -4, -5)"),
        ("2026-06-02", "tokens must be at least 0, broken once (found -7)"),
        ("2026-06-02", "status must be one of ok, error, broken 2 times (found x, y)"),
    ]


def test_the_sentence_says_where_and_what_to_do(tmp_path):
    (finding,) = landing.inspect(TABLE, batch(tmp_path, (None, [{**GOOD, "tokens": -1}])), tmp_path)
    assert finding.day is None and finding.sentence() == (
        "calls of the whole table: tokens must be at least 0, broken once (found -1); correct it at the source and "
        "land the day again.")


def test_days_without_records_pass(tmp_path):
    assert landing.inspect(TABLE, {}, tmp_path) == []
    assert sentences(tmp_path, (D1, [])) == []
    assert sentences(tmp_path, (D1, []), (D2, [{**GOOD, "tokens": -1}])) == [
        ("2026-06-02", "tokens must be at least 0, broken once (found -1)")]


def test_a_folder_with_a_quote_in_its_name_is_looked_at_all_the_same(tmp_path):
    folder = tmp_path / "L'énergie 100 %"
    folder.mkdir()
    assert len(sentences(folder, (D1, [{**GOOD, "tokens": -1}]))) == 1


def test_a_rule_that_cannot_be_looked_at_is_no_pass(tmp_path):
    files = batch(tmp_path, (D1, [GOOD]))
    whole = arrow_schema(TABLE)
    pq.write_table(whole.remove(whole.get_field_index("tokens")).empty_table(), files[D1])
    with pytest.raises(RuntimeError, match="could not be evaluated"):
        landing.inspect(TABLE, files, tmp_path)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as duck:
        duck.execute("create table t (a varchar)")
        duck.execute("insert into t values ('x')")
    with pytest.raises(RuntimeError, match="expect_column_values_to_be_between on t could not be evaluated"):
        broken_rules(tmp_path / "w.duckdb", {"t": [gxe.ExpectColumnValuesToBeBetween(column="a", min_value=0)]})


KWH, COUNT = "decimal(38,9)", "decimal(38,0)"
QUANTITIES = {
    **dict.fromkeys(("call_count", "input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens",
                     "image_count", "audio_seconds", "video_seconds", "gpu_seconds"), (COUNT, 1)),
    "energy_kwh_low": (KWH, "0.5"), "energy_kwh": (KWH, "1"), "energy_kwh_high": (KWH, "2"),
    **dict.fromkeys(("location_gco2e", "market_gco2e", "embodied_gco2e", "water_onsite_litres", "water_offsite_litres",
                     "water_litres", "cost_usd"), (KWH, "3.25")),
    **{f"{basis}_gco2e{end}": (KWH, value) for basis in ("location", "market")
       for end, value in (("_low", "3"), ("_high", "4"))},
}
RATIOS = dict.fromkeys(("coverage_ratio", "measured_ratio"), ("decimal(24,6)", "0.9"))
ENERGY = {name: QUANTITIES[name] for name in ("energy_kwh_low", "energy_kwh", "energy_kwh_high")}
SHARE = {"coverage_ratio": RATIOS["coverage_ratio"]}
DECOMPOSED = {
    **dict.fromkeys(("base_quantity", "compared_quantity", "effect_ratio"), ("decimal(38,12)", "1")),
    "base_coverage_ratio": RATIOS["coverage_ratio"], "compared_coverage_ratio": RATIOS["coverage_ratio"],
}
GOOD_MARTS = {
    "fct_footprint_daily": {
        "usage_date": ("date", "2026-06-01"), "team_id": ("varchar", "t"), "workflow_id": ("varchar", "w"),
        "source": ("varchar", "openai"), "attribution_method": ("varchar", "direct"),
        "energy_line": ("varchar", "idle"), "ghg_scope": ("integer", 3), **QUANTITIES,
        "location_direct_gco2e_low": (KWH, "1"), "location_direct_gco2e": (KWH, "2"),
        "location_direct_gco2e_high": (KWH, "3"),
    },
    "fct_workflow_daily": {**QUANTITIES, **RATIOS},
    "fct_team_daily": {**QUANTITIES, **RATIOS},
    "fct_organisation_daily": {**QUANTITIES, **RATIOS, "orphan_call_ratio": ("decimal(24,6)", "0"),
                               "unowned_energy_ratio": ("decimal(24,6)", "0")},
    "fct_inventory_monthly": {
        "basis": ("varchar", "market"), "emitted_gco2e_low": (KWH, "1"), "emitted_gco2e": (KWH, "2"),
        "emitted_gco2e_high": (KWH, "3"), "energy_kwh": (KWH, "1"), "coverage_ratio": ("decimal(24,6)", "1"),
    },
    "fct_market_monthly": dict.fromkeys(
        ("instrument_kwh", "tariff_kwh", "residual_mix_kwh", "unknown_kwh"), (KWH, "0")),
    "fct_market_instrument_monthly": dict.fromkeys(("used_kwh", "left_over_kwh"), (KWH, "0")),
    "fct_sci_daily": dict.fromkeys(("operational_gco2e", "embodied_gco2e", "sci_gco2e_per_unit"), (KWH, "0")),
    "fct_ceiling_position_daily": {
        "used_low": (KWH, "1"), "used_quantity": (KWH, "2"), "used_high": (KWH, "3"),
        "forecast_low": (KWH, "4"), "forecast_quantity": (KWH, "5"), "forecast_high": (KWH, "6"),
        "limit_quantity": (KWH, "9"), "breach_probability": ("decimal(7,6)", "1"),
        "breach_probability_high": ("decimal(7,6)", "1"), "status": ("varchar", "undecided"),
    },
    "fct_ceiling_step": {
        "from_ratio": ("decimal(9,8)", "0.8"), "begins_date_low": ("date", "2026-08-01"),
        "begins_date": ("date", "2026-08-02"), "begins_date_high": ("date", "2026-08-03"),
        "usefulness_class": ("varchar", "comfort"),
    },
    "fct_coverage_daily": {"orphan_call_ratio": ("decimal(24,6)", "1"), "received_tables": ("bigint", 1),
                           "expected_tables": ("bigint", 2), "received_account_count": ("bigint", 1),
                           "expected_account_count": ("bigint", 2)},
    "fct_rebound": {
        "rebound_ratio_low": (KWH, "-1"), "rebound_ratio": (KWH, "0.5"), "rebound_ratio_high": (KWH, "2"),
        "used_ratio_low": (KWH, "0"), "energy_before_kwh": (KWH, "1"), "energy_after_kwh": (KWH, "1"),
        "expected_saving_ratio": (KWH, "0.5"), "pre_trend_probability": (KWH, "1"),
    },
    "fct_range_monthly": {"low": (KWH, "1"), "central": (KWH, "2"), "mean": (KWH, "3"), "high": (KWH, "4")},
    "fct_workload_inventory": {
        "call_count": (COUNT, 1), "excess_call_count": (COUNT, 0), **ENERGY, **SHARE,
        "retry_ratio": SHARE["coverage_ratio"],
        "call_trend_ratio": ("decimal(24,6)", "1.5"), "energy_trend_ratio": ("decimal(24,6)", "1.5"),
    },
    "fct_workload_lever": {
        "saved_energy_kwh_low": (KWH, "-1"), "saved_energy_kwh": (KWH, "1"), "saved_energy_kwh_high": (KWH, "2"),
        "base_energy_kwh_high": (KWH, "3"), **SHARE,
    },
    "fct_claim_docket": {
        **dict.fromkeys(("claimed_saving_ratio", "baseline_coverage_ratio", "tested_coverage_ratio"),
                        SHARE["coverage_ratio"]),
        "unit_saving_ratio_low": (KWH, "-1"), "unit_saving_ratio_high": (KWH, "0.5"),
        "total_saving_ratio_low": (KWH, "-1"), "total_saving_ratio_high": (KWH, "0.5"),
        "verdict": ("varchar", "confirmed"),
    },
    "fct_denied_daily": {
        "question_count": (COUNT, 1), "denied_call_count": (COUNT, 2), "denied_energy_kwh_low": (KWH, "1"),
        "denied_energy_kwh": (KWH, "2"), "denied_energy_kwh_high": (KWH, "3"),
    },
    "fct_levy_posting": {
        **dict.fromkeys(("debit_amount", "credit_amount", "amount_high"), ("decimal(38,2)", "0")),
        "basis_kgco2e_low": (KWH, "1"), "basis_kgco2e": (KWH, "2"), "basis_kgco2e_high": (KWH, "3"),
        "price_per_tonne": ("decimal(13,4)", "80"), "levy_kind": ("varchar", "fee"),
    },
    "fct_vendor_register": {
        "call_count": (COUNT, 1), **ENERGY, **SHARE, "energy_ratio": SHARE["coverage_ratio"], "yes_count": (COUNT, 6),
        "answer_age_days_count": (COUNT, 0), "verdict": ("varchar", "a cheaper meter"),
    },
    "fct_governance": {"item_count": (COUNT, 1), "call_count": (COUNT, 1), **ENERGY},
    "fct_decomposition_monthly": {
        **DECOMPOSED, "effect_low": ("decimal(38,12)", "-1"), "effect_high": ("decimal(38,12)", "1"),
        "chain": ("varchar", "monthly"),
    },
    "fct_training_decomposition_monthly": {
        **DECOMPOSED, "base_run_count": ("bigint", 1), "compared_run_count": ("bigint", 0)},
    "fct_governance_task": {"waiting_days_count": (COUNT, 1), "call_count": (COUNT, 1), "energy_kwh": (KWH, "1"),
                            "energy_kwh_high": (KWH, "2")},
    "fct_workload_review": {"status": ("varchar", "owed"), "saved_energy_kwh_low": (KWH, "-1"),
                            "saved_energy_kwh": (KWH, "0"), "saved_energy_kwh_high": (KWH, "1")},
    "fct_ratchet_proposal": {"proposed_limit_kwh": (KWH, "9"), "limit_kwh": (KWH, "10"), "saving_kwh": (KWH, "1")},
    "fct_saving_account": {"handed_back_energy_kwh": (KWH, "0")},
    "fct_efficiency_change": {
        "origin": ("varchar", "detected"),
        **{f"{name}{end}": (KWH, value) for end, value in (("_low", "-1"), ("", "0"), ("_high", "1")) for name in (
            "before_level", "after_level", "level_change_ratio", "after_30_saved_energy_kwh",
            "after_90_saved_energy_kwh")},
    },
}


def warehouse(path, **wrong):
    """A warehouse with one good row in each mart, and one row for each way in which a row of it is to be wrong."""
    with duckdb.connect(str(path)) as duck:
        for mart, columns in GOOD_MARTS.items():
            duck.execute(f"create table {mart} ({', '.join(f'{n} {kind}' for n, (kind, _) in columns.items())})")
            good = {name: value for name, (_, value) in columns.items()}
            for change in ({}, *wrong.get(mart, ())):
                duck.execute(
                    f"insert into {mart} values ({', '.join('?' * len(good))})", list({**good, **change}.values()))
    return path


def test_marts_in_order_are_published(tmp_path):
    assert set(GOOD_MARTS) == set(marts.SUITES)
    unknown = dict.fromkeys(("energy_kwh_low", "energy_kwh", "location_gco2e", "water_litres"))
    found = marts.inspect(warehouse(tmp_path / "w.duckdb", fct_footprint_daily=[unknown]))
    assert found == {mart: [] for mart in marts.SUITES}  # what is unknown breaks no rule


# mart, what is wrong with a row of it, and what a person is told
NEVER = [
    ("fct_footprint_daily", {"energy_kwh_low": "1.5"},
     "energy_kwh must not be below energy_kwh_low, broken once (found 1 beside 1.5)"),
    ("fct_footprint_daily", {"energy_kwh": "2.000000001"},
     "energy_kwh_high must not be below energy_kwh, broken once (found 2 beside 2.000000001)"),
    ("fct_footprint_daily", {"energy_kwh_low": "-0.000000001"},
     "energy_kwh_low must be at least 0, broken once (found -0.000000001)"),
    ("fct_footprint_daily", {"call_count": -1}, "call_count must be at least 0, broken once (found -1)"),
    ("fct_footprint_daily", {"location_gco2e": "-7.5", "location_gco2e_low": None, "location_direct_gco2e": None},
     "location_gco2e must be at least 0, broken once (found -7.5)"),
    ("fct_footprint_daily", {"location_gco2e_low": "3.5"},
     "location_gco2e must not be below location_gco2e_low, broken once (found 3.25 beside 3.5)"),
    ("fct_footprint_daily", {"location_direct_gco2e": "3.5", "location_direct_gco2e_high": None},
     "location_gco2e must not be below location_direct_gco2e, broken once (found 3.25 beside 3.5)"),
    ("fct_footprint_daily", {"location_direct_gco2e_high": "1.5"},
     "location_direct_gco2e_high must not be below location_direct_gco2e, broken once (found 1.5 beside 2)"),
    ("fct_team_daily", {"market_gco2e_high": "3.1"},
     "market_gco2e_high must not be below market_gco2e, broken once (found 3.1 beside 3.25)"),
    ("fct_footprint_daily", {"ghg_scope": 1}, "ghg_scope must be one of 2, 3, broken once (found 1)"),
    ("fct_inventory_monthly", {"emitted_gco2e": "9"},
     "emitted_gco2e_high must not be below emitted_gco2e, broken once (found 3 beside 9)"),
    ("fct_inventory_monthly", {"basis": "both"}, "basis must be one of location, market, broken once (found both)"),
    ("fct_market_monthly", {"unknown_kwh": "-1"}, "unknown_kwh must be at least 0, broken once (found -1)"),
    ("fct_market_instrument_monthly", {"left_over_kwh": "-1"},
     "left_over_kwh must be at least 0, broken once (found -1)"),
    ("fct_sci_daily", {"sci_gco2e_per_unit": "-1"},
     "sci_gco2e_per_unit must be at least 0, broken once (found -1)"),
    ("fct_footprint_daily", {"team_id": None}, "team_id must not be empty, broken once"),
    ("fct_footprint_daily", {"attribution_method": "guessed"},
     "attribution_method must be one of direct, allocated, orphan, unattributed, broken once (found guessed)"),
    ("fct_footprint_daily", {"energy_line": "x"},
     "energy_line must be one of direct, shared, idle, overhead, broken once (found x)"),
    ("fct_workflow_daily", {"energy_kwh_low": "1.5"},
     "energy_kwh must not be below energy_kwh_low, broken once (found 1 beside 1.5)"),
    ("fct_workflow_daily", {"measured_ratio": "-0.1"},
     "measured_ratio must be between 0 and 1, broken once (found -0.1)"),
    ("fct_team_daily", {"output_tokens": -20}, "output_tokens must be at least 0, broken once (found -20)"),
    ("fct_team_daily", {"coverage_ratio": "1.000001"},
     "coverage_ratio must be between 0 and 1, broken once (found 1.000001)"),
    ("fct_organisation_daily", {"energy_kwh_high": "0.9"},
     "energy_kwh_high must not be below energy_kwh, broken once (found 0.9 beside 1)"),
    ("fct_organisation_daily", {"orphan_call_ratio": "2"},
     "orphan_call_ratio must be between 0 and 1, broken once (found 2)"),
    ("fct_workload_review", {"saved_energy_kwh": "-2"},
     "saved_energy_kwh must not be below saved_energy_kwh_low, broken once (found -2 beside -1)"),
    ("fct_ratchet_proposal", {"proposed_limit_kwh": "10.5"},
     "limit_kwh must not be below proposed_limit_kwh, broken once (found 10 beside 10.5)"),
    ("fct_ratchet_proposal", {"saving_kwh": "-1"}, "saving_kwh must be at least 0, broken once (found -1)"),
    ("fct_saving_account", {"handed_back_energy_kwh": "-1"},
     "handed_back_energy_kwh must be at least 0, broken once (found -1)"),
    ("fct_efficiency_change", {"origin": "guessed"},
     "origin must be one of declared, detected, broken once (found guessed)"),
    ("fct_efficiency_change", {"after_30_saved_energy_kwh": "-2"},
     "after_30_saved_energy_kwh must not be below after_30_saved_energy_kwh_low, broken once (found -2 beside -1)"),
    ("fct_ceiling_position_daily", {"used_low": "2.5"},
     "used_quantity must not be below used_low, broken once (found 2 beside 2.5)"),
    ("fct_ceiling_position_daily", {"used_high": "1"},
     "used_high must not be below used_quantity, broken once (found 1 beside 2)"),
    ("fct_ceiling_position_daily", {"forecast_low": "5.5"},
     "forecast_quantity must not be below forecast_low, broken once (found 5 beside 5.5)"),
    ("fct_ceiling_position_daily", {"forecast_high": "4.5"},
     "forecast_high must not be below forecast_quantity, broken once (found 4.5 beside 5)"),
    ("fct_ceiling_position_daily", {"forecast_low": "0.5"},
     "forecast_low must not be below used_low, broken once (found 0.5 beside 1)"),
    ("fct_ceiling_position_daily", {"breach_probability": "1.5"},
     "breach_probability must be between 0 and 1, broken once (found 1.5)"),
    ("fct_ceiling_position_daily", {"status": "fine"},
     "status must be one of within, undecided, on course to exceed, exceeded, broken once (found fine)"),
    ("fct_coverage_daily", {"orphan_call_ratio": "-1"},
     "orphan_call_ratio must be between 0 and 1, broken once (found -1)"),
    ("fct_coverage_daily", {"received_tables": 3},
     "expected_tables must not be below received_tables, broken once (found 2 beside 3)"),
    ("fct_ceiling_position_daily", {"breach_probability_high": "1.1"},
     "breach_probability_high must be between 0 and 1, broken once (found 1.1)"),
    ("fct_ceiling_step", {"from_ratio": "1.1"}, "from_ratio must be between 0 and 1, broken once (found 1.1)"),
    ("fct_ceiling_step", {"begins_date": "2026-08-04"},
     "begins_date_high must not be below begins_date, broken once (found 2026-08-03 beside 2026-08-04)"),
    ("fct_ceiling_step", {"usefulness_class": "essential"},
     "usefulness_class must be one of useful, comfort, experimental, broken once (found essential)"),
    ("fct_range_monthly", {"central": "0.5"}, "central must not be below low, broken once (found 0.5 beside 1)"),
    ("fct_range_monthly", {"high": "1.5"}, "high must not be below central, broken once (found 1.5 beside 2)"),
    ("fct_range_monthly", {"mean": "0.5"}, "mean must not be below low, broken once (found 0.5 beside 1)"),
    ("fct_coverage_daily", {"received_account_count": 3},
     "expected_account_count must not be below received_account_count, broken once (found 2 beside 3)"),
    ("fct_workload_inventory", {"energy_kwh_high": "0.9"},
     "energy_kwh_high must not be below energy_kwh, broken once (found 0.9 beside 1)"),
    ("fct_workload_inventory", {"excess_call_count": -1},
     "excess_call_count must be at least 0, broken once (found -1)"),
    ("fct_workload_inventory", {"retry_ratio": "1.5"}, "retry_ratio must be between 0 and 1, broken once (found 1.5)"),
    ("fct_workload_lever", {"saved_energy_kwh_low": "1.5"},
     "saved_energy_kwh must not be below saved_energy_kwh_low, broken once (found 1 beside 1.5)"),
    ("fct_workload_lever", {"saved_energy_kwh_high": "3.5"},
     "base_energy_kwh_high must not be below saved_energy_kwh_high, broken once (found 3 beside 3.5)"),
    ("fct_claim_docket", {"total_saving_ratio_low": "0.6"},
     "total_saving_ratio_high must not be below total_saving_ratio_low, broken once (found 0.5 beside 0.6)"),
    ("fct_denied_daily", {"denied_call_count": 0},
     "denied_call_count must not be below question_count, broken once (found 0 beside 1)"),
    ("fct_denied_daily", {"denied_energy_kwh": "3.5"},
     "denied_energy_kwh_high must not be below denied_energy_kwh, broken once (found 3 beside 3.5)"),
    ("fct_levy_posting", {"credit_amount": "-0.01"}, "credit_amount must be at least 0, broken once (found -0.01)"),
    ("fct_levy_posting", {"basis_kgco2e_high": "1.5"},
     "basis_kgco2e_high must not be below basis_kgco2e, broken once (found 1.5 beside 2)"),
    ("fct_levy_posting", {"levy_kind": "tax"}, "levy_kind must be one of fee, shadow, broken once (found tax)"),
    ("fct_vendor_register", {"yes_count": 7}, "yes_count must be between 0 and 6, broken once (found 7)"),
    ("fct_vendor_register", {"verdict": "good"},
     "verdict must be one of a cheaper meter, answers in part, answers all six, not asked, broken once (found good)"),
    ("fct_governance", {"item_count": -1}, "item_count must be at least 0, broken once (found -1)"),
    ("fct_governance", {"energy_kwh_low": "1.5"},
     "energy_kwh must not be below energy_kwh_low, broken once (found 1 beside 1.5)"),
    ("fct_decomposition_monthly", {"effect_ratio": "-2"}, "effect_ratio must be at least 0, broken once (found -2)"),
    ("fct_decomposition_monthly", {"effect_low": "1.5"},
     "effect_high must not be below effect_low, broken once (found 1 beside 1.5)"),
    ("fct_decomposition_monthly", {"chain": "daily"},
     "chain must be one of monthly, chained, end_point, broken once (found daily)"),
    ("fct_decomposition_monthly", {"base_coverage_ratio": "1.5"},
     "base_coverage_ratio must be between 0 and 1, broken once (found 1.5)"),
    ("fct_training_decomposition_monthly", {"compared_run_count": -1},
     "compared_run_count must be at least 0, broken once (found -1)"),
    ("fct_governance_task", {"waiting_days_count": -1},
     "waiting_days_count must be at least 0, broken once (found -1)"),
    ("fct_governance_task", {"energy_kwh": "2.5"},
     "energy_kwh_high must not be below energy_kwh, broken once (found 2 beside 2.5)"),
    ("fct_rebound", {"rebound_ratio": "-1.5"},
     "rebound_ratio must not be below rebound_ratio_low, broken once (found -1.5 beside -1)"),
    ("fct_rebound", {"rebound_ratio": "2.5"},
     "rebound_ratio_high must not be below rebound_ratio, broken once (found 2 beside 2.5)"),
    ("fct_rebound", {"used_ratio_low": "-0.1"}, "used_ratio_low must be at least 0, broken once (found -0.1)"),
    ("fct_rebound", {"pre_trend_probability": "1.5"},
     "pre_trend_probability must be between 0 and 1, broken once (found 1.5)"),
]


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """What gate 2 says of a warehouse in which everything above is wrong."""
    wrong = {mart: [change for each, change, _ in NEVER if each == mart] for mart in GOOD_MARTS}
    return marts.inspect(warehouse(tmp_path_factory.mktemp("wrong") / "w.duckdb", **wrong))


@pytest.mark.parametrize("mart", GOOD_MARTS)
def test_what_no_published_figure_may_be(refused, mart):
    assert sorted(refused[mart]) == sorted(sentence for each, _, sentence in NEVER if each == mart)
    assert all(readable(sentence) for sentence in refused[mart])


def test_a_mart_without_a_column_that_must_be_looked_at_is_no_pass(tmp_path):
    path = warehouse(tmp_path / "w.duckdb")
    with duckdb.connect(str(path)) as duck:
        duck.execute("alter table fct_footprint_daily drop column energy_kwh_high")
    with pytest.raises(RuntimeError, match="on fct_footprint_daily could not be evaluated"):
        marts.inspect(path)
