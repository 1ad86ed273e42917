{% test unique_key(model, columns) %}
{{ config(tags=['gate_2']) }}
{#- Rows that share a key of several columns; null counts as a value, because a fact's key may hold an unknown. -#}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
