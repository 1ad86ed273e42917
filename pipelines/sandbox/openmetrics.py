"""The GPU nodes' samples as OpenMetrics text, so that a real Prometheus can be filled with the same data.

Serving them without Prometheus belongs in prometheus_api.py. Use: `promtool tsdb create-blocks-from openmetrics`.
"""

from collections.abc import Iterator
from datetime import datetime

from pipelines.sandbox import gpus
from pipelines.sandbox.prometheus_api import sample_values


def lines(seed: int, after_utc: datetime, until_utc: datetime) -> Iterator[str]:
    """Yield the text line by line, samples in (after, until], each with its instant in seconds."""
    after_ms, until_ms = gpus.instant_ms(after_utc), gpus.instant_ms(until_utc)
    for metric in gpus.METRICS:
        # Not "counter": OpenMetrics would ask for another name, one that ends in _total.
        yield f"# TYPE {metric} unknown\n"
        for gpu in gpus.GPUS:
            numbers = gpus.scrapes_between(gpu, after_ms, until_ms)
            times = gpus.times_ms(gpu, numbers).tolist()
            values = sample_values(seed, gpu, metric, numbers)
            for first_ms, last_ms, pod in gpu.pods():
                labels = ",".join(f'{name}="{value}"' for name, value in gpu.labels(pod).items())
                for at_ms, value in zip(times, values, strict=True):
                    if first_ms <= at_ms < last_ms:
                        yield f"{metric}{{{labels}}} {value} {at_ms // 1000}.{at_ms % 1000:03d}\n"
    yield "# EOF\n"
