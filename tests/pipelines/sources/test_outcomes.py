"""The outcomes source: the organisation's files and databases, from what a person wrote to the landed day."""

import json
import sqlite3
from datetime import UTC, date, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy

from pipelines import landing
from pipelines.databases import _redacted
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources.outcomes import SOURCE
from pipelines.window import Window

TABLE = SOURCE.table("outcomes")
FETCHED = datetime(2026, 7, 1, 3, tzinfo=UTC)
HEADER = "usage_date,workflow_id,outcome_type,outcome_count,accepted_count\n"
D1, D2, D3 = date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)
PASSWORD = "s3cret/SENTINEL"


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox" / "outcomes"
    folder.mkdir(parents=True)
    return folder


def context(tmp_path, environ=None, **options):
    if "query" not in options:
        options.setdefault("path", "inbox/outcomes/*")
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return Context(Settings(tmp_path, "Test", False, {"outcomes": options}, (), (), environ or {}), scratch)


def land(tmp_path, first="2026-06-01", last="2026-06-03", **options):
    here = context(tmp_path, **options)
    staged = landing.stage(SOURCE, TABLE, here, Window.of_days(first, last))
    return landing.commit(staged, (), tmp_path, FETCHED)


def landed_rows(tmp_path, day):
    path = tmp_path / f"raw/outcomes/outcomes/dt={day}/part.parquet"
    return duckdb.sql(f"from read_parquet('{path}', hive_partitioning = false)").fetchall()


def told(landed):
    return [(finding.where, finding.rule, finding.day) for finding in landed.findings]


def test_a_csv_lands_by_day_typed_sorted_and_with_an_empty_day_between(tmp_path, inbox):
    (inbox / "a.csv").write_bytes(b"\xef\xbb\xbf" + (
        HEADER
        + "2026-06-03,wf-b,ticket,7,\r\n"
        + '2026-06-01,wf-b,"reply, ""short""",0,0\r\n'
        + "2026-06-01,wf-a,ticket,12,9\r\n"
        + "2025-12-31,wf-a,no such thing,-1,many\r\n"  # of a day that nobody asked for, so nobody's concern
    ).encode())
    landed = land(tmp_path)
    assert landed_rows(tmp_path, D1) == [
        (D1, "wf-a", "ticket", 12, 9), (D1, "wf-b", 'reply, "short"', 0, 0),
    ]
    assert landed_rows(tmp_path, D2) == []  # the file says nothing of the day: nothing happened
    assert landed_rows(tmp_path, D3) == [(D3, "wf-b", "ticket", 7, None)]
    assert (landed.changed, landed.missing, landed.findings) == ([D1, D2, D3], [], [])
    assert [receipt.rows for receipt in landed.receipts] == [2, 0, 1]
    assert landed.receipts[0].totals == {"outcome_count": "12", "accepted_count": "9"}
    assert landed.receipts[0].requests == ["inbox/outcomes/*: 1 file, 2026-06-01 to 2026-06-03"]
    types = duckdb.sql(
        "select column_type from (describe from read_parquet("
        f"'{tmp_path}/raw/outcomes/outcomes/dt=2026-06-02/part.parquet', hive_partitioning = false))"
    ).fetchall()
    assert [kind for kind, in types] == ["DATE", "VARCHAR", "VARCHAR", "BIGINT", "BIGINT"]


def test_landing_twice_changes_nothing_and_a_correction_supersedes(tmp_path, inbox):
    file = inbox / "a.csv"
    file.write_text(HEADER + "2026-06-01,wf-a,ticket,12,9\n")
    assert land(tmp_path, last="2026-06-01").changed == [D1]
    assert land(tmp_path, last="2026-06-01").changed == []
    file.write_text(HEADER + "2026-06-01,wf-a,ticket,12,10\n")
    landed = land(tmp_path, last="2026-06-01")
    assert landed.changed == [D1] and landed.receipts[0].version == 2
    assert (tmp_path / "raw_superseded/outcomes/outcomes/dt=2026-06-01/v0001.parquet").exists()


def test_without_a_file_every_day_is_missing_and_with_dated_files_those_without_one(tmp_path, inbox):
    assert land(tmp_path).missing == [D1, D2, D3]
    (inbox / "2026-06-01.csv").write_text(HEADER + "2026-06-01,wf-a,ticket,1,1\n")
    (inbox / "2026-06-03-late.csv").write_text(HEADER)
    landed = land(tmp_path, path="inbox/outcomes/{date}*.csv")
    assert landed.changed == [D1, D3] and landed.missing == [D2]
    assert landed_rows(tmp_path, D3) == []


def test_a_record_of_another_day_than_its_file_is_not_lost_in_silence(tmp_path, inbox):
    (inbox / "2026-06-01.csv").write_text(HEADER + "2026-06-01,wf-a,ticket,1,1\n2026-06-02,wf-a,ticket,1,1\n")
    landed = land(tmp_path, last="2026-06-01", path="inbox/outcomes/{date}.csv")
    assert told(landed) == [(
        "inbox/outcomes/2026-06-01.csv, line 3, field usage_date", "2026-06-02 is in the file of 2026-06-01",
        "2026-06-01",
    )]
    assert landed.quarantined == [D1]


@pytest.mark.parametrize("bad, field, rule", [
    ("2026-06-02,wf-a,ticket,12.5,9", "outcome_count", "'12.5' is not a whole number"),
    ("2026-06-02,wf-a,ticket,n/a,9", "outcome_count", "'n/a' is not a whole number"),
    ("2026-06-02,wf-a,ticket,1e3,9", "outcome_count", "'1e3' is not a whole number"),
    ("2026-06-02,wf-a,ticket,-4,", "outcome_count", "-4 is negative"),
    ("2026-06-02,wf-a,ticket,4,-1", "accepted_count", "-1 is negative"),
    ("2026-06-02,wf-a,ticket,,", "outcome_count", "it is empty"),
    ("2026-06-02,wf-a,ticket,9,10", "accepted_count", "10 accepted of 9 outcomes cannot be"),
    ("2026-06-02, ,ticket,9,9", "workflow_id", "it is empty"),
    ("2026-06-02,wf-a,kim@example.org,9,9", "outcome_type", "it holds an e-mail address, and no people are kept"),
    ("2026-06-02,wf-a,ticket,kim@example.org,9", "outcome_count",
     "a value with an e-mail address is not a whole number"),
])
def test_a_type_that_changes_late_holds_back_that_day_with_its_line_and_field(tmp_path, inbox, bad, field, rule):
    good = [f"2026-06-0{day},wf-{number},ticket,3,2\n" for day in (1, 3) for number in range(3000)]
    # 3000 records of day 1, one of them over two lines, 3000 of day 3, then the bad one: 1 + 3001 + 3000 + 1
    good[10] = '2026-06-01,wf-10,"a\nb",3,2\n'.replace("a\nb", "two\n")
    (inbox / "a.csv").write_text(HEADER + "".join(good) + bad + "\n")
    landed = land(tmp_path)
    line = "inbox/outcomes/a.csv, line 6003"
    assert told(landed)[-1] == (f"{line}, field {field}", rule, "2026-06-02")
    assert "kim@" not in repr(landed)
    assert landed.quarantined == [D2] and landed.changed == [D1, D3]
    assert len(landed_rows(tmp_path, D3)) == 3000
    assert len(told(landed)) == 1 and len(landed_rows(tmp_path, D1)) == 3000


def test_quoted_line_breaks_count_as_lines_and_are_no_name(tmp_path, inbox):
    (inbox / "a.csv").write_text(HEADER + '2026-06-01,wf-a,"two\nlines",1,1\n2026-06-02,wf-a,ticket,x,1\n')
    landed = land(tmp_path)
    assert told(landed) == [
        ("inbox/outcomes/a.csv, line 2, field outcome_type",
         "'two\\nlines' is not one line of at most 200 characters", "2026-06-01"),
        ("inbox/outcomes/a.csv, line 4, field outcome_count", "'x' is not a whole number", "2026-06-02"),
    ]
    assert landed.changed == [D3]


@pytest.mark.parametrize("text, where, rule", [
    (HEADER + "2026-06-31,wf-a,ticket,1,1\n", "a.csv, line 2, field usage_date",
     "'2026-06-31' is not a day (YYYY-MM-DD)"),
    (HEADER + "01/06/2026,wf-a,ticket,1,1\n", "a.csv, line 2, field usage_date",
     "'01/06/2026' is not a day (YYYY-MM-DD)"),
    (HEADER + "2026-06-01T00:00:00Z,wf-a,ticket,1,1\n", "a.csv, line 2, field usage_date",
     "'2026-06-01T00:00:00Z' is not a day (YYYY-MM-DD)"),
    (HEADER + '2026-06-01,wf-a,"ticket,1,1\n', "a.csv, line 2", "the CSV is broken (unexpected end of data)"),
    (HEADER.replace("accepted", "outcome"), "a.csv, header", "the column 'outcome_count' is there twice"),
    ("", "a.csv", "it is empty, without even a header"),
    ("day,n\n2026-06-01,1\n", "a.csv, field usage_date", "this column is not there"),
])
def test_what_no_day_can_be_told_of_holds_back_everything(tmp_path, inbox, text, where, rule):
    (inbox / "a.csv").write_text(text)
    landed = land(tmp_path)
    assert (f"inbox/outcomes/{where}", rule, None) in told(landed)
    assert landed.changed == [] and landed.quarantined == [D1, D2, D3]


def test_text_in_another_encoding_is_refused(tmp_path, inbox):
    (inbox / "a.csv").write_bytes((HEADER + "2026-06-01,wf-é,ticket,1,1\n").encode("latin-1"))
    assert told(land(tmp_path)) == [("inbox/outcomes/a.csv", "it is not UTF-8 text", None)]


def test_a_row_with_too_few_or_too_many_fields_holds_back_its_day(tmp_path, inbox):
    (inbox / "a.csv").write_text(
        HEADER + "2026-06-01,wf-a,ticket,1\n2026-06-02,wf-a,ticket,1,1,1\n2026-06-03,w,t,1,1\n"
    )
    landed = land(tmp_path)
    assert told(landed) == [
        ("inbox/outcomes/a.csv, line 2", "it has 4 fields where the header has 5", "2026-06-01"),
        ("inbox/outcomes/a.csv, line 3", "it has 6 fields where the header has 5", "2026-06-02"),
    ]
    assert landed.changed == [D3]


def test_an_unknown_column_is_refused_until_it_is_ignored_and_is_never_landed(tmp_path, inbox):
    (inbox / "a.csv").write_text("agent_email,usage_date,workflow_id,outcome_type,outcome_count\n"
                                 "kim@example.org,2026-06-01,wf-a,ticket,4\n"
                                 "kim@example.org,2026-06-01,wf-b,ticket,5\n")
    landed = land(tmp_path)
    assert told(landed) == [(
        "inbox/outcomes/a.csv, field agent_email",
        "this column is not known, and unknown columns may hold personal data", "2026-06-01",
    )]
    assert (landed.quarantined, landed.changed) == ([D1], [D2, D3])  # the other days go on
    landed = land(tmp_path, ignore_columns=["agent_email"])
    assert landed.findings == []
    assert landed_rows(tmp_path, D1) == [(D1, "wf-a", "ticket", 4, None), (D1, "wf-b", "ticket", 5, None)]
    assert not [path for path in tmp_path.glob("[rq]*/**/*") if path.is_file() and b"kim@" in path.read_bytes()]


def test_columns_are_renamed_as_the_settings_say(tmp_path, inbox):
    (inbox / "a.csv").write_text("day;wf;what;n\n2026-06-01;wf-a;ticket;4\n")
    names = {"usage_date": "day", "workflow_id": "wf", "outcome_type": "what", "outcome_count": "n"}
    landed = land(tmp_path, last="2026-06-01", columns=names, delimiter=";")
    assert landed.findings == [] and landed_rows(tmp_path, D1) == [(D1, "wf-a", "ticket", 4, None)]


def test_the_same_record_twice_counts_once_and_a_contradiction_names_both_places(tmp_path, inbox):
    (inbox / "a.csv").write_text(HEADER + "2026-06-01,wf-a,ticket,12,9\n2026-06-02,wf-a,ticket,5,\n")
    (inbox / "b.csv").write_text(HEADER + "2026-06-01,wf-a,ticket,12,9\n2026-06-02,wf-a,ticket,5,5\n")
    landed = land(tmp_path)
    assert landed_rows(tmp_path, D1) == [(D1, "wf-a", "ticket", 12, 9)]
    assert landed.receipts[0].duplicates == 1
    assert landed.quarantined == [D2] and landed.changed == [D1, D3]
    assert told(landed)[0] == (
        "inbox/outcomes/a.csv, line 3 and inbox/outcomes/b.csv, line 3",
        "wf-a has different counts of 'ticket' for 2026-06-02", "2026-06-02",
    )


def test_json_lines_and_parquet_keep_their_types(tmp_path, inbox):
    record = {"usage_date": "2026-06-01", "workflow_id": "wf-a", "outcome_type": "ticket", "outcome_count": 4}
    lines = [
        record, {**record, "outcome_type": "reply", "outcome_count": 4.0, "accepted_count": None},
        {**record, "usage_date": "2026-06-02", "outcome_count": True},
        {**record, "usage_date": "2026-06-02", "workflow_id": 17},
        {**record, "usage_date": "2026-06-03", "outcome_count": 4.5},
    ]
    (inbox / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    pq.write_table(pa.table({
        "usage_date": pa.array([D1]), "workflow_id": ["wf-p"], "outcome_type": ["ticket"],
        "outcome_count": pa.array([2**40], pa.uint64()), "accepted_count": pa.array([None], pa.int32()),
    }), inbox / "b.parquet")
    landed = land(tmp_path)
    assert landed_rows(tmp_path, D1) == [
        (D1, "wf-a", "reply", 4, None), (D1, "wf-a", "ticket", 4, None),
        (D1, "wf-p", "ticket", 1_099_511_627_776, None),
    ]
    assert told(landed) == [
        ("inbox/outcomes/a.jsonl, line 3, field outcome_count", "'True' is not a whole number", "2026-06-02"),
        ("inbox/outcomes/a.jsonl, line 4, field workflow_id", "'17' is not text", "2026-06-02"),
        ("inbox/outcomes/a.jsonl, line 5, field outcome_count", "'4.5' is not a whole number", "2026-06-03"),
    ]


@pytest.mark.parametrize("name, content, rule", [
    ("a.jsonl", b'{"usage_date": "2026-06-01"', "it is not whole JSON"),
    ("a.jsonl", b'{"n": 1, "n": 2}', "it is not whole JSON (a name is there twice)"),
    ("a.jsonl", b"[1]", "it is no JSON object"),
    ("a.parquet", b"PAR1 and no more", "it is no whole Parquet file"),
    ("a.xlsx", b"PK", "its ending names no format"),
])
def test_a_broken_file_holds_everything_back(tmp_path, inbox, name, content, rule):
    (inbox / name).write_bytes(content)
    landed = land(tmp_path)
    [(where, said, day)] = told(landed)
    assert where.startswith(f"inbox/outcomes/{name}") and said.startswith(rule) and day is None
    assert landed.changed == []


def test_thousands_of_bad_rows_are_told_in_a_hundred_sentences_and_a_number(tmp_path, inbox):
    (inbox / "a.csv").write_text(HEADER + "".join(f"2026-06-01,wf-{n},ticket,x,\n" for n in range(2500)))
    landed = land(tmp_path)
    assert len(landed.findings) == 101
    assert landed.findings[-1].sentence() == "rows of 2026-06-01: 2400 more are refused; mend the first ones first."
    assert landed.quarantined == [D1] and landed.changed == [D2, D3]


QUERY = """
    select day as usage_date, workflow as workflow_id, kind as outcome_type, count(*) as outcome_count,
           sum(accepted) as accepted_count
    from solved where day >= :first and day < :end group by 1, 2, 3
"""


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "crm.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("create table solved (day text, workflow text, kind text, accepted integer)")
        connection.executemany("insert into solved values (?, ?, ?, ?)", [
            ("2026-05-31", "wf-a", "ticket", 1), ("2026-06-01", "wf-a", "ticket", 1),
            ("2026-06-01", "wf-a", "ticket", 0), ("2026-06-01", "wf-a", "ticket", 1),
            ("2026-06-03", "wf-b", "call", None), ("2026-06-04", "wf-a", "ticket", 1),
        ])
    connection.close()
    return {"OUTCOMES_DATABASE_URL": f"sqlite:///{path}"}


def test_a_query_lands_half_open_days_of_a_real_database(tmp_path, database):
    landed = land(tmp_path, environ=database, query=QUERY)
    assert landed_rows(tmp_path, D1) == [(D1, "wf-a", "ticket", 3, 2)]  # three solved, two of them accepted
    assert landed_rows(tmp_path, D2) == []
    assert landed_rows(tmp_path, D3) == [(D3, "wf-b", "call", 1, None)]
    assert landed.findings == [] and landed.missing == []
    assert landed.receipts[0].requests == ["query on the database of OUTCOMES_DATABASE_URL, 2026-06-01 to 2026-06-03"]
    assert SOURCE.check(context(tmp_path, environ=database, query=QUERY)) == (
        "The outcomes query on the database of OUTCOMES_DATABASE_URL runs; it gives 0 rows for 2026-01-01."
    )


def test_a_query_cannot_change_the_database(tmp_path, database):
    change = "delete from solved where day >= :first and day < :end returning day as usage_date"
    with pytest.raises(SourceError, match="attempt to write a readonly database"):
        land(tmp_path, environ=database, query=change)
    with sqlite3.connect(tmp_path / "crm.sqlite") as connection:
        assert connection.execute("select count(*) from solved").fetchall() == [(6,)]
    connection.close()


def test_a_query_that_gives_other_days_holds_everything_back(tmp_path, database):
    landed = land(tmp_path, environ=database, query=QUERY.replace("day < :end", "day <= :end"))
    assert told(landed) == [(
        "query of OUTCOMES_DATABASE_URL, row 3, field usage_date",
        "2026-06-04 is in an answer that was asked for other days", None,
    )]
    assert landed.changed == []


def test_a_query_with_a_column_too_many_holds_its_days_back(tmp_path, database):
    landed = land(tmp_path, environ=database, query=QUERY.replace("select day", "select 'kim' as agent, day"))
    assert {day for _, _, day in told(landed)} == {"2026-06-01", "2026-06-03"}
    assert told(landed)[0][0] == "query of OUTCOMES_DATABASE_URL, field agent"
    assert landed.changed == [D2]


@pytest.mark.parametrize("environ, query, sentence", [
    ({}, QUERY, "(OUTCOMES_DATABASE_URL): this environment variable is not set; set it to"),
    ({"OUTCOMES_DATABASE_URL": f"no url {PASSWORD}"}, QUERY, "it is no SQLAlchemy URL with an installed driver"),
    ({"OUTCOMES_DATABASE_URL": f"nodb://u:{PASSWORD}@h/d"}, QUERY, "it is no SQLAlchemy URL with an installed driver"),
    ({"OUTCOMES_DATABASE_URL": f"sqlite:////nowhere/{PASSWORD}.db"}, QUERY, "unable to open database file; correct"),
    ({"OUTCOMES_DATABASE_URL": "sqlite://"}, QUERY, "(query of OUTCOMES_DATABASE_URL): no such table: solved; correct"),
    ({"OUTCOMES_DATABASE_URL": "sqlite://"}, "select 1 where 1 > :first", "it has to use :first and :end and no other"),
])
def test_a_database_that_cannot_answer_is_told_without_its_password(tmp_path, environ, query, sentence):
    with pytest.raises(SourceError) as refused:
        land(tmp_path, environ=environ, query=query)
    assert sentence in str(refused.value)
    assert "SENTINEL" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize("said, cut", [
    ("no login with s3cret/SENTINEL!", "no login with ***!"),
    ("no login with s3cret%2FSENTINEL!", "no login with ***!"),
    ("bad key k3y+SENTINEL", "bad key ***"),
    ("no host in postgresql+psycopg://ann:s3cret%2FSENTINEL@db.example/crm?sslpassword=k3y%2BSENTINEL",
     "no host in ***"),
])
def test_whatever_the_driver_says_the_secrets_are_cut_out(said, cut):
    url = "postgresql+psycopg://ann:s3cret%2FSENTINEL@db.example/crm?sslpassword=k3y%2BSENTINEL"
    assert _redacted(said, url, sqlalchemy.make_url(url)) == cut


@pytest.mark.parametrize("options, why", [
    ({"path": "x.csv", "colums": {}}, "`colums` means nothing here"),
    ({"path": "x.csv", "columns": {"workflow": "wf"}}, "`columns.workflow` means nothing here"),
    ({"path": "x.csv", "columns": {"workflow_id": "w", "outcome_type": "w"}}, "two columns are read from the same one"),
    ({"path": "x.csv", "query": "select 1"}, "it needs one of `path`, `query`, `promql` and `url`"),
    ({"path": "x.csv", "format": "xlsx"}, "the format 'xlsx' is not known"),
    ({"path": 5}, "`path` is no text"),
    ({"path": "x.csv", "columns": 3}, "`columns` is no section of names"),
    ({"path": "x.csv", "columns": {"workflow_id": 3}}, "`columns` is no section of names"),
    ({"path": "x.csv", "ignore_columns": "comment"}, "`ignore_columns` is no list of names"),
    ({"path": "x.csv", "delimiter": ";;"}, "';;' is no delimiter"),
])
def test_settings_that_mean_nothing_are_refused(tmp_path, options, why):
    with pytest.raises(SourceError) as refused:
        land(tmp_path, **options)
    assert f"(jevons.toml, sources.outcomes): {why};" in str(refused.value)


def test_check_counts_the_files(tmp_path, inbox):
    (inbox / "2026-06-01.csv").write_text(HEADER)
    here = context(tmp_path, path="inbox/outcomes/{date}.csv")
    assert SOURCE.check(here) == "1 file of outcomes matches inbox/outcomes/{date}.csv."


def test_check_says_where_to_put_the_files_when_there_is_none(tmp_path, inbox):
    with pytest.raises(SourceError, match="No file of outcomes was found .*put a file there"):
        SOURCE.check(context(tmp_path, path="inbox/outcomes/{date}.csv"))


def test_nothing_outside_of_the_home_is_read(tmp_path, inbox):
    outside = tmp_path.parent / f"{tmp_path.name}-outside.csv"
    outside.write_text(HEADER)
    (inbox / "link.csv").symlink_to(outside)
    for path in (str(outside), f"../{outside.name}", "inbox/outcomes/*.csv"):
        with pytest.raises(SourceError, match="it leads outside JEVONS_HOME"):
            land(tmp_path, path=path)
