"""The ENTSO-E source against documents of the published shape, from the request to the hour of the grid."""

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
from pipelines.sources import entsoe
from pipelines.sources._entsoe_areas import AREAS
from pipelines.sources.entsoe import BASE_URL, SOURCE, read_xml
from pipelines.window import Window

TOKEN = "token-SENTINEL-31c7"
DAY = (ROOT / "tests/fixtures/entsoe/day.xml").read_text("utf-8")
URL = f"{BASE_URL}/api"
NOTHING = ('<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">'
           "<Reason><code>999</code><text>No matching data found for Data item</text></Reason>"
           "</Acknowledgement_MarketDocument>")
TOO_MUCH = NOTHING.replace("No matching data found for Data item", "The amount of requested data exceeds allowed limit")


def context(home, token=TOKEN, zone="FR"):
    (home / "scratch").mkdir(exist_ok=True)
    environ = {"ENTSOE_SECURITY_TOKEN": token} if token else {}
    site = Site("here", zone, "FRA")
    return Context(Settings(home, "Test", False, {SOURCE.name: {}}, (site,), (), environ), home / "scratch")


def land(here, last="2026-06-01"):
    staged = landing.stage(SOURCE, SOURCE.tables[0], here, Window.of_days("2026-06-01", last))
    return staged, landing.commit(staged, (), here.settings.home, datetime(2026, 7, 1, tzinfo=UTC))


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield mocked


def test_positions_that_are_left_out_repeat_and_hours_become_intensities(tmp_path, mock):
    mock.add("GET", URL, body=DAY)
    staged, done = land(context(tmp_path))
    assert done.changed == [date(2026, 6, 1)] and done.findings == []
    assert staged.warnings == ["FR, 2026-06-01 to 2026-06-01: 20 of 24 hours have no value"]
    assert parse_qsl(urlsplit(mock.calls[0].request.url).query)[2:] == [
        ("in_Domain", "10YFR-RTE------C"), ("periodStart", "202606010000"), ("periodEnd", "202606020000"),
        ("securityToken", TOKEN)]
    ask = models_over(tmp_path, "grid_fuel", "stg_electricity_maps__carbon_intensity", "int_grid__hourly")
    rows = ask("select usage_hour_utc, gco2e_per_kwh, direct_gco2e_per_kwh, grid_rung, grid_factor_id, is_first "
               "from int_grid__hourly order by usage_hour_utc")
    same = ("hourly_estimated", "entsoe/FR/lifecycle", True)
    # gas: 100, 100, 60, 60 are 80 in the mean; 60, 60, 60, 20 are 50; from 02:00 on a quarter is missing; then 50
    # 00:00: (300 x 12 + 80 x 490) / 380 = 112.631579, direct 80 x 370 / 380 = 77.894737; neither store nor pumps count
    # 01:00: nuclear repeats 300: (3,600 + 50 x 490) / 350 = 80.285714, direct 18,500 / 350 = 52.857143
    # 03:00: nuclear repeats 200: (2,400 + 24,500) / 250 = 107.6, direct 18,500 / 250 = 74
    assert rows == [
        (datetime(2026, 6, 1, 0), Decimal("112.631579"), Decimal("77.894737"), *same),
        (datetime(2026, 6, 1, 1), Decimal("80.285714"), Decimal("52.857143"), *same),
        (datetime(2026, 6, 1, 3), Decimal("107.6"), Decimal(74), *same),
    ]


@pytest.mark.parametrize("status", [200, 400])
def test_an_acknowledgement_without_data_is_a_day_that_did_not_come(tmp_path, mock, status):
    mock.add("GET", URL, body=NOTHING, status=status)
    staged, done = land(context(tmp_path))
    assert done.missing == [date(2026, 6, 1)] and done.changed == []
    assert staged.warnings == ["FR, 2026-06-01 to 2026-06-01: ENTSO-E has no data"]


def test_too_much_at_once_is_asked_in_halves(tmp_path, mock):
    def reply(request):
        asked = dict(parse_qsl(urlsplit(request.url).query))
        days = int(asked["periodEnd"][:8]) - int(asked["periodStart"][:8])
        return (400, {}, TOO_MUCH) if days > 2 else (200, {}, NOTHING)
    mock.add_callback("GET", URL, reply)
    _, done = land(context(tmp_path), "2026-06-05")
    # 5 days, 2, 2 and 1 of them
    assert [dict(parse_qsl(urlsplit(call.request.url).query))["periodStart"][6:8] for call in mock.calls] == [
        "01", "01", "03", "05"]
    assert len(done.missing) == 5
    mock.replace("GET", URL, body=TOO_MUCH, status=400)
    with pytest.raises(SourceError, match="exceeds allowed limit"):
        land(context(tmp_path))


@pytest.mark.parametrize("before, after, said", [
    ("<position>3</position><quantity>200", "<position>5</position><quantity>200", "is no value of 4 steps"),
    ("<position>3</position><quantity>200", "<position>1</position><quantity>200", "position 1 has two values"),
    ("<position>1</position><quantity>300", "<position>2</position><quantity>300", "no first value"),
    ("<quantity>300", "<quantity>NaN", "'NaN' is no value"),
    ("PT60M</resolution><Point><position>1</position><quantity>300", "P1D</resolution><Point><position>1</position>"
     "<quantity>300", "its steps are none of PT15M"),
    ("<start>2026-06-01T02:15Z", "<start>2026-05-31T02:15Z", "was not asked for"),
    ("<end>2026-06-01T04:00Z", "<end>2026-06-02T04:00Z", "was not asked for"),
    ("<start>2026-06-01T00:00Z", "<start>2026-06-01T00:10Z", "not a multiple of"),
    (">10YFR-RTE------C", ">10YBE----------2", "10YFR-RTE------C was asked for and 10YBE----------2 came"),
    (">MAW<", ">KWT<", "its unit is not MAW"),
    (">A03<", ">A02<", "its curve is neither"),
    ("GL_MarketDocument", "Publication_MarketDocument", "it is a Publication_MarketDocument"),
])
def test_a_document_that_cannot_be_trusted_is_refused_whole(tmp_path, mock, before, after, said):
    assert before in DAY
    mock.add("GET", URL, body=DAY.replace(before, after))
    with pytest.raises(SourceError, match=said):
        land(context(tmp_path))
    assert not (tmp_path / "raw").exists()


BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha" * 10}">' for n in range(12))


@pytest.mark.parametrize("kind", [
    f"<!DOCTYPE x [{BOMB}]><x>&a11;</x>", '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>',
    '<!DOCTYPE x SYSTEM "http://example.org/x.dtd"><x/>',
])
def test_entities_are_not_even_declared(kind):
    with pytest.raises(ValueError, match="declares a document type"):
        read_xml(kind.encode())


def test_a_hidden_token_is_written_nowhere(tmp_path, mock, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(entsoe, "Client", partial(entsoe.Client, sleep=lambda seconds: None))
    mock.add("GET", URL, body=DAY)
    land(context(tmp_path))
    mock.replace("GET", URL, status=401, body=NOTHING.replace("No matching data found", f"{TOKEN} is no token"))
    with pytest.raises(SourceError, match=r"the key was refused: \*\*\* is no token.*; set ENTSOE_SECUR") as no:
        land(context(tmp_path))
    mock.replace("GET", URL, body=f"<html>{TOKEN}")
    with pytest.raises(SourceError, match="the answer is not whole XML") as cut:
        land(context(tmp_path))
    here = context(tmp_path)
    assert TOKEN not in f"{no.value!r}{cut.value!r}{here!r}{entsoe._client(here)!r}{caplog.text}"
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path


def test_what_is_not_asked_is_said(tmp_path, mock):
    assert land(context(tmp_path, token=None))[0].warnings == [entsoe.NO_TOKEN]
    assert "no site is in a zone of ENTSO-E's" in land(context(tmp_path, zone="US-MIDA-PJM"))[0].warnings[0]
    mock.add("GET", URL, body=NOTHING)
    assert SOURCE.check(context(tmp_path)) == "ENTSO-E answers for FR with 0 fuels of 2026-01-01."


def test_an_area_stands_behind_one_zone():
    assert len(set(AREAS.values())) == len(AREAS)
    assert all(len(code) == 16 and code.startswith("10Y") for code in AREAS.values())
