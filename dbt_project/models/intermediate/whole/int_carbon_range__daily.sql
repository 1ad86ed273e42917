-- One row per row of fct_footprint_daily: what perimeters and ranges read of it.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

ranged as (

    select
        usage_date, team_id, workflow_id, factor_id, call_count, energy_kwh_low, energy_kwh, energy_kwh_high,
        location_gco2e_low, location_gco2e, location_gco2e_high
    from footprint

)

select * from ranged
