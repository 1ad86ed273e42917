"""What another factor set would change, on activity small enough to reckon by hand."""

from datetime import date
from decimal import Decimal

import duckdb
import pytest

from pipelines.declared import Model, Provider
from pipelines.factors.diff import COUNTS, comparison

BOOKED = [count for count in COUNTS.values() if count != "cost_nano_usd"]
DAY = date(2026, 7, 1)


class Build:
    """A build with nothing in it but what a test puts there."""

    def __init__(self) -> None:
        self.duck = duckdb.connect()
        counts = ", ".join(f"{name} decimal(38,0)" for name in BOOKED)
        self.duck.execute(
            "create table fct_footprint_daily (usage_date date, provider varchar, model_id varchar, "
            "serving_mode varchar, energy_line varchar, gap_reason varchar, factor_id varchar, "
            f"gpu_seconds decimal(38,0), cost_usd decimal(38,9), {counts})")
        kinds = ", ".join(f"kwh_per_{kind} decimal(18,18)" for kind in COUNTS)
        self.duck.execute(
            "create table dim_factor (factor_id varchar, factor_set varchar, provider varchar, model_name varchar, "
            "gpu_model varchar, method varchar, evidence_tier integer, correlation_group varchar, "
            "quarantine_reason varchar, valid_from date, valid_to date, batch_output_ratio decimal(7,6), "
            f"{kinds})")

    def used(self, model: str, tokens: int, mode: str = "", gap: str | None = None, line: str = "direct",
             **more) -> None:
        self._insert("fct_footprint_daily", {
            "usage_date": DAY, "provider": model.partition("/")[0], "model_id": model, "serving_mode": mode,
            "energy_line": line, "gap_reason": gap, "gpu_seconds": 0, "call_count": 10,
            "output_tokens": tokens, **more})

    def factor(self, name: str, model: str, output: str | None, request: str = "0", method: str = "parametric",
               tier: int = 4, gpu: str | None = None, **more) -> None:
        provider, _, model_name = model.partition("/")
        number, = self.duck.execute("select count(*) from dim_factor").fetchone()
        self._insert("dim_factor", {
            "factor_id": f"{name}/{number}", "factor_set": name, "provider": provider, "model_name": model_name,
            "gpu_model": gpu, "method": method, "evidence_tier": tier, "valid_from": date(2020, 1, 1),
            "batch_output_ratio": "0.5", "kwh_per_output_token": output, "kwh_per_request": request,
            "kwh_per_nano_usd": "0", **more})

    def _insert(self, table: str, row: dict) -> None:
        self.duck.execute(f"insert into {table} ({', '.join(row)}) values ({', '.join('?' * len(row))})",
                          list(row.values()))

    def compared(self, old: str = "a", new: str = "b", **declared) -> dict[str, dict]:
        answer = self.duck.execute(comparison(old, new, **declared))
        names = [column[0] for column in answer.description]
        return {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in answer.fetchall()}


@pytest.fixture
def build() -> Build:
    return Build()


@pytest.fixture
def three(build: Build) -> Build:
    """Three models and the sets a and b: m has another factor, n is known to b, o is measured in b."""
    build.used("p/m", 1000)
    build.used("p/m", 2000, mode="batch")
    build.used("p/m", 500, gap="metered_elsewhere")
    build.used("p/m", 500, gap="no_meter")
    build.used("p/m", 500, factor_id="hardware/counter")
    build.used("p/n", 100, input_tokens=7)
    build.used("p/o", 100)
    build.used("p/o", 100, line="overhead")
    build.factor("a", "p/m", "0.002", request="0.01")
    build.factor("a", "p/o", "0.01")
    build.factor("a", "p/n", "0.9", quarantine_reason="dearer than its price")
    build.factor("b", "p/m", "0.001", request="0.01")
    build.factor("b", "p/n", "0.03", kwh_per_input_token="0")
    build.factor("b", "p/o", "0.004", method="benchmark", tier=3)
    build.factor("b", "p/o", "0.5", tier=3, gpu="H100")
    build.factor("x", "hardware/counter", None, factor_id="hardware/counter")
    return build


def energies(row: dict) -> tuple:
    """Old, new, change and its three parts."""
    return tuple(row[f"{name}_kwh"] for name in ("old", "new", "change", "by_activity", "by_factor", "by_method"))


def unknown(row: dict) -> tuple:
    """Calls and tokens of unknown energy, of the old set and of the new one."""
    return tuple(row[f"{side}_unknown_{name}"] for side in ("old", "new") for name in ("call_count", "tokens"))


def test_the_change_is_told_apart_by_what_made_it(three: Build):
    """m: 20 calls x 0.01 + (1000 + 2000 x 0.5) x 0.002 = 0.2 + 4 = 4.2 kWh; with 0.001 it is 2.2: the factor, -2.

    n: 100 x 0.03 = 3 kWh that only b knows: activity, +3. o: 100 x 0.01 = 1 kWh, measured 0.4: the method, -0.6.
    """
    rows = three.compared()
    assert {model: energies(row) for model, row in rows.items()} == {
        "p/n": (None, Decimal(3), Decimal(3), Decimal(3), 0, 0),
        "p/m": (Decimal("4.2"), Decimal("2.2"), Decimal(-2), 0, Decimal(-2), 0),
        "p/o": (Decimal(1), Decimal("0.4"), Decimal("-0.6"), 0, 0, Decimal("-0.6")),
        "all models": (Decimal("5.2"), Decimal("5.6"), Decimal("0.4"), Decimal(3), Decimal(-2), Decimal("-0.6")),
    }
    assert unknown(rows["p/n"]) == unknown(rows["all models"]) == (10, 107, 0, 0)
    assert unknown(rows["p/m"]) == (0, 0, 0, 0)


def test_a_set_compared_with_itself_changes_nothing(three: Build):
    assert {row["change_kwh"] for row in three.compared("b", "b").values()} == {0}


def test_a_kind_without_a_rule_makes_the_energy_unknown_and_not_zero(build: Build):
    """Day 1: 100 tokens x 0.01 = 1 kWh by both. Day 2 has 3 images: a has no rule; b says 1 + 3 x 0.5 = 2.5 kWh."""
    build.used("p/m", 100)
    build.used("p/m", 100, image_count=3, usage_date=date(2026, 7, 2))
    build.factor("a", "p/m", "0.01")
    build.factor("b", "p/m", "0.01", kwh_per_image="0.5")
    row = build.compared()["p/m"]
    assert energies(row) == (Decimal(1), Decimal("3.5"), Decimal("2.5"), Decimal("2.5"), 0, 0)
    assert unknown(row) == (10, 100, 0, 0)


def test_a_model_that_neither_set_knows_is_unknown_to_both(build: Build):
    build.used("p/m", 100, cached_input_tokens=5)
    row = build.compared()["p/m"]
    assert energies(row) == (None, None, 0, 0, 0, 0)
    assert unknown(row) == (10, 105, 10, 105)


def test_a_factor_counts_on_the_days_on_which_it_is_in_force(build: Build):
    """From 2 July to 3 July 100 x 0.02 = 2 kWh; before and after, nothing is known of 100 tokens a day."""
    for day in (1, 2, 3):
        build.used("p/m", 100, usage_date=date(2026, 7, day))
    build.factor("a", "p/m", "0.02", valid_from=date(2026, 7, 2), valid_to=date(2026, 7, 3))
    build.factor("b", "p/m", "0.01")
    build.factor("b", "p/m", "0.03", valid_from=date(2026, 7, 3))  # the later one first
    row = build.compared()["p/m"]
    # b: 1 + 1 + 3 = 5; where both know it, the factor is halved: -1; the other two days enter: 1 + 3
    assert energies(row) == (Decimal(2), Decimal(5), Decimal(3), Decimal(4), Decimal(-1), 0)
    assert unknown(row) == (20, 200, 0, 0)


def test_energy_is_reckoned_from_a_bill_where_that_is_declared(build: Build):
    """2 dollars are 2e9 nano-dollars x 0.000000001 = 2 kWh; a bill of a provider whose use is counted is no use."""
    build.used("s/any", 0, call_count=0, cost_usd=Decimal(2))
    build.used("t/any", 0, call_count=0, cost_usd=Decimal(2))
    build.factor("b", "spend/%", "0", kwh_per_nano_usd="0.000000001")
    declared = [Provider("s", "paris", energy_from="spend"), Provider("t", "paris")]
    rows = build.compared(providers=declared)
    assert set(rows) == {"s/any", "all models"}
    assert energies(rows["s/any"]) == (None, Decimal(2), Decimal(2), Decimal(2), 0, 0)
    assert unknown(rows["s/any"]) == (0, 0, 0, 0)
    assert set(build.compared()) == {"all models"}


def test_a_size_class_and_a_gpu_are_those_that_were_declared(build: Build):
    """m on an H100: 100 x 0.05 = 5 kWh measured there, where elsewhere 100 x 0.01 = 1; n of class S: 100 x 0.02 = 2."""
    build.used("p/m", 100)
    build.used("p/n", 100)
    build.factor("a", "p/m", "0.01")
    build.factor("b", "p/m", "0.05", tier=3, gpu="H100")
    build.factor("b", "size_class/S", "0.02", tier=5)
    build.factor("b", "size_class/L", "0.5", tier=5)
    rows = build.compared(providers=[Provider("p", "paris", gpu_model="H100")], models=[Model("p", "n", "S")])
    assert energies(rows["p/m"]) == (Decimal(1), Decimal(5), Decimal(4), 0, 0, Decimal(4))
    assert energies(rows["p/n"]) == (None, Decimal(2), Decimal(2), Decimal(2), 0, 0)
    assert energies(build.compared()["p/m"])[:2] == (Decimal(1), None)


def test_a_disclosure_is_for_calls_of_its_supplier(build: Build):
    build.used("p/m", 100)
    build.used("p/m", 100, provider="reseller")
    build.factor("disclosures", "p/m", "0.01", tier=2, correlation_group="supplier:reseller")
    row = build.compared("a", "disclosures")["p/m"]
    assert row["new_kwh"] == Decimal(1) and unknown(row) == (20, 200, 10, 100)
