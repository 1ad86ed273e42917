"""GPU energy by hour and holder: numbers worked out by hand, and conservation on thousands of made-up readings."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from gpu_project import DAY, at, compiled, copy_project, dbt, land, reading, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NEXT = DAY + timedelta(days=1)
THREE = DAY + timedelta(days=3)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    for name in ("warehouse", "scratch"):
        (folder / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JEVONS_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def project(home, tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("dbt"))


@pytest.fixture(scope="module")
def sql(project, home):
    with compiled(project, first=DAY, end=THREE) as rendered:
        yield rendered


@pytest.fixture
def hourly(sql, home):
    """Lands readings on three days and gives the model's rows of the measured kind, or all."""

    def rows(readings, unmeasured=False):
        land(home, readings, DAY, 3)
        return [r for r in run(sql, home) if unmeasured or r["method"] != "unmeasured"]

    return rows


def energy(rows, **where) -> int | None:
    """Millijoules of the rows that match; None where there is no such row."""
    found = [r["energy_millijoules"] for r in rows if all(r[k] == v for k, v in where.items())]
    return int(sum(found)) if found else None


def hour(number: int, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, number)


def counter(clock_and_joules, pod="p", **more):
    return [reading("energy_j", at(clock), Decimal(str(j)), pod, **more) for clock, j in clock_and_joules]


def test_a_steady_card_has_power_times_time_in_each_full_hour(hourly):
    # 300 W, read 7.25 s after each minute from 09:30 to 11:30: the hour from 10 to 11 holds 300 W x 3600 s
    start = at("09:30:07.250")
    rows = hourly([
        reading("energy_j", start + timedelta(minutes=n), Decimal(5_000 + 18_000 * n), "p") for n in range(121)
    ])
    assert energy(rows, usage_hour_utc=hour(10)) == 300 * 3600 * 1000
    assert energy(rows) == 120 * 18_000 * 1000
    assert {r["method"] for r in rows} == {"counter_delta"} and not any(r["gap_filled"] for r in rows)
    whole = next(r for r in rows if r["usage_hour_utc"] == hour(10))
    assert (whole["usage_date"], whole["host"], whole["uuid"], whole["gpu_model"], whole["namespace"], whole["pod"],
            whole["line"], whole["gpu_seconds"]) == (DAY, "node-1", "GPU-a", "H100", "ml", "p", "direct", 3600)


def test_an_interval_belongs_to_the_pod_at_its_end(hourly):
    before, after = [("10:00:00", 0), ("10:01:00", 100)], [("10:02:00", 300), ("10:03:00", 700)]
    rows = hourly(counter(before, "a") + counter(after, "b"))
    assert energy(rows, pod="a") == 100_000
    assert energy(rows, pod="b") == 600_000  # 200 J of the interval in which it came, and 400 J
    assert {r["pod"]: r["gpu_seconds"] for r in rows} == {"a": 60, "b": 120}


def test_a_driver_reload_is_bridged_by_power_never_by_a_negative_number(hourly):
    rows = hourly([
        *counter([("10:00:00", 1000), ("10:01:00", 1500), ("10:02:00", 200), ("10:03:00", 900)]),
        reading("power_w", at("10:02:00"), Decimal("310.5"), "p"),
    ])
    assert energy(rows, method="counter_delta") == (500 + 700) * 1000
    assert energy(rows, method="power_integral") == 18_630_000  # 310.5 W x 60 s


@pytest.mark.parametrize(("back", "power"), [("10:01:00", []), ("10:10:00", ["10:00:00", "10:10:00"])])
def test_a_reload_without_power_or_inside_a_gap_is_unmeasured(hourly, back, power):
    rows = hourly([
        *counter([("10:00:00", 1000), (back, 10)]), *(reading("power_w", at(c), 300, "p") for c in power),
    ], unmeasured=True)
    assert {r["method"] for r in rows} == {"unmeasured"}
    assert {r["energy_millijoules"] for r in rows} == {None}
    assert sum(r["unmeasured_seconds"] for r in rows if r["usage_date"] == DAY) == 86_400


def test_a_counter_that_reads_zero_for_once_does_not_book_a_lifetime(hourly):
    rows = hourly([
        *counter([("10:00:00", 10**9), ("10:01:00", 0), ("10:02:00", 10**9 + 200), ("10:03:00", 10**9 + 300)]),
        reading("power_w", at("10:01:00"), 100, "p"), reading("power_w", at("10:02:00"), 100, "p"),
    ])
    assert energy(rows, method="counter_delta") == 100_000
    assert energy(rows, method="power_integral") == 2 * 100 * 60 * 1000


def test_a_scrape_gap_at_the_start_of_an_hour_is_bridged_and_flagged(hourly):
    rows = hourly(counter([("09:58:00", 0), ("09:59:00", 60), ("10:10:00", 720), ("10:11:00", 780)]))
    # 660 J in 660 s: 60 of them before 10:00
    assert energy(rows, usage_hour_utc=hour(9)) == 120_000
    assert energy(rows, usage_hour_utc=hour(10)) == 660_000
    assert all(r["gap_filled"] for r in rows)
    assert not any(r["gap_filled"] for r in hourly(counter([("09:59:00", 0), ("10:01:00", 60)])))  # two steps: no gap


def test_a_gap_across_midnight_is_cut_there_and_no_millijoule_is_lost(hourly):
    before, after = reading("energy_j", at("23:55:00"), 0, "p"), reading("energy_j", at("00:05:00", NEXT), "0.601", "p")
    rows = hourly([before, after])
    assert energy(rows, usage_date=DAY) == 300  # 601 / 2, rounded down
    assert energy(rows, usage_date=NEXT) == 301


def test_a_gap_that_one_of_two_days_cannot_see_is_unmeasured_in_both(hourly):
    rows = hourly([
        *counter([("22:29:00", 0), ("22:30:00", 60)]), reading("energy_j", at("00:10:00", NEXT), 6000, "p"),
        reading("energy_j", at("00:11:00", NEXT), 6060, "p"),
    ], unmeasured=True)
    assert energy(rows, method="counter_delta", usage_date=DAY) == 60_000
    assert energy(rows, method="counter_delta", usage_date=NEXT) == 60_000
    unmeasured = defaultdict(int)
    for row in rows:
        unmeasured[row["usage_date"]] += row["unmeasured_seconds"]
    assert dict(unmeasured) == {DAY: 86_400 - 60, NEXT: 86_400 - 60}


def mig(instances, joules, model="H100"):
    """A board from 10:00 to 10:01; an instance is its number, profile, pod and activity, None where not exported."""
    labels = [{"gpu_instance_id": number, "gpu_instance_profile": profile, "gpu_model": model}
              for number, profile, _, _ in instances]
    found = [
        reading("energy_j", at(clock), value, pod, **label)  # every instance repeats the board's counter
        for clock, value in (("10:00:00", 5), ("10:01:00", 5 + Decimal(joules)))
        for label, (_, _, pod, _) in zip(labels, instances, strict=True)
    ]
    return found + [
        reading("util_ratio", at("10:01:00"), activity, pod, **label)
        for label, (_, _, pod, activity) in zip(labels, instances, strict=True) if activity is not None
    ]


def shared(rows):
    """Millijoules and seconds by pod and line."""
    return {(r["pod"], r["line"]): (int(r["energy_millijoules"]), int(r["gpu_seconds"])) for r in rows}


def test_mig_copies_count_once_idle_power_by_slices_and_the_rest_by_activity(hourly):
    # An H100 has 7 slices and idles at 84 W: 5040 J in 60 s, of which 3 slices have 2160, 2 have 1440; the empty
    # instance and the slice without one have 1440. 12,600 - 5040 = 7560 J by 3 x 0.5 and 2 x 0.25, so 5670 and 1890.
    told = [("1", "3g.40gb", "p1", "0.5"), ("2", "2g.20gb", "p2", "0.25"), ("3", "1g.10gb", None, "0")]
    rows = hourly(mig(told, 12_600))
    assert shared(rows) == {
        ("p1", "direct"): (7_830_000, 25), ("p2", "direct"): (3_330_000, 17), (None, "idle"): (1_440_000, 18),
    }
    assert {r["share_method"] for r in rows} == {"slices_activity"}


@pytest.mark.parametrize("activity", [None, "0"])
def test_where_no_activity_is_told_those_who_hold_slices_were_active(hourly, activity):
    # the same board: 7560 J by 3 and 2 slices are 4536 and 3024 J; one instance that tells nothing makes all unknown
    told = [("1", "3g.40gb", "p1", activity), ("2", "2g.20gb", "p2", activity), ("3", "1g.10gb", None, None)]
    rows = hourly(mig(told, 12_600))
    assert {key: value[0] for key, value in shared(rows).items()} == {
        ("p1", "direct"): 2_160_000 + 4_536_000, ("p2", "direct"): 1_440_000 + 3_024_000, (None, "idle"): 1_440_000,
    }
    assert {r["share_method"] for r in rows} == {"slices"}
    part_told = mig([("1", "3g.40gb", "p1", "0.9"), ("2", "2g.20gb", "p2", activity and None)], 12_600)
    assert {r["share_method"] for r in hourly(part_told)} == {"slices"}


def test_a_board_of_unknown_idle_power_is_split_by_the_slices_it_has(hourly):
    # an A30 has 4 slices; of a board of which nobody knows, the instances are all there is
    one = [("1", "1g.6gb", "p1", None)]
    assert shared(hourly(mig(one, 1, "NVIDIA A30"))) == {("p1", "direct"): (250, 15), (None, "idle"): (750, 45)}
    assert shared(hourly(mig([*one, ("2", "2g.12gb", None, None)], "0.9", "home-made"))) == {
        ("p1", "direct"): (300, 20), (None, "idle"): (600, 40)}
    # without a profile the instances count alike; two pods on one instance share it
    twice = [("1", None, "p1", None), ("1", None, "p2", None), ("2", None, "p3", None)]
    assert {key: value[0] for key, value in shared(hourly(mig(twice, 1, "NVIDIA A30"))).items()} == {
        ("p1", "direct"): 250, ("p2", "direct"): 250, ("p3", "direct"): 500}


def test_a_board_in_mig_mode_that_nobody_holds_is_idle_and_one_that_one_pod_holds_whole_is_not(hourly):
    assert shared(hourly(mig([("1", "1g.10gb", None, "0")], 6_000))) == {(None, "idle"): (6_000_000, 60)}
    assert shared(hourly(mig([("0", "7g.80gb", "p", "1")], 6_000))) == {("p", "direct"): (6_000_000, 60)}


def test_pods_on_a_time_sliced_card_share_it_evenly_where_nothing_tells(hourly):
    rows = hourly([
        reading("energy_j", at(clock), value, pod)
        for clock, value in (("10:00:00", "0"), ("10:01:00", "1")) for pod in ("s1", "s2", "s3")
    ])
    assert {r["pod"]: int(r["energy_millijoules"]) for r in rows} == {"s1": 333, "s2": 333, "s3": 334}
    assert {r["pod"]: int(r["gpu_seconds"]) for r in rows} == {"s1": 20, "s2": 20, "s3": 20}
    assert {r["share_method"] for r in rows} == {"pods"}


def test_pods_on_a_time_sliced_card_pay_alike_for_holding_it_and_by_their_use_for_the_rest(hourly):
    # an H100 idles at 84 W x 60 s = 5040 J, 2520 each; of 9000 - 5040 = 3960 J s1 has 3 parts of 4
    rows = hourly([
        *(reading("energy_j", at(clock), value, pod)
          for clock, value in (("10:00:00", 0), ("10:01:00", 9000)) for pod in ("s1", "s2")),
        reading("util_ratio", at("10:01:00"), "0.6", "s1"), reading("util_ratio", at("10:01:00"), "0.2", "s2"),
    ])
    assert shared(rows) == {("s1", "direct"): (2_520_000 + 2_970_000, 30), ("s2", "direct"): (2_520_000 + 990_000, 30)}
    assert {r["share_method"] for r in rows} == {"pods_activity"}


def test_a_card_that_nobody_holds_is_idle(hourly):
    rows = hourly(counter([("10:00:00", 0), ("10:01:00", 4)], pod=None))
    assert [(r["line"], r["pod"], int(r["energy_millijoules"])) for r in rows] == [("idle", None, 4000)]


def test_a_card_without_a_counter_has_power_and_one_without_either_is_unknown_not_zero(hourly):
    power = [("10:00:00", "100"), ("10:01:00", "200"), ("10:06:00", "250"), ("10:07:00", "50.0004")]
    rows = hourly([
        *(reading("power_w", at(clock), watts, "p", "GPU-p") for clock, watts in power),
        reading("util_ratio", at("10:00:00"), "0.9", "p", "GPU-u"),
    ], unmeasured=True)
    # 200 W x 60 s + 50 W x 60 s; the five minutes between have the mean of both ends, 225 W x 300 s
    assert energy(rows, uuid="GPU-p", method="power_integral") == (12_000 + 3_000) * 1000
    assert energy(rows, uuid="GPU-p", method="power_integral_gappy") == 67_500 * 1000
    assert all(r["gap_filled"] == (r["method"] == "power_integral_gappy") for r in rows if r["energy_millijoules"])
    blind = [r for r in rows if r["uuid"] == "GPU-u"]
    assert sum(r["unmeasured_seconds"] for r in blind) == 86_400
    assert {r["energy_millijoules"] for r in blind} == {None} and {r["pod"] for r in blind} == {"p"}


def test_a_card_of_which_only_its_utilisation_is_known_draws_its_share_of_the_rating(hourly):
    # an H100 is rated at 700 W: busy 0.74 of it, 518 W, idle 0.12, 84 W; half busy 84 + 434 / 2 = 301 W
    rows = hourly([
        *(reading("util_ratio", at(clock), "0.5", "p", "GPU-u") for clock in ("10:00:00", "10:01:00", "10:02:00")),
        *(reading("util_ratio", at(clock), "0.5", "p", "GPU-x", gpu_model="home-made")
          for clock in ("10:00:00", "10:01:00")),
        # a day on which its power was read once is not helped by utilisation: the rest of its time is not known
        *(reading("util_ratio", at(clock), "0.5", "p", "GPU-m") for clock in ("10:00:00", "10:01:00")),
        reading("power_w", at("10:00:00"), 100, "p", "GPU-m"),
    ])
    assert energy(rows, uuid="GPU-u", method="tdp_utilisation") == 2 * 301 * 60 * 1000
    assert {r["uuid"] for r in rows} == {"GPU-u"}


def test_dbt_replaces_days_in_any_order_and_a_day_that_became_empty(project, home):
    readings = counter([("23:58:00", 0), ("23:59:00", 60)]) + [
        reading("energy_j", at(f"00:0{n}:30", NEXT), 150 + 60 * n, "p") for n in range(3)
    ]

    def table():
        with duckdb.connect(str(home / "warehouse/jevons.duckdb"), read_only=True) as duck:
            return duck.execute("select * from int_gpu_energy__hourly order by all").fetchall()

    def build(first, end):
        dbt(project, "run", first=first, end=end)

    land(home, readings, DAY, 3)
    dbt(project, "seed")
    build(DAY, THREE)
    together = table()
    # the whole counter runs from 0 to 270 J
    assert sum(row[11] or 0 for row in together) == 270_000
    build(NEXT, NEXT + timedelta(days=1))
    build(DAY, NEXT)
    assert table() == together
    land(home, [], NEXT, 1)
    build(NEXT, NEXT + timedelta(days=1))
    assert table() == [row for row in together if row[0] == DAY]


# ---- conservation

ONE = st.tuples(
    st.one_of(  # milliseconds since the reading before: on time, a little late, a gap, an outage
        st.just(60_000), st.integers(1, 130_000), st.integers(130_000, 7_200_000), st.integers(7_200_000, 40_000_000),
    ),
    st.integers(0, 900_000),  # millijoules more than before
    st.sampled_from(["counts"] * 8 + ["reset", "no counter", "no power"]),
    st.sampled_from([
        ("a",), ("a",), ("b",), (), ("a", "b", "c"),
        (("1", "3g.40gb", "a"), ("2", "2g.20gb", "b"), ("3", "1g.10gb", None)), (("1", "1g.10gb", "a"),),
        (("1", "4g.40gb", "b"), ("1", "4g.40gb", "a"), ("2", None, "b")), (("0", "7g.80gb", None),),
    ]),
)


# few examples of several cards, each by itself: a run takes as long for four cards as for one
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(ONE, min_size=1, max_size=25), min_size=2, max_size=4), st.integers(0, 90_000_000))
def test_every_millijoule_of_every_counter_is_somewhere_once(sql, home, cards, start_ms):
    readings, expected, midnights = [], {}, [n * 86_400_000 for n in range(4)]
    for number, steps in enumerate(cards):
        uuid, now, count, previous = f"GPU-{number}", start_ms, 10**9, None
        expected[uuid] = 0
        for gap, more, event, pods in steps:
            now += gap
            count = more if event == "reset" else count + more
            instant = at("00:00:00") + timedelta(milliseconds=now)
            if now >= midnights[-1] + 3_600_000:
                break
            for holder in pods or (None,):
                number, profile, pod = holder if isinstance(holder, tuple) else (None, None, holder)
                labels = {"gpu_instance_id": number, "gpu_instance_profile": profile}
                if event != "no counter":
                    readings.append(reading("energy_j", instant, Decimal(count) / 1000, pod, uuid, **labels))
                if event != "no power":
                    readings.append(reading("power_w", instant, 250, pod, uuid, **labels))
                if not number or more % 3:
                    busy = Decimal(len(pod or "") * (more % 7)) / 10
                    readings.append(reading("util_ratio", instant, busy, pod, uuid, **labels))
            if event == "no counter":
                continue
            if previous is not None and count >= previous[1]:
                expected[uuid] += _kept(previous[0], now, count - previous[1], midnights)
            previous = (now, count)
    land(home, readings, DAY, 3)
    together = run(sql, home)
    for uuid in expected:
        assert (energy(together, uuid=uuid, method="counter_delta") or 0) == expected[uuid]
    seconds = defaultdict(int)
    for row in together:
        seconds[row["uuid"], row["usage_hour_utc"]] += row["gpu_seconds"]
        assert (row["energy_millijoules"] is None) == (row["method"] == "unmeasured")
        assert row["energy_millijoules"] is None or row["energy_millijoules"] >= 0
    assert set(seconds.values()) <= {3600}
    alone = []
    for day in (2, 0, 1):  # each day by itself, in another order
        first, end = (DAY + timedelta(days=n) for n in (day, day + 1))
        text = sql.hourly.replace(f"'{THREE}'", f"'{end}'")
        text = text.replace(f">= cast('{DAY}'", f">= cast('{first}'")
        assert text.count(f">= cast('{first}'") == sql.hourly.count(f"'{DAY}'") > 0
        alone += run(type(sql)(staging=sql.staging, hourly=text), home)
    assert sorted(map(str, alone)) == sorted(map(str, together))


def _kept(low: int, high: int, delta: int, midnights: list[int]) -> int:
    """The part of a counter's difference inside the three days; nothing where it reaches too far over a midnight."""
    for midnight in midnights:
        if low < midnight < high and (low < midnight - 3_600_000 or high >= midnight + 3_600_000):
            return 0
    length = high - low
    inside = max(min(high, midnights[-1]), low)
    return delta * (inside - low) // length


INSTANCE = st.tuples(
    st.integers(1, 4), st.sampled_from([None, "a", "b", "c"]), st.one_of(st.none(), st.integers(0, 1000)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(INSTANCE, min_size=1, max_size=4).filter(lambda made: sum(one[0] for one in made) <= 7),
       st.integers(0, 90_000_000), st.sampled_from(["H100", "NVIDIA A30", "home-made"]))
def test_a_board_in_mig_mode_is_shared_as_fractions_say(sql, home, made, millijoules, model):
    instances = [(str(number), f"{slices}g.9gb", pod, None if busy is None else Decimal(busy) / 1000)
                 for number, (slices, pod, busy) in enumerate(made)]
    land(home, mig(instances, Decimal(millijoules) / 1000, model), DAY, 3)
    rows = [row for row in run(sql, home) if row["method"] != "unmeasured"]
    # independently: fractions, by the formulae and not by running sums
    whole = max({"H100": 7, "NVIDIA A30": 4, "home-made": 0}[model], sum(slices for slices, _, _ in made))
    pods = sorted({pod for _, pod, _ in made if pod})
    held = {pod: Fraction(sum(s for s, p, _ in made if p == pod), whole) for pod in pods}
    told = all(busy is not None for _, pod, busy in made if pod)
    use = {pod: sum(s * (busy or 0) for s, p, busy in made if p == pod) for pod in [*pods, None]}
    idle = min(millijoules, 84 * 60 * 1000) if model == "H100" else 0 if told and any(use.values()) else millijoules
    if not told or not any(use.values()):
        use = {pod: held[pod] for pod in pods} or {None: 1}
    held[None] = 1 - sum(held.values())
    active, all_use = millijoules - idle, sum(use.values())
    expected = {pod: idle * held[pod] + active * Fraction(use.get(pod, 0)) / all_use for pod in [*pods, None]}
    assert sum(row["energy_millijoules"] for row in rows) == millijoules
    assert sum(row["gpu_seconds"] for row in rows) == 60
    for pod, exact in expected.items():
        # each of the two splits is cut to whole millijoules
        assert abs((energy(rows, pod=pod) or 0) - exact) < 2, (pod, exact)
