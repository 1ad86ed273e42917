"""The quality that a workflow needs: a task, a metric and the least that will do, set by a role for a reason.

Which model meets it is worked out in dbt.
"""

from pipelines.source import Column, Source, Table
from pipelines.sources._small_files import OPTIONS, checked, whole_table

NAME = "quality_bars"
COLUMNS = (
    Column("workflow_id", "VARCHAR", "The workflow, as the registry names it.", required=True),
    Column("task", "VARCHAR", "Task of the evaluations that stands for its work.", required=True),
    Column("metric", "VARCHAR", "Metric of the evaluations.", required=True),
    Column("minimum_quality", "DECIMAL(18,6)", "The least that will do, in the metric.", required=True, additive=False),
    Column("set_by", "VARCHAR", "Role that set it.", required=True),
    Column("reason", "VARCHAR", "Why there.", required=True),
    Column("valid_from", "DATE", "First day on which it holds; a later one replaces it.", required=True),
)

SOURCE = Source(
    name=NAME,
    description="How good is good enough, by workflow.",
    options=OPTIONS,
    check=checked(NAME, COLUMNS),
    tables=(
        Table("bars", COLUMNS, ("workflow_id", "task", "metric", "valid_from"), whole_table(NAME, COLUMNS),
              "One row per workflow, task and metric, and day from which it holds.", daily=False),
    ),
)
