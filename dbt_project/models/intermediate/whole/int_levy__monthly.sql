-- One row per month x levy x team x gap: the carbon that the nearest levy of each kind prices, no gram twice.
{{ config(materialized='ephemeral') }}

{#- from the nearest to the widest: each lies whole in the next -#}
{%- set places = {'workflow': 'used.workflow_id', 'team': 'used.team_id', 'unit': 'teams.unit_id',
    'organisation': "'organisation'"} %}

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

teams as (select * from {{ ref('dim_team') }}),

levies as (select * from {{ ref('stg_registry__levies') }}),

used as (select distinct usage_date, team_id, workflow_id from footprint),

matched as (

    select
        used.usage_date, used.team_id, used.workflow_id, levies.*,
        row_number() over (
            partition by used.usage_date, used.team_id, used.workflow_id, levies.levy_kind
            order by case levies.perimeter_type
                {%- for place in places %} when '{{ place }}' then {{ loop.index }}{% endfor %} end, levies.levy_id
        ) as nearness
    from used
    left join teams on used.team_id = teams.team_id
    inner join levies
        on used.usage_date >= levies.valid_from
        and used.usage_date < coalesce(levies.valid_to, cast('9999-12-31' as date))
        and levies.perimeter_id = case levies.perimeter_type
            {%- for place, id in places.items() %} when '{{ place }}' then {{ id }}{% endfor %} end

),

nearest as (select * from matched where nearness = 1),

emitted as (

    select
        nearest.levy_id, nearest.basis, footprint.usage_date, footprint.team_id, footprint.evidence_tier,
        footprint.gap_reason,
        {%- for end in ['_low', '', '_high'] %}
        case nearest.basis when 'location_kgco2e' then footprint.location_gco2e{{ end }}
            else footprint.market_gco2e{{ end }} end as basis_gco2e{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from footprint
    inner join nearest
        on footprint.usage_date = nearest.usage_date
        and footprint.team_id = nearest.team_id
        and footprint.workflow_id = nearest.workflow_id

),

monthly as (

    select
        cast(date_trunc('month', usage_date) as date) as usage_month, levy_id, team_id,
        case when basis_gco2e is null
            then coalesce(gap_reason, case basis when 'location_kgco2e' then 'no_grid' else 'no_contract' end) end
            as gap_reason,
        {%- for end in ['_low', '', '_high'] %}
        cast(sum(basis_gco2e{{ end }}) as decimal(38, 9)) as basis_gco2e{{ end }},
        {%- endfor %}
        count(distinct usage_date) as day_count,
        'ledger, evidence of tier ' || {{ listed('cast(evidence_tier as varchar)') }} as evidence
    from emitted
    -- calls that a meter holds elsewhere, and bills, have nothing here
    where basis_gco2e_high is not null or coalesce(gap_reason, 'metered_elsewhere') <> 'metered_elsewhere'
    group by 1, 2, 3, 4

)

select * from monthly
