"""The receiver of traces and metrics: the real exporters, kill -9, refusals, what is never written."""

import gzip
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import requests
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode

from pipelines import landing
from pipelines.errors import JevonsError
from pipelines.otlp import journal, receiver
from pipelines.otlp.journal import Journal
from pipelines.otlp.messages import TooLarge, unpacked
from pipelines.settings import Settings, load
from pipelines.source import Context
from pipelines.sources import otel, otel_metrics
from pipelines.window import DAY, Window

ROOT = Path(__file__).parents[2]
TRACES = (ROOT / "tests/fixtures/otel/traces.jsonl").read_text().splitlines()
PATTERN = "inbox/otlp/{date}/*.jsonl*"
TOML = f'[organisation]\nname = "x"\n[sources.otel]\npath = "{PATTERN}"\nworkflow_attribute = "app.job"\n'
START = "import sys; from pathlib import Path; from pipelines.otlp.receiver import serve; " \
        "from pipelines.settings import load; " \
        "serve(load(Path(sys.argv[1])), '127.0.0.1', 0, lambda url: print(url, flush=True))"


class Running:
    """The receiver in a process of its own."""

    def __init__(self, home: Path, toml: str = TOML):
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        (home / "jevons.toml").write_text(toml)
        self.process = subprocess.Popen([sys.executable, "-c", START, str(home)], stdout=subprocess.PIPE, text=True,
                                        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        self.url = self.process.stdout.readline().strip() + "/v1/traces"
        self.metrics = self.url.replace("traces", "metrics")

    def end(self, how: int) -> None:
        self.process.send_signal(how)
        self.process.wait(10)
        self.process.stdout.close()

    def post(self, body: bytes | str, kind="application/json", to="", **headers) -> requests.Response:
        return requests.post(to or self.url, data=body, timeout=10, headers={"Content-Type": kind, **headers})


@pytest.fixture
def running(tmp_path):
    made = Running(tmp_path / "home")
    yield made
    if made.process.poll() is None:
        made.end(signal.SIGKILL)


def landed(home: Path, around: datetime, source=otel) -> list[dict]:
    """The calls under raw/ of the days around an instant."""
    with landing.scratch(home) as scratch:
        window = Window(around.date() - DAY, around.date() + 2 * DAY)
        staged = landing.stage(source.SOURCE, source.TABLE, Context(load(home), scratch), window)
        assert landing.commit(staged, [], home, around).findings == []
    parts = sorted((home / "raw" / source.NAME).rglob("part.parquet"))
    return [row for part in parts for row in pq.read_table(part).to_pylist()]


def written(home: Path) -> str:
    return "".join(path.read_text() for path in sorted((home / "inbox").rglob("*.jsonl")))


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_real_exporter_is_heard_and_its_prompts_are_not_kept(running, compression):
    exporter = OTLPSpanExporter(endpoint=running.url, compression=compression)
    provider = TracerProvider(resource=Resource.create({"service.name": "search", "k8s.pod.name": "search-1"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("opentelemetry.instrumentation.openai_v2")
    with tracer.start_as_current_span("invoke_agent", attributes={"gen_ai.operation.name": "invoke_agent",
                                                                 "gen_ai.usage.input_tokens": 1200}):
        with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT, attributes={
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 1200, "gen_ai.usage.cache_read.input_tokens": 300,
            "gen_ai.usage.output_tokens": 80, "app.job": "answers", "user.id": "SENTINEL",
            "gen_ai.input.messages": "SENTINEL", "gen_ai.response.finish_reasons": ["stop"],
        }):
            pass
        with tracer.start_as_current_span("chat gpt-4o", attributes={
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        }) as failing:
            failing.set_status(StatusCode.ERROR, "SENTINEL")
    provider.shutdown()
    running.end(signal.SIGTERM)  # closes the file
    assert "SENTINEL" not in written(running.home)
    rows = landed(running.home, datetime.now(UTC))
    assert [(row["model"], row["status"], row["input_tokens"], row["cached_input_tokens"], row["output_tokens"],
             row["workflow_tag"], row["service_name"], row["pod"]) for row in rows] == [
        ("gpt-4o", "ok", 1200, 300, 80, "answers", "search", "search-1"),
        ("gpt-4o", "error", None, None, None, None, "search", "search-1")]


def test_what_was_acknowledged_survives_kill_nine_and_what_was_torn_is_not_made_up(running):
    def body(number: int) -> str:
        return TRACES[5].replace(f"{14:032x}", f"{number:032x}")

    taken = [number for number in range(1, 40) if running.post(body(number)).status_code == 200]
    running.end(signal.SIGKILL)
    assert taken == list(range(1, 40)) and written(running.home) == ""  # nothing half written is seen
    left, = (running.home / "inbox").rglob(".*.part")
    with left.open("ab") as torn:
        torn.write(body(99).encode()[:-20])
    again = Running(running.home)
    assert again.post(body(40)).status_code == 200
    again.end(signal.SIGTERM)
    files = sorted((running.home / "inbox").rglob("*.jsonl"))
    received = [json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"]
                for file in files for line in file.read_text().splitlines()]
    assert sorted(received) == [f"{number:032x}" for number in range(1, 41)] and len(files) == 2
    assert list((running.home / "inbox").rglob(".*.part")) == []


def test_answers_of_the_protocol(running):
    good = running.post(TRACES[0])
    assert (good.status_code, good.headers["content-type"], good.json()) == (200, "application/json", {})
    part = running.post(TRACES[5].replace('"9"', '"SENTINEL"'))
    assert part.status_code == 200 and part.json() == {"partialSuccess": {
        "rejectedSpans": "1", "errorMessage": "resourceSpans 1, scopeSpans 1, span 1, input_tokens: it is not a whole "
                                              "number of tokens"}}
    assert {running.post(body).status_code for body in ("{", "[]", '{"a": 1}')} == {400}
    refused = running.post(b"\xff\xff", "application/x-protobuf")
    assert Status.FromString(refused.content).message == "the body was not read: it is no ExportTraceServiceRequest"
    assert running.post(TRACES[0], "text/plain").status_code == 415
    assert running.post(TRACES[0], **{"Content-Encoding": "br"}).status_code == 415
    assert running.post(gzip.compress(TRACES[0].encode()), **{"Content-Encoding": "gzip"}).status_code == 200
    assert running.post(TRACES[0], **{"Content-Encoding": "gzip"}).status_code == 400
    assert running.post(b" " * (receiver.LONGEST_BODY_BYTES + 1)).status_code == 413
    bomb = gzip.compress(b" " * (receiver.LONGEST_UNPACKED_BYTES + 1))
    assert running.post(bomb, **{"Content-Encoding": "gzip"}).status_code == 413
    assert requests.get(running.url, timeout=5).status_code == 405
    for other, why in (("metrics", "write [sources.otel_metrics] into jevons.toml, or export none "
                                   "(OTEL_METRICS_EXPORTER=none)"), ("logs", "(OTEL_LOGS_EXPORTER=none)")):
        refused = running.post(b"", "application/x-protobuf", running.url.replace("traces", other))
        assert refused.status_code == 404 and Status.FromString(refused.content).message.endswith(why)
    exporter = OTLPSpanExporter(endpoint=running.url)
    assert exporter.export([]) == SpanExportResult.SUCCESS
    assert running.post(TRACES[0].replace("gpt-4o-2024-08-06", "SENTINEL@example.org")).json() == {}
    running.end(signal.SIGTERM)
    assert "SENTINEL" not in written(running.home) and '"?"' in written(running.home)


# Metrics


@pytest.fixture
def measuring(tmp_path):
    made = Running(tmp_path / "home", TOML + "[sources.otel_metrics]\n")
    yield made
    if made.process.poll() is None:
        made.end(signal.SIGKILL)


def work(url: str, service: str, temporality: AggregationTemporality, compression: Compression) -> None:
    """Two sessions, one after the other, that each export twice."""
    exporter = OTLPMetricExporter(
        endpoint=url, compression=compression, preferred_temporality=dict.fromkeys((Counter, Histogram), temporality))
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=math.inf)
    provider = MeterProvider([reader], Resource.create({"service.name": service, "host.id": "SENTINEL"}))
    tokens = provider.get_meter("com.anthropic.claude_code").create_counter("claude_code.token.usage", "tokens")
    usage = provider.get_meter("openai_v2").create_histogram("gen_ai.client.token.usage", "{token}")
    for session in ("SENTINEL-1", "SENTINEL-2"):
        who = {"session.id": session, "user.email": "SENTINEL@example.org", "model": "claude-opus-5"}
        tokens.add(100, {**who, "type": "input"})
        reader.collect()
        tokens.add(20, {**who, "type": "input"})
        tokens.add(7000, {**who, "type": "cacheRead"})
        usage.record(50, {"gen_ai.operation.name": "chat", "gen_ai.token.type": "input", "gen_ai.response.model": "m",
                          "gen_ai.system": "openai", "user.id": session})
        reader.collect()
    provider.shutdown()


def test_the_real_exporter_of_metrics_is_heard_and_people_only_tell_series_apart(measuring):
    work(measuring.metrics, "counting on", AggregationTemporality.CUMULATIVE, Compression.Gzip)
    work(measuring.metrics, "by parts", AggregationTemporality.DELTA, Compression.NoCompression)
    measuring.end(signal.SIGTERM)
    assert "SENTINEL" not in written(measuring.home) and "jevons.stream" in written(measuring.home)
    rows = landed(measuring.home, datetime.now(UTC), otel_metrics)
    for service in ("counting on", "by parts"):
        total = {model: [sum(row[name] or 0 for row in rows if (row["model"], row["service_name"]) == (model, service))
                         for name in ("input_tokens", "cached_input_tokens", "call_count")]
                 for model in ("claude-opus-5", "m")}
        # two sessions x (100 + 20), and each series once however often it was told
        assert total == {"claude-opus-5": [240, 14000, 0], "m": [100, 0, 2]}


def test_metrics_that_were_acknowledged_survive_kill_nine_and_series_keep_their_names(measuring):
    def body(second: int, value: object) -> str:
        at = (int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()) + second) * 10**9
        return json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{
            "name": "claude_code.token.usage", "sum": {
                "aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [{
                    "startTimeUnixNano": 10**18, "timeUnixNano": str(at), "asInt": value,
                    "attributes": [{"key": "session.id", "value": {"stringValue": "SENTINEL"}}]}]}}]}]}]})

    part = measuring.post(body(1, "SENTINEL"), to=measuring.metrics)
    assert part.status_code == 200 and part.json() == {"partialSuccess": {
        "rejectedDataPoints": "1", "errorMessage": "resourceMetrics 1, scopeMetrics 1, metric 1, point 1, asInt: it is "
                                                   "no number that a counter can have"}}
    assert [measuring.post(body(n, n), to=measuring.metrics).status_code for n in (1, 2)] == [200, 200]
    measuring.end(signal.SIGKILL)
    again = Running(measuring.home, TOML + "[sources.otel_metrics]\n")
    assert again.post(body(3, 3), to=again.metrics).json() == {}
    assert again.post(b"\xff\xff", "application/x-protobuf", again.metrics).status_code == 400
    again.end(signal.SIGTERM)
    points = [point for line in written(measuring.home).splitlines() for point in
              json.loads(line)["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"]]
    assert [point["asInt"] for point in points] == ["1", "2", "3"]
    names, = {point["attributes"][0]["value"]["stringValue"] for point in points}
    assert len(names) == 32 and "SENTINEL" not in written(measuring.home)
    key = measuring.home / "inbox/otlp/.series-key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.write_bytes(b"another")
    with pytest.raises(JevonsError, match="it is not the key that was written there; bring it back from a copy"):
        receiver.serve(load(measuring.home), "127.0.0.1", 0, print)


def test_a_port_in_use_and_a_home_without_the_source_are_one_sentence(tmp_path):
    (tmp_path / "jevons.toml").write_text(TOML)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(JevonsError) as told:
        receiver.serve(load(tmp_path), "127.0.0.1", taken.getsockname()[1], print)
    assert str(told.value).startswith("Nothing can be received (127.0.0.1, port ")
    assert "address already in use; stop what uses it, or choose another with --port." in str(told.value)
    with pytest.raises(JevonsError, match="the source that reads it is not switched on"):
        receiver.serve(Settings(tmp_path, "x", False, {}, (), ()), "127.0.0.1", 0, print)


# The journal


@pytest.mark.parametrize("pattern", ["inbox/*/a.jsonl", "inbox/otlp/*.parquet", "inbox/**/*.jsonl"])
def test_a_pattern_that_would_not_find_its_files_is_refused(tmp_path, pattern):
    with pytest.raises(JevonsError, match="a file of this receiver would not match it"):
        Journal(tmp_path, pattern)


def test_there_is_one_writer_of_a_folder(tmp_path):
    first = Journal(tmp_path, PATTERN)
    with pytest.raises(JevonsError, match="another receiver writes into this folder"):
        Journal(tmp_path, PATTERN)
    first.close()
    Journal(tmp_path, "inbox/otlp/{date}-*.jsonl").close()


def test_a_file_is_closed_when_it_is_large_or_old_or_of_yesterday(tmp_path, monkeypatch):
    at = datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC)
    monkeypatch.setattr(journal, "CLOSE_AFTER_BYTES", 10)
    made = Journal(tmp_path, PATTERN, lambda: at)
    made.append(b"123456789")
    made.close_if_due()
    made.append(b"a")
    at += timedelta(seconds=1)
    made.append(b"b")
    monkeypatch.setattr(journal, "CLOSE_AFTER_SECONDS", 0.01)
    time.sleep(0.02)
    made.close_if_due()
    folders = {path.read_bytes(): path.parent.name for path in tmp_path.rglob("*.jsonl")}
    assert folders == {b"123456789\n": "2026-06-01", b"a\n": "2026-06-01", b"b\n": "2026-06-02"}
    made.close()


def test_a_line_that_could_not_be_written_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    made = Journal(tmp_path, PATTERN)
    made.append(b"one")
    real = os.write

    def full(file: int, content: memoryview) -> int:
        real(file, bytes(content)[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal.os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        made.append(b"two\ntwo")
    monkeypatch.setattr(journal.os, "write", real)
    made.append(b"three")
    made.close()
    assert sorted(path.read_bytes() for path in tmp_path.rglob("*.jsonl")) == [b"one\n", b"three\n"]


def test_no_more_is_unpacked_than_asked_for():
    with pytest.raises(TooLarge):
        unpacked(gzip.compress(b" " * 1001), 1000)
    assert unpacked(gzip.compress(b" " * 1000), 1000) == b" " * 1000
