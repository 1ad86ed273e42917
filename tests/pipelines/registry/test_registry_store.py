"""The database itself refuses to change or to lose what was recorded."""

import sqlite3
import threading
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from pipelines.errors import JevonsError
from pipelines.registry.export import current_rows
from pipelines.registry.models import KINDS, Ceiling
from pipelines.registry.store import default_url, guards, open_registry, versions, writing

TABLES = ("teams", "workflows", "attribution_rules", "ceilings")


def counts(engine):
    with engine.connect() as connection:
        return [connection.execute(text(f"select count(*) from {table}")).scalar() for table in TABLES]


@pytest.mark.parametrize("statement", [
    "update {0} set recorded_by = 'somebody else'",
    "update {0} set row_id = row_id + 100",
    "delete from {0}",
    "delete from {0} where row_id = 1",
    "insert or replace into {0} select * from {0} where row_id = 1",
    "replace into {0} select * from {0}",
    "insert into {0} select * from {0} where true on conflict do update set reason = 'other'",
])
@pytest.mark.parametrize("table", TABLES)
def test_statements_that_change_a_row_are_refused(engine, put, table, statement):
    put.all()
    before = counts(engine)
    assert before == [2, 2, 3, 2]
    with pytest.raises(IntegrityError, match=f"append-only: {table} may not be changed or deleted"):
        with engine.begin() as connection:
            connection.exec_driver_sql(statement.format(table))
    assert counts(engine) == before


@pytest.mark.parametrize("table", TABLES)
def test_replacing_by_version_under_another_row_is_refused(engine, put, table):
    put.all()
    with engine.connect() as connection:
        columns = [row[1] for row in connection.exec_driver_sql(f"pragma table_info({table})")]
    values = ", ".join("row_id + 50" if column == "row_id" else column for column in columns)
    with pytest.raises(IntegrityError, match="append-only"), engine.begin() as connection:
        connection.exec_driver_sql(
            f"insert or replace into {table} ({', '.join(columns)}) select {values} from {table} where row_id = 1"
        )


def test_another_program_is_refused_too(engine, put, tmp_path):
    put.all()
    with sqlite3.connect(tmp_path / "registry.sqlite") as other:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            other.execute("delete from ceilings")


def test_guards_come_back_when_the_registry_is_opened(engine, put, tmp_path):
    put.all()
    with engine.begin() as connection:
        connection.exec_driver_sql("drop trigger ceilings_no_delete")
    again = open_registry(default_url(tmp_path))
    with pytest.raises(IntegrityError, match="append-only"), again.begin() as connection:
        connection.exec_driver_sql("delete from ceilings")
    again.dispose()


def test_quantities_are_kept_to_the_last_digit(engine, put):
    put.all()
    # 123456789012345.123456789 has 24 digits; a double would give back ...345.125.
    put.one("ceilings", (
        "perimeter_type,perimeter_id,metric,period_start,period_end,limit_quantity\n"
        "country,FR,energy_kwh,2026-06-01,2026-09-01,123456789012345.123456789\n"
    ))
    with engine.connect() as connection:
        raw = connection.exec_driver_sql(
            "select limit_quantity, typeof(limit_quantity) from ceilings where perimeter_type = 'country'"
        ).one()
        shares = connection.exec_driver_sql("select share, typeof(share) from attribution_rules").all()
    assert raw == ("123456789012345.123456789", "text")
    assert shares == [("0.33333333", "text"), ("0.66666667", "text"), ("1.00000000", "text")]
    with Session(engine) as session:
        row = versions(session, KINDS["ceilings"], "country:FRA:energy_kwh:2026-06-01:2026-09-01")[0]
        assert row.limit_quantity == Decimal("123456789012345.123456789")


def test_writers_take_turns(engine, put):
    put.all()
    order = []

    def second():
        with writing(engine) as session:
            order.append(len(versions(session, KINDS["ceilings"])))

    thread = threading.Thread(target=second)
    with writing(engine) as session:
        first = versions(session, KINDS["ceilings"])[0]
        thread.start()
        thread.join(0.3)
        assert order == []  # the second writer may not even read before the first is done
        values = first.model_dump(exclude={"row_id", "adopted_at_utc", "recorded_at_utc"})
        values |= {"version": 2, "supersedes": first.row_id}
        session.add(Ceiling(**values, adopted_at_utc=put.now, recorded_at_utc=put.now))
    thread.join(20)
    assert order == [3]


def test_a_version_cannot_be_superseded_twice(engine, put):
    put.all()
    with pytest.raises(IntegrityError), engine.begin() as connection:
        for row_id in (90, 91):
            connection.exec_driver_sql(
                "insert into teams (row_id, version, valid_from, recorded_at_utc, recorded_by, reason, team_id,"
                f" team_name, unit_id, unit_name, country, supersedes) values ({row_id}, {row_id}, '2026-01-01',"
                " '2026-01-01 00:00:00', 'x', 'x', 'claims', 'x', 'x', 'x', 'FR', 1)"
            )


def test_postgresql_guards_name_every_way_to_lose_a_row():
    for kind in KINDS.values():
        table = kind.table.__tablename__
        if table == "ceilings":
            continue  # tried in test_registry_binding
        (ddl,) = guards(table, kind.id_field, "postgresql").values()
        assert f"before update or delete or truncate on {table}" in ddl
        assert "for each statement" in ddl


@pytest.mark.parametrize("url, sentence", [
    ("nonsense", "it is no SQLAlchemy URL with an installed driver; unset it for SQLite"),
    ("sqlite:////proc/none/registry.sqlite", "no such file or directory; set JEVONS_HOME to a folder"),
    ("sqlite:////proc", "unable to open database file; check that the database"),
])
def test_a_registry_that_cannot_be_opened_says_so(url, sentence):
    with pytest.raises(JevonsError, match="The registry cannot be opened") as refused:
        open_registry(url)
    assert sentence in str(refused.value)


def test_a_file_that_is_no_database_says_so(tmp_path):
    (tmp_path / "registry.sqlite").write_bytes(b"this is not a database, it is a letter" * 50)
    with pytest.raises(JevonsError, match="file is not a database; check that the database"):
        open_registry(default_url(tmp_path))


def test_the_configured_url_wins(tmp_path):
    assert default_url(tmp_path) == f"sqlite:///{tmp_path}/registry.sqlite"
    assert default_url(tmp_path, "postgresql+psycopg://db/jevons") == "postgresql+psycopg://db/jevons"


def test_a_registry_made_before_a_column_was_there_gets_it(engine, put, tmp_path):
    """An older file: its rows stay as they were, its ceilings bind on, and new ones may name their evidence."""
    put.all()
    before = current_rows(engine)
    with engine.begin() as connection:
        for name in connection.exec_driver_sql("select name from sqlite_master where type = 'trigger'").scalars().all():
            connection.exec_driver_sql(f"drop trigger {name}")
        connection.exec_driver_sql("alter table ceilings drop column evidence")
        connection.exec_driver_sql("alter table workflows drop column sector_tag")
    engine.dispose()
    again = open_registry(default_url(tmp_path))
    assert current_rows(again) == before
    with pytest.raises(IntegrityError, match="append-only"), again.begin() as connection:
        connection.exec_driver_sql("update ceilings set evidence = 'other'")
    again.dispose()
    assert put.one("ceilings", put.ceilings.replace("1200.5", "1300")).refused[0].field == "limit_quantity"
    lower = put.ceilings.replace("reason\n", "reason,evidence\n").replace("1200.5", "1100").replace(
        "Decision 14", "Decision 14,Minutes of May").replace("Decision 15", "Decision 15,")
    assert put.one("ceilings", lower).refused == []
    assert [row["evidence"] for row in current_rows(engine)["ceilings"]] == [None, "Minutes of May"]
