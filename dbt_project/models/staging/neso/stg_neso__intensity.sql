-- One row per half-hour of Great Britain.
{{ config(materialized="ephemeral") }}

with

landed as (select * from {{ source('neso', 'intensity') }}),

renamed as (

    select cast(dt as date) as usage_date, start_utc, actual_gco2_per_kwh
    from landed

)

select * from renamed
