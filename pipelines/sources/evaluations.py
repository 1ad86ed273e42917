"""Results of evaluations: how well a model did a task, on which hardware, and what an item took.

Quality and energy are never merged into one score; which model is on the frontier is worked out in dbt.
"""

from collections.abc import Mapping
from typing import Any

from pipelines.source import Column, Source, Table
from pipelines.sources._small_files import OPTIONS, checked, whole_table

NAME = "evaluations"
BOUNDARIES = ("gpu", "node", "facility")
COLUMNS = (
    Column("model_id", "VARCHAR", "Provider and model name, joined by a slash.", required=True),
    Column("hardware", "VARCHAR", "What it ran on; null = not known, as behind an API."),
    Column("task", "VARCHAR", "What was asked of it.", required=True),
    Column("metric", "VARCHAR", "How its quality was judged.", required=True),
    Column("is_lower_better", "BOOLEAN", "Whether less of the metric is better, as of an error rate; null = no."),
    Column("quality_score", "DECIMAL(18,6)", "Its quality in the metric.", required=True, additive=False),
    Column("quality_low", "DECIMAL(18,6)", "Low end of the 95 % range; null = not known.", additive=False),
    Column("quality_high", "DECIMAL(18,6)", "High end of the 95 % range; null = not known.", additive=False),
    Column("item_count", "BIGINT", "Items that were judged.", required=True, minimum=1),
    Column("energy_wh_per_item_low", "DECIMAL(18,9)", "Low end of the 95 % range, in Wh.", minimum=0, additive=False),
    Column("energy_wh_per_item", "DECIMAL(18,9)", "Measured energy of an item in Wh; null = not measured.", minimum=0,
           additive=False),
    Column("energy_wh_per_item_high", "DECIMAL(18,9)", "High end of the 95 % range, in Wh.", minimum=0, additive=False),
    Column("energy_boundary", "VARCHAR", "What the measured energy holds.", allowed=BOUNDARIES),
    Column("input_tokens_per_item", "DECIMAL(18,3)", "Mean input tokens of an item.", minimum=0, additive=False),
    Column("output_tokens_per_item", "DECIMAL(18,3)", "Mean output tokens of an item.", minimum=0, additive=False),
    Column("engine", "VARCHAR", "Serving stack and its version."),
    Column("precision", "VARCHAR", "Number format of the weights."),
    Column("batch_size", "BIGINT", "Requests served at once.", minimum=1, additive=False),
    Column("evaluated_date", "DATE", "Day of the evaluation.", required=True),
    Column("evaluated_by", "VARCHAR", "Role or organisation that judged.", required=True),
    Column("evidence", "VARCHAR", "Where the result can be read."),
)
KEY = ("model_id", "hardware", "task", "metric", "engine", "precision", "batch_size", "evaluated_date")


def rule(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is wrong with a record as a whole, or None."""
    quality = [record[name] for name in ("quality_low", "quality_score", "quality_high") if record[name] is not None]
    energy = [record[f"energy_wh_per_item{end}"] for end in ("_low", "", "_high")]
    if quality != sorted(quality):
        return "quality_score", "it lies outside of its own range"
    if energy != [None] * 3 and (None in energy or energy != sorted(energy)):
        return "energy_wh_per_item", "it has to come with both ends of its range and lie between them"
    if energy[0] is not None and record["energy_boundary"] is None:
        return "energy_boundary", "it is empty, and there is energy"
    return None


SOURCE = Source(
    name=NAME,
    description="How well models do a task, and what it takes.",
    options=OPTIONS,
    check=checked(NAME, COLUMNS, rule),
    tables=(
        Table("results", COLUMNS, KEY, whole_table(NAME, COLUMNS, rule), "One row per evaluation.", daily=False),
    ),
)
