{#- Workloads: the last whole month of days of each workflow, and what may be said of it. -#}

{#- The distinct values of a column in order, as one text; null stays out. -#}
{% macro listed(column) -%} {{ return(adapter.dispatch('listed', 'jevons')(column)) }} {%- endmacro %}
{% macro default__listed(column) -%} string_agg(distinct {{ column }}, ', ' order by {{ column }}) {%- endmacro %}
{% macro spark__listed(column) -%} nullif(array_join(array_sort(collect_set({{ column }})), ', '), '') {%- endmacro %}

{#- An energy times a share of it, which may be negative; both operands are narrow enough for an exact product. -#}
{% macro share_of_kwh(kwh, share) -%}
    cast(cast({{ kwh }} as decimal(24, 9)) * cast({{ share }} as decimal(12, 6)) as decimal(38, 9))
{%- endmacro %}

{#- The calls of rows whose energy is known, here or in a meter that holds it. -#}
{% macro covered_calls() -%}
    case when coalesce(gap_reason, 'metered_elsewhere') = 'metered_elsewhere' then call_count else 0 end
{%- endmacro %}

{#- Whether a row of the footprint is there because of calls: idle machines, making a model and GPU jobs are not. -#}
{% macro is_of_calls() -%}
    lifecycle_stage not in ('training', 'fine_tuning', 'idle') and source <> 'gpu_jobs'
{%- endmacro %}

{#- What could lower the energy of a workload, with what would have to be so for the saving to be had whole. -#}
{% macro levers() -%}
    {{ return({
        'cache_repeats': 'every call that repeats an earlier one is answered from a cache',
        'smallest_model': 'all calls of the model in use go to the cheapest measured model that meets the quality bar',
        'batch': 'all calls that may wait overnight go to a batch service',
        'cap_retries': 'no call is repeated',
        'drop_variants': 'no answer is made that nobody takes',
        'retire': 'the workload is switched off',
    }) }}
{%- endmacro %}

{#- Reasons for which a lever is not one of this workload: nothing is unknown there. -#}
{% macro unfit_reasons() -%}
    {{ return(['no_use', 'not_cacheable', 'not_declared', 'urgent', 'already_batched', 'no_calls', 'no_reason_to_retire']) }}
{%- endmacro %}

{#- One lever over `facts`: the calls and the energy that are there, what it saves, why that is not known, and what it rests on. -#}
{% macro lever_rows(lever, condition) -%}
    {%- set part = {'smallest_model': 'routed_', 'batch': 'batched_', 'cap_retries': 'repeats_'}.get(lever, '') -%}
    select
        workflow_id, team_id, as_of_date, day_count, '{{ lever }}' as lever, '{{ condition }}' as condition,
        call_count, {{ part }}covered_call_count as covered_call_count,
        {%- for end in ['_low', '', '_high'] %}
        energy_kwh{{ end }},
        {%- if lever == 'cap_retries' %}
        case when repeat_count = 0 then coalesce(repeats_saved_kwh{{ end }}, 0) else repeats_saved_kwh{{ end }} end
            as saved_kwh{{ end }},
        {%- else %}
        {{ part ~ 'saved' if part else 'energy' }}_kwh{{ end }} as saved_kwh{{ end }},
        {%- endif %}
        {%- endfor %}
        case
            when not is_used then 'no_use'
            {%- if lever == 'cache_repeats' %}
            when is_nobody then 'not_declared'
            when not cacheable then 'not_cacheable'
            when cacheable is null then 'cacheability_not_declared'
            else 'repeats_not_measured'
            {%- elif lever == 'smallest_model' %}
            when is_nobody then 'not_declared'
            when route_finding is null then 'no_quality_bar'
            when route_finding = 'no measured model meets the bar' then 'no_model_meets_bar'
            when route_finding = 'not comparable: boundaries differ' then 'boundaries_differ'
            when saved_ratio is null or routed_saved_kwh is null then 'no_energy'
            {%- elif lever == 'batch' %}
            when is_nobody then 'not_declared'
            when latency_tier is null then 'latency_not_declared'
            when latency_tier <> 'overnight' then 'urgent'
            when call_count = 0 then 'no_calls'
            when batched_call_count is null then 'already_batched'
            when batched_saved_kwh is null then 'no_batch_factor'
            {%- elif lever == 'cap_retries' %}
            when coalesce(retry_known_call_count, 0) = 0 then 'retries_not_told'
            when repeat_count > 0 and repeats_saved_kwh is null then 'no_energy'
            {%- elif lever == 'drop_variants' %}
            when is_nobody then 'not_declared'
            else 'variants_not_told'
            {%- else %}
            when not is_retire_candidate then 'no_reason_to_retire'
            when energy_kwh is null then 'no_energy'
            {%- endif %}
        end as gap_reason,
        {%- if lever == 'cache_repeats' %}
        'declared ' || case when cacheable then 'cacheable' when not cacheable then 'not cacheable' end
            || coalesce('; ' || {{ percent_of('cached_input_tokens', 'cached_input_tokens + input_tokens') }}
            || ' % of its input tokens were read from a cache', '') as evidence
        {%- elif lever == 'smallest_model' %}
        'per evaluated item ' || coalesce(cheapest_model_id, 'no model') || ' takes '
            || coalesce(cast({{ approximately('cheapest_energy_wh_per_item') }} as varchar), 'unknown') || ' Wh, ' || coalesce(used_model_id, 'no model')
            || ' ' || coalesce(cast({{ approximately('used_energy_wh_per_item') }} as varchar), 'unknown') || ' Wh: ' || route_finding as evidence
        {%- elif lever == 'batch' %}
        'latency tier ' || latency_tier || coalesce('; a token of output in a batch takes ' || cast({{ approximately('least_ratio') }} as varchar)
            || case when largest_ratio > least_ratio then ' to ' || cast({{ approximately('largest_ratio') }} as varchar) else '' end
            || ' of one by itself, by the factors', '') as evidence
        {%- elif lever == 'cap_retries' %}
        cast(retry_count as varchar) || ' of the ' || cast(retry_known_call_count as varchar)
            || ' calls whose source tells are repeats' as evidence
        {%- elif lever == 'drop_variants' %}
        cast(accepted_count as varchar) || ' of ' || cast(judged_count as varchar) || ' judged outcomes were accepted'
            as evidence
        {%- else %}
        retire_reasons as evidence
        {%- endif %}
    from facts
{%- endmacro %}

{#- A share in whole percent as text, '0' to '100'; unknown where there is no whole. -#}
{% macro percent_of(part, whole) -%}
    cast(cast(round(100 * ({{ part }}) / nullif({{ whole }}, 0)) as integer) as varchar)
{%- endmacro %}
