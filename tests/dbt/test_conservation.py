"""Nothing is lost and nothing invented: thousands of made-up organisations through the models, against an oracle."""

from collections import Counter
from fractions import Fraction

import ledger_oracle as oracle
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ledger_project import Ledger
from made_up_ledgers import (
    in_two_parts,
    make,
    on_one_rung,
    shuffled,
    with_hungrier_factors,
    with_more_tokens,
    without_one_model,
)

# 16 batches x 200 organisations = 3,200
BATCHES, ORGANISATIONS = 16, 200
ROWS_OF_A_DAY = 200  # rows of the ledger that one organisation has, at most
IMPACTS = ("energy_kwh_low", "energy_kwh", "energy_kwh_high", "location_gco2e_low", "location_gco2e",
           "location_gco2e_high", "market_gco2e_low", "market_gco2e", "market_gco2e_high", "embodied_gco2e",
           "water_onsite_litres", "water_offsite_litres", "water_litres")
MARTS = ("fct_footprint_daily", "fct_workflow_daily", "fct_team_daily", "fct_organisation_daily")
SEEDS = st.integers(0, 2**32)


def many(batches: int):
    """That many batches; the same ones each time, so that a red test stays red until it is mended.

    Nothing is shrunk: organisations do not touch each other, so the message already shows the one row that is wrong.
    """
    return settings(max_examples=batches, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> Ledger:
    return Ledger(tmp_path_factory.mktemp("ledger") / "home")


def hourly(ledger: Ledger) -> Counter:
    """The rows of int_footprint__hourly, numbers exact."""
    return Counter(
        tuple(oracle.exact(row[name]) if name in oracle.NUMBERS else row[name] for name in oracle.COLUMNS)
        for row in ledger.rows(f"select {', '.join(oracle.COLUMNS)} from int_footprint__hourly")
    )


@many(BATCHES)
@given(seed=SEEDS, organisations=st.integers(ORGANISATIONS, ORGANISATIONS + 2))
def test_every_row_is_what_the_rules_say_to_the_last_digit(ledger, seed, organisations):
    tables = make(seed, organisations)
    ledger.run(tables, "int_footprint__hourly", *MARTS)
    found, expected = hourly(ledger), Counter(oracle.footprint(tables))
    assert found == expected, (
        f"only in the ledger {list((found - expected).items())[:2]}, only by the rules "
        f"{list((expected - found).items())[:2]}, columns {oracle.COLUMNS}")
    conserved(ledger, tables)
    ordered(ledger)


def conserved(ledger: Ledger, tables: oracle.Tables) -> None:
    """Attributed + orphaned + unattributed = total in every mart, and the total is what the sources said."""
    records = {row["provider"]: row.get("system_of_record") for row in tables["stg_settings__providers"]}
    booked = [
        row for source in ("call_log", "openai", "gpu_prometheus") for row in tables[f"int_{source}__activity"]
        if records.get(row["provider"]) in (None, source)
    ]
    said = {name: sum(row[name] or 0 for row in booked) for name in oracle.COUNTS}
    said["cost_usd"] = sum(Fraction(row["cost_usd"] or 0) for row in booked)
    hours = ledger.totals("int_footprint__hourly", IMPACTS)
    for mart in MARTS:
        total = ledger.totals(mart, (*oracle.COUNTS, *IMPACTS, "cost_usd"))
        assert {name: Fraction(total[name]) for name in said} == said, mart
        assert {name: total[name] for name in IMPACTS} == hours, mart
    for mart, owner in (("fct_workflow_daily", "workflow_id"), ("fct_team_daily", "team_id")):
        kinds = [
            ledger.totals(mart, (*oracle.COUNTS, *IMPACTS, "cost_usd"), where)
            for where in (f"{owner} not in ('orphan', 'unattributed')", f"{owner} = 'orphan'",
                          f"{owner} = 'unattributed'")
        ]
        whole = ledger.totals("fct_organisation_daily", (*oracle.COUNTS, *IMPACTS, "cost_usd"))
        assert {name: sum(kind[name] for kind in kinds) for name in whole} == whole, mart
    per_day = " union all ".join(
        f"select usage_date, {', '.join(f'sum({name}) as {name}' for name in (*oracle.COUNTS, *IMPACTS))} from {mart} "
        "group by usage_date" for mart in MARTS)
    agreeing = ledger.rows(
        f"select count(*) as n from (select * from ({per_day}) group by all having count(*) = {len(MARTS)})")[0]["n"]
    assert agreeing == ledger.rows("select count(*) as n from fct_organisation_daily")[0]["n"]


def ordered(ledger: Ledger) -> None:
    """No range is upside down; where the middle is unknown, low is too, and high may be a bound."""
    for table in ("int_footprint__hourly", *MARTS):
        wrong = ledger.rows(f"""
            select * from {table}
            where energy_kwh_low > energy_kwh or energy_kwh > energy_kwh_high or energy_kwh_low < 0
                or (energy_kwh is null) <> (energy_kwh_low is null)
                or (energy_kwh is not null and energy_kwh_high is null)
                or location_gco2e_low > location_gco2e or location_gco2e > location_gco2e_high or location_gco2e_low < 0
                or market_gco2e_low > market_gco2e or market_gco2e > market_gco2e_high or market_gco2e_low < 0
                or (energy_kwh_high is null) <> (location_gco2e_high is null)
                or (energy_kwh_high is null) <> (market_gco2e_high is null)
        """)
        assert not wrong, (table, wrong[:1])


@many(3)
@given(seed=SEEDS, order=SEEDS)
def test_the_order_of_the_rows_changes_nothing(ledger, seed, order):
    tables = make(seed, 100)
    ledger.run(tables)
    before = {name: Counter(ledger.duck.execute(f"from {name}").fetchall()) for name in ledger.sql}
    ledger.run(shuffled(tables, order))
    assert {name: Counter(ledger.duck.execute(f"from {name}").fetchall()) for name in ledger.sql} == before


@many(2)
@given(seed=SEEDS)
def test_a_row_told_in_two_parts_changes_nothing(ledger, seed):
    tables = make(seed, 100)
    ledger.run(tables, "int_footprint__hourly")
    before = hourly(ledger)
    ledger.run(in_two_parts(tables, seed), "int_footprint__hourly")
    assert hourly(ledger) == before


@many(3)
@given(seed=SEEDS)
def test_more_tokens_or_hungrier_factors_lower_nothing(ledger, seed):
    tables = make(seed, 100)
    ledger.run(tables, "fct_organisation_daily")
    before = by_day(ledger)
    for name, more in (("tokens", with_more_tokens(tables, seed)), ("factors", with_hungrier_factors(tables, seed))):
        ledger.run(more, "fct_organisation_daily")
        after = by_day(ledger)
        # each row is rounded to a billionth, and a row more or less of it may go to another workflow
        lowered = {key: (value, after[key]) for key, value in before.items()
                   if after[key] + Fraction(ROWS_OF_A_DAY, 10**9) < value}
        assert not lowered, f"{name}: {lowered}"
        assert after != before, name


def by_day(ledger: Ledger) -> dict[tuple, Fraction]:
    """Each day's energy: low, central and high."""
    ends = ("energy_kwh_low", "energy_kwh", "energy_kwh_high")
    return {(row["usage_date"], end): Fraction(row[end] or 0)
            for row in ledger.rows("select * from fct_organisation_daily") for end in ends}


@many(2)
@given(seed=SEEDS)
def test_forgetting_a_model_lowers_no_upper_bound(ledger, seed):
    tables = on_one_rung(make(seed, 40))
    ledger.run(tables, "fct_organisation_daily")
    most = "select usage_date, coalesce(energy_kwh_high, 0) as high from fct_organisation_daily"
    before = {row["usage_date"]: row["high"] for row in ledger.rows(most)}
    known = ledger.totals("fct_organisation_daily", ("energy_kwh",))["energy_kwh"]
    for model, fewer in without_one_model(tables):
        ledger.run(fewer, "fct_organisation_daily")
        after = {row["usage_date"]: row["high"] for row in ledger.rows(most)}
        lowered = {day: (high, after[day]) for day, high in before.items() if after[day] < high}
        assert not lowered, f"without {model}: {lowered}"
        assert ledger.totals("fct_organisation_daily", ("energy_kwh",))["energy_kwh"] <= known


def test_the_oracle_splits_as_worked_out_by_hand():
    # 1/3 of 100 is 33.333...: three floors are 99, one unit is left; 33.333334 has the largest remainder
    third, rest = Fraction("0.33333333"), Fraction("0.33333334")
    assert oracle.largest_remainder(100, {"a": third, "b": third, "c": rest}) == {"a": 33, "b": 33, "c": 34}
    # 0.5 and 0.5 of 3 are 1.5 each: a tie, the first name takes the unit; of -3 the floors are -2, one comes back
    assert oracle.largest_remainder(3, {"b": Fraction(1, 2), "a": Fraction(1, 2)}) == {"a": 2, "b": 1}
    assert oracle.largest_remainder(-3, {"b": Fraction(1, 2), "a": Fraction(1, 2)}) == {"a": -1, "b": -2}
    assert oracle.largest_remainder(None, {"a": Fraction(1)}) == {"a": None}
    assert oracle.rounded(Fraction("0.0000000005")) == Fraction("0.000000001")
    assert oracle.rounded(Fraction("0.00000000049")) == 0
