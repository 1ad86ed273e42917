"""How long a year of an organisation's energy takes to decompose, at all levels, by the mart's own SQL on two cores.

The rows of the ledger are made up here; whether the effects are right is said by tests/dbt/test_decomposition.py.
"""

import argparse
import sys
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from assets.decomposition import MACROS, render

MART = MACROS.parent / "models" / "marts" / "whole" / "fct_decomposition_monthly.sql"
ORGANISATION = """
create table dim_team as
    select 'team-' || range as team_id, 'unit-' || range % 5 as unit_id from range({workflows} // 10);
create table dim_workflow as
    select 'workflow-' || range as workflow_id, 'team-' || range % ({workflows} // 10) as team_id
    from range({workflows});
create table fct_outcome_daily as
    select date '2025-01-01' + cast(day as integer) as usage_date, 'workflow-' || workflow as workflow_id,
        'done' as outcome_type, cast(50 + hash(day, workflow) % 100 as decimal(38, 0)) as outcome_count
    from range({days}) as d(day), range({workflows}) as w(workflow) where workflow % 2 = 0;
create table fct_footprint_daily as
    with used as (
        select *, 1 + hash(day, workflow, model) % 1000 as calls, 200 + hash(model, workflow) % 3000 + day as tokens
        from range({days}) as d(day), range({workflows}) as w(workflow), range({models}) as m(model)
        where (model + workflow + day // 90) % 7 > 0  -- models come and go by the quarter
    ),
    known as (
        select *, cast(case when model % 20 > 0 then calls * tokens * (model + 1) / 1e9 end as decimal(38, 9)) as kwh
        from used
    )
    select
        date '2025-01-01' + cast(day as integer) as usage_date, 'workflow-' || workflow as workflow_id,
        'vendor' as provider, 'vendor/model-' || model as model_id, 'inference' as lifecycle_stage,
        'direct' as energy_line, 'factor-' || model as factor_id,
        case when kwh is null then 'no_factor' end as gap_reason, {counts}, kwh as energy_kwh, {impacts}
    from known;
create table fct_organisation_daily as select distinct usage_date from fct_footprint_daily
"""
COUNTS = {"call_count": "calls", "gpu_seconds": "0", "input_tokens": "calls * tokens", "cached_input_tokens": "0",
          "cache_write_input_tokens": "0", "output_tokens": "calls * 300"}
IMPACTS = {"energy_kwh_high": "coalesce(kwh, 1) * 2", "location_gco2e": "kwh * 300",
           "location_gco2e_high": "coalesce(kwh, 1) * 900", "market_gco2e": "kwh * 200",
           "market_gco2e_high": "coalesce(kwh, 1) * 900"}


def main() -> None:
    """Command line: workflows, models and days; prints the seconds that the mart's statement takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workflows", type=int, default=500)
    parser.add_argument("--models", type=int, default=40)
    parser.add_argument("--days", type=int, default=365)
    given = parser.parse_args()
    with duckdb.connect(config={"threads": 2}) as duck:
        duck.execute(ORGANISATION.format(
            workflows=given.workflows, models=given.models, days=given.days, counts=_typed(COUNTS, 0),
            impacts=_typed(IMPACTS, 9)))
        rows, = duck.execute("select count(*) from fct_footprint_daily").fetchone()
        print(f"{given.workflows} workflows x {given.models} models, {given.days} days: {rows:,} rows of the ledger")
        statement = render(MART.read_text("utf-8"), ref=str)
        started, busy = time.perf_counter(), time.process_time()
        duck.execute(f"create table decomposition as {statement}")
        took, busy = time.perf_counter() - started, time.process_time() - busy
        rows, = duck.execute("select count(*) from decomposition").fetchone()
        print(f"decomposed by month, at all levels, in {took:.1f} s, {busy:.1f} s of a core: {rows:,} effects")


def _typed(columns: dict[str, str], digits: int) -> str:
    return ", ".join(f"cast({value} as decimal(38, {digits})) as {name}" for name, value in columns.items())


if __name__ == "__main__":
    main()
