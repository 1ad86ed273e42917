"""Efficiency changes and what is decided about them: kept as versions, and refused where they would mean nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, text

from pipelines.registry.export import current_rows
from pipelines.registry.models import KINDS
from pipelines.registry.store import versions

CHANGES = (
    "change_id,change_type,change_date,workflow_ids,expected_saving_ratio,expected_source,design,owner,origin,"
    "valid_from,valid_to\n"
    "mini,model_swap,2026-07-15,sums; letters,0.6,Vendor's white paper,randomised order,Head of claims,,2026-07-01,\n"
)
REVIEWS = "change_id,after_days,outcome,decided_by,decided_at_utc,reason\nmini,30,cap,,,\n"
RATCHETS = (
    "change_id,decision,ceiling_id,limit_before_quantity,limit_quantity,decided_by,decided_at_utc,reason\n"
    "mini,declined,org-kwh,1200.5,1200.5,Board,2026-08-20T09:00:00Z,Volume is still growing\n"
)


def test_a_change_is_told_once_for_each_of_its_workflows(put, engine):
    put.all()
    assert put.one("changes", CHANGES).accepted == 1 and put.one("changes", CHANGES).unchanged == 1
    rows = current_rows(engine)["changes"]
    assert [(row["change_id"], row["workflow_id"]) for row in rows] == [("mini", "letters"), ("mini", "sums")]
    assert (rows[0]["expected_saving_ratio"], rows[0]["origin"], rows[0]["change_date"]) == (
        Decimal("0.6"), "declared", date(2026, 7, 15))
    withdrawn = CHANGES.replace("2026-07-01,\n", "2026-07-01,2026-07-01\n")
    assert put.one("changes", withdrawn).accepted == 1 and current_rows(engine)["changes"] == []


@pytest.mark.parametrize(("change", "said"), [
    (("model_swap", "magic"), "quantisation"), (("0.6", "1.2"), "nobody saves more than all"),
    (("sums; letters", "sums;sums"), "a workflow is named twice"), (("sums; letters", "sums, letters"), "cells"),
    (("sums; letters", "sums;"), "is not an id"), (("letters", "dreams"), "the registry knows no workflow 'dreams'"),
    (("randomised order", "by lot"), "randomised order"),
])
def test_what_would_be_no_change_is_refused_with_the_way_out(put, sentence, change, said):
    put.all()
    assert said in sentence("changes", CHANGES.replace(*change))


def test_an_answer_is_kept_with_who_gave_it_and_another_one_stands_beside_it(put, engine):
    put.all()
    put.one("changes", CHANGES)
    assert put.one("reviews", REVIEWS).accepted == 1
    assert put.one("reviews", REVIEWS, at=datetime(2026, 9, 1, tzinfo=UTC)).unchanged == 1  # the same answer, later
    assert put.one("reviews", REVIEWS.replace("cap", "hand_back"), by="Board").accepted == 1
    with Session(engine) as session:
        first, second = versions(session, KINDS["reviews"], "mini:30")
    assert (first.outcome, first.decided_by, first.reason) == ("cap", "Data office", "first import")
    assert (first.decided_at_utc, first.valid_from) == (datetime(2026, 5, 20, 12), date(2026, 5, 20))
    assert (second.outcome, second.decided_by, second.supersedes) == ("hand_back", "Board", first.row_id)
    row, = current_rows(engine)["reviews"]
    assert (row["review_id"], row["after_days"], row["outcome"]) == ("mini:30", 30, "hand_back")
    for statement in ("update reviews set outcome = 'keep'", "delete from reviews", "delete from changes"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))


@pytest.mark.parametrize(("kind", "content", "change", "said"), [
    ("reviews", REVIEWS, ("30", "60"), "write 30 or 90"), ("reviews", REVIEWS, ("cap", "praise"), "hand_back"),
    ("reviews", REVIEWS, ("mini", "maxi"), "the registry knows no change 'maxi'"),
    ("ratchets", RATCHETS, ("declined", "forgotten"), "adopted"),
    ("ratchets", RATCHETS, ("mini", "maxi"), "the registry knows no change 'maxi'"),
])
def test_what_would_be_no_decision_is_refused(put, sentence, kind, content, change, said):
    put.all()
    put.one("changes", CHANGES)
    assert said in sentence(kind, content.replace(*change))


def test_a_decision_on_a_ceiling_keeps_both_limits(put, engine):
    put.all()
    put.one("changes", CHANGES)
    assert put.one("ratchets", RATCHETS).accepted == 1
    row, = current_rows(engine)["ratchets"]
    assert (row["decision"], row["limit_before_quantity"], row["decided_by"], row["reason"]) == (
        "declined", Decimal("1200.5"), "Board", "Volume is still growing")
