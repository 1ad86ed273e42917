-- One row per day.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('cursor', 'seats') }}),

renamed as (

    select cast(dt as date) as usage_date, seat_count, cost_usd
    from landed

)

select * from renamed
