{#- Two periods side by side, cell by cell.

    CTEs from `cells` and `pairs` (pair_id, base_id, compared_id) to `sides` and `paired`. -#}
{% macro paired_cells() -%}
{%- set names = ['call_count', 'gpu_seconds', 'token_count', 'known_call_count', 'known_gpu_seconds', 'known_token_count',
    'it_kwh', 'facility_kwh', 'quantity', 'first_factor_id', 'last_factor_id'] %}
{%- set sides = ['base', 'compared'] %}
sides as (

    {%- for side in sides %}
    select pair_id, '{{ side }}' as side, {{ side }}_id as period_id from pairs
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

{%- for side in sides %}
cells_of_{{ side }} as (

    select sides.pair_id, cells.*
    from cells
    inner join sides on cells.period_id = sides.period_id and sides.side = '{{ side }}'

),
{% endfor %}
paired as (

    select
        {%- for name in ['pair_id', 'measure', 'workflow_id', 'kind', 'cell'] %}
        coalesce(cells_of_base.{{ name }}, cells_of_compared.{{ name }}) as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
        {%- for side in sides %}
        {%- for name in names %},
        cells_of_{{ side }}.{{ name }} as {{ side }}_{{ name }}
        {%- endfor %}
        {%- endfor %}
    from cells_of_base
    full outer join cells_of_compared
        on cells_of_base.pair_id = cells_of_compared.pair_id
        and cells_of_base.measure = cells_of_compared.measure
        and cells_of_base.workflow_id = cells_of_compared.workflow_id
        and cells_of_base.kind = cells_of_compared.kind
        and cells_of_base.cell = cells_of_compared.cell

)
{%- endmacro %}
