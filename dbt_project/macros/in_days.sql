{% macro in_days(column) -%}
    {#- The half-open window of days that this run replaces. -#}
    {{ column }} >= cast('{{ var("min_date") }}' as date) and {{ column }} < cast('{{ var("max_date") }}' as date)
{%- endmacro %}
