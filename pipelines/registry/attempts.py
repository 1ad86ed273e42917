"""The record of what was tried against ceilings and refused: who tried what, when, by which way, and the rule.

The rules belong in `ceilings`, `tree` and `binding`; statements that the database refuses are recorded by `binding`.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, select
from sqlmodel import Session

from pipelines.registry.binding import SCOPE
from pipelines.registry.drafts import CeilingDraft, Recording
from pipelines.registry.fields import looks_secret
from pipelines.registry.models import RefusedAttempt
from pipelines.registry.store import writing

Objection = tuple[str, str, str]  # the field at fault, the rule that is broken, the way out
Tried = tuple[Mapping[str, Any], Objection]  # what was asked for, and why it is refused
COLUMNS = ("attempted_at_utc", "attempted_by", "path", "entry_id", "tried", "field", "rule", "fix")


def asked(draft: CeilingDraft) -> dict[str, Any]:
    """What a draft asks for, without who asks."""
    return {name: getattr(draft, name) for name in SCOPE}


def add(session: Session, tried: Iterable[Tried], recording: Recording) -> None:
    """Adds refused attempts to a transaction."""
    for values, (field, rule, fix) in tried:
        said = {name: _said(values.get(name)) for name in SCOPE}
        session.add(RefusedAttempt(
            attempted_at_utc=recording.recorded_at_utc, attempted_by=recording.recorded_by, path=recording.path,
            entry_id=said["ceiling_id"], tried=json.dumps(said), field=field, rule=rule, fix=fix,
        ))


def keep(engine: Engine, tried: list[Tried], recording: Recording) -> None:
    """Records attempts that were refused before they came to what stands: a unit or a perimeter that is none, say."""
    if tried:
        with writing(engine) as session:
            add(session, tried, recording)


def listed(session: Session, as_of: date | None = None) -> list[dict[str, Any]]:
    """The refused attempts in the order in which they were made; `as_of` includes its day, UTC."""
    rows = session.scalars(select(RefusedAttempt).order_by(RefusedAttempt.row_id))
    return [
        {name: getattr(row, name) for name in COLUMNS}
        for row in rows if as_of is None or row.attempted_at_utc.date() <= as_of
    ]


def _said(value: Any) -> str:
    """A value as it may be kept: short, and nothing that looks like a key."""
    text = "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
    if looks_secret(text):
        return "a value that looks like a secret"
    return text if len(text) <= 64 else text[:61] + "..."
