"""Models: how well they do beside what they take, and which of them would do for a workflow.

What does not belong here: one score for quality and energy. Training, requests and comparisons stand in views of
their own.
"""

from typing import Any

import pandas
import streamlit as st

from dashboards import cells, charts, parts, style, tables, words_of_evidence, words_of_models
from dashboards.book import Book
from dashboards.parts import Section
from dashboards.questions import models
from dashboards.tables import Column
from dashboards.views import comparisons, quality_bars, requests, run_stages, training
from pipelines import units

_SECTIONS = (
    Section("quality", "Quality beside energy", "fct_model_choice", "quality beside energy"),
    Section("bars", "Quality bars", "fct_workflow_model_choice", "the cheapest model that meets each bar"),
    Section("requests", "Energy per request", "fct_request_quantile_monthly", "energy per request"),
    Section("training", "Training runs", "fct_training_run", "training runs"),
    Section("stages", "Stages of runs", "fct_run_stage", "stages of training runs"),
    Section("comparisons", "Comparisons", "fct_comparison", "comparisons of measurements"),
)


def page(book: Book) -> None:
    """Draw the page."""
    parts.total_line(book)
    present = parts.present(book, _SECTIONS)
    if present:
        parts.contents(present)
    if book.holds("fct_model_choice"):
        _choices(book)
    quality_bars.section(book, "bars")
    requests.section(book, "requests")
    training.section(book, "training")
    run_stages.section(book, "stages")
    comparisons.section(book, "comparisons")
    parts.lacking(book, parts.told(_SECTIONS))


def _choices(book: Book) -> None:
    results = models.results(book)
    if results.empty:
        parts.heading("No evaluation of a model is recorded", anchor="quality")
        parts.empty(
            "Results come from files; the source `evaluations` in jevons.toml names them. Check it:", "jevons doctor"
        )
        return
    tasks = list(results[["task", "metric"]].drop_duplicates().itertuples(index=False, name=None))
    kept = st.session_state.get("task")
    task, metric = kept if kept in tasks else tasks[0]
    one = results[(results["task"] == task) & (results["metric"] == metric)].reset_index(drop=True)
    parts.heading(
        words_of_models.frontier_finding(one, task),
        "A point is an evaluation of a model: filled where its energy was measured, hollow where it is estimated. "
        "Lines through it: both 95 % ranges. Dashed: the frontier, drawn for each boundary of energy by itself, as "
        "only energies of one boundary can be told larger from smaller. Quality and energy are never one score. "
        "All evaluations of the build, whatever days are chosen above.",
        "quality",
    )
    st.selectbox(
        "Task and metric",
        tasks,
        format_func=lambda pair: f"{words_of_models.plain(pair[0])}: {words_of_models.plain(pair[1])}",
        key="task",
        width=420,
    )
    one = one.assign(
        name=[model.split("/", 1)[-1] for model in one["model_id"]],
        conditions=[words_of_models.conditions(row) for row in one.itertuples()],
        said_energy=[_energy_said(row) for row in one.itertuples()],
        said_quality=[_quality_said(row) for row in one.itertuples()],
        basis=[_basis(row) for row in one.itertuples()],
        boundary=[words_of_models.BOUNDARIES.get(name, "unknown") for name in one["energy_boundary"]],
    )
    known = one[one["energy_wh_per_item"].notna()]
    if known.empty:
        parts.empty("The energy of an item is unknown for all of them, so that there is nothing to set beside quality.")
    else:
        _chart(known, metric, words_of_models.frontier_finding(one, task))
    _choice_table(book, one, metric)


def _chart(known: pandas.DataFrame, metric: str, finding: str) -> None:
    far = charts.is_far(known, ["energy_wh_per_item_low", "energy_wh_per_item_high"])
    scale = "energy on a logarithmic axis, in even ratios; " if far else "energy from zero; "
    present = [name for name in words_of_models.BOUNDARIES if name in set(known["energy_boundary"])]
    parts.subheading(
        f"{words_of_models.plain(metric).capitalize()} beside energy",
        f"Up is better; {scale}the vertical axis does not begin at zero.",
        key=parts.keys(
            ("●", style.BOUNDARIES[name], f"energy of {words_of_models.BOUNDARIES[name]}") for name in present
        ),
    )
    parts.chart(charts.choices(known, words_of_models.plain(metric), finding), "choices")


def _choice_table(book: Book, one: pandas.DataFrame, metric: str) -> None:
    quality = words_of_models.plain(metric).capitalize()
    one = one.assign(frontier=[_frontier(row) for row in one.itertuples()])
    columns = [
        Column("task", "Task", only="file"),
        Column("metric", "Metric", only="file"),
        Column("model_id", "Model", cell=lambda row: cells.named(row.model_id, row.conditions or None)),
        Column("hardware", "Hardware", only="file"),
        Column("engine", "Engine", only="file"),
        Column("precision", "Precision", only="file"),
        Column("batch_size", "Batch", units.count, only="file"),
        Column("quality_score", quality, units.number, cell=_quality),
        Column("quality_low", "Quality low", units.number, only="file"),
        Column("quality_high", "Quality high", units.number, only="file"),
        Column("energy_wh_per_item_low", "Wh an item, low", units.number, only="file"),
        Column("energy_wh_per_item", "Wh an item", units.number, cell=_energy),
        Column("energy_wh_per_item_high", "Wh an item, high", units.number, only="file"),
        Column("basis", "Known by", cell=_known_by),
        Column("energy_boundary", "Boundary", only="file"),
        Column("frontier", "Frontier"),
        Column("item_count", "Items", units.count, only="file"),
        Column("evaluated_date", "Evaluated", units.day, only="file"),
        Column("evaluated_by", "By", only="file"),
        Column("evidence", "Evidence", only="file"),
    ]
    tables.report(book, "model_choice", one, columns, "Models by energy of an item")


def _quality_said(row: Any) -> str:
    if units.is_unknown(row.quality_low) or units.is_unknown(row.quality_high):
        return f"{units.number(row.quality_score)} (range unknown)"
    low, high = units.number(row.quality_low), units.number(row.quality_high)
    return f"{units.number(row.quality_score)} ({low} to {high})"


def _quality(row: Any) -> str:
    return cells.ranged(row.quality_score, row.quality_low, row.quality_high)


def _energy(row: Any) -> str:
    return cells.ranged(row.energy_wh_per_item, row.energy_wh_per_item_low, row.energy_wh_per_item_high)


def _known_by(row: Any) -> str:
    return cells.named(row.basis, None if row.basis == "Unknown" else row.boundary)


def _energy_said(row: Any) -> str:
    ends = words_of_models.wh_range(row.energy_wh_per_item_low, row.energy_wh_per_item_high)
    return f"{words_of_models.wh(row.energy_wh_per_item)} ({ends})"


def _basis(row: Any) -> str:
    if row.energy_basis == "estimated":
        return words_of_evidence.rung(row.evidence_tier)
    return row.energy_basis.capitalize()


def _frontier(row: Any) -> str:
    if units.is_unknown(row.is_on_frontier):
        return "unknown"
    return "on it" if row.is_on_frontier else "beaten"
