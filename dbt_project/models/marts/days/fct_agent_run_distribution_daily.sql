-- One row per day x workflow x bin of energy: the agents' runs of that day, as a histogram that can be added up.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

runs as (

    select *, {{ energy_bin('energy_kwh') }} as bin_number
    from {{ ref('int_agent_run__daily') }}
    where {{ in_days('usage_date') }}

),

workflows as (select * from {{ ref('stg_registry__workflows') }}),

bins as (

    select
        usage_date, workflow_id, team_id, bin_number,
        cast(count(*) as decimal(38, 0)) as run_count,
        cast(sum(step_count) as decimal(38, 0)) as step_count,
        cast(sum(energy_kwh) as decimal(38, 9)) as energy_kwh
    from runs
    group by usage_date, workflow_id, team_id, bin_number

),

distribution as (

    select
        bins.usage_date, bins.workflow_id, bins.team_id, coalesce(workflows.latency_tier, 'unknown') as latency_tier,
        bins.bin_number, bins.run_count, bins.step_count, bins.energy_kwh
    from bins
    left join workflows on bins.workflow_id = workflows.workflow_id

)

select * from distribution
