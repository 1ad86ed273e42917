"""A real Prometheus server on loopback, filled with made-up samples through promtool.

What is asked of it belongs to the tests.
"""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

STARTS_IN_SECONDS = 30


class Samples:
    """Collects samples and writes them as OpenMetrics text."""

    def __init__(self) -> None:
        self.families: dict[str, list[str]] = {}

    def add(self, name: str, labels: Mapping[str, str], at_s: str, value: str) -> None:
        """One sample; instant (Unix seconds) and value are text, so that nothing is rounded on the way."""
        inside = ",".join(f'{label}="{text}"' for label, text in labels.items())
        self.families.setdefault(name, []).append(f"{name}{{{inside}}} {value} {at_s}")

    def scrape(self, text: str, at_s: int) -> None:
        """What a server keeps of an exporter's text (Prometheus exposition format) that it reads at an instant."""
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name = line.partition("{")[0].partition(" ")[0]
                self.families.setdefault(name, []).append(f"{line} {at_s}")

    def openmetrics(self) -> str:
        """The text of all samples."""
        lines = []
        for name, samples in self.families.items():
            lines += [f"# TYPE {name} unknown", *samples]
        return "\n".join([*lines, "# EOF", ""])


def required_programs() -> None:
    """Skips where Debian's package `prometheus` is not there; under JEVONS_STRICT=1 that is a failure."""
    missing = [program for program in ("prometheus", "promtool") if not shutil.which(program)]
    if missing:
        reason = f"{' and '.join(missing)} not found: install the Debian package `prometheus`"
        if os.environ.get("JEVONS_STRICT") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def served(samples: Samples, folder: Path) -> Iterator[str]:
    """The address of a server that holds the samples."""
    required_programs()
    text, blocks, config = folder / "samples.txt", folder / "blocks", folder / "prometheus.yml"
    text.write_text(samples.openmetrics(), "utf-8")
    config.write_text("global: {}\n", "utf-8")
    made = subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(blocks)],
        capture_output=True, text=True, check=False,
    )
    assert made.returncode == 0, made.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={blocks}",
             "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
            stdout=log, stderr=log,
        )
    try:
        _wait(server, f"http://127.0.0.1:{port}", folder / "log.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _wait(server: subprocess.Popen, url: str, log: Path) -> None:
    until = time.monotonic() + STARTS_IN_SECONDS
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text("utf-8")
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"Prometheus was not ready in {STARTS_IN_SECONDS} s: {log.read_text('utf-8')}")
