"""Made-up roll-outs with a known rebound: teams that grow, an efficiency gain that reaches some of them one by one.

Estimating does not belong here. The organisation of `jevons demo` knows nothing of it; tests and `bench/rebound.py` do.

The known rebound: energy per request falls by 40 % and use grows by 35 % because of it, so that the total falls by
1 - 0.6 x 1.35 = 19 % of what it would have been, and 1 - 0.19 / 0.4 = 0.525 of the expected saving is gone. All teams
grow by 2 % a week besides.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from pipelines.rebound.values import RANDOMISED, Touched, Week

SAVING_RATIO, GROWTH_BY_CHANGE_RATIO, WEEKLY_GROWTH_RATIO = 0.4, 0.35, 0.02
REBOUND = 1 - (1 - (1 - SAVING_RATIO) * (1 + GROWTH_BY_CHANGE_RATIO)) / SAVING_RATIO
FIRST_WEEK = date(2026, 1, 5)
WEEKS = 40
START_WEEKS = (16, 19, 22, 25)  # of those that roll out, in turn
TEAM_NOISE, SHARED_NOISE, MEMORY = 0.08, 0.05, 0.5  # log-space; what a week passes on to the next


def rolled_out(seed: int, teams: int = 16, never: int = 4) -> tuple[list[Touched], list[Week]]:
    """A change and the weeks of all teams.

    Args:
        seed: Of the draws.
        teams: All teams, each with one workflow.
        never: Those of them that the change does not reach, the last ones.
    """
    generator = np.random.default_rng(seed)
    shared = _noise(generator, 1, SHARED_NOISE)
    own = _noise(generator, teams, TEAM_NOISE)
    level = generator.normal(4, 1, (teams, 1))
    weeks = np.arange(WEEKS)
    requests = level + weeks * np.log1p(WEEKLY_GROWTH_RATIO) + shared + own
    touched = list(_touched(teams - never))
    for team, row in enumerate(touched):
        requests[team, weeks >= (row.change_date - FIRST_WEEK).days // 7] += np.log1p(GROWTH_BY_CHANGE_RATIO)
    return touched, list(_weeks(np.exp(requests), touched))


def _touched(teams: int) -> Iterator[Touched]:
    for team in range(teams):
        day = FIRST_WEEK + timedelta(weeks=START_WEEKS[team % len(START_WEEKS)])
        yield Touched("smaller-model", day, f"work-{team:02}", Decimal(str(SAVING_RATIO)), RANDOMISED)


def _noise(generator: np.random.Generator, rows: int, spread: float) -> np.ndarray:
    """Noise of which each week passes a part on to the next, with the same spread in all weeks."""
    fresh = generator.normal(0, spread, (rows, WEEKS))
    fresh[:, 1:] *= np.sqrt(1 - MEMORY**2)
    for week in range(1, WEEKS):
        fresh[:, week] += MEMORY * fresh[:, week - 1]
    return fresh


def _weeks(thousand_requests: np.ndarray, touched: list[Touched]) -> Iterator[Week]:
    """Rows of all teams; a request takes 0.5 Wh, and after the change 0.3 Wh."""
    for team, row in enumerate(thousand_requests):
        start = touched[team].change_date if team < len(touched) else date.max
        for week, thousands in enumerate(row):
            monday = FIRST_WEEK + timedelta(weeks=week)
            kwh = float(thousands) * 0.5 * (1 - SAVING_RATIO if monday >= start else 1)
            yield Week(monday, f"work-{team:02}", f"team-{team:02}", Decimal(f"{kwh:.9f}"), round(1000 * thousands))
