{#- A rule's value as a pattern for `like ... escape '!'`: * is any text, everything else is meant literally. -#}
{% macro pattern_of(value) -%}
    replace(replace(replace(replace({{ value }}, '!', '!!'), '%', '!%'), '_', '!_'), '*', '%')
{%- endmacro %}
