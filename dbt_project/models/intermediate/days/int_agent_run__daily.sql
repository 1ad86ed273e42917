-- One row per day x agent's run: the steps that it took on that day, and their energy.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

steps as (select * from {{ ref('int_agent_run__steps') }}),

placed as (

    select *, row_number() over (partition by usage_date, run_id order by started_at_utc, request_id) as place
    from steps

),

runs as (

    select
        usage_date,
        run_id,
        -- the first step of the day says whose run it is
        max(case when place = 1 then workflow_id end) as workflow_id,
        max(case when place = 1 then team_id end) as team_id,
        cast(count(*) as bigint) as step_count,
        {%- for kind in step_kinds() %}
        cast(sum(case when step_kind = '{{ kind }}' then 1 else 0 end) as bigint) as {{ kind }}_step_count,
        {%- endfor %}
        -- a run with a step of unknown energy has no known energy: a part of it is not the run
        case when count(energy_kwh) = count(*) then cast(sum(energy_kwh) as decimal(24, 9)) end as energy_kwh,
        {%- for kind in step_kinds() %}
        case when count(energy_kwh) = count(*) then cast(sum(case when step_kind = '{{ kind }}' then energy_kwh else 0 end)
            as decimal(24, 9)) end as {{ kind }}_energy_kwh,
        {%- endfor %}
        case when count(duration_seconds) = count(*) then cast(sum(duration_seconds) as decimal(18, 3)) end
            as duration_seconds
    from placed
    group by usage_date, run_id

)

select * from runs
