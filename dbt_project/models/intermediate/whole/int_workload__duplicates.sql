-- One row per workflow that made the very same calls as another in the last month of days: model, hours and tokens.

{%- set same = ['model_canonical', 'usage_hour_utc', 'call_count', 'input_tokens', 'cached_input_tokens', 'output_tokens'] %}

with

footprint as (select * from {{ ref('int_footprint__hourly') }}),

days as (select * from {{ ref('int_workload__window') }}),

hours as (

    select
        workflow_id, provider_canonical || '/' || model_canonical as model_canonical, usage_hour_utc
        {%- for name in same[2:] %}, coalesce(sum({{ name }}), 0) as {{ name }}{% endfor %}
    from footprint
    cross join days
    where usage_date >= month_first_date
        -- what nobody owns is many things at once, which no rule keeps apart
        and workflow_id not in ('orphan', 'unattributed')
    group by workflow_id, provider_canonical || '/' || model_canonical, usage_hour_utc
    having sum(call_count) > 0

),

counted as (select workflow_id, count(*) as hour_count from hours group by workflow_id),

pairs as (

    select one.workflow_id, other.workflow_id as twin_id, count(*) as shared_count
    from hours as one
    inner join hours as other
        on one.workflow_id <> other.workflow_id
        {%- for name in same %}
        and one.{{ name }} = other.{{ name }}
        {%- endfor %}
    group by one.workflow_id, other.workflow_id

),

twins as (

    select pairs.workflow_id, min(pairs.twin_id) as duplicate_of, max(pairs.shared_count) as hour_count
    from pairs
    inner join counted as one on pairs.workflow_id = one.workflow_id
    inner join counted as other on pairs.twin_id = other.workflow_id
    where pairs.shared_count = one.hour_count and pairs.shared_count = other.hour_count
        and pairs.shared_count >= {{ var('duplicate_hours') }}
    group by pairs.workflow_id

)

select * from twins
