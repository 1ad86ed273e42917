"""Charts, sentences and CSV without Streamlit: what is drawn and said for small frames worked out by hand."""

import csv
import io
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pandas

from dashboards import cells, charts, tables, words, words_of_gaps
from dashboards.tables import Column
from dashboards.weeks import change, indexed, periods, weeks
from pipelines import units


def _days(first, values, column="energy_kwh"):
    days = pandas.date_range(first, periods=len(values))
    return pandas.DataFrame({"usage_date": days, column: values, "calls": [10] * len(values)})


def _position(**changes):
    row = {
        "perimeter_type": "organisation", "perimeter_id": "organisation", "perimeter_name": "organisation",
        "metric": "energy_kwh", "used_quantity": 600.0, "used_low": 400.0, "used_high": 900.0,
        "limit_quantity": 1000.0, "forecast_quantity": 1200.0, "forecast_low": 800.0, "forecast_high": 2000.0,
        "exhaustion_date": date(2026, 8, 12),
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
    detail = "Used 600 (400 to 900) of 1,000 kWh; forecast 1,200 (800 to 2,000) by 31 August 2026."
    assert _plain(words.ceiling_detail(_position())) == detail
    large = _position(metric="location_kgco2e", limit_quantity=2000.0, forecast_low=None)
    assert _plain(words.ceiling_detail(large)) == (
        "Used 0.600 (0.400 to 0.900) of 2.00 tCO2e; forecast 1.20 by 31 August 2026."
    )


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


def test_the_index_is_100_in_the_first_full_week():
    frame = pandas.concat(
        [
            _days("2026-06-01", [10.0] * 7).assign(calls=100),
            _days("2026-06-08", [9.0] * 7).assign(calls=100),
            _days("2026-06-15", [11.0] * 7).assign(calls=105),
            _days("2026-06-22", [11.2] * 7).assign(calls=140),
            _days("2026-06-29", [13.5] * 7).assign(calls=180),
        ]
    )
    full = indexed(weeks(frame, ["energy_kwh", "calls"]))
    assert full["energy_index"].round(6).tolist() == [100, 90, 110, 112, 135]
    assert full["calls_index"].round(6).tolist() == [100, 100, 105, 140, 180]
    # 90/100, 110/105 = 1.0476, 112/140 = 0.8, 135/180 = 0.75
    assert full["per_call_index"].round(2).tolist() == [100, 90, 104.76, 80, 75]
    # The second week was cheap, too, but the third was not: what holds since then begins with the fourth.
    assert words.cheaper_since(full) == date(2026, 6, 22)
    assert words.cheaper_since(full.iloc[:3]) is None
    finding = "Energy per call fell 25 %, calls rose 80 %, and the total still rose 35 %"
    assert _plain(words.rebound_finding(full)) == finding
    assert _plain(words.rebound_finding(full.iloc[:2])) == (
        "Energy per call fell 10 %, calls did not change; the total fell 10 %"
    )
    assert _plain(words.rebound_finding(full.iloc[:3])) == (
        "Energy per call rose 5 %, calls rose 5 %; the total rose 10 %"
    )


def test_a_change_compares_full_weeks_that_are_known():
    weekly = pandas.DataFrame({"complete": [False, True, True, True, False], "wh": [9, 4.0, 8.0, None, 1.0]})
    assert change(weekly, "wh") == 1.0  # 4 to 8: the first, the last and the unknown week do not count
    assert change(weekly.iloc[:2], "wh") is None


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
    spec = charts.burn_down(place, "what it says")
    assert spec["description"] == "what it says"
    assert "log" not in str(spec["layer"])
    rows = next(layer["data"]["values"] for layer in spec["layer"] if layer["mark"]["type"] == "area")
    assert [(row["left"], row["worst"], row["best"]) for row in rows] == [(90, 80, 95), (70, 50, 80), (40, -30, 60)]
    walls = [layer for layer in spec["layer"] if layer["mark"]["type"] == "rule"]
    assert [wall["data"]["values"][0]["left"] for wall in walls] == [0]
    # The forecast leads to exactly nothing left on the last day.
    dashed = [layer["data"]["values"] for layer in spec["layer"] if layer["mark"].get("strokeDash") == [6, 4]]
    assert [(row["day"], row["left"]) for row in dashed[0]] == [(_ms("2026-06-03"), 40), (_ms("2026-06-06"), 0)]


def test_the_forecasts_interval_opens_from_the_range_of_today():
    place = pandas.DataFrame(
        {
            "usage_date": pandas.date_range("2026-06-01", periods=2), "metric": "energy_kwh", "limit_quantity": 100.0,
            "used_quantity": [10.0, 30.0], "used_low": [5.0, 20.0], "used_high": [20.0, 50.0],
            "period_start": date(2026, 6, 1), "period_end": date(2026, 6, 6), "forecast_quantity": 120.0,
            "forecast_low": 80.0, "forecast_high": 200.0, "exhaustion_date": date(2026, 6, 5),
            "exhaustion_date_low": date(2026, 6, 4), "exhaustion_date_high": pandas.NaT,
        }
    )  # fmt: skip
    spec = charts.burn_down(place, "x")
    areas = [layer["data"]["values"] for layer in spec["layer"] if layer["mark"]["type"] == "area"]
    # left at the low end 100 - 50 = 50 today and 100 - 200 = -100 at the end, at the high end 80 and 20
    assert [(row["worst"], row["best"]) for row in areas[1]] == [(50, 80), (-100, 20)]
    (thick,) = [layer["data"]["values"] for layer in spec["layer"] if layer["mark"].get("strokeWidth") == 8]
    # from the earliest day; it may not run out at all, so to the end
    assert [row["day"] for row in thick] == [_ms("2026-06-04"), _ms("2026-06-06")]


def test_days_between_say_what_they_share_once():
    said = lambda *days: _plain(words.days_between(*days))  # noqa: E731
    first, second = date(2026, 9, 8), date(2026, 9, 11)
    assert said(first, second) == "8 to 11 September 2026"
    assert said(first, date(2026, 10, 1)) == "8 September to 1 October 2026"
    assert said(date(2025, 12, 31), first) == "31 December 2025 to 8 September 2026"
    assert said(first, first) == said(None, second) == ""
    assert said(first, None) == "earliest 8 September 2026"
    assert said(first, None, date(2026, 9, 7)) == "earliest 8 September 2026"
    assert said(first, None, first) == "at the high end since 8 September 2026"


def _ms(day):
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


def test_a_wide_range_does_not_squash_its_figures():
    central = pandas.Series([100.0, 400.0])
    assert charts.headroom(central, pandas.Series([150.0, 500.0])) == 525  # 5 % above the highest bound
    assert charts.headroom(central, pandas.Series([150.0, 2400.0])) == 640  # 1.6 times the central figure
    assert charts.headroom(pandas.Series([None], dtype=float), pandas.Series([None], dtype=float)) == 1
    weekly = weeks(
        _days("2026-06-01", [10.0] * 14).assign(energy_kwh_low=4.0, energy_kwh_high=[12.0] * 7 + [60.0] * 7),
        ["calls", "energy_kwh_low", "energy_kwh", "energy_kwh_high"],
    )
    spec = charts.weekly_bars(weekly, "energy_kwh", "kWh", "#000", "x")
    # 70 kWh a week: the axis ends at 112; 84 kWh is drawn, 420 kWh is cut there with an arrow head
    ranges = [layer["data"]["values"] for layer in spec["layer"] if layer["mark"]["type"] == "rule"]
    assert [(row["low"], row["high"]) for row in ranges[0]] == [(28, 84), (28, 112)]
    arrows = next(layer["data"]["values"] for layer in spec["layer"] if layer["mark"]["type"] == "point")
    assert [row["high"] for row in arrows] == [112]
    note = "kWh a week. The thin line is the range, low to high, cut off at the top: it goes up to 420."
    assert words.range_note(weekly, 112, "kWh a week") == note


def test_purposes_are_stacked_by_hand():
    calls = pandas.DataFrame(
        {"usage_date": [date(2026, 6, 1)] * 3, "call_purpose": ["retry", "interactive", "odd"], "calls": [5, 20, 1]}
    )
    spec = charts.stacked_purposes(calls, "x")
    rows = {row["call_purpose"]: (row["bottom"], row["top"]) for row in spec["layer"][0]["data"]["values"]}
    assert rows == {"interactive": (0, 20), "retry": (20, 25), "odd": (25, 26)}


def test_a_bar_says_what_it_shows_and_marks_what_it_cuts_off():
    html = cells.bar('<"said">', 50, 100, 500, 200, ahead=150, wall=100)
    assert 'role="img" aria-label="‹&quot;said&quot;&gt;"' in html
    assert 'class="low-high" style="left:25.0%;width:75.0%"' in html  # 50 to 500, cut off at 200
    assert 'class="central" style="width:50.0%"' in html
    assert 'class="wall" style="left:50.0%"' in html
    assert 'class="ahead" style="left:75.0%"' in html
    assert 'class="beyond"' in html
    assert 'class="beyond"' not in cells.bar("x", 50, 100, 200, 200)
    unknown = cells.bar("x", None, None, None, 200)
    assert "unknown" in unknown and "central" not in unknown


def test_retries_are_a_share_of_the_calls_whose_source_tells():
    assert _plain(words.retries(4, 100, 100)) == "4.0 % of them are retries"
    partly = "4.0 % retries among the 100 whose source tells; unknown for the others"
    assert _plain(words.retries(4, 100, 5000)) == partly
    assert words.retries(None, None, 5000) == "their source does not tell which are retries"


def test_csv_cells_cannot_run_and_unknown_is_empty():
    frame = pandas.DataFrame(
        {
            "name": ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "plain, with comma"],
            "value": [-1.5, None, 2.0, 0.0, 1e-9, 3.0],
            "day": pandas.to_datetime(["2026-06-01"] * 5 + [None]),
        }
    )
    text = tables.csv_text(frame, [Column("name", "=Name"), Column("value", "kWh", units.number), Column("day", "Day")])
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["'=Name", "kWh", "Day", "Empty cells"]
    assert [row[0] for row in rows[1:]] == ["'=cmd|' /C calc'!A0", "'+1", "'-1", "'@x", "'\tx", "plain, with comma"]
    assert [row[1] for row in rows[1:]] == ["-1.5", "", "2.0", "0.0", "1e-09", "3.0"]
    assert [row[2] for row in rows[1:]] == ["2026-06-01"] * 5 + [""]
    assert [row[3] for row in rows[1:]] == ["", "kWh: unknown", "", "", "", ""]


def test_gap_sentences():
    gaps = pandas.DataFrame(
        [
            ("acme/acme-llm-1", "no_factor", 2310, 0, None),
            ("acme/big", "no_factor", 1, 0, 12.0),
            ("hardware/NVIDIA A100", "no_meter", 0, 480, None),
        ],
        columns=["model_id", "gap_reason", "calls", "gpu_seconds", "energy_kwh_high"],
    )
    assert [_plain(line) for line in words_of_gaps.gaps(gaps)] == [
        "2,310 calls of acme/acme-llm-1: no known factor; energy unknown, not zero",
        "1 call of acme/big: no known factor; energy unknown, not zero (at most 12.0 kWh)",
        "8 GPU minutes of NVIDIA A100: no meter reads its hardware; energy unknown, not zero",
    ]


def test_a_restated_day_names_both_counts():
    changed = pandas.DataFrame(
        [("completions", "input_tokens", 5, 9), ("completions", "num_model_requests", 178584, 218230)],
        columns=["table_name", "quantity", "before_total", "now_total"],
    ).assign(source="openai", usage_date=pandas.Timestamp("2026-07-30"))
    assert [_plain(line) for line in words_of_gaps.restated(changed)] == [
        "openai restated 30 July 2026 (completions): 178,584 calls became 218,230 calls; the figures follow the newest "
        "version, the earlier one is kept"
    ]


def test_weeks_that_lack_a_table_are_named():
    missing = pandas.DataFrame({"usage_date": pandas.to_datetime(["2026-07-12", "2026-07-06"])})  # Sunday and Monday
    said = _plain(words_of_gaps.weeks_lacking(missing))
    assert said == " Tables of a source are missing in the week of 6 July 2026; see below."
    assert words_of_gaps.weeks_lacking(missing.iloc[:0]) == ""
