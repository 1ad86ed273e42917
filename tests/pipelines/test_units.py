"""Quantities as people read them: prefixes, ranges, and unknown that is never 0."""

from datetime import date
from decimal import Decimal

import pandas
import pytest

from pipelines import units


def _plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 kWh"),
        (Decimal("0.000000001"), "0.00000100 Wh"),
        (Decimal("0.0123"), "12.3 Wh"),
        (1, "1.00 kWh"),
        (Decimal("999.4"), "999 kWh"),
        (1500, "1.50 MWh"),
        (12_345_678, "12.3 GWh"),
        (-2500, "-2.50 MWh"),
        (None, "unknown"),
        (float("nan"), "unknown"),
        (Decimal("NaN"), "unknown"),
        (pandas.NA, "unknown"),
        (pandas.NaT, "unknown"),
    ],
)
def test_energy(value, text):
    assert _plain(units.energy(value)) == text


@pytest.mark.parametrize(
    "write",
    [
        units.energy,
        units.carbon,
        units.count,
        units.short_count,
        units.percent,
        units.number,
        units.day,
        units.evidence,
    ],
)
def test_unknown_is_never_a_number(write):
    assert {write(value) for value in (None, float("nan"), pandas.NaT)} == {"unknown"}


def test_carbon_and_counts():
    assert _plain(units.carbon(567.4)) == "567 kgCO2e"
    assert _plain(units.carbon(Decimal("0.25"))) == "250 gCO2e"
    assert _plain(units.carbon(1_250_000)) == "1.25 ktCO2e"
    assert _plain(units.short_count(6_200_430, "calls")) == "6.20 million calls"
    assert _plain(units.count(12345, "calls")) == "12,345 calls"


def test_a_range_has_one_unit():
    assert _plain(units.energy_range(345, 1246)) == "345 to 1,246 kWh"
    assert _plain(units.energy_range(Decimal("0.2"), Decimal("0.4"))) == "200 to 400 Wh"
    assert units.energy_range(None, 5) == "unknown"


def test_a_range_has_the_unit_of_its_figure():
    assert _plain(units.energy_range(345, 12460, 5600)) == "0.345 to 12.5 MWh"  # that of the figure it belongs to
    assert _plain(units.energy_range(345, 12460, 0)) == "345 to 12,460 kWh"
    assert _plain(units.carbon_range(159, 18600, 1040)) == "0.159 to 18.6 tCO2e"
    assert _plain(units.carbon_range(Decimal("0.381"), Decimal("3.5"))) == "381 to 3,500 gCO2e"
    assert _plain(units.carbon_range(0, 12)) == "0 to 12.0 kgCO2e"
    assert units.carbon_range(None, 5, 2) == "unknown"
    assert _plain(units.quantity_range("location_kgco2e", 2, 3)) == "2.00 to 3.00 kgCO2e"
    assert _plain(units.quantity_range("requests", 5, 2_000_000)) == "5 calls to 2.00 million calls"
    assert units.quantity_range("requests", None, 2) == "unknown"


def test_a_noun_agrees_with_its_number():
    assert [_plain(units.counted(value, "day")) for value in (0, 1, 2, 1200, None)] == [
        "0 days", "1 day", "2 days", "1,200 days", "unknown"
    ]  # fmt: skip
    assert _plain(units.counted(1, "day was", "days were")) == "1 day was"
    assert [units.noun(value, "is", "are") for value in (0, 1, 2)] == ["are", "is", "are"]


def test_percent_does_not_round_to_all_or_nothing():
    written = [_plain(units.percent(ratio)) for ratio in (0, 0.0001, 0.0412, 0.99966, 1, 1.3)]
    assert written == ["0 %", "< 0.1 %", "4.1 %", "> 99.9 %", "100 %", "130.0 %"]
    assert _plain(units.percent(Decimal("0.5"), 0)) == "50 %"


def test_a_column_has_the_same_decimals():
    write = units.aligned([582, Decimal("58.24"), None, 0.001, 0])
    assert [write(value) for value in (582, Decimal("58.24"), None, 0.001, 0)] == [
        "582.0",
        "58.2",
        "unknown",
        "< 0.1",
        "0.0",
    ]
    assert units.aligned([])(None) == "unknown"


def test_days_and_months_in_words():
    assert _plain(units.day(date(2026, 8, 12))) == "12 August 2026"
    assert _plain(units.day("2026-08-12")) == "12 August 2026"
    assert units.month(date(2026, 2, 1)) == "February 2026"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_neutralised(text):
    assert units.safe_cell(text) == "'" + text


def test_other_cells_pass():
    assert [units.safe_cell(value) for value in ("a=b", -1.5, None, "")] == ["a=b", -1.5, None, ""]
