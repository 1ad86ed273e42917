{% test same_total(model, of, columns, per='usage_date') %}
{#- Conservation: per day, every column sums to the same as in `of`, to the last digit. -#}
with

here as (

    select {{ per }}{% for column in columns %}, coalesce(sum({{ column }}), 0) as {{ column }}{% endfor %}
    from {{ model }}
    group by {{ per }}

),

there as (

    select {{ per }}{% for column in columns %}, coalesce(sum({{ column }}), 0) as {{ column }}{% endfor %}
    from {{ of }}
    group by {{ per }}

)

select coalesce(here.{{ per }}, there.{{ per }}) as {{ per }}
from here
full outer join there on here.{{ per }} = there.{{ per }}
where here.{{ per }} is null or there.{{ per }} is null
    {%- for column in columns %}
    or here.{{ column }} <> there.{{ column }}
    {%- endfor %}
{% endtest %}
