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
        usage_date,
        usage_hour_utc,
        'gpu_prometheus' as source,
        'hardware' as provider,
        gpu_model as model_reported,
        cast(null as varchar) as api_key_id,
        cast(null as varchar) as project_id,
        cast(null as varchar) as workflow_tag,
        pod,
        host as node,
        case when line = 'idle' then 'idle' else held_stage end as lifecycle_stage,
        'unknown' as call_purpose,
        cast(null as varchar) as serving_mode,
        line as energy_line,
        meter_method,
        -- a meter counts no calls: what it measured for is counted by the log of the calls
        {%- for name in activity_counts() if name != 'gpu_seconds' %}
        0 as {{ name }},
        {%- endfor %}
        gpu_seconds,
        energy_millijoules,
        cast(0 as decimal(18, 9)) as cost_usd
    from placed

)

select * from activity
