"""The source grid_file: hourly intensities of the organisation's own, from the file to the hour of the grid."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_over_home import models_over

from pipelines import landing
from pipelines.declared import Site
from pipelines.errors import JevonsError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources.grid_file import SOURCE
from pipelines.window import Window

HEAD = "zone,hour_utc,gco2e_per_kwh,grid_boundary,publisher,is_estimated\n"
GOOD = HEAD + """FR,2026-06-01T00:00:00Z,50,lifecycle,RTE,false
FR,2026-06-01T00:00:00Z,30.5,direct,RTE,false
FR,2026-06-01T03:00:00+02:00,60,lifecycle,Ember,
FR,2026-06-01T01:00:00Z,20,direct,RTE,no
FR,2026-06-01T02:00:00Z,25,direct,RTE,no
XX,2026-06-01T00:00:00Z,9,lifecycle,RTE,no
"""


def context(home):
    (home / "scratch").mkdir(exist_ok=True)
    site = Site("here", "FR", "FRA")
    return Context(Settings(home, "Test", False, {SOURCE.name: {"path": "grid.*"}}, (site,), (), {}), home / "scratch")


def land(home, text=GOOD):
    (home / "grid.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    staged = landing.stage(SOURCE, SOURCE.tables[0], context(home), Window.of_days("2026-06-01", "2026-06-01"))
    return staged, landing.commit(staged, (), home, datetime(2026, 7, 1, tzinfo=UTC))


def test_a_file_becomes_hours_each_of_one_publisher(tmp_path):
    staged, done = land(tmp_path)
    assert done.findings == [] and done.changed == [None]
    assert staged.warnings == ["no site is in the zone XX, of which the file tells"]
    ask = models_over(tmp_path, "grid_fuel", "stg_electricity_maps__carbon_intensity", "int_grid__hourly")
    rows = ask("select usage_hour_utc, gco2e_per_kwh, grid_rung, grid_factor_id, direct_gco2e_per_kwh, "
               "direct_gap_reason, is_first from int_grid__hourly where zone = 'FR' order by usage_hour_utc")
    # 01:00 has the whole of one publisher and the direct part of another, which is no part of it; 02:00 direct alone
    assert rows == [
        (datetime(2026, 6, 1, 0), Decimal(50), "hourly_measured", "grid_file/RTE/FR/lifecycle", Decimal("30.5"), None,
         True),
        (datetime(2026, 6, 1, 1), Decimal(60), "hourly_estimated", "grid_file/Ember/FR/lifecycle", None,
         "not_delivered", True),
        (datetime(2026, 6, 1, 2), Decimal(25), "hourly_measured", "grid_file/RTE/FR/direct", None, "direct_only",
         False),
    ]
    assert SOURCE.check(context(tmp_path)) == "6 records of grid_file in grid.* can be read."


def test_a_parquet_file_is_read_as_well(tmp_path):
    pq.write_table(pa.table({
        "zone": ["FR"], "hour_utc": pa.array([datetime(2026, 6, 1, tzinfo=UTC)], pa.timestamp("us", "UTC")),
        "gco2e_per_kwh": [Decimal("50.25")], "grid_boundary": ["lifecycle"], "publisher": ["RTE"],
    }), tmp_path / "grid.parquet")
    page, = SOURCE.tables[0].fetch(context(tmp_path), Window.of_days("2026-06-01", "2026-06-01"))
    assert [(row["gco2e_per_kwh"], row["is_estimated"]) for row in page.rows] == [(Decimal("50.25"), None)]


@pytest.mark.parametrize("before, after, rule", [
    ("2026-06-01T00:00:00Z,50", "2026-06-01T00:30:00Z,50", "2026-06-01T00:30:00Z is not the start of an hour"),
    ("2026-06-01T00:00:00Z,50", "2026-06-01T00:00:00,50", "it has no time zone and none is declared"),
    (",50,", ",3001,", "3001 is above 3000, which no grid reaches"),
    (",50,", ",-1,", "-1 is less than 0"),
    (",50,", ",,", "it is empty"),
    (",50,lifecycle", ",50,marginal", "'marginal' is none of lifecycle, direct"),
    ("lifecycle,RTE", "lifecycle,RTE/x", "it holds a slash"),
    ("lifecycle,RTE", "lifecycle,ann@rte.example", "it holds an e-mail address"),
    ("XX,2026-06-01T00:00:00Z,9,lifecycle", "FR,2026-06-01T00:00:00Z,9,lifecycle", "1 id stands for different records"),
    ("is_estimated", "measured_by", "this column is not known"),
])
def test_a_wrong_row_holds_the_table_back_and_is_named(tmp_path, before, after, rule):
    land(tmp_path)
    assert before in GOOD
    _, done = land(tmp_path, GOOD.replace(before, after, 1))
    assert rule in done.findings[0].rule and done.changed == []
    assert pq.read_table(tmp_path / "raw/grid_file/intensity/part.parquet").num_rows == 6, "the one before stays"


@settings(max_examples=60, deadline=None, database=None)
@given(data=st.data())
def test_a_spoiled_file_is_refused_or_tells_no_more_than_it_says(data, tmp_path_factory):
    home = tmp_path_factory.mktemp("grid")
    text = GOOD.encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    spoiled = text[:start] + data.draw(st.binary(max_size=4)) + text[end:]
    (home / "grid.csv").write_bytes(spoiled)
    try:
        page, = SOURCE.tables[0].fetch(context(home), Window.of_days("2026-06-01", "2026-06-01"))
    except JevonsError:
        return
    said = spoiled.decode("utf-8", "replace")
    for row in page.rows:
        assert f"{row['gco2e_per_kwh']}" in said and row["publisher"] in said and not row["hour_utc"].minute
