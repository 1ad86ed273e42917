"""Quality bars: the model that each workflow uses beside the cheapest measured one that would do.

What does not belong here: judging either; the marts say what can be said.
"""

from typing import Any

from dashboards import cells, parts, tables, words_of_models
from dashboards.book import Book
from dashboards.questions import models
from dashboards.tables import Column
from pipelines import units

_SIGNS = {
    "a cheaper model meets the bar": "undecided",
    "the cheapest is in use": "within",
}


def section(book: Book, anchor: str) -> None:
    """One row per workflow and bar."""
    if not book.holds("fct_workflow_model_choice"):
        return
    found = models.workflow_choices(book)
    if found.empty:
        parts.heading("No workflow has a quality bar", anchor=anchor)
        parts.empty(
            "Which model is good enough can be told where a workflow states the least quality that will do: the source "
            "`quality_bars` in jevons.toml names the file. Check it:",
            "jevons doctor",
        )
        return
    parts.heading(
        words_of_models.choice_finding(found),
        "In use: the model of most calls in the workflow's last seven days. Beside it the model of least measured "
        "energy that meets the bar on the workflow's task. A verdict is given only where the ranges do not overlap and "
        "both energies hold the same.",
        anchor,
    )
    columns = [
        Column("workflow_name", "Workflow", cell=_workflow),
        Column("task", "Task", only="file"),
        Column("metric", "Metric", only="file"),
        Column("minimum_quality", "Bar", units.number, only="file"),
        Column("set_by", "Set by", only="file"),
        Column("reason", "Reason", only="file"),
        Column("used_model_id", "In use", cell=lambda row: _model(row, "used", row.used_energy_basis)),
        Column("used_quality_score", "Its quality", units.number, only="file"),
        *_ends("used_energy", "Its energy"),
        Column("used_energy_basis", "Known by", only="file"),
        Column("cheapest_model_id", "Cheapest measured that meets the bar",
               cell=lambda row: _model(row, "cheapest", "measured"), full_label="Cheapest"),
        Column("cheapest_hardware", "On", only="file"),
        Column("cheapest_quality_score", "Quality of the cheapest", units.number, only="file"),
        *_ends("cheapest_energy", "Energy of the cheapest"),
        *_ends("saving", "Less"),
        Column("saving", "Less an item", units.number, cell=_saving, only="page"),
        Column("finding", "Finding", cell=_finding),
    ]  # fmt: skip
    tables.report(book, "workflow_choice", found, columns, "Model in use and cheapest model by workflow")


def _workflow(row: Any) -> str:
    return cells.named(row.workflow_name, f"{words_of_models.plain(row.task)}: {words_of_models.bar_text(row)}")


def _ends(name: str, label: str) -> list[Column]:
    return [
        Column(f"{name}_wh_per_item{end}", f"{label}{said}, Wh", units.number, only="file")
        for end, said in (("_low", " low"), ("", ""), ("_high", " high"))
    ]


def _model(row: Any, side: str, basis: str | None) -> str:
    """A model with its quality and energy; what is not known says so."""
    model = getattr(row, f"{side}_model_id")
    if units.is_unknown(model):
        return '<td class="u">none</td>'
    quality, energy = getattr(row, f"{side}_quality_score"), getattr(row, f"{side}_energy_wh_per_item")
    if units.is_unknown(quality):
        return cells.named(model, "not evaluated on this task")
    boundary = words_of_models.BOUNDARIES.get(getattr(row, f"{side}_energy_boundary"), "")
    known = "energy unknown"
    if not units.is_unknown(energy):
        ends = (getattr(row, f"{side}_energy_wh_per_item{end}") for end in ("_low", "_high"))
        known = f"{words_of_models.wh(energy)} ({words_of_models.wh_range(*ends)}), {basis}, {boundary}"
    return cells.named(model, f"{words_of_models.plain(row.metric)} {units.number(quality)}", known)


def _saving(row: Any) -> str:
    if units.is_unknown(row.saving_wh_per_item):
        return '<td class="n u">not comparable</td>'
    return (
        f'<td class="n">{words_of_models.wh(row.saving_wh_per_item)}<small>{words_of_models.saving(row)}</small></td>'
    )


def _finding(row: Any) -> str:
    surely = ""
    if not units.is_unknown(row.cheapest_model_id) and row.finding == "a cheaper model meets the bar":
        sure = {True: "also by the worse end of its quality range", False: "not by the worse end of its quality range"}
        surely = sure.get(
            None if units.is_unknown(row.is_surely_met) else bool(row.is_surely_met), "quality range unknown"
        )
    if row.finding not in _SIGNS:
        return cells.named(row.finding[0].upper() + row.finding[1:])
    mark = parts.status(_SIGNS[row.finding], row.finding)
    return f"<td>{mark}{f'<small>{surely}</small>' if surely else ''}</td>"
