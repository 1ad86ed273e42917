-- One row per row of fct_footprint_daily, with the range of its energy carried over to its carbon.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

dirtiest as (select max(gco2e_per_kwh) as gco2e_per_kwh from {{ ref('grid_yearly') }}),

ranged as (

    select
        footprint.usage_date, footprint.team_id, footprint.workflow_id, footprint.call_count,
        footprint.energy_kwh_low, footprint.energy_kwh, footprint.energy_kwh_high, footprint.location_gco2e,
        -- the grid's own error is not in this range: it is shared by all and small beside the energy's
        cast(footprint.location_gco2e * ({{ ratio('footprint.energy_kwh_low', 'footprint.energy_kwh') }})
            as decimal(38, 9)) as location_gco2e_low,
        -- energy that is only bounded, or a grid that is not known, is counted at the dirtiest mix there is
        cast(coalesce(
            footprint.location_gco2e * ({{ ratio('footprint.energy_kwh_high', 'footprint.energy_kwh') }}),
            footprint.energy_kwh_high * dirtiest.gco2e_per_kwh
        ) as decimal(38, 9)) as location_gco2e_high
    from footprint
    cross join dirtiest

)

select * from ranged
