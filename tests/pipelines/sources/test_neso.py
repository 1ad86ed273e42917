"""The NESO source against an answer of the published shape, from the request to the hour of the grid."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import responses
from models_over_home import models_over
from support import ROOT

from pipelines import landing
from pipelines.declared import Site
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources.neso import BASE_URL, SOURCE
from pipelines.window import Window

TABLE = SOURCE.table("intensity")
DAY = json.loads((ROOT / "tests/fixtures/neso/day.json").read_text("utf-8"))
URL = f"{BASE_URL}/intensity/2026-06-01T00:00Z/2026-06-02T00:00Z"


def context(home, zone="GB", pin="neso"):
    (home / "scratch").mkdir(exist_ok=True)
    site = Site("here", zone, "GBR", grid_pin=pin)
    return Context(Settings(home, "Test", False, {SOURCE.name: {}}, (site,), (), {}), home / "scratch")


def land(here, first="2026-06-01", last="2026-06-01"):
    staged = landing.stage(SOURCE, TABLE, here, Window.of_days(first, last))
    return staged, landing.commit(staged, (), here.settings.home, datetime(2026, 7, 1, tzinfo=UTC))


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield mocked


def test_a_day_becomes_hours_of_which_both_halves_are_known(tmp_path, mock):
    mock.add("GET", URL, json=DAY)
    staged, done = land(context(tmp_path))
    assert done.changed == [date(2026, 6, 1)] and done.findings == []
    assert staged.warnings == ["GB, 2026-06-01 to 2026-06-01: 1 of 48 periods of 0:30:00 has no value"]
    ask = models_over(tmp_path, "grid_fuel", "stg_electricity_maps__carbon_intensity", "int_grid__hourly")
    rows = ask("select * from int_grid__hourly order by usage_hour_utc")
    # the half-hour from n x 30 minutes on has 100 + n g, that from 01:30 none: of 24 hours 01:00 is missing
    assert [row[2].hour for row in rows] == [0, *range(2, 24)]
    # 00:00: (100 + 101) / 2 = 100.5; 23:00: (146 + 147) / 2 = 146.5
    assert (rows[0][3], rows[-1][3]) == (Decimal("100.5"), Decimal("146.5"))
    assert {row[1] for row in rows} == {"GB"}
    # generation alone: only a site that is pinned to it takes it, and what lies upstream is unknown
    assert {row[4:] for row in rows} == {
        ("hourly_estimated", "neso", "direct", "neso/GB/direct", None, "direct_only", False)}


def test_fourteen_days_are_one_request(tmp_path, mock):
    for first, last in (("2026-06-01", "2026-06-15"), ("2026-06-15", "2026-06-16")):
        mock.add("GET", f"{BASE_URL}/intensity/{first}T00:00Z/{last}T00:00Z", json={"data": []})
    _, done = land(context(tmp_path), "2026-06-01", "2026-06-15")
    assert len(mock.calls) == 2 and len(done.missing) == 15


def test_what_nobody_uses_is_said(tmp_path, mock):
    mock.add("GET", URL, json=DAY)
    assert land(context(tmp_path, zone="FR"))[0].warnings == ["no site is in the zone GB, so nothing was asked for"]
    assert len(mock.calls) == 0
    staged, _ = land(context(tmp_path, pin=None))
    said = 'no site in GB has grid_pin = "neso", so these values are kept and no figure rests on them'
    assert said in staged.warnings


@pytest.mark.parametrize("change, said", [
    (lambda data: data[5].update({"from": "2026-06-03T00:00Z", "to": "2026-06-03T00:30Z"}), "was not asked for"),
    (lambda data: data[5].update({"from": "2026-06-01T02:10Z", "to": "2026-06-01T02:40Z"}), "not a multiple of 0:30"),
    (lambda data: data[5].update({"to": "2026-06-01T03:00Z"}), "it is not half an hour long"),
    (lambda data: data[5].update({"from": "2026-06-01T02:00"}), "is not an instant with a time zone"),
    (lambda data: data[5].update({"intensity": 100}), "no list `data` of half-hours"),
    (lambda data: data[5]["intensity"].update({"actual": [100]}), "an intensity is not a number"),
])
def test_an_answer_that_cannot_be_trusted_is_refused_whole(tmp_path, mock, change, said):
    body = json.loads(json.dumps(DAY))
    change(body["data"])
    mock.add("GET", URL, json=body)
    with pytest.raises(SourceError, match=said):
        land(context(tmp_path))
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize("value, rule", [(3001, "is above 3000"), ("low", "is not a decimal")])
def test_a_value_that_cannot_be_holds_its_day_back(tmp_path, mock, value, rule):
    body = json.loads(json.dumps(DAY))
    body["data"][5]["intensity"]["actual"] = value
    mock.add("GET", URL, json=body)
    _, done = land(context(tmp_path))
    assert done.quarantined == [date(2026, 6, 1)] and rule in done.findings[0].rule


def test_its_check_says_what_was_found(tmp_path, mock):
    mock.add("GET", f"{BASE_URL}/intensity/2026-01-01T00:00Z/2026-01-01T00:30Z", json={"data": [
        {"from": "2025-12-31T23:30Z", "to": "2026-01-01T00:00Z", "intensity": {"actual": 90}},
        {"from": "2026-01-01T00:00Z", "to": "2026-01-01T00:30Z", "intensity": {"actual": 90}}]})
    assert SOURCE.check(context(tmp_path)) == (
        "NESO answers with 1 half-hour of 2026-01-01 00:00 UTC; it needs no key.")
