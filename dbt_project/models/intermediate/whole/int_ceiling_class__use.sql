-- One row per ceiling in force x perimeter of a rule x class of work inside both: the workflows that used something, and how much.

{#- A service has no row: before a call is made, nobody knows to which one it goes. -#}
{%- set perimeters = {'organisation': "'organisation'", 'unit': 'unit_id', 'team': 'team_id', 'country': 'country',
    'workflow': 'workflow_id', 'sector_tag': 'sector_tag'} %}

with

ceilings as (

    select
        *, case when perimeter_type = 'organisation' then 'organisation' else perimeter_id end as counted_perimeter_id
    from {{ ref('fct_ceiling_position_daily') }}
    where usage_date = (select max(usage_date) from {{ ref('fct_ceiling_position_daily') }})
        and period_end > {{ add_days('usage_date', 1) }}

),

used as (select * from {{ ref('int_perimeter__daily') }} where perimeter_type = 'workflow'),

workflows as (

    select
        flows.workflow_id, flows.workflow_name, flows.team_id, flows.sector_tag, teams.unit_id, teams.country,
        coalesce(flows.usefulness_class, 'experimental') as usefulness_class
    from {{ ref('dim_workflow') }} as flows
    left join {{ ref('dim_team') }} as teams on flows.team_id = teams.team_id

),

inside as (

    {%- for type, id in perimeters.items() %}
    select '{{ type }}' as perimeter_type, {{ id }} as counted_perimeter_id, workflow_id, workflow_name, usefulness_class
    from workflows
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- a rule without a perimeter is one of the whole organisation, and so is the limit itself
places as (

    select distinct
        coalesce(perimeter_type, 'organisation') as rule_perimeter_type,
        coalesce(perimeter_id, 'organisation') as rule_perimeter_id
    from {{ ref('stg_registry__gate_rules') }}
    union
    select 'organisation', 'organisation'

),

ruled as (

    select places.*, inside.workflow_id
    from places
    inner join inside
        on places.rule_perimeter_type = inside.perimeter_type and places.rule_perimeter_id = inside.counted_perimeter_id

),

shares as (

    select
        ceilings.ceiling_id, ruled.rule_perimeter_type, ruled.rule_perimeter_id, inside.usefulness_class, inside.workflow_id, inside.workflow_name,
        sum(used.used_quantity) as used_quantity
    from ceilings
    inner join inside
        on ceilings.perimeter_type = inside.perimeter_type and ceilings.counted_perimeter_id = inside.counted_perimeter_id
    inner join ruled on inside.workflow_id = ruled.workflow_id
    inner join used
        on inside.workflow_id = used.perimeter_id and ceilings.metric = used.metric
        and used.usage_date >= ceilings.period_start and used.usage_date <= ceilings.usage_date
    group by
        ceilings.ceiling_id, ruled.rule_perimeter_type, ruled.rule_perimeter_id, inside.usefulness_class,
        inside.workflow_id, inside.workflow_name
    having sum(used.used_high) > 0

),

summed as (

    select
        ceiling_id, rule_perimeter_type, rule_perimeter_id, usefulness_class, cast(count(*) as bigint) as workflow_count,
        {{ listed('workflow_name') }} as workflow_names,
        cast(sum(case when used_quantity is null then 1 else 0 end) as bigint) as unknown_workflow_count,
        cast(sum(used_quantity) as decimal(38, 9)) as used_quantity
    from shares
    group by ceiling_id, rule_perimeter_type, rule_perimeter_id, usefulness_class

)

select * from summed
