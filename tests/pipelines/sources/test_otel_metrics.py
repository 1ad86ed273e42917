"""OpenTelemetry metrics from files to the activity in the ledger: totals by hand, restarts of counters, refusals."""

import json
import os
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zlib import crc32

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models_over_home import models_over

from pipelines import landing
from pipelines.declared import Provider, Site
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context, Page
from pipelines.sources import anthropic, otel, otel_metrics, settings_rows
from pipelines.sources._otlp_metric_words import MetricWords
from pipelines.sources._otlp_metrics import judge, lines
from pipelines.sources._otlp_reading import parsed
from pipelines.sources.otel_metrics import SOURCE, TABLE
from pipelines.window import Window

ROOT = Path(__file__).parents[3]
METRICS = ROOT / "tests/fixtures/otel/metrics.jsonl"
SHARED = Path(os.environ.get("JEVONS_SHARED_DATA") or ROOT.parent / "shared" / "data")
FIRST, SECOND, THIRD = date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)
MIDNIGHT = 1780272000  # date -u -d @1780272000 says 2026-06-01 00:00:00
HOUR, DAY_SECONDS = 3600, 86400
AT = datetime(2026, 6, 9, tzinfo=UTC)
USAGE, DURATION = "gen_ai.client.token.usage", "gen_ai.client.operation.duration"


class Organisation:
    """A JEVONS_HOME with an inbox of telemetry, and the landing of it without a gate."""

    def __init__(self, home: Path):
        self.home, self.section, self.path, self.providers = home, {}, "inbox/{date}/*", ()

    def put(self, name: str, *content: str) -> None:
        path = self.home / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(content) + "\n", encoding="latin-1")

    def settings(self) -> Settings:
        sources = {"otel": {"path": self.path, "workflow_attribute": "app.job"}, "otel_metrics": self.section}
        return Settings(self.home, "x", False, sources, (Site("us", "US-MIDA-PJM", "USA"),), self.providers)

    def land(self, first=FIRST, last=None, source=SOURCE, table=TABLE) -> landing.Landed:
        with landing.scratch(self.home) as scratch:
            window = Window.of_days(first, last or first)
            self.staged = landing.stage(source, table, Context(self.settings(), scratch), window)
            return landing.commit(self.staged, [], self.home, AT)

    def rows(self, columns: str, day: date = FIRST) -> list[tuple]:
        part = self.home / f"raw/otel_metrics/usage/dt={day}/part.parquet"
        with duckdb.connect() as duck:
            sorted_rows = f"(select * from read_parquet('{part}') order by hour_utc, service_name, model)"
            return duck.execute(f"select {columns} from {sorted_rows}").fetchall()


@pytest.fixture
def org(tmp_path) -> Organisation:
    return Organisation(tmp_path / "home")


def attributes(told: dict) -> list[dict]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]


def number(time: float, value: object, start: float | None = 0, **told: str) -> dict:
    """A point so many seconds after the first midnight that counts since `start`; None does not say since when."""
    return {
        **({"asInt": value} if not isinstance(value, dict) else value), "attributes": attributes(told),
        **({} if start is None else {"startTimeUnixNano": str(int((MIDNIGHT + start) * 10**9))}),
        "timeUnixNano": str(int((MIDNIGHT + time) * 10**9)),
    }


def metrics(*found: dict, service="svc", scope="s", **resource: str) -> str:
    about = attributes({"service.name": service, **resource})
    return json.dumps({"resourceMetrics": [{
        "resource": {"attributes": about}, "scopeMetrics": [{"scope": {"name": scope}, "metrics": list(found)}]}]})


def counted(*points: dict, name="gen_ai.client.inference.usage.input_tokens", cumulative=True, **resource: str) -> str:
    """A line with a counter."""
    return metrics({"name": name, "sum": {
        "aggregationTemporality": 2 if cumulative else 1, "isMonotonic": True, "dataPoints": list(points)}}, **resource)


def histogram(time: float, count: int, total: float | None = None, name=USAGE, start: float = 0, **told: str) -> dict:
    point = {**number(time, {}, start, **told), "count": str(count), **({} if total is None else {"sum": total})}
    return {"name": name, "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}}


def sentences(landed: landing.Landed) -> str:
    return "\n".join(finding.sentence() for finding in landed.findings)


# What is taken


def test_the_fixture_comes_to_what_was_worked_out_by_hand(org):
    org.put("2026-06-01/a.jsonl", METRICS.read_text())
    landed = org.land()
    assert landed.findings == [] and landed.missing == [] and org.staged.warnings == []
    assert org.rows("hour(hour_utc), service_name, model, call_count, error_count, input_tokens, cached_input_tokens, "
                    "cache_write_input_tokens, output_tokens, reasoning_output_tokens, estimated_cost_usd") == [
        # 00:10 to 00:59; the request that timed out has no answering model
        (0, "search", "gpt-4o", 1, 1, None, None, None, None, None, None),
        (0, "search", "gpt-4o-2024-08-06", 4, 0, 1000, None, None, 80, None, None),
        # 01:30 told twice, and 02:00 sharp: 10 - 4, 2600 - 1000, 210 - 80; timeouts 3 - 1
        (1, "search", "gpt-4o", 2, 2, None, None, None, None, None, None),
        (1, "search", "gpt-4o-2024-08-06", 6, 0, 1600, None, None, 130, None, None),
        # began anew at 02:05
        (2, "search", "gpt-4o", 1, 1, None, None, None, None, None, None),
        (2, "search", "gpt-4o-2024-08-06", 2, 0, 300, None, None, 25, None, None),
        # two sessions, one of which told its second minute twice: 120 + 7 + 30, 40000 + 1000 + 45000, 3000 + 200,
        # 900 + 50 + 100, 0.0412 + 0.00135 + 0.0155
        (10, "claude-code", "claude-sonnet-4-5-20250929", None, None, 157, 86000, 3200, 1050, None,
         Decimal("0.058050000")),
        # counters, and not the histogram beside them, which tells the same
        (14, "mail", "claude-opus-5", 5, 0, 570, 400, None, 60, 22, None),
    ]
    assert org.staged.duplicates == {FIRST: 4 + 5}  # 01:30 in four series, the minute in five
    assert sorted(org.rows("distinct provider, input_includes_cached, workflow_tag, pod, node, service_name")) == [
        ("anthropic", False, "coding", None, None, "claude-code"),
        ("anthropic", True, None, None, "node-4", "mail"),
        ("openai", True, "answers", "search-7d9f", "node-3", "search")]


def test_a_counter_goes_on_over_midnight_whichever_day_is_landed_first(org):
    org.put("2026-06-01/a.jsonl", counted(number(80000, 100)), counted(number(86395, 130)))
    org.put("2026-06-02/b.jsonl", counted(number(86400, 137)), counted(number(86460, 150)), counted(number(90000, 150)))
    for days in ([SECOND, FIRST], [FIRST, SECOND]):
        for day in days:
            org.land(day)
        # 86400 is midnight sharp, and so of the first day
        assert org.rows("hour(hour_utc), input_tokens") == [(22, 100), (23, 37)]
        assert org.rows("hour(hour_utc), input_tokens", SECOND) == [(0, 13)]
    assert org.land(FIRST, SECOND).changed == []  # byte for byte the same


@pytest.mark.parametrize(("points", "told"), [
    ([number(60, 5), number(120, 5), number(180, 9)], 9),
    ([number(180, 9), number(60, 5), number(120, 5), number(60, 5)], 9),  # in any order, one of them twice
    ([number(60, 5), number(120, 3), number(180, 4)], 5 + 3 + 1),  # it fell without a word
    ([number(60, 5), number(120, 3, 100), number(180, 4, 100)], 5 + 3 + 1),
    ([number(60, 5), number(120, 8, 100)], 5 + 8),  # a restart that does not fall shows in its start alone
    ([number(60, 5), number(120, 1, 30), number(180, 9), number(240, 2, 30)], 9 + 2),  # two that write in turn
    ([number(60, "5"), number(120, {"asInt": "7"}), number(180, {"asDouble": 9.0})], 9),
    ([number(240, {"asDouble": "1e1"})], 10),
    ([number(60, 5), {**number(120, 0), "flags": 1}, number(180, 9)], 9),  # it says that nothing was recorded
])
def test_what_a_counter_grew_by(org, points, told):
    org.put("2026-06-01/a.jsonl", *(counted(point) for point in points))
    assert org.land().findings == []
    assert org.rows("sum(input_tokens)") == [(told,)]


def test_deltas_are_added_and_those_sent_twice_are_not(org):
    given_points = [number(60, 5, 0), number(120, 3, 60), number(120, 3, 60), number(7300, 4, 7200)]
    org.put("2026-06-01/a.jsonl", *(counted(point, cumulative=False) for point in given_points))
    org.land()
    assert org.rows("hour(hour_utc), input_tokens") == [(0, 8), (2, 4)]


def test_a_first_point_counts_from_its_start_where_nobody_can_have_counted_before(org):
    org.put("2026-06-01/a.jsonl", counted(number(9 * HOUR, 50, start=10)))
    org.land()
    assert org.rows("hour(hour_utc), input_tokens") == [(8, 50)]
    assert org.staged.warnings == ["1 point tells of more than an hour at once, and counts in the hour of its time"]


@pytest.mark.parametrize("start", [-5, None])
def test_what_was_told_before_there_were_files_is_not_made_up(org, start):
    org.put("2026-06-01/a.jsonl", counted(number(60, 1000, start), number(120, 1005, start)),
            counted(number(180, 7, start, **{"gen_ai.response.model": "new"})))  # was not there a minute before
    org.land()
    assert org.rows("model, input_tokens") == [("new", 7), (None, 5)]
    assert org.staged.warnings == [
        "1 counter began before 2026-06-01, and no earlier point was found: what it told until its first point is "
        "counted nowhere"]


def test_after_days_of_silence_the_counter_goes_on_from_its_last_point(org):
    org.put("2026-06-01/a.jsonl", counted(number(60, 100)))
    org.put("2026-06-02/other.jsonl", counted(number(DAY_SECONDS + 60, 1, start=DAY_SECONDS, model="other")))
    org.put("2026-06-08/b.jsonl", counted(number(7 * DAY_SECONDS + 60, 130)))
    org.land(date(2026, 6, 8))
    assert org.rows("input_tokens", date(2026, 6, 8)) == [(30,)]
    assert "1 point tells of more than an hour at once" in org.staged.warnings[0]
    org.put("2026-06-09/c.jsonl", counted(number(8 * DAY_SECONDS + 60, 131)))
    (org.home / "inbox/2026-06-08/b.jsonl").unlink()  # then nothing is in reach, and nothing is guessed
    org.land(date(2026, 6, 9))
    assert org.rows("input_tokens", date(2026, 6, 9)) == []
    assert "1 counter began before 2026-06-02" in org.staged.warnings[0]


def test_points_that_came_late_are_told(org):
    org.put("2026-06-01/a.jsonl", counted(number(60, 5)))
    org.put("2026-06-04/b.jsonl", counted(number(120, 9)), counted(number(3 * DAY_SECONDS + 60, 11)))
    org.land(date(2026, 6, 4))
    assert org.rows("input_tokens", date(2026, 6, 4)) == [(6,)]  # since the 5 of the first day: no token is lost
    assert org.staged.warnings[0] == (
        "1 point of 2026-06-01 lies in a file of 2026-06-04, more than spill_days = 1 away, and is counted nowhere: "
        "raise spill_days in [sources.otel] and land 2026-06-01 again")


def test_files_without_a_day_may_hold_any(org):
    org.path = "inbox/metrics*.jsonl"
    org.put("metrics-1.jsonl", counted(number(60, 5)), counted(number(86460, 7)))
    org.put("metrics-2.jsonl", counted(number(2 * 86400 + 60, 9)))
    assert org.land(FIRST, date(2026, 6, 4)).missing == [date(2026, 6, 4)]
    assert [org.rows("input_tokens", day) for day in (FIRST, SECOND, THIRD)] == [[(5,)], [(2,)], [(2,)]]
    org.put("metrics-3.jsonl", "{")
    landed = org.land(FIRST, SECOND)
    assert landed.quarantined == [FIRST, SECOND] and len(landed.findings) == 1


def test_a_day_without_files_is_missing_and_one_without_metrics_is_empty(org):
    org.put("2026-06-01/spans.jsonl", '{"resourceSpans": []}', '{"resourceLogs": [{}]}')
    assert org.land(FIRST, SECOND).missing == [SECOND]
    assert org.rows("count(*)") == [(0,)]


def test_published_examples_go_through_and_hold_no_model_call(org):
    folder = SHARED / "otlp-json-examples"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    example = json.loads((folder / "metrics.json").read_text())
    org.put("2018-12-13/metrics.json", json.dumps(example, indent=1))
    assert org.land(date(2018, 12, 13)).findings == []
    assert org.rows("count(*)", date(2018, 12, 13)) == [(0,)]
    found = example["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    # and its counter of 5, its histogram of 2 and its exponential one of 3 do count under names that are model calls
    known = {"my.counter": "claude_code.cost.usage", "my.histogram": DURATION,
             "my.exponential.histogram": "gen_ai.client.inference.duration"}
    for metric in found:
        metric["name"] = known.get(metric["name"], metric["name"])
    org.put("2018-12-13/metrics.json", json.dumps(example, indent=1))
    assert org.land(date(2018, 12, 13)).findings == []
    assert org.rows("hour_utc, service_name, estimated_cost_usd, call_count", date(2018, 12, 13)) == [
        (datetime(2018, 12, 13, 14), "my.service", None, 3), (datetime(2018, 12, 13, 14), "my.service", 5, None)]


def test_calls_are_durations_or_else_the_recordings_of_input_tokens(org):
    told = {"gen_ai.operation.name": "chat", "gen_ai.token.type": "input"}
    org.put("2026-06-01/a.jsonl", metrics(histogram(60, 4, 90, **told), service="tokens"),
            metrics(histogram(60, 4, 90, **told), histogram(60, 6, 1.5, DURATION), service="both"))
    org.land()
    assert org.rows("service_name, call_count, error_count, input_tokens") == [
        ("both", 6, 0, 90), ("tokens", 4, None, 90)]


def test_the_settings_name_operations_metrics_and_kinds_of_tokens(org):
    asked = {"gen_ai.operation.name": "summarise", "gen_ai.token.type": "prompt"}
    org.put("2026-06-01/a.jsonl", metrics(histogram(60, 4, 90, **asked)),
            metrics(histogram(60, 4, 9, **{"gen_ai.token.type": "prompt"})), counted(number(60, 3), name="acme.tokens"),
            metrics(histogram(60, 1, 1000, **{"gen_ai.operation.name": "invoke_agent"})))
    org.land()
    assert org.rows("count(*)") == [(0,)]
    assert org.staged.warnings == [
        "1 point is not counted, of the operation 'summarise', which is not known: if it is a model call, add it to "
        "operations of [sources.otel]",
        "1 point is not counted, of tokens of the type 'prompt', which is not known: token_types of "
        "[sources.otel_metrics] may name it"]
    org.section = {"token_types": {"prompt": "input"}, "counted_first": ["svc"],
                   "metric_names": {"acme.tokens": "gen_ai.client.inference.usage.output_tokens"}}
    org.land()
    assert org.rows("input_tokens, output_tokens, call_count, counted_first") == [(9, 3, 4, True)]


# What is refused


@pytest.mark.parametrize(("line", "said"), [
    (counted(number(60, "many")), "line 2, resourceMetrics 1, scopeMetrics 1, metric 1, point 1, asInt: it is no"),
    (counted(number(60, -1)), "asInt: it is no number that a counter can have"),
    (counted(number(60, {"asDouble": "NaN"})), "asDouble: it is no number"),
    (counted(number(60, {"asDouble": 1.5})), "asDouble: it is not a whole number of tokens"),
    (counted({**number(60, 1), "timeUnixNano": "x"}), "timeUnixNano: it is no time in nanoseconds"),
    (counted(number(60, 1, start=61)), "startTimeUnixNano: it is after the time of the point"),
    (counted(number(60, 1)).replace('ity": 2', 'ity": 0'), "it is neither delta (1) nor cumulative (2)"),
    (counted(number(60, 1)).replace('"isMonotonic": true', '"isMonotonic": false'), "it is a sum that may fall"),
    (counted(number(60, 1)).replace('"sum"', '"gauge"'), "it is neither a sum nor a histogram"),
    (counted(number(60, 1), name=DURATION), "it is no histogram, and the calls are its recordings"),
    (metrics(histogram(60, -1, 5)), "count: it is not a whole number of recordings"),
    (metrics(histogram(60, 1)), "sum: it is no number that a counter can have"),
    (counted(number(30, 7)), "line 2: another point of the same series and time tells something else"),
    (metrics(histogram(60, 1, 5)) + "}", "line 2: it is not whole JSON"),
    ('{"resourceMetrics":[7]}', "resourceMetrics 1, resourceMetrics: it is no JSON object"),
    ('{"resource_metrics":[]}', "line 2: it has none of"),
    (counted({"attributes": {}}), "attributes is no list"),
    (counted(number(60, 12), name="gen_ai.client.inference.usage.cache_read.input_tokens"), "input_excludes_cached"),
    (counted(number(60, 12), name="gen_ai.client.inference.usage.reasoning.output_tokens"), "tokens of reasoning"),
])
def test_what_does_not_fit_holds_its_day_back_and_is_told(org, line, said):
    good = counted(number(30, 5)), metrics(histogram(30, 1, 5, "gen_ai.client.inference.operation.output_tokens"))
    org.put("2026-06-01/a.jsonl", good[0], line, good[1])
    org.put("2026-06-04/b.jsonl", counted(number(3 * DAY_SECONDS + 60, 5, 3 * DAY_SECONDS)))
    landed = org.land(FIRST, date(2026, 6, 4))
    assert FIRST in landed.quarantined and landed.changed == [date(2026, 6, 4)]
    assert said in sentences(landed)


def test_a_point_that_is_refused_holds_back_the_day_that_counts_on_from_it(org):
    org.put("2026-06-01/a.jsonl", counted(number(60, 5)), counted(number(120, -1)))
    org.put("2026-06-02/a.jsonl", counted(number(86460, 9)))
    assert org.land(FIRST, SECOND).quarantined == [FIRST, SECOND]  # 9 - 5 would be more than the second day's part


def test_a_file_that_is_cut_off_holds_back_what_counts_on_from_it(org):
    (org.home / "inbox/2026-06-01").mkdir(parents=True)
    (org.home / "inbox/2026-06-01/a.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00")
    org.put("2026-06-02/b.jsonl", counted(number(86460, 5)))
    assert org.land(SECOND).quarantined == [SECOND] and "does not unpack" in str(org.staged.findings)


def test_nobody_is_in_anything_that_is_written(org):
    mail = "SENTINEL.jane@example.org"
    org.put("2026-06-01/a.jsonl", METRICS.read_text(), counted(number(60, 1), service=mail),
            counted(number(60, 1, **{"gen_ai.response.model": mail, "gen_ai.system": mail})),
            counted(number(60, 1, **{"gen_ai.operation.name": mail})), counted(number(60, "SENTINEL")),
            metrics(histogram(60, 1, 5, **{"gen_ai.token.type": mail})))
    assert "no number that a counter can have" in sentences(org.land())
    for path in org.home.rglob("*"):
        if path.is_file() and "inbox" not in path.parts:
            text = str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else path.read_text()
            assert "SENTINEL" not in text, path
    assert "SENTINEL" not in str(org.staged.warnings) + str(org.staged.findings)


@pytest.mark.parametrize(("section", "said"), [
    ({"counted_first": "x"}, "give a list of names of services"),
    ({"metric_names": {"a": "b"}}, "give names, each with one of claude_code.cost.usage"),
    ({"metric_names": {"a": ["b"]}}, "give names, each with one of claude_code.cost.usage"),
    ({"token_types": ["a"]}, "give names, each with one of cacheCreation, cacheRead, input, output"),
])
def test_settings_that_mean_nothing_are_told(org, section, said):
    org.section = section
    with pytest.raises(SourceError, match=said):
        org.land()


def test_the_doctor_hears_whether_metrics_come(org):
    def check() -> str:
        return otel_metrics.check(Context(org.settings(), org.home))

    org.put("2026-06-01/a.jsonl", '{"resourceSpans": []}')
    with pytest.raises(SourceError, match="the newest 1 files hold none; let the services export metrics as well"):
        check()
    org.put("2026-06-01/b.jsonl", counted(number(60, 5)))
    assert check() == "inbox/2026-06-01/b.jsonl holds metrics of model calls."
    with pytest.raises(SourceError, match="they are in the files of .sources.otel., and it is not switched on"):
        otel_metrics.check(Context(Settings(org.home, "x", False, {"otel_metrics": {}}, (), ()), org.home))


# A request that spans and metrics tell counts once


def spans(service: str, *seconds: float, scope="s", **told: str) -> str:
    found = [{
        "traceId": f"{int(at) + 1:032x}", "spanId": f"{crc32(f'{service} {at}'.encode()):016x}",
        "startTimeUnixNano": str(int((MIDNIGHT + at - 1) * 10**9)),
        "endTimeUnixNano": str(int((MIDNIGHT + at) * 10**9)),
        "attributes": attributes({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-4o",
            "gen_ai.usage.input_tokens": "10", "gen_ai.usage.output_tokens": "1", **told}),
    } for at in seconds]
    return json.dumps({"resourceSpans": [{"resource": {"attributes": attributes({"service.name": service})},
                                          "scopeSpans": [{"scope": {"name": scope}, "spans": found}]}]})


def calls(service: str, time: float, count: int, start: float = 0, provider="openai") -> str:
    told = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.response.model": "gpt-4o"}
    return metrics(histogram(time, count, 10 * count, start=start, **told, **{"gen_ai.token.type": "input"}),
                   histogram(time, count, count, start=start, **told, **{"gen_ai.token.type": "output"}),
                   service=service)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Two days of services that are traced, metered, or both; a vendor's own spans, and another one's report."""
    org = Organisation(tmp_path_factory.mktemp("once") / "home")
    org.section = {"counted_first": ["sampled"]}
    org.providers = tuple(Provider(name, "us", record, None, None, None) for name, record in (
        ("openai", "otel"), ("anthropic", "anthropic")))
    org.put("2026-06-01/a.jsonl", spans("both", 60, 7200), calls("both", 120, 1), calls("both", 7260, 2),
            spans("sampled", 30), calls("sampled", 40, 50), calls("metered", 50, 7), spans("traced", 45, 46, 47),
            spans("nightly", 86398))
    org.put("2026-06-02/a.jsonl", calls("nightly", 86430, 1, start=86390), calls("nightly", 90090, 4, start=86390),
            spans("claude-platform", 90000, scope="com.anthropic.claude-platform",
                  **{"gen_ai.provider.name": "hosted"}),
            calls("unseen", 90010, 3, start=86401, provider="hosted"), calls("metered", 90020, 9),
            counted(number(86700, 120, 86401, type="input", model="claude-opus-5"), name="claude_code.token.usage",
                    service="claude-code"))
    reported = {"day": SECOND, "customer_type": "subscription", "model": "claude-opus-5", "input_tokens": 125,
                "output_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0,
                "estimated_cost_cents": 0, "user_count": 1}
    report = replace(anthropic.SOURCE.table("claude_code"), fetch=lambda *_: iter([Page([reported], "by hand")]))
    assert org.land(SECOND, SECOND, anthropic.SOURCE, report).findings == []
    assert org.land(FIRST, SECOND).findings == []
    assert org.land(FIRST, SECOND, otel.SOURCE, otel.TABLE).findings == []
    org.land(source=settings_rows.SOURCE, table=settings_rows.SOURCE.table("providers"))
    return models_over(
        org.home, "stg_settings__providers", "int_otel__activity", "int_otel_metrics__activity", "model_alias",
        "stg_anthropic__messages", "stg_anthropic__costs", "stg_anthropic__workspaces", "int_anthropic__activity",
        "int_activity__hourly", "int_vendor_account__daily", "int_vendor_pair__daily",
        activity_sources=["otel", "otel_metrics", "anthropic"], min_date="2026-06-01", max_date="2026-06-03",
    )


def test_spans_are_booked_where_there_are_some_and_metrics_where_there_are_none(ask):
    booked = ask("select usage_date, project_id, sum(call_count), sum(input_tokens), sum(output_tokens) "
                 "from int_activity__hourly where is_of_record and source = 'otel' group by all order by all")
    assert booked == [
        (FIRST, "both", 2, 20, 2), (FIRST, "metered", 7, 70, 7), (FIRST, "nightly", 1, 10, 1),
        (FIRST, "sampled", 50, 500, 50),  # its one span is a sample, as counted_first says
        (FIRST, "traced", 3, 30, 3),
        (SECOND, "claude-platform", 1, 10, 1),  # it tells of what `unseen` asked of that vendor
        (SECOND, "metered", 2, 20, 2),  # 9 - 7
        (SECOND, "nightly", 3, 30, 3),  # the call before midnight was traced; the hour after one o'clock was not
    ]
    # and of Claude Code its vendor's report, once, since [providers.anthropic] says so
    assert ask("select source, input_tokens from int_activity__hourly where is_of_record and source <> 'otel'") == [
        ("anthropic", 125)]


def test_metrics_are_held_against_what_is_booked(ask):
    assert ask("select usage_date, provider, of_record_source, other_source, is_counted_twice, of_record_call_count, "
               "other_call_count from int_vendor_pair__daily order by all") == [
        # 63 = 2 + 7 + 1 + 50 + 3 booked; 2 + 50 + 7 are metered, since `traced` and `nightly` export no metrics
        (FIRST, "openai", "otel", "otel_metrics", False, 63, 59),
        (SECOND, "anthropic", "anthropic", "otel", False, None, None),
        (SECOND, "anthropic", "anthropic", "otel_metrics", False, None, None),
        (SECOND, "hosted", "otel", "otel_metrics", False, 1, 3),
        (SECOND, "openai", "otel", "otel_metrics", False, 5, 6)]  # 2 + 3 booked, 2 + 1 + 3 metered
    assert ask("select of_record_input_tokens, other_input_tokens from int_vendor_pair__daily "
               "where of_record_source = 'anthropic'") == [(125, 120), (125, 120)]


# Whatever order, loss and repetition: nothing is counted twice, and nothing that was told is lost


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32), st.sampled_from([True, False]))
def test_the_sum_of_growth_is_what_the_processes_used(tmp_path_factory, seed, dated):
    """The oracle knows the increments themselves; counters are only made of them."""
    draw, expected, told = Random(seed), {}, {}
    for process in range(draw.randrange(1, 6)):
        cumulative, at, service = draw.random() < 0.8, float(draw.randrange(1, 200_000)), f"s{draw.randrange(2)}"
        for _ in range(draw.randrange(1, 4)):  # lives
            start, value, pending, last = at, 0, 0, 0
            falls = draw.random() < 0.3  # the next life will not say that it began anew
            for _ in range(draw.randrange(1, 8)):
                at += draw.choice((0.5, 60, 1800, 3600, 3599.5, 40_000))
                value, pending = value + (grew := draw.choice((0, 1, 7, 1000))), pending + grew
                if draw.random() < 0.25 or at > 3 * DAY_SECONDS - 2:
                    continue  # an export that was lost: the next point tells of its growth as well
                if not cumulative and not pending:
                    continue
                hour = datetime.fromtimestamp(MIDNIGHT + at - 0.001, UTC).replace(minute=0, second=0, microsecond=0)
                key = service, hour.replace(tzinfo=None)
                expected[key] = expected.get(key, 0) + pending
                point = number(at, value if cumulative else pending, start, process=str(process))
                line = counted(point, cumulative=cumulative, service=service)
                pending, last = 0, value
                if not cumulative:
                    value = 0
                for _ in range(draw.choice((1, 1, 1, 2))):
                    near = int((at - 0.001) // DAY_SECONDS) + draw.choice((0, 0, 0, 1, -1))
                    told.setdefault(FIRST + timedelta(days=near), []).append(line)
            at += draw.choice((1, 5000))
            if falls and cumulative and last > 1 and at < 3 * DAY_SECONDS - 100:
                at += 60
                key = service, datetime.fromtimestamp(MIDNIGHT + at - 0.001, UTC).replace(
                    minute=0, second=0, microsecond=0, tzinfo=None)
                expected[key] = expected.get(key, 0) + last - 1
                file_day = FIRST + timedelta(days=int((at - 0.001) // DAY_SECONDS))
                told.setdefault(file_day, []).append(counted(
                    number(at, last - 1, start, process=str(process)), service=service))
                at += 1
    org = Organisation(tmp_path_factory.mktemp("metrics"))
    told.setdefault(FIRST, []).append(counted(number(1, 0, 0), service="beginning"))
    for day, content in told.items():
        draw.shuffle(content)
        org.put(f"{day}/a.jsonl" if dated else f"{day}.jsonl", *content)
    org.path = "inbox/{date}/*.jsonl" if dated else "inbox/*.jsonl"
    found, days = {}, [FIRST, SECOND, THIRD]
    draw.shuffle(days)
    with landing.scratch(org.home) as scratch:
        windows = [Window.of_days(day, day) for day in days] if draw.random() < 0.5 else [Window.of_days(FIRST, THIRD)]
        for window in windows:
            for file in otel_metrics.fetch(Context(org.settings(), scratch), window):
                assert file.findings == ()
                for row in pq.read_table(file.path).to_pylist():
                    found[row["service_name"], row["hour_utc"]] = row["input_tokens"]
    assert found == {key: amount for key, amount in expected.items() if amount}


SEEDLINGS = [json.loads(line) for line in (
    metrics(histogram(60, 4, 90, **{"gen_ai.operation.name": "chat", "gen_ai.token.type": "input"}),
            histogram(60, 4, 1.5, DURATION, **{"error.type": "x"})),
    counted(number(60, 5, type="input", model="m"), number(90, "7", 60, type="output"), name="claude_code.token.usage",
            cumulative=False),
    counted(number(60, {"asDouble": 0.0412}, model="m"), name="claude_code.cost.usage").replace(
        '"name": "s"', '"name": "s", "version": "1", "attributes": [{"key": "a", "value": {"stringValue": "b"}}]'),
)]
PIECES = (None, True, 0, -1, 7, 1.5, 2**70, "", "7", "-1", "12.0", "chat", "NaN", "invoke_agent", "1780275540000000000",
          "a@b.example", [], {}, [7], {"a": 1}, {"intValue": "9"}, {"stringValue": None}, USAGE, DURATION)


def odd_line(draw: Random) -> bytes:
    """A line of the fixture with a few of its parts replaced, doubled or lost, and now and then cut off."""
    made = deepcopy(draw.choice(SEEDLINGS))
    for _ in range(draw.choice((0, 1, 1, 2, 4))):
        owner, parent = made, None
        while isinstance(owner, (dict, list)) and owner and (parent is None or draw.random() < 0.9):
            parent, key = owner, draw.choice(list(owner) if isinstance(owner, dict) else range(len(owner)))
            owner = parent[key]
        if parent is None:
            break
        if isinstance(parent, list) and draw.random() < 0.2:
            parent.append(deepcopy(owner))
        elif draw.random() < 0.2:
            del parent[key]
        else:
            parent[key] = deepcopy(draw.choice(PIECES))
    text = json.dumps(made).encode()
    broken = (text[:draw.randrange(len(text))], b"{}" + text, text.replace(b":", b"", 1), b"\xff" + text, b"null", b"7")
    return text if draw.random() < 0.9 else draw.choice(broken)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_ten_thousand_odd_payloads_invent_nothing(seed):
    draw = Random(seed)
    for _ in range(500):
        line = odd_line(draw)
        value, wrong = parsed(line)
        if wrong:
            continue
        metered = judge(value, MetricWords(), b"k")
        for point in metered.points:
            assert str(point.time_ns).encode() in line and 0 <= point.start_ns <= point.time_ns
            assert point.count is None or str(point.count).encode() in line or point.count == 0
        again = [point for text in lines(metered.points, 7) for point in judge(json.loads(text), MetricWords()).points]
        # what the receiver writes is read as what it was sent, under other hashes
        assert [(p.metric, p.cumulative, p.start_ns, p.time_ns, p.total, p.count) for p in again] == [
            (p.metric, p.cumulative, p.start_ns, p.time_ns, p.total, p.count) for p in metered.points]
        assert len({p.stream for p in again}) == len({p.stream for p in metered.points})
