"""Logs of nvidia-smi as files: readings or reasons, local time, gaps, and a board that an exporter tells of as well."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import product
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_over_home import models_over

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import gpu_prometheus
from pipelines.sources._gpu_samples import LARGEST
from pipelines.sources._nvidia_smi import Log
from pipelines.sources.nvidia_smi import SAMPLES, SOURCE
from pipelines.typed import to_arrow
from pipelines.userfiles import Unreadable
from pipelines.window import Window

HEADER = ("timestamp, index, uuid, name, power.draw [W], power.draw.average [W], power.draw.instant [W], "
          "utilization.gpu [%], memory.used [MiB]\n")
MODEL = "NVIDIA H100 80GB HBM3"
OPTIONS = {"path": "inbox/nvidia_smi/*/*.csv", "site": "here", "time_zone": "Europe/Paris", "step_seconds": 60}
DAY = date(2026, 6, 1)


def line(at, watts="300.00 W", uuid="GPU-a", average="[N/A]", instant="[N/A]", busy="87 %"):
    return f"{at}, 0, {uuid}, {MODEL}, {watts}, {average}, {instant}, {busy}, 61234 MiB\n"


def context_of(home, texts, **options):
    for name, text in texts.items():
        path = home / "inbox" / "nvidia_smi" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (home / "scratch").mkdir(exist_ok=True)
    return Context(Settings(home, "Test", False, {"nvidia_smi": {**OPTIONS, **options}}, (), ()), home / "scratch")


def land(home, texts, first=DAY, last=DAY, **options):
    staged = landing.stage(SOURCE, SAMPLES, context_of(home, texts, **options), Window.of_days(first, last))
    return staged, landing.commit(staged, (), home, datetime(2026, 7, 1, tzinfo=UTC))


def rows_of(home, day=DAY):
    path = home / f"raw/nvidia_smi/samples/dt={day}/part.parquet"
    return pq.read_table(path).to_pylist() if path.exists() else []


def test_a_line_is_a_reading_in_utc_by_the_names_of_its_columns(tmp_path):
    log = HEADER + line("2026/06/01 12:55:01.123", "412.30 W") + line("2026/06/01 12:56:01.123", "[N/A]", busy="50 %")
    log += line("2026/06/01 12:57:01.123", "398.11 W", average="401.5 W", instant="[Not Supported]")
    log += HEADER + line("2026/06/01 12:58:01.000", "N/A", instant="377", busy="[N/A]")  # the logger began again
    staged, landed = land(tmp_path, {"node-1/a.csv": log}, holders={"node-1": "search-index"})
    assert landed.findings == [] and landed.changed == [DAY] and staged.warnings == []
    assert [(row["quantity"], f"{row['sampled_at_utc']:%H:%M:%S.%f}", row["value"]) for row in rows_of(tmp_path)] == [
        ("power_w", "10:55:01.123000", Decimal("412.3")), ("util_ratio", "10:56:01.123000", Decimal("0.5")),
        ("power_w", "10:57:01.123000", Decimal("401.5")), ("power_w", "10:58:01.000000", 377)]
    assert {(row["uuid"], row["gpu_model"], row["hostname"], row["pod"], row["step_seconds"], row["bridged_seconds"])
            for row in rows_of(tmp_path)} == {("GPU-a", MODEL, "node-1", "search-index", 60, 600)}
    assert SOURCE.check(context_of(tmp_path, {})) == (
        "1 log of nvidia-smi; inbox/nvidia_smi/node-1/a.csv tells the power of 1 board.")


def test_a_log_without_a_header_says_its_columns_in_the_settings(tmp_path):
    log = "2026-06-01 10:00:00, GPU-a, 300.5\n"  # noheader,nounits
    names = ["timestamp", "uuid", "power.draw"]
    land(tmp_path, {"n/a.csv": log}, columns=names, time_zone="UTC", step_seconds=1, gap_steps=30)
    assert [(row["value"], row["bridged_seconds"]) for row in rows_of(tmp_path)] == [(Decimal("300.5"), 30)]
    _, landed = land(tmp_path, {"n/a.csv": log})
    assert [finding.rule for finding in landed.findings] == ["it has no header"]


@pytest.mark.parametrize(("wrong", "reason"), [
    (line("2026/06/01 12:00:00.000")[:50] + "\n", "had another number of fields than the header"),
    (line("01.06.2026 12:00"), "had no timestamp such as 2026/08/24 12:55:01.123"),
    (line("2026/06/01 12:00:00.000", uuid="[Unknown Error]"), "named no board"),
    (line("2026/06/01 12:00:00.000", "1.5 kW"), "had a power.draw that is no reading"),
    (line("2026/06/01 12:00:00.000", "50 %"), "had a power.draw that is no reading"),
    (line("2026/06/01 12:00:00.000", "NaN W"), "had a power.draw that is no reading"),
    (line("2026/06/01 12:00:00.000", "100000.01 W"), "had a power.draw that is no reading"),
    (line("2026/06/01 12:00:00.000", "-1 W"), "had a power.draw that is no reading"),
    (line("2026/06/01 12:00:00.000", "[N/A]", busy="[N/A]"), "told neither power nor utilisation"),
    (line("2026/10/25 02:30:00.000"), "told a time that happens twice in Europe/Paris"),
    (line("2026/03/29 02:30:00.000"), "told a time that happens never in Europe/Paris"),
])
def test_what_is_no_reading_is_left_out_and_said(wrong, reason):
    log, text = Log(ZoneInfo("Europe/Paris")), HEADER + wrong + line("2026/06/01 12:00:00.000")
    assert [row["value"] for row in log.read(StringIO(text), "n/a.csv")] == [300]
    ((day, told),) = log.left_out
    assert told == reason and log.said(day)[0].endswith(f": 1 line of nvidia-smi left out that {reason}")


def test_what_was_left_out_of_the_days_that_were_asked_for_is_in_their_receipts(tmp_path):
    log = HEADER + line("01.06.2026 12:00") + "".join(
        line(f"2026/06/0{day} 12:00:00.000", "[N/A]", busy="[N/A]") for day in (1, 1, 3))
    staged, landed = land(tmp_path, {"n/a.csv": log + line("2026/06/01 12:01:00.000")})
    assert landed.findings == [] and len(rows_of(tmp_path)) == 1
    assert staged.warnings == [
        "no known day: 1 line of nvidia-smi left out that had no timestamp such as 2026/08/24 12:55:01.123",
        "2026-06-01: 2 lines of nvidia-smi left out that told neither power nor utilisation"]


@pytest.mark.parametrize(("text", "rule"), [
    (HEADER.replace("uuid", "serial"), "the column uuid is not there"),
    (HEADER.replace("draw [W]", "draw [mW]"), "power.draw is told in 'mW', not in W"),
    (HEADER.replace("index", "uuid"), "the column 'uuid' is there twice"),
    ("timestamp, uuid\n", "it has neither power.draw nor utilization.gpu"),
    (HEADER + "timestamp, uuid, power.draw\n", "its columns change here"),
    (HEADER + 'a,"b', "it is no CSV in UTF-8 (Error)"),
])
def test_a_log_of_another_form_holds_its_days_back(tmp_path, text, rule):
    good = HEADER + line("2026/06/01 12:00:00.000")
    _, landed = land(tmp_path, {"n/a.csv": text, "n/b.csv": good})
    assert [finding.rule for finding in landed.findings] == [rule]
    assert rows_of(tmp_path) == []
    with pytest.raises(SourceError, match="cannot be read|no reading"):
        SOURCE.check(context_of(tmp_path, {"z/a.csv": text}, path="inbox/nvidia_smi/z/*.csv"))


@pytest.mark.parametrize(("option", "value"), [
    ("path", 1), ("time_zone", "Paris"), ("time_zone", None), ("step_seconds", 0), ("step_seconds", None),
    ("gap_steps", 1), ("columns", ["uuid", "power.draw"]), ("columns", "uuid"), ("holders", ["a"]),
])
def test_a_setting_that_means_nothing_is_refused(tmp_path, option, value):
    with pytest.raises(SourceError, match=f"sources.nvidia_smi.{option}"):
        list(SAMPLES.fetch(context_of(tmp_path, {}, **{option: value}), Window.of_days(DAY, DAY)))


def test_days_can_be_made_in_any_order_and_hold_their_neighbours_nearest(tmp_path):
    at = ["31 22:30", "31 23:59", "01 00:01", "01 12:00", "01 23:58", "02 00:30", "02 02:00"]
    log = HEADER + "".join(line(f"2026/{'05' if day[:2] == '31' else '06'}/{day}:00.000") for day in at)
    texts = {"n/2026-05-31.csv": log, "n/again.csv": log}  # a copy of the file counts once
    _, landed = land(tmp_path, texts, time_zone="UTC")
    assert [f"{row['sampled_at_utc']:%d %H:%M}" for row in rows_of(tmp_path)] == at[1:6]
    _, landed = land(tmp_path, texts, date(2026, 6, 3), date(2026, 6, 3), time_zone="UTC")
    assert landed.changed == [] and landed.missing == [date(2026, 6, 3)]  # nobody logged: not delivered, not nothing


def test_energy_by_hour_a_gap_is_unknown_and_an_exporter_counts_first(tmp_path, monkeypatch):
    """GPU-a at 300 W: 10:00 to 10:30 is 540 kJ; then a gap of half an hour; 11:00 to 12:00 at 200 W is 720 kJ.

    GPU-b is logged at 100 W from 10:00 to 12:00, and the exporter tells it from 11:00 to 12:00: a counter of 150 W.
    """
    def logged(uuid, first, last, watts):
        start = datetime(2026, 6, 1) + timedelta(minutes=first)
        return [line(f"{start + timedelta(minutes=n):%Y/%m/%d %H:%M}:00.000", f"{watts} W", uuid)
                for n in range(last - first + 1)]

    log = [*logged("GPU-a", 600, 630, 300), *logged("GPU-a", 660, 720, 200), *logged("GPU-b", 600, 720, 100)]
    land(tmp_path, {"node-1/a.csv": HEADER + "".join(log)}, time_zone="UTC", holders={"node-1": "p"})
    exported = [
        {"quantity": "energy_j", "uuid": "GPU-b", "gpu_model": MODEL, "hostname": "node-1", "namespace": "ml",
         "pod": "q", "sampled_at_utc": datetime(2026, 6, 1, 11, minute, tzinfo=UTC),
         "value": 1000 + 150 * 60 * minute, "step_seconds": 60}
        for minute in range(60)]
    folder = tmp_path / f"raw/gpu_prometheus/samples/dt={DAY}"
    folder.mkdir(parents=True)
    pq.write_table(to_arrow(gpu_prometheus.SAMPLES, exported, "test")[0], folder / "part.parquet")
    monkeypatch.setenv("JEVONS_MIN_DATE", "2026-06-01")
    monkeypatch.setenv("JEVONS_MAX_DATE", "2026-06-02")
    ask = models_over(tmp_path, "gpu_factor", "gpu_model", "gpu_slices", "stg_settings__runtime_proxies",
                      "stg_gpu_prometheus__samples", "int_gpu_energy__hourly")
    found = ask("""
        select uuid, hour(usage_hour_utc), pod, method, gpu_seconds::int, (energy_millijoules / 1000)::int
        from int_gpu_energy__hourly where hour(usage_hour_utc) in (10, 11) order by all
    """)
    assert found == [
        ("GPU-a", 10, "p", "power_integral", 1800, 540_000), ("GPU-a", 10, "p", "unmeasured", 1800, None),
        ("GPU-a", 11, "p", "power_integral", 3600, 720_000),
        ("GPU-b", 10, "p", "power_integral", 3540, 354_000),
        # a minute that ends where the exporter begins: 700 W x 0.74, as before any first counter
        ("GPU-b", 10, "q", "runtime_default", 60, 31_080),
        ("GPU-b", 11, "p", "power_integral", 60, 6_000), ("GPU-b", 11, "q", "counter_delta", 3540, 531_000),
    ]


WORDS = st.sampled_from([
    "2026/06/01 12:00:00.000", "2026/13/01 12:00:00.000", "9999/12/31 23:59:59.999", "0001/01/01 00:00:00.0",
    "timestamp", "GPU-a", "[N/A]", "300 W", "1e3 W", "9" * 30, "nan", '"', "\0", "power.draw [W]",
    "utilization.gpu [%]", "uuid", "", "٣٠٠ W", "a\rb", "kim@example.org"]) | st.text(max_size=8)
LINES = st.lists(WORDS, max_size=5) | st.tuples(
    st.just("2026/06/01 12:00:00.000") | WORDS, st.just("GPU-a") | WORDS, st.just("300 W") | WORDS)


@settings(max_examples=20, deadline=None, database=None)
@given(st.lists(LINES, min_size=17, max_size=17))
def test_of_a_malformed_log_no_reading_is_invented(drawn):
    """578 logs an example: each two of 17 lines, in both orders and with themselves, with a header and without."""
    for first, second, header in product(drawn, drawn, ("timestamp, uuid, power.draw [W]\n", "")):
        text = ",".join(first) + "\n" + ",".join(second)
        log = Log(UTC)
        try:
            found = list(log.read(StringIO(header + text, newline=""), "n/a.csv"))
        except Unreadable:
            continue
        assert len(found) + sum(log.left_out.values()) <= 1 + text.count("\n") + text.count("\r")
        for row in found:
            assert row["uuid"] in text and 0 <= row["value"] <= LARGEST[row["quantity"]] and "kim@" not in str(row)
