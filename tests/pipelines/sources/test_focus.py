"""FOCUS billing files from the export to spend in the ledger: sums by hand, versions, corrections, what is refused."""

import csv
import gzip
import io
import random
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from models_over_home import models_over
from support import SHARED, need

from pipelines import engine, landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import _files, _focus_charges, focus
from pipelines.sources.focus import SOURCE
from pipelines.window import Window

REAL = SHARED / "focus-1.0" / "focus_sample.csv"
FETCHED = datetime(2026, 7, 1, 3, tzinfo=UTC)
JUNE = Window.of_days("2026-06-01", "2026-06-30")
CHARGE = {
    "BilledCost": "3", "EffectiveCost": "2.5", "BillingCurrency": "USD", "ChargePeriodStart": "2026-06-02T10:00:00Z",
    "ChargePeriodEnd": "2026-06-02T11:00:00Z", "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "Amazon Bedrock", "ProviderName": "AWS", "SkuId": "S1", "SubAccountId": "acc-1",
    "BillingAccountId": "payer", "BillingAccountName": "SENTINEL Ltd", "ResourceId": "arn:SENTINEL",
    "ChargeCategory": "Usage", "ChargeClass": "NULL", "ConsumedQuantity": "1000", "ConsumedUnit": "Tokens",
    "Tags": '{"team": "north", "owner": "SENTINEL@example.org"}', "x_Anything": "SENTINEL",
}


def text(*rows):
    """A CSV file; a row says how it differs from CHARGE."""
    out = io.StringIO()
    whole = [{**CHARGE, **row} for row in rows]
    writer = csv.DictWriter(out, list(whole[0]))
    writer.writeheader()
    writer.writerows(whole)
    return out.getvalue()


def context(home, **options):
    (home / "scratch").mkdir(exist_ok=True)
    (home / "inbox").mkdir(exist_ok=True)
    return Context(Settings(home, "Test", False, {"focus": {"path": "inbox/*", "workflow_tag": "team", **options}}, (),
                            (), {}), home / "scratch")


def land(home, *files, window=JUNE, **options):
    told = context(home, **options)
    for number, file in enumerate(files):
        (home / "inbox" / f"{number}.csv").write_text(file)
    return landing.commit(landing.stage(SOURCE, SOURCE.tables[0], told, window), [], home, FETCHED)


def landed(home, sql):
    return duckdb.sql(f"select {sql} from read_parquet('{home}/raw/focus/charges/dt=*/part.parquet', "
                      "hive_partitioning=true)").fetchall()


def test_charges_become_spend_and_a_correction_adds_to_what_it_corrects(tmp_path):
    done = land(
        tmp_path,
        text({}, {"SkuId": "S2", "EffectiveCost": "0.25"}, {"ServiceName": "Amazon S3", "ServiceCategory": "Storage"}),
        # the next month's file corrects the second of June, and credits another account
        text({"ChargeClass": "Correction", "EffectiveCost": "-0.5", "BilledCost": "-1"},
             {"ChargeCategory": "Credit", "EffectiveCost": "-0.125", "SubAccountId": "acc-2", "Tags": "NULL"}),
    )
    assert done.findings == [] and done.changed == [date(2026, 6, 2)] and len(done.missing) == 29
    # on the third, cash is counted: 3, not 2.5
    (tmp_path / "inbox" / "2.csv").write_text(text({}).replace("-02T", "-03T"))
    third = Window.of_days("2026-06-03", "2026-06-03")
    staged = landing.stage(SOURCE, SOURCE.tables[0], context(tmp_path, cost="billed"), third)
    assert landing.commit(staged, [], tmp_path, FETCHED).findings == []
    ask = models_over(tmp_path, "int_focus__activity")
    assert ask("select cost_usd from int_focus__activity where usage_date = '2026-06-03'") == [(Decimal(3),)]
    # 2.5 + 0.25 - 0.5 = 2.25; storage is no AI
    assert ask("select usage_date, usage_hour_utc, source, provider, project_id, workflow_tag, cost_usd, call_count, "
               "input_tokens, typeof(cost_usd) from int_focus__activity where usage_date < '2026-06-03' "
               "order by cost_usd") == [
        (date(2026, 6, 2), datetime(2026, 6, 2), "focus", "bedrock", "acc-2", None, Decimal("-0.125"), None, None,
         "DECIMAL(18,9)"),
        (date(2026, 6, 2), datetime(2026, 6, 2), "focus", "bedrock", "acc-1", "north", Decimal("2.25"), None, None,
         "DECIMAL(18,9)"),
    ]
    assert landed(tmp_path, "sum(billed_cost_usd), sum(charge_count)") == [(Decimal(11), 5)]  # 3 + 3 - 1 + 3 + 3
    assert "SENTINEL" not in str(pq.read_table(next((tmp_path / "raw").rglob("part.parquet"))).to_pylist())
    assert not any("SENTINEL" in path.read_text() for path in (tmp_path / "raw").rglob("receipt.json"))


def test_a_charge_over_days_is_split_and_adds_up(tmp_path):
    land(tmp_path, text({"EffectiveCost": "100", "ChargePeriodStart": "2026-05-30T00:00:00Z",
                         "ChargePeriodEnd": "2026-06-02T00:00:00Z"}), window=Window.of_days("2026-05-30", "2026-06-05"))
    # 100 / 3 days, rounded down at both ends of each: 33.333333333333, 33.333333333333, 33.333333333334
    assert landed(tmp_path, "dt::varchar, effective_cost_usd") == [
        ("2026-05-30", Decimal("33.333333333333")), ("2026-05-31", Decimal("33.333333333333")),
        ("2026-06-01", Decimal("33.333333333334"))]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3"])
@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet"])
def test_every_version_and_form_gives_the_same(tmp_path, version, form):
    told = context(tmp_path)
    row = dict(CHARGE)
    if version > "1.0":
        row |= {"ServiceSubcategory": "Generative AI", "SkuMeter": "Input tokens", "SkuPriceDetails": '{"x": "claude"}'}
    if version == "1.2":
        row |= {"PricingCurrency": "USD", "InvoiceId": "7", "BillingAccountType": "payer"}
    if version == "1.3":
        row |= {"HostProviderName": "AWS", "ServiceProviderName": row.pop("ProviderName"), "AllocatedTags": "{}"}
    path = tmp_path / "inbox" / f"part-0.{form}"
    if form == "parquet":
        kinds = {"BilledCost": pa.decimal128(20, 11), "EffectiveCost": pa.float64(), "ConsumedQuantity": pa.float64(),
                 "Tags": pa.map_(pa.string(), pa.string()), "ChargePeriodStart": pa.timestamp("us", "UTC"),
                 "ChargePeriodEnd": pa.timestamp("ms")}
        values = row | {"BilledCost": Decimal(3), "EffectiveCost": 2.5, "ConsumedQuantity": 1000.0, "ChargeClass": None,
                        "Tags": [("team", "north")], "ChargePeriodStart": datetime(2026, 6, 2, 10, tzinfo=UTC),
                        "ChargePeriodEnd": datetime(2026, 6, 2, 11)}
        pq.write_table(pa.table({name: pa.array([value], kinds.get(name, pa.string()))
                                 for name, value in values.items()}), path)
    else:
        pack = gzip.compress if form == "csv.gz" else bytes
        out = io.StringIO()
        csv.writer(out).writerows([row.keys(), row.values()])
        path.write_bytes(pack(out.getvalue().encode()))
    staged = landing.stage(SOURCE, SOURCE.tables[0], told, JUNE)
    assert staged.findings == []
    landing.commit(staged, [], tmp_path, FETCHED)
    assert landed(tmp_path, "provider, service_name, workflow_tag, charge_class, billed_cost_usd, effective_cost_usd, "
                            "consumed_quantity, sku_meter") == [
        ("bedrock", "Amazon Bedrock", "north", None, 3, Decimal("2.5"), 1000,
         "Input tokens" if version > "1.0" else None)]


@pytest.mark.parametrize(("row", "options", "is_ai"), [
    ({}, {}, True),
    ({"ServiceCategory": "Compute", "ServiceName": "Azure OpenAI Service"}, {}, True),
    ({"ServiceCategory": "Other", "ServiceName": "Marketplace", "SkuId": "Claude-Sonnet"}, {}, True),
    ({"ServiceCategory": "Storage", "ServiceName": "S3"}, {}, False),
    ({"ServiceName": "Amazon_Bedrock"}, {"leave_out": ["amazon bedrock"]}, True),  # _ stands for itself
    ({}, {"leave_out": ["*BEDROCK*"]}, False),
    ({"ServiceCategory": "Compute", "ServiceName": "EC2", "ChargeDescription": "p5.48xlarge"}, {"skus": ["p5*"]}, True),
])
def test_what_is_of_ai_is_found_by_category_service_and_sku(tmp_path, row, options, is_ai):
    done = land(tmp_path, text(row), **options)
    assert done.changed == [date(2026, 6, 2)], "a day with charges was delivered, whatever they are for"
    assert len(landed(tmp_path, "*")) == is_ai


@pytest.mark.parametrize(("row", "where", "rule", "day"), [
    ({"BillingCurrency": "EUR"}, "0.csv, record 2, field BillingCurrency", "EUR is not USD, and nothing is conv", 2),
    ({"EffectiveCost": "a lot"}, "0.csv, record 2, field EffectiveCost", "it is not a decimal number", 2),
    ({"BilledCost": ""}, "0.csv, record 2, field BilledCost", "it is empty", 2),
    ({"ChargePeriodStart": "2 June"}, "0.csv, record 2, field ChargePeriodStart", "no", None),
    ({"ChargePeriodEnd": "2026-06-02T10:00:00Z"}, "record 2, field ChargePeriodEnd", "not after its start", 2),
    ({"ChargePeriodEnd": "2036-06-02T10:00:00Z"}, "0.csv, record 2, field ChargePeriodEnd", "longer than 1100", None),
    ({"ProviderName": ""}, "0.csv, record 2, field ProviderName", "it is empty", 2),
])
def test_a_charge_that_does_not_fit_holds_its_day_back(tmp_path, row, where, rule, day):
    done = land(tmp_path, text({"ChargePeriodStart": "2026-06-01T10:00:00Z", "ChargePeriodEnd": "2026-06-01T11:00:00Z"},
                               row))
    assert where in done.findings[0].where and rule in done.findings[0].rule
    assert [finding.day for finding in done.findings] == [f"2026-06-0{day}" if day else None]
    assert done.changed == ([date(2026, 6, 1)] if day else [])
    with pytest.raises(SourceError, match="1 charge is refused"):
        SOURCE.check(context(tmp_path))
    storage = row | {"ServiceCategory": "Storage", "ServiceName": "S3"}
    (tmp_path / "other").mkdir()
    assert land(tmp_path / "other", text(storage, {})).findings == [], "what is no AI is nobody's business here"


def test_a_charge_of_other_days_holds_none_of_these_back(tmp_path):
    may = {"ChargePeriodStart": "2026-05-01T00:00:00Z", "ChargePeriodEnd": "2026-06-01T00:00:00Z",
           "BillingCurrency": "EUR"}
    assert land(tmp_path, text({}, may)).findings == []
    done = land(tmp_path, text({}, may), window=Window.of_days("2026-05-31", "2026-06-02"))
    assert [finding.day for finding in done.findings] == [None] and done.quarantined


def test_charges_that_come_twice_are_refused_because_they_would_add_up(tmp_path):
    with pytest.raises(SourceError, match=r"inbox/0.csv and inbox/1.csv\): they hold the same bytes"):
        land(tmp_path, text({}), text({}))
    done = land(tmp_path, text({}), text({}, {"EffectiveCost": "7"}))
    assert [(f.rule, f.day) for f in done.findings] == [
        ("the same charge is in two files, and charges add up", "2026-06-02")]
    assert land(tmp_path, text({}, {}), text({"EffectiveCost": "7"})).findings == []  # two in one file are two charges


@pytest.mark.parametrize(("file", "rule"), [
    ("A,B\n1,2\n", "it has no column BilledCost"), ("", "it is empty"), (text({}) + "1,2\n", "has not the fields"),
    (text({}).replace("ProviderName", "Nobody"), "it has no column ProviderName"),
    (text({}).replace("SkuId", "Tags"), "is there twice"),
])
def test_what_is_no_focus_file_is_refused_in_a_sentence(tmp_path, file, rule):
    with pytest.raises(SourceError, match=rule) as told:
        land(tmp_path, file)
    assert "\n" not in str(told.value) and "SENTINEL" not in str(told.value)


def test_the_doctor_says_who_is_not_placed(tmp_path):
    told = context(tmp_path)
    with pytest.raises(SourceError, match="No billing file was found"):
        SOURCE.check(told)
    (tmp_path / "inbox" / "f.csv").write_text(text({}, {"ServiceName": "Amazon Q", "ProviderName": "A W S."}))
    assert SOURCE.check(told) == ("2 charges of AI can be read from inbox/*; no [providers] section says yet where and "
                                  "by whom these are counted: a_w_s, bedrock.")
    for name, value in {"path": 3, "cost": "list", "services": "x", "providers": {"a": 1}, "workflow_tag": 1}.items():
        with pytest.raises(SourceError, match=rf"sources.focus.{name}\)"):
            SOURCE.check(context(tmp_path, **{name: value}))


def test_the_published_sample_goes_through_with_its_own_totals(tmp_path):
    need(REAL.is_file(), "the published sample is not beside this clone")
    september = Window.of_days("2024-09-01", "2024-09-30")
    done = land(tmp_path, REAL.read_text(), window=september, workflow_tag="ComputeType")
    assert done.findings == [] and done.missing == []
    oracle = duckdb.sql(f"""
        select count(*), sum(BilledCost::decimal(30, 15))::decimal(24, 12), sum(EffectiveCost::decimal(30, 15))
            ::decimal(24, 12) from read_csv('{REAL}', all_varchar = true)
        where ServiceCategory = 'AI and Machine Learning'
    """).fetchall()
    # nine charges: 0.005 + 0.005 - 0.149 - 0.01288992 - 0.00000764078 + 0.00000000503 - 0.00000000603 = -0.15189756178
    assert oracle == [(9, Decimal("-0.151897561780"), Decimal("-0.151897561780"))]
    assert landed(tmp_path, "sum(charge_count)::bigint, sum(billed_cost_usd), sum(effective_cost_usd)") == oracle
    assert landed(tmp_path, "distinct provider, service_name, workflow_tag") == [
        ("microsoft", "Azure Machine Learning", "Compute Instance")]


def test_of_ten_thousand_charges_at_random_each_is_counted_or_refused(tmp_path):
    """One file of charges whose fields are drawn from what exports hold and should not; Python decides beside SQL."""
    draw = random.Random(11).choice
    numbers = ["1.5", "-0.25", "0", "1e-7", " 2 "] * 5 + ["", "NULL", "NaN", "1,5", "0x1F", "9" * 20, "=1+1", "١"]
    starts = ["2026-06-01 00:00:00", "2026-06-02T23:00:00Z", "2026-06-02T23:30:00+02:00", "2026-06-31T00:00:00Z",
              "yesterday", "", "2026-06-02"]
    stops, ours = ["2026-06-03T00:00:00Z", "2026-06-01T01:00:00Z", "?"], ["AI and Machine Learning", "Compute", ""]
    rows = [{
        "BilledCost": draw(numbers), "EffectiveCost": draw(numbers), "ConsumedQuantity": draw(numbers),
        "ChargePeriodStart": draw(starts), "ChargePeriodEnd": draw(stops),
        "BillingCurrency": draw(["USD"] * 9 + ["EUR", ""]), "ProviderName": draw(["AWS"] * 9 + [""]),
        "ServiceName": draw(["Amazon Bedrock", "EC2"]), "ServiceCategory": draw(ours),
        "ChargeDescription": draw(["a, \"b\"", "line\nbreak", "claude", "SENTINEL@example.org"]),
    } for _ in range(10_000)]
    known = {written: Decimal(written.strip()) for written in numbers[:5]}
    instants = dict(zip(starts[:3], (datetime(2026, 6, 1), datetime(2026, 6, 2, 23), datetime(2026, 6, 2, 21, 30)),
                        strict=True))
    ends = {"2026-06-03T00:00:00Z": datetime(2026, 6, 3), "2026-06-01T01:00:00Z": datetime(2026, 6, 1, 1)}
    ai = [row for row in rows if row["ServiceName"] == "Amazon Bedrock" or row["ChargeDescription"] == "claude"
          or row["ServiceCategory"].startswith("AI")]
    good = [
        row for row in ai
        if row["BilledCost"] in known and row["EffectiveCost"] in known and row["BillingCurrency"] == "USD"
        and row["ConsumedQuantity"] in {*known, "", "NULL"} and row["ProviderName"] and row["ServiceCategory"]
        and row["ChargePeriodStart"] in instants
        and ends.get(row["ChargePeriodEnd"], datetime.min) > instants[row["ChargePeriodStart"]]
    ]
    told = context(tmp_path)
    (tmp_path / "inbox" / "f.csv").write_text(text(*rows))
    given = _files.matching(tmp_path, "inbox/*")
    with engine.connect(tmp_path / "scratch") as duck:
        _focus_charges.load(duck, given, focus._is_ai(focus._options(told)))
        assert duck.execute("select (select count(*) from charges), (select count(*) from ill), sum(charge_count) "
                            "from spans").fetchone() == (len(ai), len(ai) - len(good), 10_000)
        _focus_charges.by_day(duck, {"provider": "'x'"}, focus.SUMS, JUNE)
        assert duck.execute("select sum(billed_cost_usd) from days").fetchone()[0] == sum(
            known[row["BilledCost"]] for row in good)
        sentences = [finding.sentence() for finding in _focus_charges.refusals(duck, given, JUNE).all()]
    assert len(good) > 300 and sentences and not any("SENTINEL" in each or "\n" in each for each in sentences)
