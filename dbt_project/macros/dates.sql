{% macro add_days(day, count) -%} {{ return(adapter.dispatch('add_days', 'jevons')(day, count)) }} {%- endmacro %}
{% macro default__add_days(day, count) -%} ({{ day }} + {{ count }}) {%- endmacro %}
{% macro spark__add_days(day, count) -%} date_add({{ day }}, {{ count }}) {%- endmacro %}

{% macro days_between(first, last) -%} {{ return(adapter.dispatch('days_between', 'jevons')(first, last)) }} {%- endmacro %}
{% macro default__days_between(first, last) -%} ({{ last }} - {{ first }}) {%- endmacro %}
{% macro spark__days_between(first, last) -%} datediff({{ last }}, {{ first }}) {%- endmacro %}
