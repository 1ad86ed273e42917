"""Carbon intensity of three grid zones, hour by hour, with estimates that are measured two days later.

The levels are shaped like those of France, Germany and PJM, but every hour is invented. The wording of
Electricity Maps belongs in electricity_maps_api.py.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np

from pipelines.sandbox import stories
from pipelines.sandbox.activity import EPOCH_S, HOUR_S, HOURS
from pipelines.sandbox.draws import uniforms

# gCO2e/kWh by UTC hour: solar noon pulls the middle of the day down, the evening peak pushes up.
_LEVELS: dict[str, tuple[int, ...]] = {
    "FR": (24, 23, 22, 22, 23, 25, 27, 27, 25, 22, 20, 18, 18, 18, 19, 21, 25, 30, 35, 37, 35, 31, 28, 26),
    "DE": (352, 347, 344, 346, 352, 344, 318, 282, 246, 218, 198, 188,
           186, 190, 206, 236, 286, 342, 386, 402, 396, 384, 370, 360),
    "US-MIDA-PJM": (418, 410, 401, 394, 389, 386, 385, 386, 389, 391, 388, 380,
                    370, 362, 357, 354, 353, 355, 360, 369, 382, 400, 417, 424),
}
ZONES = tuple(_LEVELS)
CALLER_ZONE = "US-MIDA-PJM"  # where the API believes the caller to be
_DAY_SWING = {"FR": 0.35, "DE": 0.4, "US-MIDA-PJM": 0.1}
_MEASURED_AFTER = timedelta(days=2)


@dataclass(frozen=True)
class GridHour:
    """The intensity of one hour in one zone, in gCO2e/kWh."""

    zone: str
    start_utc: datetime
    intensity_gco2e_per_kwh: int
    estimation_method: str | None
    created_at_utc: datetime
    updated_at_utc: datetime


@lru_cache(maxsize=16)
def _table(seed: int, zone: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return measured values, first estimates, and whether an hour stays an estimate for ever."""
    swing = _DAY_SWING[zone]
    day = np.repeat(1 - swing / 2 + swing * uniforms(seed, f"grid/{zone}/day", stories.DAY_COUNT), 24)
    noise = 0.96 + 0.08 * uniforms(seed, f"grid/{zone}/hour", HOURS)
    measured = np.floor(np.tile(np.array(_LEVELS[zone], dtype=float), stories.DAY_COUNT) * day * noise + 0.5)
    error = 0.94 + 0.12 * uniforms(seed, f"grid/{zone}/estimate", HOURS)
    stays = uniforms(seed, f"grid/{zone}/stays", HOURS) < 0.03
    return measured.astype(np.int64), np.floor(measured * error + 0.5).astype(np.int64), stays


def hours(seed: int, zone: str, start_utc: datetime, end_utc: datetime, as_of: date) -> list[GridHour]:
    """Return the hours of a zone that start in [start, end) and that are known on `as_of`, in order.

    An hour is an estimate for two days, then measured: a later `as_of` shows another value and another updatedAt.
    """
    now = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    measured, estimated, stays = _table(seed, zone)
    first = max(0, -((EPOCH_S - int(start_utc.timestamp())) // HOUR_S))
    found = []
    for number in range(first, HOURS):
        at = datetime.fromtimestamp(EPOCH_S + number * HOUR_S, UTC)
        if at >= min(end_utc, now):
            break
        if zone == stories.GRID_GAP_ZONE and stories.GRID_GAP_FROM_UTC <= at < stories.GRID_GAP_TO_UTC:
            continue
        created = at + timedelta(hours=1, minutes=10)
        final = now >= at + _MEASURED_AFTER
        value, method, updated = int(measured[number]), None, at + _MEASURED_AFTER
        if not final or stays[number]:
            value, method = int(estimated[number]), "FORECASTS_HIERARCHY" if not final else "TIME_SLICER_AVERAGE"
            updated = created + timedelta(minutes=5) if not final else updated
        found.append(GridHour(zone, at, value, method, created, updated))
    return found
