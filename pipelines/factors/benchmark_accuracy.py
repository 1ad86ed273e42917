"""How well energy per output token is estimated for base models that the fit has not seen.

The fit and the form do not belong here (benchmark_fit.py, benchmark.py).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from pipelines.errors import JevonsError
from pipelines.factors.benchmark import Conditions, Estimate, Fitted, assumptions, batch_points, of_mixture
from pipelines.factors.benchmark_fit import Measured, fit
from pipelines.factors.values import inputs, value_of

BEGIN, END = "<!-- accuracy: written by python -m pipelines.factors accuracy -->", "<!-- /accuracy -->"
HEADER = ("estimate", "configurations", "count", "base models", "rms GSD", "within the 95 % range", "range, x and /")
WEIGHTS = (0.0, 0.25, 0.5)


@dataclass(frozen=True)
class Left:
    """Estimates of each configuration by a fit without its base model; in J per output token."""

    given: list[Estimate]
    not_given: list[Estimate]
    nothing_given: list[Estimate]
    ecologits: np.ndarray


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        rms_gsd: exp of the root mean square of ln(estimate / measured).
        inside: Share of configurations within the stated 95% range; nan for an estimate without one.
        reach: Geometric mean of the square root of high / low.
    """

    name: str
    population: str
    count: int
    families: int
    rms_gsd: float
    inside: float
    reach: float

    def line(self) -> str:
        stated = ("–", "–") if math.isnan(self.inside) else (f"{100 * self.inside:.1f} %", f"{self.reach:.2f}")
        cells = (self.name, self.population, str(self.count), str(self.families), f"{self.rms_gsd:.2f}", *stated)
        return f"| {' | '.join(cells)} |"


def leave_one_out(data: Measured) -> Left:
    """Estimates every base model by a fit of the others: its variants and both precisions are left out with it."""
    count = len(data)
    given: list[Estimate | None] = [None] * count
    not_given, nothing_given = given.copy(), given.copy()
    for family in np.unique(data.family):
        others = fit(data.take(data.family != family))
        for i in np.flatnonzero(data.family == family):
            at = data.at.take(np.array([i]))
            given[i] = of_mixture(*others.predict(at))
            not_given[i] = of_mixture(*others.predict(_spread(at, batch_points())))
            nothing_given[i] = _as_behind_an_api(others, at)
    return Left(given, not_given, nothing_given, ecologits_joules(data.at))


def _spread(at: Conditions, batches: list[float], bits: list[float] | None = None, b200: list[float] | None = None
            ) -> Conditions:
    """One configuration at every combination of what is not known of it."""
    cases = list(product(batches, bits or at.bits.tolist(), b200 or at.b200.tolist()))
    columns = [np.array(column) for column in zip(*cases, strict=True)]
    same = np.zeros(len(cases), dtype=int)
    return Conditions(at.active[same], at.total[same], *columns, at.output_tokens[same])


def _as_behind_an_api(others: Fitted, at: Conditions) -> Estimate:
    """Only sizes and length are known, as of a model behind an API that disclosed its sizes."""
    unknown = assumptions()["unknown"]
    spread = _spread(at, batch_points(), unknown["bits"], [float(name == "B200") for name in unknown["gpus"]])
    return of_mixture(*others.predict(spread))


def ecologits_joules(at: Conditions) -> np.ndarray:
    """What EcoLogits' formula gives for the accelerators alone, J per output token; only sizes enter it."""
    from ecologits.impacts import llm

    fitted = (llm.GPU_ENERGY_ALPHA, llm.GPU_ENERGY_BETA, llm.GPU_ENERGY_GAMMA)
    return np.array([
        llm.gpu_required_count(llm.model_required_memory(total, llm.MODEL_QUANTIZATION_BITS), llm.GPU_MEMORY)
        * llm.gpu_energy(active, 1.0, llm.BATCH_SIZE, *fitted) * 3.6e6
        for active, total in zip(at.active.tolist(), at.total.tolist(), strict=True)
    ])


def table(data: Measured) -> list[Row]:
    """The rows of the accuracy table."""
    return list(_rows(data, leave_one_out(data)))


def _rows(data: Measured, left: Left) -> Iterator[Row]:
    given = assumptions()
    low, high = given["unknown"]["batch_low"], given["unknown"]["batch_high"]
    everything = np.ones(len(data), dtype=bool)
    served = (data.sequences >= low) & (data.sequences <= high)
    large = data.at.total > given["combined"]["large_billion"]
    above, batches = f"above {given['combined']['large_billion']} billion", f"batch {low} to {high}"
    for population, chosen in (
        ("all", everything), (above, large), (f"up to {given['combined']['large_billion']} billion", ~large),
        (batches, served), (f"{batches}, {above}", served & large),
        *((f"task {task}", data.task == task) for task in given["fit"]["tasks"]),
    ):
        yield _row("batch size given", population, data, left.given, chosen)
    for population, chosen in (
        (batches, served), (f"{batches}, {above}", served & large), ("all", everything), (above, large)
    ):
        yield _row("batch size not given", population, data, left.not_given, chosen)
    for population, chosen in (("all", everything), (above, large)):
        yield Row("mean of each sweep of batch sizes, measured", population, int(chosen.sum()),
                  len(np.unique(data.family[chosen])), _sweep_gsd(data, chosen), math.nan, math.nan)
    for (population, chosen), weight in product(
        ((batches, served), (f"{batches}, {above}", served & large)), (*WEIGHTS, 1.0)
    ):
        yield _closed_row(population, data, left, chosen, weight)


def _row(name: str, population: str, data: Measured, found: list[Estimate], chosen: np.ndarray) -> Row:
    which = np.flatnonzero(chosen)
    errors = [math.log(found[i].central / data.joules[i]) for i in which]
    inside = [found[i].low <= data.joules[i] <= found[i].high for i in which]
    reach = [math.log(found[i].high / found[i].low) / 2 for i in which]
    return Row(name, population, len(which), len(np.unique(data.family[chosen])), _rms(np.array(errors)),
               float(np.mean(inside)), math.exp(float(np.mean(reach))))


def _closed_row(population: str, data: Measured, left: Left, chosen: np.ndarray, weight: float) -> Row:
    """Only sizes known: EcoLogits at a weight; without a stated range where it stands alone."""
    fitted, ecologits = np.log([one.central for one in left.nothing_given]), np.log(left.ecologits)
    apart = weight * (1 - weight) * (ecologits - fitted) ** 2
    sd = np.sqrt(np.log([one.gsd for one in left.nothing_given]) ** 2 + apart)
    errors = ((1 - weight) * fitted + weight * ecologits - np.log(data.joules))[chosen]
    reach = float(value_of(inputs(), "interval_width")) * sd[chosen]
    alone = weight == 1
    name = "only sizes known, EcoLogits alone" if alone else f"only sizes known, EcoLogits at weight {weight:g}"
    return Row(name, population, int(chosen.sum()), len(np.unique(data.family[chosen])), _rms(errors),
               math.nan if alone else float(np.mean(np.abs(errors) <= reach)), math.exp(float(reach.mean())))


def _sweep_gsd(data: Measured, chosen: np.ndarray) -> float:
    """Spread within a sweep of batch sizes: what an estimate blind to the batch leaves even if all else is known."""
    keys = np.array([f"{model}/{task}/{b200}" for model, task, b200 in
                     zip(data.model, data.task, data.at.b200, strict=True)])
    logs = np.log(data.joules)
    errors = [logs[chosen & (keys == key)] - logs[chosen & (keys == key)].mean() for key in np.unique(keys[chosen])]
    return _rms(np.concatenate(errors))


def _rms(errors: np.ndarray) -> float:
    return math.exp(math.sqrt(float(np.mean(errors**2))))


def markdown(rows: list[Row]) -> str:
    """The table as Markdown, between the marks that `rewrite` looks for."""
    rule = "|---|---|--:|--:|--:|--:|--:|"
    return "\n".join((BEGIN, f"| {' | '.join(HEADER)} |", rule, *(row.line() for row in rows), END))


def rewrite(path: Path, text: str) -> None:
    """Replaces the table in a document.

    Raises:
        JevonsError: the document has no marks.
    """
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise JevonsError("The table was not written", str(path), f"it has no lines {BEGIN} and {END}", "put them back")
    path.write_text(before + text + after, encoding="utf-8")
