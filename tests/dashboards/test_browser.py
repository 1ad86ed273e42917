"""Pages in a real browser: nothing fetched from elsewhere, no name that runs, choices that hold, a CSV that is safe.

What does not belong here: figures; the tests under AppTest look at those.
"""

import csv
import io
from pathlib import Path

import fixture_evidence
import fixture_marts
import pytest
from browsing import open_page
from workbooks import sheets

PAGES = [
    "Overview", "Ceilings", "Teams", "My team", "Workflows", "Outcomes", "Less, or only better?", "Inventory", "Levy",
    "Vendors", "Evidence", "Models",
]  # fmt: skip
TABLES = ("Inventory", "My team", "Levy", "Vendors")  # without a chart, or with one folded away


@pytest.fixture(scope="module")
def address(serve, home):
    return serve(home)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_local_and_inert(visit, address, name):
    open_page(visit, address, name)
    visit.wait_for_selector("table.j" if name in TABLES else ".vega-embed canvas, .vega-embed svg", timeout=60_000)
    assert visit.elsewhere == []
    assert visit.popped == []
    assert visit.complaints == []
    assert visit.query_selector_all("[data-testid=stException]") == []
    assert "SANDBOX" in visit.inner_text("[data-testid=stMain]")
    hostile = {"Models": fixture_evidence.HOSTILE_RUN}.get(name, fixture_marts.HOSTILE_TEAM)
    assert hostile in visit.text_content("[data-testid=stMain]")
    assert visit.evaluate("document.querySelectorAll('[data-testid=stMain] script').length") == 0
    # No part of the page is wider than the window, and Streamlit's own buttons are out of sight.
    assert visit.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not visit.is_visible("[data-testid=stMainMenu]")
    assert not visit.is_visible("[data-testid=stAppDeployButton]")
    levels = visit.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(e => Number(e.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    tables = "[...document.querySelectorAll('.j-scroll')].filter(e => e.checkVisibility())"
    for width in (1024, 800, 420):  # neither the page nor a table moves sideways
        visit.set_viewport_size({"width": width, "height": 900})
        assert visit.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
        wide = visit.evaluate(f"{tables}.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.ariaLabel)")
        assert wide == [], width


def test_the_chosen_days_hold_from_page_to_page(visit, address):
    open_page(visit, address, "Overview")
    visit.locator("[data-testid=stSelectbox] input").first.click()
    visit.get_by_role("option", name="July 2026").click()
    visit.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    visit.get_by_role("link", name="Teams").click()
    visit.wait_for_selector("h1.j:has-text('Teams')", timeout=60_000)
    visit.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    assert "July 2026" == visit.locator("[data-testid=stSelectbox]").first.locator("input").input_value()


def test_the_download_holds_no_formula(visit, address):
    open_page(visit, address, "Workflows")
    with visit.expect_download() as waiting:
        visit.get_by_role("button", name="Download CSV").first.click()
    assert waiting.value.suggested_filename.startswith("workflows_")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"))))
    assert len(rows) == 11  # nine workflows, what is orphaned and what is unattributed
    jobs = {row["Workflow"]: row["Job description"] for row in rows}
    assert jobs["Bildtexte <b>neu</b>"] == "'" + fixture_marts.HOSTILE_JOB
    assert {row["Workflow"]: row["Energy, kWh"] for row in rows}["Acme pilot"] == ""


def test_the_inventory_is_sorted_filtered_and_downloaded(visit, address):
    open_page(visit, address, "Inventory")
    names = visit.locator("table.j").first.locator("tbody tr td:first-child")
    assert names.first.inner_text().startswith("Refund agent")
    visit.locator("[data-testid=stSelectbox]", has_text="Sort by").locator("input").click()
    visit.get_by_role("option", name="Name").click()
    names.first.filter(has_text="Acme pilot").wait_for(timeout=60_000)
    with visit.expect_download() as waiting:
        visit.get_by_role("button", name="Download CSV").first.click()
    assert waiting.value.suggested_filename.startswith("inventory_")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"))))
    assert [row["Workflow"] for row in rows] == sorted((row["Workflow"] for row in rows), key=str.casefold)
    jobs = {row["Workflow"]: row["Job description"] for row in rows}
    assert jobs["Bildtexte <b>neu</b>"] == "'" + fixture_marts.HOSTILE_JOB


def test_a_table_stands_behind_each_chart(visit, address):
    open_page(visit, address, "Teams")
    table = visit.locator("table.j").first
    assert table.locator("caption").text_content() == "Teams by energy"
    assert table.locator("th").first.get_attribute("scope") == "col"
    assert table.locator("tbody tr").count() == 7
    weekly = visit.locator("table.j").nth(1)
    assert not weekly.is_visible()
    visit.get_by_text("Show as table").first.click()
    weekly.wait_for(state="visible")
    assert weekly.locator("caption").text_content() == "Energy and calls by week"


def test_the_workbook_opens_in_another_reader_and_holds_no_formula(visit, address):
    open_page(visit, address, "Ceilings")
    with visit.expect_download() as waiting:
        visit.get_by_role("button", name="Download XLSX").first.click()
    assert waiting.value.suggested_filename.startswith("ceilings_in_force_")
    assert waiting.value.suggested_filename.endswith(".xlsx")
    book = sheets(Path(waiting.value.path()).read_bytes())
    head, *rows = book["ceilings_in_force"]
    assert len(rows) == 6 and dict(zip(head, rows[0], strict=False))["Ceiling"] == "Organisation energy"
    assert ["Sandbox", "made-up data of an invented organisation"] in book["About"]


def test_a_link_names_the_team(visit, address):
    visit.goto(f"{address}/my-team?team=search")
    visit.wait_for_selector("text=Of 4 ceilings around Product search", timeout=60_000)
    visit.locator("[data-testid=stSelectbox]", has_text="Team").locator("input").click()
    visit.get_by_role("option", name="Legal and contracts").click()
    visit.wait_for_selector("text=ceilings around Legal and contracts", timeout=60_000)
    assert visit.url.endswith("/my-team?team=legal")
    visit.get_by_role("link", name="Overview").click()  # and back: the choice is kept
    visit.wait_for_selector("h1.j:has-text('Overview')", timeout=60_000)
    visit.get_by_role("link", name="My team").click()
    visit.wait_for_selector("text=ceilings around Legal and contracts", timeout=60_000)
    assert visit.complaints == []


def test_charts_have_a_size_and_a_description_and_bars_their_length(visit, address):
    open_page(visit, address, "Ceilings")
    visit.wait_for_function("document.querySelectorAll('.vega-embed canvas, .vega-embed svg').length >= 6")
    boxes = visit.evaluate(
        "[...document.querySelectorAll('.vega-embed canvas, .vega-embed svg')]"
        ".map(e => [e.getBoundingClientRect().width, e.getBoundingClientRect().height])"
    )
    assert all(width > 300 and height > 150 for width, height in boxes), boxes
    labels = visit.evaluate("[...document.querySelectorAll('.vega-embed[aria-label]')].map(e => e.ariaLabel)")
    assert any("on course to exceed its ceiling" in label for label in labels)
    open_page(visit, address, "Overview")
    bars = visit.evaluate(
        """[...document.querySelectorAll('.j-bar')].map(bar => {
            const box = part => bar.querySelector(part).getBoundingClientRect(), all = bar.getBoundingClientRect();
            return {wall: (box('.wall').x - all.x + 1) / all.width, used: box('.central').width / all.width,
                    share: bar.closest('tr').children[5].textContent, said: bar.ariaLabel};
        })"""
    )
    assert len(bars) == 6
    for bar in bars:  # a bar ends at twice the ceiling: the wall stands in its middle
        assert bar["wall"] == pytest.approx(0.5, abs=0.01)
        share = float(bar["share"].split()[0]) / 100
        assert bar["used"] == pytest.approx(min(share / 2, 1), abs=0.01), bar
        assert "Used" in bar["said"]


def test_a_link_of_the_contents_leads_to_its_section(visit, address):
    open_page(visit, address, "Evidence")
    link = visit.get_by_role("navigation", name="On this page").get_by_role("link", name="Lines of the meter")
    assert visit.locator("#lines").bounding_box()["y"] > 900
    link.click()
    visit.wait_for_function("document.getElementById('lines').getBoundingClientRect().y < 200")
    assert visit.url.endswith("/evidence#lines")
    assert visit.locator("h1.j").text_content() == "Evidence"  # the page itself was not left
    assert visit.complaints == []


def test_on_a_narrow_page_each_value_stands_beside_its_heading(visit, address):
    visit.set_viewport_size({"width": 420, "height": 900})
    open_page(visit, address, "Teams")
    cells = visit.locator("table.j").first.locator("tbody tr").nth(1).locator("td")
    said = cells.evaluate_all("all => all.map(td => [getComputedStyle(td, '::before').content, td.innerText.trim()])")
    assert said[0][0] == "none"  # what names the row needs no heading
    assert said[1][0] == '"Calls"' and said[1][1].replace(",", "").isdigit()
    assert {head for head, _ in said[1:]} >= {'"Energy, kWh"', '"Coverage"'}
    tops = cells.evaluate_all("all => all.map(td => td.getBoundingClientRect().y)")
    assert tops == sorted(tops) and len(set(tops)) == len(tops)  # one below the other
    roles = visit.locator("table.j").first.locator("[role=cell]").count()
    assert roles == visit.locator("table.j").first.locator("td").count()


def test_nothing_published_is_a_friendly_page(visit, serve, tmp_path):
    address = serve(tmp_path)
    visit.goto(address)
    visit.wait_for_selector("text=Nothing is published yet", timeout=60_000)
    assert "make demo" in visit.inner_text("[data-testid=stMain]")
    assert visit.elsewhere == []
