"""Own hardware from the wall to the pod: every line is somewhere once, whatever was reset, lost or relabelled."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from machine_rooms import DAYS, ZERO, Room, make

SEEDS = st.integers(0, 2**32)


def many(batches: int):
    """That many rooms; the same ones each time, so that a red test stays red until it is mended."""
    return settings(max_examples=batches, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Room:
    return Room(tmp_path_factory.mktemp("room") / "home")


def hosts(room: Room) -> dict[tuple, dict]:
    return {(row["usage_hour_utc"], row["host"]): row for row in room.rows("select * from int_host_energy__hourly")}


@many(12)
@given(seed=SEEDS)
def test_the_lines_of_a_host_add_up_to_its_meter_to_the_millijoule(room, seed):
    made = make(seed)
    room.run(made.tables)
    known = hosts(room)
    # what the meters say, by themselves
    read: dict[tuple, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    broken = set()
    by_meter: dict[str, int] = defaultdict(int)
    for row in room.rows("select * from int_meter__hourly"):
        key = row["usage_hour_utc"], row["host"]
        if row["method"] == "unmeasured":
            broken.add((key, row["meter_kind"]))
        else:
            read[key][row["meter_kind"]] += row["energy_millijoules"]
            by_meter[row["meter_id"]] += row["energy_millijoules"]
    for name, gained in made.whole_meters.items():
        assert by_meter[name] == gained, "a counter's own difference, across hours and midnight"
    # a machine of which more is known than its processors, whatever it is called
    better = {(key[0], key[1].split(".")[0]) for key, row in known.items() if row["gpu_model"]} | {
        (key[0], key[1].split(".")[0]) for key, kinds in read.items() for kind in kinds
        if kind != "cpu" and (key, kind) not in broken}
    booked: dict[tuple, int] = defaultdict(int)
    for row in room.rows("select * from int_activity__hourly"):
        booked[row["usage_hour_utc"], row["node"]] += row["energy_millijoules"] or 0
    for key, row in known.items():
        whole = {kind: value for kind, value in read[key].items() if (key, kind) not in broken}
        meter = whole.get("pdu", whole.get("host"))
        if (key[0], key[1].split(".")[0]) not in better:
            meter = whole.get("cpu")
        assert row["meter_millijoules"] == meter, (key, row)
        boards = row["counted_millijoules"] + row["estimated_millijoules"]
        if meter is None:
            assert row["host_state"] == "no_meter" and booked[key] == boards
        elif meter < boards:
            assert row["host_state"] == "contradicted" and booked[key] == boards
        else:
            assert row["host_state"] in ("open", "closed") and booked[key] == meter
            assert (row["host_state"] == "closed") == (row["unread_gpu_seconds"] == 0)
    lines = room.rows("select * from fct_energy_line_daily")
    for day in range(DAYS):
        for host in {row["host"] for row in known.values()}:
            mine = [row for row in lines if (row["usage_date"], row["host"]) == (ZERO + timedelta(days=day), host)]
            metered = sum(row["energy_j"] for row in mine if row["is_metered"])
            assert metered * 1000 == sum(
                row["meter_millijoules"] or 0 for row in known.values()
                if row["host"] == host and row["meter_kind"] != "cpu"
                and row["usage_date"] == ZERO + timedelta(days=day))
            assert all(row["energy_j"] >= 0 or row["line"] == "meter_below_counters" for row in mine)


@many(12)
@given(seed=SEEDS)
def test_the_wall_is_booked_within_its_range_and_ranges_are_ordered(room, seed):
    room.run(make(seed).tables)
    for row in room.rows("select * from int_energy_line__hourly"):
        if row["energy_kwh"] is not None:
            assert 0 <= row["energy_kwh_low"] <= row["energy_kwh"] <= row["energy_kwh_high"], row
        assert row["energy_kwh_high"] is not None
    tiers = {row["factor_id"].rpartition("/")[2]: row["evidence_tier"] for row in room.rows(
        "select distinct factor_id, evidence_tier from int_energy_line__hourly where factor_id is not null")}
    wanted = {"metered_host_ratio": 0, "host_residual_ratio": 0, "energy_counter_ratio": 1, "power_integral_ratio": 1,
              "power_integral_gappy_ratio": 1, "tdp_utilisation_ratio": 4, "host_share_ratio": 5, "pue": 1}
    assert tiers.items() <= wanted.items()


@many(12)
@given(seed=SEEDS, choice=SEEDS, keeps_power=st.booleans())
def test_a_lost_counter_never_lowers_the_upper_bound(room, seed, choice, keeps_power):
    made = make(seed)
    if not made.counters:
        return
    lost = made.counters[choice % len(made.counters)]
    most = "select sum(energy_kwh_high) as high from int_energy_line__hourly"
    room.run(made.tables)
    before = room.rows(most)[0]["high"]
    known = hosts(room)
    gone = ("energy_j",) if keeps_power else ("energy_j", "power_w")
    samples = [row for row in made.tables["stg_gpu_prometheus__samples"]
               if row["uuid"] != lost or row["quantity"] not in gone]
    room.run({**made.tables, "stg_gpu_prometheus__samples": samples})
    # each row is rounded to a billionth of a kWh
    rounding = Decimal(room.rows("select count(*) as n from int_energy_line__hourly")[0]["n"]).scaleb(-9)
    assert room.rows(most)[0]["high"] + rounding >= before, (lost, {row["host_state"] for row in known.values()})


@many(5)
@given(seed=SEEDS)
def test_days_alone_and_in_any_order_give_what_one_run_gives(room, seed):
    made = make(seed)
    room.run(made.tables)
    for name in ("int_gpu_energy__hourly", "int_meter__hourly"):
        whole = sorted(room.duck.execute(f"from {name}").fetchall(), key=str)
        end, alone = ZERO + timedelta(days=DAYS), []
        for number in reversed(range(DAYS)):
            day = ZERO + timedelta(days=number)
            text = room.sql[name].replace(f"< cast('{end}'", f"< cast('{day + timedelta(days=1)}'")
            alone += room.duck.execute(text.replace(f">= cast('{ZERO}'", f">= cast('{day}'")).fetchall()
        assert sorted(alone, key=str) == whole, name
