"""When the forecast meets a part of a limit: by hand for a steady use, and as the forecast of a ceiling of that part.

What happens then, and to which work, is a unit test of `fct_ceiling_step`.
"""

import importlib.util
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

MODELS = Path(__file__).parents[2] / "dbt_project/models/intermediate/whole"
FIRST, DAYS, LEFT = date(2026, 6, 1), 10, 20


class Ledger:
    """Ceilings that use 10 a day, half or twice as much, and the models that forecast them."""

    def __init__(self):
        self.duck = duckdb.connect()
        amounts = (
            "day_quantity", "recent_quantity", "limit_quantity", "used_low", "used_quantity", "used_high", "used_bound",
            "estimate_low", "forecast_quantity", "estimate_high", "estimate_bound",
        )  # fmt: skip
        self.duck.execute(
            "create table positions (usage_date date, ceiling_id varchar, is_in_period boolean, days_left integer, "
            f"{', '.join(f'{name} decimal(38, 9)' for name in amounts)})"
        )
        self.duck.execute("create table rules (from_ratio decimal(9, 8), action varchar)")

    def ceiling(self, name, limit, days=DAYS):
        total = 10 * (DAYS + LEFT)
        for day in range(days):
            used = 10 * (day + 1)
            row = (10, 10, limit, used / 2, used, used * 2, 0, total / 2, total, total * 2, 0)
            self.duck.execute(
                f"insert into positions values (?, ?, true, ?, {', '.join('?' * len(row))})",
                [FIRST + timedelta(days=day), name, DAYS + LEFT - day - 1, *row],
            )

    def rule(self, ratio):
        self.duck.execute("insert into rules values (?, 'stop'), (?, 'slow')", [ratio, ratio])  # one answer for both

    def answers(self, model):
        spec = importlib.util.spec_from_file_location(model, MODELS / f"{model}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        tables = {"stg_registry__gate_rules": "rules", "int_ceiling_outlook__daily": "outlook"}
        dbt = SimpleNamespace(
            ref=lambda name: self.duck.table(tables.get(name, "positions")), config=lambda **config: None
        )
        return module.model(dbt, self.duck)

    def forecast(self, model):
        outlook = self.answers("int_ceiling_outlook__daily").to_arrow_table()  # read by the other models
        self.duck.register("given", outlook)
        self.duck.execute("create or replace table outlook as select * from given")
        return self.answers(model)

    def steps(self):
        rows = self.forecast("int_ceiling_step__forecast").fetchall()
        assert {row[0] for row in rows} <= {FIRST + timedelta(days=DAYS - 1)}
        return {(ceiling, float(ratio)): tuple(days) for _, ceiling, ratio, *days in rows}


@pytest.fixture
def ledger():
    return Ledger()


def test_each_part_of_each_limit_is_met_on_its_own_day(ledger):
    ledger.ceiling("a", 305)
    ledger.ceiling("b", 200)
    for ratio in ("0.25", "0.5", "0.9", "1"):
        ledger.rule(ratio)
    expected = {key: days[1] for key, days in ledger.steps().items()}
    # 100 are used, and 10 are added a day: a quarter is passed. a, 152.5: 160 after 6 days; 274.5: 280 after 18; the
    # end is 300, below 305.
    # b, 100: 110 after 1; 180: 190 after 9; 200: 210 after 11.
    assert expected == {("a", 0.25): 1, ("b", 0.25): 1, ("a", 0.5): 6, ("a", 0.9): 18, ("a", 1.0): None,
                        ("b", 0.5): 1, ("b", 0.9): 9, ("b", 1.0): 11}  # fmt: skip


def test_a_part_of_a_limit_is_met_as_a_ceiling_of_that_size_would_be(ledger):
    ledger.ceiling("a", 400)
    ratios = ("0.25", "0.5", "0.9", "1")
    for ratio in ratios:
        ledger.rule(ratio)
    steps = ledger.steps()
    for ratio in ratios:
        ledger.ceiling(ratio, 400 * float(ratio))
    last = ledger.forecast("int_ceiling_forecast__daily").filter(f"usage_date = '{FIRST + timedelta(DAYS - 1)}'")
    rows = last.project("ceiling_id, days_to_limit_low, days_to_limit, days_to_limit_high").fetchall()
    of_ceilings = {row[0]: tuple(row[1:]) for row in rows}
    assert {ratio: steps["a", float(ratio)] for ratio in ratios} == {ratio: of_ceilings[ratio] for ratio in ratios}
    assert steps["a", 0.5][0] < steps["a", 0.9][0] and steps["a", 0.9][1] is None


def test_without_a_rule_or_on_a_ceiling_that_is_over_there_is_no_row(ledger):
    ledger.ceiling("a", 300)
    assert ledger.steps() == {}
    ledger.ceiling("over", 300, days=5)
    ledger.rule("0.5")
    assert set(ledger.steps()) == {("a", 0.5)}
