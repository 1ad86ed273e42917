-- One row per day x source x account: that an account was heard of, and in which hours.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

activity as (select * from {{ ref('int_activity__hourly') }} where {{ in_days('usage_date') }}),

named as (

    select
        usage_date, usage_hour_utc, source,
        -- who is billed or metered: a project or, where none is told, its key; a GPU's host; else the vendor. Own hardware
        -- that names no machine is no account: a day without a job lacks nothing
        case
            when project_id <> '' then 'project ' || project_id
            when api_key_id <> '' then 'key ' || api_key_id
            when node <> '' then 'node ' || node
            when provider <> 'hardware' then 'provider ' || provider
        end as account_id
    from activity

),

accounts as (

    select
        usage_date,
        source,
        account_id,
        cast(count(distinct usage_hour_utc) as bigint) as received_hours
    from named
    where account_id is not null
    group by usage_date, source, account_id

)

select * from accounts
