"""Redfish: controllers over a real socket, each time's readings as files, and the energy by hour that follows."""

import copy
import json
import threading
from base64 import b64decode
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
import responses
from hypothesis import given, settings
from hypothesis import strategies as st
from models_over_home import models_over

from pipelines import http, landing
from pipelines.declared import Site
from pipelines.errors import JevonsError, SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import redfish
from pipelines.sources.redfish import SOURCE
from pipelines.window import Window

DAY = date(2026, 6, 1)
LOGIN = "reader:SENTINEL-pass/word"
POWER = {"@odata.type": "#Power.v1_1_0.Power", "PowerControl": [
    {"MemberId": "0", "Name": "Server Power Control", "PowerConsumedWatts": 344, "PowerCapacityWatts": 800,
     "PowerMetrics": {"IntervalInMin": 30, "AverageConsumedWatts": 319}},
    {"MemberId": "1", "Name": "Chassis Power Control", "PowerConsumedWatts": 1200}]}
OUTLET = {"@odata.type": "#Outlet.v1_4_2.Outlet", "PowerWatts": {"Reading": 184.4}, "EnergykWh": {"Reading": 26880},
          "UserLabel": "sentinel"}
STRIP = {"@odata.type": "#PowerDistributionMetrics.v1_3_0.PowerDistributionMetrics",
         "PowerWatts": {"Reading": 6438, "ApparentVA": 6300, "PowerFactor": 0.93}, "EnergykWh": {"Reading": 56438}}
SUPPLY = {"@odata.type": "#PowerSupplyMetrics.v1_0_1.PowerSupplyMetrics", "InputPowerWatts": {"Reading": 937.4},
          "OutputPowerWatts": {"Reading": 900.1}, "EnergykWh": {"Reading": 325675}}
MACHINE = {"@odata.type": "#EnvironmentMetrics.v1_3_0.EnvironmentMetrics", "PowerWatts": {"Reading": 1349.26},
           "EnergykWh": {"Reading": 12.5}, "TemperatureCelsius": {"Reading": 39}}


class Controllers(BaseHTTPRequestHandler):
    """Answers from `answers`; a path is answered by a body, or by status and text."""

    answers: dict = {}

    def do_GET(self):
        status, body = 200, self.answers.get(self.path, (404, ""))
        if self.headers.get("Authorization") != http.basic(LOGIN):
            sent = self.headers["Authorization"]
            said = f"no: {sent} {b64decode(sent.removeprefix('Basic ')).decode()}"
            body = (401, json.dumps({"error": {"message": said}}))
        status, text = body if isinstance(body, tuple) else (200, json.dumps(body))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text) + 40 if status == 200 and text.endswith("...") else len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *words):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(Controllers, "answers", {})
    ask = http.Client._ask

    def quick(self, *words):
        self.sleep = lambda seconds: None
        return ask(self, *words)

    monkeypatch.setattr(http.Client, "_ask", quick)
    running = ThreadingHTTPServer(("127.0.0.1", 0), Controllers)
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


def context(home, meters, login=LOGIN, **options):
    (home / "scratch").mkdir(exist_ok=True)
    sources = {"redfish": {"site": "here", "meters": meters, **options}}
    environ = {redfish.LOGIN: login} if login else {}
    return Context(Settings(home, "Test", False, sources, (Site("here", "FR", "FRA"),), (), environ), home / "scratch")


@pytest.mark.parametrize(("body", "member", "reading"), [
    (POWER, "0", (None, 344)), (OUTLET, None, (26880, Decimal("184.4"))), (STRIP, None, (56438, 6438)),
    (SUPPLY, None, (325675, Decimal("937.4"))), (MACHINE, None, (Decimal("12.5"), Decimal("1349.26"))),
    ({"PowerWatts": {"Reading": None}, "EnergykWh": {"Reading": 3}}, None, (3, None)),
    ({"PowerWatts": {"Reading": 0}}, None, (None, 0)),  # a redundant supply
])
def test_a_resource_tells_energy_or_power_or_both(body, member, reading):
    assert redfish.told(json.loads(json.dumps(body), parse_float=Decimal), "m", member) == reading


@pytest.mark.parametrize(("body", "why"), [
    (POWER, "2 of its PowerControl members could be meant; say which by member"),
    ({"PowerControl": []}, "0 of its PowerControl members"), ({"PowerWatts": {}}, "it tells neither energy nor power"),
    ({"PowerWatts": {"Reading": "344"}}, "'344' is no reading of power_w"), ([], "it tells neither"),
    ({"EnergykWh": {"Reading": -1}}, "'-1' is no reading of energy_kwh"), ({"EnergykWh": True}, "'True' is no reading"),
])
def test_a_resource_that_could_mean_several_things_is_refused(body, why):
    with pytest.raises(SourceError, match=why):
        redfish.told(body, "m", None)


def test_what_controllers_tell_by_the_quarter_hour_is_energy_by_the_hour(tmp_path, server, monkeypatch):
    meters = {"node-1": {"url": f"{server}/env", "host": "node-1"},
              "strip": {"url": f"{server}/outlet", "host": "node-2", "kind": "pdu"},
              "gone": {"url": f"{server}/gone", "host": "node-3"},
              "node-4": {"url": f"{server}/power", "host": "node-4", "member": "0"}}
    said, here = [], context(tmp_path, meters)
    for quarter in range(9):
        # 1.2 kW: 0.3 kWh a quarter; the outlet counts whole kWh, and was reset after the fourth time
        Controllers.answers = {
            "/env": {**MACHINE, "EnergykWh": {"Reading": float(f"{12.5 + 0.3 * quarter:.1f}")}}, "/power": POWER,
            "/outlet": {**OUTLET, "EnergykWh": {"Reading": 26880 + quarter if quarter < 4 else quarter - 4}}}
        now = datetime(2026, 6, 1, 10, tzinfo=UTC) + timedelta(minutes=15 * quarter)
        assert redfish.read_all(here, now, said.append) == 1
    assert said[0].startswith("gone refused the request (/gone): it answered 404")
    assert said[1] == "3 of 4 meters were read: 2026-06-01T100000Z.csv"
    with pytest.raises(SourceError, match="gone refused"):
        SOURCE.check(here)
    landed = landing.commit(
        landing.stage(SOURCE, SOURCE.tables[0], here, Window.of_days(DAY, DAY)), (), tmp_path, datetime.now(UTC))
    assert landed.changed == [DAY] and landed.findings == []
    monkeypatch.setenv("JEVONS_MIN_DATE", str(DAY))
    monkeypatch.setenv("JEVONS_MAX_DATE", "2026-06-02")
    ask = models_over(tmp_path, "stg_meters__readings", "int_meter__hourly")
    assert [(host, hour, kind, Decimal(joules)) for host, hour, kind, joules in ask("""
        select host, hour(usage_hour_utc), meter_kind, sum(energy_millijoules) / 1000 from int_meter__hourly
        where hour(usage_hour_utc) in (10, 11) group by all order by all
    """)] == [
        ("node-1", 10, "host", 4_320_000), ("node-1", 11, "host", 4_320_000),  # 1.2 kWh
        ("node-2", 10, "pdu", 3 * 3_600_000 + 165_960),  # three whole kWh, and 184.4 W in the quarter of the reset
        ("node-2", 11, "pdu", 4 * 3_600_000),
        ("node-4", 10, "host", 344 * 3600), ("node-4", 11, "host", 344 * 3600),
    ]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"SENTINEL" not in kept and b"sentinel" not in kept


@pytest.mark.parametrize(("answer", "told"), [
    ((401, "{}"), "the key was refused"), ((403, "{}"), "lacks the permission"),
    ((500, ""), "it answered 500, 2 times"),
    ((429, "{}"), "it answered 429, 2 times"), ((200, '{"PowerWatts": ...'), "2 times"), ((301, ""), "it answered 301"),
    ((200, "<html>sign in</html>"), "not whole JSON"), ((200, "[]"), "it tells neither energy nor power"),
])
def test_a_controller_in_trouble_is_named_and_the_others_are_written(tmp_path, server, answer, told):
    Controllers.answers = {"/bad": answer, "/good": MACHINE}
    said = []
    meters = {"bad": {"url": f"{server}/bad", "host": "a"}, "good": {"url": f"{server}/good", "host": "b"}}
    assert redfish.read_all(context(tmp_path, meters), datetime(2026, 6, 1, tzinfo=UTC), said.append) == 1
    assert told in said[0] and said[0].startswith("bad ") and said[1].startswith("1 of 2 meters were read")
    (file,) = (tmp_path / redfish.FOLDER).iterdir()
    assert file.read_text().splitlines()[1:] == ["good,,b,host,it,2026-06-01T00:00:00Z,12.500000,1349.260"]


def told(status, body="{}", **headers):
    return lambda right: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def changed(mutate):
    def act(right):
        body = copy.deepcopy(MACHINE)
        mutate(body)
        return 200, {}, json.dumps(body)
    return act


NOON = "Mon, 22 Jun 2026 {}:00:{} GMT"
RECOVERED, ONCE, ALWAYS = True, 1, 99
FAULTS = {  # what is answered in place of the right answer, how often, and whether the reading comes all the same
    **{f"{code} for ever": (told(code), ALWAYS, False) for code in (400, 401, 403, 404, 408, 429, 500, 502, 529)},
    **{f"{code} once": (told(code), ONCE, RECOVERED) for code in (408, 500, 502, 529)},
    "429 with seconds": (told(429, Retry_After="7"), ONCE, RECOVERED),
    "429 with a date": (told(429, Retry_After=NOON.format(10, "07"), Date=NOON.format(10, "00")), ONCE, RECOVERED),
    "429 with a date of a clock ten hours wrong": (
        told(429, Retry_After=NOON.format(20, "07"), Date=NOON.format(20, "00")), ONCE, RECOVERED),
    "reset": (lambda right: requests.ConnectionError("SENTINEL"), ONCE, RECOVERED),
    "reset for ever": (lambda right: requests.ConnectionError("SENTINEL"), ALWAYS, False),
    "a stall": (lambda right: requests.ReadTimeout("SENTINEL"), ONCE, RECOVERED),
    "a stall for ever": (lambda right: requests.ReadTimeout("SENTINEL"), ALWAYS, False),
    "truncated": (lambda right: (200, {}, right[:-4]), ONCE, RECOVERED),
    "truncated for ever": (lambda right: (200, {}, right[:-4]), ALWAYS, False),
    "a page of HTML": (told(200, "<html>sign in, SENTINEL@example.org</html>"), ALWAYS, False),
    "another kind of JSON": (told(200, '[["SENTINEL@example.org"]]'), ALWAYS, False),
    "wrong content type": (lambda right: (200, {"Content-Type": "text/html"}, right), ALWAYS, RECOVERED),
    "an empty resource": (told(200, "{}"), ALWAYS, False),
    "a field more": (changed(lambda body: body.update(UserLabel="SENTINEL@example.org")), ALWAYS, RECOVERED),
    "readings that are null": (changed(lambda body: [body[each].update(Reading=None) for each in (
        "PowerWatts", "EnergykWh")]), ALWAYS, False),
    "numbers as strings": (changed(lambda body: body["PowerWatts"].update(Reading="1349.26")), ALWAYS, False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_recovered_from_or_said_in_one_sentence(tmp_path, monkeypatch, fault):
    """The faults of test_fault_matrix, for a resource that has no pages, no window and no time of its own."""
    act, times, expected = FAULTS[fault]
    waits, said, seen, right = [], [], [], json.dumps(MACHINE)
    monkeypatch.setattr(redfish, "Client", partial(redfish.Client, sleep=waits.append))

    def answer(request):
        seen.append(request)
        return act(right) if len(seen) <= times else (200, {}, right)

    with responses.RequestsMock() as mock:
        mock.add_callback("GET", "https://bmc.example/env", callback=answer)
        meters = {"bmc-1": {"url": "https://bmc.example/env", "host": "a"}}
        failed = redfish.read_all(context(tmp_path, meters), datetime(2026, 6, 1, tzinfo=UTC), said.append)
    written = [file.read_text() for file in tmp_path.glob(f"{redfish.FOLDER}/*")]
    assert (failed, len(said), len(written)) == ((0, 1, 1) if expected else (1, 1, 0)), said
    assert all("12.500000,1349.260" in text for text in written)
    assert "\n" not in said[0] and "SENTINEL" not in repr((said, written))
    if fault.startswith("429 with"):
        assert waits == [7]


def test_a_wrong_login_is_told_without_it_and_nothing_is_written(tmp_path, server):
    Controllers.answers = {"/good": MACHINE}
    meters, said = {"good": {"url": f"{server}/good", "host": "b"}}, []
    for login in ("reader:SENTINEL-wrong", None):
        assert redfish.read_all(context(tmp_path, meters, login), datetime(2026, 6, 1, tzinfo=UTC), said.append) == 1
    assert "the key was refused" in said[0] and "is not set" in said[1] and "SENTINEL" not in repr(said)
    plain = {"far": {"url": "http://bmc.example/env", "host": "b"}}
    assert redfish.read_all(context(tmp_path, plain), datetime(2026, 6, 1, tzinfo=UTC), said.append) == 1
    assert "would travel unencrypted" in said[2] and not (tmp_path / redfish.FOLDER).exists()


@pytest.mark.parametrize(("options", "why"), [
    ({"meters": {}}, "meters"), ({"meters": {"a": {"url": "bmc"}}}, "it is not an http address"),
    ({"meters": {"a": {"url": "https://b", "kind": "cpu"}}}, "kind or boundary is not known"),
    ({"meters": {"a": {"url": "https://b", "colour": "red"}}}, "it is no section of texts that are known"),
    ({"step_seconds": 0}, "is not 1 to 86400"), ({"site": 5}, "it names no site"),
])
def test_settings_that_mean_nothing_are_refused(tmp_path, options, why):
    with pytest.raises(JevonsError) as refused:
        redfish.read_all(context(tmp_path, **{"meters": {"a": {"url": "https://b"}}, **options}), None, print)
    assert why in str(refused.value)


leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.decimals(), st.text(max_size=3))
readings = st.one_of(leaves, st.dictionaries(st.just("Reading"), leaves, max_size=1))
controls = st.lists(st.one_of(leaves, st.fixed_dictionaries({}, optional={
    "MemberId": st.sampled_from(["0", 0, None]), "PowerConsumedWatts": leaves})), max_size=3)
bodies = leaves | st.fixed_dictionaries({}, optional={
    "PowerControl": controls | leaves, "PowerWatts": readings, "InputPowerWatts": readings, "EnergykWh": readings,
    "@odata.type": leaves})


@settings(max_examples=2500, deadline=None, database=None)
@given(bodies, st.sampled_from([None, "0"]))
def test_whatever_a_controller_says_is_a_reading_or_a_sentence(body, member):
    try:
        values = redfish.told(body, "m", member)
    except SourceError as error:
        assert str(error).startswith("m gives no reading")
    else:
        assert values != (None, None) and all(value is None or 0 <= value <= 10**9 for value in values)
