"""The sandbox's Prometheus: raw samples, labels, and what goes wrong with them."""

import json
import shutil
import socket
import subprocess
import time
from datetime import UTC, date, datetime

import pytest
import requests

from pipelines.sandbox import gpus, openmetrics, server, stories

ENERGY, POWER, UTIL = gpus.METRICS
T0 = 1_780_272_000  # 2026-06-01T00:00Z


def seconds(instant: datetime) -> int:
    return int(instant.timestamp())


@pytest.fixture(scope="module")
def query(sandbox):
    def ask(text: str, at: float, url: str | None = None) -> list[dict]:
        address = f"{url or sandbox.prometheus_url}/api/v1/query"
        answer = requests.get(address, params={"query": text, "time": at}, timeout=30)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "success"
        assert answer.json()["data"]["resultType"] == "matrix"
        return answer.json()["data"]["result"]

    return ask


def test_an_hour_of_raw_samples(query):
    series = query(f'{{__name__=~"{ENERGY}|{POWER}|{UTIL}"}}[1h]', T0 + 36_000)
    assert len(series) == 8 * 3
    for one in series:
        stamps = [stamp for stamp, _ in one["values"]]
        offset = 7.25 if one["metric"]["Hostname"] == "gpu-node-1" else 41.5
        assert stamps == [T0 + 32_400 + offset + 60 * k for k in range(60)]
        assert all(isinstance(value, str) for _, value in one["values"])


def test_windows_are_open_to_the_left_and_closed_to_the_right(query):
    at = T0 + 36_007.25
    [one] = query(f'{POWER}{{Hostname="gpu-node-1",gpu="0"}}[60s]', at)
    assert [stamp for stamp, _ in one["values"]] == [at]
    [two] = query(f'{POWER}{{Hostname="gpu-node-1",gpu="0"}}[61s]', at)
    assert [stamp for stamp, _ in two["values"]] == [at - 60, at]


def test_counter_is_the_integral_of_power(query):
    selector = '{Hostname="gpu-node-2",gpu="3"}[1h]'
    [energy], [power] = query(ENERGY + selector, T0 + 86_400), query(POWER + selector, T0 + 86_400)
    counter = [int(value) for _, value in energy["values"]]
    watts = [float(value) for _, value in power["values"]]
    for before, after, power_w in zip(counter, counter[1:], watts[1:], strict=False):
        assert after - before == round(power_w * 1000) * 60  # mW x 60 s = mJ


def test_labels_are_the_exporters_and_the_workload_is_exported(query):
    found = {(m["Hostname"], m["gpu"]): m for m in (s["metric"] for s in query(f"{POWER}[1h]", T0 + 7200))}
    busy, idle = found["gpu-node-1", "0"], found["gpu-node-2", "0"]
    assert (busy["exported_pod"], busy["exported_namespace"], busy["pod"]) == (
        "llama-chat-0", "ai-serving", "dcgm-exporter-x7k2p")
    assert not [name for name in idle if name.startswith("exported_")]
    assert idle["pod"] == "dcgm-exporter-q4m8w"
    assert len({m["UUID"] for m in found.values()}) == 8


def test_driver_reload_resets_the_counters_of_its_host_only(query):
    at = stories.TELEMETRY.counter_reset_utc
    for one in query(f"{ENERGY}[10m]", seconds(at) + 300):
        values = [int(value) for _, value in one["values"]]
        falls = sum(after < before for before, after in zip(values, values[1:], strict=False))
        assert falls == (1 if one["metric"]["Hostname"] == "gpu-node-1" else 0)
        if falls:
            first = next(v for (t, v) in one["values"] if t > seconds(at))
            assert int(first) < 400_000 * 60  # less than a minute at 400 W, in mJ


def test_ten_minutes_are_missing_and_the_counter_runs_on(query):
    event = stories.TELEMETRY
    found = query(f'{ENERGY}{{gpu="0"}}[1h]', seconds(event.gap_to_utc) + 1800)
    busy = next(one for one in found if one["metric"]["Hostname"] == "gpu-node-1")
    stamps = [stamp for stamp, _ in busy["values"]]
    steps = [b - a for a, b in zip(stamps, stamps[1:], strict=False)]
    assert sorted(steps)[-2:] == [60, 660]
    assert not [s for s in stamps if seconds(event.gap_from_utc) <= s < seconds(event.gap_to_utc)]
    assert all(int(b) > int(a) for (_, a), (_, b) in zip(busy["values"], busy["values"][1:], strict=False))


def test_a_gpu_changes_hands_within_an_hour(query):
    event = stories.TELEMETRY
    found = query(f'{ENERGY}{{Hostname="gpu-node-1",gpu="1"}}[1h]', seconds(event.relabel_utc) + 1800)
    assert {one["metric"]["exported_pod"]: len(one["values"]) for one in found} == {
        "llama-chat-0": 30, "mistral-summary-1": 30,
    }


def test_idle_node_draws_power_without_a_pod(query):
    found = query(f'{POWER}{{Hostname="gpu-node-2"}}[24h]', T0 + 30 * 86_400)
    assert len(found) == 4
    watts = [float(value) for one in found for _, value in one["values"]]
    assert 60 <= min(watts) and max(watts) <= 90
    assert 70 < sum(watts) / len(watts) < 80
    assert all(v == "0" for one in query(f'{UTIL}{{Hostname="gpu-node-2"}}[1h]', T0 + 86_400) for _, v in one["values"])


def test_true_energy_is_what_the_counter_says(query):
    gpu = gpus.GPUS[2]
    [one] = query(f'{ENERGY}{{UUID="{gpu.uuid}"}}[2h]', T0 + 10 * 86_400)
    (first, a), (last, b) = one["values"][0], one["values"][-1]
    assert gpus.true_energy_mj(7, gpu, int(first * 1000), int(last * 1000)) == int(b) - int(a)


def test_post_matchers_and_series(sandbox):
    url = f"{sandbox.prometheus_url}/api/v1"
    form = {"query": f'{POWER}{{exported_pod=~"llama.*",gpu!="0",Hostname!~"x"}}[1h]', "time": "2026-06-02T00:00:00Z"}
    result = requests.post(f"{url}/query", data=form, timeout=30).json()["data"]["result"]
    assert sorted(one["metric"]["gpu"] for one in result) == ["1", "2"]
    params = {"match[]": [ENERGY, POWER], "start": T0, "end": T0 + 3600}
    assert len(requests.get(f"{url}/series", params=params, timeout=30).json()["data"]) == 16
    vector = requests.get(f"{url}/query", params={"query": POWER, "time": T0 + 3600}, timeout=30).json()["data"]
    assert (vector["resultType"], len(vector["result"])) == ("vector", 8)
    assert requests.get(f"{url}/status/buildinfo", timeout=30).json()["data"]["version"]
    assert requests.get(f"{sandbox.prometheus_url}/-/ready", timeout=30).status_code == 200


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("query", {"query": "sum(up"}),
        ("query", {"query": f"rate({ENERGY}[5m])"}),
        ("query", {"query": f"{ENERGY}[1 fortnight]"}),
        ("query", {"query": f'{ENERGY}{{gpu=~"("}}[1h]', "time": "2026-06-02T00:00:00Z"}),
        ("query", {"query": f"{ENERGY}[1h]", "time": "noon"}),
        ("query", {}),
        ("series", {}),
    ],
)
def test_bad_data(sandbox, path, params):
    answer = requests.get(f"{sandbox.prometheus_url}/api/v1/{path}", params=params, timeout=30)
    assert answer.status_code == 400
    assert (answer.json()["status"], answer.json()["errorType"]) == ("error", "bad_data")


def test_the_future_has_no_samples():
    with server.serve(as_of=date(2026, 6, 2)) as running:
        params = {"query": f"{POWER}[3d]", "time": T0 + 3 * 86_400}
        body = requests.get(f"{running.prometheus_url}/api/v1/query", params=params, timeout=30).json()
    assert max(stamp for one in body["data"]["result"] for stamp, _ in one["values"]) < T0 + 86_400


def test_a_real_prometheus_says_the_same(query, tmp_path):
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        pytest.skip("prometheus and promtool are not installed")
    event = stories.TELEMETRY.relabel_utc
    start = datetime(event.year, event.month, event.day, 12, tzinfo=UTC)
    end = datetime(event.year, event.month, event.day, 18, tzinfo=UTC)
    text = tmp_path / "samples.txt"
    text.write_text("".join(openmetrics.lines(7, start, end)))
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", text, tmp_path / "data"], check=True,
                   capture_output=True)
    (tmp_path / "prometheus.yml").write_text("global: {}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    real = subprocess.Popen(
        ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
         "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(real, url)
        at = seconds(event) + 1800
        for text in (f"{ENERGY}[1h]", f'{POWER}{{gpu="1"}}[3600s]', f'{{__name__=~"{ENERGY}|{UTIL}"}}[1h]'):
            assert _comparable(query(text, at)) == _comparable(query(text, at, url))
    finally:
        real.terminate()
        real.wait(10)


def _wait_until_ready(process: subprocess.Popen, url: str) -> None:
    for _ in range(150):
        assert process.poll() is None, "Prometheus ended"
        try:
            if requests.get(f"{url}/-/ready", timeout=1).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise AssertionError("Prometheus did not get ready")


def _comparable(result: list[dict]) -> dict:
    return {json.dumps(one["metric"], sort_keys=True): [(t, float(v)) for t, v in one["values"]] for one in result}
