-- One row per grid factor that a footprint row can name: the frozen yearly mixes, and each zone of a publisher of hours.

with

yearly as (select * from {{ ref('grid_yearly') }}),

publishers as (select * from {{ ref('grid_publisher') }}),

rungs as (select * from {{ ref('grid_rung') }} where {{ in_force('factor_set') }} and grid_rung = 'yearly_mix'),

footprint as (select * from {{ ref('fct_footprint_daily') }}),

-- what was booked names its zone; the hours themselves are the publisher's and are not repeated
booked as (

    select grid_factor_id, grid_zone, grid_source, grid_boundary, min(usage_date) as valid_from
    from footprint
    where grid_factor_id is not null
    group by grid_factor_id, grid_zone, grid_source, grid_boundary

),

factors as (

    select
        yearly.grid_factor_id, yearly.factor_set, yearly.zone_country as grid_zone, 'yearly' as resolution,
        yearly.grid_source, yearly.grid_boundary,
        cast(yearly.gco2e_per_kwh * rungs.low_ratio as decimal(12, 6)) as gco2e_per_kwh_low,
        yearly.gco2e_per_kwh,
        cast(yearly.gco2e_per_kwh * rungs.high_ratio as decimal(12, 6)) as gco2e_per_kwh_high,
        rungs.gsd_ratio, yearly.carbon_basis, yearly.water_litres_per_kwh, yearly.water_basis,
        yearly.source_title, yearly.source_url, yearly.water_source_url, yearly.licence,
        cast(null as varchar) as licence_url, yearly.released_date, yearly.valid_from
    from yearly
    left join rungs on true

    union all

    select
        booked.grid_factor_id, null, booked.grid_zone, publishers.resolution,
        booked.grid_source, booked.grid_boundary,
        null, null, null,
        null, 'zone', null, null,
        publishers.source_title, publishers.source_url, null, publishers.licence,
        publishers.licence_url, null, booked.valid_from
    from booked
    inner join publishers on booked.grid_source = publishers.grid_source

)

select * from factors
