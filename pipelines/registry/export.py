"""The registry as the pipeline lands it: one row per id, as plain values.

Writing Parquet belongs in `pipelines.landing`, the audit trail in `commands`.
"""

from datetime import date
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from pipelines import countries
from pipelines.registry import ceilings
from pipelines.registry.changes import WORKFLOWS
from pipelines.registry.models import KINDS, Kind
from pipelines.registry.recorded import Recorded
from pipelines.registry.store import current, versions

EXPORTED = {"teams": "teams", "workflows": "workflows", "attribution_rules": "rules", "ceilings": "ceilings",
            "gate_rules": "gate_rules", "claims": "claims", "levies": "levies", "levy_uses": "levy_uses",
            "vendors": "vendors", "vendor_answers": "vendor_answers", "changes": "changes", "reviews": "reviews",
            "ratchets": "ratchets"}


def current_rows(engine: Engine, as_of: date | None = None) -> dict[str, list[dict[str, Any]]]:
    """What stands in the registry, by raw table, sorted by id.

    Of a team, workflow or rule the newest recorded version stands, of a ceiling the lowest limit. Rules that
    were withdrawn (valid on no day) are left out, and so are changes; a change is told once for each of its
    workflows. Days are `date`, instants UTC without zone, quantities
    `Decimal`. Countries are alpha-3, also where two letters were recorded once.

    Args:
        as_of: Only what was recorded up to the end of that day, UTC; None for everything.
    """
    with Session(engine) as session:
        rows = {table: standing_rows(session, KINDS[name], as_of) for table, name in EXPORTED.items()}
    rows["changes"] = [
        {"workflow_id": workflow, **row} for row in rows["changes"] for workflow in row["workflow_ids"].split(WORKFLOWS)
    ]
    return rows


def standing_rows(session: Session, kind: Kind, as_of: date | None = None) -> list[dict[str, Any]]:
    """What stands of one kind, sorted by id; see `current_rows`."""
    if kind.name == "ceilings":
        rows: list[Recorded] = ceilings.standing(versions(session, kind, as_of=as_of))
    else:
        rows = list(current(session, kind, as_of).values())
    if kind.draft.withdrawable:
        rows = [row for row in rows if row.valid_to is None or row.valid_to > row.valid_from]
    return [{column: _told(row, column) for column in kind.columns} for row in rows]


def _told(row: Recorded, column: str) -> Any:
    value = getattr(row, column)
    is_country = column == "country" or (column == "perimeter_id" and row.perimeter_type == "country")
    return countries.stored(value) if is_country else value
