{% test present(model, columns) %}
{{ config(tags=['gate_2']) }}
{#- What is never null, in one scan: a row for each set of columns that are missing together, and how often they are. -#}
with

missing as (

    select concat_ws(
        ', '
        {%- for column in columns %},
        case when {{ column }} is null then '{{ column }}' end
        {%- endfor %}
    ) as missing_columns
    from {{ model }}
    where {{ columns | join(' is null or ') }} is null

)

select missing_columns, count(*) as row_count from missing group by missing_columns
{% endtest %}
