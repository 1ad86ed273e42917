-- One row per day x identity x workflow that answers for it: the most telling rule that is valid that day, and its share.
{{ config(materialized='ephemeral') }}

with

activity as (select * from {{ ref('int_activity__hourly') }}),

rules as (select * from {{ ref('stg_registry__attribution_rules') }}),

workflows as (select * from {{ ref('stg_registry__workflows') }}),

identities as (

    select distinct usage_date, source, api_key_id, project_id, workflow_tag, pod, node
    from activity
    where {{ in_days('usage_date') }}

),

candidates as (

    -- a tag that is a workflow's id declares the call by itself
    select identities.*, 1 as precedence, 0 as rule_length, 'tag' as match_value, workflows.workflow_id,
        cast(1 as decimal(9, 8)) as share
    from identities
    inner join workflows on identities.workflow_tag = workflows.workflow_id

    {%- for kind, column in [('tag', 'workflow_tag'), ('api_key', 'api_key_id'), ('pod', 'pod'),
        ('project', 'project_id'), ('node', 'node')] %}

    union all

    select
        identities.*,
        {{ 2 * loop.index }} + case when rules.source is null then 1 else 0 end as precedence,
        length(rules.match_value) as rule_length, rules.match_value, rules.workflow_id, rules.share
    from identities
    inner join rules
        {%- if kind in ('pod', 'node') %}
        -- pods carry random endings: a rule may end in *
        on identities.{{ column }} like {{ pattern_of('rules.match_value') }} escape '!'
        {%- else %}
        on identities.{{ column }} = rules.match_value
        {%- endif %}
        and rules.match_type = '{{ kind }}'
        and identities.source = coalesce(rules.source, identities.source)
        and identities.usage_date >= rules.valid_from
        and identities.usage_date < coalesce(rules.valid_to, cast('9999-12-31' as date))
    where identities.{{ column }} <> ''
    {%- endfor %}

),

ranked as (

    select
        *,
        dense_rank() over (
            partition by usage_date, source, api_key_id, project_id, workflow_tag, pod, node
            order by precedence, rule_length desc, match_value
        ) as choice
    from candidates

),

chosen as (

    select usage_date, source, api_key_id, project_id, workflow_tag, pod, node, workflow_id,
        cast(sum(share) as decimal(9, 8)) as share
    from ranked
    where choice = 1
    group by usage_date, source, api_key_id, project_id, workflow_tag, pod, node, workflow_id

)

select * from chosen
