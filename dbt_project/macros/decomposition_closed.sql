{#- CTEs from `leaves`, `nodes`, `lengths` and `stated` to `closed`: one row per pair x measure x workflow x part x factor,
    those of a workflow adding up to its change. -#}
{% macro workflow_effects() -%}
{%- set above = {'activity': 'whole', 'unit_mix': 'unit', 'team_mix': 'team', 'workflow_mix': ''} %}
raised as (

    select
        leaves.*, nodes.activity_unit,
        leaves.weight * {{ log_change('lengths.base_day_count', 'lengths.compared_day_count') }} as days,
        leaves.weight * {{ log_share('_whole_activity', '_day_count') }} as activity,
        leaves.weight * {{ log_share('_unit_activity', '_whole_activity') }} as unit_mix,
        leaves.weight * {{ log_share('_team_activity', '_unit_activity') }} as team_mix,
        leaves.weight * {{ log_share('_activity', '_team_activity') }} as workflow_mix,
        leaves.weight * {{ log_share('_units', '_activity') }} as calls_per_outcome,
        -- the highest share that is zero on a side
        case
            when least(base_whole_activity, compared_whole_activity) = 0 then 'activity'
            when least(base_unit_activity, compared_unit_activity) = 0 then 'unit_mix'
            when least(base_team_activity, compared_team_activity) = 0 then 'team_mix'
            else 'workflow_mix'
        end as zero_at
    from leaves
    inner join nodes
        on leaves.pair_id = nodes.pair_id
        and leaves.measure = nodes.measure
        and leaves.part = nodes.part
        and leaves.workflow_id = nodes.workflow_id
    inner join lengths on leaves.pair_id = lengths.pair_id

),

told as (

    {%- for name in upper_factors() %}
    select
        pair_id, measure, workflow_id, part, activity_unit, '{{ name }}' as factor,
        {{ effect("case when zero_at = '" ~ name ~ "' and above <> 0 then above else " ~ name ~ ' end') }} as raw
    from raised

    union all
    {%- endfor %}
    {%- for name in lower_factors() %}

    select pair_id, measure, workflow_id, part, activity_unit, {{ published_factor(name) }}, {{ name }}
    from raised

    union all
    {%- endfor %}

    select
        pair_id, measure, workflow_id,
        case when 'without_activity' in (base_state, compared_state) then 'other' else part end,
        null,
        case when 'without_activity' in (base_state, compared_state) then 'without_activity' else 'coverage' end,
        {{ effect('coalesce(compared_quantity, 0) - coalesce(base_quantity, 0)') }}
    from stated
    where base_state in ('unknown', 'without_activity') or compared_state in ('unknown', 'without_activity')

),

changes as (

    select pair_id, measure, workflow_id, sum(coalesce(compared_quantity, 0) - coalesce(base_quantity, 0)) as whole
    from stated
    group by pair_id, measure, workflow_id

),

united as (

    select
        told.pair_id, told.measure, told.workflow_id, told.part, told.factor,
        max(told.activity_unit) as activity_unit, sum(told.raw) as raw, max(changes.whole) as whole
    from told
    inner join changes
        on told.pair_id = changes.pair_id and told.measure = changes.measure and told.workflow_id = changes.workflow_id
    group by told.pair_id, told.measure, told.workflow_id, told.part, told.factor
    having sum(told.raw) <> 0 or told.factor = 'activity'

),

{{ closed_effects('united', 'pair_id, measure, workflow_id') }}
{%- endmacro %}

{#- What a factor is called depends on what is counted. -#}
{% macro published_factor(name) -%}
    {%- if name == 'tokens' -%}
    case when part = 'runs' then 'gpu_time_per_run' else 'tokens_per_call' end
    {%- elif name == 'energy_per_unit' -%}
    case part when 'requests' then 'energy_per_call' when 'runs' then 'energy_per_run' else 'energy_per_gpu_second' end
    {%- elif name == 'energy_per_token' -%}
    case when part = 'runs' then 'energy_per_gpu_second' else 'energy_per_token' end
    {%- else -%}
    '{{ name }}'
    {%- endif -%}
{%- endmacro %}
