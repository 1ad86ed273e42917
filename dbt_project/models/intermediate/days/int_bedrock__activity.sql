-- One row per hour x model x account x tag x region, from invocation logs of Bedrock.
{{ config(materialized='ephemeral') }}

with

calls as (select * from {{ ref('stg_bedrock__invocations') }}),

activity as (

    select
        usage_date,
        usage_hour_utc,
        'bedrock' as source,
        'bedrock' as provider,
        model_reported,
        cast(null as varchar) as api_key_id,
        project_id,
        workflow_tag,
        cast(null as varchar) as pod,
        -- where it ran
        cloud_region as node,
        'inference' as lifecycle_stage,
        'unknown' as call_purpose,
        cast(null as varchar) as serving_mode,
        'direct' as energy_line,
        cast(null as varchar) as meter_method,
        count(*) as call_count,
        sum(error_count) as error_count,
        sum(input_tokens) as input_tokens,
        sum(cached_input_tokens) as cached_input_tokens,
        sum(cache_write_input_tokens) as cache_write_input_tokens,
        sum(output_tokens) as output_tokens,
        0 as gpu_seconds,
        {{- not_told(['retry_count', 'reasoning_output_tokens', 'image_count', 'audio_seconds', 'video_seconds',
            'energy_millijoules']) }},
        cast(null as decimal(18, 9)) as cost_usd
    from calls
    group by usage_date, usage_hour_utc, model_reported, project_id, workflow_tag, cloud_region

)

select * from activity
