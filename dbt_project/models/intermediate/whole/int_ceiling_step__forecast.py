"""One row per ceiling x ratio of a rule of the gate: in how many days the forecast is above that part of the limit.

Nothing is computed here: it is the forecast of int_ceiling_forecast__daily, of the last day, held against another
quantity than the limit.
"""

import numpy as np
import pyarrow as pa

from pipelines.forecast import taken_up
from pipelines.forecast_position import Estimate, meetings

USED = ("used_low", "used_quantity", "used_high", "used_bound")
TOTAL = ("estimate_low", "forecast_quantity", "estimate_high", "estimate_bound")


def model(dbt, session):
    """The table int_ceiling_step__forecast; null where the period ends before."""
    dbt.config(materialized="table")
    ratios = dbt.ref("stg_registry__gate_rules").project("from_ratio").distinct()
    outlook = dbt.ref("int_ceiling_outlook__daily").project("usage_date, ceiling_id, outlook_figures")
    rows = dbt.ref("int_ceiling_range__daily").project(f"""
        usage_date, ceiling_id, days_left, usage_date = max(usage_date) over () as is_last,
        {", ".join(f"cast({name} as double) as {name}" for name in ("limit_quantity", *USED, *TOTAL))}
    """).filter("is_last").join(outlook, "usage_date, ceiling_id").cross(ratios).project(
        "*, limit_quantity * cast(from_ratio as double) as part").order("ceiling_id, from_ratio").to_arrow_table()
    amounts = {name: rows[name].to_numpy() for name in ("part", *USED, *TOTAL)}
    used, total = (Estimate(*(amounts[name] for name in names)) for names in (USED, TOTAL))
    series = np.arange(len(rows))
    found = meetings(
        taken_up(rows["outlook_figures"].to_pylist()), series, np.zeros_like(series),
        rows["days_left"].to_numpy().astype(np.int64), amounts["part"], used=used, total=total)
    table = rows.select(["usage_date", "ceiling_id", "from_ratio"])
    for name, values in {"days_low": found.earliest, "days": found.expected, "days_high": found.latest}.items():
        table = table.append_column(name, pa.array(values, pa.int64(), mask=values == 0))
    return session.from_arrow(table)
