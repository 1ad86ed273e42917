"""Level 2, the interrupted time series: the total after a change against the trend that it had before.

Control groups do not belong here (`rollout`). The trend may break for other reasons on the same day; the words say so.

Segmented regression of the logarithm on trend, step and change of slope: Wagner, Soumerai, Zhang and Ross-Degnan,
J. Clin. Pharm. Ther. 27 (2002) 299. Periods are whole weeks, which hold each weekday once, so that no weekday needs a
term of its own. Errors of one week pass on to the next; Newey-West errors hold that in long series, but in 20 to 50
weeks with four coefficients their 95 % intervals held the truth in 50 to 80 % of roll-outs (`bench/rebound.py`).
"""

from dataclasses import replace
from math import log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pipelines.rebound.history import WEEK, Change, History, is_split, start_of
from pipelines.rebound.values import CONFIDENCE, LEAST_AFTER, LEAST_BEFORE, Effect, Found

Floats = NDArray[np.float64]

MOST_PERSISTENCE = 0.95  # beyond it a trend and a walk are the same


def course(change: Change, history: History) -> dict[int, float]:
    """Logarithm of the energy of all touched workflows by week from the roll-out, for weeks that all of them have.

    Weeks are counted from each workflow's own roll-out. A week in which the change fell is left out, as is one whose
    energy is unknown or nothing.
    """
    weeks: dict[int, list[float]] = {}
    for workflow, day in change.dates.items():
        for monday in (week for side in history.around(change, workflow) for week in side):
            used = history.used(workflow, monday)
            if used is not None and used[0] is not None:
                weeks.setdefault((monday - start_of(day)) // WEEK, []).append(float(used[0]))
    whole = {week: sum(each) for week, each in sorted(weeks.items()) if len(each) == len(change.dates)}
    return {week: log(kwh) for week, kwh in whole.items() if kwh}


def interrupted(change: Change, history: History) -> Found:
    """The mean gap between the weeks after the change and the trend before it, with 12 weeks before and 8 after."""
    series = course(change, history)
    if any(is_split(day) for day in change.dates.values()):
        series.pop(-1, None)
    weeks = np.array(list(series), float)
    found = Found(n_treated=len(change.dates),
                  periods_before=int((weeks < 0).sum()), periods_after=int((weeks >= 0).sum()))
    if found.periods_before < LEAST_BEFORE or found.periods_after < LEAST_AFTER:
        return replace(found, gap_reason="too_few_periods")
    return found.with_effect(segmented(weeks, np.array(list(series.values()))))


def design_of(weeks: Floats) -> tuple[Floats, Floats]:
    """Columns of the regression, and the contrast that is the mean gap in the weeks from 0 on."""
    after = weeks >= 0
    return (np.column_stack([np.ones_like(weeks), weeks, after, after * weeks]),
            np.array([0, 0, 1, weeks[after].mean()]))


def segmented(weeks: Floats, logs: Floats) -> Effect | None:
    """The effect on a series of logarithms whose weeks from 0 on lie after the change.

    Generalised least squares with errors that persist as far as the residuals do not exclude it.
    """
    from scipy import stats
    from statsmodels.regression.linear_model import GLS

    design, gap = design_of(weeks)
    tested = GLS(logs, design, sigma=_shared(persistence(weeks, logs, design), weeks)).fit().t_test(gap)
    effect, error = tested.effect[0], tested.sd[0, 0]
    reach = error * stats.t.ppf((1 + CONFIDENCE) / 2, len(weeks) - design.shape[1] - 1)
    return Effect.of_logs(effect, effect - reach, effect + reach)


def persistence(weeks: Floats, logs: Floats, design: Floats) -> float:
    """The upper end of the 95 % range of what a week's error passes on to the next.

    Residuals look less persistent than errors are, because the fit follows them. The estimate is therefore the
    persistence at which residuals of this design would have the autocorrelation seen (in the manner of Andrews,
    Econometrica 61 (1993) 139); its error is Bartlett's (J. R. Stat. Soc. B 8 (1946) 27).
    """
    from scipy.optimize import brentq

    residual_maker = np.eye(len(weeks)) - design @ np.linalg.pinv(design)
    neighbours = (weeks[:, None] - weeks == 1).astype(float)
    residuals = residual_maker @ logs
    squares = residuals @ residuals
    seen = residuals @ neighbours @ residuals / squares if squares else 0.0

    def beyond(passed_on: float) -> float:
        expected = residual_maker @ _shared(passed_on, weeks) @ residual_maker
        return np.trace(expected @ neighbours) / np.trace(expected) - seen

    if beyond(0) >= 0:
        central = 0.0
    else:
        central = MOST_PERSISTENCE if beyond(MOST_PERSISTENCE) <= 0 else brentq(beyond, 0, MOST_PERSISTENCE)
    error = sqrt((1 - central**2) / len(weeks))
    return min(MOST_PERSISTENCE, central + NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * error)


def _shared(passed_on: float, weeks: Floats) -> Floats:
    """Correlation of the errors of each two weeks."""
    return passed_on ** np.abs(weeks[:, None] - weeks)
