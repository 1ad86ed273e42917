"""How tests drive a browser: its flags, what counts as local or as a complaint, and when a page is whole.

What does not belong here: assertions and fixtures.
"""

from pathlib import Path

from dashboards.app import path

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def recording_page(context):
    """A page that records what it asks of other hosts, what pops up, and what its console warns of."""
    page = context.new_page()
    page.elsewhere, page.popped, page.complaints = [], [], []
    page.on("request", lambda call: None if is_local(call.url) else page.elsewhere.append(call.url))
    page.on("dialog", lambda dialog: (page.popped.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda said: page.complaints.append(said.text) if is_complaint(said) else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    return page


def is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def is_complaint(said) -> bool:
    """Streamlit looks for its server below the address of a page first; those answers of 404 do no harm."""
    return said.type in ("error", "warning") and "/_stcore/" not in said.location.get("url", "")


def open_page(page, address: str, name: str) -> None:
    """Go to a page and wait until it is whole."""
    page.goto(f"{address}/{'' if name == 'Overview' else path(name)}")
    page.wait_for_selector(f"h1.j:has-text('{name}')", timeout=60_000)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)
