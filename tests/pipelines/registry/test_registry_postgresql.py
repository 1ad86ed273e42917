"""The same registry on a real PostgreSQL."""

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from postgresql_server import served
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pipelines.registry.export import current_rows
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
    rows = current_rows(engine)
    assert rows["attribution_rules"][0]["share"] == Decimal("0.33333333")
    assert str(rows["ceilings"][1]["adopted_at_utc"]) == "2026-05-19 07:00:00"
    for statement in (
        "update {0} set reason = 'other'", "delete from {0}", "truncate {0} cascade",
        "insert into {0} select * from {0} on conflict (row_id) do update set reason = 'other'",
    ):
        for table in [name for name in rows if name != "ceilings"]:  # those are in test_registry_binding
            with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
                connection.execute(text(statement.format(table)))
    assert current_rows(engine) == rows
