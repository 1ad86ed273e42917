{#- The rows of a factor seed whose set is in force. -#}
{% macro in_force(column) -%} {{ column }} in ('{{ var("factor_sets") | join("', '") }}') {%- endmacro %}
