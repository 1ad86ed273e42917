"""The frozen benchmark factors: by hand on a made-up sweep, and against the data set that they summarise.

What dbt makes of them is tested with the dbt models.
"""

import csv
import math
from pathlib import Path

import pytest
from support import ROOT, need

from pipelines.factors.__main__ import main
from pipelines.factors.benchmark_seeds import benchmark_rows, media_rows

SEEDS = ROOT / "dbt_project" / "seeds"


def token_row(batch: float, joules: float, gpus: int = 1, model: str = "m/a", gpu: str = "H100") -> dict[str, str]:
    return {"task": "lm-arena-chat", "model_id": model, "gpu_model": gpu, "weight_precision": "fp8",
            "num_gpus": str(gpus), "max_num_seqs": str(batch), "avg_batch_size": str(batch - 0.01),
            "energy_per_token_joules": str(joules), "avg_output_len": str(100 * gpus), "avg_power_watts": "500",
            "activated_params_billions": "8", "total_params_billions": "8"}


def media_row(joules: float, seconds: bool) -> dict[str, str]:
    size = {"video_width": "832", "video_height": "480", "num_frames": "81.0", "fps": "15", "image_width": "",
            "image_height": "", "task": "text-to-video", "energy_per_video_joules": str(joules)}
    image = {"image_width": "1024", "image_height": "768", "num_frames": "", "fps": "", "video_width": "",
             "video_height": "", "task": "text-to-image", "energy_per_image_joules": str(joules)}
    return {"model_id": "m/a", "gpu_model": "H100", "weight_precision": "bfloat16", "inference_steps": "20.0",
            "activated_params_billions": "2", "energy_per_token_joules": "", **(size if seconds else image)}


def test_a_sweep_becomes_one_row_for_each_range_of_batch_sizes():
    sweep = [token_row(8, 4.0), token_row(16, 2.0), token_row(32, 0.5, gpus=2), token_row(512, 0.25)]
    made = {(row["batch_basis"], row["batch_low"], row["batch_high"]): row for row in benchmark_rows(sweep)}
    assert list(made) == [("given", "2.5", "10"), ("given", "10", "40"), ("given", "160", "640"),
                          ("unknown", "16", "512")]
    middle = made["given", "10", "40"]
    # geometric mean of 2 and 0.5 is 1
    assert float(middle["joules_per_output_token"]) == pytest.approx(1.0)
    assert (middle["configuration_count"], middle["gpu_counts"], middle["mean_output_tokens"]) == ("2", "1;2", "150")
    # within ranges: only this one has two values, ln 2 and -ln 2: sd sqrt(2) ln 2; another stack: 1.25
    sd = math.hypot(math.sqrt(2) * math.log(2), math.log(1.25))
    found = [float(row["gsd_ratio"]) for key, row in made.items() if key[0] == "given"]
    assert found == pytest.approx([math.exp(sd)] * 3, rel=1e-5)
    unknown = made["unknown", "16", "512"]
    # 2, 0.5 and 0.25: logarithms 1, -1 and -2 times ln 2, mean -2/3, squares 14/3, sd sqrt(7/3) ln 2
    assert float(unknown["joules_per_output_token"]) == pytest.approx(2 ** (-2 / 3), rel=1e-5)
    assert float(unknown["gsd_ratio"]) == pytest.approx(
        math.exp(math.hypot(math.sqrt(7 / 3) * math.log(2), math.log(1.25))), rel=1e-5)


def test_a_sweep_that_ends_early_says_nothing_of_unknown_batches_or_borrows_the_spread():
    whole = [token_row(16, 8.0), token_row(512, 1.0)]
    short = [token_row(16, 1.0, model="m/short"), token_row(64, 0.9, model="m/short")]
    half = [token_row(16, 1.0, model="m/half"), token_row(128, 0.9, model="m/half")]
    made = {row["model_name"]: float(row["gsd_ratio"]) for row in benchmark_rows([*whole, *short, *half])
            if row["batch_basis"] == "unknown"}
    assert made.keys() == {"m/a", "m/half"}
    assert made["m/half"] == made["m/a"] > 2


def test_images_and_videos_are_per_item_and_second():
    images, videos = ([media_row(joules, seconds) for joules in each] for seconds, each in (
        (False, (720, 1800, 7200)), (True, (36000, 72000))))
    image, video = media_rows([*images, *videos])
    assert [image[f"wh_per_item{end}"] for end in ("_low", "", "_high")] == ["0.2", "0.5", "2"]
    assert (image["media_kind"], image["width_pixel_count"], image["height_pixel_count"]) == ("image", "1024", "768")
    assert (image["wh_per_video_second"], image["frame_count"], image["inference_step_count"]) == ("", "", "20")
    # 10 and 20 Wh: median 15; 81 frames at 15 a second are 5.4 s
    assert (video["wh_per_item"], video["video_seconds"]) == ("15", "5.4")
    assert float(video["wh_per_video_second"]) == pytest.approx(15 / 5.4, rel=1e-5)


@pytest.mark.parametrize("name", ["benchmark_factor", "media_factor"])
def test_a_frozen_row_says_where_it_comes_from_and_is_one(name):
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    assert len({row[f"{name}_id"] for row in rows}) == len(rows) >= 20
    for row in rows:
        assert row["factor_set"] == "mlenergy-3.0" and row["licence"] == "Apache-2.0"
        assert row["source_title"] and row["source_url"].startswith("https://") and row["released_date"]
        assert float(row["gsd_ratio"]) >= 1


def test_the_frozen_rows_come_from_the_measurements(shared_data: Path, tmp_path: Path):
    path = shared_data / "mlenergy" / "mlenergy_v3_configs.csv"
    need(path.is_file(), f"no measurements at {path}")
    main(["seeds", str(path), "--into", str(tmp_path)])
    for name in ("benchmark_factor.csv", "media_factor.csv"):
        assert (tmp_path / name).read_text("utf-8") == (SEEDS / name).read_text("utf-8"), name


def test_frozen_rows_hold_what_is_known_of_the_benchmark():
    with (SEEDS / "benchmark_factor.csv").open(encoding="utf-8", newline="") as source:
        rows = {row["benchmark_factor_id"]: row for row in csv.DictReader(source)}
    # Llama-3.1-8B on an H100, three configurations of 64 to 128 requests: 0.12 J at about 64 in the published table
    row = rows["mlenergy-3.0/meta-llama/Llama-3.1-8B-Instruct/H100/bfloat16/lm-arena-chat/given-40"]
    assert row["configuration_count"] == "3" and 0.09 < float(row["joules_per_output_token"]) < 0.13
    falling = [float(row["joules_per_output_token"]) for key, row in rows.items()
               if "/Llama-3.1-8B-Instruct/H100/" in key and row["batch_basis"] == "given"]
    assert len(falling) == 5 and falling == sorted(falling, reverse=True)
