-- One row per grid zone x step of 15 to 60 minutes x fuel.
{{ config(materialized="ephemeral") }}

with

landed as (select * from {{ source('entsoe', 'generation') }}),

renamed as (

    select cast(dt as date) as usage_date, zone, start_utc, fuel_code, period_minutes, generation_mw
    from landed

)

select * from renamed
