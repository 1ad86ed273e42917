"""The registry as a source: refused attempts are landed as they were written, and name nobody who made them.

What is refused, and why, is tested with the rules that refuse.
"""

from datetime import UTC, date, datetime

from sqlalchemy import text
from sqlmodel import Session, select

from pipelines.registry import attempts
from pipelines.registry.drafts import Recording
from pipelines.registry.models import Ceiling
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources.registry import SOURCE, check
from pipelines.window import Window

LOGIN = "anna.moreau"
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


def _landed(context: Context) -> list[dict]:
    (page,) = SOURCE.table("refused_attempts").fetch(context, Window(date(2026, 5, 1), date(2026, 5, 2)))
    return list(page.rows)


def test_an_attempt_is_landed_with_what_was_tried_and_without_who_tried(engine, put, tmp_path):
    context = Context(Settings(tmp_path, "Test", False, {}, (), ()), tmp_path / "scratch")
    put.all()
    assert _landed(context) == []
    with Session(engine) as session:
        ceiling = session.scalars(select(Ceiling).where(Ceiling.ceiling_id == "org-kwh")).one()
        asked = {name: getattr(ceiling, name) for name in ("ceiling_id", "perimeter_type", "perimeter_id", "metric",
                                                           "period_start", "period_end")}  # fmt: skip
    recording = Recording(recorded_by=LOGIN, reason="x", recorded_at_utc=NOON)
    attempts.keep(engine, [({**asked, "limit_quantity": "1e9"}, ("limit_quantity", "it is above", "lower it")),
                           ({"limit_quantity": "=2+2"}, ("", "no number", ""))], recording)  # fmt: skip
    with engine.connect() as connection:
        try:
            connection.execute(text("delete from ceilings"))
        except Exception:
            connection.commit()
    raised, formula, deleted = _landed(context)
    assert raised == {
        "attempt_id": 1, "attempted_at_utc": NOON, "path": "command", "ceiling_id": "org-kwh",
        "perimeter_type": "organisation", "perimeter_id": "organisation", "metric": "energy_kwh",
        "period_start": "2026-06-01", "period_end": "2026-09-01", "limit_quantity": "1e9", "field": "limit_quantity",
        "rule": "it is above", "fix": "lower it",
    }  # fmt: skip
    assert (formula["attempt_id"], formula["limit_quantity"], formula["ceiling_id"], formula["fix"]) == (
        2, "=2+2", None, None)  # fmt: skip
    assert (deleted["attempt_id"], deleted["path"], deleted["statement"]) == (3, "sql", "delete")
    assert deleted["ceiling_id"] in ("org-kwh", "claims-req") and "append-only" in deleted["rule"]
    # the login is in the registry, and in none of the rows
    with Session(engine) as session:
        assert [row["attempted_by"] for row in attempts.listed(session)][:2] == [LOGIN, LOGIN]
    assert LOGIN not in str(_landed(context)) and "whoever" not in str(_landed(context))
    assert "3 refused attempts" in check(context)
