"""My team under AppTest: one team's ceilings, workflows, tasks and outcomes, and an address that names it.

What does not belong here: what holds for all pages; `test_pages` asks that of this one as well.
"""

import fixture_marts
import pytest
from streamlit.testing.v1 import AppTest
from test_evidence import _rows
from test_pages import _html, _open, _script, _text


@pytest.fixture
def page(home):
    test = AppTest.from_function(_script, args=(str(home), "My team"), default_timeout=60)
    test.query_params["team"] = "claims"
    return test.run()


def _first(test, caption):
    return [row[0].split(" | ")[0] for row in _rows(test, caption)]


def test_the_address_names_the_team_and_follows_the_choice(page, home):
    assert page.selectbox(key="my-team").value == "claims"
    assert _first(page, "Ceilings around the team") == [
        "Claims handling: energy", "Organisation energy", "Organisation carbon", "Organisation calls",
    ]  # fmt: skip
    page.selectbox(key="my-team").select("search").run()
    assert page.query_params["team"] == "search" and not page.exception
    assert _first(page, "Ceilings around the team")[0] == "Product search: calls"
    assert "Of 4 ceilings around Product search, 1 is exceeded" in _text(page)
    # an address that names no team of this build is answered by the first one
    test = AppTest.from_function(_script, args=(str(home), "My team"), default_timeout=60)
    test.query_params["team"] = "nobody"
    assert test.run().selectbox(key="my-team").value == "hostile" and not test.exception


def test_its_workflows_tell_their_month_their_trend_and_the_gate(page):
    rows = {row[0].split(" | ")[0]: row for row in _rows(page, "Workflows of the team")}
    assert set(rows) == {"Claims triage", "Claims letters"}
    assert rows["Claims triage"][3] == "156,000 | rose 25 %41,600 beyond those declared"
    assert rows["Claims triage"][6] == "essential: always passes"
    assert rows["Claims letters"][6] == "goes to batches on 31 August 2026: Organisation calls"
    page.selectbox(key="my-team").select("search").run()
    gates = {row[0].split(" | ")[0]: row[6] for row in _rows(page, "Workflows of the team")}
    assert gates["Review summaries"] == "is slowed since 15 August 2026: Organisation calls"


def test_what_it_owes_what_may_be_its_own_and_its_outcomes(page):
    assert "Claims handling owes nothing" in _text(page)
    orphans = _rows(page, "Use without an owner")
    assert orphans[0][0] == "openai, gpt-4o-mini | Claim the key" and orphans[0][1] == "the team uses it, too"
    assert sorted(_first(page, "Outcomes by workflow")) == ["Claims letters", "Claims triage"]
    page.selectbox(key="my-team").select("platform").run()
    assert _first(page, "What is owed") == ["Count its outcomes"]
    assert "AI platform owes 1 thing" in _text(page)
    assert "No outcome of AI platform is recorded in these days" in _text(page)


def test_a_model_that_the_team_does_not_use_is_no_hint(page):
    page.selectbox(key="my-team").select("hostile").run()
    assert fixture_marts.HOSTILE_TEAM in _text(page) and "<script" not in _html(page)
    assert [row[1] for row in _rows(page, "Use without an owner")] == ["the team uses it, too"]


def test_a_build_without_teams_or_later_marts_says_so(tmp_path):
    fixture_marts.publish(tmp_path, days=0)
    assert "No team is in this build" in _text(_open(tmp_path, "My team"))
    fixture_marts.publish(tmp_path, days=20, earlier=True)
    text = _text(_open(tmp_path, "My team"))
    assert "Not in this build: the inventory of workloads, what is owed, what stops next" in text
    assert "Of 4 ceilings around <script>alert(1)</script> & *Team*" in text
