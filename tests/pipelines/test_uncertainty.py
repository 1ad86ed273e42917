"""Joint ranges: the laws that they keep, on generated totals, and agreement with draws made in another way."""

import hashlib
import tracemalloc
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.errors import JevonsError
from pipelines.uncertainty import difference, exceedance, ranges, ratio
from pipelines.uncertainty_draws import DRAWS, Correlation, key_scores, scores, term
from pipelines.uncertainty_parts import Parts

END = NormalDist().inv_cdf(0.975)
NONE = float("nan")
SEEDS = st.integers(0, 2**32)
# six significant digits are at most half a unit of the sixth away: 5e-6 of the value
DIGITS = 5.1e-6


def many(examples: int):
    """That many examples, the same ones each time; nothing is shrunk, since one example holds many totals."""
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck))


class Table:
    """Rows of parts: (total, factor, method, low, central, high)."""

    def __init__(self, rows, rho=0.6, count=None, seed="test"):
        self.rows, self.correlation = list(rows), Correlation(rho, seed=seed)
        self.count = count if count is not None else max((row[0] for row in self.rows), default=-1) + 1

    def parts(self) -> Parts:
        keys = list(dict.fromkeys((row[1], row[2]) for row in self.rows))
        place = {key: number for number, key in enumerate(keys)}
        column = lambda number: np.array([row[number] for row in self.rows], np.float64)  # noqa: E731
        return Parts(
            self.correlation, keys, self.count, total=np.array([row[0] for row in self.rows], np.int64),
            key=np.array([place[row[1], row[2]] for row in self.rows], np.int64),
            low=column(3), central=column(4), high=column(5))

    def ranges(self):
        return ranges(self.parts())


def part(total, factor, central, gsd, method="m", gsd_low=None):
    return (total, factor, method, central / (gsd_low or gsd) ** END, central, central * gsd**END)


def made_up(seed: int, totals: int = 60, factors: int = 8, twice: bool = True) -> Table:
    """Totals of up to eight factors of three methods: tight, loose, lopsided, tiny, only bounded, with no low end."""
    draw = np.random.default_rng(seed)
    methods = [f"m{draw.integers(3)}" for _ in range(factors)]
    widest = draw.choice([0.1, 0.7, 1.1, 2.5, 6.0])
    rows = []
    for total in range(totals):
        for factor in draw.choice(factors, draw.integers(1, factors + 1), replace=twice):
            central = draw.lognormal(0, draw.choice([0.3, 2, 5]))
            up, down = draw.uniform(0, widest, 2)
            if draw.random() < 0.3:
                down = up
            low = 0.0 if draw.random() < 0.05 else central * np.exp(-END * down)
            high = central if draw.random() < 0.05 else central * np.exp(END * up)
            bounded = draw.random() < 0.1
            rows.append((total, f"f{factor}", methods[factor], *((NONE, NONE) if bounded else (low, central)), high))
    return Table(rows, rho=draw.choice([0.0, 0.6, 1.0, draw.random()]), seed=str(seed))


def known(row) -> bool:
    return not np.isnan(row[4])


def same(left, right, tolerance=DIGITS):
    for name in ("low", "central", "mean", "high"):
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol=2 * tolerance, atol=0)


# the draws


def test_the_scores_are_strata_of_the_normal_distribution():
    assert len(scores()) == DRAWS
    # 102 strata and a half of 4,100 lie below 2.5 %, 3,997 and a half below 97.5 %
    assert scores()[102] == pytest.approx(-END, abs=1e-12)
    assert scores()[3997] == pytest.approx(END, abs=1e-12)
    assert np.mean(scores()) == pytest.approx(0, abs=1e-12)


def test_a_term_is_the_same_everywhere_and_whatever_else_is_drawn():
    order = np.argsort(term(Correlation(0.6, seed="jevons-1"), "factor", "parametric", "x"), kind="stable")
    assert hashlib.sha256(order.astype("<i8").tobytes()).hexdigest()[:16] == "ef22192a913a906f"
    alone = key_scores(Correlation(0.6), [("b", "m")])[0]
    among = key_scores(Correlation(0.6), [("a", "m"), ("b", "m"), ("c", "n")])
    assert (among[1] == alone).all()
    other = key_scores(Correlation(0.6, seed="other"), [("b", "m")])[0]
    assert abs(np.corrcoef(alone, other)[0, 1]) < 0.08


def test_scores_are_correlated_within_a_method_and_each_factor_keeps_its_distribution():
    found = key_scores(Correlation(0.6, {"n": 0.0, "o": 1.0}), [(f, m) for m in "mno" for f in ("a", "b", "c")])
    assert (np.sort(found, axis=1) == scores()).all()
    correlation = np.corrcoef(found)
    # three standard errors of a correlation of 4,100 pairs: 3 (1 - rho^2) / 64 = 0.03 at 0.6 and 0.047 at 0
    assert correlation[0, 1] == pytest.approx(0.6, abs=0.03) and correlation[1, 2] == pytest.approx(0.6, abs=0.03)
    assert abs(correlation[3, 4]) < 0.047 and abs(correlation[0, 3]) < 0.047 and abs(correlation[1, 8]) < 0.047
    assert (found[6] == found[7]).all()


def test_a_correlation_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        Correlation(0.6, {"m": 1.1})


# by hand


def test_one_factor_alone_has_its_own_range():
    alone = [(80, "nothing below", "m", 0.0, 1.0, 2.0), (81, "almost nothing in the middle", "m", 0.0, 1e-9, 5.0),
             (82, "no error above", "m", 0.5, 1.0, 1.0), (83, "zero", "m", 0.0, 0.0, 0.0),
             (84, "nothing but a high end", "m", 0.0, 0.0, 4.0), (85, "wide", "m", 1e-12, 1.0, 1e12)]
    table = Table(alone + [
        part(t, f"f{t}", 3.0 * 10 ** (t % 7 - 3), 1 + t / 40, gsd_low=1 + (t * 7 % 40) / 20) for t in range(80)])
    found, rows = table.ranges(), sorted(table.rows)
    np.testing.assert_allclose(found.low, [row[3] for row in rows], rtol=DIGITS)
    np.testing.assert_allclose(found.central, [row[4] for row in rows], rtol=DIGITS)
    np.testing.assert_allclose(found.high, [row[5] for row in rows], rtol=DIGITS)


def test_the_central_value_is_in_the_range_even_where_the_sum_of_medians_is_not_likely():
    # 300 independent parts of GSD 2: medians add to 300, means to 381, and the 2.5 % point is some 346
    found = Table([part(0, f"f{n}", 1.0, 2) for n in range(300)], rho=0.0).ranges()
    assert (found.low[0], found.central[0]) == (300, 300)
    assert found.mean[0] == pytest.approx(381, rel=0.01) and 400 < found.high[0] < 430


def test_the_mean_of_a_log_normal():
    # median x exp(s^2 / 2): GSD 1.05, 1.5, 2 and 3 give 1.0012, 1.0857, 1.2715 and 1.8284
    found = Table([part(t, "f", 1.0, gsd) for t, gsd in enumerate((1.05, 1.5, 2.0, 3.0))]).ranges()
    np.testing.assert_allclose(found.mean, [1.0012, 1.0857, 1.2715, 1.8284], rtol=0.006)


def test_what_is_only_bounded_adds_to_the_high_end_and_to_nothing_else():
    bound = (0, "none", "none", NONE, NONE, 7.0)
    with_bound = Table([part(0, "a", 10, 2), bound, bound], count=3).ranges()
    alone = Table([part(0, "a", 10, 2)], count=3).ranges()
    assert with_bound.high[0] == pytest.approx(alone.high[0] + 14, rel=1e-5)
    for name in ("low", "central", "mean"):
        assert getattr(with_bound, name)[0] == getattr(alone, name)[0]
    assert np.isnan(with_bound.high[1:]).all()
    only = Table([bound]).ranges()
    assert only.high[0] == 7 and np.isnan([only.low[0], only.central[0], only.mean[0]]).all()


def test_parts_without_an_error_are_counted_exactly():
    found = Table([(0, "calls", "c", n, n, n) for n in (1.0, 2.0, 300.0)]).ranges()
    assert (found.low[0], found.central[0], found.mean[0], found.high[0]) == (303, 303, 303, 303)
    three = Table([(0, "c", "c", 0.1, 0.1, 0.1)] * 3).parts()  # in binary fractions a little more than 0.3
    assert exceedance(three, Correlation(0.6), np.array([0.3]))[0][0] == 0
    assert exceedance(three, Correlation(0.6), np.array([0.29999]))[0][0] == 1


def test_no_totals_and_no_parts():
    assert len(Table([], count=0).ranges().high) == 0
    assert np.isnan(Table([], count=2).ranges().high).all()


@pytest.mark.parametrize("wrong", [
    (5.0, 4.0, 6.0), (1.0, 4.0, 3.0), (-1.0, 4.0, 6.0), (NONE, 4.0, 6.0), (1.0, 4.0, NONE), (NONE, NONE, NONE),
    (1.0, 4.0, float("inf")), (NONE, NONE, -1.0),
])
def test_what_is_no_range_is_refused_with_its_name(wrong):
    with pytest.raises(JevonsError, match="a part of gpu in total 1"):
        Table([part(0, "a", 1, 2), (1, "gpu", "m", *wrong)]).parts()


# laws


@many(25)
@given(seed=SEEDS)
def test_ends_are_in_order_and_within_the_added_ends(seed):
    table = made_up(seed)
    found = table.ranges()
    added = np.zeros((3, table.count))
    for row in table.rows:
        added[:, row[0]] += [row[3], row[4], row[5]] if known(row) else [0, 0, row[5]]
    any_known = ~np.isnan(found.central)
    assert any_known.any()
    slack = 1 + 2 * DIGITS
    assert (found.low <= found.central)[any_known].all() and (found.central <= found.high)[any_known].all()
    assert (found.low <= found.mean)[any_known].all() and (found.mean <= found.high * slack)[any_known].all()
    assert (found.low * slack >= added[0])[any_known].all() and (found.high <= added[2] * slack).all()
    np.testing.assert_allclose(found.central[any_known], added[1][any_known], rtol=DIGITS)


@many(12)
@given(seed=SEEDS)
def test_neither_the_order_of_rows_nor_other_totals_change_a_digit(seed):
    table = made_up(seed)
    draw = np.random.default_rng(seed)
    shuffled = Table([table.rows[n] for n in draw.permutation(len(table.rows))], table.correlation.default, table.count,
                     table.correlation.seed)
    before, after = table.ranges(), shuffled.ranges()
    for name in ("low", "central", "mean", "high"):
        assert getattr(before, name).tobytes() == getattr(after, name).tobytes(), name
    alone = Table([row for row in table.rows if row[0] == 5], table.correlation.default, table.count,
                  table.correlation.seed).ranges()
    same_total = [getattr(before, name)[5] == pytest.approx(getattr(alone, name)[5], rel=1e-5, nan_ok=True)
                  for name in ("low", "central", "mean", "high")]
    assert all(same_total)


@many(12)
@given(seed=SEEDS)
def test_a_part_may_be_split_and_every_unit_may_be_another(seed):
    table = made_up(seed)
    share = np.random.default_rng(seed).random(len(table.rows))
    split = [(*row[:3], *(np.array(row[3:]) * portion)) for row, each in zip(table.rows, share, strict=True)
             for portion in (each, 1 - each)]
    whole = table.ranges()
    same(Table(split, table.correlation.default, table.count, table.correlation.seed).ranges(), whole)
    scaled = [(*row[:3], *(np.array(row[3:]) * 1000)) for row in table.rows]
    found = Table(scaled, table.correlation.default, table.count, table.correlation.seed).ranges()
    for name in ("low", "central", "mean", "high"):
        np.testing.assert_allclose(getattr(found, name), getattr(whole, name) * 1000, rtol=2 * DIGITS)


@many(12)
@given(seed=SEEDS)
def test_more_of_anything_lowers_nothing(seed):
    table = made_up(seed)
    before = table.ranges()
    draw = np.random.default_rng(seed)
    fuller = [*table.rows, *(part(total, "f0", draw.lognormal(0, 2), 2) for total in range(table.count))]
    grown = [(*row[:3], row[3], row[4], row[5] * 1.2) for row in table.rows]
    surer = [(*row[:3], (row[3] + row[4]) / 2, row[4], row[5]) for row in table.rows]
    larger = [(*row[:3], *(np.array(row[3:]) * draw.uniform(1, 2))) for row in table.rows]
    for name, rows in (("fuller", fuller), ("grown", grown), ("surer", surer), ("larger", larger)):
        after = Table(rows, table.correlation.default, table.count, table.correlation.seed).ranges()
        # a low end that rises makes a part surer: the low end of the total rises, its high end need not
        for end in ("low", "mean") if name == "surer" else ("low", "mean", "high"):
            old, new = getattr(before, end), getattr(after, end)
            assert (np.isnan(old) | (new >= old * (1 - 2 * DIGITS))).all(), (name, end)


def alike(seed: int, totals: int = 60, factors: int = 6) -> Table:
    """Totals with several parts of one factor, whose ranges are as wide as the factor's, give or take a half."""
    draw = np.random.default_rng(seed)
    widths, rows = draw.uniform(0.02, draw.choice([0.1, 0.7, 1.2]), factors), []
    for total in range(totals):
        for factor in draw.choice(factors, draw.integers(2, 10)):
            central = draw.lognormal(0, draw.choice([0.3, 2, 4]))
            up, down = widths[factor] * draw.uniform(0.5, 1.5, 2)
            rows.append((total, f"f{factor}", f"m{factor % 3}", central * np.exp(-END * down), central,
                         central * np.exp(END * up)))
    return Table(rows, rho=draw.choice([0.0, 0.6, 1.0]), seed=str(seed))


@many(40)
@given(seed=SEEDS)
def test_losing_a_median_never_lowers_the_high_end(seed):
    """Part by part until nothing but bounds is left: 80 times some 270 steps or more, 20,000 in all."""
    for table in (made_up(seed, twice=False), alike(seed)):
        draw, rows, begins, first = np.random.default_rng(seed), [], [], 0
        for total in range(table.count):
            whole = [row for row in table.rows if row[0] == total]
            order, wider = draw.permutation(len(whole)), draw.choice([1.0, 1.0, 1.5], len(whole))
            for lost in range(len(whole) + 1):
                for place, row in enumerate(whole):
                    ends = (NONE, NONE, row[5] * wider[place]) if order[place] < lost and known(row) else row[3:]
                    rows.append((first + lost, *row[1:3], *ends))
            begins.append(first)
            first += len(whole) + 1
        high = Table(rows, table.correlation.default, first, table.correlation.seed).ranges().high
        steps = np.concatenate([np.diff(each) / each[-1] for each in np.split(high, begins[1:])])
        assert len(steps) > 200 and (steps > 0.001).mean() > 0.2
        assert steps.min() >= -1e-12, steps.min()


def test_errors_that_are_not_shared_cancel_and_those_that_are_do_not():
    one = [(0, *part(0, "a", 1.0, 2)[1:])]
    apart = [part(1, f"f{n}", 1.0, 2) for n in range(25)]
    factor = [part(2, "a", 1.0, 2) for _ in range(25)]
    width = lambda found: (found.high - found.low) / found.mean  # noqa: E731
    alone, independent, shared = width(Table([*one, *apart, *factor], rho=0.0).ranges())
    # 25 independent parts: a fifth of the relative standard deviation
    assert independent == pytest.approx(alone / 5, rel=0.15)
    assert shared == pytest.approx(alone, rel=1e-5)
    _, related, _ = width(Table([*one, *apart, *factor], rho=0.6).ranges())
    _, same_method, _ = width(Table([*one, *apart, *factor], rho=1.0).ranges())
    assert independent < 0.5 * related < related < alone
    assert same_method == pytest.approx(alone, rel=1e-5)


# against draws made in another way


def log_normal(low, central, high, score):
    end = np.where(score < 0, low, high)
    return central * (end / central) ** (np.abs(score) / 1.959963985)


CASES = {
    "a tight meter beside a loose estimate": (0.6, [("m", "meter", 100, 1.05, 1.05), ("e", "default", 10, 3, 3)]),
    "a loose meter beside a tight estimate": (0.6, [("m", "meter", 1, 1.05, 1.05), ("e", "default", 10, 3, 3)]),
    "two loose ones of two methods": (0.6, [("a", "m", 1, 3, 3), ("b", "n", 1, 3, 3)]),
    "thirty models of one method": (0.6, [(f"f{n}", "parametric", 1.3**n, 2.94 if n % 3 else 2, 2) for n in range(30)]),
    "thirty independent models": (0.0, [(f"f{n}", "parametric", 1 + n % 5, 2, 2) for n in range(30)]),
    "forty tight meters": (0.0, [(f"f{n}", "meter", 1, 1.15, 1.15) for n in range(40)]),
    "one method whole": (1.0, [(f"f{n}", "parametric", 1, 2, 2) for n in range(5)]),
    "lopsided ranges": (0.5, [("a", "m", 1, 1.1, 2.7), ("b", "m", 1, 1.2, 4.5), ("c", "n", 2, 1.35, 2)]),
    "an organisation": (0.6, [
        ("counter", "counter", 1641, 1.15, 1.15), ("pue", "pue", 410, 1.14, 1.14),
        *((f"model{n}", "parametric", kwh, gsd, gsd) for n, (kwh, gsd) in enumerate((
            (683, 2.5), (573, 2.7), (513, 2.94), (297, 2.94), (233, 2.7), (211, 2.94), (162, 2.6), (16, 2.5)))),
    ]),
}


@pytest.mark.parametrize("name", CASES)
def test_agreement_with_brute_force(name):
    """300,000 pseudo-random draws. Stated tolerance: 6 % of the half-width of the range (8 % of it for the high end of
    sums of independent parts), 1 % of the mean, and 0.025 of a probability, three standard errors of 4,100 draws."""
    rho, given_parts = CASES[name]
    draw = np.random.default_rng(list(name.encode()))
    shared = {method: draw.standard_normal(300_000) for _, method, *_ in given_parts}
    truth = np.zeros(300_000)
    for _, method, central, gsd, gsd_low in given_parts:
        score = np.sqrt(rho) * shared[method] + np.sqrt(1 - rho) * draw.standard_normal(300_000)
        truth += log_normal(central / gsd_low**END, central, central * gsd**END, score)
    low, high, mean = *np.quantile(truth, [0.025, 0.975]), truth.mean()
    table = Table((part(0, factor, central, gsd, method, gsd_low)
                   for factor, method, central, gsd, gsd_low in given_parts), rho)
    found = table.ranges()
    assert found.mean[0] == pytest.approx(mean, rel=0.01)
    assert found.high[0] == pytest.approx(high, abs=(0.08 if rho == 0 else 0.06) * (high - mean))
    # the central value is the sum of medians and in the range, though that of many independent parts is below it
    assert found.low[0] == pytest.approx(min(low, found.central[0]), abs=0.06 * (mean - low))
    limits = [low, mean, (mean + high) / 2, high, 1.2 * high]
    rows = [(place, *row[1:]) for place in range(len(limits)) for row in table.rows]
    probability, _ = exceedance(Table(rows, rho).parts(), table.correlation, np.array(limits))
    np.testing.assert_allclose(probability, [(truth > limit).mean() for limit in limits], atol=0.025)


# probabilities and comparisons


def test_a_probability_of_one_factor_and_a_forecast_of_its_own_error():
    # ln 20 - ln 10 = 0.693 over ln 2 = 0.693: P(Z > 1) = 0.1587; scaled by 2 the median is the limit: 0.5
    # with a spread of 0.693 of its own: P(Z > 1 / sqrt 2) = 0.2398; without a limit nothing is asked
    table = Table([part(total, "f", 10.0, 2) for total in range(4)])
    probability, bounded = exceedance(
        table.parts(), table.correlation, np.array([20, 20, 20, NONE]), scale=np.array([1, 2, 1, 1]),
        spread=np.array([0, 0, np.log(2), 0]))
    np.testing.assert_allclose(probability, [0.1587, 0.5, 0.2398, NONE], atol=0.005)
    assert (probability[:3] == bounded[:3]).all() and np.isnan(bounded[3])


def test_a_bound_raises_the_second_probability_alone():
    # 10 known and 10 more at most, limit 20: the bound leaves the median at the limit
    rows = [part(0, "f", 10.0, 2), (0, "none", "none", NONE, NONE, 10.0), (1, "none", "none", NONE, NONE, 10.0)]
    probability, bounded = exceedance(Table(rows).parts(), Correlation(0.6), np.array([20.0, 9.0]))
    assert probability[0] == pytest.approx(0.1587, abs=0.005) and bounded[0] == pytest.approx(0.5, abs=0.005)
    assert (probability[1], bounded[1]) == (0, 1)


def test_what_two_periods_share_cancels():
    # the same factors in the same proportions: 30 % more is 30 % more, however uncertain both are
    rows = [part(0, "a", 10, 3), part(0, "b", 5, 2), part(1, "a", 13, 3), part(1, "b", 6.5, 2)]
    table = Table([*rows, part(2, "c", 13, 3), part(2, "d", 6.5, 2)], rho=0.0)
    before, after = np.array([0, 0]), np.array([1, 2])
    found = ratio(table.parts(), before, after)
    assert (found.low[0], found.central[0], found.mean[0], found.high[0]) == (1.3, 1.3, 1.3, 1.3)
    assert found.central[1] == 1.3 and found.low[1] < 0.3 and found.high[1] > 5
    change = difference(table.parts(), before, after)
    assert change.central[0] == 4.5 and change.low[0] > 0 and change.low[1] < 0 < change.high[1]


def test_the_ratio_of_two_factors_of_no_method():
    # both log-normal: a log-normal of s = sqrt(2) ln 2 = 0.980, so 3 x exp(+- 1.96 x 0.980) = 0.439 and 20.5
    table = Table([part(0, "a", 2, 2, "m"), part(1, "b", 6, 2, "n")])
    found = ratio(table.parts(), np.array([0]), np.array([1]))
    assert (found.low[0], found.high[0]) == (pytest.approx(0.439, rel=0.08), pytest.approx(20.5, rel=0.08))


def test_a_bound_widens_a_comparison_and_the_unknown_has_none():
    bound = (NONE, NONE, 5.0)
    table = Table([part(0, "a", 10, 1), part(1, "a", 20, 1), (0, "u", "u", *bound), (1, "u", "u", *bound),
                   (2, "u", "u", *bound)])
    found = ratio(table.parts(), np.array([0, 0, 2]), np.array([1, 2, 0]))
    # 20 / (10 + 5) and (20 + 5) / 10
    assert (found.low[0], found.central[0], found.high[0]) == (1.33333, 2, 2.5)
    assert np.isnan(found.central[1:]).all() and np.isnan(found.high[1:]).all()
    assert difference(table.parts(), np.array([0]), np.array([1])).low[0] == 5


def test_memory_does_not_grow_with_the_number_of_totals():
    draw = np.random.default_rng(1)
    peaks = []
    for totals in (1100, 3300):
        rows = [part(total, f"f{factor}", draw.lognormal(0, 2), 1.05 + factor / 100, f"m{factor % 4}")
                for total in range(totals) for factor in draw.choice(80, 6, replace=False)]
        parts = Table(rows).parts()
        tracemalloc.start()
        try:
            ranges(parts)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    # the draws of 3,300 totals all at once would be 3,300 x 4,100 x 8 bytes = 108 MB, three times those of 1,100
    assert peaks[1] < 1.1 * peaks[0] < 150e6, peaks
