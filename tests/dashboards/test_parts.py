"""Charts, sentences and CSV without Streamlit: what is drawn and said for small frames worked out by hand."""

import csv
import io
from datetime import date
from types import SimpleNamespace

import pandas

from dashboards import charts, parts, words
from dashboards.data import indexed, periods, weeks
from dashboards.parts import Column
from pipelines import units


def _days(first, values, column="energy_kwh"):
    days = pandas.date_range(first, periods=len(values))
    return pandas.DataFrame({"usage_date": days, column: values, "calls": [10] * len(values)})


def _position(**changes):
    row = {
        "perimeter_type": "organisation", "perimeter_id": "organisation", "perimeter_name": "organisation",
        "metric": "energy_kwh", "used_quantity": 600.0, "used_low": 400.0, "used_high": 900.0,
        "limit_quantity": 1000.0, "forecast_quantity": 1200.0, "exhaustion_date": date(2026, 8, 12),
        "period_end": date(2026, 9, 1), "status": "on course to exceed",
    }  # fmt: skip
    return SimpleNamespace(**{**row, **changes})


def _plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_ceiling_sentences():
    said = words.ceiling_finding
    assert _plain(said(_position(), None)) == "Organisation energy is on course to exceed its ceiling on 12 August 2026"
    exceeded = _position(status="exceeded", used_quantity=1100.0)
    assert (
        _plain(said(exceeded, date(2026, 8, 2))) == "Organisation energy has exceeded its ceiling since 2 August 2026"
    )
    within = _position(status="within", perimeter_type="team", perimeter_name="Claims", metric="requests")
    assert _plain(said(within, None)) == "Claims: calls are within their ceiling: 40 % of it is left"
    unknown = _position(used_quantity=None)
    assert said(unknown, None) == "Organisation energy cannot be judged: what was used is unknown"
    detail = "Used 600 kWh (400 kWh to 900 kWh) of 1.00 MWh; at this pace 1.20 MWh by 31 August 2026."
    assert _plain(words.ceiling_detail(_position())) == detail


def test_weeks_begin_on_monday_and_say_whether_they_are_complete():
    # 2026-06-03 is a Wednesday: 5 days, then 7, then 2
    weekly = weeks(_days("2026-06-03", [1.0] * 5 + [2.0] * 7 + [3.0] * 2), ["energy_kwh", "calls"])
    assert weekly["week"].dt.date.tolist() == [date(2026, 6, 1), date(2026, 6, 8), date(2026, 6, 15)]
    assert weekly["energy_kwh"].tolist() == [5, 14, 6]
    assert weekly["complete"].tolist() == [False, True, False]


def test_a_week_of_unknown_energy_stays_unknown():
    weekly = weeks(_days("2026-06-01", [None] * 7 + [None] * 6 + [4.0]).astype({"energy_kwh": float}), ["energy_kwh"])
    assert weekly["energy_kwh"].isna().tolist() == [True, False]
    assert weekly["energy_kwh"].tolist()[1] == 4


def test_the_index_is_100_in_the_first_full_week_and_finds_the_crossing():
    frame = pandas.concat(
        [
            _days("2026-06-01", [10.0] * 7).assign(calls=100),
            _days("2026-06-08", [11.0] * 7).assign(calls=105),
            _days("2026-06-15", [9.0] * 7).assign(calls=140),
        ]
    )
    full = indexed(weeks(frame, ["energy_kwh", "calls"]))
    assert full["energy_index"].round(6).tolist() == [100, 110, 90]
    assert full["calls_index"].round(6).tolist() == [100, 105, 140]
    # In the second week energy is above calls, in the third below: they crossed there.
    assert words.crossings(full) == [date(2026, 6, 15)]
    finding = "Calls rose 40 % and energy fell 10 %: so far a call became cheaper faster than calls grew"
    assert _plain(words.rebound_finding(full)) == finding


def test_no_index_from_one_week():
    assert indexed(weeks(_days("2026-06-01", [1.0] * 7), ["energy_kwh", "calls"])).empty


def test_periods_offer_months_within_the_data():
    chosen = periods(date(2026, 6, 10), date(2026, 8, 2))
    assert chosen == {
        "Whole range": (date(2026, 6, 10), date(2026, 8, 2)),
        "Last 30 days": (date(2026, 7, 4), date(2026, 8, 2)),
        "June 2026": (date(2026, 6, 10), date(2026, 6, 30)),
        "July 2026": (date(2026, 7, 1), date(2026, 7, 31)),
        "August 2026": (date(2026, 8, 1), date(2026, 8, 2)),
    }
    assert periods(date(2026, 6, 10), date(2026, 6, 10)) == {"Whole range": (date(2026, 6, 10), date(2026, 6, 10))}


def test_the_burn_down_has_its_wall_at_zero_and_no_log_scale():
    days = pandas.date_range("2026-06-01", periods=3)
    place = pandas.DataFrame(
        {
            "usage_date": days, "metric": "energy_kwh", "limit_quantity": 100.0,
            "used_quantity": [10.0, 30.0, 60.0], "used_low": [5.0, 20.0, 40.0], "used_high": [20.0, 50.0, 130.0],
            "period_start": date(2026, 6, 1), "period_end": date(2026, 6, 6), "forecast_quantity": 100.0,
            "exhaustion_date": pandas.NaT,
        }
    )  # fmt: skip
    spec = charts.burn_down(place, "what it says").to_dict()
    assert spec["description"] == "what it says"
    assert "log" not in str(spec["layer"])
    rows = [row for data in spec["datasets"].values() for row in data if "worst" in row]
    assert [(row["left"], row["worst"], row["best"]) for row in rows] == [(90, 80, 95), (70, 50, 80), (40, -30, 60)]
    walls = [layer for layer in spec["layer"] if layer["mark"]["type"] == "rule" and layer["mark"]["strokeWidth"] == 3]
    assert len(walls) == 1
    assert spec["datasets"][walls[0]["data"]["name"]][0]["left"] == 0


def test_purposes_are_stacked_by_hand():
    calls = pandas.DataFrame(
        {"usage_date": [date(2026, 6, 1)] * 3, "call_purpose": ["retry", "interactive", "odd"], "calls": [5, 20, 1]}
    )
    spec = charts.stacked_purposes(calls, "x").to_dict()
    rows = {row["call_purpose"]: (row["bottom"], row["top"]) for row in next(iter(spec["datasets"].values()))}
    assert rows == {"interactive": (0, 20), "retry": (20, 25), "odd": (25, 26)}


def test_csv_cells_cannot_run_and_unknown_is_empty():
    frame = pandas.DataFrame(
        {
            "name": ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "plain, with comma"],
            "value": [-1.5, None, 2.0, 0.0, 1e-9, 3.0],
            "day": pandas.to_datetime(["2026-06-01"] * 5 + [None]),
        }
    )
    text = parts.csv_text(frame, [Column("name", "=Name"), Column("value", "kWh", units.number), Column("day", "Day")])
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["'=Name", "kWh", "Day"]
    assert [row[0] for row in rows[1:]] == ["'=cmd|' /C calc'!A0", "'+1", "'-1", "'@x", "'\tx", "plain, with comma"]
    assert [row[1] for row in rows[1:]] == ["-1.5", "", "2.0", "0.0", "1e-09", "3.0"]
    assert [row[2] for row in rows[1:]] == ["2026-06-01"] * 5 + [""]


def test_gap_sentences():
    gaps = pandas.DataFrame(
        {"provider": ["p"], "model_name": ["acme-llm-1"], "gap_reason": ["no_factor"], "calls": [2310]}
    )
    assert list(words.gaps(gaps)) == ["2,310 calls of acme-llm-1: no known factor; energy unknown, not zero"]
