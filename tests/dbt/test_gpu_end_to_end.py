"""From a server's samples to joules by hour and pod: a real Prometheus with hand-made cards, the sandbox's truth."""

import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from gpu_project import compiled, copy_project, run

from pipelines import landing
from pipelines.sandbox import gpus
from pipelines.sandbox.server import serve
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import nvidia_smi
from pipelines.sources.gpu_prometheus import SAMPLES, SOURCE
from pipelines.window import Window

sys.path.insert(0, str(Path(__file__).parents[1] / "pipelines" / "sources"))
from prometheus_server import Samples, served  # noqa: E402

ENERGY, POWER, UTIL = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_GPU_UTIL"
MIDNIGHT = int(datetime(2026, 6, 2, tzinfo=UTC).timestamp())
D1, D2 = date(2026, 6, 1), date(2026, 6, 2)


@pytest.fixture
def joules(tmp_path, monkeypatch):
    """Reads days from a server, lands them and gives the model's rows."""
    monkeypatch.setenv("JEVONS_HOME", str(tmp_path))
    for folder in ("warehouse", "scratch"):
        (tmp_path / folder).mkdir()
    project = copy_project(tmp_path / "project")
    landing.ensure_readable(tmp_path, [nvidia_smi.SOURCE])

    def rows(base_url: str, first: date, last: date) -> list[dict]:
        settings = Settings(tmp_path, "Test", False, {"gpu_prometheus": {"base_url": base_url}}, (), (), {})
        window = Window.of_days(first, last)
        with landing.scratch(tmp_path) as scratch:
            staged = landing.stage(SOURCE, SAMPLES, Context(settings, scratch), window)
            landed = landing.commit(staged, [], tmp_path, datetime(2026, 9, 1, tzinfo=UTC))
        assert landed.changed == list(window.days()) and not landed.findings
        with compiled(project, first=first, end=last + timedelta(days=1)) as sql:
            return run(sql, tmp_path)

    return rows


def test_hand_made_cards_through_a_real_prometheus(joules, tmp_path):
    samples = Samples()

    def add(name, uuid, second, value, pod="p", **labels):
        labels = {"UUID": uuid, "Hostname": "n", **({"namespace": "ml", "pod": pod} if pod else {}), **labels}
        samples.add(name, labels, f"{MIDNIGHT + second}.5", str(value))

    for minute in range(-70, 70):  # 300 W; the pod changes hands in the middle of the hour
        add(ENERGY, "GPU-steady", 60 * minute, 10**10 + 18_000_000 * minute, "a" if minute < -30 else "b")
    for minute in range(-70, 10):  # 100 W; the driver is loaded again between 23:29:00.5 and 23:30:00.5
        since_load = 6_000_000 * (minute + 30)
        add(ENERGY, "GPU-reload", 60 * minute, 10**9 + since_load if minute < -30 else since_load)
        add(POWER, "GPU-reload", 60 * minute, 100)
    for minute in (-70, -61, -50, -5, 5):  # 1 W over gaps: at the start of hour 23, and across midnight
        add(ENERGY, "GPU-gap", 60 * minute, 10**7 + 60_000 * minute)
    for minute in (-3, -2):
        for pod, busy in (("m1", 25), ("m2", 75), (None, 0)):
            add(ENERGY, "GPU-mig", 60 * minute, 10**7 + 4_000 * minute, pod, GPU_I_ID=str(busy))
            add("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "GPU-mig", 60 * minute, busy / 100, pod, GPU_I_ID=str(busy))
        add(ENERGY, "GPU-idle", 60 * minute, 10**7 + 9_000 * minute, None)
        add(UTIL, "GPU-blind", 60 * minute, 50)
    with served(samples, tmp_path) as url:
        rows = joules(url, D1, D2)
    found = defaultdict(int)
    for row in rows:
        if row["method"] != "unmeasured":
            key = (row["uuid"], row["usage_hour_utc"].strftime("%d %H"), row["pod"], row["method"])
            found[key] += int(row["energy_millijoules"])
    steady = {key[1:3]: value for key, value in found.items() if key[0] == "GPU-steady"}
    # the interval that ends at 23:30:00.5 is b's: a has 23:00:00 to 23:29:00.5, 1740.5 s at 300 W
    assert steady["01 23", "a"] == 522_150_000 and steady["01 23", "b"] == 1_080_000_000 - 522_150_000
    assert steady["02 00", "b"] == 1_080_000_000
    reload = {key[1:]: value for key, value in found.items() if key[0] == "GPU-reload"}
    assert reload["01 23", "p", "power_integral"] == 6_000_000  # 100 W x 60 s
    assert reload["01 23", "p", "counter_delta"] == 354_000_000  # 100 W in the other 59 minutes
    gap = {key[1]: value for key, value in found.items() if key[0] == "GPU-gap"}
    # 1 W from 22:50:00.5 to 00:05:00.5, whatever was not scraped: 599.5 s, 3600 s and 300.5 s
    assert gap == {"01 22": 599_500, "01 23": 3_600_000, "02 00": 300_500}
    assert all(r["gap_filled"] for r in rows if r["uuid"] == "GPU-gap" and r["method"] != "unmeasured")
    assert found["GPU-mig", "01 23", "m1", "counter_delta"] == 1000  # a quarter of 4 J, once, not three times
    assert found["GPU-mig", "01 23", "m2", "counter_delta"] == 3000
    assert found["GPU-idle", "01 23", None, "counter_delta"] == 9000
    blind = [r for r in rows if r["uuid"] == "GPU-blind"]
    assert {r["energy_millijoules"] for r in blind} == {None}
    assert sum(r["unmeasured_seconds"] for r in blind) == 86_400


@pytest.mark.parametrize("day", [
    date(2026, 6, 17),  # a GPU changes hands
    date(2026, 6, 24),  # ten minutes are not scraped
    date(2026, 7, 21),  # the driver is loaded again
])
def test_each_hour_of_each_sandbox_card_is_the_truth_to_the_millijoule(joules, day):
    with serve(seed=3) as server:
        rows = joules(server.prometheus_url, day, day)
    found = defaultdict(int)
    for row in rows:
        found[row["uuid"], row["usage_hour_utc"]] += int(row["energy_millijoules"])
    start = datetime(day.year, day.month, day.day)
    for gpu in gpus.GPUS:
        for hour in range(24):
            low, high = (gpus.instant_ms((start + timedelta(hours=n)).replace(tzinfo=UTC)) for n in (hour, hour + 1))
            assert found[gpu.uuid, start + timedelta(hours=hour)] == gpus.true_energy_mj(3, gpu, low, high)
    assert len(found) == len(gpus.GPUS) * 24
