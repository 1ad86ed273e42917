"""The fit: on made-up deployments of which the truth is known, and on the benchmark's, against the promised accuracy.

The form itself is tested in test_benchmark_form.py.
"""

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from support import ROOT, need

from pipelines.errors import JevonsError
from pipelines.factors.__main__ import main
from pipelines.factors.benchmark import Conditions, Fitted, frozen, log_joules
from pipelines.factors.benchmark_accuracy import BEGIN, END, Row, ecologits_joules, leave_one_out, markdown, table
from pipelines.factors.benchmark_fit import Measured, family_of, fit, fitted_text, measured, read_rows

TRUTH = {"weights": -1.5, "compute": -5.0, "size": 0.95, "sparsity": 0.6, "length": 0.1, "weights_bits": 0.9,
         "compute_bits": 0.4, "gpu_b200": -0.2}


@pytest.fixture(scope="session")
def benchmark_csv(shared_data: Path) -> Path:
    path = shared_data / "mlenergy" / "mlenergy_v3_configs.csv"
    need(path.is_file(), f"no measurements at {path}")
    return path


@pytest.fixture(scope="session")
def benchmark(benchmark_csv: Path) -> Measured:
    return measured(read_rows(benchmark_csv))


@pytest.fixture(scope="session")
def rows(benchmark: Measured) -> dict[tuple[str, str], Row]:
    return {(row.name, row.population): row for row in table(benchmark)}


def made_up(families: int, spread: float, seed: int = 7) -> Measured:
    """Deployments of models whose error against the form is drawn once for each model."""
    draw = np.random.default_rng(seed)
    parts = []
    for i in range(families):
        n, total = int(draw.integers(6, 40)), float(np.exp(draw.uniform(math.log(8), math.log(700))))
        active = total * float(draw.choice([1.0, draw.uniform(0.05, 0.3)]))
        at = Conditions(np.full(n, active), np.full(n, total), np.exp(draw.uniform(2, 8, n)),
                        np.full(n, float(draw.choice([4, 8, 16]))), draw.integers(0, 2, n).astype(float),
                        np.exp(draw.uniform(5.5, 9, n)))
        joules = np.exp(log_joules(TRUTH, at)[0] + spread * draw.standard_normal() + 0.05 * draw.standard_normal(n))
        name = np.full(n, f"model {i}")
        parts.append((at, joules, name, np.full(n, "lm-arena-chat")))
    at = Conditions(*(np.concatenate([getattr(part[0], name) for part in parts]) for name in
                      ("active", "total", "batch", "bits", "b200", "output_tokens")))
    joules, names, tasks = (np.concatenate([part[i] for part in parts]) for i in (1, 2, 3))
    return Measured(at, joules, names, names, tasks, at.batch)


def test_the_fit_finds_the_truth_that_the_data_were_made_with():
    found = fit(made_up(families=400, spread=0.1))
    for name, value in zip(found.names, found.values, strict=True):
        assert value == pytest.approx(TRUTH[name], abs=0.1), name
    assert math.sqrt(found.variance) == pytest.approx(math.hypot(0.1, 0.05), rel=0.1)


def test_ranges_of_models_left_out_hold_what_they_state():
    data = made_up(families=40, spread=0.3)
    left = leave_one_out(data)
    inside = np.mean([one.low <= joules <= one.high for one, joules in zip(left.given, data.joules, strict=True)])
    assert 0.9 <= inside <= 0.99


def test_a_model_weighs_the_same_however_often_it_was_measured():
    data = made_up(families=12, spread=0.3)
    often = data.take(np.concatenate([np.arange(len(data)), *[np.flatnonzero(data.family == "model 3")] * 20]))
    assert fit(often).values == pytest.approx(fit(data).values, abs=1e-6)


def test_a_model_left_out_has_no_part_in_its_own_estimate():
    data = made_up(families=8, spread=0.3)
    chosen = data.family == "model 2"
    dearer = Measured(data.at, np.where(chosen, 9 * data.joules, data.joules), *(
        getattr(data, name) for name in ("family", "model", "task", "sequences")))
    before, after = leave_one_out(data).given, leave_one_out(dearer).given
    assert [before[i] for i in np.flatnonzero(chosen)] == [after[i] for i in np.flatnonzero(chosen)]
    others = np.flatnonzero(~chosen)
    assert any(before[i] != after[i] for i in others)


def test_variants_of_a_checkpoint_are_one_family():
    assert {family_of(f"Qwen/Qwen3-{name}") for name in (
        "235B-A22B-Instruct-2507", "235B-A22B-Instruct-2507-FP8", "235B-A22B-Thinking-2507",
        "VL-235B-A22B-Instruct-FP8",
    )} == {"Qwen3-235B-A22B"}
    assert family_of("Qwen/Qwen3-Coder-30B-A3B-Instruct") == family_of("Qwen/Qwen3-30B-A3B-Thinking-2507")
    assert family_of("Qwen/Qwen3-Omni-30B-A3B-Instruct") == family_of("Qwen/Qwen3-VL-30B-A3B-Instruct")
    assert family_of("deepseek-ai/DeepSeek-R1") == family_of("deepseek-ai/DeepSeek-V3.1")
    assert family_of("meta-llama/Llama-3.1-70B-Instruct") == family_of("meta-llama/Llama-3.3-70B-Instruct")
    assert family_of("meta-llama/Llama-3.1-8B-Instruct") != family_of("meta-llama/Llama-3.1-405B-Instruct-FP8")
    assert family_of("someone/new-model") == "someone/new-model"


def test_too_few_models_are_refused():
    with pytest.raises(JevonsError, match="3 base models"):
        fit(made_up(families=3, spread=0.1))


def test_a_table_that_is_not_the_benchmarks_is_refused(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("task,model_id\nlm-arena-chat,x\n")
    with pytest.raises(JevonsError, match="it has no column avg_batch_size, energy_per_token_joules"):
        read_rows(path)
    path.write_text("task,model_id\n")
    with pytest.raises(JevonsError, match="no rows"):
        read_rows(path)


def test_the_librarys_formula_is_asked_for_accelerators_alone():
    at = Conditions(*(np.array([value]) for value in (70.0, 70.0, 64.0, 16.0, 0.0, 500.0)))
    # 1.2 x 140 GB on 80 GB: 3 GPUs, 4 as a power of two; 1.16653e-6 exp(-0.0112059 x 64) 70 + 4.05293e-5 Wh, x 3600
    expected = 4 * (1.1665273e-6 * math.exp(-0.011205921 * 64) * 70 + 4.0529281e-5) * 3600
    assert ecologits_joules(at)[0] == pytest.approx(expected, rel=1e-6)


def test_the_frozen_fit_is_read_as_it_was_written():
    data = made_up(families=12, spread=0.3)
    found = fit(data)
    written = tomllib.loads(fitted_text(found, data))
    assert list(written["coefficients"].values()) == pytest.approx(found.values.tolist(), rel=1e-5)
    assert np.array(list(written["covariance"].values())) == pytest.approx(found.covariance, rel=1e-5)
    assert isinstance(frozen(), Fitted) and frozen().covariance.shape == (8, 8)
    assert frozen().covariance == pytest.approx(frozen().covariance.T)


def test_the_frozen_fit_comes_from_the_measurements(benchmark_csv, tmp_path):
    main(["fit", str(benchmark_csv), "--into", str(tmp_path / "fitted.toml")])
    made = tomllib.loads((tmp_path / "fitted.toml").read_text("utf-8"))
    kept = tomllib.loads((ROOT / "pipelines" / "factors" / "benchmark_fitted.toml").read_text("utf-8"))
    assert made.keys() == kept.keys()
    for part in ("coefficients", "typical_output_tokens"):
        assert made[part] == pytest.approx(kept[part], rel=1e-4), part
    assert made["fit"].pop("variance") == pytest.approx(kept["fit"].pop("variance"), rel=1e-4)
    assert made["fit"] == kept["fit"]
    for name, row in kept["covariance"].items():
        assert made["covariance"][name] == pytest.approx(row, rel=1e-3, abs=1e-7), name


@pytest.mark.parametrize(("name", "population", "largest"), [
    ("batch size given", "all", 1.6),
    ("batch size given", "above 200 billion", 1.6),
    ("batch size not given", "batch 16 to 512", 2.2),
    ("batch size not given", "batch 16 to 512, above 200 billion", 2.2),
])
def test_estimates_of_unseen_models_are_as_good_as_promised(rows, name, population, largest):
    row = rows[name, population]
    assert row.count >= 60 and row.families >= 4
    assert row.rms_gsd <= largest
    assert 0.93 <= row.inside <= 0.98


def test_the_fitted_form_does_better_than_the_library(rows):
    for population in ("batch 16 to 512", "batch 16 to 512, above 200 billion"):
        library = rows["only sizes known, EcoLogits alone", population].rms_gsd
        assert rows["only sizes known, EcoLogits at weight 0.25", population].rms_gsd < library / 1.1


def test_the_document_holds_the_table(benchmark, rows):
    text = (ROOT / "docs" / "accuracy.md").read_text("utf-8")
    kept = BEGIN + text.partition(BEGIN)[2].partition(END)[0] + END
    assert kept == markdown(list(rows.values()))
