"""Who is compared with whom: groups, weeks that count, and who takes no part."""

from datetime import timedelta

import numpy as np
from made_up import laid, monday, touched, weeks

from pipelines.rebound.panel import groups_of, laid_out
from pipelines.rebound.rollout import cohorts


def test_a_team_is_one_group_where_it_rolled_out_as_one():
    rows = [*weeks("a1", [1] * 9, team="a"), *weeks("a2", [2] * 9, team="a"), *weeks("b1", [4] * 9, team="b")]
    change, history = laid(touched({"a1": monday(4), "a2": monday(4)}), rows)
    assert groups_of(change, history) == {"a": ["a1", "a2"], "b": ["b1"]}
    half, history = laid(touched({"a1": monday(4)}), rows)
    assert groups_of(half, history) == {"a1": ["a1"], "a2": ["a2"], "b1": ["b1"]}
    apart, history = laid(touched({"a1": monday(4), "a2": monday(5)}), rows)
    assert set(groups_of(apart, history)) == {"a1", "a2", "b1"}


def test_what_nobody_owns_is_nobodys_control():
    _, history = laid([*touched({"a": monday(4)})], weeks("a", [1] * 9) + weeks("orphan", [1] * 9, team="orphan"))
    assert set(history.teams) == {"a"}


def test_groups_that_lack_a_week_or_were_touched_by_another_change_take_no_part():
    full = [week for name in "abcdef" for week in weeks(name, [5] * 20)]
    odd = [*weeks("young", [5] * 18, first=2), *weeks("quiet", [5] * 10 + [0] + [5] * 9),
           *weeks("unknown", [5] * 10 + [None] + [5] * 9), *weeks("moved", [5] * 20), *weeks("long-ago", [5] * 20)]
    changes = touched({"a": monday(8), "b": monday(9)}) + touched({"moved": monday(12)}, change="d")
    change, history = laid(changes, full + odd)
    rolled = laid_out(change, history)
    assert (rolled.logs.shape, rolled.n_left_out) == ((7, 20), 4)
    assert sorted(rolled.starts.tolist()) == [8, 9, 20, 20, 20, 20, 20]


def test_weeks_end_where_two_groups_have_not_rolled_out():
    rows = [week for name in "abcd" for week in weeks(name, [5] * 20)]
    days = {name: monday(number) for name, number in zip("abcd", (8, 10, 12, 14), strict=True)}
    rolled = laid_out(*laid(touched(days), rows))
    # from week 12 on only d has not
    assert rolled.logs.shape == (4, 12)
    assert (rolled.treated.tolist(), rolled.periods) == ([True, True, False, False], (8, 4))


def test_only_groups_of_the_lottery_are_held_against_each_other():
    rows = [week for name in "abcdef" for week in weeks(name, [5] * 20)]
    change, history = laid(touched({"a": monday(8), "b": monday(8), "c": monday(14), "d": monday(14)}), rows)
    assert laid_out(change, history, touched_only=True).logs.shape == (4, 14)


def test_a_change_in_the_middle_of_a_week_leaves_that_week_out():
    rows = [week for name in "abcd" for week in weeks(name, [5] * 20)]
    change, history = laid(touched({"a": monday(8) + timedelta(days=3), "b": monday(9)}), rows)
    found = cohorts(laid_out(change, history))
    # both start in week 9, but week 8 is clean for b alone; c and d never start
    assert found.counts.tolist() == [1, 1, 2]
    assert [np.flatnonzero(~row).min() for row in found.clean[:2]] == [9, 8]
    assert (found.treated[:2].argmax(axis=1).tolist(), found.treated[2].any()) == ([9, 9], False)


def test_a_week_that_nobody_has_is_not_counted():
    rows = [week for name in "abcd" for week in weeks(name, [5] * 20) if week.week_date not in (monday(7), monday(15))]
    change, history = laid(touched({"a": monday(7) + timedelta(days=3), "b": monday(9)}), rows)
    rolled = laid_out(change, history)
    assert (rolled.logs.shape, rolled.n_left_out) == ((4, 18), 0)
    # week 8 is the eighth that there is; the one in which a changed is missing, and so not left out again
    assert (rolled.starts[:2].tolist(), rolled.split[:2].tolist(), rolled.periods) == ([7, 8], [False, False], (7, 11))
    before, after = history.around(change, "a")
    assert (len(before), after[0], len(after)) == (7, monday(8), 11)
