"""A machine of random attempts, on SQLite and on a real PostgreSQL: no reachable state has a looser ceiling."""

import json
import random
import sqlite3
import tempfile
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from postgresql_server import served
from pydantic import ValidationError

from pipelines.registry import binding, book
from pipelines.registry.drafts import CeilingDraft, Recording, TeamDraft
from pipelines.registry.models import KINDS
from pipelines.registry.store import open_registry

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
BOARD = Recording(recorded_by="Board", reason="Machine", recorded_at_utc=NOW)
PLACES = [("organisation", "organisation"), ("team", "claims"), ("country", "FRA"), ("country", "FR"),
          ("service", "openai"), ("unit", "insurance")]
ODD_PLACES = [("organisation", "Organisation"), ("country", "fra"), ("sector_tag", "retail"), ("team", "clai ms"),
              ("team", ""), ("unit", "insurance\0b"), ("Team", "claims")]
METRICS = ["energy_kwh", "cost_usd"]
ODD_METRICS = ["energy_wh", "ENERGY_KWH", "energy_kwh "]
# numbers whose texts sort otherwise than they do, and two that are one as floats
LIMITS = [Decimal(text) for text in (
    "0", "0.000000001", "2", "9", "9.999999999", "10", "12", "99", "100.5", "1000",
    "123456789012345.123456788", "123456789012345.123456789",
)]
ODD_LIMITS = ["1e9", " 5.000000000", "05.000000000", "-1.000000000", "5", "5.0", ".000000000", "NaN", "", "5.00000000x",
              "5.000000000\0", "1234567890123456.000000000", None, 7, 7.5, b"9.000000000"]
ODD_DAYS = ["2026-1-01", "2026-02-30", "2026-03-01 00:00:00", "2026-03-01T00:00:00+14:00", "", None, 20260301,
            "infinity"]
COLUMNS = ("row_id", "version", "valid_from", "recorded_at_utc", "recorded_by", "reason", "ceiling_id",
           "perimeter_type", "perimeter_id", "metric", "period_start", "period_end", "limit_quantity", "adopted_by",
           "adopted_at_utc", "supersedes")
READ = "select row_id, version, ceiling_id, perimeter_type, perimeter_id, metric, period_start, period_end," \
       " limit_quantity, supersedes from ceilings order by ceiling_id, version"


def month(index):
    return date(2026 + index // 12, index % 12 + 1, 1)


class Machine:
    """One registry, what was ever seen in it, and the moves that may be tried."""

    def __init__(self, engine, seed):
        self.engine, self.random, self.lite = engine, random.Random(seed), engine.dialect.name == "sqlite"
        book.record(engine, KINDS["teams"], [TeamDraft(
            team_id="claims", team_name="Claims", unit_id="insurance", unit_name="Insurance", country="FR",
            valid_from="2026-01-01")], BOARD)
        self.pooled = engine.raw_connection()
        self.sql = self.pooled.driver_connection
        if not self.lite:
            self.sql.autocommit = True
        self.errors = sqlite3.Error if self.lite else pytest.importorskip("psycopg").Error
        self.seen, self.bound, self.first, self.tally = [], {}, {}, Counter()

    def run(self, count):
        moves = [self.ask, self.insert, self.insert, self.insert, self.insert, self.change]
        for number in range(count):
            move = self.random.choice(moves)
            self.tally[move.__name__] += 1
            move()
            if number % 10 == 0 or move == self.ask:
                self.look()
        self.look()
        self.pooled.close()

    def query(self, statement):
        return [tuple(row) for row in self.sql.execute(statement).fetchall()]

    def look(self):
        """What is in the table now holds all that ever was, and binds each month at most as high as before."""
        rows = self.query(READ)
        assert set(self.seen) <= set(rows)
        scopes, newest = {}, {}
        for _, version, name, kind, place, metric, start, end, limit, _ in rows:
            subject = (kind, {"FR": "FRA"}.get(place, place) if kind == "country" else place, metric)
            scope = (*subject, str(start), str(end))
            assert scopes.setdefault(name, scope) == scope
            assert version == newest[name][0] + 1 if name in newest else version == 1
            newest[name] = (version, scope, Decimal(limit))
        bound = {}
        for _, scope, limit in newest.values():
            start, end = (date.fromisoformat(text) for text in scope[3:])
            assert start.day == end.day == 1
            for index in range((start.year - 2026) * 12 + start.month - 1, (end.year - 2026) * 12 + end.month - 1):
                cell = (*scope[:3], index)
                assert cell not in bound  # by one ceiling at most
                bound[cell] = limit
        for cell, limit in self.bound.items():
            assert bound[cell] <= limit <= self.first[cell]
        for cell, limit in bound.items():
            self.first.setdefault(cell, limit)
        self.tally["recorded"] += len(rows) - len(self.seen)
        self.seen, self.bound = rows, bound

    def scope(self):
        """A scope that stands, or one that may not."""
        if self.seen and self.random.random() < 0.6:
            row = self.random.choice(self.seen)
            return {"ceiling_id": row[2], "perimeter_type": row[3], "perimeter_id": row[4], "metric": row[5],
                    "period_start": str(row[6]), "period_end": str(row[7])}
        kind, place = self.random.choice(PLACES)
        start = self.random.randrange(15)
        end = start + self.random.choice((1, 3, 3, 12, 12, 2))
        return {"ceiling_id": self.random.choice("abcdefgh") + str(self.random.randrange(4)), "perimeter_type": kind,
                "perimeter_id": place, "metric": self.random.choice(METRICS), "period_start": str(month(start)),
                "period_end": str(month(end))}

    def bent(self, scope):
        """The scope with something changed about it, or as it is."""
        for turn in self.random.sample(("id", "place", "metric", "from", "to", "", "", "", ""), 2):
            if turn == "id":
                scope["ceiling_id"] = self.random.choice(("new", "A1", "a1 ", "b2", scope["ceiling_id"].upper()))
            elif turn == "place":
                scope["perimeter_type"], scope["perimeter_id"] = self.random.choice(PLACES + ODD_PLACES)
            elif turn == "metric":
                scope["metric"] = self.random.choice(METRICS + ODD_METRICS)
            elif turn:
                days = [str(month(self.random.randrange(18))) for _ in range(4)]
                scope["period_start" if turn == "from" else "period_end"] = self.random.choice(
                    days + ["2026-02-15", self.random.choice(ODD_DAYS)])
        return scope

    def ask(self):
        """Through the door: one to three drafts, some of them no drafts at all."""
        drafts = []
        for _ in range(self.random.choice((1, 1, 3))):
            scope = self.bent(self.scope())
            if self.random.random() < 0.4:
                scope["ceiling_id"] = None
            try:
                drafts.append(CeilingDraft(**scope, limit_quantity=self.random.choice(LIMITS)))
            except ValidationError:
                self.tally["no draft"] += 1
        outcome = book.record(self.engine, KINDS["ceilings"], drafts, BOARD)
        self.tally["accepted"] += len(outcome.accepted)
        self.tally["objected"] += len(outcome.refused)

    def values(self):
        row = dict.fromkeys(COLUMNS) | self.bent(self.scope()) | {
            "row_id": self.random.randrange(10**9), "valid_from": "2026-01-01", "recorded_by": "x", "reason": "x",
            "recorded_at_utc": "2026-01-01 00:00:00", "adopted_by": "x", "adopted_at_utc": "2026-01-01 00:00:00",
        }
        limit = f"{self.random.choice(LIMITS):.9f}"
        row["limit_quantity"] = self.random.choice(ODD_LIMITS) if self.random.random() < 0.2 else limit
        before = [old for old in self.seen if old[2] == row["ceiling_id"]]
        row["version"] = before[-1][1] + 1 if before else 1
        row["supersedes"] = before[-1][0] if before else None
        if self.random.random() < 0.15:
            row["version"] = self.random.choice((0, 1, 2, 99, -1))
        if self.random.random() < 0.15 and self.seen:
            row[self.random.choice(("supersedes", "row_id"))] = self.random.choice(self.seen)[0]
        return row

    def send(self, statement, values=()):
        """One statement past the door, alone or in a transaction that is committed whatever came of it."""
        together = self.random.random() < 0.2
        try:
            if together:
                self.sql.execute("begin")
            self.sql.execute(statement, values)
            self.tally["sent"] += 1
        except self.errors as error:
            self.tally[type(error).__name__] += 1
        finally:
            if together:
                self.sql.execute("commit")

    def insert(self):
        rows = [self.values() for _ in range(self.random.choice((1, 1, 2)))]
        mark = "?" if self.lite else "%s"
        places = ", ".join(f"({', '.join([mark] * len(COLUMNS))})" for _ in rows)
        verbs = ["insert into"] * 4
        if self.lite:
            verbs += ["replace into", "insert or ignore into", "insert or fail into", "insert or rollback into"]
        tail = self.random.choice(("", "", "", " on conflict do nothing",
                                   " on conflict (row_id) do update set limit_quantity = 1000"))
        verb = self.random.choice(verbs)
        if verb != "insert into":
            tail = ""
        listed = [row[name] for row in rows for name in COLUMNS]
        self.send(f"{verb} ceilings ({', '.join(COLUMNS)}) values {places}{tail}", listed)

    def change(self):
        where = "" if not self.seen else f" where row_id = {self.random.choice(self.seen)[0]}"
        where = "" if self.random.random() < 0.03 else where  # each row of a statement is an attempt
        statements = [f"update ceilings set {what}{where}" for what in (
            "limit_quantity = '999.000000000'", "period_end = '2026-02-01'", "perimeter_id = 'other'",
            "metric = 'requests'", "ceiling_id = 'gone'", "version = version + 5", "row_id = row_id + 1000",
        )] + [f"delete from ceilings{where}"]
        if self.lite:
            statements += [f"update or replace ceilings set row_id = 1{where}",
                           f"replace into ceilings select * from ceilings{where}"]
        else:
            statements += ["truncate ceilings", "truncate ceilings, teams cascade", "set timezone = 'Pacific/Apia'",
                           "set timezone = 'UTC'", "set session_replication_role = replica",
                           "set session_replication_role = default",
                           "merge into ceilings using (select 1) as one on true when matched then delete"]
        self.send(self.random.choice(statements))


def settled(machine):
    """What every run must have come to: both outcomes by both ways, and a record of what was refused."""
    tally = machine.tally
    assert tally["accepted"] and tally["objected"] and tally["recorded"] > tally["accepted"], tally
    with machine.engine.connect() as connection:
        rows = connection.exec_driver_sql("select path, rule, tried from refused_attempts").all()
    told = Counter((path, rule) for path, rule, _ in rows)
    paths = Counter(path for path, _, _ in rows)
    assert paths["command"] == tally["objected"]
    assert paths["sql"] > len(machine.seen)
    for rule in ("never raised", "re-dated", "cannot be moved", "already binds", "append-only", "a version follows",
                 "no account", "a month, a quarter or a year", "without spaces"):
        assert any(rule in said for path, said in told if path == "sql"), rule
    assert {"statement", "limit_quantity"} <= set(json.loads(rows[-1][2])) or rows[-1][0] != "sql"


def test_on_sqlite():
    for seed in range(8):
        engine = open_registry("sqlite://")
        machine = Machine(engine, seed)
        machine.run(2500)
        settled(machine)
        engine.dispose()


def test_on_postgresql():
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "pg") as url:
        admin = open_registry(url)
        for seed in range(4):
            with admin.begin() as connection:
                connection.exec_driver_sql(f"create schema s{seed}")
            engine = open_registry(f"{url}?options=-csearch_path%3Ds{seed}")
            machine = Machine(engine, 100 + seed)
            machine.run(2500)
            settled(machine)
            engine.dispose()
        admin.dispose()


def test_the_machine_sees_a_raise(monkeypatch):
    """Without the trigger's rule the same moves do raise a ceiling, and the machine says so."""
    rules = binding._rules
    monkeypatch.setattr(binding, "_rules", lambda *given: [
        rule for rule in rules(*given) if "never raised" not in rule[1]])
    engine = open_registry("sqlite://")
    with pytest.raises(AssertionError):
        Machine(engine, 0).run(2500)
    engine.dispose()
