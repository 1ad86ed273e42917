"""OpenTelemetry traces from files to the activity in the ledger: totals by hand, refusals, what is never written."""

import gzip
import json
import os
import re
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models_over_home import models_over

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import otel
from pipelines.sources._otlp_payload import judge
from pipelines.sources._otlp_reading import parsed
from pipelines.sources._otlp_words import INFERENCE, OPERATION, Words
from pipelines.sources.otel import SOURCE, TABLE
from pipelines.window import Window

ROOT = Path(__file__).parents[3]
TRACES = ROOT / "tests/fixtures/otel/traces.jsonl"
SHARED = Path(os.environ.get("JEVONS_SHARED_DATA") or ROOT.parent / "shared" / "data")
FIRST, SECOND = date(2026, 6, 1), date(2026, 6, 2)
MIDNIGHT = 1780272000  # date -u -d @1780272000 says 2026-06-01 00:00:00
DATED = {"path": "inbox/{date}/*"}


class Organisation:
    """A JEVONS_HOME with an inbox of traces, and the landing of it without a gate."""

    def __init__(self, home: Path):
        self.home = home

    def put(self, name: str, content: bytes | str) -> Path:
        path = self.home / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def context(self, options: dict, scratch: Path) -> Context:
        return Context(Settings(self.home, "x", False, {"otel": options}, (), ()), scratch)

    def land(self, first=FIRST, last=None, **options) -> landing.Landed:
        with landing.scratch(self.home) as scratch:
            window = Window.of_days(first, last or first)
            self.staged = landing.stage(SOURCE, TABLE, self.context({**DATED, **options}, scratch), window)
            return landing.commit(self.staged, [], self.home, datetime(2026, 6, 3, tzinfo=UTC))

    def check(self, **options) -> str:
        with landing.scratch(self.home) as scratch:
            return otel.check(self.context({**DATED, **options}, scratch))

    def rows(self, columns: str, day: date = FIRST) -> list[tuple]:
        part = self.home / f"raw/otel/spans/dt={day}/part.parquet"
        with duckdb.connect() as duck:
            calls = f"(select * from read_parquet('{part}') order by ended_at_utc, span_id)"
            return duck.execute(f"select {columns} from {calls}").fetchall()


@pytest.fixture
def org(tmp_path) -> Organisation:
    return Organisation(tmp_path / "home")


def span(number=1, second=10, scope="s", service="svc", status=None, name="chat", **attributes) -> str:
    """A line with one span that ends so many seconds after midnight; values are as OTLP/JSON has them."""
    given = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": "m",
             "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 1,
             **{key.replace("__", "."): value for key, value in attributes.items()}}
    end = (MIDNIGHT + second) * 10**9
    return payload([{
        "traceId": f"{number:032x}", "spanId": f"{number:016x}", "name": name, "startTimeUnixNano": str(end - 10**9),
        "endTimeUnixNano": str(end), "status": status or {},
        "attributes": [{"key": key, "value": value if isinstance(value, dict) else
                        {"intValue" if isinstance(value, int) else "stringValue": value}}
                       for key, value in given.items() if value is not None],
    }], scope, service)


def payload(spans: object, scope="s", service="svc") -> str:
    return json.dumps({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [{"scope": {"name": scope}, "spans": spans}],
    }]})


def sentences(landed: landing.Landed) -> str:
    return "\n".join(finding.sentence() for finding in landed.findings)


# What is taken


def test_three_vocabularies_count_each_call_once(org):
    org.put("2026-06-01/a.jsonl", TRACES.read_bytes())
    org.put("2026-06-02/again.jsonl.gz", gzip.compress(TRACES.read_bytes()))  # every span was sent twice
    landed = org.land(FIRST, SECOND)
    assert landed.findings == [] and landed.missing == []
    # of 14 spans in the first file, 2 are agents or tools, 2 chains or workflows, 1 is no model at all
    assert org.staged.duplicates == {FIRST: 8 + 1 + 1, SECOND: 1} and org.staged.warnings == []
    assert org.rows("model, status, input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens, "
                    "reasoning_output_tokens, input_includes_cached, workflow_tag, pod, node") == [
        ("gpt-4o-2024-08-06", "ok", 1200, 300, 100, 80, 32, True, "search-answers", "search-7d9f", "node-3"),
        ("gpt-4o", "error", None, None, None, None, None, True, None, "search-7d9f", "node-3"),
        ("claude-sonnet-4-5", "ok", 1000, None, 400, 60, None, True, "mail-triage", None, None),
        ("mistral-large-2411", "ok", 500, None, None, 20, None, True, None, None, None),
        ("gpt-4o-mini", "ok", 700, 200, None, 30, 10, True, None, None, None),
        ("gpt-4o-mini", "ok", 100, 40, None, 5, None, True, None, None, None),
        ("claude-opus-5", "ok", 10, 9000, 500, 200, None, False, None, None, None),
        ("text-embedding-3-small", "ok", 50, None, None, None, None, True, None, "search-7d9f", "node-3"),
    ]
    assert org.rows("span_id, duration_seconds, ended_at_utc, service_name, operation", SECOND) == [
        ("000000000000000e", Decimal("10.000"), datetime(2026, 6, 2, 0, 0, 5), "search", "chat")]


def test_a_span_counts_on_the_day_on_which_it_ended_whatever_is_landed_first(org):
    org.put("2026-06-01/a.jsonl", span(1, 86399) + "\n" + span(2, 86400))
    org.put("2026-06-02/b.jsonl", span(3, 86398) + "\n" + span(4, 86401))
    alone = [org.land(day).changed and org.rows("span_id", day) for day in (SECOND, FIRST)]
    assert alone == [[(f"{n:016x}",) for n in numbers] for numbers in ((2, 4), (3, 1))]
    assert org.land(FIRST, SECOND).changed == []  # byte for byte the same


def test_an_id_is_the_same_in_capitals(org):
    org.put("2026-06-01/a.jsonl", span(0xabc) + "\n" + span(0xabc).replace("abc", "ABC"))
    assert org.land().findings == [] and org.staged.duplicates == {FIRST: 1}
    assert org.rows("trace_id") == [(f"{0xabc:032x}",)]


def test_the_ledger_counts_a_request_of_which_both_sides_told_once(org, monkeypatch):
    caller = {"anthropic__request__id": "req_1", "gen_ai__provider__name": "Anthropic"}
    org.put("2026-06-01/a.jsonl", TRACES.read_text() + "\n".join([
        span(20, 86399, "com.anthropic.claude-platform", "claude-platform", anthropic__request__id="req_a"),
        span(21, 7200, "com.anthropic.claude-platform", "claude-platform", anthropic__request__id="req_1"),
        span(22, 7201, "com.anthropic.sdk.python", "mine", **caller),
        span(23, 7202, "com.anthropic.claude-platform", "claude-platform", anthropic__request__id="req_b"),
        span(24, 7203, "com.anthropic.claude-platform", "claude-platform"),
    ]))
    org.put("2026-06-02/a.jsonl", span(25, 86401, "com.anthropic.sdk.go", "mine", anthropic__request__id="req_a"))
    assert org.land(FIRST, SECOND).findings == []
    monkeypatch.setenv("JEVONS_MIN_DATE", "2026-06-01")
    monkeypatch.setenv("JEVONS_MAX_DATE", "2026-06-02")  # the day that is made anew is the first
    ask = models_over(org.home, "int_otel__activity")
    # 3 from both sides in the end: 21 is told by 22, 20 by 25 after midnight; 23 and 24 by the vendor alone
    assert ask("select usage_date, project_id, sum(call_count) from int_otel__activity where "
               "project_id in ('mine', 'claude-platform') group by all order by all") == [
        (FIRST, "claude-platform", 2), (FIRST, "mine", 1)]
    # 1200 - 300 - 100; told apart, 10 stay 10
    assert ask("select model_reported, provider, input_tokens, cached_input_tokens, cache_write_input_tokens, "
               "error_count from int_otel__activity where model_reported in ('claude-opus-5', 'gpt-4o-2024-08-06') "
               "and usage_hour_utc = '2026-06-01' order by 1") == [
        ("claude-opus-5", "anthropic", 10, 9000, 500, 0), ("gpt-4o-2024-08-06", "openai", 800, 300, 100, 0)]
    assert ask("select count(*), sum(call_count), sum(error_count), min(usage_hour_utc) from int_otel__activity "
               "where project_id = 'search' and usage_date = '2026-06-01'") == [(3, 3, 1, datetime(2026, 6, 1))]


@pytest.mark.parametrize("packed", ["", ".gz", ".zst"])
@pytest.mark.parametrize("shape", [".jsonl", ".json", "pretty.json"])
def test_files_may_be_packed_and_payloads_may_span_lines(org, packed, shape):
    body = (json.dumps(json.loads(span()), indent=1) if shape == "pretty.json" else span() + "\n" + span(2)).encode()
    path = org.put(f"2026-06-01/a{shape}{packed}", b"")
    with pa.output_stream(str(path), compression={"": None, ".gz": "gzip", ".zst": "zstd"}[packed]) as stream:
        stream.write(body)
    assert org.land().findings == []
    assert org.rows("count(*), sum(input_tokens)") == ([(1, 10)] if shape == "pretty.json" else [(2, 20)])


def test_published_examples_go_through_and_hold_no_model_call(org):
    folder = SHARED / "otlp-json-examples"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    for name in ("trace", "metrics", "logs", "events"):
        org.put(f"2026-06-01/{name}.json", (folder / f"{name}.json").read_bytes())
        org.put(f"2026-06-01/{name}.jsonl", json.dumps(json.loads((folder / f"{name}.json").read_text())))
    assert org.land().findings == []
    assert org.rows("count(*)") == [(0,)]  # its one span is of a web server
    # and the same span is counted as soon as it is a model call: 5B8E... in small letters, ended 2018-12-13 14:51:01
    example = json.loads((folder / "trace.json").read_text())
    example["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] += [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "7"}}]
    org.put("2018-12-13/trace.json", json.dumps(example))
    assert org.land(date(2018, 12, 13)).findings == []
    assert org.rows("trace_id, span_id, ended_at_utc, duration_seconds, service_name, input_tokens, model",
                    date(2018, 12, 13)) == [
        ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", datetime(2018, 12, 13, 14, 51, 1), Decimal("1.000"),
         "my.service", 7, None)]


@pytest.mark.parametrize(("value", "tokens"), [
    ({"intValue": 7}, 7), ({"intValue": "7"}, 7), ({"doubleValue": 7.0}, 7), ({"stringValue": "7"}, 7), (None, None),
    ({"intValue": None}, None), ({}, None),
])
def test_numbers_may_be_numbers_or_text(org, value, tokens):
    org.put("2026-06-01/a.jsonl", span(gen_ai__usage__input_tokens=value))
    assert org.land().findings == []
    assert org.rows("input_tokens") == [(tokens,)]


def test_the_settings_name_the_workflow_and_further_operations(org):
    org.put("2026-06-01/a.jsonl", "\n".join([
        span(1, **{"app.job": "triage"}), span(2, **{"gen_ai.operation.name": "Summarise"}),
        span(3, scope="excludes", **{"gen_ai.usage.cache_read.input_tokens": 50}),
    ]))
    assert org.land(workflow_attribute="app.job", operations=["summarise"],
                    input_excludes_cached=["excludes"]).findings == []
    assert org.rows("workflow_tag, operation, input_includes_cached") == [
        ("triage", "chat", True), (None, "Summarise", True), (None, "chat", False)]


def test_an_operation_that_is_not_known_is_told_and_not_counted(org):
    org.put("2026-06-01/a.jsonl", "\n".join([span(1), span(2, **{"gen_ai.operation.name": "summarise"})]))
    assert org.land().findings == []
    assert org.rows("count(*)") == [(1,)]
    assert org.staged.warnings == [
        "1 span tells tokens under the operation 'summarise', which is not known, and is not counted: if it is a model "
        "call, add it to operations in [sources.otel]"]


def test_calls_without_tokens_and_spans_that_came_late_are_told(org):
    org.put("2026-06-01/a.jsonl", span(1, gen_ai__usage__input_tokens=None, gen_ai__usage__output_tokens=None))
    org.put("2026-06-03/late.jsonl", span(2))
    org.land(FIRST, date(2026, 6, 3))
    assert org.rows("span_id, input_tokens") == [("0000000000000001", None)]
    assert org.staged.warnings == [
        "1 call tells no tokens; their tokens are unknown",
        "1 span of 2026-06-01 lies in a file of 2026-06-03, more than spill_days = 1 away, and is counted nowhere: "
        "raise spill_days in [sources.otel] and land 2026-06-01 again"]
    org.land(date(2026, 6, 3))
    assert "is counted nowhere" in org.staged.warnings[0] and len(org.staged.warnings) == 1
    org.land(date(2026, 6, 3), spill_days=2)  # the daily run of the file's day, after that of the span's
    assert org.staged.warnings == [
        "1 span of 2026-06-01 lies in a file of 2026-06-03: land 2026-06-01 again if it was landed before"]
    org.land(FIRST, spill_days=2)
    assert len(org.rows("span_id")) == 2


def test_a_day_of_which_nothing_came_is_missing(org):
    org.put("2026-06-01/a.jsonl", span())
    assert org.land(FIRST, SECOND).missing == [SECOND]
    assert org.land(date(2026, 7, 1)).missing == [date(2026, 7, 1)]


# What is refused


@pytest.mark.parametrize(("line", "said"), [
    (span(2, gen_ai__usage__input_tokens="many"), "line 2, resourceSpans 1, scopeSpans 1, span 1, input_tokens: it is"),
    (span(2, gen_ai__usage__output_tokens=-1), "output_tokens: it is not a whole number of tokens"),
    (span(2, gen_ai__usage__output_tokens={"doubleValue": 1.5}), "output_tokens: it is not a whole number of tokens"),
    (span(2, **{"gen_ai.usage.cache_read.input_tokens": 11}), "name the scope in input_excludes_cached"),
    (span(2, **{"gen_ai.usage.reasoning.output_tokens": 2}), "it is more than the output tokens that include it"),
    (span(2).replace(f"{2:032x}", "W47/95gDgQPSabYzgT/GDA=="), "traceId: it is not 32 hexadecimal digits"),
    (span(0), "spanId: it is not 16 hexadecimal digits"),
    (span(2).replace(str(MIDNIGHT + 10), "x"), "endTimeUnixNano: it is no time in nanoseconds"),
    ('{"resourceSpans":[', "line 2: it is not whole JSON"),
    ('{"resource_spans":[]}', "line 2: it has none of resourceSpans, resourceMetrics, resourceLogs"),
    ('{"resourceSpans":[7]}', "resourceSpans 1, resourceSpans: it is no JSON object"),
    ('{"resourceSpans":[],"resourceSpans":[]}', "a name is there twice in an object"),
    (payload([{"attributes": {}}]), "attributes is no list"),
    ("[]", "line 2: it is no JSON object"),
    ('{"resourceSpans":[{"a":"\xff"}]}'.encode("latin-1"), "it is not UTF-8 text"),
])
def test_what_does_not_fit_holds_its_day_back_and_is_told(org, line, said):
    good = span().encode() + b"\n"
    line = line if isinstance(line, bytes) else line.encode()
    org.put("2026-06-01/a.jsonl", good + line + b"\n" + span(3).encode())
    org.put("2026-06-01/good.jsonl", span(5))
    org.put("2026-06-03/b.jsonl", span(4, 2 * 86400))
    landed = org.land(FIRST, date(2026, 6, 3))
    assert FIRST in landed.quarantined and landed.changed == [date(2026, 6, 3)]
    assert said in sentences(landed) and "inbox/2026-06-01/a.jsonl" in sentences(landed)
    held, = (org.home / "quarantine/otel/spans/dt=2026-06-01").glob("*/part.parquet")
    assert duckdb.sql(f"select span_id from read_parquet('{held}')").fetchall() == [(f"{n:016x}",) for n in (1, 3, 5)]


@pytest.mark.parametrize("name", ["cut.jsonl.zst", "cut.jsonl.gz"])
def test_a_file_that_is_cut_off_holds_its_days_back(org, name):
    path = org.put(f"2026-06-01/{name}", b"")
    with pa.output_stream(str(path), compression="gzip" if name.endswith("gz") else "zstd") as stream:
        stream.write("\n".join(span(n) for n in range(1, 2000)).encode())
    path.write_bytes(path.read_bytes()[:-200])
    org.put("2026-06-01/good.jsonl", span())
    landed = org.land()
    assert landed.quarantined == [FIRST] and "does not unpack to its end" in sentences(landed)


def test_one_span_that_says_two_things_holds_its_day_back(org):
    org.put("2026-06-01/a.jsonl", span() + "\n" + span(gen_ai__usage__input_tokens=11))
    assert "1 id stands for different records" in sentences(org.land())


def test_nobody_and_no_prompt_is_in_anything_that_is_written(org):
    mail = "SENTINEL.jane@example.org"
    org.put("2026-06-01/a.jsonl", TRACES.read_text() + "\n".join([
        span(30, jevons__workflow=mail, service=mail), span(31, gen_ai__response__model="SENTINEL" * 99),
        span(32, gen_ai__response__model='{"SENTINEL": 1}'), span(33, gen_ai__response__model="claude-3@20240229"),
        span(34, gen_ai__usage__input_tokens="SENTINEL"), span(35, **{"gen_ai.operation.name": mail}),
    ]))
    landed = org.land()
    assert "not a whole number" in sentences(landed) and landed.quarantined == [FIRST]
    held, = (org.home / "quarantine").rglob("part.parquet")
    rows = duckdb.sql(f"select span_id, model from read_parquet('{held}') where span_id >= '{30:016x}' order by 1")
    assert rows.fetchall() == [(f"{30:016x}", "m"), (f"{31:016x}", None), (f"{32:016x}", None),
                               (f"{33:016x}", "claude-3@20240229")]
    for path in org.home.rglob("*"):
        if path.is_file() and "inbox" not in path.parts:
            with duckdb.connect() as duck:
                text = str(duck.execute(f"select * from '{path}'").fetchall()) if path.suffix == ".parquet" else \
                    path.read_text()
            assert "SENTINEL" not in text, path
    assert "SENTINEL" not in str(org.staged.warnings) + sentences(landed)


# What the settings may say


@pytest.mark.parametrize(("options", "said"), [
    ({"path": ""}, 'name the files, as in path = "inbox/otlp/{date}/*.jsonl*"'), ({"spill_days": 8}, "give 0 to 7"),
    ({"spill_days": True}, "give 0 to 7"), ({"workflow_attribute": 7}, "name an attribute"),
    ({"operations": "chat"}, "give a list of names"), ({"path": "../x"}, "it leads outside JEVONS_HOME"),
])
def test_settings_that_mean_nothing_are_told(org, options, said):
    with pytest.raises(SourceError, match=re.escape(said)):
        org.land(**options)


def test_the_doctor_hears_what_is_there(org):
    with pytest.raises(SourceError, match="no file under JEVONS_HOME matches it; let the collector's"):
        org.check()
    org.put("2026-06-01/a.jsonl", span())
    assert org.check().startswith("1 files (") and org.check().endswith("a.jsonl begins as OTLP/JSON.")
    org.put("2026-06-01/b.jsonl", "hello")
    with pytest.raises(SourceError, match="of its first payload, it is not whole JSON"):
        org.check()


# Whatever comes: no crash, no row that is not there, and both readings agree


SEEDLING = TRACES.read_text().splitlines()[0]
PIECES = (None, True, 0, -1, 7, 1.5, 2**70, "", "7", "-1", "12.0", "chat", "LLM", "invoke_agent", "made_up",
          "a@b.example", [], {}, [7], {"a": 1}, {"intValue": "9"}, {"stringValue": None}, *sorted(Words().of_span))


def odd_line(draw: Random, number: int) -> bytes:
    """The first fixture line with a few of its parts replaced, doubled or lost, and now and then cut off."""
    made = json.loads(SEEDLING)  # quicker than a copy
    for one in made["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        one["traceId"] = f"{number:032x}"
    for _ in range(draw.choice((0, 1, 1, 2, 4))):
        owner, parent = made, None
        while isinstance(owner, (dict, list)) and owner and (parent is None or draw.random() < 0.9):
            parent, key = owner, draw.choice(list(owner) if isinstance(owner, dict) else range(len(owner)))
            owner = parent[key]
        deed = draw.random()
        if parent is None:
            break
        if isinstance(parent, list) and deed < 0.2:
            parent.append(deepcopy(owner))
        elif deed < 0.3:
            del parent[key]
        else:
            parent[key] = deepcopy(draw.choice(PIECES))
    text = json.dumps(made).encode()
    broken = (text[:draw.randrange(len(text))], b"{}" + text, text.replace(b":", b"", 1), b"\xff" + text, b"null", b"7")
    return text if draw.random() < 0.9 else draw.choice(broken)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_ten_thousand_odd_payloads_invent_nothing_and_lose_nothing(tmp_path_factory, seed):
    draw = Random(seed)
    lines = [odd_line(draw, number + 1) for number in range(400)]
    org = Organisation(tmp_path_factory.mktemp("otel"))
    org.put("a.jsonl", b"\n".join(lines))
    with landing.scratch(org.home) as scratch:
        file, = otel.fetch(org.context({"path": "inbox/a.jsonl"}, scratch), Window.of_days(FIRST, FIRST))
        rows = [row for row, in duckdb.sql(f"select trace_id || span_id from '{file.path}'").fetchall()]
    good, refused = set(), 0
    for line in lines:
        value, wrong = parsed(line)
        judged = judge(value, Words()) if not wrong else None
        refused += bool(wrong) or sum(each.day in (None, FIRST) for each in judged.refused)
        for one in [one for resource in judged.kept["resourceSpans"] for scope in resource["scopeSpans"]
                    for one in scope["spans"]] if judged else ():
            operation = next((a["value"]["stringValue"] for a in one["attributes"] if a["key"] == OPERATION), "chat")
            at = int(one["endTimeUnixNano"]) / 1e9 - MIDNIGHT
            if operation.lower() in INFERENCE and 0 <= at < 86400:
                good.add((one["traceId"] + one["spanId"]).lower())
    assert set(rows) == good
    assert bool(file.findings) >= bool(refused)
