-- One row per hour x project x location x model, from Cloud Monitoring.
{{ config(materialized='ephemeral') }}

with

used as (select * from {{ ref('stg_vertex__usage') }}),

activity as (

    select
        usage_date,
        usage_hour_utc,
        'vertex' as source,
        'vertex' as provider,
        model_reported,
        cast(null as varchar) as api_key_id,
        project_id,
        cast(null as varchar) as workflow_tag,
        cast(null as varchar) as pod,
        -- where it ran
        cloud_region as node,
        'inference' as lifecycle_stage,
        'unknown' as call_purpose,
        cast(null as varchar) as serving_mode,
        'direct' as energy_line,
        cast(null as varchar) as meter_method,
        call_count,
        error_count,
        input_tokens,
        output_tokens,
        -- what was read from a cache is within the input
        0 as cached_input_tokens,
        0 as cache_write_input_tokens,
        0 as gpu_seconds,
        {{- not_told(['retry_count', 'reasoning_output_tokens', 'image_count', 'audio_seconds',
            'video_seconds', 'energy_millijoules']) }},
        cast(null as decimal(18, 9)) as cost_usd
    from used

)

select * from activity
