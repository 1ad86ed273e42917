{#- Joules and watts: definitions, like those of units.sql. -#}

{#- Whole millijoules to joules, exactly. -#}
{% macro joules_from_millijoules(millijoules) -%}
    cast(cast({{ millijoules }} as decimal(34, 0)) * cast(0.001 as decimal(4, 3)) as decimal(38, 3))
{%- endmacro %}
