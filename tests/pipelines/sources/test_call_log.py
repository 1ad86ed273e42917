"""Call logs from files to landed days: what is taken, what is refused with which sentence, and the same bytes always.

Plausibility of values is tested with the gate.
"""

import csv
import gzip
import hashlib
import json
import os
import runpy
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import engine, landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources.call_log import SOURCE, TABLE, check
from pipelines.typed import arrow_schema
from pipelines.window import Window

ROOT = Path(__file__).parents[3]
WRITE_DAY = runpy.run_path(str(ROOT / "bench/make_day.py"))["write"]
SHARED = Path(os.environ.get("JEVONS_SHARED_DATA") or ROOT.parent / "shared" / "data")
FIRST, SECOND = "2026-06-01", "2026-06-02"
HEADER = "request_id,started_at_utc,model,input_tokens,output_tokens"
GOOD = "a,2026-06-01T10:00:00Z,m,10,1"
OLDEST = ("request_id, started_at_utc, provider, model, api_key_id, project_id, workflow_tag, input_tokens, "
          "cached_input_tokens, output_tokens, status, attempt, call_purpose, lifecycle_stage, cost_usd, "
          "input_includes_cached, dt")
DATED = {"path": "inbox/{date}.csv"}
ANY = {"path": "inbox/*.csv"}


class Organisation:
    """A JEVONS_HOME with an inbox, and the landing of it without a gate."""

    def __init__(self, home: Path):
        self.home = home
        (home / "inbox").mkdir(parents=True)

    def drop(self, name: str, *lines: str, end: str = "\n", header: str = HEADER) -> Path:
        return self.put(name, (end.join([header, *lines]) + end).encode())

    def put(self, name: str, content: bytes) -> Path:
        path = self.home / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def context(self, options: dict, scratch: Path) -> Context:
        return Context(Settings(self.home, "x", False, {"call_log": options}, (), ()), scratch)

    def land(self, options: dict, first: str = FIRST, last: str | None = None) -> landing.Landed:
        with landing.scratch(self.home) as scratch:
            window = Window.of_days(first, last or first)
            staged = landing.stage(SOURCE, TABLE, self.context(options, scratch), window)
            return landing.commit(staged, [], self.home, datetime(2026, 6, 3, tzinfo=UTC))

    def check(self, options: dict) -> str:
        with landing.scratch(self.home) as scratch:
            return check(self.context(options, scratch))

    def part(self, day: str = FIRST) -> Path:
        return self.home / f"raw/call_log/calls/dt={day}/part.parquet"

    def rows(self, columns: str, day: str = FIRST) -> list[tuple]:
        with duckdb.connect() as duck:
            return duck.execute(f"select {columns} from read_parquet('{self.part(day)}')").fetchall()

    def rejected(self, day: str = FIRST) -> list[tuple]:
        path, = (self.home / "quarantine").rglob(f"rejected-{day}.parquet")
        with duckdb.connect() as duck:
            return duck.execute(f"select file, line, field, value, rule from read_parquet('{path}')").fetchall()


@pytest.fixture
def org(tmp_path) -> Organisation:
    return Organisation(tmp_path / "home")


def sentences(landed: landing.Landed) -> str:
    return "\n".join(finding.sentence() for finding in landed.findings)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# What is taken


def test_columns_are_mapped_and_every_type_is_the_tables(org):
    org.put("2026-06-01.csv", (
        b"id;when;prov;model;key;app;team;in;cached;out;http;try;stage;cost;note\n"
        b"007;2026-06-01T23:59:59.123456+00:00;p;m;k;a;007;10;4;2;200;2;inference;1.5e-7;secret prompt\n"
        b"8;2026-06-01 02:00:00+02:00;;m;;;;5;;0;503;;;0.1234567899;x\n"
    ))
    landed = org.land({
        **DATED, "delimiter": ";", "ignore_columns": ["note"], "defaults": {"provider": "azure", "attempt": "1"},
        "columns": {
            "request_id": "id", "started_at_utc": "when", "provider": "prov", "api_key_id": "key", "project_id": "app",
            "workflow_tag": "team", "input_tokens": "in", "cached_input_tokens": "cached", "output_tokens": "out",
            "status": "http", "attempt": "try", "lifecycle_stage": "stage", "cost_usd": "cost",
        },
        "values": {"status": {"200": "ok", "*": "error"}},
    })
    assert landed.findings == []
    assert org.rows(OLDEST) == [
        ("007", datetime(2026, 6, 1, 23, 59, 59, 123456), "p", "m", "k", "a", "007", 10, 4, 2, "ok", 2, None,
         "inference", Decimal("0.000000150"), True, date(2026, 6, 1)),
        # 02:00 at +02:00 is midnight UTC; the cost is rounded at the ninth digit
        ("8", datetime(2026, 6, 1), "azure", "m", None, None, None, 5, None, 0, "error", 1, None, None,
         Decimal("0.123456790"), True, date(2026, 6, 1)),
    ]
    assert pq.read_schema(org.part()).equals(arrow_schema(TABLE))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(org, end, mark):
    body = end.join([HEADER, GOOD, '"b""c, d",2026-06-01T11:00:00Z,m,1,1']) + end
    org.put("2026-06-01.csv", mark + body.encode())
    assert org.land(DATED).findings == []
    assert org.rows("request_id, input_tokens") == [("a", 10), ('b"c, d', 1)]


@pytest.mark.parametrize(("unit", "told"), [
    ("s", "1780308000"), ("s", "1780308000.000"), ("ms", "1780308000000"), ("us", "1780308000000000"),
])
def test_unix_times_have_their_declared_unit(org, unit, told):
    # date -u -d @1780308000 says 2026-06-01 10:00:00
    org.drop("2026-06-01.csv", f"a,{told},m,10,1")
    assert org.land({**DATED, "timestamp_unit": unit}).findings == []
    assert org.rows("started_at_utc") == [(datetime(2026, 6, 1, 10),)]


def test_the_unit_of_times_is_of_no_other_column(org):
    org.drop("2026-06-01.csv", "a,1780308000.5,m,10.5,1")
    assert "it is not a whole number" in sentences(org.land({**DATED, "timestamp_unit": "s"}))


def test_naive_times_are_utc_only_where_the_organisation_says_so(org):
    org.drop("2026-06-01.csv", "a,2026-06-01 10:00:00,m,10,1")
    assert "it has no time zone" in sentences(org.land(DATED))
    assert org.land({**DATED, "naive_timestamps_are": "UTC"}).findings == []
    assert org.rows("started_at_utc") == [(datetime(2026, 6, 1, 10),)]


def test_the_same_calls_give_the_same_bytes_from_every_format(org):
    rows = [
        {"request_id": f"r{n}", "started_at_utc": f"2026-06-01T10:{n % 60:02d}:00Z", "model": "m,\"x\"",
         "input_tokens": n, "output_tokens": 1} for n in range(3000)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with (org.home / "inbox/a.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER.split(","))
        writer.writeheader()
        writer.writerows(rows)
    text = (org.home / "inbox/a.csv").read_bytes()
    org.put("b.jsonl", lines)
    org.put("c.csv.gz", gzip.compress(text))
    for name, content in (("d.jsonl.zst", lines), ("e.csv.zst", text)):
        with pa.CompressedOutputStream(str(org.home / "inbox" / name), "zstd") as file:
            file.write(content)
    table = pa.Table.from_pylist([
        {**row, "started_at_utc": datetime.fromisoformat(row["started_at_utc"])} for row in rows
    ])
    pq.write_table(table, org.home / "inbox/f.parquet", row_group_size=700)
    pq.write_table(table.set_column(3, "input_tokens", table["input_tokens"].cast("double")),
                   org.home / "inbox/g.parquet")
    # one file cut in two is still the same day
    org.put("h1.csv", b"\n".join(text.split(b"\n")[:1001]) + b"\n")
    org.put("h2.csv", text.split(b"\n")[0] + b"\n" + b"\n".join(text.split(b"\n")[1001:]))
    found = {}
    for name in ("a.csv", "b.jsonl", "c.csv.gz", "d.jsonl.zst", "e.csv.zst", "f.parquet", "g.parquet", "h*.csv"):
        landed = org.land({"path": f"inbox/{name}"})
        assert landed.findings == [], name
        found[name] = landed.receipts[0].sha256
    assert len(set(found.values())) == 1, found
    # 0 + 1 + ... + 2999
    assert org.rows("count(*), sum(input_tokens)") == [(3000, 4_498_500)]


def test_names_within_nested_json_are_reached_by_pointer(org):
    org.put("2026-06-01.jsonl", b'{"request_id":"a","started_at_utc":"2026-06-01T10:00:00Z","model":"m",'
                                b'"usage":{"in":7,"out":3,"other":{}}}\n\n')
    landed = org.land({"path": "inbox/{date}.jsonl",
                       "columns": {"input_tokens": "/usage/in", "output_tokens": "/usage/out"}})
    assert landed.findings == []
    assert org.rows("input_tokens, output_tokens") == [(7, 3)]


def test_ids_are_derived_from_file_and_line_where_the_log_has_none(org):
    header = "started_at_utc,model,input_tokens,output_tokens"
    org.drop("2026-06-01.csv", *["2026-06-01T10:00:00Z,m,10,1"] * 3, header=header)
    landed = org.land({**DATED, "columns": {"request_id": ""}})
    # three lines that are equal are three calls, because nothing says otherwise
    assert (landed.receipts[0].rows, landed.receipts[0].duplicates) == (3, 0)
    assert org.rows("request_id") == [(f"inbox/2026-06-01.csv:{n}",) for n in (1, 2, 3)]


def test_repeated_lines_count_once_and_one_id_for_two_calls_is_refused(org):
    org.drop("2026-06-01.csv", GOOD, GOOD, "b,2026-06-01T11:00:00Z,m,1,1", GOOD)
    org.drop("2026-06-02.csv", "a,2026-06-02T10:00:00Z,m,10,1", "a,2026-06-02T10:00:00Z,m,11,1")
    landed = org.land(DATED, FIRST, SECOND)
    assert [(receipt.rows, receipt.duplicates) for receipt in landed.receipts] == [(2, 2)]
    assert org.rows("request_id") == [("a",), ("b",)]
    assert landed.quarantined == [date(2026, 6, 2)]
    assert sentences(landed) == (
        "calls of 2026-06-02: 1 id stands for different records (a); "
        "keep the right one at the source and land the day again."
    )


# Days


def test_a_day_without_file_is_missing_and_a_file_without_calls_is_an_empty_day(org):
    org.drop("2026-06-01.csv")
    landed = org.land(DATED, FIRST, SECOND)
    assert [receipt.rows for receipt in landed.receipts] == [0]
    assert landed.missing == [date(2026, 6, 2)]


def test_only_the_files_of_the_days_asked_are_opened(org):
    org.drop("2026-06-01.csv", GOOD)
    org.put("2026-06-02.csv", b"\xff\xfe broken")
    assert org.land(DATED).findings == []


def test_a_file_without_day_serves_every_day_and_the_bytes_do_not_depend_on_the_window(org):
    lines = [f"{n},2026-06-0{1 + n % 3}T10:00:00Z,m,{n},1" for n in range(1, 9001)]
    org.drop("all.csv", *lines)
    landed = org.land(ANY, FIRST, "2026-06-05")
    assert [receipt.rows for receipt in landed.receipts] == [3000, 3000, 3000]
    assert landed.missing == [date(2026, 6, 4), date(2026, 6, 5)]
    # n % 3 == 1 is the second day: 1 + 4 + ... + 8998 = 3000 * 8999 / 2
    assert org.rows("sum(input_tokens)", SECOND) == [(13_498_500,)]
    before = sha256(org.part(SECOND))
    again = org.land(ANY, SECOND)
    assert (again.changed, sha256(org.part(SECOND))) == ([], before)


def test_a_line_of_another_day_is_refused_unless_days_may_spill(org):
    org.drop("2026-06-01.csv", GOOD)
    org.drop("2026-06-02.csv", "late,2026-06-01T23:59:59Z,m,5,1", "b,2026-06-02T00:00:00Z,m,7,1")
    landed = org.land(DATED, FIRST, SECOND)
    assert landed.quarantined == [date(2026, 6, 2)]
    assert (
        "inbox/2026-06-02.csv, line 2, field started_at_utc, value '2026-06-01 23:59:59': "
        "it is not of 2026-06-02, the day that the file is named by; correct it" in sentences(landed)
    )
    spilling = {**DATED, "spill_days": 1}
    assert org.land(spilling, FIRST, SECOND).findings == []
    assert org.rows("request_id") == [("a",), ("late",)]
    assert org.rows("request_id", SECOND) == [("b",)]
    # alone, the second day says that the first one is not whole without its file
    with landing.scratch(org.home) as scratch:
        staged = landing.stage(SOURCE, TABLE, org.context(spilling, scratch), Window.of_days(SECOND, SECOND))
    assert staged.warnings == [
        "1 call of 2026-06-01 lies in the file of 2026-06-02: land 2026-06-01 again if it was landed before"
    ]


def test_a_day_whose_own_file_is_not_there_is_missing_whatever_its_neighbour_holds(org):
    org.drop("2026-06-02.csv", "late,2026-06-01T23:59:59Z,m,5,1")
    landed = org.land({**DATED, "spill_days": 1}, FIRST, SECOND)
    assert landed.missing == [date(2026, 6, 1)]


# Lines and fields that are refused, each with its sentence; the day waits, its neighbour does not


@pytest.mark.parametrize(("line", "said"), [
    ("b,2026-06-01T10:00:00Z,m,100.7,1", "line 4, field input_tokens, value '100.7': it is not a whole number"),
    ("b,2026-06-01T10:00:00Z,m,1e3,1", "value '1e3': it is not a whole number"),
    ("b,2026-06-01T10:00:00Z,m,0x1F,1", "value '0x1F': it is not a whole number"),
    ("b,2026-06-01T10:00:00Z,m,1_000,1", "value '1_000': it is not a whole number"),
    ("b,2026-06-01T10:00:00Z,m,,1", "field input_tokens: it is empty"),
    ("b,2026-06-01T10:00:00Z,m,99999999999999999999,1", "it is a larger number than its column holds"),
    ("b,2026-06-01T10:00:00,m,1,1", "field started_at_utc, value '2026-06-01T10:00:00': it has no time zone"),
    ("b,2026-06-01,m,1,1", "field started_at_utc, value '2026-06-01': it is not an ISO 8601 instant"),
    ("b,1780308000,m,1,1", "value '1780308000': it is not an ISO 8601 instant"),
    ("b,2026-06-31T10:00:00Z,m,1,1", "value '2026-06-31T10:00:00Z': it is no instant that exists"),
    (",2026-06-01T10:00:00Z,m,1,1", "field request_id: it is empty"),
    ('"",2026-06-01T10:00:00Z,m,1,1', "field request_id: it is empty"),
    ("b,2026-06-01T10:00:00Z,m\0,1,1", "field model, value 'm\\x00': it holds a NUL byte"),
    ("b,2026-06-01T10:00:00Z,m,1", "line 4: it has fewer fields than the header"),
    ("b,2026-06-01T10:00:00Z,m,1,1,9", "line 4: it has more fields than the header"),
    ('"b"x,2026-06-01T10:00:00Z,m,1,1', "line 4: a quote is out of place or never closed"),
    ("\udcff,2026-06-01T10:00:00Z,m,1,1", "line 4: it is not UTF-8 text"),
])
def test_a_bad_line_holds_back_its_day_alone(org, line, said):
    body = "\n".join([HEADER, GOOD, "", line, "c,2026-06-01T12:00:00Z,m,1,1"]) + "\n"
    org.put("2026-06-01.csv", body.encode("utf-8", "surrogateescape"))
    org.drop("2026-06-02.csv", "a,2026-06-02T10:00:00Z,m,10,1")
    landed = org.land(DATED, FIRST, SECOND)
    assert said in sentences(landed)
    assert "the call log of 2026-06-01: 1 line was refused; each is named." in sentences(landed)
    assert landed.quarantined == [date(2026, 6, 1)]
    assert [receipt.day for receipt in landed.receipts] == [SECOND]
    assert [row[:2] for row in org.rejected()] == [("inbox/2026-06-01.csv", 4)]


def test_tokens_from_a_cache_cannot_be_more_than_the_tokens_that_include_them(org):
    org.drop("2026-06-01.csv", GOOD + ",11", header=HEADER + ",cached_input_tokens")
    assert (
        "line 2, field cached_input_tokens, value '11': it is more than the input tokens that include it"
        in sentences(org.land(DATED))
    )
    assert org.land({**DATED, "input_includes_cached": False}).findings == []
    assert org.rows("input_tokens, cached_input_tokens, input_includes_cached") == [(10, 11, False)]


@pytest.mark.parametrize(("cost", "said"), [("0,5", "'0,5'"), ("nan", "'nan'"), ("1 USD", "'1 USD'")])
def test_a_cost_is_a_plain_decimal_number(org, cost, said):
    org.drop("2026-06-01.csv", f'{GOOD},"{cost}"', header=HEADER + ",cost_usd")
    assert f"field cost_usd, value {said}: it is not a decimal number" in sentences(org.land(DATED))


def test_a_type_that_changes_late_is_refused_and_never_rounded(org):
    lines = [f"{n},2026-06-01T10:00:00Z,m,{100 if n < 25_000 else 100.7},1" for n in range(30_000)]
    org.drop("2026-06-01.csv", *lines)
    landed = org.land(DATED)
    # lines 2 .. 25,001 hold whole numbers; 5,000 do not
    said = sentences(landed)
    assert "inbox/2026-06-01.csv, line 25002, field input_tokens, value '100.7': it is not a whole number" in said
    assert "the call log of 2026-06-01: 5000 lines were refused; the first 20 are named, all are listed" in said
    assert len(landed.findings) == 21
    assert len(org.rejected()) == 5000
    assert not org.part().exists()


def test_a_team_id_keeps_its_zeros_after_many_without(org):
    lines = [f"{n},2026-06-01T10:00:00Z,m,1,1,7" for n in range(25_000)]
    org.drop("2026-06-01.csv", *lines, "x,2026-06-01T10:00:00Z,m,1,1,007", header=HEADER + ",workflow_tag")
    assert org.land(DATED).findings == []
    with duckdb.connect() as duck:
        counted = duck.execute(
            f"select workflow_tag, count(*) from read_parquet('{org.part()}') group by 1 order by 1"
        ).fetchall()
    assert counted == [("007", 1), ("7", 25_000)]


def test_without_day_in_the_path_a_bad_line_holds_back_its_own_day_or_all_if_it_has_none(org):
    lines = [GOOD, "b,2026-06-02T10:00:00Z,m,x,1", "c,2026-06-03T10:00:00Z,m,1,1"]
    org.drop("all.csv", *lines)
    landed = org.land(ANY, FIRST, "2026-06-03")
    assert landed.quarantined == [date(2026, 6, 2)]
    assert org.land(ANY, FIRST).findings == []  # the bad line is of a day that nobody asked for
    org.drop("all.csv", *lines, "d,never,m,1,1")
    landed = org.land(ANY, FIRST, "2026-06-03")
    assert landed.quarantined == [date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)]
    assert "line 5, field started_at_utc, value 'never': it is not an ISO 8601 instant" in sentences(landed)


def test_the_text_of_a_refused_line_stays_where_it_is(org):
    org.drop("2026-06-01.csv", "a,2026-06-01T10:00:00Z,m,x,1,my secret prompt", "short,my secret prompt",
             header=HEADER + ",prompt")
    landed = org.land({**DATED, "ignore_columns": ["prompt"]})
    assert "2 lines were refused" in sentences(landed)
    for path in (org.home / "quarantine").rglob("*"):
        assert path.is_dir() or b"secret prompt" not in path.read_bytes()
    assert "secret prompt" not in str(org.rejected())


@pytest.mark.parametrize(("line", "said"), [
    ('{"request_id":', "line 2: it is not whole JSON"),
    ("[1]", "line 2: it is no JSON object"),
    ('{"request_id":"a","started_at_utc":"2026-06-01T10:00:00Z","model":"m","input_tokens":1,"output_tokens":1,"x":1}',
     "line 2: it has names that are not declared: x"),
    ('{"request_id":"a","request_id":"b","started_at_utc":"2026-06-01T10:00:00Z","model":"m"}',
     "line 2: a name is there twice"),
    ('{"request_id":"a","started_at_utc":"2026-06-01T10:00:00Z","model":{"a":1},"input_tokens":1,"output_tokens":1}',
     "line 2: it holds nested values"),
    ('{"request_id":"a","started_at_utc":"2026-06-01T10:00:00Z","model":"m","input_tokens":1.5,"output_tokens":1}',
     "line 2, field input_tokens, value '1.5': it is not a whole number"),
])
def test_a_bad_json_line_is_named(org, line, said):
    good = '{"request_id":"z","started_at_utc":"2026-06-01T10:00:00Z","model":"[m]","input_tokens":1,"output_tokens":1}'
    org.put("2026-06-01.jsonl", f"{good}\n{line}\n".encode())
    landed = org.land({"path": "inbox/{date}.jsonl"})
    assert said in sentences(landed)
    assert landed.quarantined == [date(2026, 6, 1)]


# Files that are refused as a whole


def _cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


BODY = (HEADER + "\n" + "".join(f"{n},2026-06-01T10:00:00Z,m,{n},1\n" for n in range(2000))).encode()


@pytest.mark.parametrize(("name", "content", "said"), [
    ("2026-06-01.csv", b"", "inbox/2026-06-01.csv: it is empty, without even a header"),
    ("2026-06-01.csv", b"\n\n", "inbox/2026-06-01.csv: its first line is no header"),
    ("2026-06-01.csv", HEADER.encode("utf-16"), "it is UTF-16, not UTF-8 text; save it as UTF-8."),
    ("2026-06-01.csv", b"\xe9," + BODY, "header: it is not UTF-8 text; save it as UTF-8."),
    ("2026-06-01.csv", f"model,{HEADER}\n".encode(), "header: the column 'model' is there twice; rename or drop one."),
    ("2026-06-01.csv", b"request_id,model\n",
     "columns are missing: `started_at_utc`, `input_tokens`, `output_tokens`; name the file's columns"),
    ("2026-06-01.csv", f"{HEADER},temperature,user\n".encode(),
     "it has columns that are not declared: `temperature`, `user`; name them in [sources.call_log.columns] or in "
     "ignore_columns."),
    ("2026-06-01.csv", f"{HEADER}\n{GOOD}\r\nb,2026-06-01T10:00:00Z,m,1,1\n".encode(),
     "its lines end with CR LF in some places and with LF in others; write the file again"),
    ("2026-06-01.csv.gz", _cut(gzip.compress(BODY)), "it is cut off, the gzip stream does not unpack to its end;"),
    ("2026-06-01.csv.gz", b"no gzip at all", "the gzip stream does not unpack"),
    ("2026-06-01.csv.zst", _cut(pa.compress(BODY, codec="zstd", asbytes=True)),
     "it is cut off, the zstd stream does not unpack to its end;"),
    ("2026-06-01.parquet", b"PAR1 and nothing else", "it is no whole Parquet file;"),
])
def test_a_broken_file_is_refused_with_one_sentence(org, name, content, said):
    org.put(name, content)
    org.drop("2026-06-02.csv", "a,2026-06-02T10:00:00Z,m,10,1")
    landed = org.land({"path": "inbox/{date}.*"}, FIRST, SECOND)
    assert said in landed.findings[0].sentence()
    assert len(landed.findings) == 1
    assert (landed.quarantined, [r.day for r in landed.receipts]) == ([date(2026, 6, 1)], [SECOND])


def test_a_zstd_file_cut_where_a_line_ends_is_still_refused(org):
    # DuckDB alone takes about a third of all cuts of such a file for its end
    whole = pa.compress(b"".join([BODY] * 100), codec="zstd", asbytes=True)
    for cut in range(1, len(whole), len(whole) // 20):
        org.put("2026-06-01.csv.zst", whole[:cut])
        assert org.land({"path": "inbox/{date}.csv.zst"}).quarantined == [date(2026, 6, 1)]


def test_nested_parquet_columns_are_refused_only_where_they_are_read(org):
    rows = [{"request_id": "a", "started_at_utc": datetime(2026, 6, 1, 10, tzinfo=UTC), "model": "m",
             "input_tokens": 1, "output_tokens": 1, "extra": {"a": 1}}]
    pq.write_table(pa.Table.from_pylist(rows), org.home / "inbox/2026-06-01.parquet")
    path = {"path": "inbox/{date}.parquet"}
    assert org.land({**path, "ignore_columns": ["extra"]}).findings == []
    assert "a column holds nested values: `extra`" in sentences(org.land({**path, "columns": {"project_id": "extra"}}))


def test_a_naive_parquet_timestamp_has_no_zone(org):
    rows = [{"request_id": "a", "started_at_utc": datetime(2026, 6, 1, 10), "model": "m", "input_tokens": 1,
             "output_tokens": 1}]
    pq.write_table(pa.Table.from_pylist(rows), org.home / "inbox/2026-06-01.parquet")
    assert "row 1, field started_at_utc, value '2026-06-01 10:00:00': it has no time zone" in sentences(
        org.land({"path": "inbox/{date}.parquet"})
    )


# Paths and settings


def test_links_and_paths_out_of_the_home_are_refused(org, tmp_path):
    (tmp_path / "elsewhere.csv").write_text(f"{HEADER}\n{GOOD}\n")
    (org.home / "inbox/2026-06-01.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(SourceError) as error:
        org.land(DATED)
    assert str(error.value) == (
        "A file was not read (inbox/2026-06-01.csv): it is a link that leads outside JEVONS_HOME; "
        "put the file itself there, or mount its folder under JEVONS_HOME."
    )
    for path in ("../{date}.csv", "inbox/../../x.csv", str(tmp_path / "*.csv")):
        with pytest.raises(SourceError, match="it leads outside JEVONS_HOME"):
            org.land({"path": path})


@pytest.mark.parametrize(("options", "said"), [
    ({}, "sources.call_log.path): it is None; name the files"),
    ({"path": "inbox/{day}.csv"}, "{date} is the only placeholder there is"),
    ({**DATED, "colums": {}}, "sources.call_log.colums): it is {}; use one of"),
    ({**DATED, "columns": {"tokens": "x"}}, "sources.call_log.columns.tokens): it is 'x'; the names are"),
    ({**DATED, "defaults": {"attempt": 1}}, "sources.call_log.defaults.attempt): it is 1; give text in quotes"),
    ({**DATED, "values": {"status": {"200": 1}}}, "sources.call_log.values.status"),
    ({**DATED, "format": "xlsx"}, "it is 'xlsx'; give 'csv' or 'jsonl' or 'parquet'"),
    ({**DATED, "delimiter": ";;"}, "it is ';;'; give one character"),
    ({**DATED, "timestamp_unit": "h"}, "sources.call_log.timestamp_unit): it is 'h'"),
    ({**DATED, "naive_timestamps_are": "CET"}, "it is 'CET'; give 'UTC'"),
    ({**DATED, "input_includes_cached": "yes"}, "it is 'yes'; give true or false"),
    ({**DATED, "ignore_columns": "x"}, "it is 'x'; give a list of names"),
    ({**ANY, "spill_days": 1}, "more than 0 only with {date} in path"),
    ({**DATED, "spill_days": 9}, "it is 9; give 0 to 3"),
])
def test_settings_that_mean_nothing_are_refused(org, options, said):
    org.drop("2026-06-01.csv", GOOD)
    with pytest.raises(SourceError) as error:
        org.land(options)
    assert said in str(error.value)


def test_names_and_values_from_files_never_become_sql(org):
    evil = "x'; drop table bad; --"
    org.put("2026-06-01.csv", f'{HEADER},"w""{evil}"\n"{evil}",2026-06-01T10:00:00Z,m,10,1,{evil}\n'.encode())
    landed = org.land({**DATED, "columns": {"workflow_tag": f'w"{evil}'},
                       "values": {"workflow_tag": {evil: "it's"}}, "defaults": {"provider": "o'x"}})
    assert landed.findings == []
    assert org.rows("request_id, workflow_tag, provider") == [(evil, "it's", "o'x")]


def test_check_counts_the_files_of_the_newest_day(org):
    org.drop("2026-06-01-a.csv", GOOD)
    org.drop("2026-06-02-a.csv", GOOD)
    org.drop("2026-06-02-b.csv", GOOD)
    path = {"path": "inbox/{date}-*.csv"}
    # the header line is 59 bytes with its end, the call 30
    assert org.check(path) == (
        "2 files (178 bytes) of 2026-06-02, the newest day; "
        "the columns of inbox/2026-06-02-b.csv are all accounted for."
    )
    org.drop("2026-06-02-b.csv", header=HEADER + ",odd")
    with pytest.raises(SourceError, match="not declared: `odd`"):
        org.check(path)
    with pytest.raises(SourceError, match="No call log was found .*no file under JEVONS_HOME matches it"):
        org.check({"path": "other/*.csv"})


# Real and large logs


@pytest.mark.skipif(not (SHARED / "azure-llm-2023").is_dir(), reason="the Azure traces are not here")
def test_the_azure_traces_land_to_the_token(org):
    calls = tokens_in = tokens_out = 0
    for name in ("code", "conv"):
        content = (SHARED / f"azure-llm-2023/AzureLLMInferenceTrace_{name}.csv").read_bytes()
        org.put(f"{name}.csv", content)
        for row in csv.DictReader(content.decode().splitlines()):
            calls += 1
            tokens_in += int(row["ContextTokens"])
            tokens_out += int(row["GeneratedTokens"])
    landed = org.land({
        **ANY, "naive_timestamps_are": "UTC", "defaults": {"provider": "azure", "model": "gpt", "api_key_id": "k"},
        "columns": {"request_id": "", "started_at_utc": "TIMESTAMP", "input_tokens": "ContextTokens",
                    "output_tokens": "GeneratedTokens"},
    }, "2023-11-15", "2023-11-17")
    assert landed.findings == []
    assert calls == sum(receipt.rows for receipt in landed.receipts) == 28_185
    assert sum(int(receipt.totals["input_tokens"]) for receipt in landed.receipts) == tokens_in
    assert sum(int(receipt.totals["output_tokens"]) for receipt in landed.receipts) == tokens_out


def test_a_large_day_has_the_same_bytes_with_one_thread_and_with_four(org, monkeypatch):
    rows = 200_000
    source = WRITE_DAY(org.home / "inbox/2026-06-01.csv", rows, date(2026, 6, 1), seed=7)
    with duckdb.connect() as duck:  # an independent count over a scan that knows nothing of the source
        expected = duck.execute(
            "select count(*), sum(input_tokens), sum(cost_usd) from (select distinct * from read_csv("
            f"'{source}', header = true, all_varchar = false, types = {{'cost_usd': 'DECIMAL(18,9)'}}))"
        ).fetchone()
    connect, found = engine.connect, {}
    for threads in (1, 4):

        def limited(*given, threads=threads, **more):
            manager = connect(*given, **more)
            duck = manager.__enter__()
            duck.execute(f"set threads = {threads}")
            return _Kept(manager, duck)

        monkeypatch.setattr(engine, "connect", limited)
        landed = org.land(DATED)
        assert landed.findings == []
        found[threads] = sha256(org.part())
        receipt = landed.receipts[0]
        assert (receipt.rows, receipt.duplicates) == (199_000, 1_000)
        assert (receipt.rows, int(receipt.totals["input_tokens"]), Decimal(receipt.totals["cost_usd"])) == expected
    assert found[1] == found[4]


class _Kept:
    """A connection manager whose connection was already set up."""

    def __init__(self, manager, duck):
        self.manager, self.duck = manager, duck

    def __enter__(self):
        return self.duck

    def __exit__(self, *error):
        return self.manager.__exit__(*error)


def test_what_a_log_tells_beyond_tokens_is_kept_and_parts_exceed_no_whole(org):
    org.put("2026-06-01.csv", (
        b"request_id,started_at_utc,provider,model,input_tokens,cached_input_tokens,cache_write_input_tokens,output_tokens,"
        b"reasoning_output_tokens,image_count,audio_seconds,video_seconds,duration_seconds,run_id,step_kind,serving_mode\n"
        b"a,2026-06-01T00:00:00Z,p,m,100,60,40,9,9,1,2,3,1.25,run-7,tool,batch\n"
        b"b,2026-06-01T00:00:01Z,p,m,100,61,40,9,,,,,,,,\n"
        b"c,2026-06-01T00:00:02Z,p,m,100,60,40,9,10,,,,,,,\n"
    ))
    landed = org.land({**DATED, "input_includes_cached": True})
    assert landed.findings
    assert org.rejected() == [
        ("inbox/2026-06-01.csv", 3, "cache_write_input_tokens", "40",
         "with the cached ones it is more than the input tokens that include both"),
        ("inbox/2026-06-01.csv", 4, "reasoning_output_tokens", "10",
         "it is more than the output tokens that include it"),
    ]
