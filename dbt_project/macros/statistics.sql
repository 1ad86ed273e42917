{#- Ratios: descriptions of ledger figures, never ledger figures themselves. -#}

{#- numerator / denominator as DECIMAL(18,6); null where either is unknown or the denominator is zero. -#}
{% macro ratio(numerator, denominator, scale=6) -%}
    cast({{ numerator }} / nullif({{ denominator }}, 0) as decimal(24, {{ scale }}))
{%- endmacro %}
