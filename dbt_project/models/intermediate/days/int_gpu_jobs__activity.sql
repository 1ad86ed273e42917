-- One row per hour x job, for the GPUs of jobs that no GPU meter holds.
{{ config(materialized='ephemeral') }}

with

jobs as (select * from {{ ref('int_gpu_job__unmetered') }}),

activity as (

    select
        usage_date,
        usage_hour_utc,
        'gpu_jobs' as source,
        'hardware' as provider,
        gpu_model as model_reported,
        cast(null as varchar) as api_key_id,
        cast(null as varchar) as project_id,
        workflow_tag,
        pod,
        cast(null as varchar) as node,
        lifecycle_stage,
        'unknown' as call_purpose,
        cast(null as varchar) as serving_mode,
        'direct' as energy_line,
        meter_method,
        {%- for name in activity_counts() if name != 'gpu_seconds' %}
        0 as {{ name }},
        {%- endfor %}
        gpu_seconds,
        energy_millijoules,
        cast(0 as decimal(18, 9)) as cost_usd
    from jobs

)

select * from activity
