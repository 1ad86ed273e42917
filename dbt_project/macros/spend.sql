{#- Spend in the common columns of activity, from `relation` with usage_date, provider, model_reported, project_id,
    workflow_tag and cost_usd: what was paid for is known, and nothing of what was done for it but `told`, if that. -#}
{% macro spend_activity(relation, source, node='cast(null as varchar)', told=[]) -%}
    select
        -- added up before it is rounded to billionths of a dollar
        {{ activity_columns(source, named=['provider', 'model_reported', 'project_id', 'workflow_tag'], summed=told,
            usage_hour_utc='cast(usage_date as timestamp)', node=node,
            cost_usd='cast(sum(cost_usd) as decimal(18, 9))') }}
    from {{ relation }}
    group by usage_date, provider, model_reported, project_id, workflow_tag{{ ', ' ~ node if told }}
{%- endmacro %}
