"""The meters of the sandbox's machine room, as files: a power strip, a host's own controller and the room's main meter.

What the GPUs draw is in gpus.py; here stands what everything around them adds.

Until a host has one the ledger estimates what it takes beside its GPUs: on the first day only the room is metered.
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from pipelines.sandbox import stories
from pipelines.sandbox.gpus import GPUS, SCRAPE_S, Gpu, instant_ms, power_mw, true_energy_mj

COLUMNS = ("meter_id", "site", "host", "meter_kind", "boundary", "sampled_at_utc", "energy_kwh", "power_w")
SITE = "paris-dc"
STRIP, CONTROLLER, MAIN = "pdu-a1/07", "bmc-gpu-node-2", "main-paris"
METERED_FROM = {STRIP: stories.day_of(2), MAIN: stories.day_of(1), CONTROLLER: stories.day_of(3)}
EVERY_S = {STRIP: 900, CONTROLLER: 300, MAIN: 900}
# The strip was exchanged: its counter starts again.
REPLACED_UTC = datetime(2026, 7, 8, 11, 20, tzinfo=UTC)
# What a host adds to its GPUs, and what the room adds to its hosts.
_FANS_PERCENT, _BASE_W = 8, {stories.BUSY_HOST: 150, stories.IDLE_HOST: 110}
_ROOM_PERCENT = 127
_MJ_PER_WH = 3_600_000
_START_MS = instant_ms(datetime.combine(stories.DATA_FROM, datetime.min.time(), UTC))


def meters_csv(seed: int, day: date) -> str:
    """Return the readings of one day, in order of meter and time."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for meter, first in METERED_FROM.items():
        if day >= first:
            writer.writerows(_readings(seed, meter, day))
    return text.getvalue()


def _readings(seed: int, meter: str, day: date) -> Iterator[tuple]:
    start = datetime.combine(day, datetime.min.time(), UTC)
    for number in range(86_400 // EVERY_S[meter]):
        at = start + timedelta(seconds=number * EVERY_S[meter])
        clock = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        if meter == CONTROLLER:
            yield meter, SITE, stories.IDLE_HOST, "host", "it", clock, None, _watts(seed, stories.IDLE_HOST, at)
        elif meter == STRIP:
            origin = REPLACED_UTC if at >= REPLACED_UTC else datetime.fromtimestamp(_START_MS / 1000, UTC)
            used = host_energy_mj(seed, stories.BUSY_HOST, origin, at)
            yield meter, SITE, stories.BUSY_HOST, "pdu", "it", clock, _kwh(used), None
        else:
            origin = datetime.fromtimestamp(_START_MS / 1000, UTC)
            hosts = sum(host_energy_mj(seed, host, origin, at) for host in _BASE_W)
            yield meter, SITE, None, "site", "facility", clock, _kwh(hosts * _ROOM_PERCENT // 100), None


def host_energy_mj(seed: int, host: str, since: datetime, until: datetime) -> int:
    """Return what a host really took from the wall between two instants, in millijoules: the truth behind its meter."""
    from_ms, to_ms = instant_ms(since), instant_ms(until)
    boards = sum(true_energy_mj(seed, gpu, from_ms, to_ms) for gpu in _of(host))
    return boards * (100 + _FANS_PERCENT) // 100 + _BASE_W[host] * (to_ms - from_ms)


def _watts(seed: int, host: str, at: datetime) -> int:
    scrape = (instant_ms(at) - _START_MS) // (SCRAPE_S * 1000)
    boards = sum(int(power_mw(seed, gpu)[scrape]) for gpu in _of(host))
    return boards * (100 + _FANS_PERCENT) // 100_000 + _BASE_W[host]


def _of(host: str) -> tuple[Gpu, ...]:
    return tuple(gpu for gpu in GPUS if gpu.host == host)


def _kwh(millijoules: int) -> str:
    """Whole watt-hours, as such meters show them."""
    watt_hours = millijoules // _MJ_PER_WH
    return f"{watt_hours // 1000}.{watt_hours % 1000:03d}"
