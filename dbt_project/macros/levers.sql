{#- The six levers over `facts` of a workload: what each would save and on which condition, why that is not known, what it rests on. -#}

{#- The three ends of a saving. -#}
{% macro saves(kwh) -%}
    {%- for end in ['_low', '', '_high'] %}{{ kwh }}{{ end }} as saved_kwh{{ end }}{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}

{% macro lever_cache_repeats() -%}
    select
        *, 'cache_repeats' as lever, 'every call that repeats an earlier one is answered from a cache' as condition,
        covered_call_count as told_call_count, {{ saves('energy_kwh') }},
        case
            when is_nobody then 'not_declared'
            when not cacheable then 'not_cacheable'
            when cacheable is null then 'cacheability_not_declared'
            else 'repeats_not_measured'
        end as gap_reason,
        'declared ' || case when cacheable then 'cacheable' when not cacheable then 'not cacheable' end
            || coalesce('; ' || {{ percent_of('cached_input_tokens', 'cached_input_tokens + input_tokens') }}
            || ' % of its input tokens were read from a cache', '') as evidence
    from facts
{%- endmacro %}

{% macro lever_smallest_model() -%}
    select
        *, 'smallest_model' as lever,
        'all calls of the model in use go to the cheapest measured model that meets the quality bar' as condition,
        routed_covered_call_count as told_call_count, {{ saves('routed_saved_kwh') }},
        case
            when is_nobody then 'not_declared'
            when route_finding is null then 'no_quality_bar'
            when route_finding = 'no measured model meets the bar' then 'no_model_meets_bar'
            when route_finding = 'not comparable: boundaries differ' then 'boundaries_differ'
            when saved_ratio is null or routed_saved_kwh is null then 'no_energy'
        end as gap_reason,
        'per evaluated item ' || coalesce(cheapest_model_id, 'no model') || ' takes '
            || coalesce(cast({{ approximately('cheapest_energy_wh_per_item') }} as varchar), 'unknown') || ' Wh, '
            || coalesce(used_model_id, 'no model') || ' '
            || coalesce(cast({{ approximately('used_energy_wh_per_item') }} as varchar), 'unknown') || ' Wh: '
            || route_finding as evidence
    from facts
{%- endmacro %}

{% macro lever_batch() -%}
    select
        *, 'batch' as lever, 'all calls that may wait overnight go to a batch service' as condition,
        batched_covered_call_count as told_call_count, {{ saves('batched_saved_kwh') }},
        case
            when is_nobody then 'not_declared'
            when latency_tier is null then 'latency_not_declared'
            when latency_tier <> 'overnight' then 'urgent'
            when call_count = 0 then 'no_calls'
            when batched_call_count is null then 'already_batched'
            when batched_saved_kwh is null then 'no_batch_factor'
        end as gap_reason,
        'latency tier ' || latency_tier || coalesce('; a token of output in a batch takes '
            || cast({{ approximately('least_ratio') }} as varchar)
            || case when largest_ratio > least_ratio
                then ' to ' || cast({{ approximately('largest_ratio') }} as varchar) else '' end
            || ' of one by itself, by the factors', '') as evidence
    from facts
{%- endmacro %}

{% macro lever_cap_retries() -%}
    select
        *, 'cap_retries' as lever, 'no call is repeated' as condition,
        repeats_covered_call_count as told_call_count,
        {%- for end in ['_low', '', '_high'] %}
        case when repeat_count = 0 then coalesce(repeats_saved_kwh{{ end }}, 0) else repeats_saved_kwh{{ end }} end
            as saved_kwh{{ end }},
        {%- endfor %}
        case
            when coalesce(retry_known_call_count, 0) = 0 then 'retries_not_told'
            when repeat_count > 0 and repeats_saved_kwh is null then 'no_energy'
        end as gap_reason,
        cast(retry_count as varchar) || ' of the ' || cast(retry_known_call_count as varchar)
            || ' calls whose source tells are repeats' as evidence
    from facts
{%- endmacro %}

{% macro lever_drop_variants() -%}
    select
        *, 'drop_variants' as lever, 'no answer is made that nobody takes' as condition,
        covered_call_count as told_call_count, {{ saves('energy_kwh') }},
        case when is_nobody then 'not_declared' else 'variants_not_told' end as gap_reason,
        cast(accepted_count as varchar) || ' of ' || cast(judged_count as varchar) || ' judged outcomes were accepted'
            as evidence
    from facts
{%- endmacro %}

{% macro lever_retire() -%}
    select
        *, 'retire' as lever, 'the workload is switched off' as condition,
        covered_call_count as told_call_count, {{ saves('energy_kwh') }},
        case
            when not is_retire_candidate then 'no_reason_to_retire'
            when energy_kwh is null then 'no_energy'
        end as gap_reason,
        retire_reasons as evidence
    from facts
{%- endmacro %}
