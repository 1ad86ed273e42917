"""The life of the sandbox's own model: its GPU jobs in Slurm's words, their stages, evaluations, and comparisons.

What is served and called belongs in workloads.py and gpus.py. Every figure here is made up.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

OWN_MODEL = "own/support-7b"
WORKFLOW = "synthetic-dialogues"
BAR_WORKFLOW = "care-chat-assist"
TASK, METRIC = "support-answers", "accepted_ratio"
UNGUARDED_RUN, GUARDED_RUN = "sft-2026-08", "sft-2026-07"  # whose windows miss a part of the run, and whose do not

SETTINGS = (
    "[sources.gpu_jobs]", 'path = "inbox/gpu_jobs/*.txt"', 'format = "sacct"', 'time_zone = "Europe/Paris"',
    "exclusive = true", 'site = "paris-dc"', "",
    "[sources.gpu_jobs.gpu_models]", 'h100 = "NVIDIA H100 80GB HBM3"', "",
    *(line for name in ("run_stages", "evaluations", "quality_bars", "measurements")
      for line in (f"[sources.{name}]", f'path = "inbox/{name}.csv"', "")),
)

_SLURM = ("JobIDRaw", "JobName", "User", "Comment", "WCKey", "NodeList", "AllocTRES", "ElapsedRaw", "Submit", "Start",
          "End", "State", "ConsumedEnergyRaw")
# (run, stage, start in Paris, minutes, GPUs, node, state, joules, tokens, superseded by): a fine-tuning every four
# weeks that runs out of memory first, one on wrong data, a sweep whose machines nobody meters, and an evaluation
_JOBS: tuple[tuple[str, str, str, int, int, str, str, int, int | None, str | None], ...] = (
    ("sft-2026-06", "fine_tuning", "2026-06-01T20:00:00", 35, 4, "1", "OUT_OF_MEMORY", 4_620_000, None, None),
    ("sft-2026-06", "fine_tuning", "2026-06-01T21:00:00", 360, 4, "1", "COMPLETED", 69_100_000, 182_000_000, None),
    *(("lora-rank-sweep", "experiment", f"2026-06-{day}T{hour}:00:00", minutes, 2, "2", state, 0, None, None)
      for day, hour, minutes, state in (
          (22, "10", 95, "COMPLETED"), (22, "13", 95, "COMPLETED"), (23, "10", 180, "TIMEOUT"),
          (23, "14", 100, "COMPLETED"), (24, "10", 12, "FAILED"), (24, "11", 98, "COMPLETED"))),
    ("sft-2026-07a", "fine_tuning", "2026-07-03T21:00:00", 350, 4, "1", "COMPLETED", 67_300_000, 178_000_000,
     "sft-2026-07"),
    ("sft-2026-07", "fine_tuning", "2026-07-06T20:00:00", 30, 4, "1", "NODE_FAIL", 3_900_000, None, None),
    ("sft-2026-07", "fine_tuning", "2026-07-06T21:00:00", 372, 4, "1", "COMPLETED", 71_400_000, 186_000_000, None),
    ("eval-2026-07", "evaluation", "2026-07-07T09:00:00", 50, 1, "2", "COMPLETED", 0, None, None),
    ("sft-2026-08", "fine_tuning", "2026-08-03T21:00:00", 381, 4, "1", "COMPLETED", 73_000_000, 190_000_000, None),
    ("eval-2026-08", "evaluation", "2026-08-04T09:00:00", 52, 1, "2", "COMPLETED", 0, None, None),
)
# Share of each stage in thousandths of the run's energy; what is missing to 1000 no window holds.
_STAGES = {
    GUARDED_RUN: {"data_loading": 41, "forward": 268, "backward": 489, "optimiser": 97, "communication": 58,
                  "checkpoint": 22, "evaluation": 14},
    UNGUARDED_RUN: {"data_loading": 44, "forward": 262, "backward": 478, "optimiser": 95, "communication": 51},
}
_EVALUATION = ("model_id", "hardware", "task", "metric", "quality_score", "quality_low", "quality_high", "item_count",
               "energy_wh_per_item_low", "energy_wh_per_item", "energy_wh_per_item_high", "energy_boundary",
               "input_tokens_per_item", "output_tokens_per_item", "engine", "precision", "batch_size",
               "evaluated_date", "evaluated_by", "evidence")
_LAB = ("2026-07-10", "Applied Research Lead", "lab report 14")
_EVALUATIONS = (
    (OWN_MODEL, "1x NVIDIA H100 80GB HBM3", TASK, METRIC, "0.842", "0.818", "0.864", 900, "0.052", "0.061", "0.070",
     "facility", 620, 240, "vllm 0.11.0", "bf16", 32, *_LAB),
    ("self_hosted/meta-llama/Meta-Llama-3.1-70B-Instruct", "4x NVIDIA A100-SXM4-80GB", TASK, METRIC, "0.871", "0.848",
     "0.891", 900, "0.61", "0.72", "0.84", "facility", 620, 310, "vllm 0.11.0", "bf16", 32, *_LAB),
    ("self_hosted/mistralai/Mistral-Nemo-Instruct-2407", "1x NVIDIA A100-SXM4-80GB", TASK, METRIC, "0.833", "0.808",
     "0.856", 900, "0.21", "0.25", "0.29", "facility", 620, 275, "vllm 0.11.0", "bf16", 32, *_LAB),
    ("openai/gpt-5.4-mini-2026-03-17", None, TASK, METRIC, "0.878", "0.856", "0.898", 900, None, None, None, None, 620,
     260, None, None, None, *_LAB),
    ("acme/acme-llm-1", None, TASK, METRIC, "0.806", "0.779", "0.830", 900, None, None, None, None, 620, 400, None,
     None, None, *_LAB),
)
_BAR = ("workflow_id", "task", "metric", "minimum_quality", "set_by", "reason", "valid_from")
_BARS = (
    (BAR_WORKFLOW, TASK, METRIC, "0.80", "Head of Customer Care", "What people reached before the assistant",
     "2026-06-01"),
    (WORKFLOW, TASK, METRIC, "0.80", "Language Models Lead", "Below it the dialogues test nothing", "2026-06-01"),
    ("claims-letter-drafts", TASK, METRIC, "0.95", "Customer Letters Lead", "A wrong letter costs a complaint",
     "2026-06-01"),
)
_MEASUREMENT = ("measurement_id", "comparison_id", "subject", "phase", "tested_condition", "energy_wh_per_unit_low",
                "energy_wh_per_unit", "energy_wh_per_unit_high", "unit", "energy_boundary", "hardware", "driver",
                "serving_stack", "stack_version", "model", "precision", "batch_size", "input_tokens", "output_tokens",
                "measured_date", "measured_by", "evidence")
_A100 = ("request", "facility", "1x NVIDIA A100-SXM4-80GB", "570.86.15", "vllm")
_SIZE = ("Mistral-Nemo-Instruct-2407", "bf16", 32, 620, 275)
_MEASUREMENTS = (
    ("stack-before", "stack-upgrade", "Summaries, old serving stack", "before", "stack_version", "0.262", "0.285",
     "0.308", *_A100, "0.9.2", *_SIZE, "2026-06-15", "Platform Lead", "lab report 11"),
    ("stack-after", "stack-upgrade", "Summaries, new serving stack", "after", "stack_version", "0.218", "0.237",
     "0.256", *_A100, "0.11.0", *_SIZE, "2026-06-29", "Platform Lead", "lab report 12"),
    ("new-gpu-claim", "new-gpu", "The vendor's figure for its new GPU", "vendor_claim", None, None, "0.021", None,
     "request", None, "8x NVIDIA B200", None, "TensorRT-LLM", "1.2", "Mistral-Nemo-Instruct-2407", "fp4", 512, 620, 275,
     "2026-05-20", "vendor", "data sheet"),
    ("new-gpu-own", "new-gpu", "Our own serving today", "after", None, "0.218", "0.237", "0.256", *_A100, "0.11.0",
     *_SIZE, "2026-06-29", "Platform Lead", "lab report 12"),
)


def files() -> dict[str, str]:
    """Return the text of each file by its path under inbox/."""
    return {
        "gpu_jobs/sacct.txt": sacct_text(),
        "run_stages.csv": _csv(("run_id", "window_name", "stage", "seconds", "energy_j"), _windows()),
        "evaluations.csv": _csv(_EVALUATION, _EVALUATIONS),
        "quality_bars.csv": _csv(_BAR, _BARS),
        "measurements.csv": _csv(_MEASUREMENT, _MEASUREMENTS),
    }


def sacct_text() -> str:
    """Return the jobs as `sacct --parsable2 --noconvert` prints them: local times of Paris, and a person named."""
    lines = ["|".join(_SLURM)]
    for number, (run, stage, start, minutes, gpus, node, state, joules, tokens, newer) in enumerate(_JOBS):
        words = {"run_id": run, "lifecycle_stage": stage, "model_id": OWN_MODEL, "output_tokens": tokens,
                 "superseded_by": newer, "experiment_id": "lora-rank" if stage == "experiment" else None}
        comment = ";".join(f"{name}={value}" for name, value in words.items() if value is not None)
        end = (datetime.fromisoformat(start) + timedelta(minutes=minutes)).isoformat()
        tres = f"billing={8 * gpus},cpu={8 * gpus},gres/gpu:h100={gpus},gres/gpu={gpus},mem={128 * gpus}G,node=1"
        job = (str(480_100 + number), run, "sandbox-user", comment, WORKFLOW, f"train-node-{node}", tres,
               str(minutes * 60), start, start, end, state, "")
        step = (f"{job[0]}.batch", "batch", "", "", "", job[5], tres, job[7], start, start, end, state, str(joules))
        lines += ["|".join(job), "|".join(step)]
    return "\n".join(lines) + "\n"


def run_joules(run_id: str) -> int:
    """Return what the machines of a run drew in all its jobs, in joules; 0 where nobody read it."""
    return sum(job[7] for job in _JOBS if job[0] == run_id)


def _windows() -> Iterable[tuple]:
    for run, shares in _STAGES.items():
        seconds = 60 * sum(job[3] for job in _JOBS if job[0] == run)
        for stage, share in shares.items():
            yield run, f"{stage}-all", stage, f"{seconds * share / 1000:.3f}", run_joules(run) * share // 1000


def _csv(columns: Sequence[str], rows: Iterable[Sequence]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)  # None becomes an empty cell
    return text.getvalue()
