"""One row per day x ceiling in its period: the forecast's ends, and in how many days it is above the limit.

Nothing is computed here: `pipelines.forecast_position` brings the error of the estimate and that of the forecast
together, which needs every day to come.
"""

import numpy as np
import pyarrow as pa

from pipelines.forecast import laid_out, outlooks, written
from pipelines.forecast_position import Estimate, meetings

AMOUNTS = {
    "day": "day_quantity", "most": "limit_quantity", "used_low": "used_low", "used": "used_quantity",
    "used_high": "used_high", "used_bound": "used_bound", "low": "estimate_low", "central": "forecast_quantity",
    "high": "estimate_high", "bound": "estimate_bound",
}


def model(dbt, session):
    """The table int_ceiling_forecast__daily; amounts in the unit of the ceiling's metric."""
    dbt.config(materialized="table")
    rows = dbt.ref("int_ceiling_range__daily").project(f"""
        usage_date, ceiling_id, is_in_period, days_left, dense_rank() over (order by ceiling_id) - 1 as series,
        usage_date - min(usage_date) over () as place,
        {", ".join(f"cast({column} as double) as {name}" for name, column in AMOUNTS.items())}
    """).order("ceiling_id, usage_date").to_arrow_table()
    series, place, left = (rows[name].to_numpy().astype(np.int64) for name in ("series", "place", "days_left"))
    outlook = outlooks(*laid_out(series, place, rows["day"].to_numpy(), left))
    asked = np.flatnonzero(rows["is_in_period"].to_numpy())
    amounts = {name: rows[name].to_numpy()[asked] for name in AMOUNTS}
    used, total = (
        Estimate(*(amounts[name] for name in names))
        for names in (("used_low", "used", "used_high", "used_bound"), ("low", "central", "high", "bound")))
    found = meetings(
        outlook, series[asked], place[asked], left[asked], amounts["most"], used=used, total=total)
    table = rows.select(["usage_date", "ceiling_id"]).take(asked)
    ends = {"forecast_low": found.low, "forecast_high": found.high}
    for name, values in ends.items():
        table = table.append_column(name, pa.array(written(values), pa.string()))
    days = {"days_to_limit_low": found.earliest, "days_to_limit": found.expected, "days_to_limit_high": found.latest}
    for name, values in days.items():
        table = table.append_column(name, pa.array(values, pa.int64(), mask=values == 0))
    return session.from_arrow(table).project(", ".join([
        "usage_date", "ceiling_id", *(f"cast({name} as decimal(38, 9)) as {name}" for name in ends), *days]))
