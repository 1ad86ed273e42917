"""Level 1, the accounting split: energy a week before and after a change, and what it should have saved.

Nothing here is causal: whatever grew in the meantime counts as rebound. Levels that can tell are modules of their own.

Formula: 1 - realised / expected saving; expected = fall of the energy per request x requests before (Sorrell,
The Rebound Effect, UK Energy Research Centre 2007, "engineering estimate"). Exact fractions, rounded by whoever writes.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from pipelines.rebound.history import Change, History
from pipelines.rebound.values import LEAST_PERIODS, Effect, Found


@dataclass(frozen=True)
class Totals:
    """Weekly means of the touched workflows, added up.

    Attributes:
        energy_before_kwh, energy_after_kwh: Energy a week.
        requests_before, requests_after: Requests a week.
    """

    energy_before_kwh: Fraction
    energy_after_kwh: Fraction
    requests_before: Fraction
    requests_after: Fraction

    @property
    def measured_saving_ratio(self) -> Fraction | None:
        """Part by which the energy per request fell; None where there was none to fall."""
        if not (self.energy_before_kwh and self.requests_before and self.requests_after):
            return None
        return 1 - self.energy_after_kwh * self.requests_before / (self.requests_after * self.energy_before_kwh)


def totals(change: Change, history: History) -> tuple[Totals | None, Found]:
    """The totals around a change, and the level's finding.

    Weeks of unknown energy are left out; a workflow without four known weeks on either side refuses the whole change,
    because a total that lacks a part is another total.
    """
    sums = [Fraction(0)] * 4
    least = [len(history.weeks)] * 2
    unknown = False
    for workflow in change.dates:
        for side, weeks in enumerate(history.around(change, workflow)):
            used = [found for found in (history.used(workflow, week) for week in weeks) if found is not None]
            known = [(energy, requests) for energy, requests in used if energy is not None]
            unknown |= len(known) < len(used)
            least[side] = min(least[side], len(known))
            if known:
                sums[side] += Fraction(sum(energy for energy, _ in known)) / len(known)
                sums[2 + side] += Fraction(sum(requests for _, requests in known), len(known))
    found = Found(n_treated=len(change.dates), periods_before=least[0], periods_after=least[1])
    if min(least) < LEAST_PERIODS:
        return None, replace(found, gap_reason="unknown_energy" if unknown else "too_few_periods")
    if not sums[0]:
        return None, replace(found, gap_reason="no_use_before")
    around = Totals(*sums)
    return around, replace(found, effect=Effect(around.energy_after_kwh / around.energy_before_kwh))
