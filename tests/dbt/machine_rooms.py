"""Made-up machine rooms: hosts with GPUs, their readings, and the meters before them, with the truth behind all of it.

What must come out of them belongs to the tests.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pyarrow as pa
from ledger_project import COUNT, DAY, FIRST, INSTANT, PROJECT, TABLES, TEXT, Ledger

ZERO = date.fromisoformat(FIRST)
DAYS = 2
STEP_S, METER_STEP_S = 600, 900
# minutes since the first midnight: from the evening of the first day into the night of the second
FROM_MINUTE, UNTIL_MINUTE = 20 * 60, 28 * 60
BOARDS = {"NVIDIA H100 80GB HBM3": 700, "NVIDIA A100-SXM4-80GB": 400, "a board of its own kind": 300}
WHOLE, BIG = pa.int32(), pa.int64()


class Room(Ledger):
    """The models from readings to lines of energy."""

    models = (
        "int_gpu_energy__hourly", "int_meter__hourly", "int_host_energy__hourly", "int_gpu_prometheus__activity",
        "int_meters__activity", "int_activity__hourly", "int_site__named", "int_energy_line__hourly",
        "int_meter_account__hourly", "int_meter_account__silent", "fct_energy_line_daily",
        "fct_meter_reconciliation_daily", "dim_runtime_proxy",
    )
    tables = {
        **{name: columns for name, columns in TABLES.items() if name != "int_gpu_prometheus__activity"},
        "gpu_factor": {**TABLES["gpu_factor"], "gsd_ratio": pa.decimal128(12, 6)},
        "int_delivery__daily": {"usage_date": DAY, "source": TEXT, "received_tables": BIG},
        "gpu_slices": {"gpu_model_pattern": TEXT, "slice_count": WHOLE},
        "int_gpu_job__pod_stage": {"usage_date": DAY, "usage_hour_utc": INSTANT, "pod": TEXT, "lifecycle_stage": TEXT},
        "stg_gpu_prometheus__samples": {
            "landed_date": DAY, "quantity": TEXT, "uuid": TEXT, "gpu_model": TEXT, "host": TEXT,
            "gpu_instance_id": TEXT, "gpu_instance_slices": WHOLE, "namespace": TEXT, "pod": TEXT,
            "sampled_at_ms": BIG, "value_thousandths": BIG, "step_seconds": WHOLE, "bridged_seconds": WHOLE},
        "stg_meters__readings": {
            "landed_date": DAY, "meter_id": TEXT, "site_id": TEXT, "host": TEXT, "meter_kind": TEXT, "boundary": TEXT,
            "sampled_at_utc": INSTANT, "sampled_at_ms": BIG, "counter_millijoules": BIG, "power_milliwatts": BIG,
            "step_seconds": WHOLE},
    }
    variables = (f"{{min_date: '{FIRST}', max_date: '{ZERO + timedelta(days=DAYS)}', "
                 "activity_sources: [gpu_prometheus, meters]}")


def seeds() -> dict[str, list[dict]]:
    """The frozen factors and boards."""
    kinds = {"value_low": Decimal, "value": Decimal, "value_high": Decimal, "gsd_ratio": Decimal, "tdp_w": Decimal,
             "idle_w": Decimal, "evidence_tier": int, "slice_count": int}
    found = {}
    for name in ("gpu_factor", "gpu_model", "gpu_slices"):
        with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            found[name] = [
                {key: kinds.get(key, str)(value) if value else None for key, value in row.items()}
                for row in csv.DictReader(lines)
            ]
    return found


@dataclass
class Made:
    """What was made up.

    Attributes:
        counters: GPUs that have an energy counter.
        whole_meters: Meter to what its counter gained, where it was read without a reset.
    """

    tables: dict[str, list[dict]]
    counters: list[str] = field(default_factory=list)
    whole_meters: dict[str, int] = field(default_factory=dict)


def at(minute: float) -> tuple[datetime, int]:
    """The instant of a minute since the first midnight, naive UTC, and in Unix milliseconds."""
    instant = datetime(ZERO.year, ZERO.month, ZERO.day, tzinfo=UTC) + timedelta(minutes=minute)
    return instant.replace(tzinfo=None), int(instant.timestamp() * 1000)


def make(seed: int) -> Made:
    """A room of one to three hosts; power is constant on each board, so that a truth is easily told."""
    random = Random(seed)
    made = Made({
        **seeds(), "stg_gpu_prometheus__samples": [], "stg_meters__readings": [],
        "stg_settings__sites": [{"site_id": "s", "zone": "Z", "country": "AAA", "pue_ratio": Decimal("1.25")}],
        "stg_settings__sources": [{"source": "gpu_prometheus", "site_id": "s"}, {"source": "meters", "site_id": "s"}],
    })
    for number in range(random.randint(1, 3)):
        host, model = f"host-{number}", random.choice(list(BOARDS))
        watts = sum(_board(random, made, host, model, index) for index in range(random.randint(0, 3)))
        _meters(random, made, host, watts)
    return made


def _board(random: Random, made: Made, host: str, model: str, index: int) -> int:
    uuid, watts = f"{host}/{index}", random.randint(20, BOARDS[model])
    has_counter, has_power = random.random() < 0.8, random.random() < 0.6
    made.counters += [uuid] if has_counter else []
    holders, busy, tells_activity = _holders(random, uuid), random.randint(0, 1000), random.random() < 0.7
    count_from, offset = FROM_MINUTE, random.choice([0, 0, 1.5])
    samples: list[dict] = []
    for minute in range(FROM_MINUTE, UNTIL_MINUTE, STEP_S // 60):
        if random.random() < 0.05:  # the driver was loaded again
            count_from = minute - random.choice([0, 3])
        if random.random() < 0.1:  # nobody read it
            continue
        if random.random() < 0.1:  # it changes hands
            holders = _holders(random, uuid)
        readings = {"util_ratio": busy}
        if has_counter:
            readings["energy_j"] = int(watts * (minute - count_from) * 60_000)
        if has_power:
            readings["power_w"] = watts * 1000
        for place, (instance, slices, pod) in enumerate(holders):
            for quantity, value in readings.items():
                if place and quantity == "util_ratio" and not tells_activity:
                    continue
                samples.append({
                    "quantity": quantity, "uuid": uuid, "gpu_model": model, "host": host, "pod": pod,
                    "gpu_instance_id": instance, "gpu_instance_slices": slices,
                    "namespace": "ml" if pod else None, "step_seconds": STEP_S,
                    "value_thousandths": value // (place + 1) if quantity == "util_ratio" else value,
                    "sampled_at_ms": at(minute + offset)[1]})
    made.tables["stg_gpu_prometheus__samples"] += landed(samples, "uuid", timedelta(hours=1))
    return watts


def _holders(random: Random, uuid: str) -> list[tuple[str | None, int | None, str | None]]:
    """Instance, slices and pod of those who hold a board: nobody, a pod, pods that share it, or pods on its instances.

    Beside the instances there may be an empty one, and slices that no instance is made of.
    """
    whole = [[None], [f"pod-{uuid}"], ["shared-pod"], ["a", "b"]]
    cut: list[list[tuple[str, int | None, str | None]]] = [
        [("1", 3, "a"), ("2", 2, f"pod-{uuid}"), ("3", 1, None)], [("1", 1, f"pod-{uuid}")], [("1", 7, None)],
        [("1", 4, "a"), ("1", 4, "b"), ("2", 3, "shared-pod")], [("1", None, "a"), ("2", 1, None)],
        [(str(number), 1, f"pod-{number}") for number in range(7)],
    ]
    return random.choice([*([(None, None, pod) for pod in pods] for pods in whole), *cut])


def _meters(random: Random, made: Made, host: str, watts: int) -> None:
    """Up to two feeds of a strip, a controller, and counters of the processors, under the machine's short or full name.

    Now and then the meters say less than the boards.
    """
    power = max(0, int(watts * random.choice([1.0, 1.2, 1.6, 0.7])) + random.choice([0, 150]))
    feeds = random.choice([0, 1, 1, 2])
    for number in range(feeds):
        _meter(random, made, f"{host}/strip-{number}", host, "pdu", power // feeds)
    if random.random() < 0.3:
        _meter(random, made, f"{host}/controller", host, "host", power)
    if random.random() < 0.4:
        _meter(random, made, f"{host}/package", random.choice([host, f"{host}.rack.example"]), "cpu", power // 3)


def _meter(random: Random, made: Made, name: str, host: str, kind: str, watts: int) -> None:
    counts = random.random() < 0.7
    count_from, first, last, was_reset = 0, None, None, False
    readings = []
    for minute in range(FROM_MINUTE - 60, UNTIL_MINUTE + 60, METER_STEP_S // 60):
        if random.random() < 0.02:
            count_from, was_reset = minute, True
        if random.random() < 0.05:
            continue
        instant, ms = at(minute)
        counter = watts * (minute - count_from) * 60_000 + random.randint(0, 3000 if watts else 0)
        last, first = counter, counter if first is None else first
        readings.append({
            "meter_id": name, "site_id": "s", "host": host, "meter_kind": kind, "boundary": "it",
            "sampled_at_utc": instant, "sampled_at_ms": ms, "step_seconds": METER_STEP_S,
            "counter_millijoules": counter if counts else None, "power_milliwatts": None if counts else watts * 1000})
    if counts and not was_reset and first is not None:
        made.whole_meters[name] = last - first
    made.tables["stg_meters__readings"] += landed(readings, "meter_id", timedelta(hours=24))


def landed(readings: Iterable[dict], thing: str, near: timedelta) -> list[dict]:
    """The readings of each day's file: its own, and the nearest of each thing on both sides, at most `near` away."""
    readings, rows, near_ms = list(readings), [], int(near.total_seconds() * 1000)
    for number in range(DAYS):
        start, end = at(number * 1440)[1], at((number + 1) * 1440)[1]
        own = [row for row in readings if start <= row["sampled_at_ms"] < end]
        for name in {row[thing] for row in own}:
            times = {row["sampled_at_ms"] for row in readings if row[thing] == name}
            kept = {max((t for t in times if start - near_ms <= t < start), default=None),
                    min((t for t in times if end <= t < end + near_ms), default=None)}
            own += [row for row in readings if row[thing] == name and row["sampled_at_ms"] in kept]
        rows += [{**row, "landed_date": ZERO + timedelta(days=number)} for row in own]
    return rows


__all__ = ["COUNT", "Made", "Room", "at", "make"]
