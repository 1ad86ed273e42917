"""Any two periods of the published build are decomposed as the mart decomposes its months.

Whether effects are right is tested where they are made, in tests/dbt.
"""

from datetime import date
from pathlib import Path

import pytest

from assets.decomposition import before, decomposition_query
from pipelines.errors import JevonsError
from pipelines.snapshot import Snapshot, current

JUNE, JULY = (date(2026, 6, 1), date(2026, 6, 30)), (date(2026, 7, 1), date(2026, 7, 31))


@pytest.fixture(scope="module")
def build(demo_home: Path) -> Snapshot:
    return current(demo_home)


@pytest.mark.parametrize("perimeter", ["organisation", "team/claims-fr"])
def test_months_that_are_asked_for_are_those_of_the_mart(build: Snapshot, perimeter: str) -> None:
    asked = build.query(decomposition_query(build, JUNE, JULY, "location_kgco2e", perimeter)).to_pylist()
    mart = build.query(f"""
        select * from fct_decomposition_monthly
        where chain = 'monthly' and base_first_date = date '{JUNE[0]}' and measure = 'location_kgco2e'
            and perimeter_id = '{perimeter.split('/')[-1]}'""").to_pylist()
    assert len(mart) > 5
    by_factor = {(row["part"], row["factor"]): row for row in mart}
    assert [(row["part"], row["factor"]) for row in asked if (row["part"], row["factor"]) not in by_factor] == []
    assert len(asked) == len(mart)
    for row in asked:
        assert row == {name: by_factor[row["part"], row["factor"]][name] for name in row}


@pytest.mark.parametrize(("base", "measure", "perimeter", "said"), [
    (JUNE, "energy_kwh", "team/none", "knows no such perimeter"),
    (JUNE, "energy_kwh", "team", "knows no such perimeter"),
    (JUNE, "energy_kwh", "planet", "knows no such perimeter"),
    (JUNE, "tokens", "organisation", "not measured"),
    ((date(2020, 1, 1), date(2020, 1, 31)), "energy_kwh", "organisation", "no day of it is in the ledger"),
    (JUNE[::-1], "energy_kwh", "organisation", "ends before it begins"),
])
def test_what_cannot_be_compared_is_refused(
    build: Snapshot, base: tuple[date, date], measure: str, perimeter: str, said: str
) -> None:
    with pytest.raises(JevonsError, match=said):
        decomposition_query(build, base, JULY, measure, perimeter)


def test_without_another_period_as_many_days_before_are_taken() -> None:
    assert before(*JULY) == (date(2026, 5, 31), date(2026, 6, 30))
    assert before(JULY[0], JULY[0]) == (date(2026, 6, 30), date(2026, 6, 30))
