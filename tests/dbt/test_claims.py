"""Claims against realised totals: the verdict of made-up weeks, beside an oracle that shares no line with the SQL."""

import math
import statistics
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pyarrow as pa
import pytest
from ledger_project import DAY, TABLES, TEXT, Ledger
from scipy.stats import t as student

RATIO, BIG = pa.decimal128(24, 6), pa.decimal128(38, 9)
FIRST = date(2026, 1, 5)
UNITS = {"call": "call_count", "output_token": "output_tokens", "outcome": "outcome_count"}


class Docket(Ledger):
    """The models of the docket alone, on marts as they are given."""

    models = ("int_claim__periods", "fct_claim_docket")
    tables = {
        "stg_registry__claims": {
            **dict.fromkeys(("claim_id", "claimant", "claim_text", "claim_source", "functional_unit", "workload",
                             "baseline", "hardware", "meter", "perimeter_type", "perimeter_id"), TEXT),
            **dict.fromkeys(("claimed_date", "baseline_first_date", "baseline_end_date", "tested_first_date",
                             "tested_end_date"), DAY),
            "claimed_saving_ratio": pa.decimal128(9, 8)},
        "dim_team": TABLES["stg_registry__teams"],
        "fct_workflow_daily": {
            "usage_date": DAY, "workflow_id": TEXT, "team_id": TEXT, "energy_kwh": BIG, "measured_ratio": RATIO,
            **dict.fromkeys(("call_count", "covered_call_count", "output_tokens"), pa.decimal128(38, 0))},
        "fct_outcome_daily": {"usage_date": DAY, "workflow_id": TEXT, "team_id": TEXT,
                              "outcome_count": pa.decimal128(38, 0)},
    }


@pytest.fixture(scope="module")
def docket(tmp_path_factory) -> Docket:
    return Docket(tmp_path_factory.mktemp("docket") / "home")


def made_up(random: Random, number: int) -> tuple[dict, dict[str, list[dict]]]:
    """One claim on a workflow of its own, and the days of that workflow: `u` has the unit, `t` the team."""
    before, after = random.randint(14, 50), random.randint(8, 50)
    name = f"w{number}"
    claim = {
        "claim_id": f"c{number}", "claimant": "v", "claim_text": "less", "claim_source": "s", "claimed_date": FIRST,
        "functional_unit": random.choice(["total", *UNITS]), "workload": "chats", "baseline": "before",
        "claimed_saving_ratio": Decimal(random.randint(1, 99)) / 100,
        "perimeter_type": random.choice(["workflow", "team", "unit"]),
        "baseline_first_date": FIRST, "baseline_end_date": FIRST + timedelta(before),
        "tested_first_date": FIRST + timedelta(before), "tested_end_date": FIRST + timedelta(before + after),
    }
    claim["perimeter_id"] = {"workflow": name, "team": f"t{number}", "unit": f"u{number}"}[claim["perimeter_type"]]
    spread = random.choice([0, 0.02, 0.3])
    per_call, growth = random.choice([0.2, 0.5, 0.8, 1.0, 1.3]), random.choice([0.3, 1.0, 2.0, 4.0])
    used, brought = [], []
    for index in range(before + after):
        later = index >= before
        calls = int(1000 * (growth if later else 1) * math.exp(random.gauss(0, spread)))
        known = calls if random.random() < 0.995 else calls // 2
        kwh = Decimal(round(known * (per_call if later else 1) * math.exp(random.gauss(0, spread)), 6))
        day = {"usage_date": FIRST + timedelta(index), "workflow_id": name, "team_id": f"t{number}"}
        used.append({**day, "energy_kwh": round(kwh, 9), "measured_ratio": 1, "call_count": calls,
                     "covered_call_count": known, "output_tokens": calls * 7})
        brought.append({**day, "outcome_count": calls // 3})
    return claim, {"fct_workflow_daily": used, "fct_outcome_daily": brought}


def oracle(claim: dict, days: dict[str, list[dict]]) -> tuple[str, float, float]:
    """Verdict, saving of the unit and saving of the total."""
    sides = []
    for first, end in (("baseline_first_date", "baseline_end_date"), ("tested_first_date", "tested_end_date")):
        weeks = []
        start = claim[first]
        while start + timedelta(7) <= claim[end]:
            rows = [{**use, **brought}
                    for use, brought in zip(days["fct_workflow_daily"], days["fct_outcome_daily"], strict=True)
                    if start <= use["usage_date"] < start + timedelta(7)]
            units = 1 if claim["functional_unit"] == "total" else sum(
                row[UNITS[claim["functional_unit"]]] for row in rows)
            weeks.append((float(sum(row["energy_kwh"] for row in rows)), units,
                          sum(row["covered_call_count"] for row in rows), sum(row["call_count"] for row in rows)))
            start += timedelta(7)
        sides.append(weeks)
    (before, after), claimed = sides, float(claim["claimed_saving_ratio"])
    means = [(statistics.fmean(w[0] for w in side), statistics.fmean(w[1] for w in side)) for side in sides]
    total = 1 - means[1][0] / means[0][0]
    unit = 1 - means[1][0] / means[1][1] / (means[0][0] / means[0][1])
    if min(len(before), len(after)) < 2:
        return "not testable", unit, total
    if min(sum(w[2] for w in side) / sum(w[3] for w in side) for side in sides) < 0.95:
        return "not testable", unit, total
    lows, highs = [], []
    for value in (lambda week: math.log(week[0]), lambda week: math.log(week[0] / week[1])):
        logs = [[value(week) for week in side] for side in sides]
        error = math.sqrt(sum(statistics.variance(side) / len(side) for side in logs))
        reach = student.ppf(0.975, min(10, len(before) - 1, len(after) - 1)) * error
        change = statistics.fmean(logs[1]) - statistics.fmean(logs[0])
        lows.append(1 - math.exp(change + reach))
        highs.append(1 - math.exp(change - reach))
    if lows[1] <= 0:
        return ("not testable" if highs[1] >= claimed else "contradicted"), unit, total
    if lows[0] <= 0:
        return "offset by volume", unit, total
    return ("confirmed" if min(unit, total) >= claimed else "partly confirmed"), unit, total


def test_the_verdict_is_that_of_the_totals(docket: Docket) -> None:
    random = Random(5)
    cases = [made_up(random, number) for number in range(300)]
    docket.run({
        "stg_registry__claims": [claim for claim, _ in cases],
        "dim_team": [{"team_id": f"t{number}", "unit_id": f"u{number}"} for number in range(len(cases))],
        "fct_workflow_daily": [row for _, days in cases for row in days["fct_workflow_daily"]],
        "fct_outcome_daily": [row for _, days in cases for row in days["fct_outcome_daily"]],
    })
    found = {row["claim_id"]: row for row in docket.rows("select * from fct_claim_docket")}
    seen = set()
    for claim, days in cases:
        row = found[claim["claim_id"]]
        verdict, unit, total = oracle(claim, days)
        assert row["verdict"] == verdict, (claim, row)
        assert abs(float(row["unit_saving_ratio"]) - unit) < 2e-6 * (1 + abs(unit))
        assert abs(float(row["total_saving_ratio"]) - total) < 2e-6 * (1 + abs(total))
        seen.add(verdict)
    assert len(seen) == 5  # every verdict was met


def test_who_does_not_say_what_is_compared_with_what_gets_no_further(docket: Docket) -> None:
    claim, days = made_up(Random(1), 1)
    claims = [{**claim, "claim_id": missing, missing: None} for missing in (
        "workload", "baseline", "perimeter_id", "baseline_first_date", "tested_first_date")]
    docket.run({"stg_registry__claims": claims, **days})
    assert {row["claim_id"]: row["gap_reason"] for row in docket.rows("select * from fct_claim_docket")} == {
        "workload": "no_workload", "perimeter_id": "no_workload", "baseline": "no_baseline",
        "baseline_first_date": "no_baseline", "tested_first_date": "too_few_weeks"}
    assert {row["verdict"] for row in docket.rows("select * from fct_claim_docket")} == {"not testable"}


def test_the_quantiles_are_students() -> None:
    from parsed_project import PROJECT

    text = (PROJECT / "macros" / "statistics.sql").read_text("utf-8")
    told = [float(value.strip("' ")) for value in text.split("for value in [")[1].split("]")[0].split(",")]
    exact = [student.ppf(0.975, df) for df in range(1, 11)]
    assert all(0 <= mine - true < 0.0015 for mine, true in zip(told, exact, strict=True))
