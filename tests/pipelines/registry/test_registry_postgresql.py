"""The same registry on a real PostgreSQL, with a row of every kind."""

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
import test_registry_changes
import test_registry_claims
import test_registry_levies
from postgresql_server import served
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from pipelines.registry import allocation
from pipelines.registry.drafts import Recording
from pipelines.registry.export import current_rows
from pipelines.registry.importer import import_csv
from pipelines.registry.models import KINDS
from pipelines.registry.store import default_url, open_registry

GATE_RULES = (
    "gate_rule_id,usefulness_class,action,from_ratio,metric,adopted_by,review_due_date,valid_from,valid_to\n"
    "early,comfort,slow,0.85,requests,Works council,2027-01-01,2026-06-01,\n"
    "always,experimental,stop,0.5,,Works council,2027-01-01,2026-06-01,\n"
)


@pytest.fixture
def engine():
    """The registry on PostgreSQL, opened twice, so that making it again is tried too."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "pg") as url:
        open_registry(url).dispose()
        engine = open_registry(url)
        yield engine
        engine.dispose()


def test_it_imports_and_exports(engine, put):
    put.all()
    assert {kind: (result.accepted, result.refused) for kind, result in put.all().items()} == {
        "teams": (0, []), "workflows": (0, []), "rules": (0, []), "ceilings": (0, []),
    }
    put.one("gate_rules", GATE_RULES)
    rows = current_rows(engine)
    assert [(row["gate_rule_id"], row["from_ratio"], row["metric"], str(row["valid_from"]))
            for row in rows["gate_rules"]] == [
        ("always", Decimal("0.5"), None, "2026-06-01"), ("early", Decimal("0.85"), "requests", "2026-06-01")]
    assert rows["attribution_rules"][0]["share"] == Decimal("0.33333333")
    assert str(rows["ceilings"][1]["adopted_at_utc"]) == "2026-05-19 07:00:00"


def test_every_kind_is_kept_there_as_on_sqlite_and_cannot_be_changed(engine, put, tmp_path):
    claim = [test_registry_claims.WHOLE.get(name, "") for name in KINDS["claims"].columns]
    files = {"teams": put.teams, "workflows": put.workflows, "rules": put.rules, "ceilings": put.ceilings,
             "gate_rules": GATE_RULES, "claims": f"{test_registry_claims.HEADER}{','.join(claim)}\n",
             **{kind: found for kind, found in test_registry_levies.FILES.items() if kind != "teams"},
             "changes": test_registry_changes.CHANGES, "reviews": test_registry_changes.REVIEWS,
             "ratchets": test_registry_changes.RATCHETS}
    assert list(files) == list(KINDS)
    lite = open_registry(default_url(tmp_path))
    for kind, content in files.items():
        (tmp_path / f"{kind}.csv").write_text(content)
        for registry in (lite, engine):
            done = import_csv(registry, tmp_path / f"{kind}.csv", None, "Data office", "All kinds", put.now)
            assert (done.accepted, done.refused) == (content.count("\n") - 1, [])
    rows = current_rows(engine)
    assert rows == current_rows(lite) and all(rows.values())
    lite.dispose()
    for statement in (
        "update {0} set reason = 'other'", "delete from {0}", "truncate {0} cascade",
        "insert into {0} select * from {0} on conflict (row_id) do update set reason = 'other'",
    ):
        for kind in KINDS.values():
            table = kind.table.__tablename__
            if table == "ceilings":  # these are in test_registry_binding
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
