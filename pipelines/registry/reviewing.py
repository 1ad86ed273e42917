"""Answers reviews and decides on proposed ceilings, by the published build and what was recorded since.

Words on a terminal belong in `review_commands`; what a decision is, in `decisions`; if it may be recorded, in `book`.
"""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Engine
from sqlmodel import Session

from pipelines.errors import JevonsError
from pipelines.registry import book, ceilings
from pipelines.registry.changes import WORKFLOWS, ChangeDraft
from pipelines.registry.decisions import RatchetDraft, ReviewDraft, review_id
from pipelines.registry.drafts import CeilingDraft, Draft, Recording, problems
from pipelines.registry.models import KINDS, Kind
from pipelines.registry.store import current, versions

_DECIDED = ("decided_by", "decided_at_utc", "reason")


def reviews(home: Path, engine: Engine) -> list[dict[str, Any]]:
    """The reviews of the published build; one that was answered since then says so.

    Raises:
        JevonsError: if nothing is published yet, or the build is older than reviews are.
    """
    with Session(engine) as session:
        answers = current(session, KINDS["reviews"])
    rows = _published(home, "select * from fct_workload_review order by due_date, change_id, after_days")
    for row in rows:
        answer = answers.get(review_id(row["change_id"], row["after_days"]))
        if answer is not None:
            row |= {"status": "answered", "outcome": answer.outcome}
            row |= {name: getattr(answer, name) for name in _DECIDED}
    return rows


def teams(engine: Engine) -> set[str]:
    """Ids of the teams that the registry holds."""
    with Session(engine) as session:
        return set(current(session, KINDS["teams"]))


def proposals(home: Path, engine: Engine) -> list[dict[str, Any]]:
    """What the ratchet says of each change in the published build; what was decided since then stands.

    Raises:
        JevonsError: as for `reviews`.
    """
    with Session(engine) as session:
        decided = current(session, KINDS["ratchets"])
    rows = _published(home, "select * from fct_ratchet_proposal order by status, change_id")
    for row in rows:
        decision = decided.get(row["change_id"])
        if decision is not None:
            row |= {"status": decision.decision, **{name: getattr(decision, name) for name in _DECIDED}}
    return rows


def answer(
    home: Path, engine: Engine, change_id: str, after_days: int, outcome: str, recording: Recording
) -> dict[str, Any]:
    """Records the outcome of a review; a change that was only detected is recorded first, under its id and its day.

    Raises:
        JevonsError: if there is no such review, it is not due yet, the words are wrong, or the registry refuses.
    """
    found = reviews(home, engine)
    row = _one(found, change_id, "a review", "jevons reviews list")
    if recording.recorded_at_utc.date() < row["change_date"]:
        raise JevonsError("The review was not answered", change_id, "the change is not in force yet", "wait for it")
    try:
        draft = ReviewDraft(change_id=change_id, after_days=after_days, outcome=outcome)
    except ValidationError as error:
        raise _wrong("The review was not answered", error) from error
    asked = next(other for other in found if (other["change_id"], other["after_days"]) == (change_id, after_days))
    if asked["status"] == "not yet due":
        raise JevonsError(
            "The review was not answered", review_id(change_id, after_days),
            f"it falls due on {asked['due_date']}, and the published build ends on {asked['as_of_date']}",
            "look at the weeks after the change once they are there")
    with Session(engine) as session:
        known = current(session, KINDS["changes"])
    entries: list[tuple[Kind, Draft]] = [(KINDS["reviews"], draft)]
    if change_id not in known:
        change = ChangeDraft(
            change_id=change_id, change_type=row["change_type"], change_date=row["change_date"], origin="detected",
            workflow_ids=row["workflow_ids"].replace(", ", WORKFLOWS), valid_from=row["change_date"],
        )
        entries.insert(0, (KINDS["changes"], change))
    _record(engine, entries, recording, "The review was not answered")
    return row


def decide(home: Path, engine: Engine, change_id: str, adopt: bool, recording: Recording) -> RatchetDraft:
    """Lowers the ceiling that the saving proposes, or declines to, and records which.

    Raises:
        JevonsError: if nothing is proposed for the change, it was decided already, or the registry refuses.
    """
    failed = "The ceiling was not lowered" if adopt else "The proposal was not declined"
    row = _one(proposals(home, engine), change_id, "a proposal", "jevons ratchet list")
    if row["status"] != "proposed":
        raise JevonsError(failed, change_id, f"nothing is proposed for it: {row['status']}",
                          "`jevons ratchet list` says of each change why")
    with Session(engine) as session:
        standing = {found.ceiling_id: found for found in ceilings.standing(versions(session, KINDS["ceilings"]))}
    ceiling = standing.get(row["ceiling_id"])
    if ceiling is None or ceiling.limit_quantity != row["limit_kwh"]:
        raise JevonsError(failed, row["ceiling_id"], "it was lowered since the build that proposes this",
                          "run `jevons materialize` and look at the proposal again")
    limit: Decimal = row["proposed_limit_kwh"] if adopt else row["limit_kwh"]
    entries: list[tuple[Kind, Draft]] = []
    if adopt:
        kept = ("ceiling_id", "perimeter_type", "perimeter_id", "metric", "period_start", "period_end")
        lower = CeilingDraft(
            **{name: getattr(ceiling, name) for name in kept}, limit_quantity=limit, adopted_by=recording.recorded_by)
        entries.append((KINDS["ceilings"], lower))
    draft = RatchetDraft(
        change_id=change_id, decision="adopted" if adopt else "declined", ceiling_id=ceiling.ceiling_id,
        limit_before_quantity=row["limit_kwh"], limit_quantity=limit,
    )
    _record(engine, [*entries, (KINDS["ratchets"], draft)], recording, failed)
    return draft


def recording_of(by: str, reason: str, now: Any) -> Recording:
    """Who decides, why and when.

    Raises:
        JevonsError: if either is missing.
    """
    try:
        return Recording(recorded_by=by, reason=reason, recorded_at_utc=now)
    except ValidationError as error:
        raise _wrong("Nothing was recorded", error) from error


def _wrong(what: str, error: ValidationError) -> JevonsError:
    field, rule, fix = problems(error)[0]
    return JevonsError(what, {"recorded_by": "--by", "reason": "--reason"}.get(field, field), rule, fix)


def _record(engine: Engine, entries: Sequence[tuple[Kind, Draft]], recording: Recording, failed: str) -> None:
    for refusal in book.record_in_turn(engine, entries, recording):
        raise JevonsError(failed, refusal.field, refusal.rule, refusal.fix)


def _one(rows: list[dict[str, Any]], change_id: str, what: str, where: str) -> dict[str, Any]:
    for row in rows:
        if row["change_id"] == change_id:
            return row
    raise JevonsError(f"There is no such change with {what}", change_id, "the published build holds no such id",
                      f"look it up with `{where}`")


def _published(home: Path, sql: str) -> list[dict[str, Any]]:
    from pipelines import snapshot  # brings pandas along, which other commands of the registry can do without

    return snapshot.current(home).query(sql).to_pylist()

