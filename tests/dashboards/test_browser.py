"""Pages in a real browser: nothing fetched from elsewhere, no name that runs, choices that hold, a CSV that is safe.

What does not belong here: figures; the tests under AppTest look at those.
"""

import csv
import io
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

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATHS = {"Overview": "", "Teams": "teams", "Workflows": "workflows", "Outcomes": "outcomes"}
APP = Path(__file__).parents[2] / "dashboards" / "app.py"


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is not installed; on Debian: apt-get install chromium"
        if os.environ.get("JEVONS_STRICT") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def address(serve, home):
    return serve(home)


@pytest.fixture
def visit(browser):
    """A page that records what it asks of other hosts and what pops up."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.elsewhere, page.popped = [], []
    page.on("request", lambda call: None if _is_local(call.url) else page.elsewhere.append(call.url))
    page.on("dialog", lambda dialog: (page.popped.append(dialog.message), dialog.dismiss()))
    yield page
    context.close()


def _is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def _open(page, address, name):
    page.goto(f"{address}/{PATHS[name]}")
    page.wait_for_selector(f"h1.j:has-text('{name}')", timeout=60_000)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)


@pytest.mark.parametrize("name", PATHS)
def test_a_page_is_whole_local_and_inert(visit, address, name):
    _open(visit, address, name)
    visit.wait_for_selector(".vega-embed canvas, .vega-embed svg", timeout=60_000)
    assert visit.elsewhere == []
    assert visit.popped == []
    assert visit.query_selector_all("[data-testid=stException]") == []
    assert "SANDBOX" in visit.inner_text("[data-testid=stMain]")
    assert fixture_marts.HOSTILE_TEAM in visit.text_content("[data-testid=stMain]")
    assert visit.evaluate("document.querySelectorAll('[data-testid=stMain] script').length") == 0
    # No part of the page is wider than the window, and Streamlit's own buttons are out of sight.
    assert visit.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not visit.is_visible("[data-testid=stMainMenu]")
    assert not visit.is_visible("[data-testid=stAppDeployButton]")


def test_every_chart_has_a_size_and_a_description(visit, address):
    _open(visit, address, "Overview")
    visit.wait_for_function("document.querySelectorAll('.vega-embed canvas, .vega-embed svg').length >= 10")
    boxes = visit.evaluate(
        "[...document.querySelectorAll('.vega-embed canvas, .vega-embed svg')]"
        ".map(e => [e.getBoundingClientRect().width, e.getBoundingClientRect().height])"
    )
    assert all(width > 300 and height > 150 for width, height in boxes), boxes
    labels = visit.evaluate("[...document.querySelectorAll('.vega-embed[aria-label]')].map(e => e.ariaLabel)")
    assert any("on course to exceed its ceiling" in label for label in labels)


def test_the_chosen_days_hold_from_page_to_page(visit, address):
    _open(visit, address, "Overview")
    visit.locator("[data-testid=stSelectbox] input").first.click()
    visit.get_by_role("option", name="July 2026").click()
    visit.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    visit.get_by_role("link", name="Teams").click()
    visit.wait_for_selector("h1.j:has-text('Teams')", timeout=60_000)
    visit.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    assert "July 2026" == visit.locator("[data-testid=stSelectbox]").first.locator("input").input_value()


def test_the_download_holds_no_formula(visit, address):
    _open(visit, address, "Workflows")
    with visit.expect_download() as waiting:
        visit.get_by_role("button", name="Download CSV").first.click()
    assert waiting.value.suggested_filename.startswith("workflows_")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"))))
    assert len(rows) == 11  # nine workflows, what is orphaned and what is unattributed
    jobs = {row["Workflow"]: row["Job description"] for row in rows}
    assert jobs["Bildtexte <b>neu</b>"] == "'" + fixture_marts.HOSTILE_JOB
    assert {row["Workflow"]: row["Energy, kWh"] for row in rows}["Acme pilot"] == ""


def test_a_table_stands_behind_each_chart(visit, address):
    _open(visit, address, "Teams")
    visit.get_by_text("Show as table").first.click()
    table = visit.locator("table.j").first
    table.wait_for(state="visible")
    assert table.locator("caption").text_content() == "Teams by energy"
    assert table.locator("th").first.get_attribute("scope") == "col"
    assert table.locator("tbody tr").count() == 7


def test_nothing_published_is_a_friendly_page(visit, serve, tmp_path):
    address = serve(tmp_path)
    visit.goto(address)
    visit.wait_for_selector("text=Nothing is published yet", timeout=60_000)
    assert "make demo" in visit.inner_text("[data-testid=stMain]")
    assert visit.elsewhere == []
