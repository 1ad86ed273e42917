"""Level 3, difference-in-differences over a staggered roll-out: each group against those that have not rolled out yet.

Choosing the groups does not belong here (`panel`), nor a lottery's own test (`lottery`).

Imputation (Borusyak, Jaravel and Spiess, Rev. Econ. Studies 91 (2024) 3253): the levels of groups and the course of
weeks are regressed on cells without the change only, so that no group that has rolled out serves as a control; the
effect is what the other cells hold beyond them. Groups count the same. Groups of one start are averaged before, which
changes no coefficient (weights as many as there are) and keeps the regression small.

Errors: delete one group at a time, those that rolled out and those that did not as two strata (Wolter, Introduction to
Variance Estimation, 2007, chapter 4), and t with the degrees of freedom that such a difference has if groups vary alike
(Satterthwaite, Biometrics 2 (1946) 110; in the manner of Bell and McCaffrey, Survey Methodology 28 (2002) 169). Few
groups on one side widen the interval, however many stand on the other.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipelines.rebound.panel import Panel
from pipelines.rebound.values import CONFIDENCE, LEAST_BEFORE, LEAST_PERIODS, Effect, EventPeriod, Found

Floats = NDArray[np.float64]

PERIOD_WEEKS = 4  # of an event study
LEADS = 2  # periods before a roll-out that are held against all weeks before them
LEAST_GROUPS = 2  # on either side


@dataclass(frozen=True)
class Cohorts:
    """Groups of one start, averaged: cohorts x weeks.

    Attributes:
        logs: Mean logarithm of the energy.
        since: Weeks since the roll-out, negative before it.
        counts: Groups of each cohort.
        clean: Cells without the change; the week in which it fell is neither clean nor treated.
        treated: Cells with it.
    """

    logs: Floats
    since: NDArray[np.int64]
    counts: NDArray[np.int64]
    clean: NDArray[np.bool_]
    treated: NDArray[np.bool_]


def cohorts(panel: Panel) -> Cohorts:
    """The panel's groups, averaged by start."""
    weeks = panel.logs.shape[1]
    keys, of_group = np.unique(2 * panel.starts + panel.split, return_inverse=True)
    counts = np.bincount(of_group)
    logs = np.zeros((len(keys), weeks))
    np.add.at(logs, of_group, panel.logs)
    starts, split = np.divmod(keys, 2)
    since = np.arange(weeks) - starts[:, None]
    return Cohorts(logs / counts[:, None], since, counts, since < -split[:, None], since >= 0)


def excess(found: Cohorts) -> Floats:
    """Logarithm of each treated cell beyond what its group's level and its week's course make of it; else nan."""
    rows, columns = np.nonzero(found.clean)
    coefficients = _regressed(found, rows, columns)
    levels, course = np.split(coefficients, [len(found.counts)])
    expected = levels[:, None] + np.concatenate([[0.0], course])
    return np.where(found.treated, found.logs - expected, np.nan)


def leads(found: Cohorts) -> Floats:
    """How far each period before the roll-outs lies off the weeks before all of them, oldest first."""
    rows, columns = np.nonzero(found.clean)
    since = found.since[rows, columns]
    rolls_out = found.treated.any(axis=1)[rows]
    periods = [rolls_out & (since // PERIOD_WEEKS == -period) for period in range(LEADS, 0, -1)]
    return _regressed(found, rows, columns, *periods)[-LEADS:]


def _regressed(found: Cohorts, rows: NDArray, columns: NDArray, *others: NDArray) -> Floats:
    """Coefficients of cohorts, of weeks after the first one, and of others, on the named cells."""
    cohort_count, weeks = found.logs.shape
    design = np.column_stack([
        rows[:, None] == np.arange(cohort_count), columns[:, None] == np.arange(1, weeks), *others]).astype(float)
    weights = np.sqrt(found.counts[rows])
    return np.linalg.lstsq(design * weights[:, None], found.logs[rows, columns] * weights, rcond=None)[0]


def mean_effect(panel: Panel) -> float:
    """The mean effect on the logarithm over all weeks and groups that have rolled out."""
    found = cohorts(panel)
    return _mean(excess(found), found, found.treated)


def _mean(values: Floats, found: Cohorts, cells: NDArray) -> float:
    weights = (found.counts[:, None] * cells)[cells]
    return float(np.average(values[cells], weights=weights)) if weights.size else np.nan


def _figures(panel: Panel, with_leads: bool) -> Floats:
    """The mean effect, then the leads (nan where they are not asked for), then the effect by period after."""
    found = cohorts(panel)
    beyond = excess(found)
    before = leads(found) if with_leads else np.full(LEADS, np.nan)
    after = [_mean(beyond, found, found.treated & (found.since // PERIOD_WEEKS == period))
             for period in range(-(-panel.logs.shape[1] // PERIOD_WEEKS))]
    return np.array([_mean(beyond, found, found.treated), *before, *after])


def staggered(panel: Panel) -> Found:
    """The effect with its interval, the event study, and the joint test of the periods before the roll-outs."""
    from scipy import stats

    treated = panel.treated
    before, after = panel.periods
    found = Found(n_treated=int(treated.sum()), n_control=int((~treated).sum()), n_left_out=panel.n_left_out,
                  periods_before=before, periods_after=after)
    if not found.n_treated or not found.n_control:
        return replace(found, gap_reason="no_control_group")
    if min(found.n_treated, found.n_control) < LEAST_GROUPS:
        return replace(found, gap_reason="too_few_groups")
    if min(before, after) < LEAST_PERIODS:
        return replace(found, gap_reason="too_few_periods")
    with_leads = before >= LEAST_BEFORE
    figures = _figures(panel, with_leads)
    covariance, freedom = _covariance(panel, with_leads), degrees_of_freedom(found.n_treated, found.n_control)
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(np.diag(covariance))
    first = [0, *(PERIOD_WEEKS * period for period in range(-LEADS, len(figures) - LEADS - 1))]
    (_, effect), *events = (
        (week, Effect.of_logs(figure, figure - half, figure + half))
        for week, figure, half in zip(first, figures, reach, strict=True))
    # jointly by Bonferroni: with so few groups the covariance of the leads is not known well enough for more
    chances = 2 * stats.t.sf(np.abs(figures[1:1 + LEADS]), freedom, scale=np.sqrt(np.diag(covariance))[1:1 + LEADS])
    test = min(1.0, LEADS * float(np.nan_to_num(chances, nan=1).min())) if with_leads else None
    known = tuple(EventPeriod(week, each) for week, each in events if each is not None)
    return replace(found, pre_trend_p=test, events=known).with_effect(effect)


def degrees_of_freedom(n_treated: int, n_control: int) -> float:
    """Of the variance of a difference of two means: near those of the smaller side, where the other is much larger."""
    treated, control = 1 / n_treated, 1 / n_control
    return (treated + control) ** 2 / (treated**2 / (n_treated - 1) + control**2 / (n_control - 1))


def _covariance(panel: Panel, with_leads: bool) -> Floats:
    """Covariance of the figures."""
    parts = []
    for stratum in (panel.treated, ~panel.treated):
        without = np.array([_figures(panel.without(group), with_leads) for group in np.flatnonzero(stratum)])
        off = without - without.mean(axis=0)
        parts.append(off.T @ off * (len(off) - 1) / len(off))
    return parts[0] + parts[1]
