-- One row per hour x provider x model x project x tag, from Langfuse's generations and embeddings.
{{ config(materialized='ephemeral') }}

with

calls as (select * from {{ ref('stg_langfuse__observations') }}),

activity as (

    select
        usage_date,
        usage_hour_utc,
        'langfuse' as source,
        provider,
        model_reported,
        cast(null as varchar) as api_key_id,
        project_id,
        workflow_tag,
        cast(null as varchar) as pod,
        cast(null as varchar) as node,
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
        sum(reasoning_output_tokens) as reasoning_output_tokens,
        0 as gpu_seconds,
        {{- not_told(['retry_count', 'image_count', 'audio_seconds', 'video_seconds', 'energy_millijoules']) }},
        sum(cost_usd) as cost_usd
    from calls
    group by usage_date, usage_hour_utc, provider, model_reported, project_id, workflow_tag

)

select * from activity
