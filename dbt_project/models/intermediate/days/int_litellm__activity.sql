-- One row per hour x provider x model x virtual key x team x tag x batch or not, from LiteLLM's spend log.
{{ config(materialized='ephemeral') }}

with

-- what the proxy answered from its own cache ran no model, and no vendor counts it
requests as (select * from {{ ref('stg_litellm__requests') }} where runs_a_model and not is_cache_hit),

activity as (

    select
        usage_date,
        usage_hour_utc,
        'litellm' as source,
        provider,
        model_reported,
        api_key_id,
        project_id,
        workflow_tag,
        cast(null as varchar) as pod,
        cast(null as varchar) as node,
        'inference' as lifecycle_stage,
        case when is_batch then 'batch' else 'unknown' end as call_purpose,
        cast(case when is_batch then 'batch' end as varchar) as serving_mode,
        'direct' as energy_line,
        cast(null as varchar) as meter_method,
        sum(call_count) as call_count,
        sum(error_count) as error_count,
        sum(input_tokens) as input_tokens,
        sum(cached_input_tokens) as cached_input_tokens,
        sum(cache_write_input_tokens) as cache_write_input_tokens,
        sum(output_tokens) as output_tokens,
        sum(reasoning_output_tokens) as reasoning_output_tokens,
        0 as gpu_seconds,
        -- the log has a row for each attempt and does not say which of them repeat another
        {{- not_told(['retry_count', 'image_count', 'audio_seconds', 'video_seconds', 'energy_millijoules']) }},
        sum(cost_usd) as cost_usd
    from requests
    group by usage_date, usage_hour_utc, provider, model_reported, api_key_id, project_id, workflow_tag, is_batch

)

select * from activity
