"""The WattTime source against answers of the published shape, from the login to the mart of its own."""

import logging
import re
from base64 import b64encode
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import pytest
import responses
from models_over_home import models_over
from support import ROOT

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import watttime
from pipelines.sources.watttime import BASE_URL, SOURCE
from pipelines.window import Window

PASSWORD, TOKEN = "word-SENTINEL-9d", "token-SENTINEL-4e"
BASIC = f"Basic {b64encode(f'us:{PASSWORD}'.encode()).decode()}"
URL, LOGIN = f"{BASE_URL}/v3/historical", f"{BASE_URL}/login"
OPTIONS = {"user": "us", "regions": {"US-CAL-CISO": "CAISO_NORTH"}}


def answer(*values, **meta):
    data = [{"point_time": f"2026-06-01T00:{5 * n:02d}:00+00:00", "value": value} for n, value in enumerate(values)]
    return {"data": data, "meta": {
        "data_point_period_seconds": 300, "region": "CAISO_NORTH", "signal_type": "co2_moer",
        "warnings": [{"type": "EXAMPLE_WARNING", "message": "an example"}], "model": {"date": "2023-03-01"},
        "units": "lbs_co2_per_mwh", **meta}}


def context(home, password=PASSWORD, options=OPTIONS):
    (home / "scratch").mkdir(exist_ok=True)
    environ = {"WATTTIME_PASSWORD": password} if password else {}
    return Context(Settings(home, "Test", False, {SOURCE.name: options}, (), (), environ), home / "scratch")


def land(here, last="2026-06-01"):
    staged = landing.stage(SOURCE, SOURCE.tables[0], here, Window.of_days("2026-06-01", last))
    return staged, landing.commit(staged, (), here.settings.home, datetime(2026, 7, 1, tzinfo=UTC))


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        mocked.add("GET", LOGIN, json={"token": TOKEN})
        yield mocked


def test_pounds_become_grams_in_a_mart_of_their_own(tmp_path, mock):
    mock.add("GET", URL, json=answer(870, 880))
    staged, done = land(context(tmp_path))
    assert [call.request.headers["Authorization"] for call in mock.calls] == [BASIC, f"Bearer {TOKEN}"]
    assert mock.calls[1].request.params == {"region": "CAISO_NORTH", "start": "2026-06-01T00:00Z",
                                            "end": "2026-06-01T23:59Z", "signal_type": "co2_moer"}
    assert done.changed == [date(2026, 6, 1)]
    assert staged.warnings == ["CAISO_NORTH: EXAMPLE_WARNING", "CAISO_NORTH, 2026-06-01 to 2026-06-01: 286 of 288 "
                               "periods of 0:05:00 have no value"]
    # 870 x 0.45359237 = 394.625362, 880 x 0.45359237 = 399.161286; the mean of the two is 396.893324
    assert models_over(tmp_path, "fct_marginal_intensity_daily")("from fct_marginal_intensity_daily") == [(
        date(2026, 6, 1), "US-CAL-CISO", "CAISO_NORTH", "2023-03-01", Decimal("396.893324"), Decimal("394.625362"),
        Decimal("399.161286"), Decimal(600))]


def test_no_other_model_reads_a_marginal_rate():
    sql = (ROOT / "dbt_project").rglob("*.sql")
    readers = {path.stem for path in sql if re.search(r"stg_watttime__|fct_marginal", path.read_text("utf-8"))}
    assert readers == {"fct_marginal_intensity_daily"}


def test_a_token_that_ran_out_is_asked_for_anew_and_once(tmp_path, mock):
    right = answer()
    for status, body in ((200, right), (401, {}), (200, right)):
        mock.add("GET", URL, json=body, status=status)
    land(context(tmp_path), "2026-07-10")  # 40 days: two questions
    assert [call.request.path_url.partition("?")[0] for call in mock.calls] == [
        "/login", "/v3/historical", "/v3/historical", "/login", "/v3/historical"]
    mock.replace("GET", URL, json={"error": f"{TOKEN}, {PASSWORD}"}, status=401)
    with pytest.raises(SourceError, match=r"the key was refused: \*\*\*, \*\*\*; set WATTTIME_PASSWORD"):
        land(context(tmp_path))


def test_nothing_secret_is_written(tmp_path, mock, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(watttime, "Client", partial(watttime.Client, sleep=lambda seconds: None))
    mock.add("GET", URL, json=answer(870))
    land(context(tmp_path))
    told = [repr(context(tmp_path))]
    for status in (401, 500):
        mock.replace("GET", LOGIN, status=status, json={"error": f"{BASIC} {PASSWORD}"})
        with pytest.raises(SourceError) as refused:
            land(context(tmp_path))
        told.append(repr(refused.value))
    for secret in (PASSWORD, TOKEN, BASIC.removeprefix("Basic ")):
        assert secret not in "".join(told) + caplog.text
        assert not [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


@pytest.mark.parametrize("body, said", [
    (answer(870, units="g_co2_per_kwh"), "units lbs_co2_per_mwh was asked for and g_co2_per_kwh came"),
    (answer(870, signal_type="co2_aoer"), "signal_type co2_moer was asked for and co2_aoer came"),
    (answer(870, region="PJM_DC"), "region CAISO_NORTH was asked for and PJM_DC came"),
    (answer(870, data_point_period_seconds=7), "its steps do not divide an hour"),
    (answer("870"), "no record with a number"),
    (answer(None), "no record with a number"),
    ({"data": []}, "no meta"),
])
def test_an_answer_that_cannot_be_trusted_is_refused_whole(tmp_path, mock, body, said):
    mock.add("GET", URL, json=body)
    with pytest.raises(SourceError, match=said):
        land(context(tmp_path))


def test_what_is_not_configured_is_said(tmp_path, mock):
    assert land(context(tmp_path, password=None))[0].warnings == [watttime.NO_PASSWORD]
    for options in ({}, {"user": "us"}, {"user": "us", "regions": {}}, {"regions": {"FR": "FR"}}):
        with pytest.raises(SourceError, match="it needs a `user` and `regions`"):
            SOURCE.check(context(tmp_path, options=options))
    mock.replace("GET", LOGIN, json={"token": None})
    with pytest.raises(SourceError, match="it holds no token"):
        SOURCE.check(context(tmp_path))
