"""The same registry on PostgreSQL; needs an empty database named by JEVONS_TEST_POSTGRESQL_URL."""

import os
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pipelines.registry.export import current_rows
from pipelines.registry.store import open_registry

URL = os.environ.get("JEVONS_TEST_POSTGRESQL_URL")
pytestmark = pytest.mark.skipif(not URL, reason="JEVONS_TEST_POSTGRESQL_URL names no database")


@pytest.fixture
def engine():
    """The registry on PostgreSQL, opened twice, so that making it again is tried too."""
    open_registry(URL).dispose()
    engine = open_registry(URL)
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
        for table in rows:
            with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
                connection.execute(text(statement.format(table)))
    assert current_rows(engine) == rows
