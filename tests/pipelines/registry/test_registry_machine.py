"""A machine of random attempts, on SQLite and on a real PostgreSQL: no reachable state has a looser ceiling.

JEVONS_MACHINE_OPERATIONS says how many are tried on each database: 10000 by default.
"""

import json
import os
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
from sqlmodel import Session

from pipelines.errors import JevonsError
from pipelines.registry import allocation, binding, book, staying
from pipelines.registry.drafts import CeilingDraft, Recording, TeamDraft, WorkflowDraft
from pipelines.registry.models import KINDS
from pipelines.registry.store import open_registry

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
BOARD = Recording(recorded_by="Board", reason="Machine", recorded_at_utc=NOW)
OPERATIONS = int(os.environ.get("JEVONS_MACHINE_OPERATIONS", "10000"))
EACH = 1000  # operations of one machine, which begins with an empty registry
FIRST_YEAR = 2126  # of the periods: none is over, by whichever clock
TEAMS = {"claims": ("insurance", "FRA"), "care": ("insurance", "DEU"), "tax": ("advisory", "DEU")}
WORKFLOWS = {"letters": ("claims", "health"), "notes": ("care", "health"), "sums": ("tax", None)}
PLACES = [("organisation", "organisation"), ("team", "claims"), ("country", "FRA"), ("country", "FR"),
          ("service", "openai"), ("unit", "insurance"), ("unit", "advisory"), ("team", "tax"), ("workflow", "letters"),
          ("workflow", "sums"), ("sector_tag", "health")]
ODD_PLACES = [("organisation", "Organisation"), ("country", "fra"), ("sector_tag", "retail"), ("team", "clai ms"),
              ("team", ""), ("unit", "insurance\0b"), ("Team", "claims"), ("unit", "claims"), ("workflow", "gone")]
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
           "adopted_at_utc", "evidence", "supersedes")
READ = "select row_id, version, ceiling_id, perimeter_type, perimeter_id, metric, period_start, period_end," \
       " limit_quantity, supersedes from ceilings order by ceiling_id, version"


NEWEST = "select {1} from {0} as row where not exists (select 1 from {0} as later where later.{2} = row.{2}" \
         " and later.version > row.version)"


def month(index):
    return date(FIRST_YEAR + index // 12, index % 12 + 1, 1)


def team(name, unit, country):
    return TeamDraft(team_id=name, team_name=name, unit_id=unit, unit_name=unit, country=country,
                     valid_from="2026-01-01")


def workflow(name, team, tag):
    return WorkflowDraft(
        workflow_id=name, workflow_name=name, team_id=team, owner="Head", job_description="x", sector_tag=tag,
        usefulness_class="useful", latency_tier="batch", cacheable="no", small_model_fit="no",
        expected_monthly_calls="1", review_due_date="2026-12-01", status="active", valid_from="2026-01-01")


class Machine:
    """One registry, what was ever seen in it, and the moves that may be tried."""

    def __init__(self, engine, seed):
        self.engine, self.random, self.lite = engine, random.Random(seed), engine.dialect.name == "sqlite"
        book.record(engine, KINDS["teams"], [team(name, *where) for name, where in TEAMS.items()], BOARD)
        book.record(engine, KINDS["workflows"], [workflow(name, *where) for name, where in WORKFLOWS.items()], BOARD)
        self.pooled = engine.raw_connection()
        self.sql = self.pooled.driver_connection
        if not self.lite:
            self.sql.autocommit = True
        self.errors = sqlite3.Error if self.lite else pytest.importorskip("psycopg").Error
        self.seen, self.bound, self.first, self.tally = [], {}, {}, Counter()
        self.under, self.excess, self.kept, self.read = set(), {}, [], None

    def run(self, count):
        moves = [self.ask, self.insert, self.insert, self.insert, self.insert, self.change, self.move, self.allocate]
        for number in range(count):
            move = self.random.choice(moves)
            self.tally[move.__name__] += 1
            if move == self.move:
                self.look()
            move()
            if number % 10 == 0 or move != self.insert:
                self.look(moved=move == self.move)
        self.look()
        with Session(self.engine) as session:
            for name in {row[0] for row in self.kept}:
                assert allocation.as_it_was(allocation.kept(session, name)[1], name)
        self.pooled.close()

    def query(self, statement):
        return [tuple(row) for row in self.sql.execute(statement).fetchall()]

    def look(self, moved=False):
        """What is in the table now holds all that ever was, and binds each month at most as high as before.

        Whoever was inside a limited unit, team, country or sector is inside one, and, unless somebody has just `moved`,
        no more is handed out below a ceiling than before, or than it has.
        """
        rows = self.query(READ)
        teams = self.query(NEWEST.format("teams", "team_id, unit_id, country", "team_id"))
        workflows = self.query(NEWEST.format("workflows", "workflow_id, team_id, sector_tag", "workflow_id"))
        kept = self.query("select allocation_id, perimeter_id, quota_quantity from allocation_shares order by row_id")
        if (rows, teams, workflows, kept) == self.read:
            return  # all of it was judged when it was read last
        self.read = rows, teams, workflows, kept
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
            first, after = ((day.year - FIRST_YEAR) * 12 + day.month - 1 for day in (start, end))
            for index in range(first, after):
                cell = (*scope[:3], index)
                assert cell not in bound  # by one ceiling at most
                bound[cell] = limit
        for cell, limit in self.bound.items():
            assert bound[cell] <= limit <= self.first[cell]
        for cell, limit in bound.items():
            self.first.setdefault(cell, limit)
        self.tally["recorded"] += len(rows) - len(self.seen)
        self.seen, self.bound = rows, bound
        teams = {name: where for name, *where in teams}
        under = set()
        for name, of_team, tag in workflows:
            unit, country = teams.get(of_team, (None, None))
            around = {"team": of_team, "unit": unit, "sector_tag": tag,
                      "country": {"FR": "FRA"}.get(country, country)}
            under |= {(name, cell[0], *cell[2:]) for cell in bound if around.get(cell[0]) == cell[1]}
        assert self.under <= under
        excess = self.handed_out(newest.values(), teams, workflows)
        assert moved or all(more <= self.excess.get(scope, 0) for scope, more in excess.items())
        assert kept[:len(self.kept)] == self.kept
        self.under, self.excess, self.kept = under, excess, kept

    @staticmethod
    def handed_out(newest, teams, workflows):
        """By how much the ceilings below a ceiling exceed it, walking down from it to the first ones that are met."""
        limits = {scope: limit for _, scope, limit in newest}
        below = {("organisation", "organisation"): {("unit", unit) for unit, _ in teams.values()}}
        for name, (unit, _) in teams.items():
            below.setdefault(("unit", unit), set()).add(("team", name))
        for name, of_team, _ in workflows:
            below.setdefault(("team", of_team), set()).add(("workflow", name))

        def claimed(place, rest):
            return sum(limits[(*child, *rest)] if (*child, *rest) in limits else claimed(child, rest)
                       for child in below.get(place, ()))

        return {scope: max(0, claimed(scope[:2], scope[2:]) - limit) for scope, limit in limits.items()}

    def scope(self):
        """A scope that stands, or one that may not."""
        chance, (kind, place) = self.random.random(), self.random.choice(PLACES)
        if self.seen and chance < 0.7:
            row = self.random.choice(self.seen)
            found = {"ceiling_id": row[2], "perimeter_type": row[3], "perimeter_id": row[4], "metric": row[5],
                     "period_start": str(row[6]), "period_end": str(row[7])}
            if chance < 0.3:  # another place, if there is one then below it
                kind, place = self.random.choice([
                    found for found in PLACES if found[0] in allocation.LEVELS.get(row[3], ())] or PLACES)
                found |= {"ceiling_id": f"{kind}{self.random.randrange(10**6)}", "perimeter_type": kind,
                          "perimeter_id": place}
            return found
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
                drafts.append(CeilingDraft(**scope, limit_quantity=self.random.choice(LIMITS),
                                           evidence=self.random.choice((None, "Minutes", "https://example.org/9"))))
            except ValidationError:
                self.tally["no draft"] += 1
        outcome = book.record(self.engine, KINDS["ceilings"], drafts, BOARD)
        self.tally["accepted"] += len(outcome.accepted)
        self.tally["objected"] += len(outcome.refused)

    def values(self):
        scope = self.scope()
        row = dict.fromkeys(COLUMNS) | (scope if self.random.random() < 0.5 else self.bent(scope)) | {
            "row_id": self.random.randrange(10**9), "valid_from": "2026-01-01", "recorded_by": "x", "reason": "x",
            "recorded_at_utc": "2026-01-01 00:00:00", "adopted_by": "x", "adopted_at_utc": "2026-01-01 00:00:00",
            "evidence": self.random.choice((None, "x")),
        }
        limit = f"{self.random.choice(LIMITS):.9f}"
        row["limit_quantity"] = self.random.choice(ODD_LIMITS) if self.random.random() < 0.1 else limit
        before = [old for old in self.seen if old[2] == row["ceiling_id"]]
        row["version"] = before[-1][1] + 1 if before else 1
        row["supersedes"] = before[-1][0] if before else None
        if self.random.random() < 0.05:
            row["version"] = self.random.choice((0, 1, 2, 99, -1))
        if self.random.random() < 0.05 and self.seen:
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

    def move(self):
        """A team or a workflow goes elsewhere, through the door or past it."""
        units, tags = ("insurance", "advisory", "insurances"), ("health", "schools", None)
        if self.random.random() < 0.5:
            name, table = self.random.choice(list(TEAMS)), "teams"
            draft = team(name, self.random.choice(units), self.random.choice(("FR", "DE")))
        else:
            name, table = self.random.choice(list(WORKFLOWS)), "workflows"
            draft = workflow(name, self.random.choice(list(TEAMS)), self.random.choice(tags))
        if self.random.random() < 0.5:
            outcome = book.record(self.engine, KINDS[table], [draft], BOARD)
            self.tally["moved"] += len(outcome.accepted)
            self.tally["stayed"] += len(outcome.refused)
            return
        values = {"team_id": draft.team_id} | (
            {"unit_id": draft.unit_id, "country": self.random.choice((draft.country, "FR"))} if table == "teams"
            else {"sector_tag": draft.sector_tag})
        if table == "workflows" and self.random.random() < 0.1:
            values["team_id"] = "nowhere"
        identity = KINDS[table].id_field
        columns = [column.name for column in KINDS[table].table.__table__.columns if column.name != "row_id"]
        mark = "?" if self.lite else "%s"
        said = {column: column for column in columns} | {column: mark for column in values if column != identity}
        said |= {"version": self.random.choice(("version + 1", "version + 1", "version + 7")), "supersedes": "row_id"}
        self.send(f"insert into {table} ({', '.join(columns)}) select {', '.join(said[column] for column in columns)}"
                  f" from ({NEWEST.format(table, '*', identity)}) as standing where {identity} = '{name}'",
                  [values[column] for column in columns if said[column] == mark])

    def allocate(self):
        """Quotas of a ceiling that stands, all of them or none."""
        if not self.seen:
            return
        try:
            with Session(self.engine) as session:
                parent = allocation.parent_of(session, self.random.choice(self.seen)[2])
                kind = self.random.choice(allocation.LEVELS[parent.perimeter_type])
                children = allocation.children_of(session, parent, kind)
            values = {child.perimeter_id: {"headcount": str(self.random.randrange(9))} for child in children}
            split = allocation.split(parent, kind, {"headcount": Decimal(1)}, values, {},
                                     self.random.choice((None, parent.limit_quantity // 2, Decimal(9))))
        except (JevonsError, ValueError):
            self.tally["no allocation"] += 1
            return
        outcome = allocation.adopt(self.engine, split, BOARD)
        assert not (outcome.accepted and outcome.refused)
        for name in ("accepted", "refused"):
            self.tally["objected" if name == "refused" else name] += len(getattr(outcome, name))
            self.tally[f"quotas {name}"] += len(getattr(outcome, name))

    def change(self):
        where = "" if not self.seen else f" where row_id = {self.random.choice(self.seen)[0]}"
        where = "" if self.random.random() < 0.03 else where  # each row of a statement is an attempt
        statements = [f"update ceilings set {what}{where}" for what in (
            "limit_quantity = '999.000000000'", "period_end = '2026-02-01'", "perimeter_id = 'other'",
            "metric = 'requests'", "ceiling_id = 'gone'", "version = version + 5", "row_id = row_id + 1000",
        )] + [f"delete from ceilings{where}", "update teams set unit_id = 'other'", "delete from workflows",
              "update allocation_shares set quota_quantity = '1'", "delete from allocations"]
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
    assert all(tally[name] for name in ("quotas accepted", "quotas refused", "moved", "stayed")), tally
    assert paths["sql"] > len(machine.seen)
    for rule in ("never raised", "re-dated", "cannot be moved", "already binds", "append-only", "a version follows",
                 "no account", "a month, a quarter or a year", "without spaces", "knows no such", "sum to more than it",
                 "would sum to more", "it would leave"):
        assert any(rule in said for path, said in told if path == "sql"), rule
    assert any({"statement", "limit_quantity"} <= set(json.loads(tried)) for path, _, tried in rows if path == "sql")


@pytest.mark.timeout(max(300, OPERATIONS // 10))
def test_on_sqlite():
    for seed in range(OPERATIONS // EACH):
        engine = open_registry("sqlite://")
        machine = Machine(engine, seed)
        machine.run(EACH)
        settled(machine)
        engine.dispose()


@pytest.mark.timeout(max(300, OPERATIONS // 10))
def test_on_postgresql():
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "pg") as url:
        admin = open_registry(url)
        for seed in range(OPERATIONS // EACH):
            with admin.begin() as connection:
                connection.exec_driver_sql(f"create schema s{seed}")
            engine = open_registry(f"{url}?options=-csearch_path%3Ds{seed}")
            machine = Machine(engine, 100 + seed)
            machine.run(EACH)
            settled(machine)
            engine.dispose()
        admin.dispose()


@pytest.mark.parametrize("rule", ["never raised", "sum to more than it", "would sum to more", "leave"])
def test_the_machine_sees_what_a_missing_rule_lets_through(monkeypatch, rule):
    """Without the trigger's rule the same moves do raise a ceiling, or slip from under one, and the machine says so."""
    rules = binding._rules
    monkeypatch.setattr(binding, "_rules", lambda *given: [found for found in rules(*given) if rule not in found[1]])
    if rule == "leave":
        monkeypatch.setattr(staying, "_leaves", lambda *given: "1 = 0")
    engine = open_registry("sqlite://")
    with pytest.raises(AssertionError):
        Machine(engine, 0).run(EACH)
    engine.dispose()
