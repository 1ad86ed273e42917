"""What a decomposition promises: right to a billionth, closed to the last digit, the same from every side."""

import math
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import decomposition_oracle as oracle
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from made_up_periods import OWNERS, Decomposed, Months, Period, grown, offset, period

CASES = 400
RIGHT = Decimal("1e-9")
SEEDS = st.integers(0, 2**32)


def many(examples: int):
    """The same ones each time, so that a red test stays red until it is mended."""
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def decomposed() -> Decomposed:
    return Decomposed()


def made(seed: int, count: int) -> tuple[list[Period], list[tuple[int, int]]]:
    """Pairs of periods: any two, two with equal totals, two that nearly agree, and a period beside itself."""
    random, periods, pairs = Random(seed), [], []
    for _ in range(count):
        first = period(random)
        kind = random.randrange(5)
        second = (offset(random, first) if kind == 0 else grown(random, first) if kind == 1 else first if kind == 2
                  else period(random))
        pairs.append((len(periods), len(periods) + 1))
        periods += [first, second]
    return periods, pairs


def by_key(rows: list[dict]) -> dict[tuple, dict]:
    names = ("pair_id", "measure", "perimeter_type", "perimeter_id", "part", "factor")
    found = {tuple(row[name] for name in names): row for row in rows}
    assert len(found) == len(rows)
    return found


def expected(periods: list[Period], pairs: list[tuple[int, int]]) -> dict[tuple, Decimal]:
    return {
        (n, *key): effect
        for n, (a, b) in enumerate(pairs)
        for key, effect in oracle.effects(
            periods[a].cells, periods[b].cells, OWNERS, (periods[a].outcomes, periods[b].outcomes),
            (periods[a].day_count, periods[b].day_count)).items()
    }


def test_every_effect_is_right_to_a_billionth_and_none_is_left_over(decomposed):
    periods, pairs = made(1, CASES)
    rows = by_key(decomposed.run(periods, pairs))
    exact = expected(periods, pairs)
    effects = {key: row for key, row in rows.items() if key[4] != "unknown"}
    worst, ratios, closed = Decimal(0), 0, 0
    totals: dict[tuple, Decimal] = defaultdict(Decimal)
    for key in effects.keys() | exact.keys():
        got = effects[key]["effect_quantity"] if key in effects else Decimal(0)
        want = exact.get(key, Decimal(0))
        # twelve digits are kept, and a double has sixteen of the largest cell that went into the sum
        scale = max([abs(want), *(Decimal(effects[key][f"{side}_quantity"] or 0) / 10**5
                                  for side in ("base", "compared") if key in effects)])
        assert abs(got - want) <= RIGHT * scale + Decimal("2e-12"), (key, got, want)
        worst = max(worst, abs(got - want) / scale if scale > Decimal("0.01") else Decimal(0))
        totals[key[:4]] += got
    print(f"{len(exact):,} effects, largest error {worst:.1e}")
    for key, row in effects.items():
        before, after = row["base_quantity"], row["compared_quantity"]
        change = (after or 0) - (before or 0)
        assert totals[key[:4]] == change, key
        closed += change == 0 and row["effect_quantity"] != 0
        if before and after:
            mean = oracle.mean(after, before)
            ratio = (exact.get(key, Decimal(0)) / mean).exp()
            if Decimal("1e-6") < ratio < 10**6:
                off = 5 * RIGHT * max(1, abs(ratio.ln())) + Decimal("2e-12") / mean + Decimal("1e-12") / ratio
                assert abs(row["effect_ratio"] / ratio - 1) <= off, (key, row["effect_ratio"], ratio)
                ratios += 1
        else:
            assert row["effect_ratio"] is None, key
    assert ratios > 1000 and closed > 100, "the cases hold what they are made for"


@many(3)
@given(seed=SEEDS)
def test_the_way_back_is_the_way_there_with_the_sign_turned_to_the_last_digit(decomposed, seed):
    periods, pairs = made(seed, 20)
    there = by_key(decomposed.run(periods, pairs))
    back = by_key(decomposed.run(periods, [(b, a) for a, b in pairs]))
    assert there.keys() == back.keys() and there
    for key, row in there.items():
        turned = back[key]
        for name, other in (("effect_quantity", "effect_quantity"), ("effect_low", "effect_high")):
            assert row[name] == (None if turned[other] is None else -turned[other]), key
        assert (row["base_quantity"], row["base_coverage_ratio"]) == (
            turned["compared_quantity"], turned["compared_coverage_ratio"])


@many(3)
@given(seed=SEEDS)
def test_parts_add_up_to_the_whole_to_the_last_digit(decomposed, seed):
    periods, pairs = made(seed, 20)
    sums: dict[tuple, Decimal] = defaultdict(Decimal)
    rows = [row for row in decomposed.run(periods, pairs) if row["part"] != "unknown"]
    assert rows
    # what a part sees as its own activity is a mix for the whole
    for level, mixes in {"unit": ["team_mix"], "team": ["team_mix"], "workflow": ["team_mix", "workflow_mix"]}.items():
        sums.clear()
        for row in rows:
            if row["perimeter_type"] not in ("organisation", level):
                continue
            sign = 1 if row["perimeter_type"] == level else -1
            factor = "activity" if row["factor"] in mixes else row["factor"]
            sums[row["pair_id"], row["measure"], row["part"], factor] += sign * row["effect_quantity"]
        assert set(sums.values()) == {0}, (level, [key for key, value in sums.items() if value][:3])


@many(3)
@given(seed=SEEDS)
def test_the_order_of_the_rows_changes_no_digit(decomposed, seed):
    periods, pairs = made(seed, 40)
    assert by_key(decomposed.run(periods, pairs)) == by_key(decomposed.run(periods, pairs, Random(seed)))


@pytest.fixture(scope="module")
def months() -> Months:
    return Months()


JANUARY, FEBRUARY = date(2026, 1, 5), date(2026, 2, 5)
DAYS = [JANUARY, FEBRUARY]  # a day each, so that their number changes nothing
LN2 = Decimal("0.693147180560")
CALLS = {"workflow_id": "w0", "provider": "p", "model_id": "p/m", "lifecycle_stage": "inference",
         "energy_line": "direct", "factor_id": "f", "call_count": 10, "gpu_seconds": 0, "output_tokens": 1000,
         "energy_kwh": Decimal(1), "energy_kwh_high": Decimal(3)}
TOLD = {**CALLS, "factor_id": None, "gap_reason": "metered_elsewhere", "energy_kwh": None, "energy_kwh_high": None}
BOARD = {"workflow_id": "w0", "provider": "hardware", "model_id": "hardware/h", "lifecycle_stage": "inference",
         "energy_line": "direct", "factor_id": "counter", "call_count": 0, "gpu_seconds": 100, "energy_kwh": Decimal(1),
         "energy_kwh_high": Decimal(1)}
COOLING = {**BOARD, "energy_line": "overhead", "gpu_seconds": 0, "energy_kwh": Decimal("0.5")}
DONE = {"workflow_id": "w0", "outcome_type": "done", "outcome_count": 10}
BY_HAND = {  # rows of either month, outcomes of either month, effects in the organisation
    # L(3, 1) ln 2 = 2 ln 2 / ln 3
    "a model comes in beside the other": (
        [CALLS], [CALLS, {**CALLS, "model_id": "p/n", "energy_kwh": Decimal(2)}], (),
        {("requests", "activity"): Decimal("1.261859507143"), ("requests", "model_mix"): Decimal("0.738140492857")}),
    "a model goes": (
        [CALLS, {**CALLS, "model_id": "p/n", "energy_kwh": Decimal(2)}], [CALLS], (),
        {("requests", "activity"): Decimal("-1.261859507143"), ("requests", "model_mix"): Decimal("-0.738140492857")}),
    # L(1, 1) ln 2: what the better model saved was used up
    "all calls go to a better model, and there are twice as many": (
        [CALLS], [{**CALLS, "model_id": "p/n", "call_count": 20, "output_tokens": 2000}], (),
        {("requests", "activity"): LN2, ("requests", "model_mix"): -LN2}),
    "all calls go to a model of which nothing is known": (
        [CALLS], [{**CALLS, "model_id": "p/n", "energy_kwh": None, "gap_reason": "no_factor"}], (),
        {("requests", "coverage"): -1, ("unknown", "unknown"): None}),
    "a workflow comes into a team": (
        [CALLS], [CALLS, {**CALLS, "workflow_id": "w1", "energy_kwh": Decimal(2)}], (),
        {("requests", "activity"): LN2, ("requests", "workflow_mix"): 2 - LN2}),
    "a team comes in": (
        [CALLS], [CALLS, {**CALLS, "workflow_id": "w2", "energy_kwh": Decimal(2)}], (),
        {("requests", "activity"): LN2, ("requests", "team_mix"): 2 - LN2}),
    "twice the calls for the same outcomes": (
        [CALLS], [{**CALLS, "call_count": 20, "output_tokens": 2000, "energy_kwh": Decimal(2)}], (DONE, DONE),
        {("requests", "calls_per_outcome"): 1}),
    "outcomes of another kind are not the same activity": (
        [CALLS], [{**CALLS, "call_count": 20, "output_tokens": 2000, "energy_kwh": Decimal(2)}],
        (DONE, {**DONE, "outcome_type": "seen"}), {("requests", "activity"): 1}),
    "a model loses its factor, which saves nothing": (
        [CALLS], [{**CALLS, "factor_id": None, "energy_kwh": None, "gap_reason": "no_factor"}], (),
        {("requests", "coverage"): -1, ("unknown", "unknown"): None}),
    "twice the calls, and half of them are not known": (
        [CALLS], [CALLS, {**CALLS, "model_id": "p/n", "energy_kwh": None, "gap_reason": "no_factor"}], (),
        {("requests", "activity"): LN2, ("requests", "coverage"): -LN2, ("unknown", "unknown"): None}),
    "another estimate is no saving": (
        [CALLS], [{**CALLS, "factor_id": "g", "energy_kwh": Decimal("0.25")}], (),
        {("requests", "estimation"): Decimal("-0.75")}),
    "calls without tokens": (
        [{**CALLS, "output_tokens": 0}], [{**CALLS, "output_tokens": 0, "energy_kwh": Decimal(2)}], (),
        {("requests", "energy_per_call"): 1}),
    "own hardware is related to the calls that it answered": (
        [TOLD, BOARD, COOLING], [{**TOLD, "call_count": 20, "output_tokens": 2000},
                                 {**BOARD, "energy_kwh": Decimal(2)}, {**COOLING, "energy_kwh": Decimal(1)}], (),
        {("requests", "activity"): Decimal("1.5")}),
    "cooling is given up": (
        [TOLD, BOARD, COOLING], [TOLD, BOARD, {**COOLING, "energy_kwh": Decimal(0)}], (),
        {("requests", "overhead"): Decimal("-0.5")}),
    "own hardware whose calls are told in one month only is related to its time": (
        [TOLD, BOARD], [{**BOARD, "gpu_seconds": 200, "energy_kwh": Decimal(2)}], (), {("gpu_time", "activity"): 1}),
    "idle time, jobs, and a host without boards, each apart": (
        [{**BOARD, "lifecycle_stage": stage} for stage in ("idle", "training")],
        [{**BOARD, "lifecycle_stage": "idle", "gpu_seconds": 200, "energy_kwh": Decimal(2)},
         {**BOARD, "lifecycle_stage": "training", "energy_kwh": Decimal(4)},
         {**BOARD, "lifecycle_stage": "unknown", "workflow_id": "w4", "gpu_seconds": 0, "energy_kwh": Decimal(5)}], (),
        {("idle", "activity"): 1, ("training", "energy_per_gpu_second"): 3, ("other", "without_activity"): 5}),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_what_may_be_reckoned_by_hand(months, case):
    before, after, outcomes, effects = BY_HAND[case]
    ledger = [{**row, "usage_date": day} for day, rows in zip(DAYS, (before, after), strict=True) for row in rows]
    rows = months.run(ledger, DAYS, [{**each, "usage_date": day} for day, each in zip(DAYS, outcomes, strict=False)])
    found = {(row["part"], row["factor"]): row["effect_quantity"] for row in rows
             if (row["perimeter_type"], row["measure"]) == ("organisation", "energy_kwh")}
    assert {key: effect for key, effect in found.items() if effect != 0} == effects


def test_zero_carbon_electricity_is_the_grids_effect_and_not_the_energys(months):
    clean = {**CALLS, "location_gco2e": Decimal(0), "location_gco2e_high": Decimal(0)}
    dirty = {**clean, "location_gco2e": Decimal(500), "location_gco2e_high": Decimal(500)}
    rows = months.run([{**clean, "usage_date": JANUARY}, {**dirty, "usage_date": FEBRUARY}], DAYS)
    found = {(row["measure"], row["factor"]): (row["effect_quantity"], row["effect_ratio"]) for row in rows
             if row["perimeter_type"] == "team" and row["effect_quantity"]}
    assert found == {("location_kgco2e", "grid_intensity"): (Decimal("0.5"), None)}


def test_a_single_month_is_compared_with_nothing(months):
    assert months.run([{**CALLS, "usage_date": JANUARY}], [JANUARY]) == []
    assert months.run([], []) == []


def test_four_months_step_by_step_are_the_whole_way(months):
    random, first = Random(4), date(2026, 1, 1)
    days = [first + timedelta(days=n) for n in range(120 + 7)]  # to the end of April, and a week of May
    ledger = [
        {**CALLS, "usage_date": day, "workflow_id": workflow, "model_id": f"p/{model}",
         "call_count": random.randint(1, 99), "output_tokens": random.randint(1, 9999),
         "energy_kwh": Decimal(random.randint(1, 10**9)).scaleb(-9)}
        for day in days for workflow in OWNERS for model in range(3)
        if (day.month + model + int(workflow[1])) % 3]
    rows = months.run(ledger, days)
    energy = [row for row in rows if row["measure"] == "energy_kwh"]
    assert {row["base_first_date"].month for row in energy if row["chain"] == "monthly"} == {1, 2, 3, 4}
    assert {row["is_whole"] for row in energy if row["base_first_date"].month == 4} == {False}
    changes = {}
    for chain in ("monthly", "chained", "end_point"):
        effects: dict[tuple, Decimal] = defaultdict(Decimal)
        for row in energy:
            if row["chain"] == chain and row["base_first_date"].month < 4:
                effects[row["perimeter_id"]] += row["effect_quantity"]
        changes[chain] = dict(effects)
    assert changes["monthly"] == changes["chained"] == changes["end_point"]
    ends = {(row["chain"], row["base_first_date"], row["compared_last_date"]) for row in energy
            if row["chain"] != "monthly"}
    assert ends == {(chain, first, date(2026, 4, 30)) for chain in ("chained", "end_point")}
    steps = [row for row in energy if row["chain"] == "monthly" and row["compared_first_date"].month < 5]
    product = 1.0
    for row in energy:
        if row["chain"] == "chained":
            same = [step for step in steps if all(step[name] == row[name] for name in (
                "perimeter_type", "perimeter_id", "part", "factor"))]
            assert row["effect_quantity"] == sum(step["effect_quantity"] for step in same)
            assert float(row["effect_ratio"]) == pytest.approx(math.prod(float(step["effect_ratio"]) for step in same))
            if row["perimeter_type"] == "organisation":
                product *= float(row["effect_ratio"])
                whole = row
    assert product == pytest.approx(float(whole["compared_quantity"] / whole["base_quantity"]))
