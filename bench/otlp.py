"""N spans of OTLP/JSON lines, packed with zstd, are landed; beside it DuckDB alone reads the same file.

Landing is all that is done until the day lies under raw/: read, typed, repeats left out, gate 1, written, receipt. The
ledger that is made of it is timed by `run.py`.
"""

import argparse
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines import engine, landing
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import _files, otel
from pipelines.sources._otlp_spans import reader
from pipelines.window import Window
from quality.landing import inspect

DAY = date(2026, 6, 1)
MIDNIGHT_NS = 1780272000 * 10**9
SPANS_PER_LINE = 100  # what an exporter sends at once, or less
SPANS_AT_ONCE = 100_000
REPEATED_EVERY = 200


def text(key: str, value: str) -> str:
    """An attribute as JSON; `value` is SQL."""
    return f"""'{{"key":"{key}","value":{{"stringValue":"' || {value} || '"}}}}'"""


def number(key: str, value: str) -> str:
    """An attribute that is a count, as text, which is how protobuf writes 64 bits."""
    return f"""'{{"key":"{key}","value":{{"intValue":"' || ({value}) || '"}}}}'"""


def write(path: Path, spans: int) -> Path:
    """Writes the file; every value follows from the span's number. One span in 200 is sent twice."""
    attributes = " || ',' || ".join((
        text("gen_ai.operation.name", "'chat'"), text("gen_ai.provider.name", "'openai'"),
        text("gen_ai.request.model", "'gpt-4o'"), text("server.address", "'api.openai.com'"),
        number("gen_ai.request.max_tokens", "2000"), text("gen_ai.response.model", "'gpt-4o-2024-08-06'"),
        text("gen_ai.response.id", "'chatcmpl-' || left(md5('r' || n), 20)"),
        """'{"key":"gen_ai.response.finish_reasons","value":{"arrayValue":{"values":[{"stringValue":"stop"}]}}}'""",
        number("gen_ai.usage.input_tokens", "n * 7919 % 4000 + 1"),
        number("gen_ai.usage.cache_read.input_tokens", "n * 7919 % 4000 // 4"),
        number("gen_ai.usage.output_tokens", "n * 104729 % 900"),
    ))
    ended = f"({MIDNIGHT_NS} + n * ({86_000 * 10**9} // {spans}) + 2000000000)"
    span = f"""'{{"traceId":"' || md5(n::varchar) || '","spanId":"' || left(md5('s' || n), 16)
        || '","parentSpanId":"","flags":256,"name":"chat gpt-4o","kind":3,"startTimeUnixNano":"'
        || ({ended} - 1234567890) || '","endTimeUnixNano":"' || {ended} || '","attributes":['
        || {attributes} || '],"status":{{}}}}'"""
    resource = " || ',' || ".join((
        text("service.name", "'service-' || line % 40"), text("telemetry.sdk.name", "'opentelemetry'"),
        text("k8s.pod.name", "'pod-' || line % 400"),
    ))
    with duckdb.connect() as duck, pa.output_stream(str(path), compression="zstd") as out:
        for first in range(0, spans, SPANS_AT_ONCE):
            lines = duck.execute(f"""
                select '{{"resourceSpans":[{{"resource":{{"attributes":[' || {resource}
                    || ']}},"scopeSpans":[{{"scope":{{"name":"openai_v2"}},"spans":['
                    || string_agg({span}, ',' order by place) || ']}}]}}]}}'
                from (select range as place, range // {SPANS_PER_LINE} as line,
                    range - (range % {REPEATED_EVERY} = {REPEATED_EVERY - 1})::bigint as n
                    from range({first}, {min(first + SPANS_AT_ONCE, spans)}))
                group by line order by line
            """).fetchall()
            out.write("".join(line + "\n" for line, in lines).encode())
    return path


class Taken:
    """Seconds by the clock and of processors, which say more where others use the machine too."""

    def __init__(self) -> None:
        self._started = time.perf_counter(), time.process_time()

    def __call__(self) -> tuple[float, float]:
        """Seconds since it was made."""
        return time.perf_counter() - self._started[0], time.process_time() - self._started[1]


def alone(home: Path, file: Path) -> tuple[float, float]:
    """Seconds that DuckDB takes to read the same columns and to sum something of each payload."""
    given = _files.matching(home, str(file.relative_to(home)), DAY, "jsonl")
    with landing.scratch(home) as scratch, engine.connect(scratch) as duck:
        taken = Taken()
        duck.execute(f"select count(*), sum(len(resourceSpans)) from {reader(given, True)}").fetchall()
        return taken()


def landed(home: Path) -> tuple[tuple[float, float], int]:
    """Seconds that landing takes, and the rows that it landed."""
    taken = Taken()
    settings = Settings(home, "Bench", True, {"otel": {"path": "inbox/{date}.jsonl.zst"}}, (), ())
    with landing.scratch(home) as scratch:
        staged = landing.stage(otel.SOURCE, otel.TABLE, Context(settings, scratch), Window.of_days(DAY, DAY))
        findings = inspect(otel.TABLE, landing.unseen(staged, home), scratch)
        done = landing.commit(staged, findings, home, datetime.now(UTC))
    return taken(), sum(receipt.rows for receipt in done.receipts)


def main() -> None:
    """Command line: how many spans."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spans", type=int, default=20_000_000)
    spans = parser.parse_args().spans
    with tempfile.TemporaryDirectory(prefix="jevons-otlp-") as folder:
        home = Path(folder)
        (home / "inbox").mkdir()
        file = write(home / "inbox" / f"{DAY}.jsonl.zst", spans)
        print(f"{spans:,} spans, {file.stat().st_size / 1e9:.2f} GB packed")
        before = alone(home, file)
        took, rows = landed(home)
        after = alone(home, file)
        told = {"DuckDB alone, before": before, "Jevons": took, "DuckDB alone, after": after}
        for name, (clock, processors) in told.items():
            print(f"{name}: {clock:.1f} s, of processors {processors:.1f} s")
        by_clock, by_processors = ((b + a) / 2 / t for b, a, t in zip(before, after, took, strict=True))
        rate = f"{by_clock:.2f} of DuckDB's rate by the clock, {by_processors:.2f} by processors"
        print(f"{rows:,} rows landed, at {rate}")


if __name__ == "__main__":
    main()
