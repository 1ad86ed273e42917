"""Devices from the fleet file to energy in the ledger: hours x watts by hand, ranges, sites, what is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest
from models_over_home import models_over

from pipelines import landing
from pipelines.declared import Site
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources.devices import SOURCE
from pipelines.window import Window

HEADER = ("device_type,site_id,workflow_id,device_count,active_hours,active_w_low,active_w,active_w_high,evidence,"
          "valid_from,valid_to\n")
GOOD = ("laptop,paris,notes,400,1.5,10,20,45,plug meter on 12 laptops,2026-06-01,2026-06-03\n"
        "laptop,paris,,100,0.5,10,20,45,the same,2026-06-02,\n"
        "edge box,lyon,,3,24,30,40,50,data sheet,2026-06-02,\n")
SITES = (Site("paris", "FR", "FRA", control="own"), Site("lyon", "FR", "FRA", control="leased"), Site("x", "FR", "FRA"))


def context(home, text):
    (home / "scratch").mkdir(exist_ok=True)
    (home / "d.csv").write_text(HEADER + text)
    return Context(Settings(home, "Test", False, {"devices": {"path": "d.csv"}}, SITES, (), {}), home / "scratch")


def land(home, text):
    staged = landing.stage(SOURCE, SOURCE.tables[0], context(home, text), Window.of_days("2026-05-31", "2026-06-03"))
    return landing.commit(staged, [], home, datetime(2026, 7, 5, tzinfo=UTC))


def test_a_fleet_becomes_energy_by_type_site_and_workflow(tmp_path):
    assert SOURCE.check(context(tmp_path, GOOD)) == "3 rows of devices in d.csv can be read."
    assert land(tmp_path, GOOD).findings == []
    ask = models_over(tmp_path, "int_devices__activity", "stg_devices__fleet")
    # 400 x 1.5 h x 20 W = 12 kWh on two days; 100 x 0.5 h x 20 W = 1 kWh; 3 x 24 h x 40 W = 2.88 kWh; 3.6e9 mJ a kWh
    assert ask("select usage_date, provider, workflow_tag, count(*), sum(energy_millijoules), max(energy_millijoules) "
               "from int_devices__activity group by 1, 2, 3 order by 1, 2, 3 nulls last") == [
        (date(2026, 6, 1), "devices/paris", "notes", 24, 43_200_000_000, 1_800_000_000),
        (date(2026, 6, 2), "devices/lyon", None, 24, 10_368_000_000, 432_000_000),
        (date(2026, 6, 2), "devices/paris", "notes", 24, 43_200_000_000, 1_800_000_000),
        (date(2026, 6, 2), "devices/paris", None, 24, 3_600_000_000, 150_000_000),
        (date(2026, 6, 3), "devices/lyon", None, 24, 10_368_000_000, 432_000_000),
        (date(2026, 6, 3), "devices/paris", None, 24, 3_600_000_000, 150_000_000)]
    assert ask("select distinct usage_hour_utc from int_devices__activity where usage_date = '2026-06-02' "
               "order by 1")[-1] == (datetime(2026, 6, 2, 23),)
    # 10 / 20 and 45 / 20; 30 / 40 and 50 / 40
    assert ask("select distinct factor_id, low_ratio, high_ratio from stg_devices__fleet order by 1") == [
        ("devices/edge box/30.000-40.000-50.000 W", Decimal("0.75"), Decimal("1.25")),
        ("devices/laptop/10.000-20.000-45.000 W", Decimal("0.5"), Decimal("2.25"))]


def test_a_day_before_the_fleet_is_an_empty_day(tmp_path):
    done = land(tmp_path, GOOD)
    assert done.missing == [] and [receipt.rows for receipt in done.receipts] == [0, 1, 3, 2]
    path = f"{tmp_path}/raw/devices/fleet/*/part.parquet"
    assert duckdb.sql(f"select sum(device_count) from read_parquet('{path}')").fetchall() == [(400 + 503 + 103,)]


@pytest.mark.parametrize(("before", "after", "where", "why"), [
    ("10,20,45,plug", "10,50,45,plug", "line 2, field active_w", "not in order"),
    ("10,20,45,plug", "0,20,45,plug", "line 2, field active_w", "not in order"),
    ("400,1.5", "400,25", "line 2, field active_hours", "a day has 24"),
    ("400,1.5", "0,1.5", "line 2, field device_count", "0 is less than 1"),
    ("2026-06-01,2026-06-03", "2026-06-03,2026-06-03", "line 2, field valid_to", "not after valid_from"),
    ("laptop,paris,notes", "laptop,rome,notes", "line 2, field site_id", "[sites.rome]: it is not declared"),
    ("laptop,paris,notes", "laptop,x,notes", "line 2, field site_id", "[sites.x]: its control is not said"),
    ("10,20,45,the", "10,21,45,the", "line 3, field active_w", "another row of that type"),
    ("laptop,paris,notes", "laptop,paris,", "line 3, field workflow_id", "another row of that type"),
])
def test_a_row_that_does_not_fit_holds_all_days_back(tmp_path, before, after, where, why):
    done = land(tmp_path, GOOD.replace(before, after, 1))
    assert [finding.where for finding in done.findings] == [f"d.csv, {where}"] and why in done.findings[0].rule
    assert done.changed == []
    with pytest.raises(SourceError, match="1 row is refused"):
        SOURCE.check(context(tmp_path, GOOD.replace(before, after, 1)))
