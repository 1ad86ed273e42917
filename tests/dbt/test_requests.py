"""Energy per request and per run: conserved, mergeable, and as near to the exact quantiles as the bins promise."""

import csv
import math
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from request_project import Requests

FIRST = date(2026, 3, 30)
HALF = Fraction(1, 2 * 10**9)  # of a billionth of a kWh: what one rounding may change
BIN = 2 ** (1 / 8)
PER = {"request": "0.000166", "input_token": "0.000000033", "cached_input_token": "0.0000000013",
       "cache_write_token": "0.000000041", "output_token": "0.0000135", "audio_second": "0.00002",
       "video_second": "0.001", "nano_usd": "0"}
MONEY = {**dict.fromkeys(PER, "0"), "image": "0", "nano_usd": "0.00000000025"}
COUNTS = {"input_token": "input_tokens", "cached_input_token": "cached_input_tokens",
          "cache_write_token": "cache_write_input_tokens", "output_token": "output_tokens", "image": "image_count",
          "audio_second": "audio_seconds", "video_second": "video_seconds"}
ENDS = ("_low", "", "_high")


@pytest.fixture(scope="module")
def requests(tmp_path_factory) -> Requests:
    return Requests(tmp_path_factory.mktemp("requests") / "home")


def factor(name: str, provider: str, model: str, per: dict[str, str], tier: int = 4) -> dict:
    found = {"factor_id": name, "factor_set": "jevons-defaults-1", "provider": provider, "model_name": model,
             "evidence_tier": tier, "valid_from": date(2020, 1, 1)}
    for end in ENDS:
        found |= {f"kwh_per_{kind}{end}": Decimal(value) for kind, value in per.items()}
        found[f"batch_output_ratio{end}"] = Decimal("0.7")
    return found


ORGANISATION = {
    "factor_set": [factor("f", "p", "m", PER), factor("money", "spend", "%", MONEY, 5)],
    "stg_settings__providers": [
        {"provider": "p", "system_of_record": "call_log"}, {"provider": "seats", "energy_from": "spend"},
        {"provider": "own", "energy_from": "gpu_prometheus"}, {"provider": "elsewhere", "system_of_record": "openai"}],
    "model_alias": [{"provider": "p", "model_reported": "latest", "provider_canonical": "p", "model_canonical": "m",
                     "valid_from": date(2020, 1, 1), "valid_to": FIRST + timedelta(days=1)}],
    "stg_registry__workflows": [
        {"workflow_id": f"w{n}", "team_id": f"t{n % 2}", "latency_tier": "seconds"} for n in range(3)],
    "stg_registry__attribution_rules": [
        {"rule_id": f"r{n}", "match_type": "api_key", "source": None, "match_value": key, "workflow_id": workflow,
         "share": Decimal(share), "valid_from": date(2020, 1, 1), "valid_to": None}
        for n, (key, workflow, share) in enumerate(
            [("k0", "w0", "1"), ("k1", "w1", "0.3"), ("k1", "w2", "0.7"), ("k2", "w1", "0.5"), ("k2", "w0", "0.5")])],
}


def made_calls(seed: int, count: int, days: int, images: bool) -> list[dict]:
    """Calls with a long tail: some of models without factor, metered, paid for by the dollar or booked elsewhere."""
    random, found = Random(seed), []
    for number in range(count):
        day = FIRST + timedelta(days=random.randrange(days))
        start = datetime(day.year, day.month, day.day) + timedelta(seconds=random.randrange(86_400))
        found.append({
            "request_id": f"c{number}", "usage_date": day, "usage_hour_utc": start.replace(minute=0, second=0),
            "started_at_utc": start, "provider": random.choice(["p"] * 6 + ["seats", "own", "elsewhere", None]),
            "model_reported": random.choice(["m", "m", "m", "latest", "unknown"]),
            "api_key_id": random.choice(["k0", "k1", "k2", "k3", None, ""]),
            "input_tokens": int(math.exp(random.gauss(6.5, 1.5))), "cached_input_tokens": random.choice([0, 900]),
            "cache_write_input_tokens": random.choice([None, 0, 40]),
            "output_tokens": random.choice([0, int(math.exp(random.gauss(5, 1.3)))]),
            "image_count": random.choice([None, 0, 1]) if images else None,
            "audio_seconds": random.choice([None, None, 30]), "serving_mode": random.choice([None, None, "batch"]),
            "attempt": random.choice([1, 1, 2]),
            "cost_usd": random.choice([None, Decimal("12.5"), Decimal("0.000001")]),
            "run_id": random.choice([None, None, f"run{random.randrange(count // 20 + 1)}"]),
            "step_kind": random.choice(["model", "tool", "safety", None, "new"]),
        })
    return found


def exact_kwh(call: dict) -> Fraction | None:
    """What a call takes, from the written rules; None where it is not known or in a meter."""
    model = call["model_reported"]
    if call["provider"] == "p" and model == "latest" and call["usage_date"] <= FIRST:
        model = "m"
    if call["provider"] == "seats":
        return Fraction(MONEY["nano_usd"]) * int((call["cost_usd"] or 0) * 10**9)
    if (call["provider"], model) != ("p", "m"):
        return None
    total = Fraction(PER["request"])
    for kind, count in COUNTS.items():
        if call.get(count):
            if kind not in PER:
                return None
            ratio = Fraction("0.7") if kind == "output_token" and call.get("serving_mode") == "batch" else 1
            total += call[count] * Fraction(PER[kind]) * ratio
    return total


def of_record(calls: list[dict]) -> list[dict]:
    return [call for call in calls if call["provider"] != "elsewhere"]


def nearest_rank(values: list[float], percent: int) -> float:
    return float(np.quantile(values, percent / 100, method="inverted_cdf"))


def top_share(values: list[float]) -> float:
    """The share of the top hundredth, a part of the value at its edge."""
    left, total = len(values) / 100, 0.0
    for value in sorted(values, reverse=True):
        total += value * min(1, left)
        left -= min(1, left)
    return total / sum(values)


@pytest.mark.parametrize("seed", range(6))
def test_every_call_is_in_the_bin_of_its_energy_and_nothing_is_lost(requests, seed):
    calls = made_calls(seed, 800, 3, images=True)
    requests.run({**ORGANISATION, "stg_call_log__calls": calls})
    rows = requests.rows("select * from fct_request_distribution_daily")
    found: dict[tuple, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for row in rows:
        key = row["usage_date"], row["bin_number"]
        found[key][0] += int(row["call_count"])
        found[key][1] += Fraction(row["energy_kwh"] or 0)
        assert (row["bin_number"] is None) == (row["energy_kwh"] is None) == (row["gap_reason"] is not None), row
    expected: dict[tuple, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for call in of_record(calls):
        kwh = exact_kwh(call)
        number = None if kwh is None else max(-400, math.floor(8 * math.log2(kwh * 1000))) if kwh else -400
        expected[call["usage_date"], number][0] += 1
        expected[call["usage_date"], number][1] += kwh or 0
    assert {key: count for key, (count, _) in found.items()} == {key: count for key, (count, _) in expected.items()}
    assert all(abs(found[key][1] - kwh) <= HALF * len(rows) for key, (_, kwh) in expected.items())
    reasons = {row["gap_reason"] for row in rows}
    assert reasons == {None, "no_factor", "no_rule", "metered_elsewhere"}


@pytest.mark.parametrize("seed", range(4))
def test_the_histograms_energy_is_the_ledgers_but_for_roundings(requests, seed):
    calls = made_calls(100 + seed, 600, 2, images=False)
    requests.run({**ORGANISATION, "stg_call_log__calls": calls})
    for day in {call["usage_date"] for call in calls}:
        here = requests.rows(f"""select count(*) as n, sum(call_count) as calls, sum(energy_kwh) as kwh
            from fct_request_distribution_daily where usage_date = '{day}'""")[0]
        there = requests.rows(f"""select count(*) as n, sum(call_count) as calls, sum(energy_kwh) as kwh
            from int_footprint__hourly
            where usage_date = '{day}' and source = 'call_log' and energy_line = 'direct'""")[0]
        assert here["calls"] == there["calls"] == len(of_record([c for c in calls if c["usage_date"] == day]))
        assert here["kwh"] > 0
        assert abs(Fraction(here["kwh"]) - Fraction(there["kwh"])) <= HALF * (here["n"] + there["n"])


def test_a_request_of_a_shared_key_is_counted_once_and_whole(requests):
    calls = [{**call, "provider": "p", "model_reported": "m", "api_key_id": key}
             for key in ("k1", "k2") for call in made_calls(7, 100, 1, images=False)]
    requests.run({**ORGANISATION, "stg_call_log__calls": calls})
    rows = requests.rows("""select workflow_id, attribution_method, sum(call_count) as calls
        from fct_request_distribution_daily group by all order by 1""")
    # k1: w2 has 0.7 of it; k2: w0 and w1 have a half each, and w0 is the first in order
    assert rows == [{"workflow_id": "w0", "attribution_method": "allocated", "calls": 100},
                    {"workflow_id": "w2", "attribution_method": "allocated", "calls": 100}]


@pytest.mark.parametrize("seed", range(3))
def test_histograms_of_parts_add_up_to_the_histogram_of_the_whole(requests, seed):
    calls = [{**call, "usage_date": FIRST} for call in made_calls(200 + seed, 600, 1, images=True)]
    rules = {**ORGANISATION, "model_alias": []}
    cut = Random(seed).randint(1, 599)
    summed = """select workflow_id, model_id, length_class, attribution_method, gap_reason, bin_number,
        sum(call_count) as calls, sum(energy_kwh) as kwh from {} group by all"""
    parts: dict[tuple, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for part in (calls[:cut], calls[cut:]):
        requests.run({**rules, "stg_call_log__calls": part})
        for row in requests.rows(summed.format("fct_request_distribution_daily")):
            key = tuple(row[name] for name in list(row)[:6])
            parts[key][0] += int(row["calls"])
            parts[key][1] += Fraction(row["kwh"] or 0)
    requests.run({**rules, "stg_call_log__calls": calls})
    whole = {tuple(row[name] for name in list(row)[:6]): row
             for row in requests.rows(summed.format("fct_request_distribution_daily"))}
    assert whole.keys() == parts.keys()
    for key, row in whole.items():
        assert row["calls"] == parts[key][0]
        assert abs(Fraction(row["kwh"] or 0) - parts[key][1]) <= 3 * HALF


@pytest.mark.parametrize("seed", range(4))
def test_quantiles_of_a_month_are_within_half_a_bin_of_the_exact_ones(requests, seed):
    calls = made_calls(300 + seed, 1500, 5, images=True)  # from one month into the next
    requests.run({**ORGANISATION, "stg_call_log__calls": calls})
    rows = requests.rows("select * from fct_request_quantile_monthly where perimeter_type = 'organisation'")
    assert len(rows) == 2
    for row in rows:
        month = [c for c in of_record(calls) if c["usage_date"].replace(day=1) == row["usage_month"]]
        known = [float(kwh) * 1000 for kwh in map(exact_kwh, month) if kwh is not None]
        near(row, known, len(month))


def near(row: dict, known_wh: list[float], all_calls: int) -> None:
    """The quantiles are off by the square root of a bin at most, the top share by one bin's width, downwards."""
    assert (row["call_count"], row["gap_call_count"]) == (all_calls, all_calls - len(known_wh))
    for percent in (50, 95, 99):
        exact = nearest_rank(known_wh, percent)
        assert BIN**-0.5 - 1e-6 <= float(row[f"p{percent}_wh"]) / exact <= BIN**0.5 + 1e-6, percent
    exact = top_share(known_wh)
    assert exact / BIN - 1e-6 <= float(row["top_1_percent_energy_ratio"]) <= exact + 1e-6
    assert float(row["mean_wh"]) == pytest.approx(sum(known_wh) / len(known_wh), rel=1e-6)


@pytest.mark.parametrize("trace", ["code", "conv"])
def test_quantiles_of_real_requests(requests, shared_data, trace):
    path = shared_data / "azure-llm-2023" / f"AzureLLMInferenceTrace_{trace}.csv"
    if not path.is_file():
        pytest.skip(f"no {path.name}")
    with path.open(encoding="utf-8") as file:
        lengths = [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(file)]
    start = datetime(2026, 5, 4)
    calls = [{
        "request_id": f"a{number}", "usage_date": start.date(), "usage_hour_utc": start, "started_at_utc": start,
        "provider": "p", "model_reported": "m", "api_key_id": "k0", "input_tokens": given, "cached_input_tokens": 0,
        "cache_write_input_tokens": 0, "output_tokens": made,
    } for number, (given, made) in enumerate(lengths)]
    requests.run({**ORGANISATION, "stg_call_log__calls": calls})
    row = requests.rows("select * from fct_request_quantile_monthly where perimeter_type = 'workflow'")[0]
    assert row["perimeter_id"] == "w0" and row["call_count"] > 8000
    near(row, [float(exact_kwh(call)) * 1000 for call in calls], len(calls))


@pytest.mark.parametrize("seed", range(3))
def test_runs_hold_their_steps_and_each_day_its_own_part(requests, seed):
    calls = made_calls(400 + seed, 900, 3, images=False)
    requests.run({**ORGANISATION, "stg_call_log__calls": calls})
    steps = [call for call in of_record(calls) if call["run_id"]]
    by_run: dict[tuple, list[dict]] = defaultdict(list)
    for call in steps:
        by_run[call["usage_date"], call["run_id"]].append(call)
    assert len({run for _, run in by_run}) < len(by_run)  # some are at work on several days
    found = {(row["usage_date"], row["run_id"]): row for row in requests.rows("select * from int_agent_run__daily")}
    assert found.keys() == by_run.keys()
    for key, run in by_run.items():
        energies = [exact_kwh(call) for call in run]
        assert found[key]["step_count"] == len(run)
        assert found[key]["retry_step_count"] == sum(call["attempt"] > 1 for call in run)
        assert found[key]["tool_step_count"] == sum(
            call["attempt"] == 1 and call["step_kind"] == "tool" for call in run)
        assert (found[key]["energy_kwh"] is None) == (None in energies)
        if None not in energies:
            assert abs(Fraction(found[key]["energy_kwh"]) - sum(energies)) <= HALF * len(run)
    for mart in ("fct_agent_run_daily", "fct_agent_run_distribution_daily"):
        total = requests.rows(f"select sum(run_count) as runs, sum(step_count) as steps from {mart}")[0]
        assert total == {"runs": len(by_run), "steps": len(steps)}
    for row in requests.rows("select * from fct_agent_run_daily"):
        runs = [found[key] for key in by_run
                if key[0] == row["usage_date"] and found[key]["workflow_id"] == row["workflow_id"]]
        known = [float(run["energy_kwh"]) * 1000 for run in runs if run["energy_kwh"] is not None]
        assert row["run_count"] - row["gap_run_count"] == len(known)
        if sum(known):
            assert float(row["p95_run_wh"]) == pytest.approx(nearest_rank(known, 95), abs=1e-6)
            assert float(row["top_1_percent_energy_ratio"]) == pytest.approx(top_share(known), abs=2e-6)
