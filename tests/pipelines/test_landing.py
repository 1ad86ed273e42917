"""Promises of landing: whole days or nothing, receipts that prove them, and nothing lost on the way."""

import errno
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import duckdb
import landing_probe as probe
import pyarrow.parquet as pq
import pytest
import sqlalchemy
from landing_probe import AFTER, BEFORE, D1, D2, D3, FETCHED, land, row, source

from pipelines import landing, receipts
from pipelines.errors import Finding, JevonsError, SourceError
from pipelines.source import Column, DayFile, Page
from pipelines.sources import deliveries
from pipelines.typed import to_arrow
from pipelines.window import Window

ONE, THREE = Window.of_days(D1, D1), Window.of_days(D1, D3)
HERE = Path(__file__).parent


def day_folder(home: Path, day=D1) -> Path:
    return home / "raw" / "probe" / "things" / f"dt={day}"


def rows(home: Path, day=D1) -> list[dict]:
    return pq.read_table(day_folder(home, day) / "part.parquet", partitioning=None).to_pylist()


def receipt(home: Path, day=D1) -> dict:
    return json.loads((day_folder(home, day) / "receipt.json").read_text("utf-8"))


def tree(folder: Path) -> dict[str, str]:
    """Every file under the folder and the hash of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*") if path.is_file()
    }


def pages(*groups, **more):
    return source([Page(group, f"GET page {n}", **more) for n, group in enumerate(groups, start=1)])


def test_a_receipt_says_what_was_asked_and_proves_what_came(tmp_path):
    asked = [Page([row("a", tokens=5, usd="0.000000001"), row("b", tokens=None)], "GET page 1", ("late", "partial")),
             Page([row("c", tokens=-2, usd="1.5"), row("d", D2)], "GET page 2", ("late",))]
    landed = land(tmp_path, source(asked), Window.of_days(D1, D2))
    part = day_folder(tmp_path) / "part.parquet"
    assert receipt(tmp_path) == {
        "source": "probe", "table": "things", "day": "2026-06-01", "rows": 3, "bytes": part.stat().st_size,
        "sha256": hashlib.sha256(part.read_bytes()).hexdigest(), "fetched_at_utc": "2026-07-01T03:04:05Z",
        "requests": ["GET page 1", "GET page 2"], "warnings": ["late", "partial"], "duplicates": 0,
        "totals": {"tokens": "3", "usd": "1.500000001"}, "version": 1,  # 5 + null - 2; 0.000000001 + null + 1.5
    }
    assert receipt(tmp_path, D2)["requests"] == ["GET page 2"]
    assert landed.changed == [D1, D2] and [asdict(r) for r in landed.receipts] == [
        receipt(tmp_path), receipt(tmp_path, D2)]


def test_totals_are_exact_beyond_what_one_number_holds(tmp_path):
    most = 2**63 - 1
    given = [row("a", tokens=most, usd="123456789.123456789"), row("b", tokens=most, usd="-0.000000001"), row("c")]
    landed = land(tmp_path, pages(given), ONE)
    # 2 * (2^63 - 1) + what stands in c
    assert landed.receipts[0].totals == {
        "tokens": str(2 * most + (row("c")["tokens"] or 0)), "usd": "123456789.123456788"}


def test_a_day_is_replaced_whole(tmp_path):
    land(tmp_path, pages([row("a"), row("b")]), ONE)
    land(tmp_path, pages([row("c")]), ONE)
    assert [r["id"] for r in rows(tmp_path)] == ["c"]
    assert sorted(path.name for path in day_folder(tmp_path).iterdir()) == ["part.parquet", "receipt.json"]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_day_that_did_not_change_is_left_alone(tmp_path):
    land(tmp_path, pages([row("a")]), ONE)
    files = [day_folder(tmp_path) / name for name in ("part.parquet", "receipt.json")]
    before = [(path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes()) for path in files]
    landed = land(tmp_path, source([Page([row("a")], "GET something else", ("another warning",))]), ONE)
    assert [(path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes()) for path in files] == before
    assert landed.changed == [] and [r.version for r in landed.receipts] == [1]
    assert not (tmp_path / "raw_superseded").exists()


def test_a_restated_day_keeps_what_was_said_first(tmp_path):
    land(tmp_path, pages(BEFORE), ONE)
    first = tree(day_folder(tmp_path))
    land(tmp_path, pages(AFTER), ONE)
    attic = tmp_path / "raw_superseded" / "probe" / "things" / "dt=2026-06-01"
    assert tree(attic) == {"v0001.parquet": first["part.parquet"], "v0001.receipt.json": first["receipt.json"]}
    assert receipt(tmp_path)["version"] == 2 and receipt(tmp_path)["totals"] == {"tokens": "4"}  # 1 + 3
    second = tree(day_folder(tmp_path))
    land(tmp_path, pages(BEFORE), ONE)  # the vendor goes back to its first figures: a third delivery
    assert receipt(tmp_path)["version"] == 3
    assert tree(day_folder(tmp_path))["part.parquet"] == first["part.parquet"]
    assert tree(attic)["v0002.parquet"] == second["part.parquet"] and len(tree(attic)) == 4
    found = [(r.version, r.totals["tokens"], current) for r, current in deliveries._all(tmp_path)]
    assert found == [(1, "3", False), (2, "4", False), (3, "3", True)]


def test_an_empty_day_is_a_file_without_rows(tmp_path):
    landed = land(tmp_path, pages([row("a", D2)]), THREE)
    assert [(r.day, r.rows) for r in landed.receipts] == [("2026-06-01", 0), ("2026-06-02", 1), ("2026-06-03", 0)]
    empty = pq.read_table(day_folder(tmp_path) / "part.parquet", partitioning=None)
    assert empty.num_rows == 0 and empty.column_names == ["id", "day", "tokens", "usd"]
    assert receipt(tmp_path)["requests"] == ["2026-06-01 to 2026-06-03: no records for this day"]
    assert receipt(tmp_path)["totals"] == {}


def test_a_day_that_was_not_delivered_is_missing_and_not_empty(tmp_path):
    made = source([Page([row("a", D2)], "file")], silent_days_are_missing=True)
    landed = land(tmp_path, made, THREE)
    assert landed.missing == [D1, D3] and [r.day for r in landed.receipts] == ["2026-06-02"]
    assert not day_folder(tmp_path, D1).exists()


def test_a_finding_for_a_day_holds_back_that_day_and_no_other(tmp_path):
    findings = [Finding("row 2", "it is negative", "correct it", "2026-06-02"),
                Finding("row 3", "it is empty", "fill it", "2026-06-02")]
    made = pages([row("a"), row("b", D2), row("c", D3)])
    landed = land(tmp_path, made, THREE, findings)
    assert landed.quarantined == [D2] and landed.changed == [D1, D3] and landed.findings == findings
    (folder,) = (tmp_path / "quarantine" / "probe" / "things" / "dt=2026-06-02").iterdir()
    assert json.loads((folder / "findings.json").read_text()) == [finding.__dict__ for finding in findings]
    held = pq.read_table(folder / "part.parquet", partitioning=None).to_pylist()
    assert [r["id"] for r in held] == ["b"]
    land(tmp_path, made, THREE, findings)  # refused twice, kept once
    assert len(list((tmp_path / "quarantine" / "probe" / "things" / "dt=2026-06-02").iterdir())) == 1


def test_a_held_back_day_leaves_the_earlier_delivery_in_place(tmp_path):
    land(tmp_path, pages([row("a")]), ONE)
    before = tree(tmp_path / "raw")
    land(tmp_path, pages([row("a", tokens=-1)]), ONE, [Finding("x", "y", "z", "2026-06-01")])
    assert tree(tmp_path / "raw") == before


def test_a_finding_without_a_day_holds_back_the_window(tmp_path):
    landed = land(tmp_path, pages([row("a"), row("b", D2)]), THREE, [Finding("the request", "it broke", "ask again")])
    assert landed.quarantined == [D1, D2, D3] and landed.receipts == [] and not (tmp_path / "raw").exists()


def test_a_record_of_a_day_that_was_not_asked_holds_back_the_window(tmp_path):
    landed = land(tmp_path, pages([row("a"), row("z", D3)]), ONE)
    (finding,) = landed.findings
    assert finding.sentence().startswith("GET page 1: a record belongs to 2026-06-03, which was not asked for; ")
    assert landed.quarantined == [D1]


def test_what_was_rejected_lies_beside_the_findings(tmp_path):
    def items(context):
        path, refused = context.scratch / "day.parquet", context.scratch / "rejected.csv"
        pq.write_table(to_arrow(made.tables[0], [row("a")], "file")[0], path)
        refused.write_text("b;x\n")
        finding = Finding("calls.csv, line 2", "no number", "mend", "2026-06-01")
        yield DayFile(D1, path, "calls.csv", findings=(finding,), rejected=refused)

    made = source(items)
    assert land(tmp_path, made, ONE).quarantined == [D1]
    (folder,) = (tmp_path / "quarantine" / "probe" / "things" / "dt=2026-06-01").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["findings.json", "part.parquet", "rejected.csv"]


def test_only_what_is_new_or_changed_needs_the_gate(tmp_path):
    land(tmp_path, pages([row("a"), row("b", D2)]), Window.of_days(D1, D2))
    probed = pages([row("a"), row("b", D2, tokens=6), row("c", D3)])
    with landing.scratch(tmp_path) as scratch:
        staged = landing.stage(probed, probed.tables[0], probe.context(tmp_path, scratch), THREE)
        assert sorted(landing.unseen(staged, tmp_path)) == [D2, D3]
        (day_folder(tmp_path) / "receipt.json").write_text("{")  # cut off by a crash: nothing proves that it passed
        assert sorted(landing.unseen(staged, tmp_path)) == [D1, D2, D3]


def test_the_same_record_twice_counts_once(tmp_path):
    landed = land(tmp_path, pages([row("a", tokens=7), row("b")], [row("a", tokens=7), row("a", tokens=7)]), ONE)
    assert landed.findings == [] and receipt(tmp_path)["duplicates"] == 2
    assert [(r["id"], r["tokens"]) for r in rows(tmp_path)] == [("a", 7), ("b", 1)]
    alone = tmp_path / "alone"
    land(alone, pages([row("a", tokens=7), row("b")]), ONE)
    assert [r["id"] for r in rows(alone)] == [r["id"] for r in rows(tmp_path)]


@pytest.mark.parametrize("other", [row("a", tokens=8), row("a", tokens=None), row("a", tokens=7, usd="0")])
def test_one_id_for_two_records_is_refused_in_one_sentence(tmp_path, other):
    landed = land(tmp_path, pages([row("a", tokens=7), other, row("b"), row("c", D2)]), Window.of_days(D1, D2))
    (finding,) = landed.findings
    assert finding.sentence() == (
        "things of 2026-06-01: 1 id stands for different records (a); keep the right one at the source and land the "
        "day again."
    )
    assert landed.quarantined == [D1] and landed.changed == [D2]


def test_the_order_and_the_pages_of_the_records_do_not_change_the_bytes(tmp_path):
    records = [row(f"id {n}", tokens=n % 7, usd=f"{n}.5") for n in range(5000)]
    hashes = set()
    for seed in range(4):
        mixed = random.Random(seed).sample(records, len(records))
        cut = random.Random(seed).randint(1, 4999)
        landed = land(tmp_path / str(seed), pages(mixed[:cut], mixed[cut:]), ONE)
        hashes.add(landed.receipts[0].sha256)
    assert len(hashes) == 1


def test_a_table_without_days_is_replaced_as_a_whole(tmp_path):
    whole = dict(daily=False, day_of=None)
    land(tmp_path, source([Page([row("a"), row("b", D3)], "list")], **whole), ONE)
    landed = land(tmp_path, source([Page([row("a")], "list")], **whole), ONE)
    assert landed.receipts[0].day is None and landed.receipts[0].version == 2
    assert (tmp_path / "raw_superseded" / "probe" / "things" / "v0001.parquet").exists()
    assert pq.read_table(tmp_path / "raw" / "probe" / "things" / "part.parquet").num_rows == 1


@pytest.mark.parametrize("before", [False, True])
def test_a_table_without_a_file_can_be_read_all_the_same(tmp_path, before):
    made = pages([row("a")])
    if before:
        land(tmp_path, made, ONE)
    landing.ensure_readable(tmp_path, [made])
    found = duckdb.sql(f"select id from read_parquet('{tmp_path}/raw/probe/things/*/part.parquet')").fetchall()
    assert found == ([("a",)] if before else [])
    assert list((tmp_path / "raw").rglob("receipt.json")) == ([day_folder(tmp_path) / "receipt.json"] if before else [])


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> tuple[Path, int]:
    """Homes in which a landing was killed at each of its steps, and the number of steps."""
    folder = tmp_path_factory.mktemp("killed")
    done = subprocess.run([sys.executable, HERE / "landing_probe.py", folder], capture_output=True, text=True,
                          check=False, timeout=120, cwd=HERE.parents[1],
                          env={**os.environ, "PYTHONPATH": str(HERE.parents[1])})
    assert done.returncode == 0, done.stderr
    signals = json.loads(done.stdout)
    assert set(signals) == {9} and len(signals) >= 12  # links, renames and syncs of two days
    return folder, len(signals)


def test_killed_at_any_step_a_day_is_the_old_one_or_the_new_one(killed):
    folder, steps = killed
    old = tree(folder / "first" / "raw")["probe/things/dt=2026-06-01/part.parquet"]
    seen = set()
    for step in range(steps):
        home = folder / str(step)
        assert sorted(r["tokens"] for r in rows(home)) in ([1, 2], [1, 3]), step
        assert receipts.read(day_folder(home) / "receipt.json"), step
        kept = set(tree(home / "raw").values()) | set(tree(home / "raw_superseded").values())
        assert old in kept, step  # what was said first is never lost
        seen.add(rows(home)[1]["tokens"])
    assert seen == {2, 3}


def test_after_a_kill_the_next_run_completes(killed):
    folder, steps = killed
    first, whole = tree(folder / "first" / "raw" / "probe" / "things" / "dt=2026-06-01"), folder / str(steps)
    for step in range(steps):
        home = folder / f"{step}-again"
        assert tree(home / "raw") == tree(whole / "raw"), step
        assert tree(home / "raw_superseded") == tree(whole / "raw_superseded"), step
        attic = tree(home / "raw_superseded" / "probe" / "things" / "dt=2026-06-01")
        assert attic == {"v0001.parquet": first["part.parquet"], "v0001.receipt.json": first["receipt.json"]}, step
        for day in (D1, D2):
            assert receipt(home, day)["sha256"] == hashlib.sha256(
                (day_folder(home, day) / "part.parquet").read_bytes()).hexdigest()


def test_after_a_kill_the_vendor_may_return_to_its_first_figures(killed):
    folder, steps = killed
    first = tree(folder / "first" / "raw" / "probe" / "things" / "dt=2026-06-01")
    for step in range(steps):
        home = folder / f"{step}-back"
        assert tree(day_folder(home))["part.parquet"] == first["part.parquet"], step
        assert receipt(home)["sha256"] == first["part.parquet"], step
        found = [(r.day, r.version) for r, _ in deliveries._all(home)]
        assert len(set(found)) == len(found), (step, found)  # each delivery has a version of its own


def big(n: int) -> Page:
    drawn = random.Random(n)
    return Page([row(drawn.randbytes(32).hex()) for _ in range(40_000)], "GET much")  # 1.3 MB of pure chance


@pytest.fixture
def small_disk(tmp_path):
    """A real disk of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a small disk needs the right to mount; the limit on file sizes is tested beside this")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_told_and_harms_nothing(small_disk):
    land(small_disk, pages([row("a")]), ONE)
    before = tree(small_disk)
    with pytest.raises(JevonsError) as told:
        land(small_disk, source([big(1)]), ONE)
    assert str(told.value).startswith("The records could not be written (")
    assert "No space left on device" in str(told.value)
    assert str(told.value).endswith("free some space and run the same days again; what was landed before is untouched.")
    assert tree(small_disk) == before and list((small_disk / "scratch").iterdir()) == []


@pytest.mark.parametrize(("day", "version"), [(D1, 2), (D2, 1)], ids=["a restated day", "a new day"])
def test_a_disk_without_room_for_a_receipt_harms_nothing(small_disk, day, version):
    land(small_disk, pages([row("a")]), ONE)
    before = tree(small_disk)
    made, window = pages([row("b", day)]), Window.of_days(day, day)
    with landing.scratch(small_disk) as scratch:
        staged = landing.stage(made, made.tables[0], probe.context(small_disk, scratch), window)
        filler = small_disk / "filler"
        with pytest.raises(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        with pytest.raises(JevonsError, match="The records could not be written"):
            landing.commit(staged, [], small_disk, FETCHED)
        filler.unlink()
    assert {name: digest for name, digest in tree(small_disk).items() if name.startswith("raw/")} == before
    assert list((small_disk / "scratch").iterdir()) == []
    land(small_disk, made, window)
    assert receipt(small_disk, day)["version"] == version


def test_a_limit_on_file_sizes_is_told_like_a_full_disk(tmp_path):
    land(tmp_path, pages([row("a")]), ONE)
    before, limits = tree(tmp_path), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
    try:
        with pytest.raises(JevonsError, match="The records could not be written"):
            land(tmp_path, source([big(2)]), ONE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert tree(tmp_path) == before and list((tmp_path / "scratch").iterdir()) == []


FULL = [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EDQUOT, "Disk quota exceeded"),
        duckdb.IOException('IO Error: Could not write file "x": No space left on device')]
OTHER = [
    (duckdb.IOException('IO Error: Cannot open file "y": Permission denied'), "The records could not be read", "whole"),
    (duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block"), "need more memory",
     "raise JEVONS_MEMORY_LIMIT"),
]


@pytest.mark.parametrize("error", FULL, ids=str)
def test_each_form_of_a_full_disk_has_one_sentence(error):
    with pytest.raises(JevonsError, match="^The records could not be written .*free some space") as told, \
            landing.told(Path("h")):
        raise error
    assert "\n" not in str(told.value)


def test_a_full_disk_is_known_by_its_cause_whoever_met_it():
    """Dagster's storage and the registry are SQLite behind SQLAlchemy: a database of 4 pages, and more than fits."""
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.exec_driver_sql("pragma max_page_count = 4")
        connection.exec_driver_sql("create table t (x)")
        with pytest.raises(sqlalchemy.exc.OperationalError) as told:
            connection.exec_driver_sql("insert into t values (zeroblob(1000000))")
        assert landing.is_full(told.value)
        with pytest.raises(sqlalchemy.exc.OperationalError) as told:
            connection.exec_driver_sql("insert into u values (1)")
        assert not landing.is_full(told.value)
    assert landing.is_full(FULL[0]) and not landing.is_full(OSError(errno.EACCES, "Permission denied"))


@pytest.mark.parametrize(("error", "what", "fix"), OTHER)
def test_what_is_no_full_disk_is_not_called_one(error, what, fix):
    with pytest.raises(JevonsError, match=what) as told, landing.told(Path("h")):
        raise error
    assert fix in str(told.value) and "free some space" not in str(told.value)


def test_any_other_error_stays_what_it_is():
    with pytest.raises(PermissionError), landing.told(Path("h")):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_a_file_that_cannot_be_read_is_not_a_full_disk(tmp_path):
    def items(context):
        path = context.scratch / "day.parquet"
        path.write_bytes(b"PAR1 cut off")
        yield DayFile(D1, path, "calls.parquet")

    with pytest.raises((JevonsError, duckdb.Error)) as told:
        land(tmp_path, source(items), ONE)
    assert "free some space" not in str(told.value) and not (tmp_path / "raw").exists()


@pytest.mark.parametrize(("days", "daily", "why"), [
    ((D2,), True, "2026-06-02): 2026-06-01 to 2026-06-01 was asked for"),
    ((D1, D1), True, "2026-06-01): it came twice"),
    ((None,), True, "no day): 2026-06-01 to 2026-06-01 was asked for"),
    ((D1,), False, "2026-06-01): the whole table was asked for"),
])
def test_a_day_file_is_for_a_day_that_was_asked_for_and_comes_once(tmp_path, days, daily, why):
    def items(context):
        for number, day in enumerate(days):
            path = context.scratch / f"{number}.parquet"
            pq.write_table(to_arrow(probe.source(()).tables[0], [row("a")], "here")[0], path)
            yield DayFile(day, path, "calls.parquet")

    with pytest.raises(SourceError) as told:
        land(tmp_path, source(items, daily=daily), ONE)
    assert f"(probe things, {why}" in str(told.value) and not (tmp_path / "raw").exists()


@pytest.mark.parametrize("daily", [True, False])
def test_what_was_refused_waits_until_the_day_has_passed(tmp_path, daily):
    table = {} if daily else {"daily": False, "day_of": None}
    good = source([Page([row("a")], "good")], **table)
    held = [Finding("here", "wrong", "mend it", D1.isoformat() if daily else None)]
    land(tmp_path, good, ONE)
    land(tmp_path, good, ONE, held)
    (waits,) = landing.waiting(tmp_path)
    assert waits.parent.parent.name == (f"dt={D1}" if daily else "whole")
    assert land(tmp_path, good, ONE).changed == []  # the very bytes that are there already
    assert landing.waiting(tmp_path) == [] and waits.exists()
    land(tmp_path, good, ONE, held)
    assert landing.waiting(tmp_path) == [waits]


def test_a_day_that_passes_says_nothing_of_another(tmp_path):
    both = source([Page([row("a"), row("b", D2)], "both")])
    land(tmp_path, both, THREE, [Finding("here", "wrong", "mend it", D1.isoformat())])
    assert [path.parent.parent.name for path in landing.waiting(tmp_path)] == [f"dt={D1}"]


def test_days_of_before_have_a_null_in_a_column_that_came_later(tmp_path):
    made = source([Page([row("a")], "first")])
    land(tmp_path, made, ONE)
    landing.ensure_readable(tmp_path, [made])
    (table,) = made.tables
    grown = replace(made, tables=(replace(table, columns=(*table.columns, Column("size", "INTEGER", "New."))),))
    landing.ensure_readable(tmp_path, [grown])
    files = f"{tmp_path}/raw/probe/things/*/part.parquet"
    assert duckdb.sql(f"select id, size from read_parquet('{files}', union_by_name = true)").fetchall() == [("a", None)]
