-- One row per hour x product x model of a Claude Enterprise plan; costs are rows of their own, per day.
{{ config(materialized='ephemeral') }}

with

used as (select * from {{ ref('stg_claude_enterprise__usage') }}),

costs as (select * from {{ ref('stg_claude_enterprise__costs') }}),

-- the report of Claude Code holds what is paid by seats and what goes beyond them
told_by_report as (

    select usage_date
    from {{ ref('stg_anthropic__claude_code') }}
    where is_enterprise
    group by usage_date

),

activity as (

    select
        used.usage_date, used.usage_hour_utc, used.model_reported, used.project_name, used.call_count,
        used.input_tokens, used.cached_input_tokens, used.cache_write_input_tokens, used.output_tokens,
        cast(0 as decimal(18, 9)) as cost_usd
    from used
    left join told_by_report on used.usage_date = told_by_report.usage_date
    where
        used.plan = 'usage' or coalesce(used.project_name, '') <> 'claude_code' or told_by_report.usage_date is null

    union all

    select
        usage_date, cast(usage_date as timestamp) as usage_hour_utc, model_reported, project_name, 0 as call_count,
        0 as input_tokens, 0 as cached_input_tokens, 0 as cache_write_input_tokens, 0 as output_tokens, cost_usd
    from costs

),

named as (

    select
        usage_date,
        usage_hour_utc,
        'claude_enterprise' as source,
        'claude_enterprise' as provider,
        model_reported,
        cast(null as varchar) as api_key_id,
        project_name as project_id,
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
        cache_write_input_tokens,
        output_tokens,
        0 as gpu_seconds,
        {{- not_told(['retry_count', 'error_count', 'reasoning_output_tokens', 'image_count', 'audio_seconds',
            'video_seconds', 'energy_millijoules']) }},
        cost_usd
    from activity

)

select * from named
