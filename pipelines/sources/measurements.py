"""Measurements to be compared: before and after a change, or a vendor's figure, each with its conditions.

Whether two of them may be compared, and what the comparison shows, is worked out in dbt.
"""

from collections.abc import Mapping
from typing import Any

from pipelines.source import Column, Source, Table
from pipelines.sources._small_files import OPTIONS, checked, whole_table

NAME = "measurements"
PHASES = ("before", "after", "vendor_claim")
CONDITIONS = ("unit", "energy_boundary", "hardware", "driver", "serving_stack", "stack_version", "model", "precision",
              "batch_size", "input_tokens", "output_tokens")
COLUMNS = (
    Column("measurement_id", "VARCHAR", "The measurement.", required=True),
    Column("comparison_id", "VARCHAR", "Measurements of one id are compared with each other.", required=True),
    Column("subject", "VARCHAR", "What was measured.", required=True),
    Column("phase", "VARCHAR", "Which side of the comparison it is.", required=True, allowed=PHASES),
    Column("tested_condition", "VARCHAR", "The one condition that the comparison is about; null = none of them.",
           allowed=CONDITIONS[2:]),
    Column("energy_wh_per_unit_low", "DECIMAL(24,9)", "Low end of the 95 % range, in Wh; null = not stated.", minimum=0,
           additive=False),
    Column("energy_wh_per_unit", "DECIMAL(24,9)", "Energy of a unit in Wh.", required=True, minimum=0, additive=False),
    Column("energy_wh_per_unit_high", "DECIMAL(24,9)", "High end of the 95 % range, in Wh; null = not stated.",
           minimum=0, additive=False),
    Column("unit", "VARCHAR", "What was counted, such as request or output_token.", required=True),
    Column("energy_boundary", "VARCHAR", "What the energy holds.", allowed=("gpu", "node", "facility")),
    Column("hardware", "VARCHAR", "GPUs and their number."),
    Column("driver", "VARCHAR", "Version of the driver."),
    Column("serving_stack", "VARCHAR", "Program that served."),
    Column("stack_version", "VARCHAR", "Its version."),
    Column("model", "VARCHAR", "Model that was served."),
    Column("precision", "VARCHAR", "Number format of the weights."),
    Column("batch_size", "BIGINT", "Requests served at once.", minimum=1, additive=False),
    Column("input_tokens", "BIGINT", "Input tokens of a request.", minimum=0, additive=False),
    Column("output_tokens", "BIGINT", "Output tokens of a request.", minimum=0, additive=False),
    Column("measured_date", "DATE", "Day of the measurement.", required=True),
    Column("measured_by", "VARCHAR", "Role or organisation that measured.", required=True),
    Column("evidence", "VARCHAR", "Where the record can be read."),
)


def rule(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is wrong with a record as a whole, or None."""
    low, central, high = (record[f"energy_wh_per_unit{end}"] for end in ("_low", "", "_high"))
    if (low is None) != (high is None) or (low is not None and not low <= central <= high):
        return "energy_wh_per_unit", "a range has two ends, and the value lies between them"
    if central == 0:
        return "energy_wh_per_unit", "0 is no measured energy"
    return None


SOURCE = Source(
    name=NAME,
    description="Measurements with the conditions that they were made under.",
    options=OPTIONS,
    check=checked(NAME, COLUMNS, rule),
    tables=(
        Table("results", COLUMNS, ("measurement_id",), whole_table(NAME, COLUMNS, rule), "One row per measurement.",
              daily=False),
    ),
)
