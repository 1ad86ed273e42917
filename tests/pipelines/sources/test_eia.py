"""The EIA source against an answer of the published shape, from the request to the hour of the grid."""

import csv
import json
import logging
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from models_over_home import models_over
from support import ROOT

from pipelines import landing
from pipelines.declared import Site
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import eia
from pipelines.sources.eia import BASE_URL, PATH, SOURCE
from pipelines.window import Window

KEY = "key-SENTINEL-77aa"
HOURS = json.loads((ROOT / "tests/fixtures/eia/hours.json").read_text("utf-8"))["response"]["data"]
URL = f"{BASE_URL}/{PATH}"


def context(home, key=KEY, zone="US-MIDA-PJM", **options):
    (home / "scratch").mkdir(exist_ok=True)
    environ = {"EIA_API_KEY": key} if key else {}
    site = Site("here", zone, "USA")
    return Context(Settings(home, "Test", False, {SOURCE.name: options}, (site,), (), environ), home / "scratch")


def land(here):
    staged = landing.stage(SOURCE, SOURCE.tables[0], here, Window.of_days("2026-06-01", "2026-06-01"))
    return staged, landing.commit(staged, (), here.settings.home, datetime(2026, 7, 1, tzinfo=UTC))


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield mocked


def serve(mock, rows=HOURS, total=None):
    def reply(request):
        asked = dict(parse_qsl(urlsplit(request.url).query))
        first = int(asked["offset"])
        page = rows[first : first + int(asked["length"])]
        return 200, {}, json.dumps({"response": {"total": str(total or len(rows)), "data": page}})
    mock.add_callback("GET", URL, reply)


def test_an_hours_fuels_become_its_intensity(tmp_path, mock):
    serve(mock)
    staged, done = land(context(tmp_path))
    assert done.changed == [date(2026, 6, 1)] and done.findings == []
    assert staged.warnings == ["US-MIDA-PJM, 2026-06-01 to 2026-06-01: 18 of 24 hours have no value"]
    assert parse_qsl(urlsplit(mock.calls[0].request.url).query)[2:5] == [
        ("facets[respondent][]", "PJM"), ("start", "2026-06-01T01"), ("end", "2026-06-02T00")]
    ask = models_over(tmp_path, "grid_fuel", "stg_electricity_maps__carbon_intensity", "int_grid__hourly")
    rows = ask("select usage_hour_utc, gco2e_per_kwh, direct_gco2e_per_kwh, grid_rung, grid_boundary, grid_factor_id, "
               "is_first from int_grid__hourly order by usage_hour_utc")
    same = ("hourly_estimated", "lifecycle", "eia/US-MIDA-PJM/lifecycle", True)
    # to 01:00: (100 x 820 + 100 x 490 + 200 x 12) / 400 = 333.5, (100 x 760 + 100 x 370) / 400 = 282.5; no battery
    # to 02:00: 40 of 400 MWh are unknown: (82,000 + 49,000 + 160 x 12) / 360 = 369.2222, 113,000 / 360 = 313.8889
    # to 03:00: 41 of 401 MWh are too many. To 04:00 a value is null, to 05:00 a fuel of the day is not there.
    # to 06:00: less than nothing is nothing, (82,000 + 49,000) / 200 = 655 and 113,000 / 200 = 565
    assert rows == [
        (datetime(2026, 6, 1, 0), Decimal("333.5"), Decimal("282.5"), *same),
        (datetime(2026, 6, 1, 1), Decimal("369.222222"), Decimal("313.888889"), *same),
        (datetime(2026, 6, 1, 5), Decimal(655), Decimal(565), *same),
    ]


def test_a_hidden_key_is_written_nowhere(tmp_path, mock, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(eia, "Client", partial(eia.Client, sleep=lambda seconds: None))
    serve(mock)
    land(context(tmp_path))
    mock.replace("GET", URL, status=403, json={"error": {"code": "API_KEY_INVALID", "message": f"{KEY} is no key"}})
    with pytest.raises(SourceError, match=r"lacks the permission: \*\*\* is no key; set EIA_API_KEY") as refused:
        land(context(tmp_path))
    mock.replace("GET", URL, status=500, body=f"<html>{KEY}</html>")
    with pytest.raises(SourceError, match="it answered 500, 5 times") as failed:
        land(context(tmp_path))
    told = f"{refused.value!r}{failed.value!r}{context(tmp_path)!r}{eia._client(context(tmp_path))!r}{caplog.text}"
    assert KEY not in told
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_the_largest_grids_fit(tmp_path, mock):
    serve(mock, [{**HOURS[0], "fueltype": fuel, "value": "999999"} for fuel in ("COL", "NG")])
    land(context(tmp_path))
    ask = models_over(tmp_path, "grid_fuel", "stg_electricity_maps__carbon_intensity", "int_grid__hourly")
    assert ask("select gco2e_per_kwh from int_grid__hourly") == [(Decimal(655),)]  # (820 + 490) / 2


def test_pages_are_read_to_their_end(tmp_path, mock, monkeypatch):
    monkeypatch.setattr(eia, "ROWS_PER_REQUEST", 7)
    serve(mock)
    staged, done = land(context(tmp_path))
    assert len(mock.calls) == 5 and [receipt.rows for receipt in done.receipts] == [29]  # 7 + 7 + 7 + 7 + 1


@pytest.mark.parametrize("rows, total", [(HOURS, 30), (HOURS[:7] * 5, 29), (HOURS, 25), ([], 29)])
def test_pages_that_do_not_add_up_are_refused(tmp_path, mock, monkeypatch, rows, total):
    monkeypatch.setattr(eia, "ROWS_PER_REQUEST", 7)
    serve(mock, rows, total)
    with pytest.raises(SourceError, match="EIA's pages do not add up"):
        land(context(tmp_path))


@pytest.mark.parametrize("change, said", [
    ({"value-units": "kilowatthours"}, "its unit is kilowatthours"),
    ({"respondent": "CISO"}, "PJM was asked for and CISO came"),
    ({"period": "2026-06-01"}, "is no hour such as"),
    ({"period": "2026-06-03T01"}, "was not asked for"),
    ({"value": "1e9"}, "is no number"),
    ({"value": True}, "is no number"),
    ({"fueltype": None}, "no record with a fueltype"),
])
def test_an_answer_that_cannot_be_trusted_is_refused_whole(tmp_path, mock, change, said):
    serve(mock, [*HOURS[:3], {**HOURS[3], **change}, *HOURS[4:]])
    with pytest.raises(SourceError, match=said):
        land(context(tmp_path))


def test_what_is_not_asked_is_said(tmp_path, mock):
    assert land(context(tmp_path, key=None))[0].warnings == ["no EIA_API_KEY is set, so nothing was asked for"]
    assert "no site is in a zone of EIA's" in land(context(tmp_path, zone="FR"))[0].warnings[0]
    assert SOURCE.check(context(tmp_path, key=None)) == "No EIA_API_KEY is set, so nothing was asked for."
    with pytest.raises(SourceError, match=r'it is .middle.; write "end", or "start"'):
        land(context(tmp_path, period_is="middle"))


def test_a_period_can_be_the_start_of_its_hour(tmp_path, mock):
    serve(mock)
    land(context(tmp_path, period_is="start"))
    asked = dict(parse_qsl(urlsplit(mock.calls[0].request.url).query))
    assert (asked["start"], asked["end"]) == ("2026-06-01T00", "2026-06-01T23")


def test_the_error_of_the_rung_holds_what_studies_say_of_coal_and_gas():
    """The range of a total goes by the rung alone: it must not be narrower than that of the fuels that matter."""
    def seed(name):
        return list(csv.DictReader((ROOT / "dbt_project" / "seeds" / name).read_text("utf-8").splitlines()))

    rung, = (row for row in seed("grid_rung.csv") if row["grid_rung"] == "hourly_estimated")
    fuels = {row["fuel"]: row for row in seed("grid_fuel.csv")}
    for fuel in ("coal", "gas"):
        for boundary in ("lifecycle", "direct"):
            low, value, high = (Decimal(fuels[fuel][f"{boundary}_gco2e_per_kwh{end}"]) for end in ("_low", "", "_high"))
            assert value * Decimal(rung["low_ratio"]) <= low < high <= value * Decimal(rung["high_ratio"])
    assert all(row["lifecycle_gco2e_per_kwh"] == "" for name, row in fuels.items() if name in ("storage", "unknown"))
