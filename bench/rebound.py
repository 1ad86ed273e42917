"""What the levels of rebound find where the rebound is known: median, spread, and how often the interval holds it.

Run it with `.venv/bin/python bench/rebound.py`; `--draws`, `--teams` and `--never` change the roll-outs, `--lottery`
adds level 4 on that many of them. Intervals of textbook errors (Newey-West, clustered) stand beside those in use.
"""

import argparse
from collections import defaultdict

import numpy as np

from pipelines.rebound.estimating import Estimate, estimates
from pipelines.rebound.history import Change, History, gathered
from pipelines.rebound.panel import Panel, laid_out
from pipelines.rebound.trend import course, design_of
from pipelines.rebound.words import LEVELS, PRE_TREND_ALARM
from pipelines.sandbox.rollouts import REBOUND, SAVING_RATIO, rolled_out


def rebound_of(tested) -> tuple[float, float, float]:
    """Rebound and its interval from a test of the effect on the logarithm."""
    ends = (float(tested.effect[0]), *tested.conf_int()[0])
    figure, low, high = (1 - (1 - np.exp(end)) / SAVING_RATIO for end in ends)
    return figure, low, high


def newey_west(change: Change, history: History) -> tuple[float, float, float]:
    """Rebound by ordinary least squares with Newey-West errors; lags by Newey and West (1994)."""
    from statsmodels.regression.linear_model import OLS

    series = course(change, history)
    weeks = np.array(list(series), float)
    design, gap = design_of(weeks)
    lags = int(4 * (len(weeks) / 100) ** (2 / 9))
    fitted = OLS(list(series.values()), design).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True)
    return rebound_of(fitted.t_test(gap))


def clustered(panel: Panel) -> tuple[float, float, float]:
    """Rebound by one regression of all cells (Wooldridge 2021, extended two-way fixed effects), clustered by group.

    Written for groups, without averages and without imputation, so that it checks both.
    """
    from statsmodels.regression.linear_model import OLS

    groups, weeks = panel.logs.shape
    group, week = (index.ravel() for index in np.indices((groups, weeks)))
    treated = week >= panel.starts[group]
    cells = sorted({(int(panel.starts[g]), int(w)) for g, w in zip(group[treated], week[treated], strict=True)})
    own = [treated & (panel.starts[group] == start) & (week == of) for start, of in cells]
    design = np.column_stack([group[:, None] == np.arange(groups), week[:, None] == np.arange(1, weeks), *own])
    share = np.array([each.sum() for each in own]) / treated.sum()
    fitted = OLS(panel.logs.ravel(), design.astype(float)).fit(
        cov_type="cluster", cov_kwds={"groups": group}, use_t=True)
    return rebound_of(fitted.t_test(np.concatenate([np.zeros(groups + weeks - 1), share])))


def drawn(draws: int, teams: int, never: int, lotteries: int) -> tuple[dict[int, list[Estimate]], dict[int, list]]:
    """Estimates by level over all draws, and those of textbook errors."""
    found, beside = defaultdict(list), defaultdict(list)
    for seed in range(draws):
        touched, weeks = rolled_out(seed, teams, never)
        changes = touched if seed < lotteries else [row._replace(design="") for row in touched]
        for row in estimates(changes, weeks):
            found[row.level].append(row)
        change, = gathered(touched)
        history = History([change], weeks)
        beside[2].append(newey_west(change, history))
        beside[3].append(clustered(laid_out(change, history)))
    return found, beside


def line(name: str, figures: list[tuple]) -> str:
    """Median, the middle 90 %, and the part of the intervals that hold the truth."""
    middle = np.array([figure for figure, *_ in figures])
    low, median, high = np.quantile(middle, [0.05, 0.5, 0.95])
    said = f"{name:<44} {len(figures):>5} {median:>8.3f} {low:>8.3f} {high:>8.3f}"
    inside = [low <= REBOUND <= high for _, low, high in figures if low is not None]
    return said + (f" {np.mean(inside):>9.1%}" if inside else f" {'none':>9}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--teams", type=int, default=16)
    parser.add_argument("--never", type=int, default=4)
    parser.add_argument("--lottery", type=int, default=0)
    options = parser.parse_args()
    found, beside = drawn(options.draws, options.teams, options.never, options.lottery)
    print(f"known rebound {REBOUND:.3f}; {options.teams} teams, {options.never} of them never, 40 weeks, 2 % a week\n")
    print(f"{'level':<44} {'draws':>5} {'median':>8} {'5 %':>8} {'95 %':>8} {'coverage':>9}")
    names = {1: "1 accounting split (naive before and after)", 3: "3 difference-in-differences, jackknife"}
    others = {2: "  the same, Newey-West errors", 3: "  the same, textbook cluster-robust errors"}
    for level, rows in sorted(found.items()):
        figures = [(row.rebound, row.low, row.high) for row in rows if row.rebound is not None]
        if figures:
            print(line(names.get(level, f"{level} {LEVELS[level]}"), figures))
        if len(figures) < len(rows):
            print(f"  refused: {len(rows) - len(figures)}, {rows[0].gap_reason}")
        if figures and level in others:
            print(line(others[level], beside[level]))
    tested = [row.found.pre_trend_p for row in found[3] if row.found.pre_trend_p is not None]
    alarms = np.mean([p < PRE_TREND_ALARM for p in tested])
    print(f"\nfalse alarms of the test for earlier trends: {alarms:.1%} of {len(tested)} draws, at most "
          f"{PRE_TREND_ALARM:.0%} wanted")


if __name__ == "__main__":
    main()
