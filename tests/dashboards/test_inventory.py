"""Inventory under AppTest: what it says is what the marts hold, filters and order hold, and its files cannot run.

What does not belong here: what holds for all pages; `test_pages` asks that of this one as well.
"""

import csv
import io

import fixture_marts
import pytest
from test_evidence import _rows, _said
from test_pages import _html, _open

from dashboards import tables
from dashboards.questions import workloads


@pytest.fixture
def page(home):
    return _open(home, "Inventory")


def _names(test, caption="Inventory of workloads"):
    return [row[0].split(" | ")[0] for row in _rows(test, caption)]


def test_every_workload_has_a_row_with_its_month(page):
    rows = {row[0].split(" | ")[0]: row[1:] for row in _rows(page, "Inventory of workloads")}
    assert len(rows) == 10
    # 5,200 calls a day: 156,000 in 30 days, 8 days' calls beyond the 22 declared
    # 0.9 Wh each: 140.4 kWh, half to 4 times
    triage = rows["Claims triage"]
    assert triage[2] == "156,000 | rose 25 %41,600 beyond those declared"
    assert triage[3] == "140 | 70.2 to 562"
    assert triage[4] == "claims settled | 78,000"
    assert rows["Acme pilot"][3] == "unknown"
    assert rows["Orphaned"][5] == "no owner; no outcome"
    assert rows["Nightly index"][5].startswith("background work without an outcome | review due 30 September 2026")
    assert fixture_marts.HOSTILE_TEAM in "".join(row[0] for row in _rows(page, "Inventory of workloads"))


def test_the_heading_counts_what_the_rows_say(home):
    text = _said(home, "Inventory")
    assert "4 of 10 workloads give a reason to ask if they are needed; 9 made more calls than declared" in text
    assert "A month is the 30 days to 29 August 2026, whatever days are chosen above." in text


def test_rows_can_be_sorted_and_filtered(page):
    assert _names(page)[0] == "Refund agent"  # 167 kWh, the most
    page.selectbox(key="inventory-order").select("Name").run()
    assert _names(page) == sorted(_names(page), key=str.casefold) and _names(page)[0] == "Acme pilot"
    page.selectbox(key="inventory-shown").select("With a reason to retire").run()
    assert _names(page) == ["Acme pilot", "Nightly index", "Orphaned", "Review summaries"]
    page.selectbox(key="inventory-team").select("AI platform").run()
    assert _names(page) == ["Nightly index"]
    page.selectbox(key="inventory-shown").select("Review overdue").run()
    assert not page.exception and "No workload is like that." in _html(page)


def test_a_lever_says_what_it_saves_or_why_that_is_unknown(page):
    rows = {row[0].split(" | ")[0]: row[1:] for row in _rows(page, "Saving by workload")}
    # 3,100 x 30 calls of 1.8 Wh are 167.4 kWh, 0.46 of them repeats: 77.0
    assert rows["Refund agent"][0] == "77.0 | 38.5 to 308"
    assert rows["Refund agent"][3] == "42780 of the 93000 calls whose source tells are repeats"
    assert rows["Acme pilot"][0] == "unknown | at most 400" and rows["Acme pilot"][4] == "its energy is not known"
    assert rows["Orphaned"][4] == "its source does not tell repeats"
    assert "never add one" in _html(page)
    page.selectbox(key="lever").select("retire").run()
    assert _names(page, "Saving by workload") == ["Nightly index", "Review summaries", "Orphaned"]


def test_governance_and_what_is_owed(page):
    states = {row[1]: row for row in _rows(page, "State of governance")}
    assert states["orphan"][3] == "27,000" and states["owned"][2] == "9"
    owed = _rows(page, "What is owed")
    assert owed[0][0] == "Claim the key | openai, gpt-4o-mini" and owed[0][2].startswith("89")
    assert len(owed) == 4
    assert "3 things owed by 3 teams; 1 use that nobody owns" in _html(page).replace("\N{NO-BREAK SPACE}", " ")
    page.selectbox(key="owed-by").select("AI platform").run()
    left = [row[0] for row in _rows(page, "What is owed")]
    assert left == ["Count its outcomes | background work without an outcome"]


def test_marts_without_rows_and_an_earlier_build_say_so(tmp_path):
    fixture_marts.publish(tmp_path, days=20, evidence=False)
    assert "No workload is in this build" in _said(tmp_path, "Inventory")
    fixture_marts.publish(tmp_path, days=20, earlier=True)
    said = _said(tmp_path, "Inventory")
    assert "Not in this build: the inventory of workloads, what levers would save" in said
    assert "No workload is in this build" not in said


def test_the_csv_of_the_inventory_cannot_run(home):
    from datetime import date

    from dashboards.book import Book
    from pipelines import snapshot

    flows = workloads.inventory(Book(snapshot.current(home), date(2026, 6, 1), date(2026, 8, 29)))
    columns = [tables.Column("workflow_id", "Id"), tables.Column("job_description", "Job description")]
    rows = {row["Id"]: row for row in csv.DictReader(io.StringIO(tables.csv_text(flows, columns)))}
    assert rows["hostile-flow"]["Job description"] == "'" + fixture_marts.HOSTILE_JOB
