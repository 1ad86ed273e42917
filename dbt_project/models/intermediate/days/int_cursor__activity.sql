-- One row per hour x model x whether tokens are told, and one per day for what seats cost.
{{ config(materialized='ephemeral') }}

with

events as (select * from {{ ref('stg_cursor__events') }}),

seats as (select * from {{ ref('stg_cursor__seats') }} where cost_usd is not null),

united as (

    select
        usage_date, usage_hour_utc, model_reported, call_count, input_tokens, cached_input_tokens,
        cache_write_input_tokens, output_tokens, cost_usd
    from events

    union all

    select usage_date, cast(usage_date as timestamp), null, null, null, null, null, null, cost_usd
    from seats

),

activity as (

    select
        {{ activity_columns('cursor',
            named=['model_reported', 'call_count', 'input_tokens', 'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens',
                'cost_usd'],
            provider="'cursor'", call_purpose="'interactive'") }}
    from united

)

select * from activity
