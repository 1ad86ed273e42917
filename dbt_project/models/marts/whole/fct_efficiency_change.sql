-- One row per efficiency change, declared or detected: what was expected, what shifted, and what became of intensity and total.

{%- set ends = ['_low', '', '_high'] %}
{%- set levels = ['before_level', 'after_level', 'level_change_ratio'] %}

with

entries as (select * from {{ ref('int_efficiency_change') }}),

workflows as (select workflow_id, team_id, owner from {{ ref('dim_workflow') }}),

shifts as (select * from {{ ref('int_efficiency_shift') }}),

windows as (select * from {{ ref('int_efficiency_window') }}),

named as (

    select
        entries.change_id,
        {%- for name in ['change_type', 'origin', 'change_date', 'design', 'expected_saving_ratio', 'expected_source',
            'detected_date', 'seen_date'] %}
        min(entries.{{ name }}) as {{ name }},
        {%- endfor %}
        coalesce(min(entries.owner), {{ listed('workflows.owner') }}) as owner,
        {{ listed('workflows.team_id') }} as team_ids,
        {{ listed('entries.workflow_id') }} as workflow_ids,
        count(distinct entries.workflow_id) as workflow_count
    from entries
    left join workflows on entries.workflow_id = workflows.workflow_id
    group by entries.change_id

),

moved as (

    select
        entries.change_id, shifts.workflow_id, shifts.ratio,
        {%- for name in levels %}
        {%- for end in ends %}
        shifts.{{ name | replace('level_change', 'change') }}{{ end }} as {{ name }}{{ end }},
        {%- endfor %}
        {%- endfor %}
        row_number() over (partition by entries.change_id order by shifts.ratio_rank, shifts.workflow_id) as place
    from entries
    inner join shifts on entries.detected_id = shifts.detected_id

),

moved_ratios as (select change_id, {{ listed('ratio') }} as moved_ratios from moved group by change_id),

{%- for after_days in var('review_weeks') %}

compared_{{ after_days }} as (

    select change_id, {{ over_workflows(['call_count']) }}
    from windows
    where after_days = {{ after_days }}
    group by change_id

),
{%- endfor %}

described as (

    select
        named.change_id, named.change_type, named.origin, named.change_date, named.workflow_ids,
        cast(named.workflow_count as decimal(38, 0)) as workflow_count, named.team_ids, named.owner, named.design,
        named.expected_saving_ratio, named.expected_source, named.detected_date, named.seen_date, moved_ratios.moved_ratios,
        moved.ratio as moved_ratio, moved.workflow_id as moved_workflow_id
        {%- for name in levels %}{% for end in ends %}, moved.{{ name }}{{ end }}{% endfor %}{% endfor %}
        {%- for after_days in var('review_weeks') %}, {{ realised('compared_' ~ after_days, 'after_' ~ after_days ~ '_') }}{% endfor %}
    from named
    left join moved on named.change_id = moved.change_id and moved.place = 1
    left join moved_ratios on named.change_id = moved_ratios.change_id
    {%- for after_days in var('review_weeks') %}
    left join compared_{{ after_days }} on named.change_id = compared_{{ after_days }}.change_id
    {%- endfor %}

)

select * from described
