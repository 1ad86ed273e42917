"""The frozen factors against the library that they were frozen from, and against numbers worked by hand.

How the ledger uses a factor is tested with the dbt models.
"""

import csv
import math
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import pytest
from ecologits.model_repository import models
from ecologits.tracers.utils import llm_impacts

from pipelines.errors import JevonsError
from pipelines.factors import freeze
from pipelines.factors.values import Ends, fixed, inputs

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
GENERATED = ("factor_set.csv", "grid_yearly.csv", "grid_rung.csv", "gpu_factor.csv", "grid_fuel.csv")
FROZEN = inputs()["sets"]["ecologits"]["library_version"]
TRIPLES = ("kwh_per_request", "kwh_per_output_token", "kwh_per_input_token", "kwh_per_cached_input_token")
CLOSE = Decimal("1e-9")

library_matches = pytest.mark.skipif(
    version("ecologits") != FROZEN,
    reason=f"the seeds were frozen from ecologits {FROZEN}; {version('ecologits')} is installed",
)


def read(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


@pytest.fixture(scope="module")
def factors() -> dict[tuple[str, str], dict[str, str]]:
    return in_sets(inputs()["sets"][name]["factor_set"] for name in ("ecologits", "defaults"))


@pytest.fixture(scope="module")
def combined() -> dict[tuple[str, str], dict[str, str]]:
    return in_sets([inputs()["sets"]["combined"]["factor_set"]])


@pytest.fixture(scope="module")
def measured() -> dict[tuple[str, str], dict[str, str]]:
    return in_sets([inputs()["sets"]["benchmark"]["factor_set"]], "model_name", "gpu_model")


def in_sets(names, *key: str) -> dict[tuple[str, str], dict[str, str]]:
    wanted, (first, second) = set(names), key or ("provider", "model_name")
    return {(row[first], row[second]): row for row in read("factor_set.csv") if row["factor_set"] in wanted}


@pytest.fixture(scope="module")
def grid() -> dict[str, dict[str, str]]:
    return {row["zone_country"]: row for row in read("grid_yearly.csv")}


def relative_error(ours: Decimal, theirs: float) -> Decimal:
    return abs(ours / Decimal(theirs) - 1) if theirs else abs(ours)


@library_matches
def test_every_row_reproduces_the_library(factors, grid):
    """Energy, embodied and total carbon, and water: A + B * tokens, both ends, three zones, all 351 names."""
    worst, checks = Decimal(0), 0
    for model in models.list_models():
        row = factors[model.provider.value, model.name]
        for zone in ("USA", "FRA", "WOR"):
            carbon, water = (Decimal(grid[zone][c]) for c in ("gco2e_per_kwh", "water_litres_per_kwh"))
            for tokens in (1, 200, 5000):
                impacts = llm_impacts(model.provider.value, model.name, tokens, math.inf, zone)
                for end, wue in (("min", "low"), ("max", "high")):
                    energy, embodied = (
                        Decimal(row[f"ecologits_{quantity}_per_request_{end}"])
                        + tokens * Decimal(row[f"ecologits_{quantity}_per_output_token_{end}"])
                        for quantity in ("kwh", "embodied_gco2e")
                    )
                    litres = energy * (Decimal(row[f"wue_onsite_litres_per_kwh_{wue}"]) + water)
                    for ours, theirs, unit in (
                        (energy, impacts.energy, 1),
                        (embodied, impacts.embodied.gwp, 1000),
                        (energy * carbon + embodied, impacts.gwp, 1000),
                        (litres, impacts.wcf, 1),
                    ):
                        value = getattr(theirs.value, end, theirs.value)
                        worst = max(worst, relative_error(ours / unit, value))
                        checks += 1
    assert checks == 351 * 3 * 3 * 2 * 4
    assert worst < CLOSE


@library_matches
def test_freezing_again_gives_the_same_bytes(tmp_path):
    freeze(tmp_path)
    for name in GENERATED:
        assert (tmp_path / name).read_bytes() == (SEEDS / name).read_bytes(), name


@library_matches
def test_freezing_keeps_the_rows_of_other_sets(tmp_path):
    freeze(tmp_path)
    path = tmp_path / "grid_yearly.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    older = next(line for line in lines if ",FRA," in line).replace("ecologits-0.11.3", "ecologits-0.9.3")
    path.write_text("\n".join([lines[0], older, *lines[1:]]) + "\n", encoding="utf-8")
    freeze(tmp_path)
    assert path.read_text(encoding="utf-8").splitlines() == [lines[0], older, *lines[1:]]


@library_matches
def test_columns_of_another_version_are_refused(tmp_path):
    (tmp_path / "factor_set.csv").write_text("factor_id,factor_set\nx,y\n", encoding="utf-8")
    with pytest.raises(JevonsError, match="columns are not those of this version"):
        freeze(tmp_path)


def test_another_library_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.factors.version", lambda name: "9.9.9")
    with pytest.raises(JevonsError, match=r"9\.9\.9 is installed.*give 9\.9\.9 a factor set"):
        freeze(tmp_path)
    assert not list(tmp_path.iterdir())


def test_gpt_4o_worked_by_hand(factors):
    """All terms of one model from the published parameters, with a calculator.

    Size 440 billion, 44 to 132 active; PUE 1.20; first token after 0.61 s, then 74 tokens/s.
    GPUs = 2^ceil(log2(1.2 * 440 * 2 bytes / 80 GB = 13.2)) = 16, batch 64.
    Request: 1.2 * 0.61/3600 h * 1.2 kW * 16/8 / 64        = 7.625e-6 kWh
    Hardware: 16/8*5700 + 16*273 = 15768 kg over 94608000 s and 64 requests = 2.604166...e-6 kg/s
              0.61 s * that                                = 1.588541666e-6 kg = 0.001588541666 g
    Output:  16 * (1.16653e-6 * exp(-0.0112059*64) * 44 + 4.05293e-5)/1000 = 1.049336e-6 (132: 1.851071e-6)
             + host 1/74/3600 h * 1.2 kW * 16/8 / 64 = 1.407658e-7, * 1.20 = 1.428122e-6 (2.390204e-6)
             sqrt(1.428121974891 * 2.390203678491) = 1.847566615e-6 kWh/token; 500 tokens: 0.72 to 1.20 Wh
    Input:   sqrt(44*132) = 76.210235 billion; * 1.72 * 0.0033 J / 3.6e6 J/kWh = 1.2015814e-7 kWh/token
    Spread:  above 200 billion: 2.94^1.96; ln 2.94 = 1.0784096, * 1.96 = 2.1136828, exp = 8.278670
    Input spread: sqrt(1.0784096^2 + 0.5877867^2) = 1.2281945, * 1.96 = 2.4072612, exp = 11.103507
    Written: 1.0 of input; down 11.103507; up sqrt(ln(1.25)^2 + 2.4072612^2) = 2.4175818; exp = 11.218695
    Cached:  0.10 of input; down sqrt(ln(10)^2 + 2.4072612^2) = 3.3312; exp = 27.971
             up sqrt(ln(2.5)^2 + 2.4072612^2) = 2.5757583; exp = 13.141276
    """
    row = {name: Decimal(text) for name, text in factors["openai", "gpt-4o"].items() if "_per_" in name and text}
    assert row["kwh_per_request"] == Decimal("0.000007625")
    assert row["embodied_gco2e_per_request"] == Decimal("0.001588541666666667")
    by_hand = {
        "kwh_per_request_low": 7.625e-6 / 8.278670,
        "kwh_per_request_high": 7.625e-6 * 8.278670,
        "kwh_per_input_token": 1.2015814e-7,
        "kwh_per_input_token_low": 1.2015814e-7 / 11.103507,
        "kwh_per_input_token_high": 1.2015814e-7 * 11.103507,
        "kwh_per_cache_write_token_low": 1.2015814e-7 / 11.103507,
        "kwh_per_cache_write_token": 1.2015814e-7,
        "kwh_per_cache_write_token_high": 1.2015814e-7 * 11.218695,
        "kwh_per_cached_input_token": 1.2015814e-8,
        "kwh_per_cached_input_token_high": 1.2015814e-8 * 13.141276,
        "wue_onsite_litres_per_kwh": 0.569 / 1.20,
    }
    for name, expected in by_hand.items():
        assert float(row[name]) == pytest.approx(expected, rel=1e-5), name
    assert float(row["kwh_per_cached_input_token_low"]) == pytest.approx(1.2015814e-8 / 27.971, rel=1e-3)
    assert float(row["ecologits_kwh_per_output_token_min"]) == pytest.approx(1.428122e-6, rel=1e-6)
    assert float(row["ecologits_kwh_per_output_token_max"]) == pytest.approx(2.390204e-6, rel=1e-6)
    assert float(row["kwh_per_output_token"]) == pytest.approx(1.847566615e-6, rel=1e-9)


def test_ranges_are_ordered_and_fit_their_decimals(factors):
    for key, row in factors.items():
        for name in TRIPLES:
            low, central, high = (Decimal(row[name + end]) for end in ("_low", "", "_high"))
            assert 0 <= low <= central <= high < 1, (key, name)
        for end in ("low", "high"):
            cached, fresh = (Decimal(row[f"{n}_{end}"]) for n in (TRIPLES[3], TRIPLES[2]))
            assert cached <= fresh, key
        for name in (n for n in row if n.startswith("ecologits_kwh") and row[n]):
            own, wide = Decimal(row[name]), name.removeprefix("ecologits_")[:-4]
            assert Decimal(row[wide + "_low"]) <= own <= Decimal(row[wide + "_high"]), (key, name)
        for name in (n for n in row if "_per_" in n and row[n]):
            assert len(row[name].partition(".")[2]) <= 18 and "E" not in row[name], (key, name)


def counts_tokens(row) -> bool:
    """Whether tokens are what the factor counts: images, seconds and money count the same work in another way."""
    return row["correlation_group"] not in {"default:image", "default:video", "default:speech", "default:spend"}


def test_no_factor_is_lost_in_the_decimals(factors):
    """What is not 0 in the library is not 0 here, and the smallest central energy keeps 7 digits or more."""
    for key, row in factors.items():
        for name in ("kwh_per_output_token", "kwh_per_input_token", "kwh_per_cached_input_token"):
            embeds = row["correlation_group"] == "default:embedding"
            if not counts_tokens(row) or (embeds and name == "kwh_per_output_token"):
                assert row[name] == "0"
                continue
            assert Decimal(row[name]) > Decimal("3e-11"), (key, name)
        assert Decimal(row["kwh_per_cached_input_token_low"]) > Decimal("1e-12") or not counts_tokens(row), key
        assert Decimal(row["kwh_per_nano_usd"]) > Decimal("3e-11") or key[0] != "spend"


def test_spread_depends_on_size(factors):
    assert factors["openai", "gpt-4o-mini"]["gsd_ratio"] == "2.27"
    assert factors["cohere", "command-a-plus-05-2026"]["gsd_ratio"] == "2.94"  # 218 billion
    assert factors["openai", "gpt-5.6-luna"]["gsd_ratio"] == "2.27"  # 180 billion


def test_wider_range_of_the_library_wins():
    """Ends 1 and 100: central 10; a ratio of 2 gives 5 to 20, so the ends stay; a ratio of 50 is wider."""
    ends = Ends(Decimal(1), Decimal(100))
    narrow, wide = ends.widened(Decimal(2)), ends.widened(Decimal(50))
    assert (narrow.low, narrow.central, narrow.high) == (1, 10, 100)
    assert (wide.low, wide.central, wide.high) == (Decimal("0.2"), 10, 500)


def test_rounding_is_half_even_and_plain():
    assert fixed(Decimal("0.0000000000000000125")) == "0.000000000000000012"
    assert fixed(Decimal("1E-30")) == "0"
    assert fixed(Decimal("1200")) == "1200"


def test_what_is_not_counted_in_tokens_has_a_rule_of_its_own(factors):
    """One image 2 Wh, 2.5^1.96 = 6.0250748; a second of video 40 Wh, of speech 0.008 Wh, 3^1.96 = 8.6130645.

    A dollar: 2 % of it for electricity at 0.08 USD/kWh = 0.25 kWh, so 2.5e-10 kWh per billionth of a dollar.
    """
    for name, kind, kwh, spread in (("image", "image", 0.002, 6.0250748), ("video", "video_second", 0.04, 8.6130645),
                                    ("speech", "audio_second", 8e-6, 8.6130645)):
        row = factors["generic", name]
        ends = [float(row[f"kwh_per_{kind}{end}"]) for end in ("_low", "", "_high")]
        assert ends == pytest.approx([kwh / spread, kwh, kwh * spread], rel=1e-6)
        assert {row[f"kwh_per_{other}"] for other in ("image", "video_second", "audio_second") if other != kind} == {""}
    assert factors["spend", "%"]["kwh_per_nano_usd"] == "0.00000000025"
    assert factors["openai", "gpt-4o"]["kwh_per_image"] == ""
    assert factors["openai", "gpt-4o"]["kwh_per_nano_usd"] == "0"


def test_a_size_class_is_between_its_neighbours(factors):
    """L: 1.5 Wh per 1000 output tokens = 1.5e-6 kWh each; input 1.72 * 0.0033 * 75 / 3.6e6 = 1.1825e-7 kWh."""
    sizes = [factors["size_class", name] for name in ("S", "M", "L", "XL")]
    assert sizes[2]["kwh_per_output_token"] == "0.0000015"
    assert float(sizes[2]["kwh_per_input_token"]) == pytest.approx(1.1825e-7, rel=1e-9)
    for kind in ("output_token", "input_token", "cached_input_token"):
        assert [Decimal(row[f"kwh_per_{kind}"]) for row in sizes] == sorted(
            Decimal(row[f"kwh_per_{kind}"]) for row in sizes)
    assert all(row["evidence_tier"] == "5" and row["gsd_ratio"] == "3" for row in sizes)


def test_a_measured_model_takes_what_was_measured_on_its_gpu(measured, combined):
    """Llama 3.3 70B on an H100, batch unknown: 0.706269 J, x 1.72 / 3.6e6 = 3.3743963e-7 kWh a token.

    Spread: ln 2.02731 = 0.7067098, ln 1.2 = 0.1823216: sqrt(0.7067098^2 + 0.1823216^2) = 0.7298484, exp = 2.0747661;
    x 1.96 = 1.4305029, exp = 4.1808010.
    """
    row = measured["meta-llama/Llama-3.3-70B-Instruct", "H100"]
    assert (row["evidence_tier"], row["method"]) == ("3", "benchmark")
    ends = [float(row[f"kwh_per_output_token{end}"]) for end in ("_low", "", "_high")]
    assert ends == pytest.approx([3.3743963e-7 / 4.1808010, 3.3743963e-7, 3.3743963e-7 * 4.1808010], rel=1e-5)
    assert float(row["gsd_ratio"]) == pytest.approx(2.0747661, rel=1e-6)
    known = [(row, combined["huggingface_hub", name]) for (name, gpu), row in measured.items()
             if ("huggingface_hub", name) in combined]
    assert len(known) >= 15
    for row, estimate in known:
        # forgetting on which GPU it ran must not make the unknown look smaller
        assert Decimal(row["kwh_per_output_token_high"]) <= Decimal(estimate["kwh_per_output_token_high"]), row


def test_the_combined_estimate_lies_between_its_two(combined, factors):
    """gpt-4o: 0.75 of the fitted form and 0.25 of EcoLogits, in logarithms; both are told apart in its own test."""
    for key, row in combined.items():
        low, central, high = (Decimal(row[f"kwh_per_output_token{end}"]) for end in ("_low", "", "_high"))
        assert low < central < high, key
        if key in factors:
            assert row["kwh_per_request"] == factors[key]["kwh_per_request"]
    classes = {"generic", "size_class", "spend"}
    known = {key for key, row in factors.items() if key[0] not in classes and row["evidence_tier"] == "4"}
    assert known <= combined.keys()


def test_a_chat_answer_is_within_what_has_been_disclosed(combined):
    """300 tokens out, 300 in: the disclosures are 0.24 to 0.43 Wh; outside 0.05 to 5 Wh nothing large is."""
    for name in ("gpt-4o", "gpt-4.1", "gpt-5.4-mini-2026-03-17"):
        row = combined["openai", name]
        wh = 1000 * 300 * (Decimal(row["kwh_per_output_token"]) + Decimal(row["kwh_per_input_token"]))
        assert Decimal("0.05") < wh < 5, (name, wh)


@library_matches
def test_a_factor_dearer_than_its_price_is_in_quarantine(factors, combined):
    """One image model is priced per token far below what the formula says its tokens need."""
    for rows, expected in (
        (factors, {("google_genai", "gemini-3.1-flash-image-preview"): "electricity would be 53% of the list price"}),
        (combined, {}),
    ):
        assert {key: row["quarantine_reason"] for key, row in rows.items() if row["quarantine_reason"]} == expected


def test_embeddings_are_defaults_with_no_output(factors):
    """1.72 * 0.0033 * 0.5 / 3.6e6 = 7.8833e-10 kWh a token, 0.0008 Wh per 1000; 2.5^1.96 = 6.0250."""
    for name in ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"):
        row = factors["openai", name]
        assert (row["evidence_tier"], row["method"], row["kwh_per_output_token"]) == ("5", "default", "0")
        assert float(row["kwh_per_input_token"]) == pytest.approx(7.88333e-10, rel=1e-5)
        assert float(row["kwh_per_input_token_high"]) == pytest.approx(7.88333e-10 * 6.0250, rel=1e-4)
        assert row["embodied_gco2e_per_request"] == ""  # unknown, not 0
    assert factors["generic", "text-embedding"]["wue_onsite_litres_per_kwh"] == ""


def test_grid_holds_known_years_and_says_what_is_missing(grid):
    assert len(grid) == 215 and {"WOR", "EEE", "FRA", "DEU", "USA"} <= grid.keys()
    assert (grid["FRA"]["gco2e_per_kwh"], grid["USA"]["gco2e_per_kwh"]) == ("41.44", "384.4")
    assert [zone for zone, row in grid.items() if row["carbon_basis"] == "missing"] == ["CAF"]
    assert grid["CAF"]["gco2e_per_kwh"] == ""
    assert (grid["FRA"]["water_basis"], grid["AFG"]["water_basis"]) == ("zone", "world")


def test_gpu_second_worked_by_hand():
    """(5700/8 + 273) kg = 985.5 kg over 3 * 365 * 86400 s = 0.0104166... g/s, 37.5 g an hour.

    Low: (712.5 + 164) kg over twice that life = 0.00463227 g/s.
    """
    rows = {row["quantity"]: row for row in read("gpu_factor.csv")}
    second = rows["embodied_gco2e_per_gpu_second"]
    assert float(second["value"]) * 3600 == pytest.approx(37.5, rel=1e-12)
    assert float(second["value_low"]) == pytest.approx(876.5e3 / 189_216_000, rel=1e-12)
    assert [rows[f"{meter}_ratio"]["gsd_ratio"] for meter in ("energy_counter", "power_integral")] == ["1.15"] * 2
    assert float(rows["energy_counter_ratio"]["value_high"]) == pytest.approx(1.15**1.96)
    assert (rows["default_pue_ratio"]["value"], rows["default_pue_ratio"]["value_low"]) == ("1.54", "1.09")
    for row in rows.values():
        assert Decimal(row["value_low"]) <= Decimal(row["value"]) <= Decimal(row["value_high"])
    flags = {name: set(row["boundary_flags"].split(";")) for name, row in rows.items()}
    for name, said in flags.items():
        assert {flag.removeprefix("no_") for flag in said} <= {"pue", "host", "idle", "embodied", "upstream"}, name
        assert not any(f"no_{flag}" in said for flag in said), name
    # the one that holds each line of the account; whatever is metered holds neither the building nor the making
    assert [name for name, said in flags.items() if "pue" in said] == ["default_pue_ratio"]
    assert [name for name, said in flags.items() if "embodied" in said] == ["embodied_gco2e_per_gpu_second"]
    assert "no_host" in flags["energy_counter_ratio"] and "host" in flags["metered_host_ratio"]


@pytest.mark.parametrize("name", GENERATED)
def test_every_row_names_its_source(name):
    rows = read(name)
    for row in rows:
        assert row["source_url"].startswith("https://") and row["source_title"] and row["licence"], row
        assert row["valid_from"] <= "2026-06-01", "the embedded sandbox year must be covered"
    ids = [next(iter(row.values())) for row in rows]
    assert len(set(ids)) == len(ids)


def test_every_coefficient_names_unit_and_source():
    for name, row in inputs()["coefficients"].items():
        assert row["unit"] and row["source_title"] and row["source_url"].startswith("https://"), name


def test_aliases_lead_to_factors_and_do_not_overlap(factors):
    rows = read("model_alias.csv")
    assert rows
    spans: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in rows:
        assert (row["provider_canonical"], row["model_canonical"]) in factors, row
        assert (row["provider"], row["model_reported"]) not in factors, "a known name needs no alias"
        assert row["source_url"].startswith("https://")
        name = row["provider"], row["model_reported"]
        spans.setdefault(name, []).append((row["valid_from"], row["valid_to"] or "9999"))
    for name, periods in spans.items():
        periods.sort()
        assert all(start < end for start, end in periods), name
        assert all(a[1] <= b[0] for a, b in zip(periods, periods[1:], strict=False)), name


def test_the_error_of_each_rung_of_the_grid_is_what_its_figures_say(grid):
    """The yearly rung from the figures that disagree; by hand for one country: ln(403 / 257) = 0.44985.

    Root mean square of 40 logs: sqrt(1.451294 / 40) = 0.190479, exp = 1.209829; 1.209829^1.96 = 1.452577.
    """
    rungs = {row["grid_rung"]: row for row in read("grid_rung.csv")}
    table = inputs()["grid_disagreement"]["gco2e_per_kwh"]
    logs = [math.log(other / row["used"]) for row in table.values() for name, other in row.items() if name != "used"]
    assert (len(table), len(logs)) == (8, 40)
    assert math.isclose(math.log(table["IRL"]["electricity_maps_2023"] / table["IRL"]["used"]), 0.44985, rel_tol=1e-4)
    spread = math.exp(math.sqrt(sum(log**2 for log in logs) / len(logs)))
    assert abs(spread - 1.209829) < 1e-6 and rungs["yearly_mix"]["gsd_ratio"] == "1.209829"
    for row in rungs.values():
        gsd = float(row["gsd_ratio"] or spread)
        assert abs(float(row["high_ratio"]) - gsd**1.96) < 1e-5
        assert row["low_ratio"] == "" if row["grid_rung"] == "unknown" else (
            abs(float(row["low_ratio"]) - gsd**-1.96) < 1e-5)
    # a better rung is never less certain
    order = ("hourly_measured", "hourly_estimated", "yearly_mix")
    assert sorted(order, key=lambda rung: float(rungs[rung]["high_ratio"])) == list(order)
    # what is used here is what the frozen mix says, to a gram
    assert {zone: row["used"] for zone, row in table.items()} == {
        zone: round(float(grid[zone]["gco2e_per_kwh"])) for zone in table}
    assert {row["method"] for row in rungs.values()} == {"judgement", "measured", "bound"}
