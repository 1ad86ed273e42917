"""One row per day x ceiling in its period: what the days to come are expected to use.

Nothing is computed here: `pipelines.forecast` forecasts, int_ceiling__daily says what was used. It is Python because a
forecast learns from the errors that forecasts of earlier days had, for which SQL has no words.
"""

import numpy as np
import pyarrow as pa

from pipelines.forecast import kept, laid_out, outlooks, written
from pipelines.forecast_position import ratios

KINDS = {"future_quantity": "38, 9", "growth_ratio": "24, 9", "spread_ratio": "24, 9"}


def model(dbt, session):
    """The table int_ceiling_outlook__daily; amounts in the unit of the ceiling's metric."""
    dbt.config(materialized="table")
    rows = dbt.ref("int_ceiling__daily").project("""
        usage_date, ceiling_id, is_in_period, days_left, dense_rank() over (order by ceiling_id) - 1 as series,
        usage_date - min(usage_date) over () as place, cast(day_quantity as double) as day,
        cast(recent_quantity as double) as recent, cast(used_quantity as double) as used,
        cast(limit_quantity as double) as most
    """).order("ceiling_id, usage_date").to_arrow_table()
    series, place, left = (rows[name].to_numpy().astype(np.int64) for name in ("series", "place", "days_left"))
    outlook = outlooks(*laid_out(series, place, rows["day"].to_numpy(), left))
    asked = np.flatnonzero(rows["is_in_period"].to_numpy())
    series, place, left = series[asked], place[asked], left[asked]
    recent, used, most = (rows[name].to_numpy()[asked] for name in ("recent", "used", "most"))
    future, error = outlook.ends(series, place, left)
    growth, spread = ratios(future, error, recent=recent, used=used, days_left=left, limit=most)
    table = rows.select(["usage_date", "ceiling_id"]).take(asked)
    for name, values in zip(KINDS, (future, growth, spread), strict=True):
        table = table.append_column(name, pa.array(written(values), pa.string()))
    table = table.append_column("outlook_figures", pa.array(kept(outlook, series, place), pa.string()))
    amounts = [f"cast({name} as decimal({kind})) as {name}" for name, kind in KINDS.items()]
    return session.from_arrow(table).project(f"usage_date, ceiling_id, {', '.join(amounts)}, outlook_figures")
