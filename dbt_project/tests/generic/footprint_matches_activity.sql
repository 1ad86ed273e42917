{% test footprint_matches_activity(model) %}
{#- Attributed + orphaned + unattributed = total: what was split among workflows adds up to what the sources said. -#}
{%- set columns = activity_counts() %}
with

activity as (

    select
        usage_date, source, sum(cost_nano_usd) as cost_nano_usd
        {%- for column in columns %}, coalesce(sum({{ column }}), 0) as {{ column }}{% endfor %}
    from {{ ref('int_activity__hourly') }}
    where is_of_record and {{ in_days('usage_date') }}
    group by usage_date, source

),

footprint as (

    select
        usage_date, source, cast(sum(cost_usd) * 1000000000 as decimal(38, 0)) as cost_nano_usd
        {%- for column in columns %}, coalesce(sum({{ column }}), 0) as {{ column }}{% endfor %}
    from {{ model }}
    where {{ in_days('usage_date') }}
    group by usage_date, source

)

select coalesce(activity.usage_date, footprint.usage_date) as usage_date, coalesce(activity.source, footprint.source) as source
from activity
full outer join footprint on activity.usage_date = footprint.usage_date and activity.source = footprint.source
where activity.source is null or footprint.source is null
    or coalesce(activity.cost_nano_usd, 0) <> coalesce(footprint.cost_nano_usd, 0)
    {%- for column in columns %}
    or activity.{{ column }} <> footprint.{{ column }}
    {%- endfor %}
{% endtest %}
