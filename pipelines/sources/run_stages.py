"""Measured windows inside training runs (Zeus' log, or own files): how long a stage of a run took, and its energy.

What is left of the run's energy when its stages are told is worked out in dbt, not here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.errors import SettingError
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources import _zeus
from pipelines.sources._small_files import OPTIONS, checked, files, told, whole_table
from pipelines.userfiles import Refusals
from pipelines.window import Window

NAME = "run_stages"
STAGES = ("data_loading", "forward", "backward", "optimiser", "communication", "checkpoint", "evaluation")
COLUMNS = (
    Column("run_id", "VARCHAR", "Run, as the jobs name it.", required=True),
    Column("window_name", "VARCHAR", "The measured window; unique within the run.", required=True),
    Column("stage", "VARCHAR", "What the run did in it.", required=True, allowed=STAGES),
    Column("seconds", "DECIMAL(18,3)", "How long, in seconds.", required=True, minimum=0),
    Column("energy_j", "DECIMAL(18,3)", "Energy of the GPUs in it, in joules.", required=True, minimum=0),
)



def fetch(context: Context, window: Window) -> Iterator[Page]:
    """All windows of all files; one that is refused holds the whole table back."""
    if context.options(NAME).get("format") != "zeus":
        yield from whole_table(NAME, COLUMNS)(context, window)
        return
    refusals = Refusals()
    rows = _zeus_windows(context, refusals)
    yield Page(rows, context.options(NAME)["path"], findings=refusals.all())


def check(context: Context) -> str:
    """Reads the files and counts the windows."""
    if context.options(NAME).get("format") != "zeus":
        return checked(NAME, COLUMNS)(context)
    refusals = Refusals()
    return told(context, NAME, len(_zeus_windows(context, refusals)), refusals)


def _zeus_windows(context: Context, refusals: Refusals) -> list[dict[str, Any]]:
    stages = context.options(NAME).get("stages", {})
    if not isinstance(stages, Mapping) or set(stages.values()) - set(STAGES):
        raise SettingError(NAME, "stages", "it is no section of stages",
                           f"use {', '.join(STAGES)}, as in step = \"forward\"")
    return list(_zeus.windows(files(context, NAME), stages, STAGES, refusals))


SOURCE = Source(
    name=NAME,
    description="What the stages of training runs used.",
    options=(*OPTIONS, "stages"),
    check=check,
    tables=(
        Table("windows", COLUMNS, ("run_id", "window_name"), fetch, "One row per measured window.",
              daily=False),
    ),
)
