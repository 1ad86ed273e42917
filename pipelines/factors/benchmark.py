"""Energy per output token of a language model, by a physical form that is fitted to measured deployments.

Reading the measurements and fitting do not belong here (benchmark_fit.py), nor the coefficients (benchmark.toml and
benchmark_fitted.toml).
"""

import math
import tomllib
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

BATCH_POINTS = 17
"""Points that stand for an unknown batch size, evenly spaced in the logarithm."""


@dataclass(frozen=True)
class Conditions:
    """What decides the energy of a token, one element for each estimate; parameters in billions, lengths in tokens."""

    active: np.ndarray
    total: np.ndarray
    batch: np.ndarray
    bits: np.ndarray
    b200: np.ndarray
    output_tokens: np.ndarray

    def take(self, chosen: np.ndarray) -> "Conditions":
        """The elements that a mask or an index chooses."""
        return Conditions(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True)
class Fitted:
    """A fit: coefficients by name, their covariance, and the variance of a new model's error, in ln J."""

    names: tuple[str, ...]
    values: np.ndarray
    covariance: np.ndarray
    variance: float
    typical_output_tokens: dict[str, float]

    def predict(self, at: Conditions) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of ln(J per output token) of a model that was not in the fit."""
        mean, slopes = log_joules(dict(zip(self.names, self.values, strict=True)), at)
        slope = np.column_stack([slopes[name] for name in self.names])
        return mean, self.variance + np.einsum("ij,jk,ik->i", slope, self.covariance, slope)


@dataclass(frozen=True)
class Estimate:
    """Accelerator energy of one output token, in J, prefill of its request included.

    Attributes:
        central: Geometric mean.
        gsd: Geometric standard deviation.
        cases: Mean and standard deviation of ln J of each case that is as likely as the others.
    """

    central: float
    gsd: float
    cases: tuple[NormalDist, ...] = field(repr=False)

    @cached_property
    def low(self) -> float:
        """Lower end of the 95% range."""
        return math.exp(_quantile(self.cases, 0.025))

    @cached_property
    def high(self) -> float:
        """Upper end of the 95% range."""
        return math.exp(_quantile(self.cases, 0.975))


def log_joules(value: dict[str, float], at: Conditions) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """ln(J per output token) of the form in benchmark.toml, and its slope in each coefficient.

    A decoding step reads the weights once for the whole batch and computes each token by itself; memory traffic and
    arithmetic are the two terms of the roofline model (Williams, Waterman and Patterson 2009, CACM 52:65).
    """
    form = assumptions()["form"]
    share = at.active / at.total
    read = np.where(share < 1, 1 - (1 - share) ** at.batch, 1.0)
    bits, length = np.log(at.bits / form["reference_bits"]), np.log(at.output_tokens / form["reference_output_tokens"])
    gigabytes = form["reference_bits"] / 8 * at.total
    weights = np.exp(value["weights"] + value["weights_bits"] * bits) * gigabytes * read / at.batch
    compute = np.exp(value["compute"] + value["size"] * np.log(at.active) - value["sparsity"] * np.log(share)
                     + value["length"] * length + value["compute_bits"] * bits)
    part = weights / (weights + compute)
    slopes = {
        "weights": part, "weights_bits": part * bits, "compute": 1 - part, "size": (1 - part) * np.log(at.active),
        "sparsity": -(1 - part) * np.log(share), "length": (1 - part) * length, "compute_bits": (1 - part) * bits,
        "gpu_b200": at.b200,
    }
    return np.log(weights + compute) + value["gpu_b200"] * at.b200, slopes


def estimate(
    total_b: float,
    active_b: float,
    batch: float | None = None,
    gpu: str | None = None,
    precision_bits: float | None = None,
    output_len: float | None = None,
    reasoning: bool = False,
    fitted: Fitted | None = None,
) -> Estimate:
    """Accelerator energy per output token of a model of known or assumed size.

    Args:
        total_b: Total parameters, billions.
        active_b: Parameters active for a token, billions.
        batch: Mean number of requests served together; None: spread over what production uses.
        gpu: GPU model, matched by part of its name; None or one that was not measured: mean of the measured ones,
            with a wider range.
        precision_bits: Bits of a weight; None: 8 or 16.
        output_len: Mean output tokens of a request; None: that of the benchmark's chats, or of its reasoning task.
        reasoning: Whether the output holds reasoning tokens; only chooses the length where none is given.
        fitted: The fit to use; None: the frozen one.

    Returns:
        The estimate in J per output token, accelerators only: no host, idle capacity or cooling.

    Raises:
        ValueError: sizes are not positive or active exceeds total, or batch, bits or length are not positive.
    """
    if not 0 < active_b <= total_b:
        raise ValueError(f"parameters must be 0 < active <= total, not {active_b} of {total_b} billion")
    if any(given is not None and given <= 0 for given in (batch, precision_bits, output_len)):
        raise ValueError("batch, precision_bits and output_len must be positive")
    fitted = fitted or frozen()
    unknown = assumptions()["unknown"]
    known = [name for name in unknown["gpus"] if gpu and name in gpu.upper()]
    length = output_len or fitted.typical_output_tokens[unknown["reasoning_task" if reasoning else "chat_task"]]
    cases = list(product(
        [batch] if batch else batch_points(),
        [precision_bits] if precision_bits else unknown["bits"],
        [float(name == "B200") for name in known or unknown["gpus"]],
    ))
    batches, bits, b200 = (np.array(column, dtype=float) for column in zip(*cases, strict=True))
    same = np.ones(len(cases))
    mean, variance = fitted.predict(Conditions(same * active_b, same * total_b, batches, bits, b200, same * length))
    return of_mixture(mean, variance if known else variance + math.log(unknown["other_gpu_gsd"]) ** 2)


def of_mixture(mean: np.ndarray, variance: np.ndarray) -> Estimate:
    """The estimate of equally likely log-normal cases: mean and variance of ln J of each."""
    centre, sd = float(mean.mean()), np.sqrt(variance)
    spread = math.sqrt(float(variance.mean() + ((mean - centre) ** 2).mean()))
    cases = tuple(NormalDist(m, s) for m, s in zip(mean.tolist(), sd.tolist(), strict=True))
    return Estimate(math.exp(centre), math.exp(spread), cases)


def batch_points() -> list[float]:
    """The batch sizes that stand for an unknown one: middles of equal parts of the logarithmic range."""
    low, high = (assumptions()["unknown"][f"batch_{end}"] for end in ("low", "high"))
    return [low * (high / low) ** ((i + 0.5) / BATCH_POINTS) for i in range(BATCH_POINTS)]


def _quantile(parts: tuple[NormalDist, ...], share: float) -> float:
    """Quantile of a mixture of normals with equal weights, by bisection between those of its parts."""
    ends = [part.inv_cdf(share) for part in parts]
    low, high = min(ends), max(ends)
    while high - low > 1e-9:
        middle = (low + high) / 2
        below = sum(part.cdf(middle) for part in parts) / len(parts) < share
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2


@cache
def assumptions() -> dict[str, Any]:
    """What benchmark.toml says."""
    return tomllib.loads(Path(__file__).with_name("benchmark.toml").read_text(encoding="utf-8"))


@cache
def frozen() -> Fitted:
    """The fit that is frozen in benchmark_fitted.toml."""
    text = Path(__file__).with_name("benchmark_fitted.toml").read_text(encoding="utf-8")
    given = tomllib.loads(text)
    return Fitted(
        names=tuple(given["coefficients"]),
        values=np.array(list(given["coefficients"].values())),
        covariance=np.array([given["covariance"][name] for name in given["coefficients"]]),
        variance=given["fit"]["variance"],
        typical_output_tokens=given["typical_output_tokens"],
    )
