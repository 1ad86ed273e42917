"""Promises of the replay: what is denied and what is not are all that was asked, by the decision of the gate itself."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from gate_home import ceiling, gate_home, rule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.gate import Gate, deciding, replaying
from pipelines.gate.file import CLASSES, CeilingState, steps_of
from pipelines.gate.replaying import PARTS, STOP, Treated, Work, replay
from pipelines.gate.simulating import Line

FIRST, END = date(2026, 6, 1), date(2026, 7, 1)
EVERYTHING = "organisation/organisation"


def day(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


def state(limit, rules=(), perimeter=EVERYTHING, metric="requests", used="0", name="c"):
    limit = Decimal(limit)
    return CeilingState(name, perimeter, metric, FIRST, END, limit, Decimal(used), Decimal(0),
                        steps_of(metric, limit, rules))


def asked(number, usefulness_class, calls, kwh=None, workflow=None, team="claims", **other):
    quantities = {"requests": Decimal(calls)}
    if kwh is not None:
        quantities["energy_kwh"] = Decimal(kwh)
    ends = (None,) * 3 if kwh is None else (Decimal(kwh) / 2, Decimal(kwh), Decimal(kwh) * 3)
    return Work(day(number), workflow or str(usefulness_class), usefulness_class, (EVERYTHING, f"team/{team}"),
                quantities, calls=calls, energy_kwh=ends, **other)


def test_a_case_worked_out_by_hand():
    """Each of three days 20 essential and 40 experimental calls of 0.2 kWh; experiments stop at 90 of 100.

    Day 1 uses 60. The 30 that are left are used at noon of day 2: 20 experimental calls pass, 20 are denied (4 kWh),
    and the essential work brings it to 100. Day 3 denies 40 (8 kWh); 20 essential calls make it 120, which does not
    hold. Demand is 60, 120, 180: above 100 on day 2. Essential work alone is 60.
    """
    work = [each for number in (1, 2, 3)
            for each in (asked(number, "essential", 20), asked(number, "experimental", 40, "8"))]
    treated, (course,) = replay(work, [state(100, [rule("r", "experimental", "stop", "0.9")])], FIRST)
    assert [each.denied_calls for each in treated] == [0, 0, 0, 20, 0, 40]
    line = Line("experimental", "experimental")
    for each in treated:
        if each.work.usefulness_class == "experimental":
            line.add(each)
    assert line.calls == {"allow": 60, "slow": 0, "batch": 0, "smaller_model": 0, "stop": 60}
    assert (line.since, line.by) == ({"stop": day(2)}, ("c", "r"))
    assert line.denied_energy_kwh == [Decimal(6), Decimal(12), Decimal(36)]
    assert (course.used, course.demanded, course.essential, course.holds) == (120, 180, 60, False)
    assert (course.reached_on, course.demanded_over_on, course.essential_over_on) == (day(2), day(2), None)


def test_what_is_slowed_passes_and_a_rule_for_a_team_is_for_its_work_only():
    """Slowed from 50 of 100: the 50th call of 80 even ones is at 5/8 of the day; the other team goes on as before."""
    work = [asked(1, "comfort", 40), asked(1, "comfort", 40, workflow="other", team="other")]
    rules = [rule("r", "comfort", "slow", "0.5", perimeter="team/claims")]
    treated, (course,) = replay(work, [state(100, rules)], FIRST)
    assert treated[0].parts == {"allow": PARTS * 5 // 8, "slow": PARTS * 3 // 8}
    assert treated[1].parts == {"allow": PARTS}
    line = Line("comfort", "comfort")
    line.add(treated[0])
    assert line.calls == {"allow": 25, "slow": 15, "batch": 0, "smaller_model": 0, "stop": 0}
    assert course.used == 80 and course.holds


def test_days_before_the_replay_are_as_they_were_and_what_asks_no_gate_goes_on():
    """80 of 100 are used before; 20 of 30 useful calls pass. Training is not asked for: it brings 5 more, 105."""
    work = [asked(1, "useful", 80), asked(2, "useful", 30), asked(2, "experimental", 5, is_asked=False)]
    treated, (course,) = replay(work, [state(100)], day(2))
    assert [each.work.day for each in treated] == [day(2), day(2)]
    # even through the day: 20 / 35 of it pass until the limit, in which 17.14 of 30 useful calls are made
    assert [each.denied_calls for each in treated] == [30 - 17, 0]
    assert (course.unasked, course.holds, course.reached_on) == (5, False, day(2))
    assert course.used == pytest.approx(Decimal(100) + 5 * Decimal(15) / 35, abs=Decimal("1e-9"))


def test_a_call_of_unknown_energy_is_counted_apart():
    treated, _ = replay([asked(1, "useful", 10, unknown_calls=4)], [state(5)], FIRST)
    assert (treated[0].denied_calls, treated[0].denied_unknown_calls, treated[0].denied_energy_kwh) == (
        5, 2, (None, None, None))


def test_the_decision_is_the_gates_own(tmp_path):
    """At the beginning of each day the gate itself, told what the replay has used, answers as the replay goes on."""
    assert replaying.strictest is deciding.strictest
    rules = [rule("s", "comfort", "slow", "0.3"), rule("b", "comfort", "batch", "0.55"),
             rule("m", "useful", "smaller_model", "0.7", perimeter="team/claims"),
             rule("x", "experimental", "stop", "0.4")]
    names = {name: f"w-{name}" for name in CLASSES}
    work = [asked(number, name, 3, workflow=names[name]) for number in range(1, 15) for name in names]
    seen = Counter()
    for number in range(1, 15):
        _, (before,) = replay([each for each in work if each.day < day(number)], [state(100, rules)], FIRST)
        treated, _ = replay([each for each in work if each.day <= day(number)], [state(100, rules)], FIRST)
        gate_home(tmp_path, [ceiling(used=str(before.used))], rules, data_to=str(day(number) - timedelta(days=1)),
                  written=datetime(2026, 6, number, tzinfo=UTC))
        for each in treated:
            if each.work.day == day(number):
                found = Gate(tmp_path).decide(each.work.workflow_id, datetime(2026, 6, number, 1, tzinfo=UTC), 0)
                assert found.action == next(iter(each.parts)), (number, each.work.workflow_id)
                seen[found.action] += 1
    assert set(seen) == {"allow", "slow", "batch", "smaller_model", "stop"}


WORK = st.lists(st.builds(
    lambda number, name, calls, kwh, team, workflow, is_asked: asked(
        number, name, calls, kwh, f"{workflow}-{name}", team, is_asked=is_asked),
    st.integers(1, 5), st.sampled_from([*CLASSES, None]), st.integers(0, 50),
    st.decimals(0, 9, places=9, allow_nan=False), st.sampled_from(["claims", "other"]), st.integers(1, 2),
    st.sampled_from([True, True, True, False])), min_size=1, max_size=25)
RATIO = st.integers(0, 100).map(lambda percent: str(Decimal(percent) / 100))
RULES = st.lists(st.builds(
    lambda name, action, ratio, where: rule(f"{name}-{action}", name, action, ratio, perimeter=where),
    st.sampled_from(CLASSES[1:]), st.sampled_from(["slow", "batch", "smaller_model", "stop"]), RATIO,
    st.sampled_from([None, "team/claims"])), max_size=5)
LIMITS = st.tuples(st.integers(0, 400), st.integers(0, 60), st.integers(0, 150))
QUICK = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])


def three(limits, rules):
    return [state(limits[0], rules), state(limits[1], rules, metric="energy_kwh", name="e"),
            state(limits[2], rules, perimeter="team/claims", name="t")]


@QUICK
@given(WORK, RULES, LIMITS)
def test_denied_and_let_through_are_what_was_demanded(work, rules, limits):
    treated, courses = replay(work, three(limits, rules), FIRST)
    assert len(treated) == len(work)
    line = Line("all", None)
    for each in treated:
        assert sum(each.parts.values()) == PARTS
        if each.work.usefulness_class == "essential" or not each.work.is_asked:
            assert set(each.parts) == {"allow"}
        line.add(each)
    assert line.demanded_calls == sum(each.calls for each in work)
    assert min(line.calls.values()) >= 0
    for course in courses:
        covered = [each for each in treated if course.ceiling.perimeter in each.work.perimeters]

        def total(parts, covered=covered, metric=course.ceiling.metric):
            return sum(each.work.quantities[metric] * parts(each) for each in covered)

        assert course.demanded * PARTS == total(lambda each: PARTS)
        assert (course.demanded - course.used) * PARTS == total(lambda each: each.parts[STOP])
        # a limit is passed by what is never denied, and by nothing else
        free = total(lambda each: 0 if each.work.usefulness_class == "essential" or not each.work.is_asked
                     else PARTS - each.parts[STOP])
        assert free <= course.ceiling.limit * PARTS


@QUICK
@given(WORK, LIMITS)
def test_without_a_rule_and_with_limits_that_are_not_reached_nothing_is_denied(work, limits):
    calls, kwh = sum(each.calls for each in work), sum(each.quantities["energy_kwh"] for each in work)
    enough = (calls + 1 + limits[0], kwh + 1 + limits[1], calls + 1 + limits[2])
    treated, courses = replay(work, three(enough, ()), FIRST)
    assert all(each.parts == {"allow": PARTS} and each.denied_calls == 0 for each in treated)
    assert all(course.used == course.demanded and course.holds and not course.reached_on for course in courses)


@QUICK
@given(WORK, RULES, LIMITS, st.sampled_from(CLASSES[1:]), RATIO)
def test_a_stricter_rule_never_denies_less_of_its_class(work, rules, limits, usefulness_class, ratio):
    def denied(rules) -> list[Treated]:
        return [each.parts[STOP] for each in replay(work, [state(limits[0], rules)], FIRST)[0]
                if each.work.usefulness_class == usefulness_class]

    stricter = denied([*rules, rule("more", usefulness_class, "stop", ratio)])
    assert all(more >= less for more, less in zip(stricter, denied(rules), strict=True))
