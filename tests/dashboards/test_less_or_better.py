"""Less, or only better under AppTest: the waterfall adds up, a review has its command, no ground is no cause.

What does not belong here: what holds for all pages; `test_pages` asks that of this one as well.
"""

import csv
import io
import json
import shlex
from datetime import date

import fixture_marts
import pandas
import pytest
from fixture_rebound import SEEN, SWAP
from streamlit.testing.v1 import AppTest
from test_evidence import _rows, _said
from test_pages import _open, _script, _text

from dashboards import charts, tables, words, words_of_decomposition, words_of_efficiency
from dashboards.book import Book
from dashboards.questions import decompositions, efficiency
from dashboards.views import governance
from pipelines import snapshot

NAME = "Less, or only better?"


@pytest.fixture(scope="module")
def whole(home):
    return _open(home, NAME)


@pytest.fixture(scope="module")
def book(home):
    return Book(snapshot.current(home), date(2026, 6, 1), date(2026, 8, 29))


def _of(home, of):
    test = AppTest.from_function(_script, args=(str(home), NAME), default_timeout=60)
    test.query_params["of"] = of
    return test.run()


def _bars(test, place=0):
    """Name, begin, end of the bars of a waterfall, by the name of the bar."""
    spec = json.loads(test.get("vega_lite_chart")[place].proto.spec)
    rows = [row for one in spec["layer"] if one["mark"]["type"] == "bar" for row in one["data"]["values"]]
    return {row["name"]: (row["begin"], row["end"], row["kind"]) for row in rows}


def test_the_effects_lead_from_one_total_to_the_other_and_the_finding_says_which(whole):
    text = _text(whole)
    # 117 / 130 = 0.9; a day of it: (117 / 29) / (130 / 31) - 1 = -3.8 %
    assert "Energy of the organisation fell 10.0 %; down: a token takes less, fewer days" in text
    assert "against that: more work was done a day" in text and "A day of it fell 3.8 %" in text
    assert _bars(whole) == {
        "July 2026": (0, 130, "total"), "Days of the period": (130, 122, "less"), "Activity": (122, 127, "more"),
        "Energy per token": (127, 117, "less"), "August 2026": (0, 117, "total"),
    }  # fmt: skip


def test_what_is_no_change_of_use_is_grey_and_what_is_unknown_is_in_no_bar(home):
    test = _open(home, NAME)
    test.selectbox(key="less-pair").select("June 2026 to July 2026").run()
    bars, text = _bars(test), _text(test)
    assert bars["Estimated anew"] == (138, 132, "apart") and bars["Became known or unknown"] == (132, 130, "apart")
    assert bars["Unknown, in no bar"][2] == "unknown" and bars["Unknown, in no bar"][0] == 126  # 130 - 4
    assert "rose 30.0 %; up: more work was done a day, more tokens are asked of a call" in text
    assert "against that: a token takes less" in text
    assert "Known for 99.0 % of calls before and 98.0 % after" in text and "between −4.00 kWh and +9.00 kWh" in text
    assert "Grey: −6.00 kWh, estimated lower, no saving; −2.00 kWh, less of it is known, no saving" in text
    assert len(_rows(test, "Effects by part")) == 7
    charts_before = len(test.get("vega_lite_chart"))
    test.selectbox(key="less-measure").select("market_kgco2e").run()
    assert "cannot be compared: a total is unknown" in _text(test) and not test.exception
    assert len(test.get("vega_lite_chart")) == charts_before - 1  # nothing is drawn of what is not known


def test_a_total_that_fell_by_what_became_unknown_names_no_saving():
    said = words_of_decomposition.finding("Energy", 100.0, 60.0, {"coverage": -50.0, "activity": 10.0})
    assert said == "Energy fell 40.0 %; against that: more work was done a day".replace(" %", "\N{NO-BREAK SPACE}%")


def test_what_is_mostly_unknown_is_not_said_to_be_zero():
    said = words_of_decomposition.finding("Carbon", 0.0, 0.0, {}, coverage=0.94)
    assert said == "Carbon, as far as it is known, is zero in both periods"
    assert words_of_decomposition.finding("Carbon", 0.0, 0.0, {}, coverage=0.95) == "Carbon is zero in both periods"


def test_the_register_says_whether_it_was_less_or_only_better(whole):
    rows = {row[0].split(" | ")[0]: row for row in _rows(whole, "Register of efficiency changes")}
    assert rows[SWAP][2] == "50 % less | Letter of the vendor"
    assert rows[SWAP][4] == "only better: offset by volume | a call −40.0 % · calls +80.0 % · total +8.0 %"
    assert rows[SEEN][3].startswith("Wh per call −45.0 % | 1.80 to 0.990")
    assert rows[SEEN][4].startswith("less | ") and rows[SEEN][5] == "not yet"
    assert fixture_marts.HOSTILE_TEAM in rows[SEEN][1]
    said = "2 changes, 1 detected and not declared: the total fell with 1, volume offset the saving of 1"
    assert said in _text(whole)


def test_a_review_that_is_owed_shows_what_the_data_answer_and_what_to_type(whole):
    assert "1 of 3 reviews is owed, the first since 14 August 2026; 1 answered" in _text(whole)
    reviews = _rows(whole, "Workload reviews")
    assert [row[3] for row in reviews] == ["■ owed", "◆ not yet due", "● answered"]
    assert "hand the saving back" in reviews[2][5]
    answers = {row[1]: row[2:] for row in _rows(whole, "What the data answer")}
    assert answers["Energy of a call"] == ["10.0 Wh", "6.00 Wh", "−40.0 %"]  # 10 kWh of 1000, 10.8 of 1800
    assert answers["Background runs"] == ["0", "90", ""] and answers["Retries"] == ["–", "–", ""]
    assert answers["Quality: claims settled"] == ["50", "55", "+10.0 %"]
    assert answers["Workflows with more calls or other models"][1] == "claims-letters"
    row = type("Row", (), {"change_id": SWAP, "after_days": 30})
    command = words_of_efficiency.answer_command(row)
    assert command in _text(whole) and shlex.split(command)[3:6] == [SWAP, "--after", "30"]


def test_a_review_that_a_team_owes_leads_to_what_the_data_answer():
    owed = {"task": "review_change", "what": "Review <a> change", "detail": "<i>", "workflow_id": "a&b c"}
    row = type("Row", (), owed)
    assert governance.task(row) == (
        '<td><a href="less-or-better?of=workflow/a%26b%20c" target="_self">Review &lt;a&gt; change</a>'
        "<small>&lt;i&gt;</small></td>"
    )
    row.task = "review"
    assert "href" not in governance.task(row)


def test_no_rebound_is_called_causal_without_its_ground(whole):
    assert "1 of 2 changes backfired at some level; 1 may be called causal" in _text(whole)
    rows = {(row[0].split(" | ")[0], row[1][0]): row for row in _rows(whole, "Rebound by level of evidence")}
    assert set(rows) == {(SWAP, "1"), (SWAP, "3"), (SEEN, "1"), (SEEN, "2")}  # the level without a figure is told below
    assert rows[SWAP, "1"][2:4] == ["1.16 | no interval", "backfire: more is used"]
    assert rows[SWAP, "3"][2] == "0.80 | 0.50 to 1.10"
    for key in ((SWAP, "1"), (SWAP, "3"), (SEEN, "1")):
        assert rows[key][4].startswith("Not causal"), key
    assert rows[SEEN, "2"][4] == "Causal if the trend would have gone on"
    assert "no figure at level 2 (too few weeks)" in rows[SWAP, "1"][4]
    row = type("Row", (), {"rebound_ratio": 0.5, "warrant": None, "gap_reason": ""})
    assert words_of_efficiency.warrant(row) == "Not causal: no ground is told"


def test_a_saving_proposes_a_ceiling_and_the_account_says_what_growth_took_back(whole):
    first = _rows(whole, "What savings propose")[0]
    assert first[0].startswith(SEEN) and first[1] == "5.00 | 2.00 to 9.00"
    assert [float(cell) for cell in first[3:6]] == [100, 6, 94]
    assert "10.0 kWh saved per call, growth took back 6.00 kWh, 0 kWh handed back" in _text(whole)
    assert f"jevons ratchet adopt {SEEN} " in _text(whole)


def test_the_docket_sets_claims_beside_what_came_true(whole):
    rows = {row[0].split(" | ")[0]: row for row in _rows(whole, "Docket of claims")}
    assert rows["Half the energy"][3:5] == ["−40.0 % | −45.0 % to −35.0 %", "+8.0 % | −4.0 % to +20.0 %"]
    assert rows["Half the energy"][5] == "▲ offset by volume | estimated: no meter read any of it"
    assert rows["100x less energy"][5].startswith("◆ not testable | it names no workload")
    assert rows[fixture_marts.HOSTILE_JOB][5] == "● confirmed | a meter read 50 % before, 75 % after"
    assert "3 claims: 1 confirmed, 1 offset by volume, 1 not testable" in _text(whole)


def test_training_says_runs_and_how_far_apart(whole):
    text = _text(whole)
    assert "Energy of training runs of the organisation fell 50.0 %; down: fewer runs a day" in text
    assert "Before: 3 runs, on average 17.5 days after the previous one; after: 2 runs." in text


def test_the_address_names_the_perimeter_and_each_section_is_of_it(home):
    test = _of(home, "workflow/claims-triage")
    assert not test.exception and test.selectbox(key="less-of").value == "workflow/claims-triage"
    assert [row[0].split(" | ")[0] for row in _rows(test, "Register of efficiency changes")] == [SWAP]
    assert [row[0].split(" | ")[0] for row in _rows(test, "Docket of claims")] == ["Half the energy"]
    assert [row[0] for row in _rows(test, "Running account of savings")] == ["Claims handling"]
    assert "No training run is known here" in _text(test)
    assert words.rebound_finding(pandas.DataFrame()).startswith("Energy and calls cannot be compared yet")
    test.selectbox(key="less-per").select("An outcome: claims settled").run()
    assert "Energy per outcome" in _text(test) and "fct_outcome_daily" in _text(test)
    test.selectbox(key="less-of").select("team/search").run()
    assert test.query_params["of"] == "team/search" and not test.exception
    text = _text(test)
    assert "Two months are needed to compare" in text and "No review is owed: no change is known" in text
    assert fixture_marts.HOSTILE_JOB in [row[0].split(" | ")[0] for row in _rows(test, "Docket of claims")]


def test_a_team_holds_the_claims_on_its_workflows_and_no_other(book):
    known = {one.key: one for one in decompositions.perimeters(book)}
    claimed = {key: set(efficiency.claims(book, known[key])["claim_id"]) for key in ("team/claims", "team/legal")}
    assert claimed == {"team/claims": {"half"}, "team/legal": set()}
    # workflow_ids is a list: an id that is a part of another one is not in it
    part = decompositions.Perimeter("workflow", "claims", "c", "claims")
    assert efficiency.changes(book, part).empty


def test_marts_without_rows_and_an_earlier_build_say_so(tmp_path):
    fixture_marts.publish(tmp_path, days=20, evidence=False)
    text = _said(tmp_path, NAME)
    for said in ("Two months are needed", "No efficiency change is declared", "No review is owed", "No claim of",
                 "No saving is booked here yet", "No saving proposes", "no change whose rebound"):  # fmt: skip
        assert said in text.replace("There is no", "no"), said
    fixture_marts.publish(tmp_path, days=20, earlier=True)
    assert "Not in this build: why the total changed, the register of efficiency changes" in _said(tmp_path, NAME)


def test_no_file_holds_a_formula(book):
    claims = efficiency.claims(book, decompositions.ORGANISATION)
    written = csv.DictReader(io.StringIO(tables.csv_text(claims, [tables.Column("claim_text", "x")])))
    assert "'" + fixture_marts.HOSTILE_JOB in [row["x"] for row in written]


def test_a_wide_unknown_is_cut_off_and_squashes_no_bar():
    rows = pandas.DataFrame(
        [("a", 0.0, 10.0, "total", "10"), ("u", -990.0, 1010.0, "unknown", "?")],
        columns=["name", "begin", "end", "kind", "said"],
    )
    spec = charts.waterfall(rows, "kWh", "d")
    low, high = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert (low, high) == (0, pytest.approx(11.4))
    ends = [row["end"] for one in spec["layer"] for row in one["data"]["values"]]
    assert max(ends) <= high
