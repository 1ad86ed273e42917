"""Evidence and Models under AppTest: what they say is what the marts hold, and what is not there is said, not guessed.

What does not belong here: what holds for all pages; `test_pages` asks that of these two as well.
"""

import csv
import io
import re
from datetime import date
from decimal import Decimal
from html import unescape
from types import SimpleNamespace

import duckdb
import fixture_evidence
import fixture_marts
import pandas
import pytest
from test_pages import _html, _open, _text

from dashboards import cells, charts, words, words_of_evidence, words_of_gaps, words_of_hardware, words_of_models
from dashboards.book import Book
from dashboards.questions import evidence, models, reconciliation
from pipelines import snapshot


def _said(home, page) -> str:
    return re.sub(r"\s+", " ", _text(_open(home, page)))


@pytest.fixture(scope="module")
def book(home):
    return Book(snapshot.current(home), date(2026, 6, 1), date(2026, 8, 29))


@pytest.fixture(scope="module")
def evidence_page(home):
    return _open(home, "Evidence")


@pytest.fixture(scope="module")
def models_page(home):
    return _open(home, "Models")


def _rows(test, caption: str) -> list[list[str]]:
    """The cells of a table as a person reads them, what is small after a bar."""
    (table,) = re.findall(rf"<caption>{re.escape(caption)}</caption>.*?</table>", _html(test), flags=re.S)
    body = re.split("<tbody[^>]*>", table)[1]
    rows = []
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, flags=re.S):
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, flags=re.S)
        plain = [unescape(re.sub(r"<[^>]+>", "", cell.replace("<small>", " | "))) for cell in cells]
        rows.append([cell.replace("\N{NO-BREAK SPACE}", " ").strip() for cell in plain])
    return rows


def test_every_rung_has_a_row_and_what_has_no_energy_stands_apart(evidence_page, home):
    rows = {row[0].split(" | ")[0]: row[1:] for row in _rows(evidence_page, "Energy and calls by evidence")}
    assert list(rows) == [
        "Metered at the wall", "Telemetry", "Supplier", "Benchmark", "Estimate from size", "Default",
        "Metered elsewhere", "Unknown",
    ]  # fmt: skip
    asked = snapshot.current(home).query(
        "select evidence_tier as tier, sum(energy_kwh) as kwh, sum(call_count) as calls from fct_footprint_daily"
        " where energy_kwh is not null group by 1"
    )
    known = {row["tier"]: row for row in asked.to_pylist()}
    total = sum(row["kwh"] for row in known.values())
    (counted,) = snapshot.current(home).query("select sum(call_count) as calls from fct_organisation_daily").to_pylist()
    calls = int(counted["calls"])
    estimated = rows["Estimate from size"]
    assert Decimal(estimated[0].replace(",", "")) == known[4]["kwh"].quantize(Decimal(1))
    assert estimated[2] == f"{known[4]['kwh'] / total * 100:.1f} %"
    # The denominator of calls holds those without energy: 90 days x 2,000 calls are in a meter, 2,104 are unknown.
    assert sum(int(row["calls"]) for row in known.values()) + 90 * 2000 + 2104 == calls
    assert estimated[5] == f"{known[4]['calls'] / calls * 100:.1f} %"
    assert rows["Telemetry"] == ["none", "", "", "none", "", ""]
    assert rows["Metered elsewhere"] == ["in its meter's row", "", "", "180,000", "", "2.8 %"]
    assert rows["Unknown"] == ["unknown", "", "", "2,104", "", "< 0.1 %"]
    # 234 kWh are metered: 90 days of 2.6 kWh, by no call
    assert rows["Metered at the wall"][0] == "234.0" and rows["Metered at the wall"][3] == "none"


def test_shares_of_a_week_are_of_what_is_drawn():
    weekly = pandas.DataFrame(
        {
            "week": pandas.to_datetime(["2026-06-01"] * 3 + ["2026-06-08"] * 2),
            "rung": ["4", "0", "unknown", "4", "unknown"],
            "energy_kwh": [30.0, 10.0, None, 5.0, None],
            "calls": [60, 0, 40, 0, 0],
        }
    )
    kinds = {"0": ("Metered", "#000"), "4": ("Estimate", "#111"), "unknown": ("Unknown", "#222")}

    def drawn(column):
        rows = charts.stacked_shares(weekly, column, "%", kinds, "x")["layer"][0]["data"]["values"]
        return [(row["kind"], row["bottom"], row["top"]) for row in rows]

    # 10 and 30 of 40 kWh, the best rung at the bottom; what is unknown is in no share of energy
    assert drawn("energy_kwh") == [("Metered", 0, 25), ("Estimate", 25, 100), ("Estimate", 0, 100)]
    # a week without calls has no shares
    assert drawn("calls") == [("Estimate", 0, 60), ("Unknown", 60, 100)]


def test_the_range_is_the_published_one_month_by_month(evidence_page):
    rows = _rows(evidence_page, "Energy: low, central, mean and high by month")
    # 400, 1,000, 1,250 and 2,600 kWh, a fifth more each month
    assert [row[2:] for row in rows] == [
        ["400.0", "1,000", "1,250", "2,600"],
        ["480.0", "1,200", "1,500", "3,120"],
        ["576.0", "1,440", "1,800", "3,744"],
    ]  # fmt: skip
    text = _text(evidence_page)
    assert "The energy of August 2026 lies between 576 and 3,744 kWh" in text
    # the mean is drawn at 1,800 of 3,744 x 1.02 kWh: 47.13 %; the range begins at 15.08 %
    bar = re.findall(r'aria-label="August 2026: 576 to 3,744.kWh">(.*?)</div>', _html(evidence_page))[0]
    assert 'class="ahead" style="left:47.13%"' in bar
    assert 'class="low-high" style="left:15.08%' in bar


def test_the_factor_that_gains_most_comes_first_and_in_words(evidence_page):
    rows = _rows(evidence_page, "Factors by what better evidence would gain")
    assert [row[5] for row in rows] == ["46.2 %", "8.1 %", "3.4 %", "0.4 %", "0 %"]
    assert rows[0][:4] == ["openai/gpt-4o-mini | f1", "Estimate from size", "Benchmark", "71.0 %"]
    assert rows[3][0] == "Overhead (PUE) of paris-dc | site/paris-dc/pue"
    # 576 + 3,168 x 0.462 x 0.2 = 868.7 and 3,744 - 3,168 x 0.462 x 0.8 = 2,573.1
    assert rows[0][6] == "869 to 2,573"
    assert "Better evidence for openai/gpt-4o-mini would narrow the range of August 2026 most: 46 % narrower" in _text(
        evidence_page
    )
    assert rows[4][0] == "Any hardware: energy counter ratio | f4"
    none = SimpleNamespace(usage_month=date(2026, 8, 1), width_reduction_ratio=0.0)
    assert words_of_evidence.upgrade_finding(none).startswith("No single factor")


def test_open_gaps_are_aged_and_closed_ones_are_not_counted(evidence_page, book):
    rows = _rows(evidence_page, "Open gaps, the oldest first")
    # 20 days agree, so it opens on 21 June and is 69 days old on 29 August; 8,000,000 x 70 days
    assert rows[0] == [
        "openai: output tokens | openai (booked) against call_log", "keys that the other source never names",
        "560 million", "524 million", "+6.4 % | ±2.0 % tolerated", "", "69 | 21 June 2026",
    ]  # fmt: skip
    assert [row[0].split(" | ")[0] for row in rows] == ["openai: output tokens", "openai: cost", "azure: cost"]
    assert rows[1][4].startswith("−3.1 %")
    assert rows[2][2:5] == ["not told", "not told", "unknown"]
    cards = re.findall(r'<div class="label">([^<]+)</div><div class="value">(\d+)</div>', _html(evidence_page))
    assert cards == [
        ("Up to a week old", "1"), ("8 to 30 days old", "0"), ("31 to 90 days old", "1"), ("Over 90 days", "0"),
        ("Not comparable", "1"),
    ]  # fmt: skip
    (closed,) = _rows(evidence_page, "Gaps that closed")
    # seven days of 5,000 calls, of which 22 % went past the gateway: 35,000 less 27,300
    assert closed[5:8] == ["1 July 2026", "7 July 2026", "7"]
    assert closed[8:11] == ["35,000", "27,300", "7,700"]
    assert closed[11].startswith("+22.0 %")
    text = re.sub(r"\s+", " ", _text(evidence_page))
    assert "2 of 6 accounts of vendors' use have an open gap; the oldest, openai: output tokens, since 21 June" in text
    before = Book(book.snapshot, date(2026, 6, 1), date(2026, 7, 3))
    still = reconciliation.vendor_gaps(before)
    # Seen from the days up to 3 July both stand; on the newest day only one does, so only that one is open.
    tokens = still[still["quantity"] == "output_tokens"].iloc[0]
    assert (tokens["days"], tokens["age_days"], bool(tokens["is_open"])) == (13, 69, True)
    azure = still[(still["provider"] == "azure") & (still["quantity"] == "call_count")].iloc[0]
    assert (azure["days"], bool(azure["is_open"])) == (3, False)


def test_meters_show_counters_estimate_and_the_finding_of_the_newest_day(evidence_page):
    rows = _rows(evidence_page, "Meters against counters")
    # 10 days in agreement at 97 % of 26 kWh, 80 days at 20.8 kWh: 252.2 + 1,664 of 2,340 kWh: 18.1 %
    gpu_02 = next(row for row in rows if row[0].startswith("paris-dc: gpu-02"))
    assert gpu_02 == [
        "paris-dc: gpu-02 | PDU · what computes", "2,160", "2,340", "1,305", "1,916", "+18.1 % | ±10.0 % tolerated",
        "the usual share of a host is not this host's | 10 of 90 days agreed", "80 | 11 June 2026",
    ]  # fmt: skip
    gpu_01 = next(row for row in rows if row[0].startswith("paris-dc: gpu-01"))
    # the ten days on which GPUs behind it were not read are over
    assert gpu_01[6:] == ["within tolerance | 80 of 90 days agreed", "–"]
    assert "2 of 3 meters have an open gap" in _text(evidence_page)
    assert "Busy boards used 0.41 to 1.1 times what was estimated for the same calls" in _text(evidence_page)


def test_the_lines_of_a_machine_add_up_to_its_meter(evidence_page):
    rows = {row[0]: row[1:] for row in _rows(evidence_page, "Lines of the meter by machine")}
    assert list(rows) == ["gpu-02", "gpu-01", fixture_evidence.HOSTILE_HOST]  # by energy, what has no meter last
    # 90 days of 9 + 5 + 7 = 21 kWh and of 14.5 + 12 - 0.5 = 26 kWh, as the meters read
    assert rows["gpu-01"] == ["810.0 | 43 %", "450.0 | 24 %", "–", "630.0 | 33 %", "–", "1,890", "1,890", "equal", "–"]
    assert rows["gpu-02"] == ["–", "–", "1,305 | 56 %", "1,080 | 46 %", "-45.00 | -2 %", "2,340", "2,340", "equal", "–"]
    nothing = ["–"] * 5 + ["not metered", "not metered", "no single reading"]
    assert rows[fixture_evidence.HOSTILE_HOST] == [*nothing, "90.00"]
    # (9 + 0) / 47 and (5 + 14.5) / 47 of 4,230 kWh
    said = "Of 4.23 MWh that machines' meters read, 19 % went into GPUs at work and 41 % into idle ones"
    assert said in _text(evidence_page)
    assert "<img" not in _html(evidence_page)


def test_what_is_missing_from_a_meters_lines_is_said_with_its_sign():
    def said(kwh):
        return words_of_hardware.identity(kwh).replace("\N{NO-BREAK SPACE}", " ")

    assert [said(kwh) for kwh in (None, 0.0009, -0.0009, 2.5, -0.4)] == [
        "no single reading", "equal", "equal", "+2.50 kWh", "−400 Wh"
    ]  # fmt: skip


def test_pieces_are_piled_to_the_whole_and_what_is_negative_lies_below_zero():
    pieces = pandas.DataFrame(
        [("a", "y", 2.0), ("a", "x", 3.0), ("a", "z", -1.0), ("b", "x", 1.5)], columns=["name", "kind", "kwh"]
    )
    wholes = pandas.DataFrame({"name": ["a", "b"], "kwh": [4.0, None]})
    spec = charts.piles(pieces, wholes, {"x": ("X", "#111"), "y": ("Y", "#222"), "z": ("Z", "#333")}, "d")
    bars, marks = (one["data"]["values"] for one in spec["layer"])
    assert [(bar["name"], bar["kind"], bar["begin"], bar["end"]) for bar in bars] == [
        ("a", "X", 0, 3), ("a", "Y", 3, 5), ("a", "Z", 0, -1), ("b", "X", 0, 1.5)
    ]  # fmt: skip
    assert [(mark["name"], mark["kwh"]) for mark in marks] == [("a", 4.0)]  # what was not read has no mark
    low, high = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert low <= -1 and high >= 5


def test_stages_and_what_belongs_to_none_are_the_run(models_page):
    rows = _rows(models_page, "Stages of training runs")
    # 200 + 120 + 80 + 30 = 430 kWh; 5,400 s are 90 minutes
    assert rows[:4] == [
        ["rank-train-7", "backward pass", "200.0", "", "46.5 %", "90.00", "3"],
        ["rank-train-7", "forward pass", "120.0", "", "27.9 %", "90.00", "3"],
        ["rank-train-7", "communication", "80.0", "", "18.6 %", "90.00", "3"],
        ["rank-train-7", "no stage | beyond the tolerance", "30.0", "", "7.0 %", "–", "0"],
    ]
    assert rows[6] == [fixture_evidence.HOSTILE_RUN, "no stage | within the tolerance", "-2.0", "", "-1.7 %", "–", "0"]
    assert rows[-1] == ["sweep-44", "no stage | the run was not metered whole", "unknown", "", "unknown", "–", "0"]
    # 200 and 30 - 2 of 430 + 120 kWh; the run without a total is in neither
    text = _text(models_page)
    assert "Backward pass takes most of the energy of 2 runs: 36 %; 5.1 % belongs to no stage" in text


@pytest.mark.parametrize("page", ["Overview", "Ceilings", "My team", "Evidence", "Models"])
def test_every_link_of_the_contents_leads_to_a_heading(home, page):
    html = _html(_open(home, page))
    links = re.findall(r'<a href="#([^"]+)"', html)
    assert len(links) >= 4
    assert links == re.findall(r'<h2 class="j" id="([^"]+)"', html)  # all of them, in the order of the page


def test_a_gap_keeps_its_sign():
    def cell(gap):
        return re.sub(r"<[^>]+>", "", cells.gap(SimpleNamespace(gap_ratio=gap, tolerance_ratio=None)))

    said = [cell(gap).replace("\N{NO-BREAK SPACE}", " ") for gap in (0.064, -0.031, 0.9999, 0.0, None)]
    assert said == ["+6.4 %", "−3.1 %", "> +99.9 %", "0 %", "unknown"]


def test_deliveries_name_tables_accounts_and_hours(evidence_page):
    rows = {row[0]: row[1:] for row in _rows(evidence_page, "What each source delivered")}
    # 12 accounts on 90 days, one silent on four; 240 hours a day; one table missing on 4 July
    assert rows["openai"] == ["90", "450", "449", "1,080", "1,076", "25,824", "21,600"]
    assert rows["gpu_prometheus"] == ["90", "90", "90"] + ["has none"] * 4
    lacking = _rows(evidence_page, "Days on which something was not delivered")
    assert ["call_log", "31 July 2026", "0 of 1 table, 0 of 6 accounts"] in lacking
    assert ["openai", "21 July 2026", "5 of 5 tables, 11 of 12 accounts"] in lacking
    assert len(lacking) == 6
    assert "2 daily tables were not delivered: call_log, openai" in _text(evidence_page)


def test_a_tile_is_whole_in_part_or_empty():
    def row(expected, received, accounts=None, heard=None):
        return SimpleNamespace(
            expected_tables=expected,
            received_tables=received,
            expected_account_count=accounts,
            received_account_count=heard,
        )

    cases = [row(1, 1), row(5, 4), row(1, 0), row(1, 1, 12, 11), row(1, 1, 12, None), row(0, 0)]
    assert [words_of_gaps.delivered(case) for case in cases] == ["all", "in part", "none", "in part", "in part", "all"]


def test_quality_stands_beside_energy_with_both_ranges(models_page):
    text = _text(models_page)
    assert "5 of 8 models judged on claims triage are on the frontier" in text
    rows = {row[0].split(" | ")[0]: row[1:] for row in _rows(models_page, "Models by energy of an item")}
    # 0.06 / 1.1 = 0.0545 and 0.06 x 1.1 = 0.066; 0.80 - 0.025 and + 0.025
    energy = "0.0600 | 0.0545 to 0.0660"
    assert rows["qwen/qwen3-8b"] == ["0.800 | 0.775 to 0.825", energy, "Measured | GPUs alone", "on it"]
    assert rows["meta/llama-3.1-8b"][3] == "beaten"
    assert rows["openai/gpt-4.1"][2] == "Estimate from size | machines and cooling"
    assert rows["acme/acme-llm-1"] == ["0.880 | range unknown", "unknown", "Unknown", "unknown"]
    assert "score" not in text.replace("never one score", "")


def test_the_frontier_is_drawn_for_each_boundary_by_itself(book):
    results = models.results(book)
    one = results[(results["task"] == "claims_triage") & results["energy_wh_per_item"].notna()]
    told = {"name": one["model_id"], "conditions": "", "said_energy": "", "said_quality": "", "basis": ""}
    spec = charts.choices(one.assign(**told), "accuracy", "x")
    paths = [layer["data"]["values"] for layer in spec["layer"] if layer["mark"].get("interpolate") == "step-after"]
    assert [[row["x"] for row in path] for path in paths] == [[0.9, 3.4], [0.021, 0.06, 0.31]]
    rules = [layer["data"]["values"] for layer in spec["layer"] if layer["mark"]["type"] == "rule"]
    assert (len(rules[0]), len(rules[1])) == (7, 7)  # energy and quality of the seven whose energy is known
    assert rules[0][0]["energy_wh_per_item_high"] == pytest.approx(0.0231)
    assert "acme/acme-llm-1" not in str(spec["layer"])
    # 0.0191 to 10.88 Wh: 570 times as much, so the axis is logarithmic
    assert spec["layer"][0]["encoding"]["x"]["scale"]["type"] == "log"
    near = one[one["energy_wh_per_item"].between(0.3, 1)]
    linear = charts.choices(near.assign(**{name: "" for name in told}), "accuracy", "x")
    assert linear["layer"][0]["encoding"]["x"]["scale"]["domain"][0] == 0


def test_less_is_better_turns_the_axis_round(home):
    test = _open(home, "Models")
    test.selectbox(key="task").select(("transcription", "word_error_rate")).run()
    assert not test.exception
    assert "2 of 2 models judged on transcription are on the frontier" in _text(test)
    assert '"reverse": true' in test.get("vega_lite_chart")[0].proto.spec


def test_a_cheaper_model_is_named_only_where_the_marts_say_so(models_page):
    table = _rows(models_page, "Model in use and cheapest model by workflow")
    rows = {row[0].split(" | ")[0]: row[1:] for row in table}
    triage = rows["Claims triage"]
    energy = "0.740 Wh (0.670 to 0.810 Wh), measured, GPUs alone"
    assert triage[0] == f"meta/llama-3.1-70b | accuracy 0.855 · {energy}"
    assert triage[2] == "0.680 Wh | 0.604 to 0.755 Wh"
    assert triage[3] == "◆ a cheaper model meets the bar | not by the worse end of its quality range"
    assert rows["Bildtexte <b>neu</b>"][2:] == ["not comparable", "Not comparable: boundaries differ"]
    assert rows["Contract check"] == [
        "acme/acme-llm-1 | not evaluated on this task", "none", "not comparable", "No measured model meets the bar",
    ]  # fmt: skip
    assert "For 1 of 3 workflows with a quality bar" in _text(models_page)
    lower = SimpleNamespace(metric="word_error_rate", is_lower_better=True, minimum_quality=0.1)
    assert words_of_models.bar_text(lower) == "word error rate of at most 0.100"
    ends = SimpleNamespace(saving_wh_per_item_low=-0.2, saving_wh_per_item_high=0.5)
    assert words_of_models.saving(ends).replace("\N{NO-BREAK SPACE}", " ") == "−0.200 to 0.500 Wh"


def test_runs_say_what_was_lost_and_how_often_a_model_is_trained(models_page):
    text = re.sub(r"\s+", " ", _text(models_page))
    assert "20.8 % of the energy of 7 runs went into jobs that failed or were superseded" in text  # 210 of 1,010 kWh
    assert "11.9 % of it before or beside the training that was kept" in text  # 120 of 1,010 kWh
    assert "Trained again after 21 to 28 days between one completed training of a model and the next, 2 times" in text
    assert "known whole for 6 of 7 runs" in text
    rows = {row[0].split(" | ")[0]: row for row in _rows(models_page, "Training runs by energy")}
    assert rows["triage-ft-1"][0] == "triage-ft-1 | fine tuning · completed, superseded by triage-ft-2"
    assert rows["triage-ft-1"][5] == "100 %"
    assert rows["sweep-44"][4:] == ["unknown", "unknown", "–", "unknown"]
    # 430 kWh over 40 million tokens: 10.75 Wh per 1,000
    assert rows["rank-train-7"][4:] == ["430.0", "0 %", "–", "10.75"]


def test_requests_are_told_by_quantiles_of_the_newest_month(home, models_page):
    text = re.sub(r"\s+", " ", _text(models_page))
    # organisation: p50 0.31 Wh, p99 0.31 x 6 x 2.4 = 4.464 Wh, the top hundredth 12 %
    finding = "The hundredth of requests with the most energy used 12 % of it in August 2026"
    assert f"{finding}; half used at most 0.310 Wh, one in a hundred over 4.46 Wh" in text
    assert "18,000 requests (2 %) have no energy of their own" in text
    rows = _rows(models_page, "Energy of a request")
    assert rows[-1] == ["Acme pilot", "700", *["unknown"] * 6]
    assert rows[0][0] == "Orphan"
    test = _open(home, "Models")
    test.selectbox(key="period").select("June 2026").run()
    assert "used 12 % of it in June 2026" in _text(test)
    test.selectbox(key="request-perimeter").select("team").run()
    assert not test.exception
    assert [row[0] for row in _rows(test, "Energy of a request")] == [fixture_marts.HOSTILE_TEAM]


def test_a_verdict_names_what_differs(models_page):
    rows = {row[0].split(" | ")[0]: row[1:] for row in _rows(models_page, "Comparisons of measurements")}
    assert rows["vLLM 0.9 to 0.10, after"][1:] == ["serving stack", "0.714 | 0.636 to 0.803", "● more efficient"]
    assert rows["Batch 32 to 8, after"][3] == "■ less efficient"
    assert rows["H100 to H200, after"][3] == "◆ not comparable | driver, input tokens differ; output tokens not stated"
    assert rows["Our own week of it"][2:] == ["8.25 | range unknown", "◆ not comparable | range not stated"]
    counts = "1 more efficient, 1 less efficient, 1 no difference shown, 2 not comparable"
    assert f"Of 5 comparisons of measurements: {counts}" in _text(models_page).replace("\N{NO-BREAK SPACE}", " ")


def test_an_earlier_build_says_which_command_makes_what_it_lacks(tmp_path):
    fixture_marts.publish(tmp_path, days=20, earlier=True)
    command = "jevons materialize --from 2026-06-01 --to 2026-06-20"
    for page, missing in (("Evidence", "ranges of totals"), ("Models", "quality beside energy")):
        text = _said(tmp_path, page)
        (said,) = re.findall(r"Not in this build: (.*?) The build was", text)
        assert said.startswith(missing) and said.count(",") == 5
        assert f"Make a new build: {command}" in text
    text = _said(tmp_path, "Evidence")
    assert "Account days" not in text
    assert "call_log 20 20 20" in text
    overview = _said(tmp_path, "Overview")
    assert "range not published" in overview


def test_a_mart_of_an_earlier_version_without_a_column_is_said_to_be_missing(tmp_path):
    fixture_marts.publish(tmp_path, days=21)
    audit = snapshot.current(tmp_path).path / "audit.duckdb"
    audit.chmod(0o644)
    with duckdb.connect(audit) as older:
        older.execute("alter table fct_meter_reconciliation_daily rename open_days to age_days")
        older.execute("alter table fct_estimate_backtest drop busy_kwh")
    text = _said(tmp_path, "Evidence")
    assert "Not in this build: meters against counters, estimates against meters" in text
    assert "Restated days" in text and "could not be answered" not in text


def test_marts_without_rows_say_so_in_a_sentence(tmp_path):
    fixture_marts.publish(tmp_path, days=20, evidence=False)
    text = _said(tmp_path, "Evidence")
    for said in (
        "No range is published", "No factor of these months", "No vendor's use was told", "No meter stands",
        "No energy of own machines is known", "No estimate was held against a meter",
    ):  # fmt: skip
        assert said in text
    text = _said(tmp_path, "Models")
    for said in ("No evaluation of a model", "No workflow has a quality bar", "No training run", "No single request"):
        assert said in text
    assert "No measurement is compared" in text
    assert "No run was measured stage by stage" in text
    assert "Not in this build" not in text


def test_carbon_has_its_range_where_the_marts_have_one(home):
    asked = snapshot.current(home).query(
        "select sum(location_gco2e_low) / 1000 as low, sum(location_gco2e_high) / 1000000 as high"
        " from fct_organisation_daily"
    )
    ends = asked.to_pylist()[0]
    said = f"range {ends['low']:.0f} to {ends['high'] * 1000:,.0f} kgCO2e"  # in the unit of the figure above it
    assert said in _said(home, "Overview")
    row = {"location_kgco2e_low": 2.0, "location_kgco2e": 2.5, "location_kgco2e_high": 3.5}
    assert words.carbon_spread(row).replace("\N{NO-BREAK SPACE}", " ") == "range 2.00 to 3.50 kgCO2e"
    assert words.carbon_spread({**row, "location_kgco2e_low": None}) == "range unknown"
    grams = words.carbon_spread({**row, "location_kgco2e_low": 0.381}).replace("\N{NO-BREAK SPACE}", " ")
    assert grams == "range 0.381 to 3.50 kgCO2e"


def test_the_csv_of_runs_and_choices_cannot_run(models_page):
    html = _html(models_page)
    assert "<img" not in html and "<b>tiny" not in html
    assert fixture_evidence.HOSTILE_RUN in _text(models_page)
    from dashboards.tables import Column, csv_text

    frame = pandas.DataFrame({"run_id": ["=1+1", fixture_evidence.HOSTILE_RUN]})
    rows = list(csv.reader(io.StringIO(csv_text(frame, [Column("run_id", "Run")]))))
    assert rows == [["Run"], ["'=1+1"], [fixture_evidence.HOSTILE_RUN]]


def test_months_are_those_that_the_days_touch(book):
    two = Book(book.snapshot, date(2026, 7, 31), date(2026, 8, 1))
    assert [row.month for row in evidence.ranges(two)["usage_month"].drop_duplicates()] == [7, 8]
    one = Book(book.snapshot, date(2026, 7, 2), date(2026, 7, 2))
    assert [row.month for row in evidence.ranges(one)["usage_month"].drop_duplicates()] == [7]
    assert not book.holds("no_such_mart")
    assert book.holds("fct_range_monthly", "low", "mean")
    assert not book.holds("fct_range_monthly", "low", "median")
