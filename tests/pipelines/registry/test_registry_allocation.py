"""Quotas: what each one gets, from what, to the last digit, and that the computation is kept as it was."""

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session
from test_registry_commands import app
from typer.testing import CliRunner

from pipelines import snapshot
from pipelines.errors import JevonsError
from pipelines.registry import allocation, attempts
from pipelines.registry.apportionment import Criterion, apportioned, largest_remainder
from pipelines.registry.drafts import Recording
from pipelines.registry.export import current_rows
from pipelines.registry.past_use import past_use
from pipelines.registry.store import default_url

HEADER = "ceiling_id,perimeter_type,perimeter_id,metric,period_start,period_end,limit_quantity\n"
BOARD = Recording(recorded_by="Board", reason="Decision 9", recorded_at_utc=datetime(2026, 5, 20, tzinfo=UTC))
STAFF = {"claims": "6", "care": "6", "tax": "2"}
FACTS = {"organisation": "Probe", "sandbox": False, "data_from": None, "data_to": None, "factor_sets": [],
         "inputs_sha256": "ab" * 32}
# May 2026: letters (useful) 30 kWh, notes (comfort) 20, sums (essential) 10; news had calls of which nothing is known.
WAREHOUSE = """
    create table dim_workflow as select * from (values
        ('letters', 'active'), ('notes', 'active'), ('sums', 'active'), ('news', 'active'), ('idle', 'active'),
        ('orphan', 'undeclared')) as t(workflow_id, status);
    create table fct_footprint_daily (usage_date date, workflow_id varchar, call_count bigint, energy_kwh decimal(24,9),
        energy_kwh_high decimal(24,9), location_gco2e decimal(24,6), location_gco2e_high decimal(24,6),
        market_gco2e decimal(24,6), market_gco2e_high decimal(24,6), input_tokens bigint, cached_input_tokens bigint,
        cache_write_input_tokens bigint, output_tokens bigint, gpu_seconds bigint, cost_usd decimal(18,9));
    insert into fct_footprint_daily (usage_date, workflow_id, call_count, energy_kwh, energy_kwh_high, output_tokens,
        location_gco2e, location_gco2e_high, gpu_seconds, cost_usd) values
        ('2026-04-30', 'letters', 1000, 999, 999, 1, 1, 1, 1, 1),
        ('2026-05-01', 'letters', 10, 29.5, 60, 7, 1500, 2000, 1, 2),
        ('2026-05-30', 'letters', 5, 0.5, 1, 1, 500, 900, 5400, null),
        ('2026-05-31', 'notes', 4, 20, 40, 4, 1, 1, 0, 1),
        -- its electricity is on the meter's line: nothing is unknown of the calls
        ('2026-05-30', 'sums', 7, null, null, 2, null, null, 0, 1),
        ('2026-05-30', 'sums', 0, 10, 11, null, 9, 9, 9, null),
        ('2026-05-02', 'news', 3, null, 50, 2, null, 9, 0, 1),
        ('2026-05-03', 'orphan', 9, 400, 900, 9, 9, 9, 9, 9);
"""


@pytest.fixture
def organisation(put):
    """Two units, three teams, four workflows, and a ceiling for each level."""
    put.one("teams", put.teams + "care,Care,insurance,Insurance,US,2026-01-01,\n")
    _, letters, sums = put.workflows.splitlines()
    notes = letters.replace("letters", "notes", 1).replace("claims", "care", 1).replace("useful", "comfort")
    gone = letters.replace("letters", "gone", 1).replace("active", "retired")
    put.one("workflows", f"{put.workflows}{notes}\n{gone}\n")
    put.one("ceilings", HEADER + (
        "org,organisation,organisation,energy_kwh,2026-06-01,2026-07-01,100\n"
        "calls,organisation,organisation,requests,2026-06-01,2026-07-01,11\n"
        "unit,unit,insurance,energy_kwh,2026-07-01,2026-08-01,90\n"
        "country,country,FR,energy_kwh,2026-06-01,2026-07-01,100\n"))
    return put


@pytest.fixture
def build(tmp_path):
    """A published build of three days, and the home that it is in."""
    home = tmp_path / "home"
    home.mkdir()
    with duckdb.connect(str(home / "w.duckdb")) as duck:
        duck.execute(WAREHOUSE)
    snapshot.publish(home / "w.duckdb", home, ["dim_workflow", "fct_footprint_daily"], FACTS)
    return home


def computed(engine, ceiling_id, kind, values, weights=None, **more):
    with Session(engine) as session:
        parent = allocation.parent_of(session, ceiling_id)
    weights = weights or {"headcount": Decimal(1)}
    return allocation.split(parent, kind, weights, values, {"headcount_file": "staff.csv"}, **more)


def staff(**changes):
    return {name: {"headcount": count} for name, count in (STAFF | changes).items() if count}


def oracle(quantity, decimals, weights, values):
    """The largest remainder in fractions: (share, quota) by name."""
    sums = {name: sum(Fraction(row[name]) for row in values.values()) for name in weights}
    shares = {name: sum(Fraction(weight) * Fraction(row[criterion]) / sums[criterion]
                        for criterion, weight in weights.items()) for name, row in values.items()}
    step = Fraction(1, 10**decimals)
    quotas = {name: share * Fraction(quantity) // step for name, share in shares.items()}
    left = Fraction(quantity) / step - sum(quotas.values())
    rests = {name: shares[name] * Fraction(quantity) / step - quotas[name] for name in shares}
    for name in sorted(shares, key=lambda name: (-rests[name], name))[:int(left)]:
        quotas[name] += 1
    return {name: (shares[name], quotas[name] * step) for name in shares}


def test_a_part_may_fall_when_the_whole_rises():
    """6, 6 and 2 of 14. Of 10: 4.29, 4.29 and 1.43, one is left, for the third; of 11: 4.71, 4.71 and 1.57, two are."""
    assert largest_remainder(10, [6, 6, 2]) == [4, 4, 2]
    assert largest_remainder(11, [6, 6, 2]) == [5, 5, 1]
    assert largest_remainder(1, [5, 5]) == [1, 0] and largest_remainder(0, [5, 5]) == [0, 0]


def test_criteria_are_weighed():
    """a: 0.25 x 1/4 + 0.75 x 2/3 = 0.5625 of 10 = 5.625; b: 0.1875 + 0.25 = 0.4375, 4.375. In tenths: 5.6 and 4.4."""
    parts = apportioned(Decimal(10), 1, [
        Criterion("headcount", Decimal("0.25"), {"b": Decimal(3), "a": Decimal(1)}),
        Criterion("past_use", Decimal("0.75"), {"a": Decimal("0.02"), "b": Decimal("0.01")}),
    ])
    assert {name: (str(part.share), str(part.quota)) for name, part in parts.items()} == {
        "a": ("0.562500000000", "5.6"), "b": ("0.437500000000", "4.4")}


VALUES = st.decimals(0, 10**12, places=3)
TABLES = st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=8).filter(
    lambda rows: all(any(row[at] for row in rows) for at in (0, 1)))


@settings(max_examples=150, deadline=None)
@given(TABLES, st.decimals(0, 10**15 - 1, places=9), st.decimals("0.001", "0.999", places=3), st.randoms(), st.data())
def test_quotas_sum_up_and_nobody_gets_less_for_having_more(rows, quantity, weight, dice, data):
    weights = {"x": weight, "y": 1 - weight}

    def parts(rows):
        return apportioned(quantity, 9, [
            Criterion(name, weights[name], {f"c{at}": row[column] for at, row in order(rows)})
            for column, name in dice.sample(list(enumerate("xy")), 2)])

    def order(rows):
        return dice.sample(list(enumerate(rows)), len(rows))

    found = parts(rows)
    assert sum(Fraction(part.quota) for part in found.values()) == Fraction(quantity)
    assert parts(rows) == found  # in whichever order
    expected = oracle(quantity, 9, weights, {f"c{at}": {"x": row[0], "y": row[1]} for at, row in enumerate(rows)})
    assert {name: Fraction(part.quota) for name, part in found.items()} == {
        name: quota for name, (_, quota) in expected.items()}
    at, column, more = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 1)), data.draw(VALUES)
    raised = list(rows)
    raised[at] = tuple(value + more * (column == c) for c, value in enumerate(rows[at]))
    assert parts(raised)[f"c{at}"].quota >= found[f"c{at}"].quota


def test_quotas_are_adopted_together_with_their_computation(engine, organisation):
    """100 kWh by 6, 6 and 2 heads: twice 42.857142... and 14.285714...; a thousandth is left, for the last."""
    split = computed(engine, "org", "team", staff())
    assert {name: str(part.quota) for name, part in split.parts.items()} == {
        "care": "42.857", "claims": "42.857", "tax": "14.286"}
    outcome = allocation.adopt(engine, split, BOARD)
    assert sorted(outcome.accepted) == [f"team:{name}:energy_kwh:2026-06-01:2026-07-01" for name in sorted(STAFF)]
    rows = {row["perimeter_id"]: row for row in current_rows(engine)["ceilings"] if row["perimeter_type"] == "team"}
    assert {row["limit_quantity"] for row in rows.values()} == {Decimal("42.857"), Decimal("14.286")}
    assert {(row["evidence"], row["reason"], row["adopted_by"]) for row in rows.values()} == {
        (split.allocation_id, "Decision 9", "Board")}
    again = allocation.adopt(engine, split, BOARD)
    assert again.accepted == again.refused == [] and len(again.unchanged) == 3


def test_anybody_can_recompute_it_from_what_is_kept(engine, organisation):
    values = {"claims": {"headcount": "6", "past_use": "1.000000001"}, "care": {"headcount": "7.5", "past_use": "0"}}
    weights = {"headcount": Decimal("0.3"), "past_use": Decimal("0.7")}
    split = computed(engine, "unit", "team", values, weights, quantity=Decimal("79.9999"))
    allocation.adopt(engine, split, BOARD)
    with engine.connect() as connection:  # by plain SQL, and no function of the registry
        quantity, decimals, told = connection.exec_driver_sql(
            "select quantity, decimals, weights from allocations").one()
        rows = connection.exec_driver_sql(
            "select perimeter_id, inputs, share, quota_quantity from allocation_shares").all()
    expected = oracle(quantity, decimals, json.loads(told), {row[0]: json.loads(row[1]) for row in rows})
    assert len(rows) == 2 and sum(Decimal(row[3]) for row in rows) == Decimal("79.9999")
    for name, _, share, quota in rows:
        assert Fraction(quota) == expected[name][1]
        assert abs(Fraction(share) - expected[name][0]) <= Fraction(1, 2 * 10**12)
    with Session(engine) as session:
        row, kept = allocation.kept(session, split.allocation_id)
    assert allocation.as_it_was(kept, split.allocation_id) and row.recorded_by == "Board"
    written = {**kept.values, "care": {**kept.values["care"], "unknown_calls": 0}}  # another note, the same quotas
    assert not allocation.as_it_was(replace(kept, values=written), split.allocation_id)


def test_all_or_nothing(engine, organisation):
    """The team care already has less than its quota: nobody gets one, and the attempt is on record."""
    organisation.one("ceilings", HEADER + "small,team,care,energy_kwh,2026-06-01,2026-07-01,40\n")
    before = current_rows(engine)
    outcome = allocation.adopt(engine, computed(engine, "org", "team", staff()), BOARD)
    assert [refusal.rule for refusal in outcome.refused] == [
        "42.857 is above the 40 that stand for small, and a ceiling is never raised"]
    assert current_rows(engine) == before
    with Session(engine) as session:
        assert [row["path"] for row in attempts.listed(session)] == ["command"]
        with pytest.raises(JevonsError):
            allocation.kept(session, computed(engine, "org", "team", staff()).allocation_id)
    fits = {"care": "4", "claims": "3", "tax": "3"}  # 40, 30, 30
    assert allocation.adopt(engine, computed(engine, "org", "team", staff(**fits)), BOARD).refused == []


def test_calls_are_split_in_whole_calls(engine, organisation):
    split = computed(engine, "calls", "team", staff())
    assert {name: str(part.quota) for name, part in split.parts.items()} == {"care": "5", "claims": "5", "tax": "1"}
    with pytest.raises(JevonsError, match="no part of a request"):
        computed(engine, "calls", "team", staff(), quantity=Decimal("1.5"))


def test_whoever_is_below_gets_a_quota(engine, organisation):
    def named(ceiling_id, kind, **more):
        with Session(engine) as session:
            found = allocation.children_of(session, allocation.parent_of(session, ceiling_id), kind, **more)
        return {child.perimeter_id: dict(child.workflows) for child in found}

    units = {"insurance": {"letters": "useful", "notes": "comfort"}, "advisory": {"sums": "essential"}}
    assert named("org", "unit") == units
    assert set(named("org", "team")) == set(STAFF)
    assert named("unit", "workflow") == {"letters": {"letters": "useful"}, "notes": {"notes": "comfort"}}
    assert set(named("org", "unit", without=["advisory"])) == {"insurance"}
    for words, rule in ((("country", "team"), "nothing is below a country"), (("none", "team"), "holds no such"),
                        (("unit", "team", ["tax"]), "no team below it is called tax"),
                        (("unit", "team", ["claims", "care"]), "it has no team below it")):
        with pytest.raises(JevonsError, match=rule):
            named(words[0], words[1], without=words[2] if words[2:] else ())


def test_use_is_read_from_the_build(build):
    june = date(2026, 6, 1), date(2026, 7, 1)
    past = past_use(snapshot.current(build), "energy_kwh", *june, days=31)
    assert (past.first, past.end, past.missing_days) == (date(2026, 5, 1), date(2026, 6, 1), 26)
    assert {name: (use.quantity, use.unknown_calls) for name, use in past.workflows.items()} == {
        "letters": (30, 0), "notes": (20, 0), "sums": (10, 0), "news": (None, 3), "idle": (0, 0)}
    late = past_use(snapshot.current(build), "energy_kwh", *june, days=2)
    assert late.workflows["letters"].quantity == Decimal("0.5")
    letters = {metric: past_use(snapshot.current(build), metric, *june, days=31).workflows["letters"] for metric in (
        "requests", "tokens", "gpu_hours", "cost_usd", "location_kgco2e", "market_kgco2e")}
    # 5401 s = 1.500277778 h; 5 calls without a price; 2000 g
    assert {metric: (use.quantity, use.unknown_calls) for metric, use in letters.items()} == {
        "requests": (15, 0), "tokens": (8, 0), "gpu_hours": (Decimal("1.500277778"), 0), "cost_usd": (2, 5),
        "location_kgco2e": (2, 0), "market_kgco2e": (None, 0)}
    last = past_use(snapshot.current(build), "requests", *june, days=1)
    assert last.workflows["letters"].quantity == 0 and last.workflows["notes"].quantity == 4
    month = past_use(snapshot.current(build), "requests", date(2026, 8, 1), date(2026, 9, 1))
    assert (month.first, month.end) == (date(2026, 5, 1), date(2026, 6, 1))  # the last whole month
    with pytest.raises(JevonsError, match="2026-03-01 to before 2026-06-01 was asked for; give --days 32 or less"):
        past_use(snapshot.current(build), "requests", date(2026, 9, 1), date(2026, 12, 1))  # the last whole quarter


def run(home, put, *words):
    result = CliRunner().invoke(app, ["ceilings", *words], env={
        "JEVONS_HOME": str(home), "JEVONS_REGISTRY_URL": default_url(put.folder), "COLUMNS": "200"})
    return result.exit_code, " ".join((result.stdout + result.stderr).split())


def test_the_command_proposes_then_adopts_then_shows(engine, organisation, build, tmp_path):
    """Use 30, 20 and 10 kWh: by use 1/2, 1/3 and 1/6. By usefulness 30 x 0.75, 20 x 0.5 and 10 x 1: 22.5, 10 and 10 of
    42.5. Half each: claims (0.5 + 0.529412) / 2 = 0.514706."""
    organisation.folder = tmp_path
    words = ("allocate", "org", "--among", "team", "--criterion", "past_use=0.5", "--criterion", "usefulness=0.5",
             "--days", "31")
    before = current_rows(engine)
    code, said = run(build, organisation, *words)
    assert code == 0 and "A proposal: nothing was recorded" in said
    assert "claims │ 30 │ 22.5 │ 0.514705882353 │ 51.471" in said
    assert "Past use: 2026-05-01 to before 2026-06-01, build" in said and "26 of these days are not in it" in said
    assert current_rows(engine) == before and "allocations (0)" in run(build, organisation, "allocations")[1]
    code, said = run(build, organisation, *words, "--adopt", "--by", "Board", "--reason", "Minutes")
    assert code == 0 and "3 recorded, 0 unchanged, for Board" in said
    name = said.rsplit(" ", 1)[1].rstrip(".")
    code, said = run(build, organisation, "allocations", name)
    assert code == 0 and "Adopted by Board" in said and said.endswith("the same shares, to the last digit.")
    assert "claims │ 30 │ 22.5 │ 0.514705882353 │ 51.471" in said
    with engine.begin() as connection:  # a child more, past the commands
        connection.exec_driver_sql("insert into allocation_shares (allocation_id, perimeter_id, inputs, share,"
                                   " quota_quantity) select allocation_id, 'more', inputs, share, quota_quantity"
                                   " from allocation_shares where perimeter_id = 'tax'")
    code, said = run(build, organisation, "allocations", name)
    assert code == 1 and "It is not what was adopted" in said


def test_by_calls_and_with_weights_of_ones_own(engine, organisation, build, tmp_path):
    """15 calls x 0.1 and 4 x 1: 1.5 and 4 of 5.5."""
    organisation.folder = tmp_path
    code, said = run(build, organisation, "allocate", "unit", "--criterion", "usefulness=1", "--usefulness-of", "calls",
                     "--class-weight", "useful=0.1", "--class-weight", "comfort=1", "--days", "31", "--limit", "55")
    assert code == 0 and "claims │ 1.5 │ 0.272727272727 │ 15" in said and "care │ 4 │ 0.727272727273 │ 40" in said


def test_what_is_unknown_is_said_and_never_zero(engine, organisation, build, tmp_path):
    organisation.folder = tmp_path
    letters = organisation.workflows.splitlines()[1]
    news, unseen = (letters.replace("letters", name, 1) for name in ("news", "unseen"))
    words = ("allocate", "unit", "--criterion", "past_use=1", "--days", "31")
    organisation.one("workflows", f"{organisation.workflow_header}{news}\n")
    code, said = run(build, organisation, *words)
    assert code == 0 and "claims: of 3 calls the use is unknown and not in these figures." in said
    assert "claims: nothing is known of news." in said
    organisation.one("workflows", f"{organisation.workflow_header}{unseen}\n")
    words = (*words, "--among", "workflow")
    code, said = run(build, organisation, *words)
    assert code == 1 and "nothing is known of news, unseen; split by headcount" in said
    code, said = run(build, organisation, *words, "--without", "news", "--without", "unseen")
    assert code == 0 and "letters │ 30 │ 0.6 │ 54" in said


@pytest.mark.parametrize("words, content, sentence", [
    (("--criterion", "headcount=0.4", "--headcount", "FILE"), "claims,1\n", "sum to 0.4, not to 1"),
    (("--criterion", "size=1"), "", "is not one of headcount, past_use, usefulness"),
    (("--criterion", "headcount=1"), "", "--headcount FILE goes with"),
    (("--criterion", "headcount=1", "--headcount", "FILE"), "claims,1\n", "no headcount is given for care"),
    (("--criterion", "headcount=1", "--headcount", "FILE"), "claims,1\ncare,1\ntax,2\n", "tax is none of them"),
    (("--criterion", "headcount=1", "--headcount", "FILE"), "claims,1\nclaims,1\n", "line 3): claims is there twice"),
    (("--criterion", "headcount=1", "--headcount", "FILE"), "claims,-1\n", "is not a plain decimal number"),
    (("--criterion", "headcount=1", "--headcount", "FILE"), "claims,0\ncare,0\n", "nobody has any of it"),
    (("--criterion", "headcount=1", "--headcount", "FILE", "--limit", "90.1"), "claims,1\ncare,1\n",
     "above the 90 of unit"),
    (("--criterion", "headcount=1", "--headcount", "FILE", "--adopt"), "claims,1\ncare,1\n", "give --by and --reason"),
    (("--criterion", "headcount=1", "--headcount", "FILE", "--among", "unit"), "claims,1\n", "no unit is below a unit"),
    (("--criterion", "past_use=1"), "", "was asked for; give --days"),
])
def test_what_cannot_be_computed_is_refused_with_the_way_out(
    engine, organisation, build, tmp_path, words, content, sentence
):
    organisation.folder = tmp_path
    (tmp_path / "staff.csv").write_text("perimeter_id,headcount\n" + content)
    words = [str(tmp_path / "staff.csv") if word == "FILE" else word for word in words]
    if words[0] == "--criterion" and words[1] == "past_use=1":
        organisation.one("ceilings", HEADER + "year,unit,insurance,energy_kwh,2027-01-01,2028-01-01,80\n")
    code, said = run(build, organisation, "allocate", "year" if "past_use=1" in words else "unit", *words)
    assert code and sentence in said.replace("│ ", "").replace(" │", ""), said


def test_what_is_kept_cannot_be_changed(engine, organisation):
    allocation.adopt(engine, computed(engine, "org", "team", staff()), BOARD)
    for table in ("allocations", "allocation_shares"):
        for statement in (f"update {table} set row_id = 9", f"delete from {table}",
                          f"replace into {table} select * from {table}"):
            with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
                connection.exec_driver_sql(statement)


def test_an_id_is_of_the_content():
    dice, seen = random.Random(3), set()
    subject = {"weights": {"headcount": "1"}, "quantity": Decimal(10), "decimals": 3, "inputs": {}}
    for _ in range(50):
        counts = {name: {"headcount": str(dice.randrange(1, 99))} for name in "abc"}
        seen.add(allocation.recomputed(subject, counts).allocation_id)
    assert len(seen) == 50
    assert allocation.recomputed(subject, counts).allocation_id in seen
