{#- The quantities that two sources may both count. -#}
{% macro reconciled_quantities() -%} {{ return(['call_count', 'input_tokens', 'output_tokens', 'cost_usd']) }} {%- endmacro %}
