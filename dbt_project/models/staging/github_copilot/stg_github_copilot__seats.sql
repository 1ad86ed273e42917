-- One row per day x plan.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('github_copilot', 'seats') }}),

renamed as (

    select cast(dt as date) as usage_date, organisation, plan_type, seat_count, cost_usd
    from landed

)

select * from renamed
