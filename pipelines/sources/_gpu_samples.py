"""Turns Prometheus's answers about GPUs into one Parquet file a day: labels understood, values exact, repeats dropped.

Which metrics are asked for, where and when, belongs to `gpu_prometheus`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.sources._prometheus import Answer

ROW_GROUP = 1_000_000
NO_BOARD = -2  # a series that stands for no board: AMD's partitions repeat its power as 0
WORSE = 1_000  # added to the rank of a metric that says less on this kind of device
# A value above these is one of DCGM's "blank" sentinels or a broken card, never a reading: 90 GJ are nearly three years
# at 1 kW without a driver reload.
LARGEST = {"energy_j": 9 * 10**10, "power_w": 10**5, "util_ratio": Decimal("1.1")}
NO_READINGS = pa.schema({"series": pa.int32(), "at_ms": pa.int64(), "value": pa.decimal128(24, 6)}).empty_table()


@dataclass(frozen=True)
class Metric:
    """A metric name and what it stands for; of two names for one quantity the earlier is believed.

    Attributes:
        factor: Multiplied with the reading to give the quantity's unit (J, W or a ratio).
        on_instances: True where it is the better reading on a MIG instance, and the worse one elsewhere.
        of_amd: True where its labels are those of AMD's exporter.
    """

    name: str
    quantity: str
    factor: Decimal = Decimal(1)
    on_instances: bool = False
    of_amd: bool = False


class Series(NamedTuple):
    """What a time series is about; the first five fields say which series stand for the same thing."""

    quantity: str
    uuid: str
    gpu_instance_id: str
    namespace: str
    pod: str
    rank: int
    container: str
    gpu_model: str
    hostname: str
    gpu_instance_profile: str


@dataclass
class Hour:
    """The readings of one hour as columns (series, at_ms, value), and what was said and left out.

    Attributes:
        unread: Samples whose values are still text, as columns (series, metric, at_ms, raw); see `read`.
        copied: Series that the server has more than once, told apart by labels that mean nothing here.
    """

    readings: pa.Table
    unread: list[pa.Table] = field(default_factory=list)
    copied: set[int] = field(default_factory=set)
    warnings: set[str] = field(default_factory=set)
    refused: int = 0


def hour_of(
    answers: Iterator[Answer], metrics: tuple[Metric, ...], exporter: re.Pattern[str], known: dict[Series, int],
    models: Mapping[str, str] = MappingProxyType({}),
) -> Hour:
    """Understands the labels of one hour's answers; the values are not read yet."""
    rank = {metric.name: (number, metric) for number, metric in enumerate(metrics)}
    hour = Hour(NO_READINGS)
    for answer in answers:
        hour.warnings.update(answer.warnings)
        numbers = np.full(len(answer.labels), -1, dtype=np.int32)
        places = np.empty(len(answer.labels), dtype=np.int16)
        seen = set()
        for index, labels in enumerate(answer.labels):
            places[index], metric = rank[labels["__name__"]]
            part = labels.get("gpu_partition_id", "0") if metric.of_amd and metric.quantity != "util_ratio" else "0"
            if part not in ("", "0"):
                numbers[index] = NO_BOARD
                continue
            series = series_of(labels, metric, int(places[index]), exporter, models)
            if series:
                number = known.setdefault(series, len(known))
                if number in seen:
                    hour.copied.add(number)
                seen.add(number)
                numbers[index] = number
        if len(answer.raw):
            kept = pa.table({
                "series": numbers[answer.series], "metric": places[answer.series], "at_ms": answer.at_ms,
                "raw": answer.raw,
            })
            hour.unread.append(kept.filter(pc.not_equal(kept["series"], NO_BOARD)) if NO_BOARD in numbers else kept)
    return hour


def read(duck: duckdb.DuckDBPyConnection, hours: Iterable[Hour], metrics: tuple[Metric, ...]) -> None:
    """Reads each value exactly (text to decimal, never through a double) and leaves out what cannot be a reading.

    One query for many hours, because a query on one hour of a small site is mostly its own preparation.
    """
    waiting = [hour for hour in hours if hour.unread]
    if not waiting:
        return
    duck.register("samples", pa.concat_tables([
        part.append_column("hour", pa.array(np.full(len(part), number, dtype=np.int32)))
        for number, hour in enumerate(waiting) for part in hour.unread
    ]))
    duck.register("rules", pa.table({
        "metric": pa.array(range(len(metrics)), pa.int16()),
        "factor": pa.array([metric.factor for metric in metrics], pa.decimal128(9, 6)),
        "largest": pa.array([Decimal(LARGEST[metric.quantity]) for metric in metrics], pa.decimal128(24, 6)),
    }))
    found = duck.sql("""
        with scaled as (
            select hour, series, at_ms, largest, try_cast(raw as decimal(28, 9)) * factor as value
            from samples join rules using (metric)
        )
        select hour, series, at_ms, cast(value as decimal(24, 6)) as value
        from scaled where value between 0 and largest and series >= 0
    """).to_arrow_table()
    for number, hour in enumerate(waiting):
        hour.readings = found.filter(pc.equal(found["hour"], number)).drop_columns("hour")
        hour.refused = sum(map(len, hour.unread)) - len(hour.readings)
        hour.unread = []


def series_of(
    labels: Mapping[str, str], metric: Metric, place: int, exporter: re.Pattern[str],
    models: Mapping[str, str] = MappingProxyType({}),
) -> Series | None:
    """What the labels say, whichever spelling and honorLabels setting the site has; None without a GPU's UUID."""
    uuid, instance = labels.get("UUID") or labels.get("uuid"), labels.get("GPU_I_ID", "")
    if metric.of_amd:
        # all partitions of a board have its serial number
        uuid = f"AMD-{labels['serial_number']}" if labels.get("serial_number") else None
        instance = labels.get("gpu_partition_id", "")
        if labels.get("gpu_compute_partition_type", "SPX").upper() in ("", "SPX"):
            instance = ""
    if not uuid:
        return None
    prefix = "exported_" if any(labels.get(f"exported_{n}") for n in ("pod", "namespace", "container")) else ""
    pod = labels.get(f"{prefix}pod") or labels.get(f"{prefix}pod_name", "")
    namespace = labels.get(f"{prefix}namespace") or labels.get(f"{prefix}pod_namespace", "")
    container = labels.get(f"{prefix}container") or labels.get(f"{prefix}container_name", "")
    if not pod or (not prefix and exporter.fullmatch(pod)):
        pod = namespace = container = ""
    # MIG repeats the whole board's energy and power on every instance. The copies are kept, because they alone say
    # which instances there are where activity is not exported; only utilisation is an instance's own.
    if metric.quantity == "util_ratio" and not metric.of_amd and metric.on_instances != bool(instance):
        place += WORSE
    return Series(
        metric.quantity, uuid, instance, namespace, pod, place, container,
        _model(labels, models), labels.get("Hostname") or labels.get("hostname", ""),
        labels.get("GPU_I_PROFILE", "") if instance else "",
    )


def _model(labels: Mapping[str, str], models: Mapping[str, str]) -> str:
    told = labels.get("modelName") or labels.get("card_model", "")
    return models.get(told, told)


def write_day(
    duck: duckdb.DuckDBPyConnection, hours: list[Hour], known: list[Series], step: int, path: Path,
    table: pa.Schema,
) -> bool:
    """Writes the day in a fixed order, one reading per thing and instant; False where the day itself has none."""
    if not any(len(hour.readings) for hour in hours[1:-1]):
        return False
    # Numbers in label order, so that nothing depends on which hours were read before.
    order = sorted(range(len(known)), key=known.__getitem__)
    series = [known[number] for number in order]
    things = {thing: number for number, thing in enumerate(dict.fromkeys(s[:5] for s in series))}
    copied = set().union(*(hour.copied for hour in hours))
    gpus = {gpu: number for number, gpu in enumerate(dict.fromkeys(s.uuid for s in series))}
    duck.register("series", pa.table({
        "series": pa.array(order, pa.int32()), "place": pa.array(range(len(series)), pa.int32()),
        "thing": pa.array([things[s[:5]] for s in series], pa.int32()),
        "gpu": pa.array([gpus[s.uuid] for s in series], pa.int32()),
        "quantity": [s.quantity for s in series], "rank": pa.array([s.rank for s in series], pa.int32()),
        "is_copied": [number in copied for number in order],
    }))
    duck.register("own", pa.concat_tables([hour.readings for hour in hours[1:-1]]))
    duck.register("before", hours[0].readings)
    duck.register("after", hours[-1].readings)
    sorted_rows = duck.sql(_DAY_SQL).to_arrow_table().combine_chunks()
    with pq.ParquetWriter(path, table, compression="zstd", store_schema=False) as writer:
        for offset in range(0, len(sorted_rows), ROW_GROUP):
            rows = sorted_rows.slice(offset, ROW_GROUP)
            writer.write_table(_labelled(rows, series, step, table), ROW_GROUP)
    return True


_DAY_SQL = """
    with edges as (
        select 'before' as side, series, at_ms, value from before
        union all
        select 'after', series, at_ms, value from after
    ),
    -- the nearest instant of each quantity, and whatever else was read at that instant
    nearest as (
        select distinct gpu, case side when 'before' then max(at_ms) else min(at_ms) end as at_ms
        from edges join series using (series) group by side, gpu, quantity
    ),
    readings as (
        select series, at_ms, value from own
        union all
        select e.series, e.at_ms, e.value
        from edges e join series s using (series) join nearest n on n.gpu = s.gpu and n.at_ms = e.at_ms
    ),
    -- only a thing that several series stand for can have two readings at one instant
    repeated as (select thing from series group by thing having count(*) > 1 or bool_or(is_copied)),
    once as (
        select s.thing, s.place, r.at_ms, r.value
        from readings r join series s using (series) where s.thing not in (select thing from repeated)
        union all
        select thing, place, at_ms, value
        from (
            select s.thing, s.place, r.at_ms, r.value,
                row_number() over (partition by s.thing, r.at_ms order by s.rank, r.value desc, s.place) as choice
            from readings r join series s using (series) where s.thing in (select thing from repeated)
        )
        where choice = 1
    )
    select place, at_ms, value from once order by thing, at_ms
"""


def _labelled(rows: pa.Table, series: list[Series], step: int, schema: pa.Schema) -> pa.Table:
    """The rows with their labels, as dictionaries: a day has millions of rows and few labels."""
    place = rows["place"].combine_chunks()
    columns: dict[str, Any] = {
        "sampled_at_utc": pa.array(rows["at_ms"].to_numpy() * 1000).cast(pa.timestamp("us")),
        "value": rows["value"].combine_chunks(),
        "step_seconds": pa.array(np.full(len(rows), step, dtype=np.int32)),
    }
    for name in Series._fields:
        if name in schema.names:
            texts = [getattr(s, name) or None for s in series]
            words = sorted({t for t in texts if t})
            code = {word: number for number, word in enumerate(words)}
            codes = pa.array([code.get(t) for t in texts], pa.int32())
            columns[name] = pa.DictionaryArray.from_arrays(codes.take(place), pa.array(words, pa.string()))
    return pa.table([columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema)
