{#- Two periods side by side, cell by cell, and what of each is known.

    CTEs from `cells` and `pairs` (pair_id, base_id, compared_id) to `sides` and `stated`: cells with a known quantity. -#}
{% macro compared_cells() -%}
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

),

-- calls of own hardware are related to its energy where they are told on both sides, else its time is
placed as (

    select
        *,
        case
            when kind = 'runs' then 'runs'
            when kind = 'idle' then 'idle'
            when kind = 'jobs' then 'training'
            when kind = 'calls' then 'requests'
            {%- for side in sides %}
            when {{ side }}_quantity is not null and coalesce({{ side }}_call_count, 0) = 0 then 'gpu_time'
            {%- endfor %}
            else 'requests'
        end as part
    from paired
    where base_quantity is not null or compared_quantity is not null

),

-- units of activity, the share of them whose energy is known, and the tokens of each of these
counted as (

    select
        *,
        {%- for side in sides %}
        coalesce(case when part in ('requests', 'runs') then {{ side }}_call_count else {{ side }}_gpu_seconds end, 0)
            as {{ side }}_units,
        case when kind in ('calls', 'runs') then {{ real(side ~ '_known_call_count') }} / nullif({{ side }}_call_count, 0)
            else coalesce({{ real(side ~ '_known_gpu_seconds') }} / nullif({{ side }}_gpu_seconds, 0), 1) end as {{ side }}_coverage,
        case
            when kind in ('calls', 'runs') then {{ real(side ~ '_known_token_count') }} / nullif({{ side }}_known_call_count, 0)
            when part = 'requests' then {{ real(side ~ '_token_count') }} / nullif({{ side }}_call_count, 0)
        end as {{ side }}_tokens{{ ',' if not loop.last }}
        {%- endfor %}
    from placed

),

stated as (

    select
        *,
        coalesce(base_tokens, compared_tokens) > 0 and coalesce(compared_tokens, base_tokens) > 0 as is_by_token,
        -- another factor of the same model is another estimate, not another use
        kind = 'calls' and (base_first_factor_id <> compared_first_factor_id or base_last_factor_id <> compared_last_factor_id)
            as is_estimated_anew,
        {%- for side in sides %}
        case
            when {{ side }}_units > 0 and {{ side }}_quantity is not null and {{ side }}_coverage > 0 then 'known'
            when {{ side }}_quantity > 0 then 'without_activity'
            when {{ side }}_units > 0 then 'unknown'
            else 'absent'
        end as {{ side }}_state{{ ',' if not loop.last }}
        {%- endfor %}
    from counted

)
{%- endmacro %}
