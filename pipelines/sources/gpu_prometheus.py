"""GPU energy, power and utilisation as dcgm-exporter and AMD's exporter measure them, raw samples from Prometheus.

What the samples mean for the account (joules per pod and hour) belongs to dbt; how Prometheus is asked to
`_prometheus`.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines import engine
from pipelines.errors import SettingError, SourceError
from pipelines.http import Client
from pipelines.source import Column, Context, DayFile, Source, Table
from pipelines.sources import _prometheus
from pipelines.sources._gpu_samples import LARGEST, ROW_GROUP, Hour, Metric, Series, hour_of, read, write_day
from pipelines.typed import arrow_schema
from pipelines.window import DAY, Window

NAME, SECRET = "gpu_prometheus", _prometheus.SECRET
HOUR_SECONDS = 3600
STEP_SECONDS = 60
# With honorLabels off, the plain labels of a GPU that nobody holds name the exporter's own pod.
EXPORTER_PODS = r"(.*-)?(dcgm|metrics)-exporter(-.*)?"
METRICS = (
    Metric("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "energy_j", Decimal("0.001")),  # mJ since the driver was loaded
    Metric("DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL", "energy_j"),
    Metric("DCGM_FI_DEV_POWER_USAGE", "power_w"),
    Metric("DCGM_FI_DEV_BOARD_POWER_WATTS", "power_w"),  # its name since DCGM 4.6
    # Per pod on a time-sliced GPU, but not supported on MIG.
    Metric("DCGM_FI_DEV_GPU_UTIL", "util_ratio", Decimal("0.01")),  # percent
    Metric("DCGM_FI_DEV_GPU_UTIL_RATIO", "util_ratio"),
    # Per MIG instance, but repeated for each pod of a time-sliced GPU.
    Metric("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "util_ratio", on_instances=True),
    Metric("DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", "util_ratio", on_instances=True),
    # AMD's device-metrics-exporter; whether its names have the prefix of its example is the site's choice.
    *(Metric(f"{prefix}{name}", quantity, Decimal(factor), of_amd=True) for name, quantity, factor in (
        ("gpu_energy_consumed", "energy_j", "0.000001"),  # uJ, counted up, though declared a gauge
        ("gpu_package_power", "power_w", "1"),  # MI3xx
        ("gpu_average_package_power", "power_w", "1"),  # MI2xx
        ("gpu_power_usage", "power_w", "1"),
        ("gpu_gfx_activity", "util_ratio", "0.01"),  # percent; of each partition
    ) for prefix in ("", "amd_")),
)


def settings_of(context: Context) -> tuple[tuple[Metric, ...], str, int]:
    """The metrics, extra label matchers and scrape step (seconds) that `jevons.toml` asks for.

    Raises:
        SettingError: an option is not what it should be.
    """
    options = context.options(NAME)
    own, metrics = [], options.get("metrics", {})
    if not isinstance(metrics, Mapping):
        raise SettingError(NAME, "metrics", f"{metrics!r:.60} is no section", f"write [sources.{NAME}.metrics]")
    for name, table in metrics.items():
        table = table if isinstance(table, Mapping) else {}
        try:
            factor = Decimal(str(table.get("factor", 1)))
        except InvalidOperation:
            factor = Decimal(0)
        exact = factor.is_finite() and 0 < factor < 1000 and factor == round(factor, 6)
        if not (re.fullmatch(r"[a-zA-Z_:][\w:]*", name) and table.get("quantity") in LARGEST and exact):
            raise SettingError(
                NAME, f"metrics.{name}", "a metric needs a quantity and a factor of at most 6 decimals, below 1000",
                f'write {name} = {{ quantity = "energy_j", factor = "0.001" }}; quantities are {", ".join(LARGEST)}',
            )
        own.append(Metric(name, table["quantity"], factor, bool(table.get("on_instances", False))))
    named = {metric.name for metric in own}
    step = options.get("step_seconds", STEP_SECONDS)
    if not isinstance(step, int) or not 1 <= step <= HOUR_SECONDS:
        raise SettingError(NAME, "step_seconds", f"{step!r} is not 1 to 3600", "give the scrape interval in seconds")
    return (*own, *(m for m in METRICS if m.name not in named)), str(options.get("matchers", "")), step


def client_of(context: Context) -> Client:
    """The client for the server that `jevons.toml` names."""
    return _prometheus.client_of(context, NAME)


def _models_of(context: Context) -> Mapping[str, str]:
    """Models by the part numbers that AMD's exporter tells instead."""
    models = context.options(NAME).get("gpu_models", {})
    if not isinstance(models, Mapping) or not all(isinstance(model, str) for model in models.values()):
        raise SettingError(NAME, "gpu_models", "it is no section of names",
                           'write gpu_models = { "102-G30211-00" = "AMD Instinct MI300X" }')
    return models


def _exporter_of(context: Context) -> re.Pattern[str]:
    """Names of pods that are the exporter itself and so hold no GPU."""
    try:
        return re.compile(str(context.options(NAME).get("exporter_pods", EXPORTER_PODS)))
    except re.error as error:
        raise SettingError(NAME, "exporter_pods", f"it is no regular expression ({error})", "correct it") from error


def fetch(context: Context, window: Window) -> Iterator[DayFile]:
    """One file per day that has samples; each hour is asked once, and one more on each side of the window.

    A day's file also holds what its first and last interval need: the last reading before the day and the first
    after it, at most an hour away. So days can be made in any order. A day without any sample is not delivered.
    """
    metrics, matchers, step = settings_of(context)
    client, chosen = client_of(context), _prometheus.selector([m.name for m in metrics], matchers)
    exporter, models = _exporter_of(context), _models_of(context)
    known: dict[Series, int] = {}
    hours: deque[Hour] = deque(maxlen=26)
    with engine.connect(context.scratch) as duck:
        for start_s in range(window.start_s - HOUR_SECONDS, window.end_s + HOUR_SECONDS, HOUR_SECONDS):
            answers = _prometheus.samples(client, chosen, start_s, start_s + HOUR_SECONDS)
            hours.append(hour_of(answers, metrics, exporter, known, models))
            day = (datetime.fromtimestamp(start_s, UTC) - DAY).date()
            whole = not start_s % (24 * HOUR_SECONDS) and day in window
            if whole or sum(len(part) for hour in hours for part in hour.unread) > ROW_GROUP:
                read(duck, hours, metrics)
            if not whole:
                continue
            path = context.scratch / f"{NAME}-{day}.parquet"
            own = list(hours)[1:-1]
            context.progress(f"{NAME} {day}: {sum(len(hour.readings) for hour in own)} samples")
            if write_day(duck, list(hours), list(known), step, path, TABLE_SCHEMA):
                refused = sum(hour.refused for hour in own)
                warnings = set().union(*(hour.warnings for hour in hours))
                if refused:
                    warnings.add(f"{day}: {refused} samples were no possible reading (NaN, infinite, negative, a "
                                 "sentinel, no UUID) and were left out")
                request = client.describe(_prometheus.QUERY, [("query", f"{chosen}[{HOUR_SECONDS + 1}s]")])
                yield DayFile(
                    day, path, f"POST {request} at the end of each hour from {day - DAY}T23 to {day + DAY}T00",
                    tuple(sorted(warnings)),
                )


def check(context: Context) -> str:
    """Says which server answers and which of the metric names it has.

    Raises:
        SourceError: nobody answers, or none of the metrics is there.
    """
    metrics, matchers, _ = settings_of(context)
    client = client_of(context)
    version = _prometheus.version(client)
    found = _prometheus.metric_names(client, _prometheus.selector([m.name for m in metrics], matchers))
    if not found:
        raise SourceError(
            "Prometheus has no GPU metric", client.base_url, f"none of {', '.join(m.name for m in metrics)} is there",
            "let it scrape dcgm-exporter or AMD's exporter, or name its metrics in [sources.gpu_prometheus.metrics]",
        )
    counter = any(m.name in found for m in metrics if m.quantity == "energy_j")
    return f"Prometheus {version} answers and has {', '.join(found)}" + (
        "." if counter else "; there is no energy counter, so energy comes from power samples."
    )


def _day_of(row: Mapping[str, Any]) -> date:
    return row["sampled_at_utc"].date()


SAMPLES = Table(
    name="samples",
    columns=(
        Column("quantity", "VARCHAR", "What was read", required=True, allowed=tuple(LARGEST)),
        Column("uuid", "VARCHAR", "The GPU's UUID; index and device name do not survive a reboot", required=True),
        Column("gpu_model", "VARCHAR", "Model name as the driver gives it"),
        Column("hostname", "VARCHAR", "The machine the GPU sits in"),
        Column("gpu_instance_id", "VARCHAR", "MIG instance; null for the whole board. Energy and power are the board's "
               "in every copy"),
        Column("gpu_instance_profile", "VARCHAR", "Size of the MIG instance, such as 1g.10gb; null for a whole board"),
        Column("namespace", "VARCHAR", "Kubernetes namespace of the pod that holds the GPU; null where none does"),
        Column("pod", "VARCHAR", "Pod that holds the GPU; null where none does"),
        Column("container", "VARCHAR", "Container that holds the GPU; null where none does"),
        Column("sampled_at_utc", "TIMESTAMP", "When it was read, as the server stored it", required=True),
        Column("value", "DECIMAL(24,6)", "The reading in joules, watts or as a ratio", required=True, minimum=0,
               additive=False),
        Column("step_seconds", "INTEGER", "The scrape interval that was configured", required=True, minimum=1,
               additive=False),
    ),
    key=("quantity", "uuid", "gpu_instance_id", "namespace", "pod", "sampled_at_utc"),
    fetch=fetch,
    description="Readings of GPU energy counters, power and utilisation; a day's file also holds its neighbours' edges",
    day_of=_day_of,
    silent_days_are_missing=True,
)
TABLE_SCHEMA = arrow_schema(SAMPLES)

SOURCE = Source(
    name=NAME,
    tables=(SAMPLES,),
    description="GPU energy counters, power and utilisation of dcgm-exporter and AMD's exporter, through Prometheus",
    secret=None,  # PROMETHEUS_BEARER_TOKEN is used where it is set; most servers ask for none
    restate_days=1,  # the last interval of a day is known only once the next day has begun
    check=check,
    options=("base_url", "site", "step_seconds", "matchers", "metrics", "exporter_pods", "gpu_models"),
)
