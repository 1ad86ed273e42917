"""What the tests of the pages share: published organisations, a browser, and a server of the pages.

What does not belong here: assertions.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import fixture_marts
import pytest
from browsing import CHROMIUM, FLAGS, recording_page
from support import need

APP = Path(__file__).parents[2] / "dashboards" / "app.py"


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """An organisation of 90 days in which each kind of ceiling, gap and hostile name occurs."""
    folder = tmp_path_factory.mktemp("organisation")
    fixture_marts.publish(folder)
    return folder


@pytest.fixture(scope="session")
def browser():
    need(CHROMIUM.exists(), f"{CHROMIUM} is not installed; on Debian: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """Start Streamlit in a folder that is not the repository, so that its settings must come with the app."""
    running = []

    def start(home: Path) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port)],
            cwd=tmp_path_factory.mktemp("elsewhere"),
            env={**os.environ, "JEVONS_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        running.append(server)
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                    return address
            except OSError:
                time.sleep(0.1)
        raise AssertionError("Streamlit did not start within 60 seconds")

    yield start
    for server in running:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)


@pytest.fixture
def visit(browser):
    """A page of its own for one test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    yield recording_page(context)
    context.close()
