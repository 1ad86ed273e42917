"""The GPU nodes of the sandbox: power, energy counters and pods at any scrape of the 90 days.

How Prometheus words the samples belongs in prometheus_api.py.

Each GPU has one power value for each 60 s scrape interval; its energy counter is the running sum of power x time,
so that counter and power agree and a test can know the truth.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np

from pipelines.sandbox import stories
from pipelines.sandbox.activity import EPOCH_S
from pipelines.sandbox.draws import hex_id, uniforms
from pipelines.sandbox.shapes import day_weight, hour_weights

SCRAPE_S = 60
SCRAPES = stories.DAY_COUNT * 86_400 // SCRAPE_S
ENERGY, POWER, UTILISATION = (
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
    "DCGM_FI_DEV_POWER_USAGE",
    "DCGM_FI_DEV_GPU_UTIL",
)
METRICS = (ENERGY, POWER, UTILISATION)
_MODEL_NAME = "NVIDIA A100-SXM4-80GB"
_FLOOR_MW, _RANGE_MW = 64_000, 260_000
_OFFSET_MS = {stories.BUSY_HOST: 7_250, stories.IDLE_HOST: 41_500}  # when in the minute each host is scraped
_EXPORTER_POD = {stories.BUSY_HOST: "dcgm-exporter-x7k2p", stories.IDLE_HOST: "dcgm-exporter-q4m8w"}
_ADDRESS = {stories.BUSY_HOST: "10.20.0.11:9400", stories.IDLE_HOST: "10.20.0.12:9400"}
_PODS = {0: "llama-chat-0", 1: None, 2: "llama-chat-0", 3: "mistral-summary-0"}  # None: see stories.TELEMETRY
POD_NAMES = ("llama-chat-0", "mistral-summary-0", "mistral-summary-1")


def instant_ms(instant: datetime) -> int:
    """Return an aware instant as Unix milliseconds."""
    return int(instant.timestamp() * 1000)


@dataclass(frozen=True)
class Gpu:
    """One card; `index` is its number within its host."""

    host: str
    index: int

    @property
    def uuid(self) -> str:
        """The card's id, the only stable one."""
        text = hex_id(f"gpu/{self.host}/{self.index}", 32)
        return f"GPU-{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    @property
    def offset_ms(self) -> int:
        """When in its minute the card's host is scraped, in milliseconds."""
        return _OFFSET_MS[self.host]

    def pods(self) -> tuple[tuple[int, int, str | None], ...]:
        """Return (from ms, to ms, pod) spans, half-open, in order of time."""
        first, last = EPOCH_S * 1000, (EPOCH_S + SCRAPES * SCRAPE_S) * 1000
        if self.host != stories.BUSY_HOST:
            return ((first, last, None),)
        event = stories.TELEMETRY
        if self.index != event.relabel_gpu:
            return ((first, last, _PODS[self.index]),)
        cut = instant_ms(event.relabel_utc)
        return ((first, cut, event.relabel_pod_before), (cut, last, event.relabel_pod_after))

    def labels(self, pod: str | None) -> dict[str, str]:
        """Return Prometheus labels as kept with honor_labels: false; `pod` and `namespace` are the exporter's own."""
        own = {
            "DCGM_FI_DRIVER_VERSION": "570.86.15", "Hostname": self.host, "UUID": self.uuid, "container": "exporter",
            "device": f"nvidia{self.index}", "endpoint": "metrics", "gpu": str(self.index),
            "instance": _ADDRESS[self.host], "job": "dcgm-exporter", "modelName": _MODEL_NAME,
            "namespace": "monitoring", "pci_bus_id": f"00000000:{0x17 + 0x20 * self.index:02X}:00.0",
            "pod": _EXPORTER_POD[self.host], "service": "dcgm-exporter",
        }
        if pod:
            own |= {"exported_container": "vllm", "exported_namespace": "ai-serving", "exported_pod": pod}
        return own


GPUS = tuple(
    Gpu(host, index) for host in (stories.BUSY_HOST, stories.IDLE_HOST) for index in range(stories.GPUS_PER_HOST)
)


@lru_cache(maxsize=2)
def _busy_ratio(seed: int) -> np.ndarray:
    """Return how busy the serving node is in each scrape interval, 0..1."""
    weights = hour_weights("office", "FRA")
    shape = 0.06 + 0.62 * weights / weights.max()
    days = [stories.DATA_FROM + timedelta(days=i) for i in range(stories.DAY_COUNT)]
    daily = np.array([0.25 + 0.75 * day_weight("office", "FRA", day) for day in days])
    hourly = (daily[:, None] * shape[None, :]).reshape(-1)
    return np.repeat(hourly, 3600 // SCRAPE_S)


@lru_cache(maxsize=32)
def power_mw(seed: int, gpu: Gpu) -> np.ndarray:
    """Return mean power of each scrape interval in milliwatts, whole numbers."""
    noise = uniforms(seed, f"gpu/{gpu.host}/{gpu.index}", SCRAPES)
    if gpu.host == stories.IDLE_HOST:
        centre = 66_000 + 6_000 * gpu.index  # 66, 72, 78 and 84 W, each with 5 W to either side
        return (centre - 5_000 + noise * 10_000).astype(np.int64)
    load = _busy_ratio(seed) * (0.7 + 0.6 * noise) * (1.0 - 0.06 * gpu.index)
    return (_FLOOR_MW + _RANGE_MW * np.minimum(load, 1.0)).astype(np.int64)


@lru_cache(maxsize=32)
def utilisation_percent(seed: int, gpu: Gpu) -> np.ndarray:
    """Return the utilisation gauge at each scrape in percent, whole numbers."""
    return np.clip((power_mw(seed, gpu) - _FLOOR_MW) * 100 // _RANGE_MW, 0, 100) * (gpu.host == stories.BUSY_HOST)


@lru_cache(maxsize=32)
def _energy_mj_since_start(seed: int, gpu: Gpu) -> np.ndarray:
    return np.cumsum(power_mw(seed, gpu) * SCRAPE_S)


def true_energy_mj(seed: int, gpu: Gpu, from_ms: int, to_ms: int) -> int:
    """Return what a card really used between two instants, in millijoules: the truth behind the counter."""
    return _true_until(seed, gpu, to_ms) - _true_until(seed, gpu, from_ms)


def _true_until(seed: int, gpu: Gpu, at_ms: int) -> int:
    # Interval k ends at scrape k; before scrape 0 the card runs at that interval's power too.
    elapsed = at_ms - (EPOCH_S * 1000 + gpu.offset_ms)
    k, rest = divmod(elapsed, SCRAPE_S * 1000)
    power = power_mw(seed, gpu)
    before = int(_energy_mj_since_start(seed, gpu)[min(k, SCRAPES - 1)]) if k >= 0 else 0
    following = int(power[k + 1]) if 0 <= k + 1 < SCRAPES else 0
    return before + (following * rest // 1000 if k >= 0 else following * elapsed // 1000 + following * SCRAPE_S)


@lru_cache(maxsize=32)
def counter_mj(seed: int, gpu: Gpu) -> np.ndarray:
    """Return the energy counter at each scrape in millijoules; it starts anew when the driver is reloaded."""
    total = _energy_mj_since_start(seed, gpu)
    already = 40_000_000_000 + 1_000_000_000 * gpu.index  # the driver had been up before the data begins
    counter = total + already
    if gpu.host != stories.BUSY_HOST:
        return counter
    reset_ms = instant_ms(stories.TELEMETRY.counter_reset_utc)
    first = scrape_index(gpu, reset_ms)
    counter[first:] = total[first:] - _true_until(seed, gpu, reset_ms)
    return counter


def scrape_index(gpu: Gpu, from_ms: int) -> int:
    """Return the number of the first scrape at or after an instant (it may lie outside the data)."""
    return -((EPOCH_S * 1000 + gpu.offset_ms - from_ms) // (SCRAPE_S * 1000))


def scrapes_between(gpu: Gpu, after_ms: int, until_ms: int) -> np.ndarray:
    """Return the numbers of the scrapes that exist in (after, until]: left-open, right-closed, gaps left out."""
    low = min(max(scrape_index(gpu, after_ms + 1), 0), SCRAPES)
    high = min(max(scrape_index(gpu, until_ms + 1), 0), SCRAPES)
    numbers = np.arange(low, high)
    if gpu.host == stories.BUSY_HOST:
        gap_from = scrape_index(gpu, instant_ms(stories.TELEMETRY.gap_from_utc))
        gap_to = scrape_index(gpu, instant_ms(stories.TELEMETRY.gap_to_utc))
        numbers = numbers[(numbers < gap_from) | (numbers >= gap_to)]
    return numbers


def times_ms(gpu: Gpu, numbers: np.ndarray) -> np.ndarray:
    """Return the instants of scrapes in Unix milliseconds."""
    return EPOCH_S * 1000 + gpu.offset_ms + numbers * SCRAPE_S * 1000
