"""What SQLite and PostgreSQL refuse of ceilings, whoever sends it, and what they keep of the attempt."""

import json
import random
import sqlite3
import tempfile
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from postgresql_server import served
from sqlalchemy import text
from sqlmodel import Session

from pipelines.registry import attempts
from pipelines.registry.ceilings import scope_of
from pipelines.registry.drafts import CeilingDraft
from pipelines.registry.export import current_rows
from pipelines.registry.models import KINDS
from pipelines.registry.store import current, default_url, open_registry
from pipelines.registry.tree import ROOT, objection, tree_of

COLUMNS = ("version, valid_from, recorded_at_utc, recorded_by, reason, ceiling_id, perimeter_type, perimeter_id,"
           " metric, period_start, period_end, limit_quantity, adopted_by, adopted_at_utc, supersedes")
# The next version of org-kwh, which stands at 1200.5 from June to August, with one thing changed about it.
SQL = {
    "higher by the last digit": ({"limit_quantity": "'1200.500000001'"}, "a ceiling is never raised"),
    "higher, though its text sorts before": ({"limit_quantity": "'999999.000000000'"}, "a ceiling is never raised"),
    "shortened": ({"period_end": "'2026-07-01'", "limit_quantity": "'1.000000000'"}, "a ceiling is never re-dated"),
    "begun later": ({"period_start": "'2026-07-01'"}, "a ceiling is never re-dated"),
    "another perimeter": (
        {"perimeter_type": "'team'", "perimeter_id": "'claims'"},
        "a ceiling cannot be moved to another perimeter or metric",
    ),
    "another unit": ({"metric": "'market_kgco2e'"}, "a ceiling cannot be moved to another perimeter or metric"),
    "split under a second id": (
        {"ceiling_id": "'second'", "version": "1", "supersedes": "null", "period_end": "'2026-07-01'"},
        "another ceiling already binds that perimeter and metric in that period",
    ),
    "a later duplicate": (
        {"ceiling_id": "'second'", "version": "1", "supersedes": "null", "limit_quantity": "'5000.000000000'"},
        "another ceiling already binds that perimeter and metric in that period",
    ),
    "renamed": (
        {"ceiling_id": "'ORG-KWH'", "version": "1", "supersedes": "null"},
        "another ceiling already binds that perimeter and metric in that period",
    ),
    "a metric that is none": (
        {"metric": "'energy_mwh'"}, "no account is computed for that perimeter or in that metric"),
    "the organisation by another name": (
        {"perimeter_id": "'acme'"}, "no account is computed for that perimeter or in that metric"),
    "a country in letters that the registry does not store": (
        {"ceiling_id": "'new'", "version": "1", "supersedes": "null", "perimeter_type": "'country'",
         "perimeter_id": "'fr'"},
        "no account is computed for that perimeter or in that metric",
    ),
    "a version left out": ({"version": "3"}, "a version follows the newest one of its id and supersedes it"),
    "a version of nothing": ({"supersedes": "null"}, "a version follows the newest one of its id and supersedes it"),
    "a period of its own": (
        {"ceiling_id": "'new'", "version": "1", "supersedes": "null", "period_start": "'2027-01-01'",
         "period_end": "'2027-01-02'"},
        "a period is a month, a quarter or a year, from the first day of a month",
    ),
} | {
    f"a {kind} that is not there": (
        {"ceiling_id": "'new'", "version": "1", "supersedes": "null", "perimeter_type": f"'{kind}'",
         "perimeter_id": f"'{name}'"},
        "the registry knows no such perimeter",
    )
    # a name of another kind, one in other letters, a country without a team
    for kind, name in [
        ("unit", "claims"), ("team", "Claims"), ("workflow", "gone"), ("country", "BEL"), ("sector_tag", "x")]
} | {
    "more for a unit than the organisation has": (
        {"ceiling_id": "'new'", "version": "1", "supersedes": "null", "perimeter_type": "'unit'",
         "perimeter_id": "'insurance'", "limit_quantity": "'1200.500000001'"},
        "with it the ceilings below the one that encloses it would sum to more than that one",
    ),
    "more for a workflow than its team has": (
        {"ceiling_id": "'new'", "version": "1", "supersedes": "null", "perimeter_type": "'workflow'",
         "perimeter_id": "'letters'", "metric": "'requests'", "limit_quantity": "'900001.000000000'"},
        "with it the ceilings below the one that encloses it would sum to more than that one",
    ),
    "less for the organisation than its team has": (
        {"ceiling_id": "'new'", "version": "1", "supersedes": "null", "metric": "'requests'",
         "limit_quantity": "'899999.999999999'"},
        "the ceilings below it sum to more than it",
    ),
}


@pytest.fixture(scope="module")
def postgresql():
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "pg") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    if request.param == "sqlite":
        url = default_url(tmp_path)
    else:
        server = request.getfixturevalue("postgresql")
        admin = open_registry(server)
        with admin.begin() as connection:
            connection.exec_driver_sql("drop schema if exists tried cascade; create schema tried")
        admin.dispose()
        url = f"{server}?options=-csearch_path%3Dtried"
    engine = open_registry(url)
    yield engine
    engine.dispose()


def send(engine, statement):
    """One statement of its own, as an administrator's shell sends it; what it ends with, told or raised."""
    told = []
    pooled = engine.raw_connection()
    connection = pooled.driver_connection
    try:
        if engine.dialect.name == "postgresql":
            connection.autocommit = True
            connection.add_notice_handler(lambda notice: told.append(notice.message_primary))
        connection.execute(statement)
    except Exception as error:  # of either driver
        told.append(str(error).splitlines()[0])
    finally:
        pooled.invalidate()
    return told


def listed(engine):
    with Session(engine) as session:
        return attempts.listed(session)


@pytest.mark.parametrize("case", SQL)
def test_an_insert_that_loosens_is_refused_and_recorded(engine, put, case):
    put.all()
    before = current_rows(engine)
    changes, rule = SQL[case]
    values = {name: name for name in COLUMNS.split(", ")} | {"version": "2", "supersedes": "row_id"} | changes
    told = send(engine, f"insert into ceilings ({COLUMNS}) select {', '.join(values.values())} from ceilings"
                        " where ceiling_id = 'org-kwh'")
    assert told == [rule]
    assert current_rows(engine) == before
    (attempt,) = listed(engine)
    assert (attempt["path"], attempt["rule"]) == ("sql", rule)
    assert attempt["attempted_by"] == ("jevons" if engine.dialect.name == "postgresql" else "whoever has the file")
    tried = json.loads(attempt["tried"])
    assert tried["statement"] == "insert"
    for name, value in changes.items():
        if name in tried and name != "limit_quantity":
            assert tried[name] == value.strip("'")
    if "limit_quantity" in changes:
        assert Decimal(str(tried["limit_quantity"])) == Decimal(changes["limit_quantity"].strip("'"))


def test_what_is_there_and_fits_binds_by_sql_too(engine, put):
    """To the last digit: 1200.5 for the organisation, 1000.400000001 and 200.099999999 below it, and nothing more."""
    put.all()
    put.one("workflows", put.workflow_header.replace("valid_to", "valid_to,sector_tag")
            + put.workflows.splitlines()[1] + ",health-care\n")
    fits = [("unit", "insurance", "1000.400000001"), ("team", "claims", "1000.400000001"),
            ("workflow", "sums", "200.099999999"), ("country", "FRA", "5000.000000000"),
            ("sector_tag", "health-care", "5000.000000000")]
    for number, (kind, name, limit) in enumerate(fits):
        values = {name: name for name in COLUMNS.split(", ")} | {
            "version": "1", "supersedes": "null", "ceiling_id": f"'{number}'", "perimeter_type": f"'{kind}'",
            "perimeter_id": f"'{name}'", "limit_quantity": f"'{limit}'"}
        assert send(engine, f"insert into ceilings ({COLUMNS}) select {', '.join(values.values())} from ceilings"
                            " where ceiling_id = 'org-kwh'") == []
    one_more = values | {"ceiling_id": "'x'", "perimeter_type": "'team'", "perimeter_id": "'tax'",
                         "limit_quantity": "'200.100000000'"}
    assert send(engine, f"insert into ceilings ({COLUMNS}) select {', '.join(one_more.values())} from ceilings"
                        " where ceiling_id = 'org-kwh'") == [
        "with it the ceilings below the one that encloses it would sum to more than that one"]


def test_statements_hand_out_what_the_door_hands_out_and_no_more(engine, put):
    """150 random adoptions past the door, each judged as `tree` judges it."""
    put.one("teams", put.teams + "care,Care,insurance,Insurance,US,2026-01-01,\n")
    put.one("workflows", put.workflows + put.workflows.splitlines()[1].replace("letters", "notes") + "\n")
    places = [ROOT, ("unit", "insurance"), ("unit", "advisory"), ("team", "claims"), ("team", "care"), ("team", "tax"),
              ("workflow", "letters"), ("workflow", "notes"), ("workflow", "sums")]
    dice, told = random.Random(11), Counter()
    with Session(engine) as session:
        around = tree_of(*(current(session, KINDS[name]).values() for name in ("teams", "workflows")))
    standing = []
    for number in range(150):
        period = dice.choice([("2026-01-01", "2026-04-01"), ("2026-04-01", "2026-07-01")])
        kind, name = dice.choice(places)
        draft = CeilingDraft(
            perimeter_type=kind, perimeter_id=name, metric=dice.choice(["energy_kwh", "tokens"]),
            period_start=period[0], period_end=period[1],
            limit_quantity=Decimal(dice.choice([10, 30, 50, 90, 120])) - (number % 3))
        same = [row for row in standing if scope_of(row) == scope_of(draft)]
        if same and draft.limit_quantity > same[-1].limit_quantity:
            continue
        expected = objection(draft, standing, around)
        name_of = same[0].ceiling_id if same else str(number)
        newest = "null" if not same else (
            f"(select row_id from ceilings where ceiling_id = '{name_of}' order by version desc limit 1)")
        answer = send(engine, f"insert into ceilings ({COLUMNS}) values ({len(same) + 1}, '2026-01-01', '2026-01-01',"
                      f" 'x', 'x', '{name_of}', '{kind}', '{name}', '{draft.metric}', '{period[0]}', '{period[1]}',"
                      f" '{draft.limit_quantity:f}', 'x', '2026-01-01', {newest})")
        assert bool(answer) == bool(expected), (draft, answer, expected)
        told[answer[0] if answer else "adopted again" if same else "adopted"] += 1
        if not answer:
            standing.append(draft.model_copy(update={"ceiling_id": name_of}))
    assert len(told) == 4 and min(told.values()) > 5, told


@pytest.mark.parametrize("table, values, place", [
    ("teams", {"unit_id": "'advisory'"}, "unit,insurance"),
    ("teams", {"unit_id": "'Insurance'"}, "unit,insurance"),
    ("teams", {"country": "'BEL'"}, "country,FR"),
    ("workflows", {"team_id": "'tax'"}, "team,claims"),
    ("workflows", {"team_id": "'tax'"}, "unit,insurance"),
    ("workflows", {"team_id": "'tax'"}, "country,FR"),
    ("workflows", {"team_id": "'nowhere'"}, "unit,insurance"),
    ("workflows", {"sector_tag": "'schools'"}, "sector_tag,health-care"),
    ("workflows", {"sector_tag": "null"}, "sector_tag,health-care"),
])
def test_nobody_is_moved_from_under_a_ceiling_by_sql(engine, put, table, values, place):
    """A new version of a team or a workflow is refused where it leaves a ceiling, and nowhere else."""
    put.one("teams", put.teams)
    header, letters, _ = put.workflows.replace("valid_to", "valid_to,sector_tag").splitlines()
    put.one("workflows", f"{header}\n{letters},health-care\n")
    with engine.connect() as connection:
        columns = [name for name in connection.exec_driver_sql(f"select * from {table}").keys() if name != "row_id"]

    def moved(version, **changes):
        row = {name: name for name in columns} | {"version": str(version), "supersedes": "row_id"} | changes
        return send(engine, f"insert into {table} ({', '.join(row)}) select {', '.join(row.values())} from {table}"
                            f" where {'team_id' if table == 'teams' else 'workflow_id'} in ('claims', 'letters')"
                            f" and version = {version - 1}")

    ceiling = f"perimeter_type,perimeter_id,metric,period_start,period_end,limit_quantity\n{place},tokens,{{}},5\n"
    put.one("ceilings", ceiling.format("2026-01-01,2026-02-01").replace("2026", "2020"))  # over
    assert moved(2, **values) == []
    old = {name: repr(str(before)) for name, before in zip(
        ("unit_id", "country", "team_id", "sector_tag"), ("insurance", "FRA", "claims", "health-care"), strict=True)
        if name in values}
    assert moved(3, **old) == []
    assert put.one("ceilings", ceiling.format("2126-01-01,2126-02-01")).accepted == 1
    before = current_rows(engine)
    assert moved(4, **values) == ["it would leave a place that has a ceiling for one that has not the same"]
    assert current_rows(engine) == before
    (attempt,) = listed(engine)
    assert attempt["entry_id"] in ("claims", "letters") and attempt["path"] == "sql"
    name, value = next(iter(values.items()))
    assert json.loads(attempt["tried"])[name] == (None if value == "null" else value.strip("'"))
    assert moved(4) == []


@pytest.mark.parametrize("statement", [
    "update ceilings set limit_quantity = '9999.000000000' where ceiling_id = 'org-kwh'",
    "delete from ceilings where ceiling_id = 'org-kwh'",
])
def test_a_change_is_refused_and_recorded(engine, put, statement):
    put.all()
    before = current_rows(engine)
    never = "the registry is append-only: ceilings may not be changed or deleted, record a new version"
    assert send(engine, statement) == [never]
    assert current_rows(engine) == before
    (attempt,) = listed(engine)
    assert (attempt["entry_id"], attempt["rule"]) == ("org-kwh", never)
    assert json.loads(attempt["tried"])["statement"] == statement.split()[0]


def test_truncating_is_an_error(postgresql):
    engine = open_registry(postgresql)
    assert "append-only" in send(engine, "truncate ceilings")[0]
    engine.dispose()


def test_a_lowering_by_sql_binds_like_any_other(engine, put):
    put.all()
    values = {name: name for name in COLUMNS.split(", ")} | {
        "version": "2", "supersedes": "row_id", "limit_quantity": "'999.000000000'"}
    lower = (f"insert into ceilings ({COLUMNS}) select {', '.join(values.values())} from ceilings"
             " where ceiling_id = 'org-kwh'")
    assert send(engine, lower) == []
    rows = {row["ceiling_id"]: row["limit_quantity"] for row in current_rows(engine)["ceilings"]}
    assert rows["org-kwh"] == 999  # '999' sorts after '1200.5', and is lower
    assert listed(engine) == []


def test_the_record_of_attempts_cannot_be_changed(engine, put):
    put.all()
    send(engine, "delete from ceilings where ceiling_id = 'org-kwh'")
    before = listed(engine)
    for statement in ("update refused_attempts set rule = ''", "delete from refused_attempts"):
        assert "append-only: refused_attempts" in send(engine, statement)[0]
    assert listed(engine) == before != []


def test_files_leave_a_record_of_what_was_refused(engine, put):
    put.all()
    put.one("ceilings", put.ceiling_header + (
        "org-kwh,organisation,organisation,energy_kwh,2026-06-01,2026-09-01,2000,jo@example.org,,\n"
        "org-kwh,organisation,organisation,energy_kwh,2026-06-01,2026-09-01,2000,,,\n"
        ",team,claims,energy_mwh,2026-06-01,2026-09-01,sk-secret,,,\n"
        "org-kwh,organisation,organisation,energy_kwh,2026-06-01,2026-09-01,1000,,,\n"
    ))
    found = listed(engine)
    assert [(row["path"], row["attempted_by"], row["entry_id"], row["field"]) for row in found] == [
        ("import", "Data office", "org-kwh", "adopted_by"),
        ("import", "Data office", "", "metric"),
        ("import", "Data office", "", "limit_quantity"),
        ("import", "Data office", "org-kwh", "ceiling_id"),
        ("import", "Data office", "org-kwh", "ceiling_id"),
    ]
    assert json.loads(found[2]["tried"])["limit_quantity"] == "a value that looks like a secret"
    assert "example.org" not in str(found) and str(found[0]["attempted_at_utc"]) == "2026-05-20 12:00:00"
    assert listed(engine) and attempts.listed(Session(engine), date(2026, 5, 19)) == []


def test_older_guards_are_made_anew(tmp_path):
    engine = open_registry(default_url(tmp_path))
    with engine.begin() as connection:
        connection.exec_driver_sql("drop trigger ceilings_no_replace")
        connection.exec_driver_sql(
            "create trigger ceilings_no_replace before insert on ceilings when 1 = 0 begin select 1; end")
    engine.dispose()
    again = open_registry(default_url(tmp_path))
    with sqlite3.connect(tmp_path / "registry.sqlite") as other:
        with pytest.raises(sqlite3.IntegrityError, match="ids without spaces"):
            other.execute(f"insert into ceilings ({COLUMNS}) values ({', '.join('1' * 15)})")
    again.dispose()


def test_older_guards_of_postgresql_give_way(postgresql):
    engine = open_registry(postgresql)
    trigger = text("select tgname from pg_trigger join pg_class c on tgrelid = c.oid where not tgisinternal"
                   " and relname = 'ceilings' and relnamespace = 'public'::regnamespace order by 1")
    with engine.begin() as connection:
        name, whole = connection.execute(trigger).scalars()
        connection.exec_driver_sql(f"drop trigger {name} on public.ceilings; drop trigger {whole} on public.ceilings")
        connection.exec_driver_sql(
            "create function older() returns trigger language plpgsql as $$ begin return null; end $$;"
            " create trigger ceilings_no_change before update on public.ceilings execute function older();"
            " create trigger ceilings_bind_00000000 before insert on public.ceilings for each row"
            " execute function older()")
    engine.dispose()
    again = open_registry(postgresql)
    with again.connect() as connection:
        assert list(connection.execute(trigger).scalars()) == [name, whole]
    again.dispose()


def test_no_search_path_and_no_temporary_table_stands_in_for_the_registry(postgresql):
    engine = open_registry(postgresql)
    with engine.connect() as connection, connection.begin() as transaction:
        insert = ("insert into public.ceilings (" + COLUMNS + ") values (1, '2026-01-01', '2026-01-01', 'x', 'x', '{}',"
                  " 'service', 'openai', 'tokens', '2026-01-01', '2027-01-01', {}, 'x', '2026-01-01', null)")
        assert connection.exec_driver_sql(insert.format("a", 5)).rowcount == 1
        connection.exec_driver_sql("create temp table ceilings (like public.ceilings)")
        connection.exec_driver_sql("set local search_path = pg_temp")
        assert connection.exec_driver_sql(insert.format("b", 50)).rowcount == 0
        transaction.rollback()
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        assert connection.exec_driver_sql(insert.format("a", 5)).rowcount == 0
        assert connection.exec_driver_sql("select rule from public.refused_attempts").scalars().all()[-1] == (
            "a ceiling is recorded in read committed or serializable isolation")
    engine.dispose()
