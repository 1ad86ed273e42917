"""The countries: each code of the standard, and no other."""

import csv
from pathlib import Path

import pytest

from pipelines import countries
from pipelines.countries import CODES, alpha3, stored

GRID = Path(__file__).parents[2] / "dbt_project" / "seeds" / "grid_yearly.csv"


def test_both_ways_of_writing_a_country_are_one():
    assert [alpha3(code) for code in ("FR", "FRA", "DE", "DEU", "US", "USA", "GB", "CH", "TW", "SS")] == [
        "FRA", "FRA", "DEU", "DEU", "USA", "USA", "GBR", "CHE", "TWN", "SSD"]
    assert len(CODES) == len(countries._ALPHA3) == 249  # as many as the standard has
    assert all(len(two) == 2 and len(three) == 3 and (two + three).isalpha() and (two + three).isupper()
               for two, three in countries._ALPHA3.items())


@pytest.mark.parametrize("code", ["XX", "XXX", "ZZZ", "UK", "EU", "XKX", "WOR", "EEE", "fr", "Fra", " FR", "France", "",
                                  "FRAU", None, 33, ("FR",)])
def test_what_is_no_country_is_none(code):
    assert alpha3(code) is None


def test_a_name_of_something_else_stays():
    assert [stored(name) for name in ("FR", "FRA", "AIB", "fr", None)] == ["FRA", "FRA", "AIB", "fr", None]


def test_every_yearly_mix_is_of_a_country_or_of_a_named_group():
    with GRID.open(encoding="utf-8", newline="") as file:
        zones = {row["zone_country"] for row in csv.DictReader(file)}
    assert zones - CODES == {"WOR", "EEE"} and len(zones & CODES) == 213
