-- One row per workflow, and one each for what nobody owns.

with

workflows as (select * from {{ ref('stg_registry__workflows') }}),

named as (

    select
        workflow_id, workflow_name, team_id, owner, job_description, usefulness_class, latency_tier, cacheable,
        small_model_fit, expected_monthly_calls, review_due_date, status, sector_tag
    from workflows

    {%- for id, name in [('orphan', 'Orphaned: a key or tag that no rule knows'),
        ('unattributed', 'Unattributed: no key, tag or pod at all')] %}

    union all

    select '{{ id }}', '{{ name }}', '{{ id }}', null, null, null, null, null, null, null, null, 'undeclared',
        null
    {%- endfor %}

)

select * from named
