"""The source `meters`: readings become days that can be made in any order, and bad rows hold back their day."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import landing
from pipelines.declared import Site
from pipelines.errors import JevonsError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources.meters import READINGS, SOURCE, check, fetch
from pipelines.window import Window

HEADER = "meter_id,host,meter_kind,boundary,sampled_at_utc,energy_kwh,power_w\n"
D1, D2, D3 = (date(2026, 6, 1) + timedelta(days=n) for n in range(3))


@pytest.fixture
def home(tmp_path):
    (tmp_path / "inbox").mkdir()
    return tmp_path


def context(home, **options) -> Context:
    options = {"path": "inbox/{date}*.csv", "site": "here", **options}
    sites = (Site("here", "FR", "FRA"), Site("there", "DE", "DEU"))
    (home / "scratch").mkdir(exist_ok=True)
    return Context(Settings(home, "Test", False, {"meters": options}, sites, ()), home / "scratch")


def put(home, name, *lines, header=HEADER):
    (home / "inbox" / name).write_text(header + "".join(f"{line}\n" for line in lines), "utf-8")


def days(home, first=D1, last=D1, **options) -> dict:
    """What each day's file holds, and what was found wrong."""
    found, findings = {}, []
    for item in fetch(context(home, **options), Window.of_days(first, last)):
        findings += item.findings
        if hasattr(item, "path"):
            with duckdb.connect() as duck:
                found[item.day] = duck.execute(
                    "select strftime(sampled_at_utc, '%d %H:%M'), energy_kwh, power_w, meter_id, host, site, "
                    f"step_seconds from read_parquet('{item.path}') order by meter_id, sampled_at_utc").fetchall()
    return {"rows": found, "findings": findings}


def at(day: int, clock: str, kwh="", meter="m", host="h", kind="pdu", watts="") -> str:
    return f"{meter},{host},{kind},it,2026-06-{day:02d}T{clock}:00Z,{kwh},{watts}"


def test_a_day_holds_the_nearest_readings_of_its_neighbours(home):
    put(home, "2026-06-01.csv", at(1, "08:00", "1"), at(1, "20:00", "2.5"))
    put(home, "2026-06-02.csv", at(2, "07:00", "3"), at(2, "19:00", "4"))
    put(home, "2026-06-03.csv", at(3, "06:00", "5"), at(3, "18:00", "6"))
    both = days(home, D1, D2)
    assert [row[:2] for row in both["rows"][D1]] == [
        ("01 08:00", Decimal("1")), ("01 20:00", Decimal("2.5")), ("02 07:00", Decimal("3"))]
    assert [row[0] for row in both["rows"][D2]] == ["01 20:00", "02 07:00", "02 19:00", "03 06:00"]
    assert not both["findings"]
    # a day asked for by itself is the same
    assert days(home, D2, D2)["rows"][D2] == both["rows"][D2]
    assert both["rows"][D1][0][3:] == ("m", "h", "here", 3600)


def test_files_without_a_day_in_their_name_hold_any_days_and_a_silent_day_is_not_delivered(home):
    put(home, "all.csv", at(1, "08:00", "1"), at(3, "06:00", "5"), at(3, "05:00", "4"))
    found = days(home, D1, D3, path="inbox/*.csv")["rows"]
    assert sorted(found) == [D1, D3]
    assert [row[0] for row in found[D3]] == ["03 05:00", "03 06:00"]  # more than a day from the first of June


def test_a_file_without_readings_is_delivered_and_a_file_that_is_not_there_is_not(home):
    put(home, "2026-06-01.csv", at(1, "08:00", "1"))
    put(home, "2026-06-02.csv")
    with landing.scratch(home) as scratch:
        staged = landing.stage(SOURCE, READINGS, Context(context(home).settings, scratch), Window.of_days(D1, D3))
        landed = landing.commit(staged, [], home, datetime(2026, 9, 1, tzinfo=UTC))
    assert landed.changed == [D1, D2] and landed.missing == [D3] and not landed.findings
    assert pq.read_table(home / "raw/meters/readings" / f"dt={D2}" / "part.parquet").num_rows == 0
    # not even a header: whoever wrote it was cut off, and its day is held back
    (home / "inbox" / "2026-06-03.csv").write_text("", "utf-8")
    (finding,) = days(home, D3, D3)["findings"]
    assert "without even a header" in finding.sentence()


def test_json_lines_and_parquet_say_the_same(home):
    rows = [{"meter_id": "m", "host": "h", "meter_kind": "host", "boundary": "it",
             "sampled_at_utc": "2026-06-01T10:00:00+02:00", "power_w": 344.5}]
    (home / "inbox" / "a.jsonl").write_text(json.dumps(rows[0]), "utf-8")
    given = {**rows[0], "sampled_at_utc": datetime(2026, 6, 1, 8, tzinfo=UTC)}
    pq.write_table(pa.Table.from_pylist([given]), home / "inbox" / "a.parquet")
    header = "meter_id,host,meter_kind,boundary,sampled_at_utc,power_w\n"
    found = [
        days(home, path="inbox/a.jsonl", format="jsonl")["findings"],
        days(home, path="inbox/a.parquet", format="parquet")["findings"],
    ]
    # a file that leaves out a column that may be empty is whole
    put(home, "a.csv", "m,h,host,it,2026-06-01T08:00:00Z,344.5", header=header)
    assert found == [[], []]
    assert (days(home, path="inbox/a.jsonl", format="jsonl")["rows"]
            == days(home, path="inbox/a.parquet", format="parquet")["rows"]
            == days(home, path="inbox/a.csv")["rows"])
    assert days(home, path="inbox/a.csv")["rows"][D1][0][:3] == ("01 08:00", None, Decimal("344.500"))


@pytest.mark.parametrize(("line", "words"), [
    (at(1, "10:00"), "neither energy_kwh nor power_w"),
    (at(1, "10:00", "-1"), "is not a number from 0"),
    (at(1, "10:00", "nan"), "is not a number from 0"),
    (at(1, "10:00", "1", host="", kind="host"), "a meter of a host names none"),
    (at(1, "10:00", "1", kind="site"), "a meter of a whole site names a host"),
    (at(1, "10:00", "1", kind="plug"), "'plug' is not site or pdu or host"),
    (at(1, "10:00", "1", meter=""), "meter_id: it is empty"),
    ("m,h,pdu,facility,2026-06-01T10:00:00Z,1,", "cannot hold the facility"),
    ("m,h,pdu,it,2026-06-01T10:00:00,1,", "has no time zone"),
    ("m,h,pdu,it,noon,1,", "is no instant"),
    ("m,h,pdu,it,2026-06-02T10:00:00Z,1,", "a reading of 2026-06-02 is in the file of 2026-06-01"),
])
def test_what_is_no_reading_holds_back_its_day_and_says_why(home, line, words):
    put(home, "2026-06-01.csv", at(1, "08:00", "1"), line)
    findings = days(home)["findings"]
    assert [finding.day for finding in findings] == ["2026-06-01"]
    assert words in findings[0].sentence() and "2026-06-01.csv, line 3" in findings[0].sentence()


@pytest.mark.parametrize(("lines", "words"), [
    ((at(1, "08:00", "1"), at(1, "08:00", "2")), "different readings at 2026-06-01 08:00:00"),
    ((at(1, "08:00", "1"), at(1, "09:00", "2", host="other")), "changes its site, host"),
    ((at(1, "08:00", "1"), at(1, "09:00", watts="100")), "or counter on 2026-06-01"),
    ((at(1, "08:00", "1") + ",secret",), "fields where the header has"),
])
def test_rows_that_contradict_each_other_are_refused(home, lines, words):
    put(home, "2026-06-01.csv", *lines)
    findings = days(home)["findings"]
    assert len(findings) == 1 and words in findings[0].sentence() and findings[0].day == "2026-06-01"


def test_a_bad_neighbour_does_not_hold_back_a_good_day(home):
    put(home, "2026-06-01.csv", at(1, "08:00", "1"))
    put(home, "2026-06-02.csv", at(2, "08:00", "oops"))
    assert days(home)["findings"] == []


def test_a_host_stands_at_the_site_of_the_source_and_sites_are_declared(home):
    header = "meter_id,site,host,meter_kind,boundary,sampled_at_utc,energy_kwh\n"
    put(home, "2026-06-01.csv", "a,there,h,pdu,it,2026-06-01T08:00:00Z,1", "b,there,,site,it,2026-06-01T08:00:00Z,1",
        "c,nowhere,,site,it,2026-06-01T08:00:00Z,1", header=header)
    sentences = [finding.sentence() for finding in days(home)["findings"]]
    assert len(sentences) == 2
    assert "it stands in there" in sentences[0] and "no [sites.nowhere] is declared" in sentences[1]


@pytest.mark.parametrize(("options", "words"), [
    ({"path": None}, "sources.meters.path"), ({"site": 7}, "sources.meters.site"), ({"format": "xml"}, "'xml'"),
    ({"step_seconds": 0}, "0 is not 1 to 86400"), ({"columns": {"volts": "v"}}, "sources.meters.columns"),
    ({"delimiter": ";;"}, "sources.meters.delimiter"), ({"ignore_columns": "all"}, "sources.meters.ignore_columns"),
])
def test_a_wrong_setting_is_named(home, options, words):
    with pytest.raises(JevonsError, match=None) as error:
        days(home, **options)
    assert words in str(error.value)


def test_own_names_and_columns_to_leave_out(home):
    put(home, "2026-06-01.csv", "m;h;pdu;it;2026-06-01T08:00:00Z;1;x",
        header="outlet;host;meter_kind;boundary;sampled_at_utc;energy_kwh;comment\n")
    found = days(home, delimiter=";", columns={"meter_id": "outlet"}, ignore_columns=["comment"])
    assert found["findings"] == [] and found["rows"][D1][0][3] == "m"


def test_check_counts_the_files_or_says_that_there_is_none(home):
    with pytest.raises(JevonsError):
        check(context(home))
    put(home, "2026-06-01.csv", at(1, "08:00", "1"))
    assert check(context(home)) == "1 file of meter readings matches inbox/{date}*.csv."


def test_days_land_alike_in_any_order(home):
    for number, day in enumerate((D1, D2, D3), start=1):
        put(home, f"{day}.csv", at(number, "01:00", f"{number}"), at(number, "23:00", f"{number}.5"))

    def land(*windows):
        for window in windows:
            with landing.scratch(home) as scratch:
                staged = landing.stage(SOURCE, READINGS, Context(context(home).settings, scratch), window)
                landed = landing.commit(staged, [], home, datetime(2026, 9, 1, tzinfo=UTC))
            assert not landed.quarantined and not landed.findings
        return {path.parent.name: path.read_bytes() for path in (home / "raw").rglob("part.parquet")}

    together = land(Window.of_days(D1, D3))
    assert len(together) == 3
    for path in (home / "raw").rglob("*"):
        if path.is_file():
            path.unlink()
    assert land(*(Window.of_days(day, day) for day in (D3, D1, D2))) == together


def test_a_strip_s_own_export_names_outlets_by_two_columns_and_machines_by_a_map(home):
    header = "time,pdu,outlet,kwh\n"
    put(home, "2026-06-01.csv", "2026-06-01T10:00:00Z,pdu-1,A1,26880.25", "2026-06-01T11:00:00Z,pdu-1,A1,26881.5",
        "2026-06-01T10:00:00Z,pdu-1,A2,7", "2026-06-01T10:00:00Z,,A3,7", header=header)
    found = days(home, columns={"sampled_at_utc": "time", "energy_kwh": "kwh"}, meter_columns=["pdu", "outlet"],
                 meter_kind="pdu", boundary="it", hosts={"pdu-1/A1": "node-1"})
    assert [row[:5] for row in found["rows"][D1]] == [
        ("01 10:00", Decimal("26880.25"), None, "pdu-1/A1", "node-1"),
        ("01 11:00", Decimal("26881.5"), None, "pdu-1/A1", "node-1"),
        ("01 10:00", Decimal("7"), None, "pdu-1/A2", None)]  # which machine it feeds is not known
    (finding,) = found["findings"]
    assert finding.where.endswith("line 5") and finding.rule == "meter_id: it is empty" and finding.day == str(D1)


@pytest.mark.parametrize("options", [
    {"meter_kind": "plug"}, {"boundary": "hall"}, {"hosts": ["a"]}, {"meter_columns": "a"},
])
def test_words_for_a_strip_s_export_that_mean_nothing_are_refused(home, options):
    with pytest.raises(JevonsError, match="A setting cannot be used"):
        days(home, **options)
