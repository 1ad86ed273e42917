"""AMD's device-metrics-exporter, its own text on a real Prometheus: microjoules, partitions that repeat, one board."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from prometheus_server import Samples, served

from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import gpu_prometheus
from pipelines.window import Window

TEXT = (Path(__file__).parents[2] / "fixtures" / "amd" / "metrics.txt").read_text("utf-8")
DAY = date(2026, 6, 1)
NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())


@pytest.fixture(scope="module", params=["DPX", "SPX"])
def landed(request, tmp_path_factory):
    """Five minutes of a board at 600 W: 3.6e10 uJ a minute, in the exporter's own way to write them."""
    samples, home = Samples(), tmp_path_factory.mktemp(request.param)
    for minute in range(5):
        text = TEXT.replace("@mode", request.param).replace("@energy", f"{1.7361e13 + 3.6e10 * minute:.4e}")
        if request.param == "SPX":
            text = "".join(line for line in text.splitlines(True) if 'gpu_partition_id="1"' not in line)
        samples.scrape(text.replace("amd_", "") if request.param == "SPX" else text, NOON + 60 * minute)
    (home / "scratch").mkdir()
    with served(samples, home) as url:
        options = {"base_url": url, "site": "here", "gpu_models": {"102-G30211-00": "AMD Instinct MI300X"}}
        context = Context(Settings(home, "Test", False, {"gpu_prometheus": options}, (), ()), home / "scratch")
        (file,) = gpu_prometheus.fetch(context, Window.of_days(DAY, DAY))
        yield request.param, pq.read_table(file.path).to_pylist(), file


def test_a_board_is_one_board_in_joules_however_it_is_cut(landed):
    mode, rows, file = landed
    assert {(row["uuid"], row["hostname"], row["gpu_model"]) for row in rows} == {
        ("AMD-692251001124", "amd-1", "AMD Instinct MI300X")}
    read = {quantity: [row["value"] for row in rows if row["quantity"] == quantity and row["pod"] == "llm-0"]
            for quantity in ("energy_j", "power_w", "util_ratio")}
    assert [value - read["energy_j"][0] for value in read["energy_j"]] == [0, 36_000, 72_000, 108_000, 144_000]
    assert read["energy_j"][0] == 17_361_000
    assert read["power_w"] == [600] * 5 and read["util_ratio"] == [Decimal("0.6")] * 5
    assert {row["gpu_instance_id"] for row in rows} == ({"0", "1"} if mode == "DPX" else {None})
    assert file.warnings == ()


def test_a_partition_has_a_holder_and_activity_but_no_power_of_its_own(landed):
    mode, rows, _ = landed
    other = [row for row in rows if row["pod"] == "llm-1"]
    assert {(row["quantity"], row["value"], row["gpu_instance_id"]) for row in other} == (
        {("util_ratio", Decimal("0.3"), "1")} if mode == "DPX" else set())
    assert "sentinel" not in repr(rows)  # who runs the job is not kept
