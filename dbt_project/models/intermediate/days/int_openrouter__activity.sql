-- One row per day x model x endpoint x workspace, from OpenRouter's activity, which knows no hours: the day's first stands for all.
{{ config(materialized='ephemeral') }}

with

requests as (select * from {{ ref('stg_openrouter__activity') }}),

activity as (

    select
        {{ activity_columns('openrouter',
            named=['provider', 'model_reported', 'call_count', 'input_tokens', 'cached_input_tokens', 'output_tokens',
                'reasoning_output_tokens', 'cost_usd'],
            zero=['cache_write_input_tokens'],
            usage_hour_utc='cast(usage_date as timestamp)', project_id='workspace_id') }}
    from requests

)

select * from activity
