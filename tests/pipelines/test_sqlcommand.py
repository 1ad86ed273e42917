"""The answers of `jevons sql`: every digit, no formula, no control character, one sentence when refused."""

import csv
import io
import json

import duckdb
import pytest

from pipelines import snapshot
from pipelines.errors import JevonsError
from pipelines.sqlcommand import SHOWN_ROWS, run_sql

FACTS = {
    "organisation": "Probe",
    "sandbox": False,
    "data_from": "2026-06-01",
    "data_to": "2026-06-01",
    "factor_sets": [],
    "inputs_sha256": "ab" * 32,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sql")
    with duckdb.connect(str(folder / "w.duckdb")) as connection:
        connection.execute(
            "create table fct_probe (name varchar, energy_kwh decimal(38,9), day date, at_utc timestamp, calls bigint, "
            "ok boolean)"
        )
        connection.execute(
            "insert into fct_probe values "
            "('=1+1', 0.000000001, '2026-06-01', '2026-06-01 10:00:00', -7, true), "
            "('[red]x' || chr(27) || '[31m' || chr(10) || '|', 12345678901234567890.123456789, null, null, null, null)"
        )
        connection.execute("create table fct_long as select i from range(1000) as r (i)")
    snapshot.publish(folder / "w.duckdb", folder, ["fct_probe", "fct_long"], FACTS)
    return folder


def _said(home, sql, fmt):
    answer = run_sql(home, sql, fmt)
    assert answer.build_id == snapshot.current(home).build_id
    return "".join(answer.pieces)


def test_json_keeps_every_digit_and_is_one_row_a_line(home):
    text = _said(home, "select * from fct_probe order by energy_kwh", "json")
    first, second = json.loads(text)
    assert first == {
        "name": "=1+1", "energy_kwh": "0.000000001", "day": "2026-06-01", "at_utc": "2026-06-01T10:00:00",
        "calls": -7, "ok": True,
    }  # fmt: skip
    assert second["energy_kwh"] == "12345678901234567890.123456789"
    assert [second[key] for key in ("day", "at_utc", "calls", "ok")] == [None] * 4
    assert len(text.splitlines()) == 4
    assert json.loads(_said(home, "select 1 as a where false", "json")) == []


def test_csv_neutralises_text_and_only_text(home):
    rows = list(csv.reader(io.StringIO(_said(home, "select * from fct_probe order by energy_kwh", "csv"))))
    assert rows[0] == ["name", "energy_kwh", "day", "at_utc", "calls", "ok"]
    assert rows[1] == ["'=1+1", "0.000000001", "2026-06-01", "2026-06-01T10:00:00", "-7", "true"]
    assert rows[2][1:] == ["12345678901234567890.123456789", "", "", "", ""]
    assert len(list(csv.reader(io.StringIO(_said(home, "select i from fct_long", "csv"))))) == 1001


def test_the_table_shows_whole_numbers_unknown_and_no_escape(home):
    text = _said(home, "select name, energy_kwh, day, calls from fct_probe", "table")
    assert "12345678901234567890.123456789" in text
    assert "0.000000001" in text
    assert "unknown" in text
    assert "[red]x" in text
    assert "\x1b" not in text
    assert "2 rows" in text


def test_a_table_wider_than_the_terminal_keeps_every_column(home):
    many = ", ".join(f"energy_kwh as a_quantity_of_energy_{i}_kwh" for i in range(8))
    answer = run_sql(home, f"select 'an-id-of-a-workflow-to-copy' as workflow_id, name, {many} from fct_probe",
                     width=60)
    lines = "".join(answer.pieces).splitlines()
    assert lines[1].split() == ["workflow_id", "name", *(f"a_quantity_of_energy_{i}_kwh" for i in range(8))]
    assert lines[3].split() == ["an-id-of-a-workflow-to-copy", "=1+1", *["0.000000001"] * 8]


def test_long_text_is_folded_where_there_is_no_room_and_only_there(home):
    sql = "select 'x' as id, repeat('word ', 20) as said, 1 as n"
    narrow = "".join(run_sql(home, sql, width=50).pieces).splitlines()
    assert max(len(line.rstrip()) for line in narrow) <= 50 and sum("word" in line for line in narrow) > 1
    assert sum("word" in line for line in "".join(run_sql(home, sql, width=200).pieces).splitlines()) == 1


def test_a_plan_is_drawn_on_many_lines(home):
    text = _said(home, "explain select name from fct_probe", "table")
    assert "\N{REPLACEMENT CHARACTER}" not in text and len(text.splitlines()) > 6


def test_a_long_table_says_what_it_leaves_out(home):
    text = _said(home, "select i from fct_long order by i", "table")
    assert f" {SHOWN_ROWS - 1} " in text
    assert f" {SHOWN_ROWS} " not in text.split("1,000 rows")[0]
    assert "800 of them not shown" in text


@pytest.mark.parametrize("fmt", ["table", "csv", "json"])
@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("selec 1", "syntax error"),
        ("select nope from fct_probe", "nope"),
        ("copy fct_probe to 'x.csv'", "one SELECT at a time"),
        ("select * from read_csv('/etc/passwd')", "disabled by configuration"),
        ("insert into fct_probe select * from fct_probe", "one SELECT at a time"),
    ],
)
def test_refusals_come_before_any_output(home, fmt, sql, why):
    with pytest.raises(JevonsError, match=why):
        run_sql(home, sql, fmt)


def test_nothing_published(tmp_path):
    with pytest.raises(JevonsError, match="Nothing is published yet"):
        run_sql(tmp_path, "select 1")
