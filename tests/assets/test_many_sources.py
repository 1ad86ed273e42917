"""An organisation without registry, with a call log and two hundred sources of which ten are ill: the others are
published, those are named, and no secret is told."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import homes
import pyarrow.parquet as pq
import pytest
from support import ROOT

from pipelines import snapshot
from pipelines.sandbox.files import write_home
from pipelines.sandbox.server import serve

COUNT, BEFORE, DAY = 200, "2026-05-31", "2026-06-01"
PERSON = "sentinel.person@acme.example"
SENTINELS = ("sentinel-key-", "sentinel.person")
GOOD = {"rows": [{"day": BEFORE, "calls": 1}, {"day": DAY, "calls": 3}]}
BAD = {"rows": [{"day": BEFORE, "calls": 1}, {"day": DAY, "calls": -3}]}
PAGE = f"<html>{PERSON} may not see this; your key was %s</html>"


def ill(number: int, key: str) -> tuple[int, str, bytes] | None:
    """What the first ten answer: status, content type and body; None for a connection that is cut."""
    said = json.dumps({"error": {"message": f"{key} of {PERSON} is unknown here"}}).encode()
    whole = json.dumps(GOOD).encode()
    answers = [
        (401, "application/json", said), (403, "application/json", said), (404, "text/html", (PAGE % key).encode()),
        (429, "application/json", said), (500, "text/html", (PAGE % key).encode()), (529, "application/json", said),
        (200, "application/json", whole[:-4]), (200, "text/html", (PAGE % key).encode()), None,
        (200, "application/json", json.dumps(BAD).encode()),
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
    with serve() as server:
        write_home(home, server, days=1)  # of which no more than the call log is used
    sections = "".join(f"[sources.made_{number:03d}]\n" for number in range(COUNT))
    (home / "jevons.toml").write_text(homes.ONLY_CALLS + sections, "utf-8")
    keys = {f"MADE_{number:03d}_KEY": f"sentinel-key-{number:03d}" for number in range(COUNT)}
    done = subprocess.run(
        [sys.executable, "-m", "many_sources", str(COUNT), vendors, "materialize", "--from", BEFORE, "--to", DAY],
        cwd=ROOT,
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
    told = build.query(f"""
        select source, received_tables from fct_coverage_daily where source like 'made_%' and usage_date = date '{DAY}'
    """).to_pylist()
    assert {row["source"] for row in told if row["received_tables"] == 0} == {f"made_{n:03d}" for n in range(10)}
    assert len(told) == COUNT


def test_the_call_log_is_published_with_the_years_mix_and_the_day_without_a_file_is_said(ran) -> None:
    home, done = ran
    lines = done.stderr.splitlines()
    steps = [line for line in lines if re.match(r"\d+/\d+ ", line)]
    assert lines[0] == "starting" and f"/{len(steps)} call log calls" in done.stderr
    assert [line.partition("/")[0] for line in steps] == [str(n + 1) for n in range(len(steps))]
    assert steps[-1] == f"{len(steps)}/{len(steps)} published"
    ending = lines[lines.index(steps[-1]) + 1:]
    assert ending[0] == f"missing call log calls: not delivered for {BEFORE}"
    assert all(line.startswith("refused made ") for line in ending[1:])
    known = snapshot.current(home).query("""
        select count(distinct usage_date) as days, min(grid_rung) as low, max(grid_rung) as high
        from fct_footprint_daily where energy_kwh is not null
    """).to_pylist()
    assert known == [{"days": 1, "low": "yearly_mix", "high": "yearly_mix"}]
    (file,) = (home / "inbox" / "calls").glob("*.csv")
    calls = snapshot.current(home).query("select sum(call_count) as n from fct_footprint_daily").to_pylist()
    assert calls == [{"n": len(file.read_text("utf-8").splitlines()) - 1}]


def test_no_key_no_address_and_no_person_is_in_any_file_or_sentence(ran, vendors: str) -> None:
    home, done = ran
    for sentinel in SENTINELS:
        assert sentinel not in done.stdout + done.stderr
    read = 0
    for path in home.rglob("*"):
        if not path.is_file() or "inbox" in path.parts:
            continue
        content = path.read_bytes()
        read += len(content)
        for sentinel in SENTINELS:
            assert sentinel.encode() not in content, (sentinel, path.relative_to(home))
    assert read > 10**6  # raw files, logs, Dagster's storage, what dbt compiled, the published build
