"""One row per total: the joint range of its parts, and for forecasts the probability of ending above the limit.

Nothing is computed here: `pipelines.uncertainty` draws, int_total_part says of what. It is Python because quantiles of
correlated sums need draws, which SQL has none of.
"""

import numpy as np
import pyarrow as pa

from pipelines.uncertainty import exceedance, ranges
from pipelines.uncertainty_draws import Correlation
from pipelines.uncertainty_parts import Parts

LABELS = "total_kind, subject_id, perimeter_type, perimeter_id, metric, total_date"


def model(dbt, session):
    """The table int_total_range; all amounts in the unit of their metric."""
    dbt.config(materialized="table")
    correlation = Correlation(
        default=dbt.config.meta_get("correlation_within_a_method_ratio"), seed=dbt.config.meta_get("seed"))
    numbered = dbt.ref("int_total_part").project(f"""
        *, dense_rank() over (order by {LABELS}) - 1 as total,
        dense_rank() over (order by error_group, error_method) - 1 as key
    """)
    keys = numbered.aggregate("key, error_group, error_method").order("key").project(
        "error_group, error_method").fetchall()
    totals = numbered.aggregate(
        f"total, {LABELS}, cast(max(limit_quantity) as double) as most, cast(max(spread_ratio) as double) as spread"
    ).order("total").to_arrow_table()
    # the parts as numbers only: eight bytes a figure, and nothing that pandas would turn into objects
    columns = numbered.project("""
        total, key, cast(part_low as double) as low, cast(part_quantity as double) as central,
        cast(part_high as double) as high
    """).fetchnumpy()
    parts = Parts(correlation, keys, totals.num_rows, **{
        name: np.ma.filled(values, np.nan) if values.dtype.kind == "f" else values for name, values in columns.items()})
    found = ranges(parts)
    most, spread = (totals[name].to_numpy() for name in ("most", "spread"))
    known, bounded = exceedance(parts, correlation, most, spread=np.nan_to_num(spread))
    table = totals.drop_columns(["total", "most", "spread"])
    figures = {"total_low": found.low, "total_quantity": found.central, "total_mean": found.mean,
               "total_high": found.high, "total_bound": parts.bound,
               "breach_probability": known, "breach_probability_high": bounded}
    for name, values in figures.items():
        # written out in decimal: a cast of the binary fraction would show digits that it does not have
        table = table.append_column(
            name, pa.array([None if np.isnan(value) else f"{value:.9f}" for value in values], pa.string()))
    amounts = [
        f"cast({name} as decimal({'7, 6' if name.startswith('breach') else '38, 9'})) as {name}" for name in figures]
    return session.from_arrow(table).project(f"{LABELS}, {', '.join(amounts)}")
