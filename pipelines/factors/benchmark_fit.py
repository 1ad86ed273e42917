"""Reads measured configurations and fits the form of benchmark.py to them, each base model weighing the same.

What the fit is used for does not belong here, nor how well it does on models that it has not seen
(benchmark_accuracy.py).
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from pipelines.errors import JevonsError
from pipelines.factors.benchmark import Conditions, Fitted, assumptions, log_joules

MOST_STEPS = 200
CLOSE = 1e-12


@dataclass(frozen=True)
class Measured:
    """Configurations that were measured, one element each; `joules` of all accelerators per output token."""

    at: Conditions
    joules: np.ndarray
    family: np.ndarray
    model: np.ndarray
    task: np.ndarray
    sequences: np.ndarray

    def take(self, chosen: np.ndarray) -> "Measured":
        """The configurations that a mask or an index chooses."""
        return Measured(self.at.take(chosen), *(getattr(self, field.name)[chosen] for field in fields(self)[1:]))

    def __len__(self) -> int:
        return len(self.joules)


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of the data set's table.

    Raises:
        JevonsError: the file is not that table.
    """
    with Path(path).open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    wanted = {"task", "model_id", "gpu_model", "weight_precision", "avg_batch_size", "energy_per_token_joules"}
    if not rows or (lost := wanted - rows[0].keys()):
        raise JevonsError(
            "Measurements were not read", str(path),
            f"it has no column {', '.join(sorted(lost))}" if rows else "it has no rows",
            "give the configurations of the ML.ENERGY Benchmark v3.0 as one CSV file",
        )
    return rows


def measured(rows: Sequence[dict[str, str]]) -> Measured:
    """The rows of the fitted tasks.

    Raises:
        JevonsError: a row has a weight precision that benchmark.toml does not know.
    """
    given = assumptions()
    rows = [row for row in rows if row["task"] in given["fit"]["tasks"]]
    strange = {row["weight_precision"] for row in rows} - given["bits"].keys()
    if strange:
        raise JevonsError(
            "Measurements were not read", "weight_precision", f"its values {sorted(strange)} are not known",
            "add their bits to pipelines/factors/benchmark.toml",
        )

    def numbers(name: str) -> np.ndarray:
        return np.array([float(row[name]) for row in rows])

    return Measured(
        at=Conditions(
            active=numbers("activated_params_billions"), total=numbers("total_params_billions"),
            batch=numbers("avg_batch_size"), output_tokens=numbers("avg_output_len"),
            bits=np.array([float(given["bits"][row["weight_precision"]]) for row in rows]),
            b200=np.array([float(row["gpu_model"] == "B200") for row in rows]),
        ),
        joules=numbers("energy_per_token_joules"),
        family=np.array([family_of(row["model_id"]) for row in rows]),
        model=np.array([row["model_id"] for row in rows]),
        task=np.array([row["task"] for row in rows]),
        sequences=numbers("max_num_seqs"),
    )


def family_of(model_id: str) -> str:
    """The base checkpoint of a model; the model itself where no pattern fits."""
    fitting = (row["name"] for row in assumptions()["families"] if re.search(row["pattern"], model_id))
    return next(fitting, model_id)


def fit(data: Measured) -> Fitted:
    """Fits ln J by Gauss-Newton, with the priors of benchmark.toml.

    Each family counts as one observation, spread over its configurations: configurations of one model share its error,
    so that their number says nothing more about the next model. The error's variance is the weighted mean square of
    the residuals over families less effective parameters (Gelman et al. 2013, Bayesian Data Analysis, 14.2); it is
    found together with the coefficients, whose covariance is that of the Laplace approximation.

    Raises:
        JevonsError: too few families, or the fit does not settle.
    """
    prior = assumptions()["prior"]
    names = tuple(prior)
    mean = np.array([prior[name]["mean"] for name in names])
    precision = np.diag([prior[name]["sd"] ** -2.0 for name in names])
    families, which, count = np.unique(data.family, return_inverse=True, return_counts=True)
    if len(families) <= 3:
        raise JevonsError("Nothing was fitted", "measurements", f"they are of {len(families)} base models only",
                          "give more base models")
    weight, target = 1 / count[which], np.log(data.joules)
    values, variance = mean, 0.1
    for _ in range(MOST_STEPS):
        residual, slope = _residual(names, values, data.at, target)
        information = (slope * weight[:, None]).T @ slope
        covariance = np.linalg.inv(information / variance + precision)
        step = covariance @ (slope.T @ (weight * residual) / variance - precision @ (values - mean))
        effective = float(np.trace(information @ covariance)) / variance
        before, values = variance, values + step
        residual, _ = _residual(names, values, data.at, target)
        variance = float(weight @ residual**2) / (len(families) - effective)
        if np.abs(step).max() < CLOSE and abs(variance / before - 1) < CLOSE:
            return Fitted(names, values, covariance, variance, _typical_lengths(data))
    raise JevonsError("Nothing was fitted", "measurements", f"the fit did not settle in {MOST_STEPS} steps",
                      "look for rows that are far from the others")


def _residual(
    names: Sequence[str], values: np.ndarray, at: Conditions, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    expected, slopes = log_joules(dict(zip(names, values, strict=True)), at)
    return target - expected, np.column_stack([slopes[name] for name in names])


def _typical_lengths(data: Measured) -> dict[str, float]:
    """Geometric mean of the output tokens of a request by task, each model of the task weighing the same."""
    lengths = np.log(data.at.output_tokens)
    return {
        str(task): float(np.exp(np.mean([
            lengths[(data.task == task) & (data.model == model)].mean()
            for model in np.unique(data.model[data.task == task])
        ])))
        for task in np.unique(data.task)
    }


def fitted_text(fitted: Fitted, data: Measured) -> str:
    """The text of benchmark_fitted.toml: what estimates need, to six digits."""
    source = assumptions()["set"]
    lines = [
        "# Written by `python -m pipelines.factors fit <csv>`; not edited by hand. Coefficients of the form in",
        "# benchmark.toml; energies in J of accelerator energy per output token, variances in natural logarithms.",
        "", "[fit]",
        *(f'{name} = "{source[name]}"' for name in ("source_title", "source_url", "licence", "released_date")),
        f"configurations = {len(data)}",
        f"families = {len(np.unique(data.family))}",
        f"models = {len(np.unique(data.model))}",
        f"batch_low = {_short(data.at.batch.min())}",
        f"batch_high = {_short(data.at.batch.max())}",
        f"total_parameters_billion_high = {_short(data.at.total.max())}",
        f"variance = {_short(fitted.variance)}",
        "", "[typical_output_tokens]",
        *(f'"{task}" = {_short(tokens)}' for task, tokens in fitted.typical_output_tokens.items()),
        "", "[coefficients]",
        *(f"{name} = {_short(value)}" for name, value in zip(fitted.names, fitted.values, strict=True)),
        "", "[covariance]",
        *(f"{name} = [{', '.join(map(_short, row))}]"
          for name, row in zip(fitted.names, fitted.covariance, strict=True)),
    ]
    return "\n".join(lines) + "\n"


def _short(value: float) -> str:
    return str(float(f"{value:.6g}"))
