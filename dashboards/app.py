"""Entry of the pages: `streamlit run dashboards/app.py`, or `jevons dashboard`.

What does not belong here: the content of a page. This module opens the current build anew on each run, so that a
page left open shows a newer build after its next click, and prints what every page says about it.
"""

import os
from collections.abc import Callable
from datetime import date
from html import escape
from pathlib import Path

import streamlit as st

from dashboards import style
from dashboards.book import Book
from dashboards.views import (
    ceilings,
    evidence,
    inventory,
    less_or_better,
    levy,
    models,
    my_team,
    outcomes,
    overview,
    teams,
    vendors,
    workflows,
)
from dashboards.weeks import periods
from pipelines import units
from pipelines.errors import JevonsError
from pipelines.snapshot import Snapshot, current

# Drawn here because Streamlit's own icons are fetched from another host.
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5f8b"/>'
    '<path d="M7 9 L25 23" stroke="#fff" stroke-width="3" stroke-linecap="round"/>'
    '<path d="M6 25 H26" stroke="#f0a3a8" stroke-width="3" stroke-linecap="round"/></svg>'
)
PAGES = {
    "Overview": overview.page,
    "Ceilings": ceilings.page,
    "Teams": teams.page,
    "My team": my_team.page,
    "Workflows": workflows.page,
    "Outcomes": outcomes.page,
    "Less, or only better?": less_or_better.page,
    "Inventory": inventory.page,
    "Levy": levy.page,
    "Vendors": vendors.page,
    "Evidence": evidence.page,
    "Models": models.page,
}
# Name in the bar and in the address, where the heading would be too long.
_SHORT = {"Less, or only better?": ("Less?", "less-or-better")}


def main(home: Path, default: str = "Overview") -> None:
    """Show the page that the address names."""
    st.set_page_config(page_title="Jevons", page_icon=_ICON, layout="wide")
    st.html(style.CSS)
    pages = [
        st.Page(_run(name, page, home), title=_short(name)[0], url_path=path(name), default=name == default)
        for name, page in PAGES.items()
    ]
    st.navigation(pages, position="top").run()


def _run(name: str, page: Callable[[Book], None], home: Path) -> Callable[[], None]:
    def run() -> None:
        try:
            snapshot = current(home)
            page(_header(name, snapshot))
        except JevonsError as error:
            st.html(f'<h1 class="j">{escape(error.what)}</h1>')
            st.html(
                f'<div class="j-empty">{escape(error.why)}; {_with_code(error.fix)}.<br>{escape(error.where)}</div>'
            )

    run.__name__ = path(name)
    return run


def path(name: str) -> str:
    """The page's name as it stands in an address."""
    return _short(name)[1]


def _short(name: str) -> tuple[str, str]:
    return _SHORT.get(name, (name, name.lower().replace(" ", "-")))


def _header(name: str, snapshot: Snapshot) -> Book:
    """Print organisation, sandbox notice, build and days; return the build with the days that were chosen."""
    said = snapshot.manifest
    if said.get("sandbox"):
        st.html('<div class="j-sandbox" role="note"><b>SANDBOX</b>: made-up data of an invented organisation.</div>')
    left, right = st.columns([3, 1], gap="medium", vertical_alignment="bottom")
    first, last = (
        date.fromisoformat(text[:10]) if text else None for text in (said.get("data_from"), said.get("data_to"))
    )
    book = Book(snapshot, first, last)
    span = f"{units.day(first)} to {units.day(last)}" if first and last else "no days yet"
    factors = ", ".join(map(str, said.get("factor_sets") or [])) or "none"
    left.html(
        f'<p class="j-over">{escape(str(said.get("organisation", "")))}</p><h1 class="j">{escape(name)}</h1>'
        f'<p class="j-meta">Data from {escape(span)} (UTC) · build <code>{escape(snapshot.build_id)}</code>'
        f" · factors {escape(factors)}</p>"
    )
    if first and last:
        choices = periods(first, last)
        # A widget's own state is dropped when its page is left; the copy keeps the choice from page to page.
        wanted = st.session_state.get("period", st.session_state.get("kept-period"))
        st.session_state["period"] = wanted if wanted in choices else next(iter(choices))
        chosen = right.selectbox("Days shown", list(choices), key="period")
        st.session_state["kept-period"] = chosen
        book = Book(snapshot, *choices[chosen])
    return book


def _with_code(text: str) -> str:
    """Set what stands between back-quotes as code; the rest is escaped text."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if place % 2 else piece for place, piece in enumerate(pieces))


if __name__ == "__main__":
    main(Path(os.environ.get("JEVONS_HOME", "data")))
