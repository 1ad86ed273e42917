"""An organisation with two hundred sources of which ten are ill: the others are published, no secret is told."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support import ROOT

from pipelines import snapshot

COUNT, DAY = 200, "2026-06-01"
PERSON = "sentinel.person@acme.example"
SENTINELS = ("sentinel-key-", "sentinel.person")
GOOD = {"rows": [{"day": DAY, "calls": 3}]}
PAGE = f"<html>{PERSON} may not see this; your key was %s</html>"


def ill(number: int, key: str) -> tuple[int, str, bytes] | None:
    """What the first ten answer: status, content type and body; None for a connection that is cut."""
    said = json.dumps({"error": {"message": f"{key} of {PERSON} is unknown here"}}).encode()
    whole = json.dumps(GOOD).encode()
    answers = [
        (401, "application/json", said), (403, "application/json", said), (404, "text/html", (PAGE % key).encode()),
        (429, "application/json", said), (500, "text/html", (PAGE % key).encode()), (529, "application/json", said),
        (200, "application/json", whole[:-4]), (200, "text/html", (PAGE % key).encode()), None,
        (200, "application/json", json.dumps({"rows": [{"day": DAY, "calls": -3}]}).encode()),
    ]
    return answers[number]


class Vendors(BaseHTTPRequestHandler):
    """Two hundred vendors behind one address."""

    def do_GET(self) -> None:
        number = int(self.path[1:].partition("?")[0].removeprefix("made_"))
        key = self.headers["Authorization"].removeprefix("Bearer ")
        answer = (200, "application/json", json.dumps(GOOD).encode())
        if number < 10:
            answer = ill(number, key)
        elif key != f"sentinel-key-{number:03d}":
            answer = (401, "application/json", b"{}")
        if answer is None:
            self.connection.close()
            return
        status, kind, body = answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def vendors() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendors)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def ran(vendors: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The home and what the command said."""
    home = tmp_path_factory.mktemp("many")
    inbox = home / "inbox"
    inbox.mkdir()
    (inbox / f"calls_{DAY}.csv").write_text(
        "started_at_utc,request_id,provider,model,input_tokens,output_tokens\n"
        f"{DAY}T10:00:00Z,r1,openai,gpt-4o,10,20\n", "utf-8")
    sections = "".join(f"[sources.made_{number:03d}]\n" for number in range(COUNT))
    (home / "jevons.toml").write_text(
        f'[organisation]\nname = "Many"\n[sources.call_log]\npath = "inbox/calls_{{date}}.csv"\n{sections}', "utf-8")
    keys = {f"MADE_{number:03d}_KEY": f"sentinel-key-{number:03d}" for number in range(COUNT)}
    done = subprocess.run(
        [sys.executable, "-m", "many_sources", str(COUNT), vendors, "materialize", "--from", DAY], cwd=ROOT,
        capture_output=True, text=True, check=False, timeout=280,
        env={**os.environ, **keys, "JEVONS_HOME": str(home), "COLUMNS": "400", "DAGSTER_HOME": "",
             "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(ROOT)])},
    )
    return home, done


def test_the_healthy_are_published_the_ill_are_named_and_the_exit_code_says_so(ran) -> None:
    home, done = ran
    assert done.returncode == 3, done.stderr[-1500:]
    refused = [line.split()[2] for line in done.stderr.splitlines() if line.startswith("refused ")]
    assert refused == [f"{number:03d}" for number in range(10)]
    build = snapshot.current(home)
    delivered = {path.parts[-4] for path in (home / "raw").glob(f"made_*/usage/dt={DAY}/receipt.json")}
    assert delivered == {f"made_{number:03d}" for number in range(10, COUNT)}
    assert sum(pq.read_table(path)["calls"][0].as_py()
               for path in (home / "raw").glob(f"made_*/usage/dt={DAY}/part.parquet")) == 3 * 190
    told = build.query("select source, received_tables from fct_coverage_daily where source like 'made_%'").to_pylist()
    assert {row["source"] for row in told if row["received_tables"] == 0} == {f"made_{n:03d}" for n in range(10)}
    assert len(told) == COUNT


def test_no_key_no_address_and_no_person_is_in_any_file_or_sentence(ran, vendors: str) -> None:
    home, done = ran
    for sentinel in SENTINELS:
        assert sentinel not in done.stdout + done.stderr
    read = 0
    for path in home.rglob("*"):
        if not path.is_file() or path.parent.name == "inbox":
            continue
        content = path.read_bytes()
        read += len(content)
        for sentinel in SENTINELS:
            assert sentinel.encode() not in content, (sentinel, path.relative_to(home))
    assert read > 10**6  # raw files, logs, Dagster's storage, what dbt compiled, the published build
