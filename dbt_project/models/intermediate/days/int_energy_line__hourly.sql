-- One row per row of int_energy__hourly, and one beside it for the cooling and power conversion of own hardware.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

{%- set activity = activity_counts() + ['cost_nano_usd'] %}
{%- set labels = energy_labels() + ['gap_reason'] %}

with

energy as (select * from {{ ref('int_energy__hourly') }}),

sites as (select * from {{ ref('int_site__named') }}),

lines as (

    select
        {{ labels | join(', ') }}, {{ activity | join(', ') }},
        energy_line, factor_id, evidence_tier, meter_method <> '' as is_metered,
        energy_kwh_low, energy_kwh, energy_kwh_high, embodied_gco2e, onsite_water_litres_per_kwh
    from energy

    union all

    -- a vendor's factor already includes its overhead, and an office is no data centre
    select
        {% for label in labels %}energy.{{ label }}, {% endfor %}
        {%- for name in activity %}0 as {{ name }}, {% endfor %}
        'overhead' as energy_line,
        case when energy.energy_kwh is not null then sites.pue_factor_id end as factor_id,
        case when energy.energy_kwh is not null then sites.pue_evidence_tier end as evidence_tier,
        true as is_metered,
        {%- for end in ['_low', '', '_high'] %}
        cast(energy.energy_kwh{{ end }} * cast(sites.pue{{ end }}_ratio - 1 as decimal(12, 6)) as decimal(24, 9))
            as energy_kwh{{ end }},
        {%- endfor %}
        cast(0 as decimal(24, 9)) as embodied_gco2e,
        -- a site's water is given per kWh of IT, and stands on the IT's own line
        cast(case when energy.onsite_water_litres_per_kwh is not null then 0 end as decimal(12, 6))
            as onsite_water_litres_per_kwh
    from energy
    inner join sites on energy.site_id = sites.site_id
    where energy.meter_method not in ('', 'declared')

)

select * from lines
