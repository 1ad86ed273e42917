"""One row per ceiling x ratio of a rule of the gate: in how many days the forecast is above that part of the limit.

Nothing is computed here: it is the forecast of int_ceiling_forecast__daily, of the last day, held against another
quantity than the limit.
"""

import numpy as np
import pyarrow as pa

from pipelines.forecast import laid_out, outlooks
from pipelines.forecast_position import Estimate, meetings

ENDS = {"used": ("used_low", "used_quantity", "used_high", "used_bound"),
        "total": ("estimate_low", "forecast_quantity", "estimate_high", "estimate_bound")}


def model(dbt, session):
    """The table int_ceiling_step__forecast; null where the period ends before."""
    dbt.config(materialized="table")
    rules = dbt.ref("stg_registry__gate_rules").project("from_ratio").distinct().order("from_ratio").fetchall()
    rows = dbt.ref("int_ceiling_range__daily").project(f"""
        usage_date, ceiling_id, is_in_period and usage_date = max(usage_date) over () as is_asked, days_left,
        dense_rank() over (order by ceiling_id) - 1 as series, usage_date - min(usage_date) over () as place,
        cast(day_quantity as double) as day, cast(limit_quantity as double) as most,
        {", ".join(f"cast({name} as double) as {name}" for names in ENDS.values() for name in names)}
    """).order("ceiling_id, usage_date").to_arrow_table()
    ratios = [ratio for ratio, in rules]
    columns = {name: rows[name].to_numpy() for name in rows.column_names if name not in ("usage_date", "ceiling_id")}
    series, place, left = (columns[name].astype(np.int64) for name in ("series", "place", "days_left"))
    # each ceiling's last day, once for every ratio
    asked = np.repeat(np.flatnonzero(columns["is_asked"]), len(ratios))
    part = np.tile(np.array([float(ratio) for ratio in ratios]), len(asked) // max(len(ratios), 1))
    found = meetings(
        outlooks(*laid_out(series, place, columns["day"], left)), series[asked], place[asked], left[asked],
        columns["most"][asked] * part,
        **{name: Estimate(*(columns[end][asked] for end in ends)) for name, ends in ENDS.items()})
    table = rows.select(["usage_date", "ceiling_id"]).take(asked)
    table = table.append_column("from_ratio", pa.array(
        np.tile(np.array([str(ratio) for ratio in ratios], object), len(asked) // max(len(ratios), 1)), pa.string()))
    days = {"days_low": found.earliest, "days": found.expected, "days_high": found.latest}
    for name, values in days.items():
        table = table.append_column(name, pa.array(values, pa.int64(), mask=values == 0))
    return session.from_arrow(table).project(
        f"usage_date, ceiling_id, cast(from_ratio as decimal(9, 8)) as from_ratio, {', '.join(days)}")
