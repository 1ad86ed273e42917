"""Stages of training runs: what loading, computing and communicating took, and what belongs to no stage.

What does not belong here: the totals of runs; `training` shows them.
"""

from typing import Any

import pandas

from dashboards import cells, charts, parts, style, tables, words_of_hardware
from dashboards.book import Book
from dashboards.questions import hardware
from dashboards.tables import Column
from pipelines import units

_DRAWN = 12
_KINDS = {
    name: (said[0].upper() + said[1:], style.STAGES[name]) for name, said in words_of_hardware.STAGES.items()
}  # fmt: skip


def section(book: Book, anchor: str) -> None:
    """The finding, one bar a run and the table of its stages."""
    if not book.holds("fct_run_stage"):
        return
    stages = hardware.run_stages(book)
    if stages.empty:
        parts.heading("No run was measured stage by stage", anchor=anchor)
        parts.empty(
            "Measured windows of a run, such as those of Zeus, come from files; the source `run_stages` in jevons.toml "
            "names them. Check it:",
            "jevons doctor",
        )
        return
    parts.heading(
        words_of_hardware.stages_finding(stages),
        "Measured windows of each run against what meters read for it. What no window holds is its own row: together "
        "they are the run. All runs of the build that windows were measured of, whatever days are chosen above.",
        anchor,
    )
    _chart(stages)
    _table(book, stages)


def _chart(stages: pandas.DataFrame) -> None:
    runs = list(dict.fromkeys(stages["run_id"]))
    known = stages[stages["energy_kwh"].notna() & stages["run_id"].isin(runs[:_DRAWN])]
    if known.empty:
        return
    pieces = known.rename(columns={"run_id": "name", "stage": "kind", "energy_kwh": "kwh"})[["name", "kind", "kwh"]]
    wholes = stages.drop_duplicates("run_id").rename(columns={"run_id": "name", "run_energy_kwh": "kwh"})
    wholes = wholes[wholes["name"].isin(set(pieces["name"]))][["name", "kwh"]]
    some = f", the {_DRAWN} of most energy" if len(runs) > _DRAWN else ""
    title = f"Energy of each run by stage{some}"
    present = [("■", colour, name) for kind, (name, colour) in _KINDS.items() if kind in set(pieces["kind"])]
    key = parts.keys([*present, ("┃", style.INK, "what meters read for the run")])
    parts.subheading(title, "kWh a run, from zero.", key=key)
    parts.chart(charts.piles(pieces, wholes, _KINDS, title), "run-stages")


def _table(book: Book, stages: pandas.DataFrame) -> None:
    told = stages.assign(
        said=[words_of_hardware.stage(name) for name in stages["stage"]],
        minutes=stages["stage_seconds"] / 60,
        judged=[words_of_hardware.stage_status(name) for name in stages["status"]],
    )
    columns = [
        Column("run_id", "Run"),
        Column("said", "Stage", cell=_stage),
        Column("energy_kwh", "Energy, kWh", units.number, missing="unknown"),
        Column("bar", "Of the run", cell=_bar, only="page"),
        Column("stage_ratio", "Share", units.percent, missing="unknown", full_label="Share of the run, ratio"),
        Column("minutes", "Minutes", units.number, missing="–"),
        Column("window_count", "Windows", units.count),
        Column("run_energy_kwh", "Energy of the run, kWh", units.number, only="file"),
        Column("judged", "What belongs to no stage is", only="file"),
    ]
    nobody = lambda row: "nobody" if row.stage == "unattributed" else ""  # noqa: E731
    tables.report(book, "run_stages", told, columns, "Stages of training runs", row_class=nobody)


def _stage(row: Any) -> str:
    if row.stage != "unattributed":
        return cells.named(row.said, colour=_KINDS[row.stage][1] if row.stage in _KINDS else style.NOBODY)
    return cells.named(row.said, row.judged, colour=style.STAGES["unattributed"])


def _bar(row: Any) -> str:
    part = None if units.is_unknown(row.stage_ratio) or row.stage_ratio < 0 else row.stage_ratio
    return cells.share(f"{row.run_id}, {row.said}: share of the run", part)
