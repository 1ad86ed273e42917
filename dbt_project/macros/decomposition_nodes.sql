{#- The activity that shares are taken of: workflows, their teams and units, and the whole.

    CTEs from `compared_cells`, `sides`, `achieved` (period_id, workflow_id, outcome_type, outcome_count) and `workflows`
    (workflow_id, team_id, unit_id) to `nodes`, one row per pair x measure x part x workflow with a chained cell. -#}
{% macro activity_nodes() -%}
{%- set sides = ['base', 'compared'] %}
outcomes as (

    select
        sides.pair_id, achieved.workflow_id
        {%- for side in sides %},
        max(case when sides.side = '{{ side }}' then achieved.outcome_count end) as {{ side }}_outcomes
        {%- endfor %}
    from achieved
    inner join sides on achieved.period_id = sides.period_id
    where achieved.outcome_count > 0
    group by sides.pair_id, achieved.workflow_id
    having count(*) = 2 and min(achieved.outcome_type) = max(achieved.outcome_type)

),

totals as (

    select
        pair_id, measure, part, workflow_id
        {%- for side in sides %},
        sum({{ side }}_units) as {{ side }}_units,
        sum(case when comparison = 'chained' then {{ side }}_units else 0 end) as {{ side }}_known_units,
        sum(case when comparison = 'chained' then coalesce({{ side }}_quantity, 0) else 0 end) as {{ side }}_quantity
        {%- endfor %}
    from compared_cells
    where comparison in ('chained', 'uncovered')
    group by pair_id, measure, part, workflow_id
    having max(case when comparison = 'chained' then 1 else 0 end) = 1

),

-- outcomes of different kinds are added up as the calls that they take in the mean of both periods; else calls are
demanded as (

    select
        totals.*,
        coalesce(workflows.team_id, totals.workflow_id) as team_id,
        coalesce(workflows.unit_id, workflows.team_id, totals.workflow_id) as unit_id,
        case
            when totals.part <> 'requests' then case when totals.part = 'runs' then 'runs' else 'gpu_seconds' end
            when outcomes.workflow_id is null or totals.base_units = 0 or totals.compared_units = 0 then 'calls'
            else 'outcomes'
        end as activity_unit,
        {%- for side in sides %}
        outcomes.{{ side }}_outcomes,
        {%- endfor %}
        sqrt({{ real('totals.base_units') }} / nullif(outcomes.base_outcomes, 0)
            * ({{ real('totals.compared_units') }} / nullif(outcomes.compared_outcomes, 0))) as calls_per_outcome
    from totals
    left join workflows on totals.workflow_id = workflows.workflow_id
    left join outcomes
        on totals.part = 'requests'
        and totals.pair_id = outcomes.pair_id
        and totals.workflow_id = outcomes.workflow_id

),

weighed as (

    select
        *
        {%- for side in sides %},
        cast(case when activity_unit = 'outcomes' then {{ side }}_outcomes * calls_per_outcome else {{ side }}_units end
            as decimal(38, 12)) as {{ side }}_activity
        {%- endfor %}
    from demanded

),

nodes as (

    select
        *
        {%- for side in sides %}
        {%- for level, by in {'team': ', unit_id, team_id', 'unit': ', unit_id', 'whole': ''}.items() %},
        sum({{ side }}_activity) over (partition by pair_id, measure, part{{ by }}) as {{ side }}_{{ level }}_activity
        {%- endfor %}
        {%- endfor %}
    from weighed

)
{%- endmacro %}
