"""Training runs: what each took, what was lost, and how often a model is trained again.

What does not belong here: requests to a finished model.
"""

from typing import Any

import pandas

from dashboards import cells, charts, parts, style, tables, words_of_models
from dashboards.book import Book
from dashboards.questions import models
from dashboards.tables import Column
from pipelines import units


def section(book: Book, anchor: str) -> None:
    """Cards of all runs, a chart of them over time, and their table."""
    if not book.holds("fct_training_run"):
        return
    runs = models.runs(book)
    if runs.empty:
        parts.heading("No training run is recorded", anchor=anchor)
        parts.empty(
            "Runs come from Slurm's accounting or files of jobs; the source `gpu_jobs` in jevons.toml names them. "
            "Check it:",
            "jevons doctor",
        )
        return
    runs = runs.assign(
        name=runs["run_id"],
        outcome=[words_of_models.outcome(row) for row in runs.itertuples()],
        state_said=[words_of_models.state(row) for row in runs.itertuples()],
        stage=[words_of_models.plain(stage) for stage in runs["lifecycle_stage"]],
        said=[f"{units.energy(row.energy_kwh)} ({units.energy_range(row.energy_kwh_low, row.energy_kwh_high)})"
              for row in runs.itertuples()],
    )  # fmt: skip
    parts.heading(
        words_of_models.training_finding(runs),
        "All runs of the build, whatever days are chosen above. Their energy is that of GPUs or machines without "
        "cooling; the totals above hold it already, so it is not added to them.",
        anchor,
    )
    _cards(runs)
    known = runs[runs["energy_kwh"].notna() & runs["ended_date"].notna()]
    if len(known):
        present = [(style.SIGNS[shape], colour, name) for name, (shape, colour) in style.RUNS.items()
                   if name in set(known["outcome"])]  # fmt: skip
        note = "kWh a run, from zero. The line is the range, low to high."
        parts.subheading("Energy of each run, by the day on which it ended", note, key=parts.keys(present))
        parts.chart(charts.run_marks(known, style.RUNS, "Energy of each run, by the day on which it ended"), "runs")
    _table(book, runs)


def _cards(runs: pandas.DataFrame) -> None:
    total = runs[["energy_kwh_low", "energy_kwh", "energy_kwh_high"]].sum(min_count=1)
    first = runs.iloc[0]
    whole = (runs["coverage_ratio"] == 1).sum()
    cadence, said = words_of_models.cadence(runs)
    parts.cards(
        [
            parts.card(
                "Energy of all runs",
                units.energy(total["energy_kwh"]),
                f"known whole for {whole} of {units.counted(len(runs), 'run')}",
                spread=f"range {units.energy_range(total['energy_kwh_low'], total['energy_kwh_high'])}",
            ),
            parts.card(
                "Lost",
                units.percent(first["organisation_lost_ratio"]),
                "of it in jobs that failed or whose result was superseded",
            ),
            parts.card(
                "Experiments and evaluations",
                units.percent(first["organisation_experiment_ratio"]),
                "of it before or beside the training that was kept",
            ),
            parts.card("Trained again after", cadence, said),
        ]
    )


def _table(book: Book, runs: pandas.DataFrame) -> None:
    end = charts.headroom(runs["energy_kwh"], runs["energy_kwh_high"])

    def bar(row: Any) -> str:
        said = f"{row.run_id}: {row.said}"
        return cells.bar(said, row.energy_kwh_low, row.energy_kwh, row.energy_kwh_high, end, kind="b s")

    columns = [
        Column("run_id", "Run", cell=lambda row: cells.named(row.run_id, row.stage, row.state_said)),
        Column("experiment_id", "Experiment", only="file"),
        Column("workflow_name", "Workflow", only="file"),
        Column("model_id", "Model", missing="not told", cell=_model),
        Column("stage", "Stage", only="file"),
        Column("state_said", "It", only="file"),
        Column("ended_date", "Ended", units.day),
        Column("job_count", "Jobs", units.count, only="file"),
        Column("failed_job_count", "Jobs that failed", units.count, only="file"),
        Column("missing_day_count", "Days not landed", units.count, only="file"),
        Column("gpu_hours", "GPU hours", units.number, only="file"),
        Column("bar", "Energy and its range", cell=bar, only="page"),
        Column("energy_kwh_low", "Energy low, kWh", units.number, only="file"),
        Column("energy_kwh", "Energy, kWh", units.number),
        Column("energy_kwh_high", "Energy high, kWh", units.number, only="file"),
        Column("energy_method", "Known by", only="file"),
        Column("coverage_ratio", "Share of GPU time that is known", units.percent, only="file"),
        Column("lost_energy_kwh", "Lost, kWh", units.number, only="file"),
        Column("lost_energy_ratio", "Lost", units.percent, only="page"),
        Column("days_since", "Since the one before", units.count, cell=_days_since,
               full_label="Days since the one before"),
        Column("output_tokens", "Tokens", units.count, only="file"),
        Column("wh_per_thousand_tokens", "Wh per 1,000 tokens", units.number),
    ]  # fmt: skip
    tables.report(book, "training_runs", runs, columns, "Training runs by energy")


def _model(row: Any) -> str:
    return cells.named("not told" if units.is_unknown(row.model_id) else row.model_id, row.workflow_name)


def _days_since(row: Any) -> str:
    if units.is_unknown(row.days_since):
        return '<td class="n u">–</td>'
    return f'<td class="n">{units.counted(row.days_since, "day")}</td>'
