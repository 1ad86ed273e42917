"""Repeats in a stream: found exactly, written once, and never chosen between."""

from datetime import date

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import duplicates
from pipelines.duplicates import DifferentRecords, drop_duplicates, write_once
from pipelines.seen import BITMAP_BITS, BITMAP_FROM, Seen
from pipelines.source import Column, Table

TABLE = Table(
    name="things", columns=(Column("id", "BIGINT", "Key."), Column("said", "VARCHAR", "Payload.")), key=("id",),
    fetch=lambda context, window: iter(()), description="", day_of=lambda row: date(2026, 6, 1),
)
# hashes that share a bit of the bitmap, that share the sieve's low bits, and that are alike
NEAR = st.sampled_from([0, 1, 2**16, 2**(64 - BITMAP_BITS) - 1, 2**(64 - BITMAP_BITS), 2**63, 2**64 - 1])


@given(st.lists(st.lists(NEAR | st.integers(0, 2**64 - 1), max_size=12), max_size=40),
       st.sampled_from([0, 20, BITMAP_FROM]))
@settings(max_examples=300, deadline=None)
def test_what_came_before_is_what_a_set_says(batches, bitmap_from):
    seen, told = Seen(bitmap_from), set()
    for batch in batches:
        expected = []
        for position, value in enumerate(batch):
            if value in told:
                expected.append(position)
            told.add(value)
        assert seen.again(np.array(batch, dtype=np.uint64)).tolist() == expected


def test_runs_are_merged_and_still_know_everything():
    made = np.random.default_rng(5).integers(0, 2**64 - 1, (60, 1000), dtype=np.uint64)
    seen = Seen()
    assert sum(len(seen.again(batch)) for batch in made) == 0
    assert len(seen._runs) <= 9  # 60 = 3 x 16 + 3 x 4: three long runs, three short ones
    assert all(seen.again(batch).tolist() == list(range(1000)) for batch in made)


def test_a_long_run_is_not_sorted_again_for_each_short_one():
    made = np.random.default_rng(6).integers(0, 2**64 - 1, 10_030, dtype=np.uint64)
    seen = Seen()
    for batch in np.split(made, [10_000, 10_010, 10_020]):
        seen.again(batch)
    assert [len(run) for run in seen._runs] == [10_000, 10, 10, 10]


@pytest.fixture
def duck():
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        yield connection


def once(duck, path, query):
    return write_once(duck, TABLE, f"select id::bigint as id, said from ({query})", path)


def test_identical_records_are_written_once_wherever_they_lie(duck, tmp_path):
    every = "select range % 200_000 as id, 'x' || (range % 200_000 % 7) as said from range(300_000)"
    assert once(duck, tmp_path / "a", every) == (200_000, 100_000)
    assert once(duck, tmp_path / "b", f"select * from ({every}) limit 200_000") == (200_000, 0)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nulls_in_a_repeated_record_are_alike(duck, tmp_path):
    assert once(duck, tmp_path / "a", "select 1 as id, null::varchar as said from range(3)") == (1, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]  # what was held back is not left behind


@pytest.mark.parametrize("said", [["a", "b"], ["a", "b", "c"], ["a", "a", "b"], ["a", "b", "b"], ["a", None]])
def test_records_that_differ_are_nobodys_to_choose(duck, tmp_path, said):
    texts = ", ".join("null" if each is None else f"'{each}'" for each in said)
    query = f"select 7 as id, unnest([{texts}]) as said union all select 8, 'c' union all select 8, 'c'"
    with pytest.raises(DifferentRecords) as error:
        once(duck, tmp_path / "a", query)
    assert (error.value.count, error.value.shown) == (1, ["7"])


def test_of_many_keys_with_different_records_the_first_are_shown_and_all_are_counted(duck, tmp_path):
    with pytest.raises(DifferentRecords) as error:
        once(duck, tmp_path / "a", "select range // 2 as id, 'x' || range as said from range(10)")
    assert (error.value.count, error.value.shown) == (5, ["0", "1", "2"])
    long = DifferentRecords(1, ["k" * 200]).finding(TABLE, None)
    assert long.where == "things of this table" and f"({'k' * 80})" in long.rule


def test_an_unknown_key_is_a_key_like_any_other(duck, tmp_path):
    with pytest.raises(DifferentRecords) as error:
        once(duck, tmp_path / "a", "select null as id, unnest(['a', 'b']) as said")
    assert error.value.count == 1
    assert once(duck, tmp_path / "b", "select null as id, 'a' as said from range(2)") == (1, 1)


def test_another_seed_is_another_hash(duck):
    hashes = [duck.execute(f"select {duplicates._hash(TABLE, seed)} from (select 7 as id)").fetchone()[0]
              for seed in range(duplicates.SEEDS)]
    assert len(set(hashes)) == duplicates.SEEDS == 4


@pytest.mark.parametrize("colliding", [1, 2])
def test_keys_that_share_a_hash_are_told_apart_by_another(duck, tmp_path, monkeypatch, colliding):
    real = duplicates._hash
    monkeypatch.setattr(
        duplicates, "_hash", lambda table, seed: "1::ubigint" if seed < colliding else real(table, seed)
    )
    query = "select range // 2 as id, 'x' as said from range(10)"  # each of five keys twice
    assert once(duck, tmp_path / "a", query) == (5, 5)
    assert sorted(pq.read_table(tmp_path / "a").column("id").to_pylist()) == [0, 1, 2, 3, 4]


def test_a_file_without_repeats_is_not_touched(duck, tmp_path):
    path = tmp_path / "day.parquet"
    once(duck, path, "select range as id, 'x' as said from range(1000)")
    before = path.stat()
    assert drop_duplicates(duck, TABLE, path, date(2026, 6, 1), []) == 0
    after = path.stat()  # reading it moves the time of its last access
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)
