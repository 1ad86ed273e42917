-- One row per site x hour in which energy is known: its sum, and the intensity of the grid with where it comes from.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

lines as (select * from {{ ref('int_energy_line__hourly') }} where {{ in_days('usage_date') }}),

sites as (select * from {{ ref('int_site__named') }}),

grid as (select * from {{ ref('int_grid__hourly') }} where {{ in_days('usage_date') }}),

rungs as (select * from {{ ref('grid_rung') }} where {{ in_force('factor_set') }}),

used as (

    select usage_date, usage_hour_utc, site_id, cast(sum(energy_kwh) as decimal(27, 9)) as energy_kwh
    from lines
    where site_id is not null and energy_kwh is not null
    group by usage_date, usage_hour_utc, site_id

),

-- a site that is pinned to one source has no intensity where that one has none: a period rests on one source or says so
allowed as (

    select
        *,
        case when coalesce(grid_pin, 'yearly_mix') = 'yearly_mix' then yearly_gco2e_per_kwh end as allowed_yearly
    from sites

),

-- the ladder: the hour as measured or estimated by the preferred publisher, else the country's yearly mix
placed as (

    select
        used.usage_date, used.usage_hour_utc, used.site_id, used.energy_kwh,
        sites.zone as grid_zone, sites.control, sites.market_boundary,
        sites.market_gco2e_per_kwh as tariff_gco2e_per_kwh,
        case
            when grid.gco2e_per_kwh is not null then grid.grid_rung
            when sites.allowed_yearly is not null then 'yearly_mix'
            else 'unknown'
        end as grid_rung,
        cast(coalesce(grid.gco2e_per_kwh, sites.allowed_yearly) as decimal(12, 6)) as gco2e_per_kwh,
        {%- for name in ['grid_source', 'grid_boundary', 'grid_factor_id'] %}
        case
            when grid.gco2e_per_kwh is not null then grid.{{ name }}
            when sites.allowed_yearly is not null then sites.{{ name }}
        end as {{ name }},
        {%- endfor %}
        grid.direct_gco2e_per_kwh,
        case
            when grid.gco2e_per_kwh is not null then grid.direct_gap_reason
            when sites.allowed_yearly is not null then 'lifecycle_only'
            else 'no_intensity'
        end as direct_gap_reason
    from used
    inner join allowed as sites on used.site_id = sites.site_id
    left join grid
        on sites.zone = grid.zone
        and used.usage_hour_utc = grid.usage_hour_utc
        and case when sites.grid_pin is null then grid.is_first else sites.grid_pin = grid.grid_source end

),

ranged as (

    select
        placed.*,
        cast(placed.gco2e_per_kwh * rungs.low_ratio as decimal(12, 6)) as gco2e_per_kwh_low,
        cast(placed.gco2e_per_kwh * rungs.high_ratio as decimal(12, 6)) as gco2e_per_kwh_high,
        cast(placed.direct_gco2e_per_kwh * rungs.low_ratio as decimal(12, 6)) as direct_gco2e_per_kwh_low,
        cast(placed.direct_gco2e_per_kwh * rungs.high_ratio as decimal(12, 6)) as direct_gco2e_per_kwh_high
    from placed
    left join rungs on placed.grid_rung = rungs.grid_rung

)

select * from ranged
