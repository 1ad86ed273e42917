"""Less, or only better: why the total changed, what became of each saving, what is owed, and which claims came true.

What does not belong here: what a section says. The address names the perimeter, so that a link can be sent.
"""

import streamlit as st

from dashboards import parts
from dashboards.book import Book
from dashboards.parts import Section
from dashboards.questions import decompositions
from dashboards.questions.decompositions import Perimeter
from dashboards.views import (
    crossings,
    decomposition,
    docket,
    efficiency_changes,
    rebounds,
    reviews,
    savings,
)

_SECTIONS = (
    Section("why", "Why it changed", decomposition.MART, "why the total changed"),
    Section("crossing", "Total and intensity"),
    Section("register", "Register", efficiency_changes.MART, "the register of efficiency changes"),
    Section("reviews", "Reviews", reviews.MART, "the reviews that are owed"),
    Section("rebound", "Rebound", rebounds.MART, "rebound"),
    Section("ratchet", "Lower ceilings", savings.RATCHET, "what savings propose"),
    Section("account", "Account", savings.ACCOUNT, "the running account of savings"),
    Section("docket", "Claims", docket.MART, "the docket of claims"),
    Section("training", "Training", decomposition.TRAINING, "why training changed"),
)


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    of = _chosen(decompositions.perimeters(book))
    parts.contents(parts.present(book, _SECTIONS))
    decomposition.section(book, of, "why")
    crossings.section(book, of, "crossing")
    efficiency_changes.section(book, of, "register")
    reviews.section(book, of, "reviews")
    rebounds.section(book, of, "rebound")
    savings.ratchet(book, of, "ratchet")
    savings.account(book, of, "account")
    docket.section(book, of, "docket")
    decomposition.training(book, of, "training")
    parts.lacking(book, parts.told(_SECTIONS))


def _chosen(perimeters: list[Perimeter]) -> Perimeter:
    """The perimeter that the address names, or the organisation; what is chosen goes into the address."""
    known = {one.key: one for one in perimeters}
    teams = {one.id: one.name for one in perimeters if one.kind == "team"}
    # The copy keeps the choice while other pages are looked at.
    wanted = [st.session_state.get("less-of"), st.query_params.get("of"), st.session_state.get("kept-less-of")]
    st.session_state["less-of"] = next((key for key in wanted if key in known), decompositions.ORGANISATION.key)

    def named(key: str) -> str:
        one = known[key]
        if one.kind == "workflow":
            return f"Workflow: {one.name} ({teams.get(one.team_id, one.team_id)})"
        return f"Team: {one.name}" if one.kind == "team" else "The organisation"

    chosen = st.selectbox("Of", list(known), format_func=named, key="less-of", width=620)
    st.session_state["kept-less-of"] = st.query_params["of"] = chosen
    return known[chosen]
