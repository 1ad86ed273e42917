"""Anchors of the marts: an average that no disclosure makes believable is told, and nothing else is.

Anchors of single factors belong to the tests of pipelines/factors.
"""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from ledger_project import DAY, FIRST, TEXT, Ledger

NAME = "chat_length_averages_are_plausible"
COUNTS = ("call_count", "input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens",
          "image_count", "audio_seconds", "video_seconds")


class Anchors(Ledger):
    """The test that dbt runs in each build, as a table of what it would tell."""

    models = (NAME,)
    tables = {"fct_footprint_daily": {
        "usage_date": DAY, "model_id": TEXT, "serving_mode": TEXT, "energy_kwh": pa.decimal128(38, 9),
        **dict.fromkeys(COUNTS, pa.decimal128(38, 0)),
    }}


@pytest.fixture(scope="module")
def anchors(tmp_path_factory) -> Anchors:
    return Anchors(tmp_path_factory.mktemp("anchors") / "home")


def told(anchors: Anchors, *rows: dict) -> list[tuple]:
    """What is told of rows of 100 calls of 300 tokens in and 300 out, unless a row says otherwise."""
    usual = {"usage_date": date.fromisoformat(FIRST), "model_id": "p/m", "serving_mode": "", "call_count": 100,
             "input_tokens": 30_000, "output_tokens": 30_000}
    anchors.run({"fct_footprint_daily": [{**usual, **row} for row in rows]})
    return [(row["model_id"], row["wh_per_call"]) for row in anchors.rows(f"select * from {NAME} order by model_id")]


# 100 calls: 0.005 kWh are 5 Wh, 0.05 Wh a call; 0.5 kWh are 500 Wh, 5 Wh a call
@pytest.mark.parametrize("kwh, wh", [
    ("0.004999999", "0.050000"), ("0.005", None), ("0.03", None), ("0.5", None), ("0.500000001", "5.000000"),
    ("2", "20.000000"), ("0", "0.000000"),
])
def test_an_average_outside_of_0_05_to_5_wh_is_told(anchors, kwh, wh):
    assert told(anchors, {"energy_kwh": Decimal(kwh)}) == ([("p/m", Decimal(wh))] if wh else [])


@pytest.mark.parametrize("other", [
    {"input_tokens": 50_001}, {"cached_input_tokens": 20_001}, {"cache_write_input_tokens": 20_001},
    {"output_tokens": 19_999}, {"output_tokens": 50_001}, {"image_count": 1}, {"audio_seconds": 1},
    {"energy_kwh": None}, {"call_count": 0}, {"usage_date": date(2025, 12, 31)},
])
def test_what_is_no_chat_or_is_not_known_is_not_judged(anchors, other):
    """500 tokens in and 200 to 500 out are a chat's; what lies just outside, or on another day, is not."""
    assert told(anchors, {"energy_kwh": Decimal(2), **other}) == []


def test_rows_of_one_model_and_day_are_judged_together(anchors):
    """Two rows: (0.001 + 0.029) kWh over 200 calls are 0.15 Wh each, though the first alone has 0.01 Wh."""
    rows = {"energy_kwh": Decimal("0.001")}, {"energy_kwh": Decimal("0.029")}
    assert told(anchors, *rows) == []
    assert told(anchors, rows[0], {**rows[1], "model_id": "p/n"}) == [("p/m", Decimal("0.010000"))]
