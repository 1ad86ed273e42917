-- One row per grid zone x hour x boundary: the intensity of what EIA says was generated there.
{{ config(materialized="ephemeral") }}

with

told as (select * from {{ ref('stg_eia__generation') }}),

fuels as (select * from {{ ref('grid_fuel') }} where grid_source = 'eia' and {{ in_force('factor_set') }}),

generation as (

    select usage_date, zone, usage_hour_utc, fuel_code, net_generation_mwh as mwh
    from told

),
{{ mix_intensity('eia') }}
select * from grid
