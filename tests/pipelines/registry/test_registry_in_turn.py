"""Entries that lean on each other are recorded in one transaction: all of them, or none."""

from datetime import date
from decimal import Decimal

import pytest
from sqlmodel import Session, func, select

from pipelines.errors import JevonsError
from pipelines.registry import book
from pipelines.registry.changes import ChangeDraft
from pipelines.registry.decisions import RatchetDraft, ReviewDraft
from pipelines.registry.drafts import CeilingDraft, Recording
from pipelines.registry.models import KINDS, RefusedAttempt

CHANGE = KINDS["changes"], ChangeDraft(
    change_id="seen", change_type="undeclared", change_date=date(2026, 7, 15), origin="detected",
    workflow_ids="letters", valid_from=date(2026, 7, 15))
REVIEW = KINDS["reviews"], ReviewDraft(change_id="seen", after_days=30, outcome="cap")


def lower(limit: str) -> tuple:
    """The ceiling of the organisation with another limit."""
    return KINDS["ceilings"], CeilingDraft(
        ceiling_id="org-kwh", perimeter_type="organisation", perimeter_id="organisation", metric="energy_kwh",
        period_start=date(2026, 6, 1), period_end=date(2026, 9, 1), limit_quantity=Decimal(limit), adopted_by="Board")


def adopted(change_id: str) -> tuple:
    """The decision that lowers it to 1,100."""
    return KINDS["ratchets"], RatchetDraft(
        change_id=change_id, decision="adopted", ceiling_id="org-kwh", limit_before_quantity=Decimal("1200.5"),
        limit_quantity=Decimal(1100))


@pytest.fixture()
def in_turn(put, engine):
    """Records entries one after the other into a registry that knows teams, workflows and ceilings."""
    put.all()
    recording = Recording(recorded_by="Head of claims", reason="volume", recorded_at_utc=put.now)
    return lambda *entries: book.record_in_turn(engine, entries, recording)


@pytest.fixture()
def count(engine):
    """How many rows a table of the registry has."""

    def count(table):
        with Session(engine) as session:
            return session.exec(select(func.count()).select_from(table)).one()

    return lambda *names: tuple(
        count(RefusedAttempt if name == "attempts" else KINDS[name].table) for name in names)


def test_an_entry_is_judged_with_those_before_it(in_turn, count):
    assert in_turn(CHANGE, REVIEW) == [] and count("changes", "reviews") == (1, 1)


def test_where_a_later_entry_is_refused_the_earlier_ones_are_taken_back(in_turn, count):
    refusal, = in_turn(lower("1100"), adopted("nobody"))
    assert refusal.rule == "the registry knows no change 'nobody'"
    assert count("ceilings", "ratchets", "attempts") == (2, 0, 0)  # the two of the file


def test_a_ceiling_that_is_refused_first_is_among_the_attempts(in_turn, count):
    in_turn(CHANGE)
    refusal, = in_turn(lower("1300"), adopted("seen"))
    assert refusal.field == "limit_quantity"
    assert count("ceilings", "ratchets", "attempts") == (2, 0, 1)


def test_a_crash_between_two_entries_leaves_none_of_them(in_turn, count, monkeypatch):
    in_turn(CHANGE)
    recorded = book._record

    def stops(session, kind, *words):
        if kind.name == "ratchets":
            raise KeyboardInterrupt
        return recorded(session, kind, *words)

    monkeypatch.setattr(book, "_record", stops)
    with pytest.raises(KeyboardInterrupt):
        in_turn(lower("1100"), adopted("seen"))
    monkeypatch.setattr(book, "_record", recorded)
    assert count("ceilings", "ratchets") == (2, 0)
    assert in_turn(lower("1100"), adopted("seen")) == [] and count("ceilings", "ratchets") == (3, 1)


def test_a_database_that_may_not_be_written_names_all_that_was_to_be_recorded(in_turn, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("pragma query_only = on")
    with pytest.raises(JevonsError, match="changes and reviews in the registry"):
        in_turn(CHANGE, REVIEW)
