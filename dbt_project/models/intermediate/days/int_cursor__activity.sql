-- One row per hour x model x whether tokens are told, and one per day for what seats cost.
{{ config(materialized='ephemeral') }}

with

events as (select * from {{ ref('stg_cursor__events') }}),

seats as (select * from {{ ref('stg_cursor__seats') }} where cost_usd is not null),

united as (

    select
        usage_date, usage_hour_utc, model_reported, call_count, input_tokens, cached_input_tokens,
        cache_write_input_tokens, output_tokens, cost_usd
    from events

    union all

    select usage_date, cast(usage_date as timestamp), null, null, null, null, null, null, cost_usd
    from seats

),

activity as (

    select
        usage_date,
        usage_hour_utc,
        'cursor' as source,
        'cursor' as provider,
        model_reported,
        cast(null as varchar) as api_key_id,
        cast(null as varchar) as project_id,
        cast(null as varchar) as workflow_tag,
        cast(null as varchar) as pod,
        cast(null as varchar) as node,
        'inference' as lifecycle_stage,
        'interactive' as call_purpose,
        cast(null as varchar) as serving_mode,
        'direct' as energy_line,
        cast(null as varchar) as meter_method,
        0 as gpu_seconds,
        {{- not_told(['retry_count', 'error_count', 'reasoning_output_tokens', 'image_count', 'audio_seconds',
            'video_seconds', 'energy_millijoules']) }},
        call_count,
        input_tokens,
        cached_input_tokens,
        cache_write_input_tokens,
        output_tokens,
        cost_usd
    from united

)

select * from activity
