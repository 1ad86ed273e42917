"""The sandbox's Electricity Maps: contract, traps, and the hours that are not there."""

from datetime import date

import pytest
import requests

from pipelines.sandbox import server

GOOD = {"auth-token": "em-demo-token"}


@pytest.fixture(scope="module")
def grid(sandbox):
    def ask(
        zone="FR", start="2026-06-08T00:00:00Z", end="2026-06-09T00:00:00Z", token="em-demo-token", url=None, **more
    ):
        params = {"zone": zone, "start": start, "end": end, "disableCallerLookup": "true"} | more
        params = {name: value for name, value in params.items() if value is not None}
        address = f"{url or sandbox.electricity_maps_url}/carbon-intensity/past-range"
        answer = requests.get(address, params=params, headers={"auth-token": token}, timeout=30)
        return answer.status_code, answer.json()

    return ask


def test_a_day_in_the_current_version(grid):
    status, body = grid(temporalGranularity="hourly")
    assert status == 200
    assert {k: body[k] for k in ("zone", "temporalGranularity", "aggregationPeriod")} == {
        "zone": "FR", "temporalGranularity": "hourly", "aggregationPeriod": "hourly",
    }
    assert [row["datetime"] for row in body["data"]] == [f"2026-06-08T{hour:02d}:00:00Z" for hour in range(24)]
    assert set(body["data"][0]) == {
        "zone", "carbonIntensity", "datetime", "updatedAt", "createdAt", "emissionFactorType", "flowTraced",
        "isEstimated", "estimationMethod", "temporalGranularity",
    }


def test_the_legacy_version_has_milliseconds_and_the_same_values(grid, sandbox):
    _, new = grid(zone="DE")
    status, old = grid(zone="DE", url=sandbox.electricity_maps_fallback_url)
    assert status == 200 and set(old) == {"zone", "data"}
    assert old["data"][0]["datetime"] == "2026-06-08T00:00:00.000Z"
    assert "flowTraced" not in old["data"][0]
    assert [r["carbonIntensity"] for r in old["data"]] == [r["carbonIntensity"] for r in new["data"]]


def test_levels_and_solar_noon(grid):
    means = {}
    for zone in ("FR", "DE", "US-MIDA-PJM"):
        _, body = grid(zone=zone, end="2026-06-18T00:00:00Z")
        values = [row["carbonIntensity"] for row in body["data"]]
        assert len(values) == 240
        means[zone] = sum(values) / 240
        if zone == "DE":
            assert sum(values[12::24]) < 0.65 * sum(values[19::24])  # 12 UTC against the evening peak
    # shaped like the yearly averages: nuclear France, mixed Germany, gas and coal in PJM
    assert 18 < means["FR"] < 32
    assert 230 < means["DE"] < 360
    assert 360 < means["US-MIDA-PJM"] < 410


def test_refused(grid):
    assert grid(token="nobody") == (401, {"error": "Invalid auth-token"})
    status, body = grid(zone="XX")
    assert status == 404 and body["status"] == "error" and "XX" in body["message"]
    status, body = grid(end="2026-06-18T01:00:00Z")
    assert status == 400 and "10 days" in body["message"]
    assert grid(start=None)[0] == 400
    assert grid(temporalGranularity="5_minutes")[0] == 400
    assert grid(end="2026-06-08T00:00:00Z")[0] == 400


def test_without_the_switch_the_callers_zone_answers(grid):
    status, body = grid(zone="XX", disableCallerLookup=None)
    assert (status, body["zone"]) == (200, "US-MIDA-PJM")


def test_trial_keys_get_made_up_values(grid):
    status, body = grid(token="sandbox-abc")
    assert status == 200 and "SANDBOX MODE" in body["_disclaimer"]
    assert {(r["isEstimated"], r["estimationMethod"]) for r in body["data"]} == {(True, "SANDBOX_MODE_DATA")}
    assert [r["carbonIntensity"] for r in body["data"]] != [r["carbonIntensity"] for r in grid()[1]["data"]]


def test_six_german_hours_were_never_published(grid):
    _, body = grid(zone="DE", start="2026-07-06T00:00:00Z", end="2026-07-07T00:00:00Z")
    present = [int(row["datetime"][11:13]) for row in body["data"]]
    assert present == [*range(9), *range(15, 24)]
    assert len(grid(zone="FR", start="2026-07-06T00:00:00Z", end="2026-07-07T00:00:00Z")[1]["data"]) == 24


def test_estimates_are_revised_after_two_days(grid):
    with server.serve(as_of=date(2026, 6, 9)) as early:
        _, first = grid(url=early.electricity_maps_url)
        early.set_as_of(date(2026, 6, 11))
        _, later = grid(url=early.electricity_maps_url)
    assert all(row["estimationMethod"] == "FORECASTS_HIERARCHY" for row in first["data"])
    assert sum(row["isEstimated"] for row in later["data"]) <= 4  # a few hours stay estimated for ever
    changed = [a["carbonIntensity"] != b["carbonIntensity"] for a, b in zip(first["data"], later["data"], strict=True)]
    assert sum(changed) >= 6
    assert all(a["updatedAt"] < b["updatedAt"] for a, b in zip(first["data"], later["data"], strict=True))
