-- One row per grid zone x hour x boundary that Electricity Maps told.
{{ config(materialized="ephemeral") }}

with

intensity as (select * from {{ ref('stg_electricity_maps__carbon_intensity') }}),

grid as (

    select
        usage_date, zone, usage_hour_utc, gco2e_per_kwh, grid_boundary, is_estimated, 'electricity_maps' as publisher
    from intensity

)

select * from grid
