"""Reads CodeCarbon's `emissions.csv` as jobs: a run each, the energy of its processors, GPUs and memory.

Which days a run belongs to, and what may be landed, belongs to the source `gpu_jobs`.

Columns are read by name, since they grew between versions; what is not needed (places, projects, its own carbon, which
goes by a country's yearly mix) is passed over. Energy told here is partly a model: memory has a constant power, and
processors their rating where no counter is read. A later row of a run is taken to hold the
earlier ones, which is UNVERIFIED for 3.x.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.sources._typed_texts import Wrong, instant
from pipelines.userfiles import File, Row, read

JOULES_PER_KWH = 3_600_000
LONGEST_SECONDS = 366 * 86_400
PARTS = ("cpu_energy", "gpu_energy", "ram_energy")
NEEDED = ("timestamp", "run_id", "duration", *PARTS, "gpu_count", "tracking_mode")


def jobs(file: File) -> Iterator[Row]:
    """The runs of a file in CodeCarbon's words: each run's longest row, which holds what the earlier ones told.

    Raises:
        Unreadable: the file is no CSV.
    """
    runs: dict[str, Row] = {}
    for row in read(file, "csv"):
        missing = [name for name in NEEDED if name not in row.values]
        if row.problem or missing:
            yield Row(row.where, {}, row.problem or f"the column {missing[0]} is not there")
            continue
        known = runs.get(row.values["run_id"])
        if known is None or _longer(row, known):
            runs[row.values["run_id"]] = row
    yield from runs.values()


def ours(values: Mapping[str, str], options: Mapping[str, Any], zone: tzinfo | None) -> dict[str, Any] | None:
    """A run in the words of `gpu_jobs`, or None where it held no GPU.

    Raises:
        Wrong: a value cannot be what it should be.
    """
    ended, seconds = instant(values["timestamp"], zone), _number(values, "duration")
    if seconds > LONGEST_SECONDS:
        raise Wrong(f"duration: {seconds} seconds are more than a year")
    try:
        started = ended - timedelta(microseconds=int(seconds * 1_000_000))
    except OverflowError:
        raise Wrong("it starts outside the calendar") from None
    if _number({"pue": values.get("pue") or "1"}, "pue") != 1:
        raise Wrong("its energy was multiplied by a pue, and the building's share is counted once more by the site's; "
                    "leave pue at 1")
    if not values["gpu_count"].strip() or _number(values, "gpu_count") == 0:
        return None
    energy = sum(_number(values, part) for part in PARTS)
    models = options.get("gpu_models", {})
    told = values.get("gpu_model", "").partition(" x ")[2] or values.get("gpu_model", "")
    record = {
        "job_id": values["run_id"], "run_id": values["run_id"], "experiment_id": values.get("experiment_id"),
        "started_at_utc": started, "ended_at_utc": ended, "state": "COMPLETED", "gpu_count": values["gpu_count"],
        "gpu_model": models.get(told, told) or options.get("gpu_model"),
        # a machine's energy is the run's only if it had the machine to itself
        "is_exclusive": options.get("exclusive") if values["tracking_mode"] == "machine" else False,
        "energy_j": (energy * JOULES_PER_KWH).quantize(Decimal("0.001")),
    }
    return record | {name: values.get(theirs) for name, theirs in options.get("columns", {}).items()}


def _longer(row: Row, known: Row) -> bool:
    try:
        return _number(row.values, "duration") >= _number(known.values, "duration")
    except Wrong:
        return True  # it is refused, and so the run with it


def _number(values: Mapping[str, str], name: str) -> Decimal:
    try:
        number = Decimal(values[name].strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number < 10**9:
        raise Wrong(f"{name}: {values[name][:40]!r} is not a number from 0 to 10^9")
    return number
