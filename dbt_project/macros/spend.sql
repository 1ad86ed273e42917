{#- Spend in the common columns of activity, from `relation` with usage_date, provider, model_reported, project_id,
    workflow_tag and cost_usd: what was paid for is known, and nothing of what was done for it but `told`, if that. -#}
{% macro spend_activity(relation, source, node='cast(null as varchar)', told=[]) -%}
    select
        usage_date,
        cast(usage_date as timestamp) as usage_hour_utc,
        '{{ source }}' as source,
        provider,
        model_reported,
        cast(null as varchar) as api_key_id,
        project_id,
        workflow_tag,
        cast(null as varchar) as pod,
        {{ node }} as node,
        'inference' as lifecycle_stage,
        'unknown' as call_purpose,
        cast(null as varchar) as serving_mode,
        'direct' as energy_line,
        cast(null as varchar) as meter_method,
        0 as gpu_seconds,
        {%- for name in told %}
        sum({{ name }}) as {{ name }},
        {%- endfor %}
        {{- not_told(['call_count', 'retry_count', 'error_count', 'input_tokens', 'cached_input_tokens',
            'cache_write_input_tokens', 'output_tokens', 'reasoning_output_tokens', 'image_count', 'audio_seconds',
            'video_seconds', 'energy_millijoules'] | reject('in', told) | list) }},
        -- added up before it is rounded to billionths of a dollar
        cast(sum(cost_usd) as decimal(18, 9)) as cost_usd
    from {{ relation }}
    group by usage_date, provider, model_reported, project_id, workflow_tag{{ ', ' ~ node if told }}
{%- endmacro %}
