-- One row per hour x key x project x tag x model x purpose x stage, from call logs: of the days of this run only.
{#- a table, so that millions of calls are summed once for all that read the sums; past days are in int_activity__hourly #}
{{ config(materialized='table') }}

with

calls as (select * from {{ ref('stg_call_log__calls') }} where {{ in_days('usage_date') }}),

activity as (

    select
        usage_date,
        usage_hour_utc,
        'call_log' as source,
        provider,
        model_reported,
        api_key_id,
        project_id,
        workflow_tag,
        cast(null as varchar) as pod,
        cast(null as varchar) as node,
        coalesce(lifecycle_stage, 'unknown') as lifecycle_stage,
        -- a repeated attempt is a retry whatever it was for: the first attempt carries the purpose
        case when attempt > 1 then 'retry' else coalesce(call_purpose, 'unknown') end as call_purpose,
        serving_mode,
        'direct' as energy_line,
        cast(null as varchar) as meter_method,
        count(*) as call_count,
        sum(case when attempt > 1 then 1 else 0 end) as retry_count,
        sum(case when status = 'error' then 1 else 0 end) as error_count,
        sum(input_tokens) as input_tokens,
        sum(cached_input_tokens) as cached_input_tokens,
        sum(cache_write_input_tokens) as cache_write_input_tokens,
        sum(output_tokens) as output_tokens,
        sum(reasoning_output_tokens) as reasoning_output_tokens,
        sum(image_count) as image_count,
        sum(audio_seconds) as audio_seconds,
        sum(video_seconds) as video_seconds,
        0 as gpu_seconds,
        cast(null as bigint) as energy_millijoules,
        sum(cost_usd) as cost_usd
    from calls
    group by
        usage_date, usage_hour_utc, provider, model_reported, api_key_id, project_id, workflow_tag, serving_mode,
        coalesce(lifecycle_stage, 'unknown'),
        case when attempt > 1 then 'retry' else coalesce(call_purpose, 'unknown') end

)

select * from activity
