"""The same registry on a real PostgreSQL."""

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from postgresql_server import served
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from pipelines.registry import allocation
from pipelines.registry.drafts import Recording
from pipelines.registry.export import current_rows
from pipelines.registry.models import KINDS
from pipelines.registry.store import open_registry


@pytest.fixture
def engine():
    """The registry on PostgreSQL, opened twice, so that making it again is tried too."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "pg") as url:
        open_registry(url).dispose()
        engine = open_registry(url)
        yield engine
        engine.dispose()


def test_it_imports_exports_and_refuses_changes(engine, put):
    put.all()
    assert {kind: (result.accepted, result.refused) for kind, result in put.all().items()} == {
        "teams": (0, []), "workflows": (0, []), "rules": (0, []), "ceilings": (0, []),
    }
    put.one("gate_rules", (
        "gate_rule_id,usefulness_class,action,from_ratio,metric,adopted_by,review_due_date,valid_from,valid_to\n"
        "early,comfort,slow,0.85,requests,Works council,2027-01-01,2026-06-01,\n"
        "always,experimental,stop,0.5,,Works council,2027-01-01,2026-06-01,\n"))
    rows = current_rows(engine)
    assert [(row["gate_rule_id"], row["from_ratio"], row["metric"], str(row["valid_from"]))
            for row in rows["gate_rules"]] == [
        ("always", Decimal("0.5"), None, "2026-06-01"), ("early", Decimal("0.85"), "requests", "2026-06-01")]
    assert rows["attribution_rules"][0]["share"] == Decimal("0.33333333")
    assert str(rows["ceilings"][1]["adopted_at_utc"]) == "2026-05-19 07:00:00"
    for statement in (
        "update {0} set reason = 'other'", "delete from {0}", "truncate {0} cascade",
        "insert into {0} select * from {0} on conflict (row_id) do update set reason = 'other'",
    ):
        for kind in KINDS.values():  # whether it has rows or not; ceilings are in test_registry_binding
            table = kind.table.__tablename__
            if table == "ceilings":
                continue
            with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
                connection.execute(text(statement.format(table)))
    assert current_rows(engine) == rows


def test_quotas_are_adopted_and_kept_there_too(engine, put):
    """Seven eighths of 900000 calls; an older registry gets the column that came later, and keeps all."""
    put.all()
    with Session(engine) as session:
        parent = allocation.parent_of(session, "claims-req")
    found = allocation.split(parent, "workflow", {"headcount": Decimal(1)}, {"letters": {"headcount": "0.001"}}, {},
                             quantity=Decimal(787500))
    outcome = allocation.adopt(engine, found, Recording(recorded_by="Board", reason="R", recorded_at_utc=put.now))
    assert outcome.accepted == ["workflow:letters:requests:2026-06-01:2026-09-01"]
    rows = current_rows(engine)
    with Session(engine) as session:
        row, kept = allocation.kept(session, found.allocation_id)
        assert row.quantity == 787500 and allocation.as_it_was(kept, found.allocation_id)
    for table in ("allocations", "allocation_shares"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(f"update {table} set row_id = 9"))
    with engine.begin() as connection:
        connection.execute(text("alter table workflows drop column sector_tag"))
    engine.dispose()
    open_registry(engine.url.render_as_string(hide_password=False)).dispose()
    assert current_rows(engine) == rows
    assert put.one("ceilings", put.ceilings.replace("900000", "900001")).refused[0].field == "limit_quantity"
