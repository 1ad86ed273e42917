"""Decides which drafts may be recorded, and records those; the only door by which entries enter the registry.

Files belong in `importer`, words on a terminal in `commands`, rules in `together` and `ceilings`.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from pipelines import countries
from pipelines.errors import JevonsError
from pipelines.registry import attempts, ceilings, decisions, leaving, together, tree
from pipelines.registry.changes import WORKFLOWS
from pipelines.registry.drafts import CeilingDraft, Draft, Recording
from pipelines.registry.models import KINDS, Kind
from pipelines.registry.recorded import Recorded
from pipelines.registry.store import current, newest_of, versions, writing

logger = logging.getLogger(__name__)

_REFERENCES = {
    "workflows": ("team_id", "team"), "rules": ("workflow_id", "workflow"), "levy_uses": ("levy_id", "fee"),
    "vendor_answers": ("vendor_id", "vendor"), "changes": ("workflow_ids", "workflow"),
    "reviews": ("change_id", "change"), "ratchets": ("change_id", "change"),
}
# everything else comes with the teams
_KEPT_WITH = {
    "workflow": "workflows", "sector_tag": "workflows", "fee": "levies", "vendor": "vendors", "change": "changes",
}
_SINCE = {"levy_uses": "used_on_date", "vendor_answers": "answered_on_date"}  # whose `valid_from` is another day


@dataclass(frozen=True)
class Refusal:
    """Why one draft is not recorded.

    Attributes:
        position: Its index among the drafts.
        field: The field at fault.
        rule: The rule that it breaks.
        fix: The way out.
    """

    position: int
    field: str
    rule: str
    fix: str


@dataclass
class Outcome:
    """What became of a batch: every draft is accepted, unchanged or refused."""

    accepted: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def record(
    engine: Engine, kind: Kind, drafts: Sequence[Draft], recording: Recording,
    together_with: Callable[[Session], None] | None = None,
) -> Outcome:
    """Records the drafts that may be recorded, in one transaction.

    A draft equal to what stands writes nothing; one with other content becomes a new version. What is refused of
    ceilings is recorded among the refused attempts.

    Args:
        together_with: Writes what belongs to the drafts; with it, none of them is recorded where one is refused.

    Raises:
        JevonsError: if the database refuses.
    """
    with _one_transaction(engine, kind.name) as session:
        return _record(session, kind, drafts, recording, together_with)


def record_in_turn(engine: Engine, entries: Sequence[tuple[Kind, Draft]], recording: Recording) -> list[Refusal]:
    """Records entries that lean on each other, in this order and in one transaction: all of them, or none.

    A ceiling comes first: its refusal is recorded among the refused attempts, and is taken back with nothing.

    Returns:
        Why nothing was recorded; empty where all was.

    Raises:
        JevonsError: if the database refuses.
    """
    try:
        with _one_transaction(engine, " and ".join(kind.name for kind, _ in entries)) as session:
            for position, (kind, draft) in enumerate(entries):
                refused = _record(session, kind, [draft], recording, None).refused
                if refused and position == 0:
                    return refused
                if refused:
                    raise _TakenBack(refused)
                session.flush()  # the next one is judged with it
    except _TakenBack as error:
        return error.refused
    return []


class _TakenBack(Exception):
    """What was written in this transaction goes, because of these refusals."""

    def __init__(self, refused: list[Refusal]) -> None:
        super().__init__()
        self.refused = refused


@contextmanager
def _one_transaction(engine: Engine, what: str) -> Iterator[Session]:
    try:
        with writing(engine) as session:
            yield session
    except IntegrityError as error:
        raise JevonsError(
            "Nothing was recorded", f"{what} in the registry",
            "somebody else recorded at the same moment", "run the command again",
        ) from error
    except DBAPIError as error:
        raise JevonsError(
            "Nothing was recorded", f"{what} in the registry", str(error.orig).splitlines()[0],
            "check that the database may be written and run the command again",
        ) from error


def _record(
    session: Session, kind: Kind, drafts: Sequence[Draft], recording: Recording,
    together_with: Callable[[Session], None] | None,
) -> Outcome:
    recorded = versions(session, kind)
    newest = newest_of(kind, recorded)
    rows = ceilings.standing(recorded) if kind.name == "ceilings" else []
    pending: dict[int, Draft] = dict(enumerate(drafts))
    if kind.name == "ceilings":
        pending = {
            position: ceilings.completed(ceilings.identified(draft, rows), rows, recording)
            for position, draft in pending.items()
        }
    if issubclass(kind.draft, decisions.Decision):
        pending = {
            position: decisions.completed(draft, newest.get(getattr(draft, kind.id_field)), recording)
            for position, draft in pending.items()
        }
    identified = dict(pending)
    outcome = Outcome()

    def refuse(found: list[Refusal]) -> None:
        outcome.refused += found
        for refusal in found:
            pending.pop(refusal.position, None)

    repeated = _repeated(kind, pending)
    for position in repeated:
        del pending[position]
    refuse(_contradicting(kind, pending))
    refuse(_dangling(session, kind, pending))
    refuse(_becoming_another(kind, newest, pending))
    refuse([Refusal(at, *found) for at, found in together.objections(kind, newest, pending).items()])
    refuse(_leaving(session, kind, newest, pending, recording))
    if kind.name == "ceilings":
        standing_tree = tree.tree_of(
            *(current(session, KINDS[name]).values() for name in ("teams", "workflows")))
        refuse(_objectionable(rows, pending, standing_tree))
    if together_with is not None:
        if outcome.refused:
            pending.clear()
        else:
            together_with(session)
    for draft in pending.values():
        entry_id = getattr(draft, kind.id_field)
        before = newest.get(entry_id)
        if before is not None and _same(draft, before):
            outcome.unchanged.append(entry_id)
        else:
            session.add(_version(kind, draft, before, recording))
            outcome.accepted.append(entry_id)
    for position, first in repeated.items():
        twins = [replace(twin, position=position) for twin in outcome.refused if twin.position == first]
        outcome.refused += twins
        if not twins:
            outcome.unchanged.append(getattr(identified[position], kind.id_field))
    outcome.refused.sort(key=lambda refusal: refusal.position)
    if kind.name == "ceilings":
        attempts.add(session, [
            (attempts.asked(identified[refusal.position]), (refusal.field, refusal.rule, refusal.fix))
            for refusal in outcome.refused
        ], recording)
    logger.info(
        "registry %s: %d recorded, %d unchanged, %d findings",
        kind.name, len(outcome.accepted), len(outcome.unchanged), len(outcome.refused),
    )
    return outcome


def _repeated(kind: Kind, pending: dict[int, Draft]) -> dict[int, int]:
    """Drafts that say word for word what an earlier one of the batch says, with that one's position."""
    seen: dict[str, list[int]] = defaultdict(list)
    repeated = {}
    for position, draft in pending.items():
        earlier = seen[getattr(draft, kind.id_field)]
        first = next((other for other in earlier if pending[other] == draft), None)
        if first is None:
            earlier.append(position)
        else:
            repeated[position] = first
    return repeated


def _contradicting(kind: Kind, pending: dict[int, Draft]) -> list[Refusal]:
    """Drafts of one id with different content: nobody can tell which is meant, so none is taken."""
    by_id: dict[str, list[int]] = defaultdict(list)
    for position, draft in pending.items():
        by_id[getattr(draft, kind.id_field)].append(position)
    return [
        Refusal(
            position, kind.id_field, f"{entry_id} is there {len(positions)} times with different content",
            "keep the one that is meant",
        )
        for entry_id, positions in by_id.items() if len(positions) > 1 for position in positions
    ]


def _dangling(session: Session, kind: Kind, pending: dict[int, Draft]) -> list[Refusal]:
    """Drafts that refer to something that the registry does not hold."""
    referring = {position: found for position, draft in pending.items() if (found := _reference(kind, draft))}
    if not referring:
        return []
    teams, workflows = (current(session, KINDS[name]) for name in ("teams", "workflows"))
    of_target: dict[str, Callable[[], set | None]] = {
        "team": lambda: set(teams),
        "workflow": lambda: set(workflows),
        "unit": lambda: {team.unit_id for team in teams.values()},
        "country": lambda: {countries.stored(team.country) for team in teams.values()},
        "sector_tag": lambda: {row.sector_tag for row in workflows.values()},
        "organisation": lambda: {"organisation"},
        "service": lambda: None,  # whoever runs a model is known from its usage
        # what is only reckoned with has nothing to use
        "fee": lambda: {
            levy_id for levy_id, levy in current(session, KINDS["levies"]).items() if levy.levy_kind == "fee"},
        "vendor": lambda: set(current(session, KINDS["vendors"])),
        "change": lambda: set(current(session, KINDS["changes"])),
    }
    known = {target: of_target[target]() for target in {target for _, target in referring.values()}}
    found = []
    for position, (column, target) in referring.items():
        given = getattr(pending[position], column)
        values = given.split(WORKFLOWS) if column == "workflow_ids" else [given]
        for value in values if known[target] is not None else ():
            if value not in known[target]:
                found.append(Refusal(
                    position, column, f"the registry knows no {target.replace('_', ' ')} {value!r}",
                    f"correct it, or import it with the {_KEPT_WITH.get(target, 'teams')} first",
                ))
    return found


def _reference(kind: Kind, draft: Draft) -> tuple[str, str] | None:
    """The field of a draft that refers to something, and to what kind of thing; None where none does."""
    target = getattr(draft, "perimeter_type", None)
    return _REFERENCES.get(kind.name) or (("perimeter_id", target) if target else None)


def _becoming_another(kind: Kind, newest: dict[str, Recorded], pending: dict[int, Draft]) -> list[Refusal]:
    """Versions that would make of an entry another one, under the id of the first."""
    return [
        Refusal(
            position, column, f"{getattr(draft, kind.id_field)} was recorded with {getattr(before, column)!r}",
            "record it under an id of its own",
        )
        for position, draft in pending.items() if (before := newest.get(getattr(draft, kind.id_field))) is not None
        for column in kind.fixed if getattr(draft, column) != getattr(before, column)
    ]


def _leaving(
    session: Session, kind: Kind, newest: dict[str, Recorded], pending: dict[int, Draft], recording: Recording
) -> list[Refusal]:
    """Teams and workflows that would slip from under a ceiling."""
    if kind.name not in ("teams", "workflows"):
        return []
    standing = ceilings.standing(versions(session, KINDS["ceilings"]))
    day = recording.recorded_at_utc.date()
    teams = current(session, KINDS["teams"])
    found = []
    for position, draft in pending.items():
        objection = leaving.objection(kind, draft, newest.get(getattr(draft, kind.id_field)), standing, day, teams)
        if objection:
            found.append(Refusal(position, *objection))
    return found


def _objectionable(rows: list, pending: dict[int, CeilingDraft], standing_tree: tree.Tree) -> list[Refusal]:
    """Ceilings that what stands, or what an earlier one of the batch adopts, does not allow."""
    found = []
    beside = list(rows)
    for position, draft in pending.items():
        objection = ceilings.objection(draft, beside) or tree.objection(draft, beside, standing_tree)
        if objection:
            found.append(Refusal(position, *objection))
        else:
            beside.append(draft)
    return found


def _utc(value: object) -> object:
    """Instants as the tables give them back: UTC without zone."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def _same(draft: Draft, row: Recorded) -> bool:
    return all(_utc(value) == getattr(row, name) for name, value in draft.model_dump().items())


def _version(kind: Kind, draft: Draft, before: Recorded | None, recording: Recording) -> Recorded:
    values = draft.model_dump()
    act = values.get("adopted_at_utc") or values.get("decided_at_utc")
    if act is not None:
        values["valid_from"] = act.date()
    values.setdefault("reason", recording.reason)
    values.setdefault("valid_from", values.get(_SINCE.get(kind.name, ""), recording.recorded_at_utc.date()))
    for name, value in values.items():
        if isinstance(value, datetime) and value.tzinfo is None:
            values[name] = value.replace(tzinfo=UTC)
    return kind.table(
        **values,
        version=1 if before is None else before.version + 1,
        supersedes=None if before is None else before.row_id,
        recorded_at_utc=recording.recorded_at_utc,
        recorded_by=recording.recorded_by,
    )
