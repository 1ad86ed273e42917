"""The carbon levy in double entry: by hand, and thousands of made-up months against an oracle in fractions.

What the registry takes as a levy is tested with the registry; pages are tested with the dashboards.
"""

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ledger_project import DAY, TEXT, Ledger

GRAMS, TIER = pa.decimal128(38, 9), pa.int32()
EMITTED = [f"{basis}_gco2e{end}" for basis in ("location", "market") for end in ("_low", "", "_high")]
OWED = ("team_expense", "perimeter_expense", "shadow_cost")
JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)


class Levied(Ledger):
    """Teams and postings, on a made-up ledger of carbon."""

    models = ("dim_team", "fct_levy_posting")
    tables = {
        "fct_footprint_daily": {"usage_date": DAY, "team_id": TEXT, "workflow_id": TEXT, "evidence_tier": TIER,
                                "gap_reason": TEXT, **dict.fromkeys(EMITTED, GRAMS)},
        "fct_restatement": {"usage_date": DAY, "version": TIER},
        "stg_registry__teams": dict.fromkeys(("team_id", "team_name", "unit_id", "unit_name", "country"), TEXT),
        "stg_registry__levies": {
            **dict.fromkeys(("levy_id", "levy_kind", "perimeter_type", "perimeter_id", "basis", "currency",
                             "adopted_by"), TEXT),
            "price_per_tonne": pa.decimal128(13, 4), "valid_from": DAY, "valid_to": DAY},
        "stg_registry__levy_uses": {
            **dict.fromkeys(("use_id", "levy_id", "purpose", "approved_by", "evidence"), TEXT),
            "used_on_date": DAY, "amount": pa.decimal128(18, 2)},
    }


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> Levied:
    return Levied(tmp_path_factory.mktemp("levied") / "home")


def used(day, team, grams, workflow=None, **other):
    """A row of the ledger: half to twice the grams; None where they are not known, and then at most 5000."""
    known = grams is not None
    grams = Decimal(grams) if known else None
    ends = {"_low": grams / 2 if known else None, "": grams, "_high": grams * 2 if known else Decimal(5000)}
    return {"usage_date": day, "team_id": team, "workflow_id": workflow or team, "evidence_tier": 4 if known else None,
            "gap_reason": None if known else "no_factor",
            **{f"{basis}_gco2e{end}": value for basis in ("location", "market") for end, value in ends.items()},
            **other}


def levy(levy_id, price, kind="fee", place="organisation", of=None, first=JUNE, until=None, **other):
    return {"levy_id": levy_id, "levy_kind": kind, "perimeter_type": place, "perimeter_id": of or place,
            "basis": "location_kgco2e", "currency": "EUR", "adopted_by": "Board", "price_per_tonne": Decimal(price),
            "valid_from": first, "valid_to": until, **other}


def run(ledger, rows, levies, uses=(), restated=()):
    teams = [{"team_id": team, "unit_id": unit} for team, unit in (("a", "u"), ("b", "u"), ("c", "v"))]
    ledger.run({"fct_footprint_daily": rows, "stg_registry__levies": levies, "stg_registry__levy_uses": uses,
                "stg_registry__teams": teams, "fct_restatement": restated})
    return ledger.rows("select * from fct_levy_posting order by usage_month, levy_id, account, team_id, use_id")


def shown(rows, *columns):
    return [tuple(row[name] for name in columns) for row in rows]


def test_a_price_that_rises_in_the_month_counts_by_day_and_teams_add_up(ledger):
    # 50,000 g at 100.01 a tonne are 5.0005, of a, b and nobody together 15.0015,
    # which is 15.00; the floors are 5.00 each, and twice as much is 10.001, at most 10.01. At 200 from the 15th on:
    # 50,000 g are 10.00.
    rows = [used(JUNE, who, 50000) for who in ("a", "b", "orphan")]
    found = run(ledger, [*rows, used(date(2026, 6, 15), "a", 50000)], [
        levy("low", "100.01", until=date(2026, 6, 15)), levy("rise", "200", first=date(2026, 6, 15))])
    columns = ("levy_id", "account", "team_id", "debit_amount", "credit_amount", "basis_kgco2e", "amount_high")
    fifty, none = Decimal(50), Decimal(0)
    assert shown(found, *columns) == [
        ("low", "levy_fund", "a", none, Decimal("5.00"), None, None),
        ("low", "levy_fund", "b", none, Decimal("5.00"), None, None),
        ("low", "levy_fund", "orphan", none, Decimal("5.00"), None, None),
        ("low", "perimeter_expense", "orphan", Decimal("5.00"), none, fifty, Decimal("10.01")),
        ("low", "team_expense", "a", Decimal("5.00"), none, fifty, Decimal("10.01")),
        ("low", "team_expense", "b", Decimal("5.00"), none, fifty, Decimal("10.01")),
        ("rise", "levy_fund", "a", none, Decimal("10.00"), None, None),
        ("rise", "team_expense", "a", Decimal("10.00"), none, fifty, Decimal("20.00")),
    ]
    # 5.005 each of three are 15.015, rounded to 15.02: two hundredths go to the first two of the largest remainders
    found = run(ledger, rows, [levy("l", "100.1")])
    assert shown([row for row in found if row["account"] in OWED], "team_id", "debit_amount") == [
        ("orphan", Decimal("5.00")), ("a", Decimal("5.01")), ("b", Decimal("5.01"))]


def test_the_nearest_levy_of_a_kind_counts_and_a_shadow_touches_no_fund(ledger):
    rows = [used(JUNE, "a", 10**6, workflow="w"), used(JUNE, "a", 10**6), used(JUNE, "b", 10**6),
            used(JUNE, "c", 10**6), used(JUNE, "unattributed", 10**6)]
    found = run(ledger, rows, [
        levy("org", 1), levy("unit", 2, place="unit", of="u"), levy("team", 3, place="team", of="a"),
        levy("flow", 4, place="workflow", of="w"), levy("ghost", 5, "shadow", "unit", "v", basis="market_kgco2e"),
        levy("ended", 9, place="workflow", of="w", until=JUNE), levy("later", 9, first=JULY)])
    owed = [row for row in found if row["account"] in OWED]
    assert shown(owed, "levy_id", "account", "team_id", "debit_amount") == [
        ("flow", "team_expense", "a", 4), ("ghost", "shadow_cost", "c", 5),
        ("org", "perimeter_expense", "unattributed", 1), ("org", "team_expense", "c", 1),
        ("team", "team_expense", "a", 3), ("unit", "team_expense", "b", 2)]
    paired = {row["levy_id"]: row["account"] for row in found if row["account"] not in OWED}
    assert paired == {"ghost": "shadow_contra", **dict.fromkeys(("org", "unit", "team", "flow"), "levy_fund")}


def test_unknown_carbon_is_listed_with_its_bound_and_posts_nothing(ledger):
    rows = [used(JUNE, "a", None), used(JUNE, "b", 1000, market_gco2e=None, market_gco2e_low=None),
            used(JUNE, "c", None, gap_reason="metered_elsewhere", location_gco2e_high=None, market_gco2e_high=None),
            used(JUNE, "c", None, gap_reason="no_meter", location_gco2e_high=None, market_gco2e_high=None)]
    found = run(ledger, rows, [levy("l", 1000), levy("m", 1000, "shadow", basis="market_kgco2e")],
                restated=[{"usage_date": JUNE, "version": n} for n in (1, 2)])
    columns = ("levy_id", "account", "team_id", "gap_reason", "debit_amount", "amount_high", "basis_kgco2e_high")
    two, five = Decimal("2.00"), Decimal("5.00")
    assert shown([row for row in found if row["account"] not in ("levy_fund", "shadow_contra")], *columns) == [
        ("l", "not_posted", "a", "no_factor", None, five, 5), ("l", "not_posted", "c", "no_meter", None, None, None),
        ("l", "team_expense", "b", None, Decimal("1.00"), two, 2),
        ("m", "not_posted", "a", "no_factor", None, five, 5), ("m", "not_posted", "b", "no_contract", None, two, 2),
        ("m", "not_posted", "c", "no_meter", None, None, None)]
    assert {row["restated_day_count"] for row in found} == {1}


def test_what_was_used_leaves_the_fund_on_its_day(ledger):
    use = {"use_id": "u", "levy_id": "l", "used_on_date": date(2026, 7, 9), "amount": Decimal("7.30"),
           "purpose": "A meter", "approved_by": "Board", "evidence": "Minutes 4"}
    found = run(ledger, [used(JUNE, "a", 10**6)], [levy("l", 20)], [use])
    columns = ("usage_month", "account", "debit_amount", "credit_amount", "purpose", "evidence")
    assert shown([row for row in found if row["use_id"] == "u"], *columns) == [
        (JULY, "levy_fund", Decimal("7.30"), 0, "A meter", "Minutes 4"),
        (JULY, "proceeds_used", 0, Decimal("7.30"), "A meter", "Minutes 4")]
    assert sum(row["credit_amount"] - row["debit_amount"] for row in found if row["account"] == "levy_fund") \
        == Decimal("12.70")


def made_up(seed):
    """Two months of an organisation, its levies (none of a kind doubled) and its uses."""
    draw = random.Random(seed)
    days = [JUNE + timedelta(days=draw.randrange(61)) for _ in range(6)]
    rows = [
        used(draw.choice(days), draw.choice(("a", "b", "c", "orphan")),
             draw.choice((None, Decimal(2 * draw.randrange(10**15)) / 10**9, Decimal(draw.randrange(20)) * 12500)),
             workflow=draw.choice(("w", "x")))
        for _ in range(draw.randrange(40))
    ]
    levies = []
    for kind in ("fee", "shadow"):
        for place, of in (("organisation",) * 2, ("unit", "u"), ("team", "a"), ("team", "c"), ("workflow", "w")):
            at = JUNE - timedelta(days=3)
            while draw.random() < 0.6 and at < date(2026, 8, 1):
                until = at + timedelta(days=draw.randrange(1, 60))
                price = Decimal(draw.randrange(3 * 10**6)) / draw.choice((1, 100, 10**4))
                levies.append(levy(f"l{len(levies)}", price, kind, place, of, at, draw.choice((until, until, None)),
                                   basis=draw.choice(("location_kgco2e", "market_kgco2e")),
                                   currency=draw.choice(("EUR", "USD"))))
                if levies[-1]["valid_to"] is None:
                    break
                at = until + timedelta(days=draw.randrange(3))
    uses = [
        {"use_id": str(n), "levy_id": draw.choice(fees)["levy_id"], "used_on_date": draw.choice(days),
         "amount": Decimal(draw.randrange(10**6)) / 100, "purpose": "p", "approved_by": "b", "evidence": "e"}
        for fees in [[one for one in levies if one["levy_kind"] == "fee"]] if fees for n in range(draw.randrange(3))
    ]
    return rows, levies, uses


def oracle(rows, levies):
    """Hundredths owed by month, levy and team, and grams that are only listed; by the rules, in fractions."""
    units, depth = {"a": "u", "b": "u", "c": "v"}, ("organisation", "unit", "team", "workflow")
    known, listed = defaultdict(Fraction), defaultdict(Fraction)
    for row in rows:
        inside = {"organisation": "organisation", "unit": units.get(row["team_id"]), "team": row["team_id"],
                  "workflow": row["workflow_id"]}
        for kind in ("fee", "shadow"):
            here = [one for one in levies if one["levy_kind"] == kind
                    and inside[one["perimeter_type"]] == one["perimeter_id"]
                    and one["valid_from"] <= row["usage_date"] < (one["valid_to"] or date.max)]
            if not here:
                continue
            near = max(here, key=lambda one: depth.index(one["perimeter_type"]))
            grams = row["location_gco2e" if near["basis"] == "location_kgco2e" else "market_gco2e"]
            key = (row["usage_date"].replace(day=1), near["levy_id"], row["team_id"])
            if grams is None:
                listed[key] += Fraction(row["location_gco2e_high"])
            else:
                known[key] += Fraction(grams)
    prices = {one["levy_id"]: Fraction(one["price_per_tonne"]) for one in levies}
    owed = {}
    for month, levy_id in {key[:2] for key in known}:
        exact = {team: grams * prices[levy_id] / 10_000
                 for (at, which, team), grams in known.items() if (at, which) == (month, levy_id)}
        parts = {team: floor(value) for team, value in exact.items()}
        left = floor(sum(exact.values()) + Fraction(1, 2)) - sum(parts.values())
        for team in sorted(exact, key=lambda team: (parts[team] - exact[team], team))[:left]:
            parts[team] += 1
        owed |= {(month, levy_id, team): part for team, part in parts.items()}
    return owed, dict(listed)


@settings(max_examples=60, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_every_gram_is_levied_once_and_every_month_balances(ledger, seed):
    rows, levies, uses = made_up(seed)
    found = run(ledger, rows, levies, uses)
    owed, listed = oracle(rows, levies)
    key = ("usage_month", "levy_id", "team_id")
    assert {tuple(row[name] for name in key): int(row["debit_amount"] * 100)
            for row in found if row["account"] in OWED} == owed
    assert {tuple(row[name] for name in key): Fraction(row["basis_kgco2e_high"] * 1000)
            for row in found if row["account"] == "not_posted"} == listed
    for row in found:
        if row["amount_high"] is not None:  # a bound is rounded up
            assert row["amount_high"] * 100 == ceil(Fraction(row["basis_kgco2e_high"] * row["price_per_tonne"]) / 10)
            assert row["debit_amount"] is None or row["debit_amount"] <= row["amount_high"]
    sums = defaultdict(lambda: [0, 0])
    for row in found:
        for side, name in enumerate(("debit_amount", "credit_amount")):
            sums[row["usage_month"], row["levy_id"], row["currency"]][side] += row[name] or 0
    assert [key for key, (debit, credit) in sums.items() if debit != credit] == []
    kinds = {one["levy_id"]: one["levy_kind"] for one in levies}
    for row in found:
        assert (row["account"] in ("levy_fund", "proceeds_used", "team_expense", "perimeter_expense")) \
            <= (kinds[row["levy_id"]] == "fee")
        assert row["use_id"] or row["account"] == "not_posted" or \
            (row["account"] == "perimeter_expense") <= (row["team_id"] == "orphan")
    assert sum(row["debit_amount"] for row in found if row["use_id"]) == sum(use["amount"] for use in uses)


def test_under_a_levy_of_the_organisation_all_carbon_is_priced_exactly_once(ledger):
    for seed in range(10):
        rows, levies, _ = made_up(seed)
        fees = [one for one in levies if (one["levy_kind"], one["perimeter_type"]) != ("fee", "organisation")]
        found = run(ledger, rows, [*fees, levy("all", 1)])
        priced = sum(row["basis_kgco2e"] or 0 for row in found if row["levy_kind"] == "fee")
        assert priced * 1000 == sum(row["location_gco2e"] for row in rows if row["location_gco2e"] is not None)
