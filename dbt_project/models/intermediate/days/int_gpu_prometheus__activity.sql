-- One row per hour x GPU x holder x line, from the GPUs' own meters.

with

energy as (select * from {{ ref('int_gpu_energy__hourly') }}),

hosts as (select * from {{ ref('int_host_energy__hourly') }} where host_state <> 'no_meter'),

stages as (select * from {{ ref('int_gpu_job__pod_stage') }}),

-- where a meter read what the host took, the method says so, and nothing is added for the host a second time
placed as (

    select
        energy.*,
        {{ method_on_host('energy.method', 'hosts.host_state') }} as meter_method,
        coalesce(stages.lifecycle_stage, 'inference') as held_stage
    from energy
    -- a pod that runs a job is for what the job is for
    left join stages
        on energy.usage_date = stages.usage_date
        and energy.usage_hour_utc = stages.usage_hour_utc
        and energy.pod = stages.pod
    left join hosts
        on energy.usage_date = hosts.usage_date
        and energy.usage_hour_utc = hosts.usage_hour_utc
        and energy.host = hosts.host

),

activity as (

    select
        {#- a meter counts no calls: what it measured for is counted by the log of the calls #}
        {{ activity_columns('gpu_prometheus',
            named=['pod', 'meter_method', 'gpu_seconds', 'energy_millijoules'], zero=activity_counts() + ['cost_usd'],
            provider="'hardware'", model_reported='gpu_model', node='host', energy_line='line',
            lifecycle_stage="case when line = 'idle' then 'idle' else held_stage end") }}
    from placed

)

select * from activity
