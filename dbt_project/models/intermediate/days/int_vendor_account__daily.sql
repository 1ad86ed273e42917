-- One row per day x provider x source x key: what the source says was used and paid, of record or not.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

-- a meter counts no calls
activity as (select * from {{ ref('int_activity__hourly') }} where meter_method = '' and {{ in_days('usage_date') }}),

accounts as (

    select
        usage_date,
        provider,
        source,
        api_key_id,
        max(case when is_of_record then 1 else 0 end) as of_record_count,
        cast(sum(call_count) as decimal(38, 9)) as call_count,
        -- all kinds of input: sources tell them apart or not, and each token is in one of them
        cast(sum({{ all_input_tokens() }})
            as decimal(38, 9)) as input_tokens,
        cast(sum(output_tokens) as decimal(38, 9)) as output_tokens,
        cast({{ usd_from_nano_usd('sum(cost_nano_usd)') }} as decimal(38, 9)) as cost_usd
    from activity
    group by usage_date, provider, source, api_key_id

)

select * from accounts
