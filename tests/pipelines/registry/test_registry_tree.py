"""Ceilings below a ceiling sum to no more than it, whichever is adopted first and whatever level is left out."""

import random
from datetime import date
from decimal import Decimal

import pytest

from pipelines.registry import book
from pipelines.registry.drafts import CeilingDraft, Recording
from pipelines.registry.export import current_rows
from pipelines.registry.models import KINDS

HEADER = "perimeter_type,perimeter_id,metric,period_start,period_end,limit_quantity\n"
SUMMER = "2026-06-01,2026-09-01"


@pytest.fixture
def adopt(put):
    """`adopt("unit,insurance", 5)` is the sentence with which that ceiling is refused, or "" where it binds."""
    put.one("teams", put.teams + "care,Care,insurance,Insurance,US,2026-01-01,\n")
    put.one("workflows", put.workflows)

    def adopt(place, limit, metric="energy_kwh", period=SUMMER):
        refused = put.one("ceilings", HEADER + f"{place},{metric},{period},{limit}\n").refused
        return refused[0].sentence().removeprefix("ceilings.csv, line 2, limit_quantity: ") if refused else ""

    return adopt


def test_teams_share_what_their_unit_has(adopt):
    assert adopt("unit,insurance", 100) == ""
    assert adopt("team,claims", "60.5") == ""
    assert adopt("team,care", 40) == (
        "with it the ceilings below the unit insurance would sum to 100.5, more than its 100;"
        " adopt at most 39.5, or lower the others first."
    )
    assert adopt("team,care", "39.5") == ""
    assert adopt("team,tax", 1000) == ""  # of another unit
    assert adopt("team,care", 500, metric="requests") == ""  # another metric
    assert adopt("team,care", 500, period="2026-09-01,2026-12-01") == ""  # another period


def test_a_parent_is_not_lowered_below_what_it_has_handed_out(adopt):
    assert (adopt("unit,insurance", 100), adopt("team,claims", 60), adopt("team,care", 40)) == ("", "", "")
    assert adopt("unit,insurance", 99) == (
        "the ceilings below the unit insurance sum to 100, more than 99; lower those first.")
    assert adopt("team,claims", 50) == ""
    assert adopt("unit,insurance", 90) == ""


def test_a_parent_that_comes_later_holds_what_is_there(adopt):
    assert (adopt("team,claims", 60), adopt("team,tax", 40), adopt("workflow,letters", 60)) == ("", "", "")
    assert adopt("organisation,organisation", 99) == (
        "the ceilings below the organisation sum to 100, more than 99; lower those first.")
    assert adopt("organisation,organisation", 100) == ""
    assert adopt("workflow,letters", 61).startswith("61 is above the 60 that stand")


def test_no_level_can_be_left_out_to_hand_out_more(adopt):
    assert adopt("organisation,organisation", 100) == ""
    assert adopt("workflow,letters", 80) == ""  # its team and its unit have none
    assert adopt("workflow,sums", 30) == (
        "with it the ceilings below the organisation would sum to 110, more than its 100;"
        " adopt at most 20, or lower the others first."
    )
    assert adopt("unit,advisory", 25) != "" and adopt("unit,advisory", 20) == ""
    assert adopt("team,claims", 70) == "the ceilings below the team claims sum to 80, more than 70; lower those first."
    assert adopt("team,claims", 81) != "" and adopt("team,claims", 80) == ""


def test_countries_and_services_cross_the_tree(adopt):
    assert adopt("organisation,organisation", 10) == ""
    assert (adopt("country,FR", 900), adopt("service,openai", 900)) == ("", "")


def test_children_adopted_together_are_judged_together(adopt, put):
    assert adopt("unit,insurance", 100) == ""
    result = put.one("ceilings", HEADER + f"team,claims,energy_kwh,{SUMMER},60\nteam,care,energy_kwh,{SUMMER},60\n")
    assert (result.accepted, [finding.line for finding in result.refused]) == (1, [3])


def test_no_order_of_adoptions_hands_out_more_than_there_is(engine, adopt, put):
    """Judged by walking the tree anew from the leaves, after each of 300 random attempts."""
    dice = random.Random(4)
    below = {"organisation": ["insurance", "advisory"], "insurance": ["claims", "care"], "advisory": ["tax"],
             "claims": ["letters"], "tax": ["sums"], "care": [], "letters": [], "sums": []}
    kinds = {"organisation": "organisation", "insurance": "unit", "advisory": "unit", "claims": "team",
             "care": "team", "tax": "team", "letters": "workflow", "sums": "workflow"}
    recording = Recording(recorded_by="Board", reason="Test", recorded_at_utc=put.now)
    accepted = 0
    for _ in range(300):
        place = dice.choice(list(below))
        outcome = book.record(engine, KINDS["ceilings"], [CeilingDraft(
            perimeter_type=kinds[place], perimeter_id=place, metric="tokens", period_start=date(2026, 1, 1),
            period_end=date(2026, 4, 1), limit_quantity=Decimal(dice.randrange(100)))], recording)
        accepted += len(outcome.accepted)
        limits = {row["perimeter_id"]: row["limit_quantity"] for row in current_rows(engine)["ceilings"]}

        def claimed(place, limits=limits):
            return limits[place] if place in limits else sum(map(claimed, below[place]))

        for place, limit in limits.items():
            assert sum(claimed(child, limits) for child in below[place]) <= limit
    assert accepted > 10
