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
    select 'workflow-' || range as workflow_id, 'team-' || range % ({workflows} // 10) as team_id from range({workflows});
create table fct_outcome_daily as
    select date '2025-01-01' + cast(day as integer) as usage_date, 'workflow-' || workflow as workflow_id,
        'done' as outcome_type, cast(50 + hash(day, workflow) % 100 as decimal(38, 0)) as outcome_count
    from range({days}) as d(day), range({workflows}) as w(workflow) where workflow % 2 = 0;
create table used as
    select date '2025-01-01' + cast(day as integer) as usage_date, workflow, model,
        1 + hash(day, workflow, model) % 1000 as calls, 200 + hash(model, workflow) % 3000 + day as tokens_per_call
    from range({days}) as d(day), range({workflows}) as w(workflow), range({models}) as m(model)
    -- models come and go by the quarter
    where (model + workflow + day // 90) % 7 > 0;
create table fct_footprint_daily as
    select usage_date, 'workflow-' || workflow as workflow_id, 'vendor' as provider, 'vendor/model-' || model as model_id,
        'inference' as lifecycle_stage, 'direct' as energy_line, 'factor-' || model as factor_id,
        case when model % 20 = 0 then 'no_factor' end as gap_reason,
        cast(calls as decimal(38, 0)) as call_count, cast(0 as decimal(38, 0)) as gpu_seconds,
        cast(calls * tokens_per_call as decimal(38, 0)) as input_tokens, cast(0 as decimal(38, 0)) as cached_input_tokens,
        cast(0 as decimal(38, 0)) as cache_write_input_tokens, cast(calls * 300 as decimal(38, 0)) as output_tokens,
        cast(case when model % 20 > 0 then calls * tokens_per_call * (model + 1) end as decimal(38, 9)) / 1000000000
            as kwh
    from used;
"""
IMPACTS = """
create table ledger as
    select * exclude (kwh), cast(kwh as decimal(38, 9)) as energy_kwh, cast(coalesce(kwh, 1) * 2 as decimal(38, 9))
        as energy_kwh_high, cast(kwh * 300 as decimal(38, 9)) as location_gco2e,
        cast(coalesce(kwh, 1) * 900 as decimal(38, 9)) as location_gco2e_high,
        cast(kwh * 200 as decimal(38, 9)) as market_gco2e, cast(coalesce(kwh, 1) * 900 as decimal(38, 9)) as market_gco2e_high
    from fct_footprint_daily;
drop table fct_footprint_daily;
alter table ledger rename to fct_footprint_daily;
"""


def main() -> None:
    """Command line: workflows, models and days; prints the seconds of the mart's statement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workflows", type=int, default=500)
    parser.add_argument("--models", type=int, default=40)
    parser.add_argument("--days", type=int, default=365)
    given = parser.parse_args()
    with duckdb.connect(config={"threads": 2}) as duck:
        duck.execute(ORGANISATION.format(workflows=given.workflows, models=given.models, days=given.days))
        duck.execute(IMPACTS)
        rows, = duck.execute("select count(*) from fct_footprint_daily").fetchone()
        print(f"{given.workflows} workflows x {given.models} models, {given.days} days: {rows:,} rows of the ledger")
        statement = render(MART.read_text("utf-8"), ref=str)
        started = time.perf_counter()
        duck.execute(f"create table decomposition as {statement}")
        took = time.perf_counter() - started
        rows, = duck.execute("select count(*) from decomposition").fetchone()
        print(f"decomposed by month, at all levels, in {took:.1f} s: {rows:,} effects")


if __name__ == "__main__":
    main()
