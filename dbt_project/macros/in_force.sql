{#- The rows of a factor seed whose set is in force. -#}
{% macro set_rank(column) -%}
    case {{ column }} {% for name in var('factor_sets') %}when '{{ name }}' then {{ loop.index }} {% endfor %}end
{%- endmacro %}
{% macro in_force(column) -%} {{ column }} in ('{{ var("factor_sets") | join("', '") }}') {%- endmacro %}
