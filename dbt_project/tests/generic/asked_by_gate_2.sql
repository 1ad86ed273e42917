{#- dbt's own tests as they are, but asked by gate 2, all at once, and by nobody else in a run. -#}
{% test unique(model, column_name) %}
{{ config(tags=['gate_2']) }}
{{ default__test_unique(model, column_name) }}
{% endtest %}

{% test accepted_values(model, column_name, values, quote=true) %}
{{ config(tags=['gate_2']) }}
{{ default__test_accepted_values(model, column_name, values, quote) }}
{% endtest %}

{% test relationships(model, column_name, to, field) %}
{{ config(tags=['gate_2']) }}
{{ default__test_relationships(model, column_name, to, field) }}
{% endtest %}
