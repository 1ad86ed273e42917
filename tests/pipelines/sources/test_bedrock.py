"""Bedrock's invocation logs from files to activity: totals by hand, refusals, regions, and what is never written."""

import gzip
import json
import string
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from models_over_home import models_over

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import load
from pipelines.source import Context
from pipelines.sources import bedrock
from pipelines.sources.bedrock import SOURCE, TABLE
from pipelines.window import Window

DAY, NEXT = date(2026, 11, 1), date(2026, 11, 2)
SECRET = "PROMPT-SENTINEL"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcd1234"
CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
MARK = "\ufeff".encode()  # what some writers put before a file, so that joined files have it within
TOML = '[organisation]\nname = "x"\n[sources.bedrock]\n'


def record(number: int = 1, at: str = "2026-11-01T10:00:00Z", tokens=(300, 1000, 200, 120), **fields) -> dict:
    """A record as S3 has it, with a prompt in every place where one may stand."""
    sent = {"inputTokenCount": tokens[0], "cacheReadInputTokenCount": tokens[1], "cacheWriteInputTokenCount": tokens[2]}
    made = {
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": at, "accountId": "123456789012",
        "region": "us-east-1", "identity": {"arn": f"arn:aws:sts::1:assumed-role/app/{SECRET}@x.org"},
        "requestId": f"r-{number}", "operation": "Converse", "modelId": CLAUDE,
        "requestMetadata": {"workflow": "rag", "user": SECRET},
        "input": {"inputContentType": "application/json", "inputBodyJson": {"messages": [{"content": SECRET}]},
                  "inputBodyS3Path": f"s3://b/{SECRET}", **sent},
        "output": {"outputBodyJson": {SECRET: 1}, "outputBodyS3Path": SECRET, "outputTokenCount": tokens[3]},
        **fields,
    }
    return {name: value for name, value in made.items() if value is not None}


class Organisation:
    """A JEVONS_HOME with a copy of the bucket, and the landing of it without a gate."""

    def __init__(self, home: Path):
        self.home = home

    def put(self, name: str, *records: dict | bytes, day: str = "2026/11/01/10", region: str = "us-east-1") -> None:
        logs = self.home / f"inbox/bedrock/AWSLogs/123456789012/BedrockModelInvocationLogs/{region}"
        (logs / day).mkdir(parents=True, exist_ok=True)
        lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in records]
        (logs / day / name).write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))

    def context(self, scratch: Path, section: str = "") -> Context:
        (self.home / "jevons.toml").write_text(TOML + section)
        return Context(load(self.home, {}), scratch)

    def land(self, first: date = DAY, last: date | None = None, section: str = "") -> landing.Landed:
        with landing.scratch(self.home) as scratch:
            window = Window.of_days(first, last or first)
            self.staged = landing.stage(SOURCE, TABLE, self.context(scratch, section), window)
            return landing.commit(self.staged, [], self.home, datetime(2026, 11, 3, tzinfo=UTC))

    def check(self, section: str = "") -> str:
        with landing.scratch(self.home) as scratch:
            return bedrock.check(self.context(scratch, section))

    def rows(self, columns: str, day: date = DAY) -> list[tuple]:
        part = self.home / f"raw/bedrock/invocations/dt={day}/part.parquet"
        with duckdb.connect() as duck:
            return duck.execute(f"select {columns} from read_parquet('{part}') order by request_id").fetchall()

    def written(self) -> bytes:
        """Every byte of every file but those of the inbox."""
        return b"".join(path.read_bytes() for path in self.home.rglob("*")
                        if path.is_file() and "inbox" not in path.relative_to(self.home).parts)


@pytest.fixture
def org(tmp_path) -> Organisation:
    (tmp_path / "home").mkdir()
    return Organisation(tmp_path / "home")


def test_calls_become_activity_of_the_region_that_answered(org):
    org.put("a.json.gz",
            record(1), record(2, modelId=f"arn:aws:bedrock:us-east-1:1:inference-profile/us.{CLAUDE}"),
            record(3, modelId=f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}", inferenceRegion="us-west-2"),
            record(4, modelId=PROFILE, inferenceRegion="eu-west-3"),
            record(5, errorCode="ThrottlingException", output=None, input={"inputBodyJson": SECRET}))
    org.put("again.json.gz", record(1), record(6, "2026-11-01T11:59:59.999Z", modelId="arn:aws:bedrock:us-east-1:1:"
                                               "provisioned-model/p9", requestMetadata=None, tokens=(7, None, None, 1)))
    landed = org.land(section='workflow_metadata = "workflow"\n[sources.bedrock.models]\n'
                              f'"{PROFILE}" = "amazon.nova-pro-v1:0"\n')
    assert landed.findings == [] and org.staged.duplicates == {DAY: 1}
    ask = models_over(org.home, "int_bedrock__activity")
    assert ask("""
        select cast(usage_hour_utc as varchar), model_reported, node, project_id, workflow_tag, call_count, error_count,
            input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens, cost_usd
        from int_bedrock__activity order by usage_hour_utc, node, model_reported
    """) == [
        ("2026-11-01 10:00:00", "amazon.nova-pro-v1:0", "aws:eu-west-3", "123456789012", "rag", 1, 0, 300, 1000, 200,
         120, None),
        # the calls 1 and 2, and 5, which failed and tells no tokens
        ("2026-11-01 10:00:00", CLAUDE, "aws:us-east-1", "123456789012", "rag", 3, 1, 600, 2000, 400, 240, None),
        ("2026-11-01 10:00:00", CLAUDE, "aws:us-west-2", "123456789012", "rag", 1, 0, 300, 1000, 200, 120, None),
        ("2026-11-01 11:00:00", "provisioned-model/p9", "aws:us-east-1", "123456789012", None, 1, 0, 7, None, None, 1,
         None),
    ]


def test_what_was_asked_and_answered_and_by_whom_is_never_written(org):
    org.put("a.json.gz", record(1), record(2, errorCode="E", newField={"x": SECRET}))
    org.put("b.json.gz", record(3), f'{{"input": "{SECRET}'.encode(), SECRET.encode(), b"\xff" + SECRET.encode(),
            record(4, **{"requestId": None, SECRET: SECRET}), day="2026/11/03/00")
    landed = org.land(DAY, date(2026, 11, 3), 'workflow_metadata = "workflow"\n')
    assert landed.quarantined == [date(2026, 11, 3)] and landed.changed == [DAY]
    assert (org.home / "quarantine").is_dir() and (org.home / "raw/bedrock").is_dir()
    assert SECRET.encode() not in org.written()
    assert SECRET not in "".join(finding.sentence() for finding in landed.findings)
    # nor in a Parquet file, whose pages are packed
    for part in [*org.home.glob("raw/**/*.parquet"), *org.home.glob("quarantine/**/*.parquet")]:
        assert SECRET not in str(duckdb.sql(f"select * from read_parquet('{part}')").fetchall())


def test_a_record_in_a_neighbouring_days_file_counts_on_its_own_day(org):
    org.put("a.json.gz", record(1))
    org.put("b.json.gz", record(2, "2026-11-01T23:59:59Z"), record(3, "2026-11-02T00:00:01Z"), day="2026/11/02/00")
    assert org.land(DAY, NEXT).findings == []
    assert org.rows("request_id") == [("r-1",), ("r-2",)] and org.rows("request_id", NEXT) == [("r-3",)]


def test_a_day_without_files_is_missing_and_permission_checks_and_bodies_are_no_logs(org):
    org.put("a.json.gz", record(1))
    org.put("r-1_input.json.gz", SECRET.encode(), day="2026/11/01/10/data")
    landed = org.land(DAY, NEXT)
    assert landed.missing == [NEXT] and landed.findings == [] and org.rows("request_id") == [("r-1",)]


@pytest.mark.parametrize(("fields", "rule"), [
    ({"requestId": None}, "field requestId: it is empty"),
    ({"timestamp": "yesterday"}, "it is not an ISO 8601 instant"),
    ({"timestamp": "2026-11-01T10:00:00"}, "it has no time zone"), ({"region": None}, "it is empty"),
    ({"modelId": ["m"]}, "it holds nested values"), ({"input": {"inputTokenCount": 1.5}}, "it is not a whole number"),
    ({"timestamp": "2026-11-04T10:00:00Z"}, "it is not of 2026-11-01"),
])
def test_a_record_that_cannot_be_holds_its_day_back_with_file_line_and_rule(org, fields, rule):
    org.put("a.json.gz", record(1), record(2, **fields))
    landed = org.land()
    said = landed.findings[0].sentence()
    assert "a.json.gz, line 2" in said and rule.rpartition(": ")[2] in said and landed.quarantined == [DAY]


def test_one_request_id_for_two_requests_and_a_cut_file_are_refused(org):
    org.put("a.json.gz", record(1), record(1, tokens=(1, 1, 1, 1)))
    assert "stands for different records" in org.land().findings[0].sentence()
    path = next(org.home.rglob("a.json.gz"))
    path.write_bytes(path.read_bytes()[:-20])
    assert "cut off" in org.land().findings[0].sentence()


def test_a_region_without_site_and_a_profile_without_model_are_said(org):
    org.put("a.json.gz", record(1), record(2, inferenceRegion="eu-west-3"), record(3, modelId=PROFILE))
    org.land(section='[sites.paris]\ncloud_region = "aws:eu-west-3"\ncontrol = "vendor"\n')
    assert org.staged.warnings == [
        "no site is declared with the cloud_region aws:us-east-1: its calls are taken to run at the site of "
        "[providers.bedrock]",
        f"[sources.bedrock.models] does not say which model is behind {PROFILE}",
    ]
    assert org.check().startswith("1 file; those of 2026-11-01, the newest day, can be read. no site")


@pytest.mark.parametrize(("section", "word"), [
    ('path = "inbox/*.gz"', "path"), ("path = 3", "path"), ("workflow_metadata = 3", "workflow_metadata"),
    ('models = "m"', "models"), ('models = { "a" = 3 }', "models"),
])
def test_settings_that_mean_nothing_are_named(org, section, word):
    with pytest.raises(SourceError, match=rf"sources\.bedrock\.{word}"):
        org.land(section=section + "\n")


def test_the_doctor_names_the_first_refused_record_and_misses_what_is_not_there(org):
    with pytest.raises(SourceError, match="No invocation log of Bedrock was found"):
        org.check()
    org.put("a.json.gz", record(1), b"{")
    with pytest.raises(SourceError, match="line 2"):
        org.check()


def test_a_line_with_nothing_but_a_byte_order_mark_is_blank(org):
    org.put("a.json.gz", MARK + json.dumps(record(1)).encode(), MARK, b"", b"  ", MARK + b" ", record(2))
    assert not org.land().findings
    assert org.rows("request_id") == [("r-1",), ("r-2",)]


@pytest.mark.parametrize("line", [b"\x01", b"\x01\x01", json.dumps(record(2)).encode() + b"\x01"])
def test_a_control_character_at_the_end_of_a_line_is_not_overlooked(org, line):
    org.put("a.json.gz", record(1), line, record(3))
    assert "a.json.gz, line 2" in org.land().findings[0].sentence()


@pytest.mark.parametrize("line", [b"[[[], 1]]", b'[["requestId", 1]]', b"[]", b"3", b"null", b'"r"', b"\xff"])
def test_a_first_line_that_is_no_object_is_refused_like_any_other(org, line):
    org.put("a.json.gz", line, record(2))
    told = [finding.sentence() for finding in org.land().findings]
    assert "a.json.gz, line 1: it is no" in told[0] and "1 line was refused" in told[1]


TEXT = st.text(string.printable + "é\u2028\\\"", max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10**20, 10**20) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=4,
)
CHANGED = st.dictionaries(st.sampled_from(sorted({*record()} - {"requestId", "timestamp"})), JSON, max_size=3)
LINE = st.one_of(
    st.builds(lambda change: json.dumps({**record(), **change}).encode(), CHANGED),
    st.builds(lambda value: json.dumps({**record(), "timestamp": value}).encode(), JSON),
    st.builds(lambda value: json.dumps(value).encode(), JSON),
    st.builds(lambda cut: json.dumps(record()).encode()[:cut], st.integers(1, 700)),
    st.builds(lambda junk: junk.translate(None, b"\r\n"), st.binary(max_size=12)),
)


@settings(max_examples=6, deadline=None, phases=[Phase.generate], database=None,
          suppress_health_check=list(HealthCheck))
@given(st.lists(LINE, min_size=30, max_size=60))
def test_whatever_the_lines_hold_each_is_one_record_or_one_refusal_and_none_is_invented(tmp_path_factory, lines):
    org = Organisation(tmp_path_factory.mktemp("home"))
    lines = [line for line in lines if line.removeprefix(MARK).strip(b" ")]
    lines = [line.replace(b'"r-1"', b'"r-%d"' % number) for number, line in enumerate(lines)]
    org.put("a.json.gz", *lines)
    landed = org.land()
    (part,) = (org.home / ("raw" if not landed.findings else "quarantine")).glob("**/dt=2026-11-01/**/part.parquet")
    taken = duckdb.connect().execute("select request_id, input_tokens from read_parquet(?)", [str(part)]).fetchall()
    refused = 0
    for path in part.parent.glob("rejected-*.parquet"):
        # a line that is no record is counted by DuckDB, others among the records
        refused += duckdb.connect().execute(
            "select count(distinct (line, len(fields) = 0)) from read_parquet(?)", [str(path)]).fetchone()[0]
    assert len(taken) + refused == len(lines)
    for request_id, tokens in taken:
        sent = json.loads(lines[int(request_id.removeprefix("r-"))])
        told = sent["input"].get("inputTokenCount") if isinstance(sent.get("input"), dict) else None
        assert sent["requestId"] == request_id and tokens == (int(told) if told not in (None, "") else None)
