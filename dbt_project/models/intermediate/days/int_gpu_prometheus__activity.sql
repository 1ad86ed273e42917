-- One row per hour x GPU x holder x line, from the GPUs' own meters.

with

energy as (select * from {{ ref('int_gpu_energy__hourly') }}),

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
        case when line = 'idle' then 'idle' else 'inference' end as lifecycle_stage,
        'unknown' as call_purpose,
        cast(null as varchar) as serving_mode,
        line as energy_line,
        method as meter_method,
        -- a meter counts no calls: what it measured for is counted by the log of the calls
        {%- for name in activity_counts() if name != 'gpu_seconds' %}
        0 as {{ name }},
        {%- endfor %}
        gpu_seconds,
        energy_millijoules,
        cast(0 as decimal(18, 9)) as cost_usd
    from energy

)

select * from activity
