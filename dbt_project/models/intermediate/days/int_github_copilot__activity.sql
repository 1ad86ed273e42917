-- One row per day x surface x feature, and rows of their own for what seats and credits cost.
{{ config(materialized='ephemeral') }}

with

used as (select * from {{ ref('stg_github_copilot__activity') }} where call_count > 0),

seats as (select * from {{ ref('stg_github_copilot__seats') }} where cost_usd is not null),

credits as (select * from {{ ref('stg_github_copilot__credits') }}),

paid as (

    select usage_date, 'github_copilot' as provider, cast(null as varchar) as model_reported, organisation as project_id,
        cast(null as varchar) as workflow_tag, cost_usd
    from seats

    union all

    select usage_date, 'github_copilot', model_name, organisation, null, cost_usd
    from credits

),

spent as ({{ spend_activity('paid', 'github_copilot') }}),

done as (

    select
        usage_date,
        cast(usage_date as timestamp) as usage_hour_utc,
        'github_copilot' as source,
        'github_copilot' as provider,
        -- a model's factor is for tokens: calls whose tokens nobody tells would look as if they had none
        cast(null as varchar) as model_reported,
        cast(null as varchar) as api_key_id,
        organisation as project_id,
        cast(null as varchar) as workflow_tag,
        cast(null as varchar) as pod,
        cast(null as varchar) as node,
        'inference' as lifecycle_stage,
        'interactive' as call_purpose,
        cast(null as varchar) as serving_mode,
        'direct' as energy_line,
        cast(null as varchar) as meter_method,
        0 as gpu_seconds,
        {{- not_told(['retry_count', 'error_count', 'cached_input_tokens', 'cache_write_input_tokens',
            'reasoning_output_tokens', 'image_count', 'audio_seconds', 'video_seconds', 'energy_millijoules']) }},
        call_count,
        input_tokens,
        output_tokens,
        cast(0 as decimal(18, 9)) as cost_usd
    from used

),

activity as (

    {%- set columns = ['usage_date', 'usage_hour_utc', 'source', 'provider', 'model_reported', 'api_key_id', 'project_id',
        'workflow_tag', 'pod', 'node', 'lifecycle_stage', 'call_purpose', 'serving_mode', 'energy_line', 'meter_method']
        + activity_counts() + ['energy_millijoules', 'cost_usd'] %}
    select {{ columns | join(', ') }} from spent
    union all
    select {{ columns | join(', ') }} from done

)

select * from activity
