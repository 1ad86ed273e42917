{% macro get_incremental_replace_days_sql(arg_dict) -%}
    {{ return(adapter.dispatch('get_incremental_replace_days_sql', 'jevons')(arg_dict)) }}
{%- endmacro %}

{#- Replaces whole days: a day that became empty upstream becomes empty here, which a delete keyed on the new rows
    would miss. Both statements run in the materialisation's transaction. -#}
{% macro default__get_incremental_replace_days_sql(arg_dict) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }} where {{ in_days('usage_date') }};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
