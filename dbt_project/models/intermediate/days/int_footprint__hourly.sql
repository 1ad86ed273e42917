-- One row per hour x workflow x source x model x site x stage x purpose x energy line x factor x method x gap: the impacts of one hour, each rounded once.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

{%- set activity = activity_counts() + ['cost_nano_usd'] %}
{%- set labels = energy_labels() + ['gap_reason'] %}

with

lines as (select * from {{ ref('int_energy_line__hourly') }} where {{ in_days('usage_date') }}),

sites as (select * from {{ ref('int_site__named') }}),

grid as (select * from {{ ref('int_site_energy__hourly') }} where {{ in_days('usage_date') }}),

contracts as (select * from {{ ref('int_market__hourly') }} where {{ in_days('usage_date') }}),

-- the high end of the dirtiest mix there is, of all sets that were frozen: what bounds a grid that is not known
dirtiest as (

    select cast(max(grid_yearly.gco2e_per_kwh) * max(rungs.high_ratio) as decimal(12, 6)) as gco2e_per_kwh
    from {{ ref('grid_yearly') }} as grid_yearly
    cross join {{ ref('grid_rung') }} as rungs
    where rungs.grid_rung = 'unknown'

),

priced as (

    select
        lines.*,
        sites.zone as grid_zone,
        sites.grid_water_litres_per_kwh,
        coalesce(sites.control, case when lines.is_metered then 'own' else 'vendor' end) as control,
        case when lines.energy_kwh is not null then coalesce(grid.grid_rung, 'unknown') end as grid_rung,
        {%- for name in ['grid_source', 'grid_boundary', 'grid_factor_id'] %}
        case when lines.energy_kwh is not null then grid.{{ name }} end as {{ name }},
        {%- endfor %}
        {%- for end in ['_low', '', '_high'] %}
        case when lines.energy_kwh is not null then grid.gco2e_per_kwh{{ end }} end as gco2e_per_kwh{{ end }},
        case when lines.energy_kwh is not null then grid.direct_gco2e_per_kwh{{ end }} end
            as direct_gco2e_per_kwh{{ end }},
        {%- endfor %}
        case when lines.energy_kwh is not null
            then case when grid.site_id is null then 'no_intensity' else grid.direct_gap_reason end
        end as direct_gap_reason,
        case when lines.energy_kwh is not null then contracts.market_gco2e_per_kwh end as market_gco2e_per_kwh,
        dirtiest.gco2e_per_kwh as dirtiest_gco2e_per_kwh
    from lines
    cross join dirtiest
    left join sites on lines.site_id = sites.site_id
    left join grid on lines.site_id = grid.site_id and lines.usage_hour_utc = grid.usage_hour_utc
    left join contracts on lines.site_id = contracts.site_id and lines.usage_hour_utc = contracts.usage_hour_utc

),

footprint as (

    select
        {{ labels | join(', ') }}, {{ activity | join(', ') }},
        energy_line, factor_id, evidence_tier,
        case when control = 'own' then 2 else 3 end as ghg_scope,
        case control when 'vendor' then 1 when 'leased' then 8 end as scope3_category,
        grid_zone, grid_rung, grid_source, grid_boundary, grid_factor_id, direct_gap_reason,
        gco2e_per_kwh, direct_gco2e_per_kwh, market_gco2e_per_kwh,
        energy_kwh_low, energy_kwh, energy_kwh_high,
        cast(energy_kwh_low * gco2e_per_kwh_low as decimal(24, 9)) as location_gco2e_low,
        cast(energy_kwh * gco2e_per_kwh as decimal(24, 9)) as location_gco2e,
        cast(energy_kwh_high * coalesce(gco2e_per_kwh_high, dirtiest_gco2e_per_kwh) as decimal(24, 9))
            as location_gco2e_high,
        -- a part of the line above, never added to it; at most the whole where it is not known
        cast(energy_kwh_low * direct_gco2e_per_kwh_low as decimal(24, 9)) as location_direct_gco2e_low,
        cast(energy_kwh * direct_gco2e_per_kwh as decimal(24, 9)) as location_direct_gco2e,
        cast(energy_kwh_high * coalesce(direct_gco2e_per_kwh_high, gco2e_per_kwh_high, dirtiest_gco2e_per_kwh)
            as decimal(24, 9)) as location_direct_gco2e_high,
        cast(energy_kwh_low * market_gco2e_per_kwh as decimal(24, 9)) as market_gco2e_low,
        cast(energy_kwh * market_gco2e_per_kwh as decimal(24, 9)) as market_gco2e,
        cast(energy_kwh_high * coalesce(market_gco2e_per_kwh, dirtiest_gco2e_per_kwh) as decimal(24, 9))
            as market_gco2e_high,
        embodied_gco2e,
        cast(energy_kwh * cast(onsite_water_litres_per_kwh as decimal(12, 6)) as decimal(24, 9)) as water_onsite_litres,
        cast(energy_kwh * cast(grid_water_litres_per_kwh as decimal(12, 6)) as decimal(24, 9)) as water_offsite_litres
    from priced

),

added as (

    select footprint.*, cast(water_onsite_litres + water_offsite_litres as decimal(24, 9)) as water_litres
    from footprint

)

select * from added
