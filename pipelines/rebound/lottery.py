"""Level 4, a roll-out by lot: the effect against what other orders of the lottery would have made of the same weeks.

It asks nothing of trends or errors, only that the order was drawn; whether it was, the register says.

Randomisation inference: Fisher, The Design of Experiments (1935); for staggered roll-outs Roth and Sant'Anna, J. Pol.
Econ. Microeconomics 1 (2023) 669. The interval holds each constant effect that the orders do not reject.
"""

from dataclasses import replace
from math import factorial, prod

import numpy as np

from pipelines.rebound.panel import Panel
from pipelines.rebound.rollout import mean_effect
from pipelines.rebound.values import CONFIDENCE, LEAST_PERIODS, Effect, Found

ORDERS = 499
SEED = 5
# With fewer, an order cannot be too rare to be chance: the drawn one alone is more than 5 % of both sides.
LEAST_ORDERS = 40
TIE = 1e-9


def drawn(panel: Panel) -> Found:
    """The effect with the interval of all constant effects that the orders allow; groups of the lottery only."""
    treated = panel.treated
    before, after = panel.periods
    found = Found(n_treated=int(treated.sum()), n_control=int((~treated).sum()), n_left_out=panel.n_left_out,
                  periods_before=before, periods_after=after)
    if not found.n_treated or not found.n_control:
        return replace(found, gap_reason="no_control_group")
    if min(before, after) < LEAST_PERIODS:
        return replace(found, gap_reason="too_few_periods")
    if possible_orders(panel) < LEAST_ORDERS:
        return replace(found, gap_reason="too_few_orders")
    interval = kept(panel)
    if interval is None:
        return replace(found, gap_reason="too_few_orders")
    return found.with_effect(Effect.of_logs(mean_effect(panel), *interval))


def possible_orders(panel: Panel) -> int:
    """In how many ways the lottery could have given its dates to the groups."""
    _, counts = np.unique(2 * panel.starts + panel.split, return_counts=True)
    return factorial(int(counts.sum())) // prod(factorial(int(count)) for count in counts)


def kept(panel: Panel) -> tuple[float, float] | None:
    """Least and largest constant effect on the logarithm that the orders do not reject; None where there is none such.

    If the effect is e, weeks without it are logs - e x treated, and the estimate from them is one of the estimates that
    all orders would have given. Estimates are linear, so each order needs two: of the logs and of the treated cells.
    """
    generator = np.random.default_rng(SEED)
    cells = (np.arange(panel.logs.shape[1]) >= panel.starts[:, None]).astype(float)
    shuffles = [generator.permutation(len(panel.starts)) for _ in range(ORDERS)]
    orders = [replace(panel, starts=panel.starts[order], split=panel.split[order]) for order in shuffles]
    figure = mean_effect(panel)
    others = np.array([mean_effect(order) for order in orders])
    slopes = np.array([mean_effect(replace(order, logs=cells)) for order in orders])

    def chance(effect: float) -> float:
        """Part of the orders, the drawn one included, whose estimate lies as far from nothing as the drawn one's."""
        return (1 + np.sum(np.abs(others - effect * slopes) >= abs(figure - effect) - TIE)) / (1 + ORDERS)

    if (1 + np.sum(np.abs(slopes) >= 1 - TIE)) / (1 + ORDERS) > 1 - CONFIDENCE:
        return None  # no effect is too large to be rejected
    moving = np.abs(np.abs(slopes) - 1) > TIE
    turns = np.concatenate([(figure - sign * others[moving]) / (1 - sign * slopes[moving]) for sign in (1, -1)])
    allowed = [turn for turn in turns if chance(turn) > 1 - CONFIDENCE]
    return (min(allowed), max(allowed)) if allowed else None
