-- One row per day x perimeter x metric x factor x whether it is only bounded: what shares one error is one part.

{%- set estimated = {
    'energy_kwh': ['energy_kwh_low', 'energy_kwh', 'energy_kwh_high'],
    'location_kgco2e': [kg_from_g('location_gco2e_low'), kg_from_g('location_gco2e'), kg_from_g('location_gco2e_high')],
    'market_kgco2e': [kg_from_g('market_gco2e_low'), kg_from_g('market_gco2e'), kg_from_g('market_gco2e_high')],
} %}
{#- counted, timed or invoiced: no factor, and no error to share -#}
{%- set counted = {
    'requests': 'call_count', 'tokens': 'token_count', 'gpu_hours': hours_from_seconds('gpu_seconds'),
    'cost_usd': 'cost_usd',
} %}

with

footprint as (select * from {{ ref('int_carbon_range__daily') }}),

teams as (select * from {{ ref('dim_team') }}),

workflows as (select * from {{ ref('dim_workflow') }}),

factors as (select * from {{ ref('dim_factor') }}),

owned as (

    select footprint.*, factors.method, teams.unit_id, teams.country, workflows.sector_tag
    from footprint
    left join teams on footprint.team_id = teams.team_id
    left join workflows on footprint.workflow_id = workflows.workflow_id
    left join factors on footprint.factor_id = factors.factor_id

),

placed as (

    {%- for type, id in [('organisation', "'organisation'"), ('unit', 'unit_id'), ('team', 'team_id'),
        ('workflow', 'workflow_id'), ('service', 'provider'), ('country', 'country'), ('sector_tag', 'sector_tag')] %}
    select
        usage_date, '{{ type }}' as perimeter_type, {{ id }} as perimeter_id, factor_id, method,
        call_count, token_count, gpu_seconds, cost_usd, energy_kwh_low, energy_kwh, energy_kwh_high,
        location_gco2e_low, location_gco2e, location_gco2e_high, market_gco2e_low, market_gco2e, market_gco2e_high
    from owned
    where {{ id }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

measured as (

    {%- for metric, ends in estimated.items() %}
    select
        usage_date, perimeter_type, perimeter_id, '{{ metric }}' as metric,
        coalesce(factor_id, 'none') as factor_id, coalesce(method, 'none') as method,
        -- one type for all metrics: thousandths of a billionth hold every gram exactly in kg
        cast({{ ends[0] }} as decimal(38, 12)) as part_low,
        cast({{ ends[1] }} as decimal(38, 12)) as part_quantity,
        cast({{ ends[2] }} as decimal(38, 12)) as part_high
    from placed
    union all
    {%- endfor %}
    {%- for metric, quantity in counted.items() %}
    select
        usage_date, perimeter_type, perimeter_id, '{{ metric }}' as metric,
        'counted' as factor_id, 'counted' as method,
        cast({{ quantity }} as decimal(38, 12)) as part_low,
        cast({{ quantity }} as decimal(38, 12)) as part_quantity,
        cast({{ quantity }} as decimal(38, 12)) as part_high
    from placed
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

parts as (

    select
        usage_date, perimeter_type, perimeter_id, metric, factor_id, method,
        part_quantity is null as is_only_bounded,
        -- nothing is below what is only bounded
        cast(sum(case when part_quantity is not null then part_low end) as decimal(38, 12)) as part_low,
        cast(sum(part_quantity) as decimal(38, 12)) as part_quantity,
        cast(sum(part_high) as decimal(38, 12)) as part_high
    from measured
    where part_high is not null
    group by usage_date, perimeter_type, perimeter_id, metric, factor_id, method, part_quantity is null

)

select * from parts
