"""Levy and Vendors under AppTest: amounts by team and month, the fund, the six answers, and files that cannot run.

What does not belong here: what holds for all pages; `test_pages` asks that of these as well.
"""

import csv
import io
import re
from datetime import date
from pathlib import Path

import fixture_levies
import fixture_marts
import pytest
from test_evidence import _rows, _said
from test_pages import _html, _open

from dashboards import tables, words_of_vendors
from dashboards.book import Book
from dashboards.questions import levies, vendors
from pipelines import snapshot
from pipelines.registry.vendors import QUESTIONS


@pytest.fixture(scope="module")
def levy_page(home):
    return _open(home, "Levy")


@pytest.fixture(scope="module")
def book(home):
    return Book(snapshot.current(home), date(2026, 6, 1), date(2026, 8, 29))


def test_each_team_has_its_fee_and_its_shadow_price_of_the_newest_month(levy_page):
    rows = {row[0].split(" | ")[0]: row[1:] for row in _rows(levy_page, "Owed by team and month")}
    assert len(rows) == 5
    # 60 kg at 80 a tonne are 4.80, four times as much at the high end; 50 kg at 300 are 15.00
    assert rows["Claims handling"][:4] == ["60.0 | 30.0 to 240", "4.80 | at most 19.20", "none", "EUR"]
    assert rows[fixture_marts.HOSTILE_TEAM][1:4] == ["4.00 | at most 16.00", "15.00", "EUR"]
    assert rows["Legal and contracts"][1:4] == ["2.00 | at most 8.00", "none", "CHF"]
    unknown = ["unknown", "none posted", "none", "EUR", "unknown carbon: at most 25.00 EUR more"]
    assert rows["Product search"] == unknown


def test_sums_are_by_currency_and_say_what_nobody_owns(home):
    text = _said(home, "Levy")
    # 4.80 + 4.00 + 0.80; francs apart
    assert "Owed for carbon: 2.00 CHF; 9.60 EUR, 0.80 EUR of it for what nobody owns, August 2026" in text
    assert "A source has delivered days of July 2026 again" not in text
    page = _open(home, "Levy")
    page.selectbox(key="levy-month").select("July 2026").run()
    assert "A source has delivered days of July 2026 again" in _html(page)
    page.selectbox(key="levy-month").select("All months shown").run()
    assert len(_rows(page, "Owed by team and month")) == 15
    assert "28.80 EUR, 2.40 EUR of it" in _html(page).replace("\N{NO-BREAK SPACE}", " ")


def test_the_fund_holds_what_fees_brought_less_what_was_used_and_no_shadow(levy_page, home):
    # three months of 9.60 less 3.30; three of 2.00
    funds = _rows(levy_page, "Funds")
    assert funds == [
        ["Organisation", "EUR", "28.80", "3.30", "25.50"], ["Legal and contracts", "CHF", "6.00", "0.00", "6.00"]
    ]  # fmt: skip
    assert "Left in the funds: Organisation 25.50 EUR; Legal and contracts 6.00 CHF" in _said(home, "Levy")
    (use,) = _rows(levy_page, "Uses of proceeds")
    assert use[1:] == ["29 August 2026", "Organisation", "3.30", "EUR", "Board", "Minutes 4"]
    prices = {row[0]: row[1:] for row in _rows(levy_page, "Prices of carbon")}
    assert prices["digital-shadow | shadow price"][:3] == ["Digital | by Board", "300.00", "EUR"]
    assert prices["org-fee | fee"][3:] == ["June 2026 to August 2026 | location-based", "360.0", "28.80"]
    postings = _rows(levy_page, "Postings")
    assert len(postings) == 3 * 11 + 2
    sums = [sum(float(row[column]) for row in postings if row[column] != "–") for column in (4, 5)]
    assert sums[0] == pytest.approx(sums[1]) and sums[0] > 0


def test_a_vendor_has_six_answers_in_words_a_verdict_and_its_month(home):
    page = _open(home, "Vendors")
    rows = {row[0].split(" | ")[0]: row[1:] for row in _rows(page, "Vendors and six questions")}
    assert rows["Fair"] == ["● yes"] * 6 + ["● answers all six", "4.00 | 40.0 % of all1,200 calls12.50 USD"]
    loud = rows[fixture_marts.HOSTILE_TEAM]
    assert loud[:3] == ["no answer", "◆ said, not shown", "no answer"]
    assert loud[6:] == ["■ a cheaper meter", "unknown | at most 7.0030 calls"]
    assert rows["acme"][0] == "not asked" and rows["acme"][6:] == ["not asked", "not used"]
    said = _said(home, "Vendors")
    assert "1 of 2 vendors asked is a cheaper meter, 1 answers all six questions" in said
    assert "; 1 other in usage was not asked" in said
    assert "7 answers on record, 5 not given" in said
    answers = _rows(page, "Answers of vendors")
    assert len(answers) == 12  # of those asked
    page.selectbox(key="vendor").select("Fair").run()
    assert _rows(page, "Answers of vendors")[1] == [
        "Against which baseline is it measured? | Fair", "● yes", "It is so", "Annex 2 | https://fair.example/2",
        "9 August 2026", "20"]  # fmt: skip


def test_the_six_questions_are_those_of_the_registry():
    assert tuple(words_of_vendors.QUESTIONS) == fixture_levies.QUESTIONS == QUESTIONS
    macro = (Path(__file__).parents[2] / "dbt_project" / "macros" / "vendors.sql").read_text()
    assert tuple(re.findall(r"'(\w+)'[,\]]", macro)) == QUESTIONS


def test_marts_without_rows_and_an_earlier_build_say_so(tmp_path):
    fixture_marts.publish(tmp_path, days=20, evidence=False)
    assert "Carbon has no price in these months" in _said(tmp_path, "Levy")
    assert "No vendor is in usage or in the registry" in _said(tmp_path, "Vendors")
    fixture_marts.publish(tmp_path, days=20, earlier=True)
    assert "Not in this build: what carbon costs inside the organisation" in _said(tmp_path, "Levy")
    assert "Not in this build: what vendors answered" in _said(tmp_path, "Vendors")


def test_no_file_holds_a_formula(book):
    for frame, key in ((levies.uses(book), "purpose"), (vendors.answers(book), "answer_text")):
        cells = [row["x"] for row in csv.DictReader(io.StringIO(tables.csv_text(frame, [tables.Column(key, "x")])))]
        assert "'" + fixture_marts.HOSTILE_JOB in cells
