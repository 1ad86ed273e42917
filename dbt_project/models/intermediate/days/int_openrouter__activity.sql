-- One row per day x model x endpoint x workspace, from OpenRouter's activity, which knows no hours: the day's first stands for all.
{{ config(materialized='ephemeral') }}

with

requests as (select * from {{ ref('stg_openrouter__activity') }}),

activity as (

    select
        usage_date,
        cast(usage_date as timestamp) as usage_hour_utc,
        'openrouter' as source,
        provider,
        model_reported,
        cast(null as varchar) as api_key_id,
        workspace_id as project_id,
        cast(null as varchar) as workflow_tag,
        cast(null as varchar) as pod,
        cast(null as varchar) as node,
        'inference' as lifecycle_stage,
        'unknown' as call_purpose,
        cast(null as varchar) as serving_mode,
        'direct' as energy_line,
        cast(null as varchar) as meter_method,
        call_count,
        input_tokens,
        cached_input_tokens,
        0 as cache_write_input_tokens,
        output_tokens,
        reasoning_output_tokens,
        0 as gpu_seconds,
        {{- not_told(['retry_count', 'error_count', 'image_count', 'audio_seconds', 'video_seconds',
            'energy_millijoules']) }},
        cost_usd
    from requests

)

select * from activity
