{#- The half-open window of days that this run replaces: the variables min_date and max_date, or the environment, which
    the pipeline uses because dbt parses the whole project again whenever a variable changes. -#}
{% macro in_days(column) -%}
    {{ column }} >= cast('{{ env_var("JEVONS_MIN_DATE", var("min_date")) }}' as date)
    and {{ column }} < cast('{{ env_var("JEVONS_MAX_DATE", var("max_date")) }}' as date)
{%- endmacro %}
