-- One row per ceiling in force x class of work x rule of the gate, or the limit itself: what happens to it, and from when.

{#- what was passed first by the high end was passed at the earliest -#}
{%- set ends = {'_low': 'used_high', '': 'used_quantity', '_high': 'used_low'} %}

with

positions as (select * from {{ ref('fct_ceiling_position_daily') }}),

rules as (select * from {{ ref('stg_registry__gate_rules') }}),

forecasts as (select * from {{ ref('int_ceiling_step__forecast') }}),

inside as (select * from {{ ref('int_ceiling_class__use') }}),

ceilings as (

    select * from positions
    where usage_date = (select max(usage_date) from positions)
        and period_end > {{ add_days('usage_date', 1) }} and perimeter_type <> 'service'

),

ruled as (

    select
        ceilings.*, rules.usefulness_class, rules.action, rules.gate_rule_id,
        coalesce(rules.perimeter_type, 'organisation') as rule_perimeter_type,
        coalesce(rules.perimeter_id, 'organisation') as rule_perimeter_id, rules.from_ratio, rules.valid_from,
        coalesce(rules.valid_to, ceilings.period_end) as valid_to
    from ceilings
    inner join rules
        on coalesce(rules.metric, ceilings.metric) = ceilings.metric
        and rules.valid_from < ceilings.period_end
        and coalesce(rules.valid_to, ceilings.period_end) > ceilings.usage_date
    {%- for name in ['useful', 'comfort', 'experimental'] %}
    union all
    select *, '{{ name }}', 'stop', null, 'organisation', 'organisation', 1, period_start, period_end from ceilings
    {%- endfor %}

),

steps as (

    select
        *, cast(cast(limit_quantity as decimal(24, 9)) * cast(from_ratio as decimal(9, 8)) as decimal(38, 9)) as from_quantity
    from ruled

),

passed as (

    select
        steps.ceiling_id, steps.from_quantity
        {%- for end, amount in ends.items() %},
        min(case when days.{{ amount }} >= steps.from_quantity then days.usage_date end) as passed_date{{ end }}
        {%- endfor %}
    from (select distinct ceiling_id, from_quantity from steps) as steps
    inner join positions as days on steps.ceiling_id = days.ceiling_id
    group by steps.ceiling_id, steps.from_quantity

),

dated as (

    select
        steps.*, inside.workflow_count, inside.workflow_names, inside.unknown_workflow_count,
        inside.used_quantity as touched_quantity
        {%- for end in ends %},
        coalesce(passed.passed_date{{ end }}, case when steps.from_ratio = 1 then steps.exhaustion_date{{ end }}
            else {{ add_days('steps.usage_date', 'cast(forecasts.days' ~ end ~ ' as integer)') }} end) as meets_date{{ end }}
        {%- endfor %}
    from steps
    left join passed on steps.ceiling_id = passed.ceiling_id and steps.from_quantity = passed.from_quantity
    left join forecasts on steps.ceiling_id = forecasts.ceiling_id and steps.from_ratio = forecasts.from_ratio
    left join inside on steps.ceiling_id = inside.ceiling_id and steps.usefulness_class = inside.usefulness_class
        and steps.rule_perimeter_type = inside.rule_perimeter_type and steps.rule_perimeter_id = inside.rule_perimeter_id
    -- a rule of a part of the organisation has no step at a ceiling that none of its work counts against
    where inside.ceiling_id is not null or steps.rule_perimeter_type = 'organisation'

),

described as (

    select
        usage_date as as_of_date, ceiling_id, perimeter_type, perimeter_id, metric, usefulness_class, action,
        gate_rule_id, rule_perimeter_type, rule_perimeter_id,
        cast(from_ratio as decimal(9, 8)) as from_ratio, from_quantity,
        used_quantity >= from_quantity and valid_from <= usage_date as is_reached
        {%- for end in ends %},
        case when meets_date{{ end }} < valid_to then greatest(meets_date{{ end }}, valid_from) end as begins_date{{ end }}
        {%- endfor %},
        coalesce(workflow_count, 0) as workflow_count, workflow_names,
        coalesce(unknown_workflow_count, 0) as unknown_workflow_count, touched_quantity,
        {{ ratio('touched_quantity', 'used_quantity') }} as touched_ratio
    from dated

)

select * from described
