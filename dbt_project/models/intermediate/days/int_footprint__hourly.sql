-- One row per hour x workflow x source x model x site x stage x purpose x energy line x factor x method x gap: the impacts of one hour, each rounded once.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

{%- set activity = activity_counts() + ['cost_nano_usd'] %}
{%- set labels = energy_labels() + ['gap_reason'] %}

with

energy as (select * from {{ ref('int_energy__hourly') }}),

sites as (select * from {{ ref('int_site__named') }}),

grid as (select * from {{ ref('int_grid__hourly') }} where {{ in_days('usage_date') }}),

lines as (

    select
        {{ labels | join(', ') }}, {{ activity | join(', ') }},
        energy_line, factor_id, evidence_tier,
        energy_kwh_low, energy_kwh, energy_kwh_high, embodied_gco2e, onsite_water_litres_per_kwh
    from energy

    union all

    -- cooling and power conversion of own hardware are a line of their own; a vendor's factor already includes them
    select
        {% for label in labels %}energy.{{ label }}, {% endfor %}
        {%- for name in activity %}0 as {{ name }}, {% endfor %}
        'overhead' as energy_line,
        case when energy.energy_kwh is not null then sites.pue_factor_id end as factor_id,
        case when energy.energy_kwh is not null then sites.pue_evidence_tier end as evidence_tier,
        {%- for end in ['_low', '', '_high'] %}
        cast(energy.energy_kwh{{ end }} * cast(sites.pue{{ end }}_ratio - 1 as decimal(12, 6)) as decimal(24, 9))
            as energy_kwh{{ end }},
        {%- endfor %}
        cast(0 as decimal(24, 9)) as embodied_gco2e,
        energy.onsite_water_litres_per_kwh
    from energy
    inner join sites on energy.site_id = sites.site_id
    where energy.meter_method <> ''

),

priced as (

    select
        lines.*,
        sites.zone as grid_zone,
        sites.market_gco2e_per_kwh,
        lines.onsite_water_litres_per_kwh + sites.grid_water_litres_per_kwh as water_litres_per_kwh,
        coalesce(grid.gco2e_per_kwh, sites.yearly_gco2e_per_kwh) as gco2e_per_kwh,
        case
            when lines.energy_kwh is null then null
            when grid.gco2e_per_kwh is not null then grid.grid_rung
            when sites.yearly_gco2e_per_kwh is not null then 'yearly_mix'
            else 'unknown'
        end as grid_rung
    from lines
    left join sites on lines.site_id = sites.site_id
    left join grid on sites.zone = grid.zone and lines.usage_hour_utc = grid.usage_hour_utc

),

footprint as (

    select
        {{ labels | join(', ') }}, {{ activity | join(', ') }},
        energy_line, factor_id, evidence_tier, grid_zone, grid_rung, gco2e_per_kwh,
        energy_kwh_low, energy_kwh, energy_kwh_high,
        cast(energy_kwh * cast(gco2e_per_kwh as decimal(12, 6)) as decimal(24, 9)) as location_gco2e,
        cast(energy_kwh * cast(market_gco2e_per_kwh as decimal(12, 6)) as decimal(24, 9)) as market_gco2e,
        embodied_gco2e,
        cast(energy_kwh * cast(water_litres_per_kwh as decimal(12, 6)) as decimal(24, 9)) as water_litres
    from priced

)

select * from footprint
