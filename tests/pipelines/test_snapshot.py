"""Promises of the published snapshot: same rows, same bytes; a reader never meets half a build; nothing is writable."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from pipelines import snapshot
from pipelines.errors import JevonsError

FACTS = {
    "organisation": "Probe",
    "sandbox": False,
    "data_from": "2026-01-01",
    "data_to": "2026-01-02",
    "factor_sets": ["set-1"],
    "inputs_sha256": "ab" * 32,
}
ROWS = [
    (day, f"team-{team}", day * 10 + team, None if team == 3 else f"{day}.{team:09d}")
    for day in range(40)
    for team in range(5)
]


def _warehouse(path: Path, rows=ROWS, version: int = 1) -> Path:
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table fct_probe (day integer, team_id varchar, calls bigint, energy_kwh decimal(24,9))"
        )
        marks = ", ".join(["(?, ?, ?, ?)"] * len(rows))
        connection.execute(f"insert into fct_probe values {marks}", [value for row in rows for value in row])
        connection.execute("create table dim_version as select ? as version", [version])
        connection.execute("create view fct_view as select version, version * 2 as twice from dim_version")
    return path


MARTS = ["fct_probe", "dim_version", "fct_view"]


def _hashes(published: snapshot.Published) -> dict[str, str]:
    manifest = json.loads((published.path / "manifest.json").read_text())
    return {name: entry["sha256"] for name, entry in manifest["tables"].items()}


def test_a_build_holds_the_rows_of_the_warehouse(tmp_path):
    done = snapshot.publish(_warehouse(tmp_path / "w.duckdb"), tmp_path, MARTS, FACTS)
    now = snapshot.current(tmp_path)
    assert (now.build_id, now.path, done.unchanged) == (done.build_id, done.path, False)
    # 40 days of 5 teams; calls = sum over days of (5 * 10 * day + 0+1+2+3+4) = 50 * 780 + 40 * 10
    answer = now.query("select count(*) as n, sum(calls) as calls, count(energy_kwh) as known from fct_probe")
    assert answer.to_pylist() == [{"n": 200, "calls": 39_400, "known": 160}]
    assert answer.schema.metadata[b"build_id"].decode() == done.build_id
    assert now.query("select twice from fct_view").to_pylist() == [{"twice": 2}]
    assert {key: now.manifest[key] for key in FACTS} == FACTS
    assert now.manifest["tables"]["fct_probe"]["rows"] == 200
    assert sorted(file.name for file in done.path.iterdir()) == [
        "audit.duckdb", "dim_version.parquet", "fct_probe.parquet", "fct_view.parquet", "manifest.json",
    ]  # fmt: skip
    assert {oct(file.stat().st_mode & 0o777) for file in done.path.iterdir()} == {"0o444"}
    assert snapshot.verify(now) == []


def test_publishing_again_changes_no_byte_and_no_file(tmp_path):
    warehouse = _warehouse(tmp_path / "w.duckdb")
    first = snapshot.publish(warehouse, tmp_path, MARTS, FACTS)
    before = {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in first.path.iterdir()}
    again = snapshot.publish(warehouse, tmp_path, MARTS, FACTS)
    assert (again.build_id, again.unchanged) == (first.build_id, True)
    assert {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in again.path.iterdir()} == before


def test_shuffled_rows_give_the_same_bytes(tmp_path):
    first = snapshot.publish(_warehouse(tmp_path / "a.duckdb"), tmp_path / "a", MARTS, FACTS)
    shuffled = ROWS[:]
    random.Random(5).shuffle(shuffled)
    assert shuffled != ROWS
    second = snapshot.publish(_warehouse(tmp_path / "b.duckdb", shuffled), tmp_path / "b", list(reversed(MARTS)), FACTS)
    assert second.build_id == first.build_id
    assert _hashes(second) == _hashes(first)


def test_many_row_groups_are_the_same_bytes_whatever_the_order(tmp_path):
    built = []
    for name, order in (("a", "i"), ("b", "hash(i)")):
        warehouse = tmp_path / f"{name}.duckdb"
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(
                "create table fct_big as select (i % 365)::integer as day, 'w' || (i % 997) as workflow_id, "
                "((hash(i) % 1000000) / 1000)::decimal(24,9) as energy_kwh from range(400000) as r (i) "
                f"order by {order}"
            )
        built.append(snapshot.publish(warehouse, tmp_path / name, ["fct_big"], FACTS))
    assert built[0].build_id == built[1].build_id


def test_another_value_or_another_fact_is_another_build(tmp_path):
    first = snapshot.publish(_warehouse(tmp_path / "w.duckdb"), tmp_path, MARTS, FACTS)
    other_fact = snapshot.publish(tmp_path / "w.duckdb", tmp_path, MARTS, {**FACTS, "inputs_sha256": "cd" * 32})
    other_rows = snapshot.publish(_warehouse(tmp_path / "w.duckdb", version=2), tmp_path, MARTS, FACTS)
    assert len({first.build_id, other_fact.build_id, other_rows.build_id}) == 3
    back = snapshot.publish(_warehouse(tmp_path / "w.duckdb"), tmp_path, MARTS, FACTS)
    assert (back.build_id, back.unchanged) == (first.build_id, True)
    assert snapshot.current(tmp_path).build_id == first.build_id


def test_only_the_newest_ten_builds_are_kept(tmp_path):
    ids = [
        snapshot.publish(_warehouse(tmp_path / "w.duckdb", version=version), tmp_path, MARTS, FACTS).build_id
        for version in range(13)
    ]
    kept = {path.name for path in (tmp_path / "published").iterdir() if path.is_dir()}
    assert kept == set(ids[3:])


def test_nothing_published_says_what_to_type(tmp_path):
    with pytest.raises(JevonsError) as caught:
        snapshot.current(tmp_path)
    assert caught.value.what == "Nothing is published yet"
    assert "make demo" in caught.value.fix


@pytest.mark.parametrize("text", ["", "../../etc", "0123456789abcdef", "\xff"])
def test_a_damaged_pointer_is_one_sentence(tmp_path, text):
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "CURRENT").write_bytes(text.encode("latin-1"))
    with pytest.raises(JevonsError, match="The published build cannot be read"):
        snapshot.current(tmp_path)


def test_a_missing_mart_is_named_and_the_old_build_stays(tmp_path):
    first = snapshot.publish(_warehouse(tmp_path / "w.duckdb"), tmp_path, MARTS, FACTS)
    with pytest.raises(JevonsError, match="The mart fct_absent cannot be published"):
        snapshot.publish(tmp_path / "w.duckdb", tmp_path, [*MARTS, "fct_absent"], FACTS)
    assert snapshot.current(tmp_path).build_id == first.build_id
    assert not list((tmp_path / "published").glob(".tmp-*"))


class Crash(BaseException):
    """Stands for the process dying: nothing in the code may catch it to tidy up half-way."""


@pytest.mark.parametrize("step", ["rename", "replace", "fsync", "chmod"])
@pytest.mark.parametrize("kind", [OSError(28, "No space left on device"), Crash()])
def test_a_failure_at_any_step_keeps_the_old_build(tmp_path, monkeypatch, step, kind):
    first = snapshot.publish(_warehouse(tmp_path / "w.duckdb"), tmp_path, MARTS, FACTS)
    _warehouse(tmp_path / "w.duckdb", version=2)

    def fail(*_args, **_kwargs):
        raise kind

    with monkeypatch.context() as patch:
        patch.setattr(*((Path, "chmod", fail) if step == "chmod" else (os, step, fail)))
        with pytest.raises(JevonsError if isinstance(kind, OSError) else Crash):
            snapshot.publish(tmp_path / "w.duckdb", tmp_path, MARTS, FACTS)
    now = snapshot.current(tmp_path)
    assert now.build_id == first.build_id
    assert now.query("select version from dim_version").to_pylist() == [{"version": 1}]
    assert snapshot.verify(now) == []
    second = snapshot.publish(tmp_path / "w.duckdb", tmp_path, MARTS, FACTS)
    now = snapshot.current(tmp_path)
    assert now.build_id == second.build_id
    assert now.query("select version from dim_version").to_pylist() == [{"version": 2}]
    assert snapshot.verify(now) == []
    assert not list((tmp_path / "published").glob(".tmp-*"))


# The child stops itself inside the named function, so that the kill always lands at that step.
_STOPPING_CHILD = """
import os, pathlib, signal, sys
from pipelines import snapshot
from pipelines.snapshot import writing
home, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def stop(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(writing, name, stop)
snapshot.publish(home / "w.duckdb", home, ["fct_probe", "dim_version", "fct_view"], dict(
    organisation="Probe", sandbox=False, data_from="2026-01-01", data_to="2026-01-02",
    factor_sets=["set-1"], inputs_sha256="ab" * 32))
"""


@pytest.mark.parametrize("step", ["_write_audit_file", "_write_manifest", "_seal", "_point_at", "_remove_oldest"])
def test_a_killed_writer_leaves_a_complete_build(tmp_path, step):
    first = snapshot.publish(_warehouse(tmp_path / "w.duckdb"), tmp_path, MARTS, FACTS)
    _warehouse(tmp_path / "w.duckdb", version=2)
    child = subprocess.run(
        [sys.executable, "-c", _STOPPING_CHILD, str(tmp_path), step], capture_output=True, timeout=60
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    now = snapshot.current(tmp_path)
    assert (now.build_id == first.build_id) is (step != "_remove_oldest")
    assert snapshot.verify(now) == []
    second = snapshot.publish(tmp_path / "w.duckdb", tmp_path, MARTS, FACTS)
    assert snapshot.current(tmp_path).build_id == second.build_id
    assert not list((tmp_path / "published").glob(".tmp-*"))


def test_a_writer_killed_while_copying_a_large_table(tmp_path):
    first = snapshot.publish(_warehouse(tmp_path / "w.duckdb"), tmp_path, MARTS, FACTS)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("create or replace table fct_probe as select hash(i) as h, i from range(3000000) as r (i)")
    child = subprocess.Popen([sys.executable, "-c", _STOPPING_CHILD, str(tmp_path), "_write_manifest"])
    deadline = time.monotonic() + 30
    while not list((tmp_path / "published").glob(".tmp-*/fct_probe.parquet")) and time.monotonic() < deadline:
        time.sleep(0.005)
    child.kill()
    child.wait()
    assert list((tmp_path / "published").glob(".tmp-*")), "the kill came too late to test anything"
    assert snapshot.current(tmp_path).build_id == first.build_id
    assert snapshot.verify(snapshot.current(tmp_path)) == []
    second = snapshot.publish(_warehouse(tmp_path / "w.duckdb", version=3), tmp_path, MARTS, FACTS)
    assert snapshot.current(tmp_path).build_id == second.build_id
    assert not list((tmp_path / "published").glob(".tmp-*"))


# A reader of its own process: asks until a file named `stop` is there, then prints what it saw.
_READER = """
import json, pathlib, sys, time
from pipelines import snapshot
home, seen, builds = pathlib.Path(sys.argv[1]), 0, set()
while not (home / "stop").exists():
    now = snapshot.current(home)
    rows = now.query("select p.version as a, q.version as b, twice as c from dim_version p, dim_version q, fct_view")
    (row,) = rows.to_pylist()
    assert row["a"] == row["b"] and row["c"] == 2 * row["a"], f"torn read {row}"
    builds.add((rows.schema.metadata[b"build_id"].decode(), row["a"]))
    seen += 1
    if seen == 1:
        (home / f"ready-{sys.argv[2]}").touch()
    time.sleep(0.01)  # four that never pause would keep the publisher waiting
print(json.dumps([seen, sorted(builds)]))
"""


def test_readers_never_meet_an_error_or_half_a_build(tmp_path):
    home, warehouse = tmp_path / "home", tmp_path / "w.duckdb"
    published = {snapshot.publish(_warehouse(warehouse, version=0), home, MARTS, FACTS).build_id: 0}
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", _READER, str(home), str(number)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for number in range(4)
    ]
    deadline = time.monotonic() + 60
    while len(list(home.glob("ready-*"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    for version in range(1, 21):
        published[snapshot.publish(_warehouse(warehouse, version=version), home, MARTS, FACTS).build_id] = version
    (home / "stop").touch()
    answers = [reader.communicate(timeout=60) for reader in readers]
    assert [errors.decode() for _, errors in answers if errors] == []
    assert [reader.returncode for reader in readers] == [0] * 4
    said = [json.loads(output) for output, _ in answers]
    everything = {tuple(build) for _, builds in said for build in builds}
    # Each answer carries one build id, and the content is that build's and no other's.
    assert all(published[build_id] == version for build_id, version in everything)
    assert all(seen >= 20 and len(builds) > 1 for seen, builds in said), said


def test_two_publishers_do_not_mix(tmp_path):
    from pipelines.snapshot import writing

    warehouse = _warehouse(tmp_path / "w.duckdb")
    (tmp_path / "published").mkdir()
    with writing._only_publisher(tmp_path / "published"):
        with pytest.raises(JevonsError, match="another process is publishing"):
            snapshot.publish(warehouse, tmp_path, MARTS, FACTS)
    assert snapshot.publish(warehouse, tmp_path, MARTS, FACTS).unchanged is False


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    home = tmp_path_factory.mktemp("locked")
    snapshot.publish(_warehouse(home / "w.duckdb"), home, MARTS, FACTS)
    (home / "secret.csv").write_text("a,b\n1,2\n")
    return home


@pytest.mark.parametrize(
    "sql",
    [
        "copy fct_probe to '{home}/out.csv'",
        "explain analyze copy fct_probe to '{home}/out.csv'",
        "export database '{home}/out'",
        "select * from read_csv('{home}/secret.csv')",
        "select * from '{home}/secret.csv'",
        "select * from read_text('{home}/secret.csv')",
        "select * from glob('{home}/*')",
        "attach '{home}/w.duckdb' as other",
        "attach ':memory:' as other",
        "pragma memory_limit='64GB'",
        "set enable_external_access=true",
        "set lock_configuration=false",
        "reset memory_limit",
        "insert into fct_probe select * from fct_probe",
        "update fct_probe set calls = 0",
        "delete from fct_probe",
        "drop table fct_probe",
        "create table mine as select 1",
        "create temp table mine as select 1",
        "install httpfs",
        "load httpfs",
        "checkpoint",
        "call pragma_version()",
        "select 1; select 2",
        "select 1; copy fct_probe to '{home}/out.csv'",
        "from query('copy fct_probe to ''{home}/out.csv''')",
        "select from where",
        "select * from nowhere",
        "",
        "-- nothing",
    ],
)
def test_the_published_build_only_answers(locked, sql):
    now = snapshot.current(locked)
    with pytest.raises(JevonsError) as caught:
        now.query(sql.format(home=locked))
    assert caught.value.fix
    assert not (locked / "out.csv").exists()
    assert not (locked / "out").exists()
    assert snapshot.verify(now) == []


def test_settings_are_locked_on_the_connection_itself(locked):
    with snapshot.current(locked).open("select 1") as answer:
        assert answer.fetchall() == [(1,)]
    settings = snapshot.current(locked).query(
        "select name, value from duckdb_settings() where name in ('enable_external_access', 'lock_configuration')"
    )
    assert {row["name"]: row["value"] for row in settings.to_pylist()} == {
        "enable_external_access": "false",
        "lock_configuration": "true",
    }


def test_a_local_variable_is_not_a_table(locked):
    frame = FACTS  # noqa: F841  DuckDB would look it up by name in the caller's frame if it were allowed to
    with pytest.raises(JevonsError, match="frame"):
        snapshot.current(locked).query("select * from frame")


def test_questions_that_auditors_ask_are_answered(locked):
    now = snapshot.current(locked)
    assert now.query("show tables").num_rows == 3
    assert now.query("describe fct_probe").num_rows == 4
    assert now.query("select day from fct_probe where team_id = ? and calls = ?", ["team-2", 72]).to_pylist() == [
        {"day": 7}
    ]
    assert now.fetch_df("select max(calls) as most from fct_probe")["most"].tolist() == [394]


def test_verify_finds_a_flipped_byte(tmp_path):
    done = snapshot.publish(_warehouse(tmp_path / "w.duckdb"), tmp_path, MARTS, FACTS)
    file = done.path / "fct_probe.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    assert snapshot.verify(snapshot.current(tmp_path)) == ["fct_probe.parquet: its SHA-256 differs from the manifest"]
    mended = snapshot.publish(tmp_path / "w.duckdb", tmp_path, MARTS, FACTS)
    assert (mended.build_id, mended.unchanged) == (done.build_id, False)
    assert snapshot.verify(snapshot.current(tmp_path)) == []


def test_verify_finds_another_value_in_the_audit_file(tmp_path):
    done = snapshot.publish(_warehouse(tmp_path / "w.duckdb"), tmp_path, MARTS, FACTS)
    (done.path / "audit.duckdb").chmod(0o644)
    with duckdb.connect(str(done.path / "audit.duckdb")) as connection:
        connection.execute("update fct_probe set calls = calls + 1 where day = 0 and team_id = 'team-0'")
    (finding,) = snapshot.verify(snapshot.current(tmp_path))
    assert finding == "audit.duckdb: fct_probe holds other values than fct_probe.parquet"
    with duckdb.connect(str(done.path / "audit.duckdb")) as connection:
        connection.execute("delete from fct_probe where day = 0")
    (finding,) = snapshot.verify(snapshot.current(tmp_path))
    assert finding == "audit.duckdb: fct_probe holds 195 rows, the manifest says 200"


def test_verify_finds_an_edited_manifest(tmp_path):
    done = snapshot.publish(_warehouse(tmp_path / "w.duckdb"), tmp_path, MARTS, FACTS)
    file = done.path / "manifest.json"
    file.chmod(0o644)
    file.write_text(file.read_text().replace("Probe", "Robe"))
    (finding,) = snapshot.verify(snapshot.current(tmp_path))
    assert finding == f"manifest.json: its content does not give the build id {done.build_id}"
