"""Measured windows inside training runs (Zeus and the like): how long a stage of a run took, and its energy.

What is left of the run's energy when its stages are told is worked out in dbt, not here.
"""

from pipelines.source import Column, Source, Table
from pipelines.sources._small_files import OPTIONS, checked, whole_table

NAME = "run_stages"
STAGES = ("data_loading", "forward", "backward", "optimiser", "communication", "checkpoint", "evaluation")
COLUMNS = (
    Column("run_id", "VARCHAR", "Run, as the jobs name it.", required=True),
    Column("window_name", "VARCHAR", "The measured window; unique within the run.", required=True),
    Column("stage", "VARCHAR", "What the run did in it.", required=True, allowed=STAGES),
    Column("seconds", "DECIMAL(18,3)", "How long, in seconds.", required=True, minimum=0),
    Column("energy_j", "DECIMAL(18,3)", "Energy of the GPUs in it, in joules.", required=True, minimum=0),
)

SOURCE = Source(
    name=NAME,
    description="What the stages of training runs used.",
    options=OPTIONS,
    check=checked(NAME, COLUMNS),
    tables=(
        Table("windows", COLUMNS, ("run_id", "window_name"), whole_table(NAME, COLUMNS), "One row per measured window.",
              daily=False),
    ),
)
