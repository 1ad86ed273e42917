-- One row per day x source: accounts and hours that were heard of, out of those that could be expected.
{{ config(materialized='ephemeral') }}

{%- set lookback_days = 28 %}

with

accounts as (select * from {{ ref('int_account__daily') }}),

delivered as (select usage_date, source from {{ ref('int_delivery__daily') }}),

heard as (

    select
        usage_date,
        source,
        count(*) as received_account_count,
        sum(received_hours) as received_account_hour_count
    from accounts
    group by usage_date, source

),

-- an account is expected for four weeks after it was last heard of
expected as (

    select
        delivered.usage_date,
        delivered.source,
        count(distinct accounts.account_id) as expected_account_count
    from delivered
    inner join accounts
        on delivered.source = accounts.source
        and accounts.usage_date <= delivered.usage_date
        and accounts.usage_date > {{ add_days('delivered.usage_date', -lookback_days) }}
    group by delivered.usage_date, delivered.source

),

counted as (

    select
        expected.usage_date,
        expected.source,
        cast(expected.expected_account_count as bigint) as expected_account_count,
        cast(coalesce(heard.received_account_count, 0) as bigint) as received_account_count,
        cast(coalesce(heard.received_account_hour_count, 0) as bigint) as received_account_hour_count
    from expected
    left join heard on expected.usage_date = heard.usage_date and expected.source = heard.source

)

select * from counted
