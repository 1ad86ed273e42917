-- One row per grid zone x hour x fuel.
{{ config(materialized="ephemeral") }}

with

landed as (select * from {{ source('eia', 'generation') }}),

renamed as (

    select cast(dt as date) as usage_date, zone, hour_utc as usage_hour_utc, fuel_code, net_generation_mwh
    from landed

)

select * from renamed
