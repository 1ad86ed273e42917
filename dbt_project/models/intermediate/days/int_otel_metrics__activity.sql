-- One row per hour x service x pod x host x tag x model, from metrics alone: what they say, whether it is booked or not.
{{ config(materialized='ephemeral') }}

with

usage as (select * from {{ ref('stg_otel_metrics__usage') }}),

activity as (

    select
        usage_date,
        usage_hour_utc,
        'otel_metrics' as source,
        provider,
        model_reported,
        cast(null as varchar) as api_key_id,
        project_id,
        workflow_tag,
        pod,
        node,
        'inference' as lifecycle_stage,
        'unknown' as call_purpose,
        cast(null as varchar) as serving_mode,
        'direct' as energy_line,
        cast(null as varchar) as meter_method,
        call_count,
        cast(null as bigint) as retry_count,
        error_count,
        input_tokens,
        cached_input_tokens,
        cache_write_input_tokens,
        output_tokens,
        reasoning_output_tokens,
        0 as gpu_seconds,
        {{- not_told(['image_count', 'audio_seconds', 'video_seconds', 'energy_millijoules']) }},
        cast(null as decimal(18, 9)) as cost_usd,
        is_counted_first
    from usage

)

select * from activity
