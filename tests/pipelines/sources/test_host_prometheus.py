"""Kepler, old and new, and Scaphandre: their own text on a real Prometheus, to joules by hour that are worked out here.

Each node draws 90 W in its package, 60 W of it in its cores, and 18 W in its memory: 108 W, 388 800 J an hour. Each kWh
that is landed has six decimals, and these powers make whole ones each minute.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_over_home import models_over
from prometheus_server import Samples, served

from pipelines import landing
from pipelines.declared import Site
from pipelines.errors import JevonsError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import host_prometheus, settings_rows
from pipelines.sources._prometheus import Answer
from pipelines.sources.host_prometheus import SOURCE
from pipelines.window import Window

FIXTURES = Path(__file__).parents[2] / "fixtures"
DAY = date(2026, 6, 1)
MIDNIGHT = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
WATTS = {"package": 90, "core": 60, "dram": 18, "psys": 150}


def text(name: str, seconds: int, reset: int | None = None) -> str:
    told = (FIXTURES / name).read_text("utf-8")
    for zone, watts in WATTS.items():
        since = seconds - reset if zone == "package" and reset is not None and seconds >= reset else seconds
        told = told.replace(f"@{zone}", f"{watts * since + (36000 if since == seconds else 0):.1f}")
    return told.replace("@microjoules", f"{108e6 * seconds:.6e}")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Read each minute from 09:50 to 12:10, but not between 10:10 and 10:30; from 11:30 on n1's package began anew."""
    samples, home = Samples(), tmp_path_factory.mktemp("home")
    for minute in range(9 * 60 + 50, 12 * 60 + 11):
        if not 610 < minute < 630:
            at = MIDNIGHT + 60 * minute
            samples.scrape(text("kepler/metrics.txt", 60 * minute, 690 * 60), at)
            samples.scrape(text("kepler/metrics-legacy.txt", 60 * minute), at)
            samples.scrape(text("scaphandre/metrics.txt", 60 * minute), at)
    (home / "scratch").mkdir()
    (home / "prometheus").mkdir()
    with served(samples, home / "prometheus") as url:
        here = context(home, base_url=url)
        said = SOURCE.check(here)
        landed = landing.commit(
            landing.stage(SOURCE, SOURCE.tables[0], here, Window.of_days(DAY, DAY)), (), home, datetime.now(UTC))
    assert landed.changed == [DAY] and landed.findings == []
    assert said.endswith("answers and has kepler_node_cpu_joules_total, kepler_node_dram_joules_total, "
                         "kepler_node_package_joules_total, kepler_platform_watts, scaph_host_energy_microjoules.")
    return home


def context(home: Path, **options) -> Context:
    sites = (Site("here", "FR", "FRA"), Site("there", "DE", "DEU"))
    section = {"base_url": "http://127.0.0.1:1", "site": "here", **options}
    return Context(Settings(home, "Test", False, {"host_prometheus": section}, sites, ()), home / "scratch")


def test_energy_by_hour_is_the_counters_own_with_resets_and_gaps_told(home, monkeypatch):
    monkeypatch.setenv("JEVONS_MIN_DATE", str(DAY))
    monkeypatch.setenv("JEVONS_MAX_DATE", "2026-06-02")
    ask = models_over(home, "stg_meters__readings", "int_meter__hourly")
    found = ask("""
        select host, meter_kind, hour(usage_hour_utc) as h, sum(energy_millijoules) / 1000 as joules,
            sum(case when method = 'unmeasured' then metered_seconds end), max(gap_filled)
        from int_meter__hourly where hour(usage_hour_utc) in (10, 11) group by all order by all
    """)
    rest = Decimal(90 * 60)  # the minute in which the counter began anew is not known
    assert [(host, kind, hour, Decimal(joules), lost, gap) for host, kind, hour, joules, lost, gap in found] == [
        ("n1", "cpu", 10, 388_800, None, True), ("n1", "cpu", 11, 388_800 - rest, 60, False),
        # of watts a gap is not bridged: 240 W in 40 minutes, and 20 unknown of each supply
        ("n2", "host", 10, 240 * 2400, 2 * 1200, False), ("n2", "host", 11, 240 * 3600, None, False),
        # 90 W dynamic and 60 W idle are parts of one package here
        ("n3", "cpu", 10, 168 * 3600, None, True), ("n3", "cpu", 11, 168 * 3600, None, False),
        ("n4", "cpu", 10, 388_800, None, True), ("n4", "cpu", 11, 388_800, None, False),
    ]


def test_zones_inside_of_others_and_a_second_tool_on_a_host_are_not_added(home):
    rows = pq.read_table(home / f"raw/host_prometheus/readings/dt={DAY}/part.parquet").to_pylist()
    assert {row["meter_id"].partition("//")[0] for row in rows if row["host"] == "n1"} == {
        "kepler/n1/package", "kepler/n1/dram"}
    assert {row["meter_id"] for row in rows if row["host"] == "n4"} == {"scaphandre/n4"}
    assert {row["meter_id"] for row in rows if row["host"] == "n2"} == {
        "kepler/n2/host/System.Embedded.1/PS1", "kepler/n2/host/System.Embedded.1/PS2"}
    # 122 times read: one in five minutes, both sides of the fall, and the last of each hour
    assert sum(row["meter_id"] == "scaphandre/n4" for row in rows) < 45
    assert b"sentinel" not in b"".join(path.read_bytes() for path in (home / "raw").rglob("*") if path.is_file())


@pytest.mark.parametrize(("options", "why"), [
    ({"zones": ["package", "core"]}, "package and core overlap, so their sum counts energy twice"),
    ({"zones": ["psys", "dram"]}, "overlap"), ({"zones": []}, "it is no list of zones"),
    ({"tools": ["powertop"]}, "it is no list of tools"), ({"site": None}, "it names no site"),
    ({"base_url": "prometheus"}, "it is not an http address"), ({"hosts": {"a": 1}}, "it is no section of names"),
])
def test_settings_that_would_count_twice_or_mean_nothing_are_refused(tmp_path, options, why):
    with pytest.raises(JevonsError) as refused:
        next(host_prometheus.fetch(context(tmp_path, **options), Window.of_days(DAY, DAY)))
    assert why in str(refused.value)


def test_machines_of_one_fleet_stand_at_one_site(tmp_path):
    def sites(**sources):
        settings = Settings(tmp_path, "Test", False, sources, (), ())
        return [tuple(row.values()) for row in next(settings_rows._sources(Context(settings, tmp_path), None)).rows]

    assert sites(host_prometheus={"site": "here"}) == [("host_prometheus", "here"), ("meters", "here")]
    with pytest.raises(JevonsError, match="their machines are one fleet; give both the same `site`"):
        sites(host_prometheus={"site": "here"}, meters={"site": "there"})


raws = st.sampled_from(["NaN", "+Inf", "-1", "0", "1e9", "1e400", "", "0x1f", "18234.5", "9" * 30, "٣"])
names = st.sampled_from([metric.name for metric in host_prometheus.METRICS] + ["kepler_node_cpu_watts", ""])
some = st.sampled_from(["", "n1", "n1:9100", "package", "core", "package-0", "PowerSupply", "kim\x00"])
labels = st.fixed_dictionaries({"__name__": names}, optional=dict.fromkeys(
    ("node_name", "instance", "zone", "source_type", "path"), some))


@settings(max_examples=2500, deadline=None, database=None)
@given(st.lists(st.tuples(labels, st.lists(raws, min_size=1, max_size=4)), max_size=3))
def test_whatever_a_server_says_a_reading_is_one_of_its_samples(series):
    flat = [(number, raw) for number, (_, all_raw) in enumerate(series) for raw in all_raw]
    answer = Answer([told for told, _ in series], np.array([n for n, _ in flat], dtype=np.int32),
                    np.arange(len(flat)) * 30_000, pa.array([raw for _, raw in flat], pa.string()), ())
    said: set[str] = set()
    rows = list(host_prometheus.read(answer, {"site": "here"}, said))
    assert len(rows) <= len(flat)
    for row in rows:
        assert row["host"] and row["meter_kind"] in ("cpu", "host") and "core" not in row["meter_id"].split("/")[2:3]
        assert (row["energy_kwh"] is None) != (row["power_w"] is None)
        assert 0 <= (row["energy_kwh"] if row["power_w"] is None else row["power_w"]) <= 10**9
