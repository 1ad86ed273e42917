"""The source `instruments`: contracts and certificates as typed rows, and the one sentence for what cannot be."""

from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import load
from pipelines.source import Context
from pipelines.sources import instruments
from pipelines.window import Window

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
HEADER = ("instrument_id,site_id,market_boundary,kind,period_start_utc,period_end_utc,mwh,gco2e_per_kwh,issued_by,"
          "evidence\n")
TOML = """
[sources.instruments]
path = "inbox/instruments/*"
[sites.cellar]
zone = "FR"
country = "FRA"
"""
PPA = "ppa-1,cellar,,ppa,2026-01-01,2026-02-01,12.5,0,Wind AG,contracts/ppa-1.pdf"
GO = "go-1,,FRA,guarantee_of_origin,2026-01-01,2027-01-01,100,0,AIB,"
REST = "rm-2025,,FRA,residual_mix,2026-01-01,2027-01-01,,41.5,AIB,https://example.org/residual-mix"


@pytest.fixture
def context(tmp_path):
    (tmp_path / "jevons.toml").write_text(TOML)
    (tmp_path / "inbox" / "instruments").mkdir(parents=True)
    (tmp_path / "scratch").mkdir()
    return Context(load(tmp_path, {}), tmp_path / "scratch")


def put(context, *lines, name="a.csv", header=HEADER):
    (context.settings.home / "inbox" / "instruments" / name).write_text(header + "\n".join(lines) + "\n")


def land(context):
    table = instruments.SOURCE.tables[0]
    staged = landing.stage(instruments.SOURCE, table, context, Window.of_days("2026-06-01", "2026-06-01"))
    return landing.commit(staged, (), context.settings.home, NOON)


def rows(context):
    path = context.settings.home / "raw/instruments/instruments/part.parquet"
    return duckdb.sql(f"from read_parquet('{path}')").fetchall()


def test_instruments_land_whole_and_typed(context):
    put(context, PPA, "hour,cellar,,ppa,2026-02-01T13:00Z,2026-02-01T14:00Z,0.000001,12.25,,")
    put(context, GO.replace("FRA", "FR"), REST, name="b.csv")  # two letters are the same market as three
    assert land(context).findings == []
    jan, feb, end = datetime(2026, 1, 1), datetime(2026, 2, 1), datetime(2027, 1, 1)
    assert rows(context) == [
        ("go-1", None, "FRA", "guarantee_of_origin", jan, end, Decimal(100), Decimal(0), "AIB", None),
        ("hour", "cellar", None, "ppa", datetime(2026, 2, 1, 13), datetime(2026, 2, 1, 14), Decimal("0.000001"),
         Decimal("12.25"), None, None),
        ("ppa-1", "cellar", None, "ppa", jan, feb, Decimal("12.5"), Decimal(0), "Wind AG", "contracts/ppa-1.pdf"),
        ("rm-2025", None, "FRA", "residual_mix", jan, end, None, Decimal("41.5"), "AIB",
         "https://example.org/residual-mix"),
    ]
    assert instruments.check(context) == "4 instruments are read from inbox/instruments/*: 2 files."


def test_parquet_keeps_its_types(context):
    names = HEADER.strip().split(",")
    begin, end = datetime(2026, 1, 1).date(), datetime(2026, 1, 1, 2, tzinfo=UTC)
    values = ["p", "cellar", None, "ppa", begin, end, 0.5, 7, None, None]
    table = pa.table({name: [value] for name, value in zip(names, values, strict=True)})
    pq.write_table(table, context.settings.home / "inbox" / "instruments" / "a.parquet")
    assert land(context).findings == []
    assert rows(context)[0][4:8] == (datetime(2026, 1, 1), datetime(2026, 1, 1, 2), Decimal("0.5"), Decimal(7))


@pytest.mark.parametrize(
    ("line", "parts"), [
        (PPA.replace("cellar", ""), ("line 3, field site_id", "one of the two")),
        (PPA.replace("cellar,", "cellar,FRA"), ("field site_id", "one of the two")),
        (PPA.replace("cellar", "attic"), ("ppa-1", "no [sites.attic] is declared")),
        (PPA.replace("ppa-1,", ","), ("field instrument_id", "it is empty")),
        (PPA.replace(",ppa,", ",promise,"), ("field kind", "'promise' is none of ppa")),
        (PPA.replace("2026-01-01", "01/01/2026"), ("field period_start_utc", "neither a day")),
        (PPA.replace("2026-01-01", "2026-01-01T00:30Z"), ("field period_start_utc", "a whole hour")),
        (PPA.replace("2026-02-01", "2026-01-01"), ("field period_end_utc", "ends before it begins")),
        (PPA.replace("12.5", ""), ("field mwh", "a ppa has an amount")),
        (PPA.replace("12.5", "-1"), ("field mwh", "not a number from 0")),
        (PPA.replace("12.5", "1.1234567"), ("field mwh", "more than 6 decimals")),
        (PPA.replace("2026-02-01", "2026-01-01T01:00Z").replace("12.5", "100001"), ("field mwh", "MWh an hour")),
        (PPA.replace(",0,Wind", ",,Wind"), ("field gco2e_per_kwh", "it is empty")),
        (PPA.replace(",0,Wind", ",3001,Wind"), ("field gco2e_per_kwh", "from 0 to 3000")),
        (PPA.replace("Wind AG", "jane@wind.example"), ("field issued_by", "e-mail address")),
        (REST.replace("2027-01-01,,", "2027-01-01,5,"), ("field mwh", "a residual mix has no amount")),
        (REST.replace("rm-2025,,FRA", "rm-2025,cellar,"), ("field mwh", "no site")),
        (REST.replace("residual_mix", "supplier_tariff"), ("field site_id", "a tariff for all use belongs to a site")),
        (GO.replace("2026-01-01", "2026-12-31"), ("line 3", "overlaps that of", "line 2")),
        (REST.replace("rm-2025", "rm-2").replace("2026-01-01", "2026-12-31") + "\n" + REST, ("line 4", "overlaps")),
        ("one,two", ("line 3", "it has 2 fields where the header has 10")),
    ],
)
def test_a_wrong_row_holds_the_table_back(context, line, parts):
    put(context, GO, line)
    told = [finding.sentence() for finding in land(context).findings]
    assert len(told) == 1
    assert all(part in told[0] for part in parts), told[0]
    assert not (context.settings.home / "raw/instruments/instruments/part.parquet").exists()


def test_columns_that_are_not_known_or_not_there_are_named_once(context):
    put(context, PPA + ",x", GO + ",y", header=HEADER.strip() + ",holder\n")
    assert [finding.rule for finding in land(context).findings] == ["the column holder is not known"]
    put(context, "p,2026-01-01,2026-01-02,0", header="instrument_id,period_start_utc,period_end_utc,gco2e_per_kwh\n")
    assert [finding.rule for finding in land(context).findings] == ["the column kind is not there"]


def test_no_file_is_told_and_lands_nothing_wrong(context):
    assert land(context).findings == [] and rows(context) == []
    with pytest.raises(SourceError, match="No file of instruments was found"):
        instruments.check(context)


def test_a_section_without_a_path_is_told(tmp_path):
    (tmp_path / "jevons.toml").write_text("[sources.instruments]\n")
    with pytest.raises(SourceError, match=r'write path = "inbox/instruments'):
        instruments.check(Context(load(tmp_path, {}), tmp_path))
