"""Reads the log that Zeus' monitor writes: a line a window, seconds and the joules of each GPU.

Which stage of a run a window is belongs to `jevons.toml`, what a stage may be called to the source `run_stages`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.sources._small_files import MEND
from pipelines.userfiles import File, Refusals, Unreadable, read

NEEDED = ("start_time", "window_name", "elapsed_time")
LARGEST = Decimal(10) ** 12
STEP = Decimal("0.001")
_GPU = re.compile(r"gpu[0-9]+_energy")


def windows(
    files: Sequence[File], stages: Mapping[str, str], allowed: Sequence[str], refusals: Refusals
) -> Iterator[dict[str, Any]]:
    """The windows of each file, whose name without ending is the run; a name that comes again gets a number.

    Args:
        stages: The stage that each window is; a window that is called like a stage needs none.
        allowed: What stages there are.
    """
    for file in files:
        times: Counter[str] = Counter()
        try:
            for row in read(file, "csv"):
                gpus = [name for name in row.values if _GPU.fullmatch(name)]
                missing = [name for name in NEEDED if name not in row.values] or ([] if gpus else ["gpu0_energy"])
                problem = row.problem or (f"the column {missing[0]} is not there" if missing else None)
                name = row.values.get("window_name", "")
                stage = stages.get(name, name)
                if not problem and stage not in allowed:
                    problem = f"the window {name[:40]!r} is no stage; say in `stages` which it is"
                numbers = [] if problem else [_number(row.values[name]) for name in ("elapsed_time", *gpus)]
                if not problem and None in numbers:
                    problem = "seconds or joules are not numbers from 0 on"
                if problem:
                    refusals.add(row.where, problem, MEND, None)
                    continue
                times[name] += 1
                yield {
                    "run_id": file.path.stem, "window_name": f"{name} {times[name]}" if times[name] > 1 else name,
                    "stage": stage, "seconds": numbers[0].quantize(STEP), "energy_j": sum(numbers[1:]).quantize(STEP),
                }
        except Unreadable as wrong:
            refusals.add(wrong.where, wrong.rule, wrong.fix, None)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number < LARGEST else None
