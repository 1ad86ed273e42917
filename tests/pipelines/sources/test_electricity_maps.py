"""The Electricity Maps source against answers of the vendor's shape, from the request to the landed day."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
import responses

from pipelines import landing
from pipelines.declared import Provider, Site
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import electricity_maps
from pipelines.sources.electricity_maps import SOURCE
from pipelines.window import Window

TOKEN = "tok-SENTINEL-51e2"
V4, V3 = "https://grid.example/v4", "https://grid.example/v3"
TABLE = SOURCE.table("carbon_intensity")
OPTIONS = {"base_url": V4, "fallback_url": V3}
FETCHED = datetime(2026, 7, 1, 3, tzinfo=UTC)


def settings(tmp_path, zones=("FR",), token=TOKEN, options=None, own=()):
    """Sites of a vendor, of which those in the zones `own` are the organisation's own."""
    sites = tuple(Site(f"site-{number}", zone, "FRA", control="own" if zone in own else None)
                  for number, zone in enumerate(zones))
    environ = {"ELECTRICITY_MAPS_TOKEN": token} if token else {}
    return Settings(tmp_path, "Test", False, {SOURCE.name: OPTIONS if options is None else options}, sites, (), environ)


def context(tmp_path, **more):
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return Context(settings(tmp_path, **more), scratch)


def record(zone, at, grams=50, **more):
    return {
        "zone": zone, "carbonIntensity": grams, "datetime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "updatedAt": "2026-06-20T04:00:00.000Z", "createdAt": "2026-06-01T00:10:00.000Z",
        "emissionFactorType": "lifecycle", "flowTraced": True, "isEstimated": False, "estimationMethod": None,
        "temporalGranularity": "hourly", **more,
    }


def answer(zone, start, end, grams=50, kind="lifecycle"):
    hours = int((end - start).total_seconds()) // 3600
    data = [record(zone, start + timedelta(hours=hour), grams, emissionFactorType=kind) for hour in range(hours)]
    return {"zone": zone, "temporalGranularity": "hourly", "data": data}


def asked(request):
    query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
    return query, datetime.fromisoformat(query["start"]), datetime.fromisoformat(query["end"])


def serve(mock, change=None, base=V4, change_direct=None):
    """Answers any past-range request with 50 g for each hour asked, 30 g direct; a change edits the answer first."""
    def reply(request):
        query, start, end = asked(request)
        if query["emissionFactorType"] == "direct":
            body = answer(query["zone"], start, end, 30, "direct")
            refused = change_direct(body) if change_direct else None
            return refused or (200, {}, json.dumps(body))
        body = answer(query["zone"], start, end)
        if change:
            change(body)
        return 200, {}, json.dumps(body)
    mock.add_callback("GET", f"{base}/carbon-intensity/past-range", reply, content_type="application/json")


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield mocked


def land(context, first, last):
    staged = landing.stage(SOURCE, TABLE, context, Window.of_days(first, last))
    return staged, landing.commit(staged, (), context.settings.home, FETCHED)


def rows(path):
    return duckdb.sql(f"from read_parquet('{path}', hive_partitioning = false) order by zone, datetime_utc").fetchall()


def test_a_year_of_three_zones_takes_the_fewest_calls_and_each_day_has_24_utc_hours(tmp_path, mock):
    serve(mock)
    zones = ("FR", "DE", "US-MIDA-PJM", "FR")  # two sites in one zone are one zone
    days = 0
    window = Window.of_days("2026-01-01", "2026-12-31")
    pages = list(TABLE.fetch(context(tmp_path, zones=zones), window))
    assert len(mock.calls) == 3 * 37  # 365 days / 10 days = 36.5, so 37 requests a zone
    per_day = {}
    for row in (row for page in pages for row in page.rows):
        key = row["zone"], row["datetime_utc"].date()
        per_day.setdefault(key, set()).add(row["datetime_utc"].hour)
    for hours in per_day.values():  # 29 March and 25 October too, when local clocks have 23 and 25 hours
        assert hours == set(range(24))
        days += 1
    assert days == 3 * 365
    assert not [page for page in pages if page.findings or page.warnings]


def test_requests_are_half_open_touch_without_overlap_and_never_let_the_vendor_guess_the_place(tmp_path, mock):
    serve(mock)
    list(TABLE.fetch(context(tmp_path), Window.of_days("2028-02-25", "2028-03-08")))  # 13 days with 29 February
    queries = [asked(call.request)[0] for call in mock.calls]
    assert [(query["start"], query["end"]) for query in queries] == [
        ("2028-02-25T00:00:00Z", "2028-03-06T00:00:00Z"),  # 5 days of February, 5 of March
        ("2028-03-06T00:00:00Z", "2028-03-09T00:00:00Z"),
    ]
    for query, call in zip(queries, mock.calls, strict=True):
        assert query["disableCallerLookup"] == "true"
        assert (query["temporalGranularity"], query["emissionFactorType"]) == ("hourly", "lifecycle")
        assert call.request.headers["auth-token"] == TOKEN


def test_the_leap_day_lands_with_24_hours_and_the_values_as_decimals(tmp_path, mock):
    def change(body):
        body["data"][24]["carbonIntensity"] = 64.25  # the first hour of 29 February, the 25th asked
        body["data"][25]["carbonIntensity"] = 12.3456785  # seven decimals: half to even gives ...678

    serve(mock, change)
    _, landed = land(context(tmp_path), "2028-02-28", "2028-02-29")
    assert landed.changed == [date(2028, 2, 28), date(2028, 2, 29)]
    day = rows(tmp_path / "raw/electricity_maps/carbon_intensity/dt=2028-02-29/part.parquet")
    assert len(day) == 24
    assert day[0] == (
        "FR", datetime(2028, 2, 29), Decimal("64.250000"), "lifecycle", True, False, None,
        datetime(2026, 6, 20, 4), datetime(2026, 6, 1, 0, 10), "hourly",
    )
    assert day[1][2] == Decimal("12.345678")
    assert day[2][2] == Decimal("50.000000")
    receipt = landed.receipts[1]
    assert receipt.requests == [
        "v4/carbon-intensity/past-range?zone=FR&start=2028-02-28T00%3A00%3A00Z&end=2028-03-01T00%3A00%3A00Z"
        "&temporalGranularity=hourly&emissionFactorType=lifecycle&disableCallerLookup=true"
    ]
    # 64.25 + 12.345678 + 22 x 50
    assert receipt.totals["carbon_intensity_gco2e_per_kwh"] == "1176.595678"


def test_the_direct_part_is_asked_for_own_zones_alone_and_stands_beside_the_whole_life(tmp_path, mock):
    serve(mock)
    _, landed = land(context(tmp_path, zones=("FR", "DE"), own=("FR",)), "2026-06-01", "2026-06-12")
    kinds = [(query["zone"], query["emissionFactorType"]) for query in (asked(call.request)[0] for call in mock.calls)]
    # 12 days are 2 requests; at most twice as many as without
    assert kinds == [("DE", "lifecycle")] * 2 + [("FR", "lifecycle")] * 2 + [("FR", "direct")] * 2
    day = rows(tmp_path / "raw/electricity_maps/carbon_intensity/dt=2026-06-01/part.parquet")
    assert len(day) == 3 * 24
    assert {(row[0], row[3], row[2]) for row in day} == {
        ("DE", "lifecycle", Decimal(50)), ("FR", "lifecycle", Decimal(50)), ("FR", "direct", Decimal(30))}
    assert landed.findings == [] and landed.receipts[0].warnings == []


def test_whose_electricity_is_scope_2_follows_from_what_is_said_or_from_whose_meter_stands_there(tmp_path):
    sites = tuple(Site(name, f"Z-{name}", "FRA", control=control) for name, control in (
        ("said", "own"), ("metered", None), ("served", None), ("rented", "leased"), ("cloud", None), ("seats", None),
        ("off", None), ("vendors", "vendor")))
    sources = {"meters": {"site": "metered"}, "gpu_prometheus": {"site": "vendors"},
               "gpu_jobs": {"site": "off", "enabled": False}}
    providers = (Provider("own", "served", energy_from="meters"), Provider("api", "cloud"),
                 Provider("chat", "seats", energy_from="spend"), Provider("hosted", "rented", energy_from="meters"))
    found = electricity_maps.zones_of_own_use(Settings(tmp_path, "Test", False, sources, sites, providers))
    assert found == {"Z-said", "Z-metered", "Z-served"}


@pytest.mark.parametrize("status, said", [(403, "the key is valid but lacks the permission: Not in your plan"),
                                          (400, "it answered 400: Not in your plan"),
                                          (404, "it answered 404: Not in your plan")])
def test_what_the_plan_does_not_give_directly_is_told_and_the_whole_life_lands(tmp_path, mock, status, said):
    serve(mock, change_direct=lambda body: (status, {}, json.dumps({"message": "Not in your plan"})))
    _, landed = land(context(tmp_path, own=("FR",)), "2026-06-01", "2026-06-25")
    assert len(mock.calls) == 3 + 1  # refused once is enough
    assert len(landed.changed) == 25 and landed.findings == []
    assert {row[3] for row in rows(tmp_path / "raw/electricity_maps/carbon_intensity/dt=2026-06-25/part.parquet")} == {
        "lifecycle"}
    assert f"FR: no direct values, because {said}" in landed.receipts[0].warnings


def says_nothing(body):
    del body["data"][3]["emissionFactorType"]


def says_lifecycle(body):
    body["data"][3]["emissionFactorType"] = "lifecycle"


@pytest.mark.parametrize("change, came", [(says_nothing, "None"), (says_lifecycle, "lifecycle")])
def test_a_value_that_does_not_say_that_it_is_direct_is_not_taken_for_one(tmp_path, mock, change, came):
    serve(mock, change_direct=change)
    with pytest.raises(SourceError, match=f"emissionFactorType direct was asked for and {came} came"):
        land(context(tmp_path, own=("FR",)), "2026-06-01", "2026-06-01")


def test_hours_without_a_direct_value_are_counted(tmp_path, mock):
    def change(body):
        body["emissionFactorType"] = "direct"  # said once for all
        for item in body["data"]:
            del item["emissionFactorType"]
        del body["data"][4:6]

    serve(mock, change_direct=change)
    _, landed = land(context(tmp_path, own=("FR",)), "2026-06-01", "2026-06-01")
    assert [receipt.rows for receipt in landed.receipts] == [24 + 22]
    assert landed.receipts[0].warnings == ["FR, 2026-06-01 to 2026-06-01: 2 of 24 hours have no direct value"]


@pytest.mark.parametrize("status, body", [
    (410, {"status": "error", "message": "this zone endpoint was retired"}),
    (404, {"status": "error", "message": "Cannot GET /v4/carbon-intensity/past-range"}),
    (404, {"message": "no Route matched with those values"}),
    (404, "<html>Not Found</html>"),
])
def test_v3_is_read_once_v4_turns_out_to_be_unavailable(tmp_path, mock, status, body):
    url = f"{V4}/carbon-intensity/past-range"
    mock.add("GET", url, body=body if isinstance(body, str) else json.dumps(body), status=status)
    serve(mock, base=V3)
    staged, landed = land(context(tmp_path), "2026-06-01", "2026-06-12")
    assert [urlsplit(call.request.url).path[:4] for call in mock.calls] == ["/v4/", "/v3/", "/v3/"]
    assert len(landed.changed) == 12
    assert f"v4 is unavailable ({status}), read from {V3}" in landed.receipts[0].warnings
    assert landed.receipts[0].requests[0].startswith("v3/carbon-intensity/past-range?zone=FR")


@pytest.mark.parametrize("status, body, sentence", [
    (401, {"error": f"Invalid auth-token {TOKEN}"}, "the key was refused: Invalid auth-token ***"),
    (403, {"message": "No access to zone FR"}, "the key is valid but lacks the permission: No access to zone FR"),
    (404, {"status": "error", "message": "Zone 'FR' does not exist"}, "it answered 404: Zone 'FR' does not exist"),
    (404, {"status": "error", "message": "No data found"}, "it answered 404: No data found"),
    (400, {"status": "error", "message": "Time range is too long"}, "it answered 400: Time range is too long"),
])
def test_a_refusal_of_the_key_or_the_zone_is_told_and_not_tried_on_v3(tmp_path, mock, status, body, sentence):
    mock.add("GET", f"{V4}/carbon-intensity/past-range", json=body, status=status)
    serve(mock, base=V3)
    with pytest.raises(SourceError) as refused:
        land(context(tmp_path), "2026-06-01", "2026-06-01")
    assert sentence in str(refused.value)
    assert len(mock.calls) == 1
    assert TOKEN not in str(refused.value) + repr(refused.value)
    assert not (tmp_path / "raw").exists()


def test_a_404_after_v4_has_answered_is_not_taken_for_a_missing_version(tmp_path, mock):
    mock.add("GET", f"{V4}/carbon-intensity/past-range", status=200, json=answer(
        "FR", datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 11, tzinfo=UTC)))
    mock.add("GET", f"{V4}/carbon-intensity/past-range", status=404, json={"message": "Not Found"})
    serve(mock, base=V3)
    with pytest.raises(SourceError, match="it answered 404: Not Found"):
        land(context(tmp_path), "2026-06-01", "2026-06-12")


def test_the_token_goes_to_no_host_that_was_not_named(tmp_path, mock):
    mock.add("GET", f"{V4}/carbon-intensity/past-range", status=410, json={"message": "gone"})
    with pytest.raises(SourceError, match="it answered 410: gone"):
        land(context(tmp_path, options={"base_url": V4}), "2026-06-01", "2026-06-01")
    assert len(mock.calls) == 1


def sandbox_value(body):
    body["data"][3].update(isEstimated=True, estimationMethod="SANDBOX_MODE_DATA")


def sandbox_disclaimer(body):
    body["_disclaimer"] = "This data is random: you are in sandbox mode"


def other_zone(body):
    body.update(zone="US-CAL-CISO")


def other_zone_within(body):
    body["data"][5]["zone"] = "DE"


def no_zone(body):
    del body["zone"]
    del body["data"][0]["zone"]


def daily(body):
    body["temporalGranularity"] = "daily"


def five_minutes(body):
    body["data"][2]["temporalGranularity"] = "5_minutes"


def direct(body):
    body["data"][0]["emissionFactorType"] = "direct"


def no_list(body):
    body["data"] = {"FR": 50}


SANDBOX = (
    "the key is a sandbox key, whose values are random; set ELECTRICITY_MAPS_TOKEN to a production key, "
    "or unset it to use the yearly mix."
)


@pytest.mark.parametrize("change, sentence", [
    (sandbox_value, f"Electricity Maps sent made-up values (v4/carbon-intensity/past-range?zone=FR&{{}}): {SANDBOX}"),
    (sandbox_disclaimer, SANDBOX),
    (other_zone, "FR was asked for and US-CAL-CISO came; correct the zone in [sites] of jevons.toml."),
    (other_zone_within, "FR was asked for and DE came"),
    (no_zone, "FR was asked for and None came"),
    (daily, "temporalGranularity hourly was asked for and daily came"),
    (five_minutes, "temporalGranularity hourly was asked for and 5_minutes came"),
    (direct, "emissionFactorType lifecycle was asked for and direct came"),
    (no_list, "it holds no list `data` of records"),
])
def test_an_answer_that_cannot_be_trusted_is_refused_whole(tmp_path, mock, change, sentence):
    serve(mock, change)
    with pytest.raises(SourceError) as refused:
        land(context(tmp_path), "2026-06-01", "2026-06-02")
    query = (
        "start=2026-06-01T00%3A00%3A00Z&end=2026-06-03T00%3A00%3A00Z&temporalGranularity=hourly"
        "&emissionFactorType=lifecycle&disableCallerLookup=true"
    )
    assert sentence.format(query) in str(refused.value)
    assert not (tmp_path / "raw").exists()


def set_hour(text):
    def change(body):
        body["data"][30]["datetime"] = text  # the 31st hour asked: 2026-06-02T06:00Z
    return change


def twice(body):
    body["data"].append({**body["data"][30], "carbonIntensity": 51})


def absurd(body):
    body["data"][30]["carbonIntensity"] = 3001


def words(body):
    body["data"][30]["carbonIntensity"] = "low"


@pytest.mark.parametrize("change, rule, held", [
    (set_hour("2026-06-02T06:00:00"), "'2026-06-02T06:00:00' is not an instant with a time zone", {1, 2, 3}),
    (set_hour("2026-06-02T06:30:00Z"), "2026-06-02T06:30:00Z is not the start of an hour", {2}),
    (set_hour("2026-06-04T00:00:00Z"), "2026-06-04T00:00:00Z is outside the hours asked for", {3}),
    (set_hour("2026-06-01T01:00:00+02:00"), "2026-06-01T01:00:00+02:00 is outside the hours asked for", {1}),
    (twice, "1 id stands for different records (FR, 2026-06-02 06:00:00, lifecycle)", {2}),
    (absurd, "3001 gCO2e/kWh is above 3000, which no grid reaches", {2}),
    (words, "'low' is not a decimal number", {2}),
])
def test_a_bad_hour_holds_back_its_day_and_no_other(tmp_path, mock, change, rule, held):
    serve(mock, change)
    _, landed = land(context(tmp_path), "2026-06-01", "2026-06-03")
    assert {finding.rule for finding in landed.findings} == {rule}
    assert {day.day for day in landed.quarantined} == held
    assert {day.day for day in landed.changed} == {1, 2, 3} - held
    kept = list((tmp_path / "quarantine/electricity_maps/carbon_intensity").glob("dt=*/*/findings.json"))
    assert len(kept) == len(held)


def test_an_offset_that_names_the_hours_asked_is_read_as_utc(tmp_path, mock):
    serve(mock, set_hour("2026-06-02T08:00:00+02:00"))
    land(context(tmp_path), "2026-06-01", "2026-06-03")
    day = rows(tmp_path / "raw/electricity_maps/carbon_intensity/dt=2026-06-02/part.parquet")
    assert [row[1].hour for row in day] == list(range(24))


def test_missing_hours_are_counted_and_the_others_land(tmp_path, mock):
    def change(body):
        del body["data"][26:29]
        body["data"][0]["carbonIntensity"] = None

    serve(mock, change)
    _, landed = land(context(tmp_path), "2026-06-01", "2026-06-02")
    assert [receipt.rows for receipt in landed.receipts] == [23, 21]
    assert landed.receipts[0].warnings == ["FR, 2026-06-01 to 2026-06-02: 4 of 48 hours have no value"]
    assert not landed.findings


def test_without_a_token_nothing_is_asked_and_every_day_is_missing(tmp_path, mock):
    here = context(tmp_path, token=None)
    staged, landed = land(here, "2026-06-01", "2026-06-03")
    assert len(mock.calls) == 0
    assert landed.missing == [date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)]
    assert landed.receipts == [] and landed.findings == []
    assert staged.warnings == [electricity_maps.NO_TOKEN]
    assert SOURCE.check(here) == (
        "No ELECTRICITY_MAPS_TOKEN is set, so no hourly value was asked for: the yearly mix of each site's country "
        "is used."
    )


def test_without_a_site_nothing_is_asked(tmp_path, mock):
    staged, _ = land(context(tmp_path, zones=()), "2026-06-01", "2026-06-01")
    assert staged.warnings == ["no site is declared in jevons.toml, so there is no zone to ask for"]
    assert len(mock.calls) == 0


def test_a_revised_value_supersedes_the_day_and_keeps_the_old_file(tmp_path, mock):
    grams = {"now": 50}

    def change(body):
        body["data"][7].update(carbonIntensity=grams["now"])
        if grams["now"] != 50:
            body["data"][7].update(updatedAt="2026-06-25T04:00:00Z")

    serve(mock, change)
    here = context(tmp_path)
    assert land(here, "2026-06-01", "2026-06-02")[1].changed == [date(2026, 6, 1), date(2026, 6, 2)]
    assert land(here, "2026-06-01", "2026-06-02")[1].changed == []  # nothing was revised: nothing is written
    grams["now"] = 80
    _, landed = land(here, "2026-06-01", "2026-06-02")
    assert landed.changed == [date(2026, 6, 1)]
    assert landed.receipts[0].version == 2
    assert landed.receipts[0].totals["carbon_intensity_gco2e_per_kwh"] == "1230.000000"  # 23 x 50 + 80
    old = rows(tmp_path / "raw_superseded/electricity_maps/carbon_intensity/dt=2026-06-01/v0001.parquet")
    new = rows(tmp_path / "raw/electricity_maps/carbon_intensity/dt=2026-06-01/part.parquet")
    assert (old[7][2], old[7][7]) == (Decimal(50), datetime(2026, 6, 20, 4))
    assert (new[7][2], new[7][7]) == (Decimal(80), datetime(2026, 6, 25, 4))
    assert old[:7] + old[8:] == new[:7] + new[8:]


def test_the_token_is_written_nowhere(tmp_path, mock):
    serve(mock, twice)
    _, landed = land(context(tmp_path), "2026-06-01", "2026-06-03")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    # two days and a quarantined one, each with its json
    assert len([path for path in written if "scratch" not in path.parts]) == 6
    for path in written:
        assert TOKEN.encode() not in path.read_bytes(), path
    assert TOKEN not in repr(landed) + repr(settings(tmp_path))


def test_check_says_what_was_found(tmp_path, mock):
    serve(mock)
    assert SOURCE.check(context(tmp_path, zones=("FR", "DE"))) == (
        "Electricity Maps answers for DE with 1 hourly value of 2026-01-01 00:00 UTC."
    )
    assert len(mock.calls) == 1
