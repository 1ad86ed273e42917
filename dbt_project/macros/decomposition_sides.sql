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
{{ side }}_cells as (

    select sides.pair_id, cells.*
    from cells
    inner join sides on cells.period_id = sides.period_id and sides.side = '{{ side }}'

),
{% endfor %}
paired as (

    select
        {%- for name in ['pair_id', 'measure', 'workflow_id', 'kind', 'cell'] %}
        coalesce(base_cells.{{ name }}, compared_cells.{{ name }}) as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
        {%- for side in sides %}
        {%- for name in names %},
        {{ side }}_cells.{{ name }} as {{ side }}_{{ name }}
        {%- endfor %}
        {%- endfor %}
    from base_cells
    full outer join compared_cells
        on base_cells.pair_id = compared_cells.pair_id
        and base_cells.measure = compared_cells.measure
        and base_cells.workflow_id = compared_cells.workflow_id
        and base_cells.kind = compared_cells.kind
        and base_cells.cell = compared_cells.cell

)
{%- endmacro %}
