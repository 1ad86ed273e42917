"""Energy of hosts' processors and memory as Kepler and Scaphandre count it, read from Prometheus as raw samples.

Whether a better meter of the same host counts instead is decided in dbt (int_host_energy__hourly), not here.

Read are the counters of nodes, never those of pods, containers and processes, which are parts of them and whose labels
may hold command lines. Of Kepler's zones only disjoint ones are read: a package holds its cores. Legacy names and the
labels of `kepler_platform_watts` (what a machine's own controller says through Redfish) were read in Kepler's
documentation, not on a server.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from itertools import pairwise
from math import isfinite, nan
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.errors import SettingError, SourceError
from pipelines.source import Context, DayFile, Source
from pipelines.sources import _prometheus
from pipelines.sources._meter_days import CPU, by_day, readings
from pipelines.sources._meter_rows import LARGEST, STEPS
from pipelines.typed import arrow_schema
from pipelines.userfiles import Refusals, write_records
from pipelines.window import Window

NAME = "host_prometheus"
HOUR_SECONDS, BUCKET_MS = 3600, 300_000  # of counters one reading in five minutes says as much as all
STEP_SECONDS = 60
JOULES_PER_KWH = 3_600_000
DISJOINT = ("package", "dram")  # psys holds both, core and uncore lie inside of a package
ZONES = (*DISJOINT, "psys", "core", "uncore")
HOSTS = ("node_name", "exported_instance", "node", "instance")
_PORT = re.compile(r":[0-9]{1,5}$")
_NUMBERED = re.compile(r"-[0-9]+$")  # package-0 is a package


@dataclass(frozen=True)
class Metric:
    """A metric of a tool.

    Attributes:
        kind: What it measures: cpu, or host where the machine's own controller tells it.
        factor: Joules (of a counter) or watts in one.
        zone: Its zone where the name tells it, None where a label does, empty where there are none.
        apart: Labels that tell counters of one host and zone apart.
    """

    tool: str
    name: str
    kind: str = CPU
    column: str = "energy_kwh"
    factor: Decimal = Decimal(1)
    zone: str | None = None
    apart: tuple[str, ...] = ()


METRICS = (
    Metric("kepler", "kepler_node_cpu_joules_total", apart=("path",)),
    *(Metric("kepler_legacy", f"kepler_node_{zone}_joules_total", zone=zone, apart=("package", "mode"))
      for zone in DISJOINT),
    Metric("scaphandre", "scaph_host_energy_microjoules", factor=Decimal("0.000001"), zone=""),
    Metric("kepler", "kepler_platform_watts", "host", "power_w", zone="", apart=("chassis_id", "source_id")),
)
TOOLS = tuple(dict.fromkeys(metric.tool for metric in METRICS))


def fetch(context: Context, window: Window) -> Iterator[DayFile]:
    """One file per day that has samples; each hour is asked once, and one more on each side of the window."""
    options = _options(context)
    client = _prometheus.client_of(context, NAME)
    chosen = _prometheus.selector([metric.name for metric in METRICS], options.get("matchers", ""))
    everything, warnings = context.scratch / f"{NAME}.rows.parquet", set[str]()
    schema = pa.schema([field for field in arrow_schema(READINGS) if field.name != "step_seconds"]
                       + [pa.field("rank", pa.int32())])

    def records() -> Iterator[dict[str, Any]]:
        for start_s in range(window.start_s - HOUR_SECONDS, window.end_s + HOUR_SECONDS, HOUR_SECONDS):
            for answer in _prometheus.samples(client, chosen, start_s, start_s + HOUR_SECONDS):
                yield from read(answer, options, warnings)

    write_records(everything, schema, records())
    request = (f"POST {client.describe(_prometheus.QUERY, [('query', f'{chosen}[{HOUR_SECONDS + 1}s]')])} "
               f"at the end of each hour of {window} and of its neighbours")
    context.progress(f"{NAME}: read {request}")
    step = max(options.get("step_seconds", STEP_SECONDS), BUCKET_MS // 1000)
    for number, file in enumerate(by_day(
            context, NAME, everything, window, request, Refusals(), step, set(), timedelta(seconds=HOUR_SECONDS))):
        yield DayFile(file.day, file.path, file.request, tuple(sorted(warnings)) if not number else (), file.findings)


def check(context: Context) -> str:
    """Says which server answers and which of the metric names it has.

    Raises:
        SourceError: nobody answers, or none of the metrics is there.
    """
    options, client = _options(context), _prometheus.client_of(context, NAME)
    version = _prometheus.version(client)
    names = [metric.name for metric in METRICS if metric.tool in options.get("tools", TOOLS)]
    found = _prometheus.metric_names(client, _prometheus.selector(names, options.get("matchers", "")))
    if not found:
        raise SourceError(
            "Prometheus has no metric of hosts", client.base_url, f"none of {', '.join(names)} is there",
            "let it scrape Kepler or Scaphandre, which need RAPL: most virtual machines have none",
        )
    return f"Prometheus {version} answers and has {', '.join(found)}."


def read(answer: _prometheus.Answer, options: Mapping[str, Any], warnings: set[str]) -> Iterator[dict[str, Any]]:
    """The readings of an answer; what cannot be one is left out and counted in `warnings`."""
    warnings.update(answer.warnings)
    known, tools = {metric.name: metric for metric in METRICS}, options.get("tools", TOOLS)
    zones = options.get("zones", DISJOINT)
    edges = [*np.flatnonzero(np.diff(answer.series, prepend=-1)).tolist(), len(answer.series)]
    for start, stop in pairwise(edges):
        labels = answer.labels[answer.series[start]]
        metric = known.get(labels.get("__name__", ""))
        if metric is None or metric.tool not in tools:
            continue
        zone = _NUMBERED.sub("", labels.get("zone", "")) if metric.zone is None else metric.zone
        if metric.zone != "" and zone not in zones:
            continue
        if metric.kind == "host" and labels.get("source_type") != "PowerSupply":
            continue  # the machine's own control of its power holds its supplies
        host = _host(labels, options)
        if not host:
            warnings.add(f"a series of {metric.name} names no host and was left out")
            continue
        at_ms, raw = answer.at_ms[start:stop], answer.raw.slice(start, stop - start).to_pylist()
        told = labels.get("zone", "") if metric.zone is None else zone
        apart = [told, *(labels.get(name, "") for name in metric.apart)]
        meter = "/".join([metric.tool, *filter(None, (host, metric.kind if metric.kind != CPU else "", *apart))])
        for index in _kept(at_ms, raw, metric.column == "energy_kwh"):
            value = _value(raw[index], metric)
            if value is None:
                warnings.add(f"samples of {metric.name} were no possible reading and left out")
                continue
            yield {
                "meter_id": meter[:200], "site": options["site"], "host": host, "meter_kind": metric.kind,
                "boundary": "it", "sampled_at_utc": datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
                + timedelta(milliseconds=int(at_ms[index])), "energy_kwh": None, "power_w": None, metric.column: value,
                "rank": tools.index(metric.tool), "place": meter[:200],
            }


def _kept(at_ms: np.ndarray, raw: Sequence[str], is_counter: bool) -> list[int]:
    """Which samples of a series to keep; of a counter the first of each bucket, the last, and both sides of a fall."""
    if not is_counter:
        return list(range(len(raw)))
    values = np.array([_float(text) for text in raw])
    first = np.diff(at_ms // BUCKET_MS, prepend=-1) != 0
    fell = np.append(np.diff(values) < 0, False)
    first[-1] = True
    return np.flatnonzero(first | fell | np.insert(fell[:-1], 0, False)).tolist()


def _float(text: str) -> float:
    try:
        return value if isfinite(value := float(text)) else nan
    except ValueError:
        return nan


def _host(labels: Mapping[str, str], options: Mapping[str, Any]) -> str:
    names = (options["host_label"],) if "host_label" in options else HOSTS
    told = next((labels[name] for name in names if labels.get(name)), "")
    told = _PORT.sub("", told)
    return options.get("hosts", {}).get(told, told)[:200]


def _value(raw: str, metric: Metric) -> Decimal | None:
    try:
        value = Decimal(raw) * metric.factor / (JOULES_PER_KWH if metric.column == "energy_kwh" else 1)
        return value.quantize(STEPS[metric.column], ROUND_HALF_EVEN) if 0 <= value <= LARGEST[metric.column] else None
    except InvalidOperation:
        return None


def _options(context: Context) -> Mapping[str, Any]:
    options, wrong = context.options(NAME), None
    step, zones, tools = options.get("step_seconds", 1), options.get("zones", DISJOINT), options.get("tools", TOOLS)
    if not isinstance(options.get("site"), str):
        wrong = "site", "it names no site", 'write site = "..." with the site at which the hosts stand'
    elif not isinstance(step, int) or isinstance(step, bool) or not 1 <= step <= HOUR_SECONDS:
        wrong = "step_seconds", f"{step!r} is not 1 to 3600", "give the scrape interval in seconds"
    elif not _is_list(zones) or not zones or set(zones) - set(ZONES):
        wrong = "zones", "it is no list of zones", f"use {', '.join(ZONES)}"
    elif len(zones) > 1 and set(zones) - set(DISJOINT):
        wrong = "zones", f"{' and '.join(zones)} overlap, so their sum counts energy twice", \
            'write zones = ["package", "dram"], or one zone'
    elif not _is_list(tools) or not tools or set(tools) - set(TOOLS):
        wrong = "tools", "it is no list of tools, the one to be believed first", f"use {', '.join(TOOLS)}"
    elif not all(isinstance(options.get(name, ""), str) for name in ("matchers", "host_label")):
        wrong = "matchers", "it or host_label is no text", "put it in quotes"
    elif not isinstance(hosts := options.get("hosts", {}), Mapping) or not all(map(_is_text, hosts.values())):
        wrong = "hosts", "it is no section of names", 'write hosts = { "10.0.0.7" = "node-7" }'
    if wrong:
        raise SettingError(NAME, *wrong)
    return options


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(map(_is_text, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


READINGS = readings(fetch)

SOURCE = Source(
    name=NAME,
    tables=(READINGS,),
    description="Counters of hosts' processors and memory (Kepler, Scaphandre), through the Prometheus HTTP API",
    restate_days=1,  # the last interval of a day is known only once the next day has begun
    personal=("cmdline", "exe"),
    check=check,
    options=("base_url", "site", "step_seconds", "matchers", "tools", "zones", "host_label", "hosts"),
    kin="meters",
)
