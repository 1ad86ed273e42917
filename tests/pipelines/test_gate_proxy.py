"""The gate inside the real LiteLLM proxy: fifty clients at once, mock models, no database.

What the gate itself answers is tested in test_gate.py. The proxy has an environment of its own, made by .ci/run.
"""

import json
import os
import secrets
import socket
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from gate_home import BUILD, ceiling, gate_home, rule
from support import ROOT, need

ENVIRONMENT = os.environ.get("JEVONS_LITELLM_ENV", "")
EVER = {"period_start": "2000-01-01", "period_end": "2200-01-01"}
CONFIG = """
model_list:
  - model_name: big
    litellm_params: {model: openai/big, api_key: none, mock_response: "from the big one"}
  - model_name: small
    litellm_params: {model: openai/small, api_key: none, mock_response: "from the small one"}
  - model_name: own
    litellm_params: {model: openai/own, api_key: none, mock_response: "from our own one"}
    model_info: {provider: self_hosted}
litellm_settings:
  callbacks: jevons_gate.handler
"""


@contextmanager
def proxy(folder: Path, home: Path):
    """Serves the proxy on a free port of loopback until the end of the block; yields a function that calls a model."""
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "jevons_gate.py").write_text("from pipelines.gate.litellm_hook import handler  # noqa: F401\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = f"sk-{secrets.token_hex(24)}"
    address = f"http://127.0.0.1:{port}"
    with (folder / "proxy.log").open("w") as log:
        process = subprocess.Popen(
            [Path(ENVIRONMENT) / "bin" / "litellm", "--config", folder / "config.yaml", "--host", "127.0.0.1", "--port",
             str(port), "--telemetry", "False"],
            stdout=log, stderr=log, cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "JEVONS_HOME": str(home), "JEVONS_GATE_KEY": "k",
                 "PYTHONPATH": str(ROOT), "LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        )

    def call(workflow_id: str | None, model: str = "big", path: str = "/v1/chat/completions") -> requests.Response:
        metadata = {"metadata": {"workflow_id": workflow_id}} if workflow_id else {}
        return requests.post(address + path, timeout=60, headers={"Authorization": f"Bearer {key}"}, json={
            "model": model, "messages": [{"role": "user", "content": "hello"}], **metadata})

    try:
        for _ in range(240):
            assert process.poll() is None, (folder / "proxy.log").read_text()[-3000:]
            try:
                requests.get(f"{address}/health/liveliness", timeout=2).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.5)
        yield call
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    need(ENVIRONMENT and (Path(ENVIRONMENT) / "bin" / "litellm").exists(),
         "JEVONS_LITELLM_ENV names no environment with litellm[proxy]; .ci/run makes one")
    folder, home = tmp_path_factory.mktemp("proxy"), tmp_path_factory.mktemp("home")
    with proxy(folder, home) as call:
        yield call, home


def arranged(home: Path, build: str, ceilings=(), rules=(), settings="", old=timedelta()) -> Path:
    """A build whose last day is yesterday, and a ledger of calls that begins anew."""
    for path in sorted((home / "gate").rglob("*"), reverse=True):
        if path.parent.name != "gate" and path.is_file() and path.parent.parent.name == "counts":
            path.write_bytes(bytes(8))
    now = datetime.now(UTC)
    return gate_home(home, ceilings, rules, "k", settings, now - old, build,
                     (now - timedelta(days=1)).date().isoformat())


def asked_by_fifty(call, workflows):
    with ThreadPoolExecutor(50) as clients:
        return Counter((name, answer.status_code) for name, answer in zip(
            workflows, clients.map(call, workflows), strict=True))


def test_fifty_clients_do_not_overshoot_and_essential_work_passes(served):
    call, home = served
    arranged(home, BUILD, [ceiling(limit="1000", used="940", **EVER)])
    found = asked_by_fifty(call, ["w-experimental"] * 150)
    assert found == {("w-experimental", 200): 60, ("w-experimental", 429): 90}
    # beyond the limit: essential passes, the others are refused, whoever names no workflow as well
    found = asked_by_fifty(call, ["w-essential", "w-useful", None] * 20)
    assert found == {("w-essential", 200): 20, ("w-useful", 429): 20, (None, 429): 20}
    said = call("w-useful").json()["error"]
    assert said["message"] == "denied by the ceiling" and "1020 of 1000 requests" in json.dumps(said)
    denied = [json.loads(line) for file in (home / "gate" / "denied").iterdir() for line in file.open()]
    assert Counter(line["workflow_id"] for line in denied) == {
        "w-experimental": 90, "w-useful": 21, "unattributed": 20}


def test_other_ways_into_the_proxy_are_asked_as_well(served):
    call, home = served
    arranged(home, "d" * 16, [ceiling(used="100", **EVER)])
    for path in ("/v1/messages", "/v1/completions"):
        assert call("w-useful", path=path).status_code == 429, path


def test_a_ceiling_on_a_service_stops_the_models_that_it_runs(served):
    call, home = served
    arranged(home, "f" * 16, [ceiling(used="100", perimeter="service/openai", **EVER)])
    found = {(name, model): call(name, model).status_code
             for name in ("w-useful", "w-essential") for model in ("big", "own")}
    assert found == {("w-useful", "big"): 429, ("w-useful", "own"): 200, ("w-essential", "big"): 200,
                     ("w-essential", "own"): 200}
    arranged(home, "8" * 16, [ceiling(used="100", perimeter="service/self_hosted", **EVER)])
    assert call("w-useful", "own").status_code == 429


def test_what_is_slowed_waits_and_what_is_moved_is_answered_by_the_smaller_model(served):
    call, home = served
    rules = [rule("s", "comfort", "slow", "0.5"), rule("m", "useful", "smaller_model", "0.5")]
    arranged(home, "c" * 16, [ceiling(**EVER)], rules,
             '[gate]\nslow_seconds = 1.5\n[gate.smaller_models]\nbig = "small"')
    began = time.monotonic()
    assert call("w-comfort").json()["choices"][0]["message"]["content"] == "from the big one"
    assert time.monotonic() - began >= 1.5
    assert call("w-useful").json()["choices"][0]["message"]["content"] == "from the small one"
    assert call("w-essential").json()["choices"][0]["message"]["content"] == "from the big one"


@pytest.mark.parametrize(("fail", "status"), [("open", 200), ("closed", 429)])
@pytest.mark.parametrize("trouble", ["stale", "missing"])
def test_a_file_that_cannot_be_trusted_follows_the_configuration(served, fail, status, trouble):
    call, home = served
    arranged(home, "9" * 16, [ceiling(used="100", **EVER)])  # an earlier build, which knows the classes
    old = timedelta(hours=49) if trouble == "stale" else timedelta()
    path = arranged(home, ("a" if fail == "open" else "b") * 16, [ceiling(**EVER)],
                    settings=f'[gate]\nfail = "{fail}"', old=old)
    if trouble == "missing":
        path.unlink()
    assert asked_by_fifty(call, ["w-essential", "w-useful"] * 25) == {
        ("w-essential", 200): 25, ("w-useful", status): 25}
