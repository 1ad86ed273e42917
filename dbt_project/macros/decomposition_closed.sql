{#- CTEs from `leaves`, `weighted_nodes`, `compared_cells` and `lengths` (pair_id, base_day_count, compared_day_count) to
    `closed`: one row per pair x measure x workflow x part x factor, those of a workflow adding up to its change. -#}
{% macro workflow_effects() -%}
{%- set shares = {'activity': ['_whole_activity', '_day_count'], 'unit_mix': ['_unit_activity', '_whole_activity'],
    'team_mix': ['_team_activity', '_unit_activity'], 'workflow_mix': ['_activity', '_team_activity'],
    'calls_per_outcome': ['_units', '_activity'], 'known_share': ['_known_units', '_units']} %}
{%- set mean = logarithmic_mean('nodes.base_quantity', 'nodes.compared_quantity', 'nodes.log_quantity') %}
raised as (

    select
        leaves.*, nodes.activity_unit, nodes.change,
        {{ effect(mean ~ ' * ' ~ log_change('lengths.base_day_count', 'lengths.compared_day_count')) }} as days,
        {%- for name, (part, of) in shares.items() %}
        {{ effect(mean ~ ' * ' ~ log_share(part, of)) }} as {{ name }},
        {%- endfor %}
        -- the highest share that is zero on a side
        case
            {%- for name, (part, of) in shares.items() %}
            when least(base{{ part }}, compared{{ part }}) = 0 then '{{ name }}'
            {%- endfor %}
            else 'nowhere'
        end as zero_at
    from leaves
    inner join weighted_nodes as nodes
        on leaves.pair_id = nodes.pair_id
        and leaves.measure = nodes.measure
        and leaves.part = nodes.part
        and leaves.workflow_id = nodes.workflow_id
    inner join lengths on leaves.pair_id = lengths.pair_id

),

told as (

    {%- for name in upper_factors() %}
    select
        pair_id, measure, workflow_id, part, activity_unit, {{ published_factor(name) }} as factor,
        {{ effect("case when zero_at = '" ~ name ~ "' then change else " ~ name ~ ' end') }} as raw
    from raised

    union all
    {%- endfor %}
    {%- for name in lower_factors() %}

    select pair_id, measure, workflow_id, part, activity_unit, {{ published_factor(name) }}, {{ name }}
    from raised

    union all
    {%- endfor %}

    select
        pair_id, measure, workflow_id, case when comparison = 'without_activity' then 'other' else part end, null,
        comparison, {{ effect('change') }}
    from compared_cells
    where comparison in ('coverage', 'without_activity')

),

changes as (

    select pair_id, measure, workflow_id, sum(change) as whole
    from compared_cells
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
    {%- elif name == 'known_share' -%} 'coverage'
    {%- elif name == 'energy_per_unit' -%}
    case part when 'requests' then 'energy_per_call' when 'runs' then 'energy_per_run' else 'energy_per_gpu_second' end
    {%- elif name == 'energy_per_token' -%}
    case when part = 'runs' then 'energy_per_gpu_second' else 'energy_per_token' end
    {%- else -%}
    '{{ name }}'
    {%- endif -%}
{%- endmacro %}
