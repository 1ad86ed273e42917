-- One row per day x perimeter x metric: what a perimeter used; orphaned and unattributed use counts in the organisation.

{%- set metrics = {
    'energy_kwh': ['energy_kwh_low', 'energy_kwh', 'energy_kwh_high'],
    'location_kgco2e': [kg_from_g('location_gco2e_low'), kg_from_g('location_gco2e'), kg_from_g('location_gco2e_high')],
    'requests': ['call_count', 'call_count', 'call_count'],
} %}

with

footprint as (select * from {{ ref('int_carbon_range__daily') }}),

teams as (select * from {{ ref('dim_team') }}),

owned as (

    select footprint.*, teams.unit_id, teams.country
    from footprint
    left join teams on footprint.team_id = teams.team_id

),

placed as (

    {%- for type, id in [('organisation', "'organisation'"), ('unit', 'unit_id'), ('team', 'team_id'),
        ('workflow', 'workflow_id'), ('country', 'country')] %}
    select
        usage_date, '{{ type }}' as perimeter_type, {{ id }} as perimeter_id, call_count,
        energy_kwh_low, energy_kwh, energy_kwh_high, location_gco2e_low, location_gco2e, location_gco2e_high
    from owned
    where {{ id }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

measured as (

    {%- for metric, ends in metrics.items() %}
    select
        usage_date, perimeter_type, perimeter_id, '{{ metric }}' as metric,
        cast(sum({{ ends[0] }}) as decimal(38, 9)) as used_low,
        cast(sum({{ ends[1] }}) as decimal(38, 9)) as used_quantity,
        cast(sum({{ ends[2] }}) as decimal(38, 9)) as used_high
    from placed
    group by usage_date, perimeter_type, perimeter_id
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select * from measured
