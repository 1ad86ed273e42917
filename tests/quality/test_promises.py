"""What the models promise, asked for by gate 2: each kind of promise kept, broken, and told in one sentence."""

from pathlib import Path

import duckdb
import pytest

from quality.promises import TAG, inspect

ROWS = [("a", "x"), ("a", "y"), ("b", None), (None, None)]


def test_of(name: str, **kwargs: object) -> dict[str, object]:
    return {"name": f"{name}_of_fct", "attached_node": "model.jevons.fct", "tags": [TAG],
            "test_metadata": {"name": name, "kwargs": {"model": "{{ ref('fct') }}", **kwargs}}}


test_of.__test__ = False


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("warehouse") / "w.duckdb"
    with duckdb.connect(str(path)) as duck:
        duck.execute("create table fct (team varchar, workflow varchar)")
        duck.executemany("insert into fct values (?, ?)", ROWS)
        duck.execute("create view dim as select 'a' as team_id union all select null")
        duck.execute("create table nothing (team_id varchar)")
    return path


def asked(warehouse: Path, *tests: dict[str, object], attached: str = "model.jevons.fct") -> list[str]:
    nodes = {"model.jevons.fct": {"name": "fct"}, "seed.jevons.fct": {"name": "fct"}}
    nodes |= {f"test.{n}": {**node, "attached_node": attached} for n, node in enumerate(tests)}
    return inspect(warehouse, warehouse.parent, nodes)


@pytest.mark.parametrize("test, said", [
    (test_of("unique", column_name="team"), "team must name one row, broken once (found a)"),
    (test_of("unique", column_name="workflow"), None),  # as for dbt, rows without one are not asked
    (test_of("unique_key", columns=["team", "workflow"]), None),
    (test_of("unique_key", columns=["workflow"]), "workflow must name one row, broken once (found null)"),
    (test_of("primary_key", columns=["team", "workflow"]),
     "team, workflow must name one row, and no part be empty, broken 2 times (found b, null)"),
    (test_of("primary_key", columns=["team"]),
     "team must name one row, and no part be empty, broken 2 times (found a)"),
    (test_of("present", columns=["team", "workflow"]),
     "team, workflow must not be empty, broken 2 times (found b, null)"),
    (test_of("accepted_values", column_name="workflow", values=["x", "y"]), None),
    (test_of("accepted_values", column_name="workflow", values=["y", "it's"]),
     "workflow must be one of y, it's, broken once (found x)"),
    (test_of("relationships", column_name="team", to="ref('dim')", field="team_id"),
     "team must be in dim.team_id, broken once (found b)"),
    (test_of("relationships", column_name="team", to="ref('nothing')", field="team_id"),
     "team must be in nothing.team_id, broken 3 times (found a)"),  # a team that is not known is in no table
    ({**test_of("unique", column_name="team"), "tags": []}, None),  # dbt's own
])
def test_a_promise_that_is_broken_is_told_in_one_sentence(warehouse, test, said):
    assert asked(warehouse, test) == ([f"fct: {said}"] if said else [])


def test_all_are_told_and_those_of_a_seed_are_not_asked(warehouse):
    tests = [test_of("unique", column_name="team"), test_of("present", columns=["team"])]
    assert asked(warehouse, *tests) == [
        "fct: team must not be empty, broken once (found null)", "fct: team must name one row, broken once (found a)"]
    assert asked(warehouse, *tests, attached="seed.jevons.fct") == []


def test_a_model_that_is_not_there_is_no_pass(warehouse):
    with pytest.raises(duckdb.CatalogException):
        asked(warehouse, test_of("relationships", column_name="team", to="ref('gone')", field="team_id"))


def test_a_kind_that_nobody_asks_for_is_no_pass(warehouse):
    with pytest.raises(AssertionError, match="nobody asks for plausible of fct"):
        asked(warehouse, test_of("plausible", column_name="team"))
