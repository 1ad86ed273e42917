"""What a run in a terminal makes of the checks of its assets.

Whole runs belong to test_definitions.py and test_cli.py.
"""

import dagster as dg
import pytest

from assets.raw import GATE
from assets.run import doubted


@pytest.mark.parametrize("passed, severity, name, told", [
    (False, dg.AssetCheckSeverity.WARN, "chat_length_averages_are_plausible", True),
    (True, dg.AssetCheckSeverity.WARN, "chat_length_averages_are_plausible", False),
    (False, dg.AssetCheckSeverity.ERROR, "same_total", False),  # stops the run, and is told as its failure
    (False, dg.AssetCheckSeverity.WARN, GATE, False),  # told as refused
])
def test_a_check_that_warns_is_told_and_stops_nothing(passed, severity, name, told):
    evaluation = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(["fct_footprint_daily"]), check_name=name, passed=passed, severity=severity, metadata={})
    assert doubted(evaluation) is told
