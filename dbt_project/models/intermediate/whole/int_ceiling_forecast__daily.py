"""One row per day x ceiling in its period: the forecast's ends, and in how many days it is above the limit.

Nothing is computed here: `pipelines.forecast_position` brings the error of the estimate and that of the forecast
together, which needs every day to come, and int_ceiling_outlook__daily has looked ahead.
"""

import numpy as np
import pyarrow as pa

from pipelines.forecast import taken_up, written
from pipelines.forecast_position import Estimate, meetings

USED = ("used_low", "used_quantity", "used_high", "used_bound")
TOTAL = ("estimate_low", "forecast_quantity", "estimate_high", "estimate_bound")


def model(dbt, session):
    """The table int_ceiling_forecast__daily; amounts in the unit of the ceiling's metric."""
    dbt.config(materialized="table")
    outlook = dbt.ref("int_ceiling_outlook__daily").project("usage_date, ceiling_id, outlook_figures")
    rows = dbt.ref("int_ceiling_range__daily").project(f"""
        usage_date, ceiling_id, days_left,
        {", ".join(f"cast({name} as double) as {name}" for name in ("limit_quantity", *USED, *TOTAL))}
    """).join(outlook, "usage_date, ceiling_id").order("ceiling_id, usage_date").to_arrow_table()
    amounts = {name: rows[name].to_numpy() for name in ("limit_quantity", *USED, *TOTAL)}
    used, total = (Estimate(*(amounts[name] for name in names)) for names in (USED, TOTAL))
    series = np.arange(len(rows))
    found = meetings(
        taken_up(rows["outlook_figures"].to_pylist()), series, np.zeros_like(series),
        rows["days_left"].to_numpy().astype(np.int64), amounts["limit_quantity"], used=used, total=total)
    table = rows.select(["usage_date", "ceiling_id"])
    ends = {"forecast_low": found.low, "forecast_high": found.high}
    for name, values in ends.items():
        table = table.append_column(name, pa.array(written(values), pa.string()))
    days = {"days_to_limit_low": found.earliest, "days_to_limit": found.expected, "days_to_limit_high": found.latest}
    for name, values in days.items():
        table = table.append_column(name, pa.array(values, pa.int64(), mask=values == 0))
    return session.from_arrow(table).project(", ".join([
        "usage_date", "ceiling_id", *(f"cast({name} as decimal(38, 9)) as {name}" for name in ends), *days]))
