"""Contracts, scopes and views of carbon: what covers consumption, and what is never added together."""

import re
from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction

import ledger_oracle as oracle
import pytest
from hypothesis import given
from ledger_oracle_carbon import contracts
from ledger_project import PROJECT, Ledger
from made_up_ledgers import make
from test_conservation import SEEDS, many

NANO = 10**9
FURTHER = ("raw_grid_file__intensity", "raw_neso__intensity")  # intensities of other sources than the first


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> Ledger:
    return Ledger(tmp_path_factory.mktemp("ledger") / "home")


@many(6)
@given(seed=SEEDS)
def test_each_kwh_is_covered_once_or_unknown(ledger, seed):
    tables = make(seed, 40)
    ledger.run(tables)
    expected = contracts(tables, oracle.by_site(oracle.energy_lines(tables)))
    columns = ("energy_kwh", "site_instrument_kwh", "left_kwh", "market_left_kwh", "market_instrument_kwh",
               "residual_mix_kwh", "unknown_kwh", "market_gco2e_per_kwh")
    names = ("energy", "own", "left", "market_left", "market_covered", "residual", "unknown")
    found = {(row["site_id"], row["usage_hour_utc"]): tuple(oracle.exact(row[name]) for name in columns)
             for row in ledger.rows("select * from int_market__hourly")}
    assert found == {key: (*(Fraction(row[name], NANO) for name in names), row["rate"])
                     for key, row in expected.items()}
    assert not ledger.rows("""
        select * from int_market__hourly where energy_kwh <> site_instrument_kwh + tariff_kwh + left_kwh
            or market_left_kwh <> market_instrument_kwh + residual_mix_kwh + unknown_kwh
    """)
    parts = ("instrument_kwh", "tariff_kwh", "residual_mix_kwh", "unknown_kwh")
    months = ledger.totals("fct_market_monthly", ("energy_kwh", *parts))
    known = ledger.totals("int_footprint__hourly", ("energy_kwh",), "site_id is not null")["energy_kwh"]
    assert months["energy_kwh"] == known == sum(months[part] for part in parts)


@many(6)
@given(seed=SEEDS)
def test_what_instruments_gave_is_what_consumption_took(ledger, seed):
    tables = make(seed, 40)
    ledger.run(tables)
    used = ledger.rows("select * from int_instrument__hourly")
    assert not [row for row in used if row["available_kwh"] is not None
                and not 0 <= row["used_kwh"] <= row["available_kwh"]]
    amounts = sum(row["used_kwh"] for row in used if row["available_kwh"] is not None)
    rates = Counter()
    for row in used:
        if row["available_kwh"] is None:
            rates[row["instrument_kind"]] += row["used_kwh"]
    market = ledger.totals("fct_market_monthly", ("instrument_kwh", "tariff_kwh", "residual_mix_kwh"))
    assert (amounts, rates["residual_mix"]) == (market["instrument_kwh"], market["residual_mix_kwh"])
    assert rates["supplier_tariff"] <= market["tariff_kwh"]  # a tariff may also stand in the settings
    monthly = ledger.totals("fct_market_instrument_monthly", ("used_kwh",))
    assert monthly["used_kwh"] == sum(row["used_kwh"] for row in used)
    # in proportion, to a billionth: no instrument of a pool is picked for being cleaner
    pools: dict[tuple, list] = {}
    for row in used:
        if row["available_kwh"]:
            pools.setdefault((row["usage_hour_utc"], row["site_id"], row["market_boundary"]), []).append(row)
    for rows in pools.values():
        took, had = (Fraction(sum(row[name] for row in rows)) for name in ("used_kwh", "available_kwh"))
        assert all(abs(Fraction(row["used_kwh"]) - took / had * Fraction(row["available_kwh"])) <= Fraction(1, NANO)
                   for row in rows)


@many(2)
@given(seed=SEEDS)
def test_forgetting_a_grid_or_a_contract_lowers_no_upper_bound(ledger, seed):
    tables = make(seed, 40)
    for name in ("stg_electricity_maps__carbon_intensity", *FURTHER):
        tables[name] = []  # one rung, or a better one would be taken away
    for row in (*tables["stg_instruments__instruments"], *tables["stg_settings__sites"]):
        for name in ("gco2e_per_kwh", "market_gco2e_per_kwh"):
            if row.get(name) is not None:
                row[name] = Decimal(0)

    def most() -> dict:
        ledger.run(tables)
        return ledger.totals("fct_organisation_daily", ("location_gco2e_high", "market_gco2e_high", "market_gco2e"))

    before = most()
    for site in tables["stg_settings__sites"]:
        site["country"] = "no yearly mix"
    nowhere = most()
    assert nowhere["location_gco2e_high"] >= before["location_gco2e_high"]
    assert ledger.totals("fct_organisation_daily", ("location_gco2e",))["location_gco2e"] == 0
    tables["stg_instruments__instruments"] = []
    for site in tables["stg_settings__sites"]:
        site["market_gco2e_per_kwh"] = None
    after = most()
    assert after["market_gco2e_high"] >= nowhere["market_gco2e_high"]
    # the location's figure does not stand in for a contract
    assert not ledger.rows("select * from int_footprint__hourly where market_gco2e is not null")


@many(2)
@given(seed=SEEDS)
def test_each_basis_of_the_inventory_holds_every_row_once_and_hardware_whole(ledger, seed):
    tables = make(seed, 40)
    ledger.run(tables)
    whole = ledger.totals("fct_footprint_daily", ("energy_kwh", "location_gco2e_high", "market_gco2e_high",
                                                  "location_gco2e", "market_gco2e"))
    bought = sum(row["piece_count"] * (row["embodied_kgco2e"] or 0) * 1000 for row in tables["stg_settings__hardware"])
    for basis in ("location", "market"):
        lines = f"basis = '{basis}' and boundary <> 'cradle_to_gate'"
        found = ledger.totals("fct_inventory_monthly", ("energy_kwh", "emitted_gco2e", "emitted_gco2e_high"), lines)
        assert found == {"energy_kwh": whole["energy_kwh"], "emitted_gco2e": whole[f"{basis}_gco2e"],
                         "emitted_gco2e_high": whole[f"{basis}_gco2e_high"]}
        hardware = ledger.rows(f"select * from fct_inventory_monthly where basis = '{basis}' and scope3_category = 2")
        assert sum(row["emitted_gco2e"] or 0 for row in hardware) == bought
        assert {row["usage_month"] for row in hardware} == {
            date(row["purchase_date"].year, row["purchase_date"].month, 1) for row in tables["stg_settings__hardware"]}


@many(4)
@given(seed=SEEDS)
def test_scope_2_is_split_where_the_direct_part_is_known_and_nothing_is_lost_or_doubled(ledger, seed):
    tables = make(seed, 60)
    ledger.run(tables)
    ends = tuple(f"location{part}_gco2e{end}" for part in ("", "_direct") for end in ("_low", "", "_high"))
    known = ledger.totals("int_footprint__hourly", ends, "ghg_scope = 2 and location_direct_gco2e is not null")
    # what a publisher tells of generation alone stands in the same line, and has nothing upstream
    alone = ledger.totals("int_footprint__hourly", ends, "grid_boundary = 'direct'")
    for end in ("_low", "", "_high"):
        name, whole, direct = f"emitted_gco2e{end}", known[f"location_gco2e{end}"], known[f"location_direct_gco2e{end}"]
        lines = {boundary: ledger.totals("fct_inventory_monthly", (name,), f"boundary = '{boundary}'")[name]
                 for boundary in ("direct", "upstream")}
        assert lines == {"direct": direct + alone[f"location_gco2e{end}"], "upstream": whole - direct}
        assert min(lines.values()) >= 0
    found = ledger.rows("select distinct ghg_scope, scope3_category, basis, boundary from fct_inventory_monthly "
                        "where boundary in ('direct', 'upstream') or scope3_category = 3")
    vendors = {(3, category, "location", "direct") for category in (1, 8)} if alone["location_gco2e_high"] else set()
    assert {tuple(row.values()) for row in found} <= {
        (2, None, "location", "direct"), (3, 3, "location", "upstream")} | vendors
    # why a part is not known is said wherever the energy is known, and nowhere else
    assert not ledger.rows("""
        select * from fct_footprint_daily
        where (location_direct_gco2e is null) <> (energy_kwh is null or direct_gap_reason is not null)
            or (energy_kwh is null and direct_gap_reason is not null)
            or location_direct_gco2e > location_gco2e or location_direct_gco2e_high > location_gco2e_high
    """)


@many(3)
@given(seed=SEEDS)
def test_forgetting_the_direct_part_lowers_no_upper_bound_and_changes_no_whole(ledger, seed):
    tables = make(seed, 60)
    tables.update(dict.fromkeys(FURTHER, []))  # of which a direct value is a whole where a site is pinned to it
    whole = ("location_gco2e_low", "location_gco2e", "location_gco2e_high")

    def stated() -> tuple[dict, Decimal, Decimal]:
        ledger.run(tables)
        scope2 = ledger.totals("fct_inventory_monthly", ("emitted_gco2e_high",), "ghg_scope = 2 and basis = 'location'")
        part = ledger.totals("fct_footprint_daily", ("location_direct_gco2e_high",))
        return ledger.totals("fct_footprint_daily", whole), *scope2.values(), *part.values()

    before, scope2, part = stated()
    tables["stg_electricity_maps__carbon_intensity"] = [
        row for row in tables["stg_electricity_maps__carbon_intensity"] if row["grid_boundary"] == "lifecycle"]
    after, scope2_without, part_without = stated()
    assert after == before and scope2_without >= scope2 and part_without >= part
    assert not ledger.rows("select * from fct_inventory_monthly where boundary in ('direct', 'upstream')")
    assert not ledger.rows("select * from fct_footprint_daily where location_direct_gco2e is not null")


def _read_by() -> dict[str, set[str]]:
    """The models that each model reads, itself and all that lie before it."""
    direct = {path.stem: set(re.findall(r"ref\('(\w+)'\)", path.read_text("utf-8")))
              for path in (PROJECT / "models").rglob("*.*") if path.suffix in (".sql", ".py")}

    def behind(name: str) -> set[str]:
        return {name}.union(*(behind(each) for each in direct.get(name, ())))

    return {name: behind(name) for name in direct}


def test_the_inventory_and_the_sci_view_are_added_nowhere():
    behind = _read_by()
    assert "stg_settings__hardware" in behind["fct_inventory_monthly"]
    assert {name for name, read in behind.items() if "stg_settings__hardware" in read} == {
        "stg_settings__hardware", "fct_inventory_monthly"}
    assert [name for name, read in behind.items() if {"fct_inventory_monthly", "fct_sci_daily"} <= read] == []
    # amortised hardware is a column of the footprint, which the inventory reads for everything else
    text = (PROJECT / "models/marts/whole/fct_inventory_monthly.sql").read_text("utf-8")
    assert "embodied_gco2e" not in text and "embodied_kgco2e" in text
    sums = [path.name for path in (PROJECT / "models").rglob("*.sql")
            if re.search(r"(location|market)\w*_gco2e\w*\s*\+\s*\w*\.?(location|market)\w*_gco2e",
                         path.read_text("utf-8"))]
    assert sums == []
