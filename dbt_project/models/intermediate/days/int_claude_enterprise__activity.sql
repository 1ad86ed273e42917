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
        {{ activity_columns('claude_enterprise',
            named=['model_reported', 'call_count', 'input_tokens', 'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens',
                'cost_usd'],
            provider="'claude_enterprise'", project_id='project_name') }}
    from activity

)

select * from named
