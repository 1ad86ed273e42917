"""One row per efficiency change x level of evidence, and one per period of an event study: rebound and its interval.

Nothing is computed here: `pipelines.rebound` estimates, int_rebound_week says what was used. It is Python because
regressions and their errors are statsmodels' and NumPy's.
"""

import pyarrow as pa

from pipelines.rebound.estimating import estimates
from pipelines.rebound.rows import COUNTS, DECIMALS, WORDS, rows
from pipelines.rebound.values import Touched, Week


def model(dbt, session):
    """The table int_rebound; energy in kWh a week, ratios of 1."""
    dbt.config(materialized="table")
    changes = dbt.ref("int_efficiency_change").project(
        "change_id, change_date, workflow_id, expected_saving_ratio, coalesce(design, '')").fetchall()
    weeks = dbt.ref("int_rebound_week").project(
        "week_date, workflow_id, team_id, energy_kwh, cast(call_count as bigint)").fetchall() if changes else []
    found = rows(estimates((Touched(*row) for row in changes), (Week(*row) for row in weeks)))
    texts = pa.schema([(name, pa.string()) for name in (*WORDS, *COUNTS, *DECIMALS)])
    casts = [*WORDS, *(f"cast({name} as integer) as {name}" for name in COUNTS),
             *(f"cast({name} as decimal(38, 9)) as {name}" for name in DECIMALS)]
    return session.from_arrow(pa.Table.from_pylist(list(found), schema=texts)).project(", ".join(casts))
