"""Pages under AppTest: figures agree with the published Parquet, names stay text, odd builds do not break a page."""

import re
from decimal import Decimal
from html import unescape

import fixture_marts
import pyarrow.compute
import pyarrow.parquet
import pytest
from streamlit.testing.v1 import AppTest

from pipelines import snapshot, units

PAGES = [
    "Overview", "Ceilings", "Teams", "My team", "Workflows", "Outcomes", "Less, or only better?", "Inventory", "Levy",
    "Vendors", "Evidence", "Models",
]  # fmt: skip


def _script(home, default):
    from pathlib import Path

    from dashboards import app

    app.main(Path(home), default)


def _open(home, page) -> AppTest:
    test = AppTest.from_function(_script, args=(str(home), page), default_timeout=60).run()
    assert [error.value for error in test.exception] == []
    return test


def _html(test: AppTest) -> str:
    return "\n".join(element.proto.body for element in test.get("html"))


def _text(test: AppTest) -> str:
    """What a person reads: tags removed, entities read."""
    plain = re.sub(r"<style>.*?</style>", "", _html(test), flags=re.S)
    return unescape(re.sub(r"<[^>]+>", " ", plain)).replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture(scope="module", params=PAGES)
def opened(request, home):
    return request.param, _open(home, request.param)


def test_every_page_says_whose_data_which_build_and_how_well_it_is_known(opened, home):
    page, test = opened
    text = _text(test)
    assert f'<h1 class="j">{page}</h1>' in _html(test)
    assert "Sandbox Organisation" in text
    assert "SANDBOX : made-up data" in text
    assert snapshot.current(home).build_id in text
    assert "Data from 1 June 2026 to 29 August 2026 (UTC)" in text
    assert "coverage > 99.9 % of calls" in text  # 2,104 of 6.2 million calls have no known energy
    assert re.search(r"\d+ % estimated from model parameters, .*\d+ % metered", text)


def test_totals_are_the_exact_sums_of_the_published_file(opened, home):
    table = pyarrow.parquet.read_table(snapshot.current(home).path / "fct_footprint_daily.parquet")
    energy = sum((value for value in table["energy_kwh"].to_pylist() if value is not None), Decimal(0))
    calls = pyarrow.compute.sum(table["call_count"]).as_py()
    text = _text(opened[1])
    assert units.energy(energy).replace("\N{NO-BREAK SPACE}", " ") in text
    assert units.short_count(calls).replace("\N{NO-BREAK SPACE}", " ") in text


def test_names_are_text_on_every_page(opened):
    html = _html(opened[1])
    assert "<script" not in html
    assert "<img" not in html
    assert "<b>neu</b>" not in html


def test_a_sandbox_banner_is_not_shown_for_real_data(tmp_path):
    fixture_marts.publish(tmp_path, days=14, sandbox=False, organisation="<i>Real</i> & Sons")
    test = _open(tmp_path, "Overview")
    assert "SANDBOX" not in _text(test)
    assert "<i>Real</i> & Sons" in _text(test)


def test_overview_says_each_finding_in_words(home):
    text = _text(_open(home, "Overview"))
    assert "Of 6 ceilings, 2 are exceeded and 1 is on course to be" in text
    assert re.search(r"Energy per call fell \d+ %, calls rose \d+ %, and the total still rose \d+ %", text)
    assert "2,104 calls of acme/acme-llm-1: no known factor; energy unknown, not zero" in text
    assert "openai: 1 daily table not received (4 July 2026)" in text
    assert "openai restated 5 June 2026 (completions): 50 calls became 90 calls" in text
    assert "start_time" not in text


def test_every_chart_has_a_table_and_a_download(opened):
    page, test = opened
    charts = len(test.get("vega_lite_chart"))
    expected = {"Overview": (3, 4), "Ceilings": (6, 6), "Teams": (2, 1), "Workflows": (2, 2), "Outcomes": (2, 1)}
    expected |= {"Evidence": (4, 4), "Models": (4, 0), "Inventory": (0, 0), "My team": (0, 0)}
    expected |= {"Levy": (0, 1), "Vendors": (0, 0), "Less, or only better?": (3, 3)}
    assert (charts, len(test.expander)) == expected[page]
    folds = {"Show as table", "Show what each source delivered", "Show what was restated"}
    folds |= {"Show gaps that closed", "Show all accounts", "Show days that are not whole", "Show every posting"}
    assert {expander.label for expander in test.expander} <= folds
    offered = [button.proto.label for button in test.get("download_button")]
    assert offered == ["Download CSV", "Download XLSX"] * (len(offered) // 2)
    assert len(offered) // 2 >= len(test.expander)
    captions = re.findall(r"<caption>([^<]+)</caption>", _html(test))
    assert len(captions) >= len(test.expander)


def test_the_period_changes_the_totals_and_not_the_ceilings(home):
    test = _open(home, "Overview")
    before = _text(test)
    assert test.selectbox(key="period").options == [
        "Whole range",
        "Last 30 days",
        "June 2026",
        "July 2026",
        "August 2026",
    ]
    test.selectbox(key="period").select("June 2026").run()
    assert not test.exception
    answer = snapshot.current(home).query(
        "select sum(call_count) as calls from fct_footprint_daily where usage_date < '2026-07-01'"
    )
    june = int(answer.to_pylist()[0]["calls"])
    after = _text(test)
    assert units.short_count(june).replace("\N{NO-BREAK SPACE}", " ") in after
    finding = "Of 6 ceilings, 2 are exceeded and 1 is on course to be"
    assert finding in before and finding in after


def test_teams_always_show_what_nobody_owns(home):
    test = _open(home, "Teams")
    text = _text(test)
    assert "Orphan: a key or tag that no rule knows" in text
    assert "Unattributed: calls without identity, idle hardware" in text
    assert fixture_marts.HOSTILE_TEAM in text
    test.selectbox(key="team").select("orphan").run()
    assert not test.exception
    # 900 calls a day in the rule of the fixture, so less than 1 % of the organisation's calls
    assert "from the first to the last full week" in _text(test)


def test_nobody_has_a_row_even_when_everything_is_owned(tmp_path):
    fixture_marts.publish(tmp_path, days=0)
    rows = snapshot.current(tmp_path).query("select count(*) as n from fct_team_daily").to_pylist()
    assert rows == [{"n": 0}]
    from datetime import date

    from dashboards.book import Book
    from dashboards.questions import usage

    book = Book(snapshot.current(tmp_path), date(2026, 6, 1), date(2026, 6, 2))
    assert sorted(usage.teams(book)["team_id"]) == ["orphan", "unattributed"]


def test_workflows_filter_search_and_detail(tmp_path):
    fixture_marts.publish(tmp_path, days=1)
    test = _open(tmp_path, "Workflows")
    table = _html(test)
    # contract-check on day 0: round(420 * (1 + 0.05 * sin(14))) = round(420 * 1.049530) = 441 calls of 7.5 Wh
    row = re.search(r"<tr[^>]*><td[^>]*>Contract check<small>.*?</tr>", table).group()
    cells = [unescape(cell).replace("\N{NO-BREAK SPACE}", " ") for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
    # 441 * 0.04 = 17 retries = 3.9 %; 441 * 7.5 Wh = 3.3075 kWh; 441 // 12 = 36 outcomes
    assert cells[0] == "Contract check<small>Legal and contracts</small>"
    assert cells[1] == "Find clauses that need a lawyer<small>S. Ortiz · essential</small>"
    assert cells[2:] == ["441", "3.9 %", "3.308", "7.500", "36", "30 September 2026"]
    assert re.search(r"<td[^>]*>Acme pilot<small>.*?unknown.*?unknown.*?none", table)

    test.text_input(key="workflow-search").input("lawyer").run()
    assert "Contract check<small>" in _html(test)
    assert "Refund agent<small>" not in _html(test)
    test.text_input(key="workflow-search").input("no such thing").run()
    assert "No workflow matches" in _text(test)
    test.text_input(key="workflow-search").input("").run()
    test.selectbox(key="workflow-team").select(fixture_marts.HOSTILE_TEAM).run()
    assert not test.exception
    assert "Refund agent<small>" in _html(test)
    assert "Contract check<small>" not in _html(test)
    test.selectbox(key="workflow").select("hostile-flow").run()
    assert fixture_marts.HOSTILE_JOB in _text(test)


def test_a_workflow_of_unknown_energy_says_so_and_keeps_its_calls(home):
    test = _open(home, "Workflows")
    test.selectbox(key="workflow").select("acme-pilot").run()
    assert not test.exception
    text = _text(test)
    assert "The energy of this workflow is unknown" in text
    assert "2,104" in text
    assert "coverage 0 % of calls" in text


def test_outcomes_with_rates_and_without_outcomes(home):
    text = _text(_open(home, "Outcomes"))
    assert "6 workflows report outcomes; one outcome needs over 5 % more energy than at first in" in text
    assert "not judged" in text
    assert "went into work without a recorded outcome" in text
    # After day 45 a refund call needs 0.55 of the energy, at the same number of calls per outcome.
    test = _open(home, "Outcomes")
    assert "Energy per outcome fell 45 % from the first to the last full week" in _text(test)


ODD = {
    "empty": {"days": 0},
    "one day": {"days": 1},
    "two days without ceilings": {"days": 2, "ceilings": False},
    "energy of nothing known": {"days": 16, "known_energy": False},
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("case", ODD)
def test_odd_builds_break_no_page(tmp_path, case, page):
    fixture_marts.publish(tmp_path, **ODD[case])
    text = _text(_open(tmp_path, page))
    assert "nan" not in text.lower().replace("finance", "").split()
    assert "None" not in text
    if case == "energy of nothing known":
        said = {"Overview": "Energy unknown range unknown no known energy"}.get(page, "unknown (range unknown)")
        assert said in re.sub(r"\s+", " ", text).replace("( ", "(")
        assert "coverage 0 % of calls" in text
        assert not re.search(r"(?<![\d.,])0 kWh", text)
    if case == "empty":
        assert "no days yet" in text
        assert "coverage unknown: no calls" in text


@pytest.mark.parametrize("page", PAGES)
def test_nothing_published_shows_the_next_command(tmp_path, page):
    text = _text(_open(tmp_path, page))
    assert "Nothing is published yet" in text
    assert "make demo" in text


def test_a_rerun_shows_the_newer_build(tmp_path):
    first = fixture_marts.publish(tmp_path, days=1)
    test = _open(tmp_path, "Overview")
    assert first.build_id in _text(test)
    second = fixture_marts.publish(tmp_path, days=2)
    test.run()
    assert second.build_id in _text(test)
    assert first.build_id not in _text(test)
    assert "1 June 2026 to 2 June 2026" in _text(test)
