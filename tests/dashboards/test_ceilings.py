"""Ceilings under AppTest: where each stands, what stops next, who adopted it, and what was tried and refused.

What does not belong here: what holds for all pages; `test_pages` asks that of this one as well.
"""

from datetime import date
from types import SimpleNamespace

import fixture_ceilings
import fixture_marts
import pandas
import pytest
from test_evidence import _rows, _said
from test_pages import _html, _open

from dashboards import words_of_ceilings as said


@pytest.fixture
def page(home):
    return _open(home, "Ceilings")


def test_each_ceiling_says_where_it_stands_and_where_it_leads(page, home):
    rows = {row[0].split(" | ")[0]: row[1:] for row in _rows(page, "Ceilings in force")}
    assert len(rows) == 6
    assert rows["Organisation energy"][0] == "▲ on course to exceed"
    assert rows["Organisation energy"][6].startswith("31 August 2026 | ")
    assert rows["Product search: calls"][0] == "■ exceeded | since 29 August 2026"
    # even 1.9 times the central figure would be above the limit of 1.5 times: not within
    assert rows["Claims handling: energy"][0] == "◆ undecided" and rows["Claims handling: energy"][7] == "0 %"
    # calls are counted: no range; what is left of an exceeded ceiling is nothing
    assert " to " not in rows["Product search: calls"][1] and rows["Product search: calls"][3] == "0"
    text = _said(home, "Ceilings")
    assert "Organisation carbon is undecided: the range of the forecast reaches beyond the ceiling" in text
    assert "Product search: calls have exceeded their ceiling since 29 August 2026" in text


def test_what_stops_next_is_in_order_and_leaves_out_what_touches_nothing(page):
    rows = _rows(page, "What stops next")
    assert [row[0] for row in rows] == ["Comfort work is slowed | rule slow-comfort",
                                        "Useful work goes to batches | rule batch-useful"]  # fmt: skip
    assert rows[0][2] == "since 15 August 2026"
    assert rows[0][3] == "2 workflows | Bildtexte <b>neu</b>, Review summaries" and rows[0][4] == "20.0 %"
    assert rows[1][2] == "31 August 2026 | earliest 30 August 2026"
    assert rows[1][3] == "1 workflow | Refund agent · use of 1 unknown" and rows[1][4] == "none known"
    finding = "1 step is in effect; next, useful work goes to batches on 31 August 2026 (Organisation calls)"
    assert finding in _html(page).replace("\N{NO-BREAK SPACE}", " ")
    page.selectbox(key="step-ceiling").select("c3").run()
    assert not page.exception and _rows(page, "What stops next") == []


def test_who_adopted_a_ceiling_and_what_was_refused(page, home):
    adopted = _rows(page, "Ceilings as they were adopted")
    assert len(adopted) == 7 and adopted[0][0] == "Organisation calls | to come"
    assert adopted[0][1:3] == ["1 September 2026", "30 November 2026"]
    assert adopted[0][4:] == ["Executive Board | 18 May 2026", f"{fixture_ceilings.HOSTILE_REASON} | Minutes 14"]
    refused = _rows(page, "Attempts that were refused")
    assert [row[2] for row in refused] == [
        "to adopt a limit of =2+2 | by a file that was imported", "to delete it | by SQL, in the database itself",
        "to adopt a limit of 9,000 kWh | by command",
    ]  # fmt: skip
    assert refused[2][0] == "3 August 2026 | 14:05" and refused[0][1] == "Not fully named"
    assert "1 ceiling is adopted for a period to come" in _said(home, "Ceilings")


def test_an_earlier_build_says_what_it_lacks_and_a_build_without_ceilings_how_to_set_one(tmp_path):
    fixture_marts.publish(tmp_path, days=20, earlier=True)
    text = _said(tmp_path, "Ceilings")
    assert "Not in this build: what stops next, who adopted each ceiling, attempts that were refused, intervals" in text
    assert "Of 6 ceilings" in text
    fixture_marts.publish(tmp_path, days=20, ceilings=False)
    text = _said(tmp_path, "Ceilings")
    assert "No ceiling is set" in text and "Nobody tried to raise, move or delete a ceiling" in text


def _steps(*rows):
    names = ("ceiling_id", "name", "perimeter_type", "perimeter_id", "usefulness_class", "action", "is_reached",
             "begins_date", "begins_date_low")  # fmt: skip
    return pandas.DataFrame([dict(zip(names, row, strict=True)) for row in rows])


def test_a_workflow_meets_the_strictest_step_in_effect_or_the_first_to_come():
    day = date(2026, 8, 1)
    steps = _steps(
        ("a", "A", "team", "t", "comfort", "slow", True, day, day),
        ("b", "B", "organisation", "o", "comfort", "smaller_model", True, day, day),
        ("w", "W", "workflow", "other", "comfort", "stop", True, day, day),
        ("a", "A", "team", "t", "useful", "stop", False, day, day),
        ("b", "B", "organisation", "o", "experimental", "stop", False, None, day),
    )
    flow = SimpleNamespace(workflow_id="mine", usefulness_class="comfort")
    assert said.at_the_gate(flow, steps).startswith("goes to a smaller model since 1")
    flow.workflow_id = "other"
    assert said.at_the_gate(flow, steps).replace("\N{NO-BREAK SPACE}", " ") == "stops since 1 August 2026: W"
    flow.usefulness_class = "useful"
    assert said.at_the_gate(flow, steps).replace("\N{NO-BREAK SPACE}", " ") == "stops on 1 August 2026: A"
    flow.usefulness_class = None  # experimental, as nobody declared it
    assert said.at_the_gate(flow, steps) == "nothing is expected in this period"
    flow.usefulness_class = "essential"
    assert said.at_the_gate(flow, steps) == "essential: always passes"


def test_a_step_is_overtaken_by_a_stricter_one_of_its_ceiling_and_class():
    day = date(2026, 8, 1)
    steps = _steps(
        ("a", "A", "team", "t", "comfort", "slow", True, day, day),
        ("a", "A", "team", "t", "comfort", "batch", True, day, day),
        ("b", "B", "team", "t", "comfort", "slow", True, day, day),
        ("a", "A", "team", "t", "comfort", "stop", False, day, day),
        ("a", "A", "team", "t", "useful", "stop", False, None, day),
        ("b", "B", "team", "t", "useful", "stop", False, None, None),
    )
    in_effect = said.strictest(steps)
    assert [said.state(row, in_effect) for row in steps.itertuples()] == [
        said.OVERTAKEN, "in effect", "in effect", "expected", "possible", "not expected",
    ]  # fmt: skip
