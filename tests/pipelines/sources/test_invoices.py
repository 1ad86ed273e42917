"""Invoices from the file to spend in the ledger: days that add up, one record for each vendor, what is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from models_over_home import models_over

from pipelines import landing
from pipelines.declared import Provider
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources.invoices import SOURCE
from pipelines.window import Window

HEADER = "invoice_id,line_id,vendor,period_start,period_end,amount,currency,paid_for,workflow_id\n"
GOOD = (
    "I1,1,deepl,2026-06-01,2026-07-01,100,USD,translation,notes\n"
    "I1,2,deepl,2026-06-30,2026-07-01,-7.5,USD,credit note,\n"
)


def context(home, text, providers=(), **sources):
    (home / "scratch").mkdir(exist_ok=True)
    (home / "i.csv").write_text(HEADER + text)
    return Context(Settings(home, "Test", False, {"invoices": {"path": "i.csv"}, **sources}, (), providers, {}),
                   home / "scratch")


def land(home, told):
    staged = landing.stage(SOURCE, SOURCE.tables[0], told, Window.of_days("2026-07-05", "2026-07-05"))
    return landing.commit(staged, [], home, datetime(2026, 7, 5, tzinfo=UTC))


def test_an_invoice_is_spread_over_its_days_and_adds_up(tmp_path):
    told = context(tmp_path, GOOD)
    assert SOURCE.check(told) == "2 records of invoices in i.csv can be read."
    assert land(tmp_path, told).findings == []
    ask = models_over(tmp_path, "int_invoices__activity")
    # 100 dollars over 30 days: 3.333333333 and, where the thirds have added up, 3.333333334
    assert ask("select count(*), min(usage_date), max(usage_date), min(cost_usd), max(cost_usd), sum(cost_usd), "
               "typeof(max(cost_usd)) from int_invoices__activity where workflow_tag = 'notes'") == [
        (30, date(2026, 6, 1), date(2026, 6, 30), Decimal("3.333333333"), Decimal("3.333333334"), Decimal(100),
         "DECIMAL(18,9)")]
    assert ask("select usage_hour_utc, source, provider, cost_usd, call_count from int_invoices__activity "
               "where workflow_tag is null") == [
        (datetime(2026, 6, 30), "invoices", "deepl", Decimal("-7.5"), None)]


@pytest.mark.parametrize(("before", "after", "field", "why"), [
    ("100,USD", "100,EUR", "currency", "EUR is not USD, and nothing is converted here"),
    ("2026-07-01,100", "2026-06-01,100", "period_end", "not after its start"),
    ("2026-07-01,100", "2036-07-01,100", "period_end", "more than 1100 days"),
    ("100,USD", "1000000000,USD", "amount", "a mistake"), ("100,USD", "1e3,USD", "amount", "is not a decimal number"),
    ("translation", "ann@deepl.example", "paid_for", "an e-mail address"),
])
def test_a_line_that_does_not_fit_holds_the_table_back(tmp_path, before, after, field, why):
    done = land(tmp_path, context(tmp_path, GOOD.replace(before, after, 1)))
    assert [finding.where for finding in done.findings] == [f"i.csv, line 2, field {field}"]
    assert why in done.findings[0].rule and done.changed == []


def test_a_vendor_that_another_source_reads_is_booked_only_where_somebody_said_by_which(tmp_path):
    text = GOOD.replace("deepl", "openai")
    done = land(tmp_path, context(tmp_path, text, openai={}))
    assert [finding.rule for finding in done.findings] == [
        "[sources.openai] reads the same vendor, and neither is its system_of_record"]
    with pytest.raises(SourceError, match="An invoice may count twice"):
        SOURCE.check(context(tmp_path, text, openai={}))
    for record in ("openai", "invoices"):
        told = context(tmp_path, text, (Provider("openai", "x", system_of_record=record),), openai={})
        assert land(tmp_path, told).findings == []
