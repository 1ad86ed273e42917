"""Counts false alarms of the change-point test on stationary series, and how well it finds shifts, at full scale.

The small version that runs with the tests, and how the series are made, is in tests/pipelines/test_shifts.py.

    python bench/shifts.py [WORKFLOWS]
"""

import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1] / part) for part in ("", "tests/pipelines")]

from test_shifts import MONDAY, false_alarms, made  # noqa: E402

from pipelines.shifts import shifts  # noqa: E402


def main() -> None:
    """Prints one line for each setting."""
    workflows = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"False alarms of a workflow and year, in four ratios together, {workflows} workflows")
    for likeness in (0.0, 0.3, 0.6, 0.8):
        counted = {spread: false_alarms(likeness, spread, workflows, seed=23) for spread in (0.02, 0.05, 0.1, 0.2, 0.4)}
        told = ", ".join(f"{count:.3f} at spread {spread}" for spread, count in counted.items())
        print(f"  day like the day before by {likeness}: {told}")
    print("Shifts found within twelve weeks, and on their very day")
    for spread in (0.02, 0.05, 0.1, 0.2):
        for size in (0.9, 0.8, 0.7, 0.5):
            amounts, units = made(29, 400, 22 * 7, spread)
            amounts[:, 73:] *= size
            found = [shift for shift in shifts(amounts, units, MONDAY) if abs(shift.first_day - 73) <= 7]
            days = np.mean([shift.first_day == 73 for shift in found]) if found else 0
            share = len({shift.series for shift in found}) / 400
            print(f"  spread {spread}, {size - 1:+.0%}: {share:.0%} found, {days:.0%} of these on their day")


if __name__ == "__main__":
    main()
