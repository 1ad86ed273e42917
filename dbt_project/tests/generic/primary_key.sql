{% test primary_key(model, columns) %}
{{ config(tags=['gate_2']) }}
{#- Rows that share a key, and rows that lack a part of it: where nothing of a key may be unknown. -#}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endtest %}
