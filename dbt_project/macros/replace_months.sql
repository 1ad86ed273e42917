{#- The months that hold a day of the window that this run replaces. -#}
{% macro in_months(column) -%}
    {{ column }} >= {{ month_of("cast('" ~ env_var("JEVONS_MIN_DATE", var("min_date")) ~ "' as date)") }}
    and {{ column }} < cast('{{ env_var("JEVONS_MAX_DATE", var("max_date")) }}' as date)
{%- endmacro %}

{#- The first day of a day's month. -#}
{% macro month_of(day) -%} cast(date_trunc('month', {{ day }}) as date) {%- endmacro %}

{% macro next_month(day) -%} {{ month_of(add_days(month_of(day), '31')) }} {%- endmacro %}

{% macro get_incremental_replace_months_sql(arg_dict) -%}
    {{ return(adapter.dispatch('get_incremental_replace_months_sql', 'jevons')(arg_dict)) }}
{%- endmacro %}

{#- Replaces whole months, as replace_days replaces days: what is reckoned from all days of a month changes with each. -#}
{% macro default__get_incremental_replace_months_sql(arg_dict) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }} where {{ in_months('usage_month') }};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
