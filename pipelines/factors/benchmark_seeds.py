"""Frozen benchmark factors: what a token, an image or a video of a measured model took, by GPU and batch size.

Estimates for what was not measured do not belong here (benchmark.py), nor the data set itself.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from statistics import fmean, median

from pipelines.factors.benchmark import assumptions
from pipelines.factors.values import fixed, provenance

JOULES_PER_WH = 3600
DIGITS = 6
MEDIA = {"text-to-image": "image", "text-to-video": "video"}

Raw = dict[str, str]


def benchmark_rows(rows: Sequence[Raw]) -> Iterator[Raw]:
    """Rows of benchmark_factor.csv: per model, GPU, task and weight precision one for each bin of batch sizes measured.

    One more where the sweep covers half of what production uses: for a batch size that is not known, spread at least
    as the median of the sweeps that cover all of it.
    """
    groups = _grouped((row for row in rows if row["energy_per_token_joules"]), _sweep)
    bins = {key: _grouped(sweep, _bin) for key, sweep in groups.items()}
    within = _pooled([_logs(one) for sweep in bins.values() for one in sweep.values()])
    low, high = (assumptions()["unknown"][f"batch_{end}"] for end in ("low", "high"))
    served = {key: [row for row in sweep if low <= float(row["max_num_seqs"]) <= high] for key, sweep in groups.items()}
    whole = median(_sd(_logs(sweep)) for sweep in served.values() if _largest(sweep) == high)
    for key in sorted(groups):
        for batch_low, batch_high in sorted(bins[key]):
            chosen = bins[key][batch_low, batch_high]
            yield _benchmark_row(key, chosen, "given", batch_low, batch_high, within)
        # a sweep that ends early would make unknown batches look small and their tokens dear
        if _largest(served[key]) >= math.sqrt(low * high):
            yield _benchmark_row(key, served[key], "unknown", low, high, max(_sd(_logs(served[key])), whole))


def _benchmark_row(
    key: tuple[str, ...], chosen: list[Raw], basis: str, low: float, high: float, sd: float
) -> Raw:
    set_, transfer = assumptions()["set"], math.log(assumptions()["seeds"]["transfer_gsd"])
    model, gpu, task, precision = key
    return {
        "benchmark_factor_id": "/".join((set_["factor_set"], model, gpu, precision, task, f"{basis}-{_plain(low)}")),
        "factor_set": set_["factor_set"],
        "model_name": model,
        "gpu_model": gpu,
        "task": task,
        "weight_precision": precision,
        "batch_basis": basis,
        "batch_low": _plain(low),
        "batch_high": _plain(high),
        "joules_per_output_token": _plain(math.exp(fmean(_logs(chosen)))),
        "gsd_ratio": _plain(math.exp(math.hypot(sd, transfer))),
        "configuration_count": str(len(chosen)),
        "gpu_counts": ";".join(sorted({row["num_gpus"] for row in chosen}, key=int)),
        "mean_output_tokens": _plain(fmean(float(row["avg_output_len"]) for row in chosen)),
        "average_power_w": _plain(fmean(float(row["avg_power_watts"]) for row in chosen)),
        "active_parameters_billion": _plain(float(chosen[0]["activated_params_billions"])),
        "total_parameters_billion": _plain(float(chosen[0]["total_params_billions"])),
        **provenance(set_),
    }


def media_rows(rows: Sequence[Raw]) -> Iterator[Raw]:
    """Rows of media_factor.csv: accelerator energy of an image or a video, over all measured batch sizes."""
    set_ = assumptions()["set"]
    groups = _grouped((row for row in rows if row["task"] in MEDIA), _setting)
    for key in sorted(groups):
        task, model, gpu, precision, steps, width, height, frames, rate = key
        chosen, kind = groups[key], MEDIA[task]
        found = [float(row[f"energy_per_{kind}_joules"]) / JOULES_PER_WH for row in chosen]
        seconds = float(frames) / float(rate) if frames and rate else 0
        yield {
            "media_factor_id": "/".join((set_["factor_set"], model, gpu, precision,
                                         f"{kind}-{_whole(width)}x{_whole(height)}-{_whole(steps)}")),
            "factor_set": set_["factor_set"],
            "media_kind": kind,
            "model_name": model,
            "gpu_model": gpu,
            "weight_precision": precision,
            "wh_per_item_low": _plain(min(found)),
            "wh_per_item": _plain(median(found)),
            "wh_per_item_high": _plain(max(found)),
            "wh_per_video_second": _plain(median(found) / seconds) if seconds else "",
            "gsd_ratio": _plain(math.exp(_sd([math.log(one) for one in found]))),
            "configuration_count": str(len(chosen)),
            "inference_step_count": _whole(steps),
            "width_pixel_count": _whole(width),
            "height_pixel_count": _whole(height),
            "frame_count": _whole(frames),
            "video_seconds": _plain(seconds) if seconds else "",
            "active_parameters_billion": _plain(float(chosen[0]["activated_params_billions"])),
            **provenance(set_),
        }


def _sweep(row: Raw) -> tuple[str, ...]:
    return tuple(row[name] for name in ("model_id", "gpu_model", "task", "weight_precision"))


def _largest(sweep: list[Raw]) -> float:
    return max((float(row["max_num_seqs"]) for row in sweep), default=0)


def _setting(row: Raw) -> tuple[str, ...]:
    one = MEDIA[row["task"]]
    names = ("task", "model_id", "gpu_model", "weight_precision", "inference_steps", f"{one}_width", f"{one}_height")
    return (*(row[name] for name in names), row["num_frames"], row["fps"])


def _bin(row: Raw) -> tuple[float, float]:
    """The bin of a batch size: edges are `bin_edge` times powers of `bin_ratio`, the lower one belongs to it."""
    seeds = assumptions()["seeds"]
    ratio, edge = float(seeds["bin_ratio"]), float(seeds["bin_edge"])
    step = math.floor(math.log(float(row["avg_batch_size"]) / edge, ratio))
    return edge * ratio**step, edge * ratio ** (step + 1)


def _grouped(rows: Iterator[Raw] | list[Raw], key: Callable[[Raw], tuple]) -> dict[tuple, list[Raw]]:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


def _logs(rows: list[Raw]) -> list[float]:
    return [math.log(float(row["energy_per_token_joules"])) for row in rows]


def _sd(logs: list[float]) -> float:
    """Sample standard deviation; 0 for one value."""
    mean = fmean(logs)
    return math.sqrt(sum((one - mean) ** 2 for one in logs) / max(len(logs) - 1, 1))


def _pooled(groups: list[list[float]]) -> float:
    """Standard deviation within groups, pooled over all of them."""
    squares = sum(_sd(group) ** 2 * (len(group) - 1) for group in groups)
    return math.sqrt(squares / max(sum(len(group) - 1 for group in groups), 1))


def _plain(value: float) -> str:
    """Six significant digits, written without an exponent."""
    return fixed(Decimal(f"{value:.{DIGITS}g}"))


def _whole(text: str) -> str:
    return str(int(float(text))) if text else ""
