"""One row per detected change x ratio that shifted with it: since when, from which level to which.

Nothing is computed here: `pipelines.shifts` finds the shifts. It is Python because a look at a series depends on what
earlier looks found.
"""

import numpy as np
import pyarrow as pa

from pipelines.forecast import written
from pipelines.shifts import day_of, detected_id, entries, shifts

# of several ratios that are seen to shift on one day, the first gives the day
RATIOS = ("energy_wh_per_outcome", "energy_wh_per_call", "energy_wh_per_1000_tokens", "cost_usd_per_1000000_tokens")


def model(dbt, session):
    """The table int_efficiency_shift; levels in the unit that the ratio's name says."""
    dbt.config(materialized="table")
    rows = dbt.ref("int_efficiency_ratio__daily").project("""
        workflow_id, ratio, dense_rank() over (order by workflow_id, ratio) - 1 as series,
        usage_date - min(usage_date) over () as place, min(usage_date) over () as first_date,
        cast(above_line as double) as above_line, cast(below_line as double) as below_line
    """).order("series, place").to_arrow_table()
    series, place = (rows[name].to_numpy().astype(np.int64) for name in ("series", "place"))
    found = []
    if rows.num_rows:
        first_date = rows["first_date"][0].as_py()
        sides = []
        for name in ("above_line", "below_line"):
            side = np.full((series.max() + 1, place.max() + 1), np.nan)
            side[series, place] = rows[name].to_numpy()
            sides.append(side)
        first_rows = np.unique(series, return_index=True)[1]
        names = rows.select(["workflow_id", "ratio"]).take(first_rows).to_pylist()
        told = [
            (names[shift.series]["workflow_id"], RATIOS.index(names[shift.series]["ratio"]), shift)
            for shift in shifts(*sides, first_date)
        ]
        for (workflow, rank, shift), first_day in zip(told, entries(told), strict=True):
            change_date = day_of(first_date, first_day)
            found.append({
                "detected_id": detected_id(workflow, change_date), "workflow_id": workflow, "ratio": RATIOS[rank],
                "ratio_rank": rank + 1, "change_date": change_date, "seen_date": day_of(first_date, shift.seen_day),
                **{f"{name}{end}": value for name, values in (
                    ("before_level", shift.before), ("after_level", shift.after), ("change_ratio", shift.change))
                   for end, value in zip(("_low", "", "_high"), written(np.array(values)), strict=True)},
            })
    figures = [
        f"{name}{end}" for name in ("before_level", "after_level", "change_ratio") for end in ("_low", "", "_high")]
    plain = {"detected_id": pa.string(), "workflow_id": pa.string(), "ratio": pa.string(), "ratio_rank": pa.int64(),
             "change_date": pa.date32(), "seen_date": pa.date32()}
    table = pa.Table.from_pylist(found, pa.schema([*plain.items(), *((name, pa.string()) for name in figures)]))
    return session.from_arrow(table).project(
        ", ".join([*plain, *(f"cast({name} as decimal(38, 9)) as {name}" for name in figures)]))
