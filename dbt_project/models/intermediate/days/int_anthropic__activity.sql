-- One row per hour x key x workspace x model x tier x context x place, from Anthropic's usage; costs are rows of their own, per day.
{{ config(materialized='ephemeral') }}

with

messages as (select * from {{ ref('stg_anthropic__messages') }}),

costs as (select * from {{ ref('stg_anthropic__costs') }}),

-- what an Enterprise plan that is paid by use tells of its days holds Claude Code too, by the hour
told_by_plan as (

    select usage_date
    from {{ ref('stg_claude_enterprise__usage') }}
    where plan = 'usage'
    group by usage_date

),

claude_code as (

    select claude_code.*
    from {{ ref('stg_anthropic__claude_code') }} as claude_code
    left join told_by_plan on claude_code.usage_date = told_by_plan.usage_date
    where not claude_code.is_enterprise or told_by_plan.usage_date is null

),

workspaces as (select * from {{ ref('stg_anthropic__workspaces') }}),

activity as (

    select
        usage_date, usage_hour_utc, model_reported, api_key_id, workspace_id, service_tier,
        input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens,
        cast(0 as decimal(18, 9)) as cost_usd
    from messages

    union all

    select
        usage_date, cast(usage_date as timestamp) as usage_hour_utc, model_reported, null as api_key_id, workspace_id,
        service_tier, 0 as input_tokens, 0 as cached_input_tokens, 0 as cache_write_input_tokens, 0 as output_tokens,
        cost_usd
    from costs

    union all

    select
        usage_date, cast(usage_date as timestamp) as usage_hour_utc, model_reported, null as api_key_id,
        project_name as workspace_id, null as service_tier, input_tokens, cached_input_tokens,
        cache_write_input_tokens, output_tokens, cast(0 as decimal(18, 9)) as cost_usd
    from claude_code

),

named as (

    select
        {#- the vendor counts no calls: how many there were is unknown, which a row of costs does not change #}
        {{ activity_columns('anthropic', prefix='activity.',
            named=['model_reported', 'api_key_id', 'input_tokens', 'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens',
                'cost_usd'],
            provider="'anthropic'", project_id='activity.workspace_id', workflow_tag='workspaces.workflow_tag',
            call_purpose="case when activity.service_tier = 'batch' then 'batch' else 'unknown' end",
            serving_mode="cast(case when activity.service_tier = 'batch' then 'batch' end as varchar)") }}
    from activity
    left join workspaces on activity.workspace_id = workspaces.workspace_id

)

select * from named
