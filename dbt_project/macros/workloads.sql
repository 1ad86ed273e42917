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

{#- Reasons for which a lever is not one of this workload: nothing is unknown there. -#}
{% macro unfit_reasons() -%}
    {{ return(['no_use', 'not_cacheable', 'not_declared', 'urgent', 'already_batched', 'no_calls', 'no_reason_to_retire']) }}
{%- endmacro %}

{#- A share in whole percent as text, '0' to '100'; unknown where there is no whole. -#}
{% macro percent_of(part, whole) -%}
    cast(cast(round(100 * ({{ part }}) / nullif({{ whole }}, 0)) as integer) as varchar)
{%- endmacro %}
