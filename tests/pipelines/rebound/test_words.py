"""The words of a rebound: one for each range, and none that the interval does not bear."""

import pytest

from pipelines.rebound.values import Found
from pipelines.rebound.words import VERDICTS, claim, verdict, warrant


@pytest.mark.parametrize(("rebound", "low", "high", "said"), [
    (-0.2, None, None, "super_conservation"), (0, None, None, "none"), (0.3, None, None, "partial"),
    (1, None, None, "full"), (1.01, None, None, "backfire"),
    (-0.5, -0.9, -0.1, "super_conservation"), (0.5, 0.1, 0.9, "partial"), (1.6, 1.2, 2, "backfire"),
    (0.9, 0.6, 1.2, "undecided"), (1.1, 0.6, 1.6, "undecided"), (0.1, -0.1, 0.3, "undecided"),
    (0.5, 0, 0.9, "undecided"), (0.5, 0.1, 1, "undecided"),
])
def test_a_verdict_holds_for_the_whole_interval(rebound, low, high, said):
    assert verdict(rebound, low, high) == said


def test_backfire_is_called_backfire():
    assert VERDICTS["backfire"].startswith("backfire")


@pytest.mark.parametrize(("level", "p", "said", "words"), [
    (1, None, "accounting", "not causal: all growth"), (2, None, "trend", "causal only if"),
    (3, 0.4, "controlled", "causal if"), (3, None, "controlled_untested", "untested"),
    (3, 0.049, "controlled_contested", "not causal: the groups moved differently"),
    (4, None, "randomised", "causal by design"),
])
def test_what_a_figure_rests_on_is_said_beside_it(level, p, said, words):
    found = Found(pre_trend_p=p)
    assert warrant(level, found) == said
    sentence = claim(level, found, 1.5, 1.2, 1.8)
    assert sentence.startswith("backfire") and words in sentence and "95 % interval 1.20 to 1.80" in sentence
