-- One row per grid zone x hour x boundary that the organisation's own files tell of.
{{ config(materialized="ephemeral") }}

with

intensity as (select * from {{ ref('stg_grid_file__intensity') }}),

grid as (

    select usage_date, zone, usage_hour_utc, gco2e_per_kwh, grid_boundary, is_estimated, publisher
    from intensity

)

select * from grid
