"""Words for a rebound: its range, what the figure rests on, and a sentence that claims no more than that.

Figures are not computed here, and the reasons why there is none are data (`gap_reason`), not sentences.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pipelines.rebound.values import Found

LEVELS: Mapping[int, str] = MappingProxyType({
    1: "accounting split", 2: "interrupted time series", 3: "difference-in-differences", 4: "randomised roll-out"})
PRE_TREND_ALARM = 0.05

VERDICTS: Mapping[str, str] = MappingProxyType({
    "super_conservation": "super-conservation: more was saved than expected",
    "none": "no rebound: what was expected was saved",
    "partial": "partial rebound: a part of the expected saving is gone again",
    "full": "full rebound: nothing of the expected saving is left",
    "backfire": "backfire: more is used, not less",
    "undecided": "undecided: the interval allows for more than one verdict",
})
WARRANTS: Mapping[str, str] = MappingProxyType({
    "accounting": "not causal: all growth counts as rebound, whatever its cause",
    "trend": "causal only if the trend before would have gone on",
    "controlled": "causal if the groups would have moved alike without the change",
    "controlled_untested": "causal if the groups would have moved alike, which too few weeks before leave untested",
    "controlled_contested": "not causal: the groups moved differently before the change already",
    "randomised": "causal by design: a lottery set the order of the roll-out",
})


def verdict(rebound: float, low: float | None, high: float | None) -> str:
    """The key of VERDICTS that holds for the whole interval; without one, for the figure.

    Args:
        rebound: 1 - realised / expected saving.
        low: Low end of its interval, None where there is none.
        high: High end.
    """
    low, high = (rebound if end is None else end for end in (low, high))
    if high < 0:
        return "super_conservation"
    if low > 1:
        return "backfire"
    if low > 0 and high < 1:
        return "partial"
    if low == high:
        return "none" if rebound == 0 else "full"
    return "undecided"


def warrant(level: int, found: Found) -> str:
    """The key of WARRANTS: what the figure of this level rests on."""
    if level == 3:
        if found.pre_trend_p is None:
            return "controlled_untested"
        return "controlled_contested" if found.pre_trend_p < PRE_TREND_ALARM else "controlled"
    return {1: "accounting", 2: "trend", 4: "randomised"}[level]


def claim(level: int, found: Found, rebound: float, low: float | None, high: float | None) -> str:
    """One sentence with the verdict, the figure, its interval and its warrant."""
    interval = "" if low is None or high is None else f", 95 % interval {low:.2f} to {high:.2f}"
    return (f"{VERDICTS[verdict(rebound, low, high)]} (rebound {rebound:.2f}{interval}; {LEVELS[level]}); "
            f"{WARRANTS[warrant(level, found)]}")
