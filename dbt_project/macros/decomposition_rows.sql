{#- The effects as whoever looks at a perimeter sees them, with what it used on either side. -#}

{#- CTEs from `closed`, `cells`, `sides` and `workflows` to `effects`: one row per pair x measure x perimeter x part x
    factor, and one with part and factor `unknown` where something is not known. -#}
{% macro perimeter_effects() -%}
{%- set perimeters = perimeters_of('found') %}
seen as (

    {%- for type, id in perimeters.items() %}
    select
        found.pair_id, found.measure, '{{ type }}' as perimeter_type, {{ id }} as perimeter_id, found.part,
        {{ seen_factor(type) }} as factor,
        {{ common_unit('found.activity_unit') }} as activity_unit,
        sum(found.effect_quantity) as effect_quantity
    from closed as found
    left join workflows on found.workflow_id = workflows.workflow_id
    {{ "where workflows.unit_id is not null" if type == 'unit' }}
    group by 1, 2, 3, 4, 5, 6
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- once for each workflow and side, before the perimeters multiply it
uses as (

    select
        sides.pair_id, sides.side, cells.measure, cells.workflow_id,
        sum(cells.quantity) as quantity, sum(cells.call_count) as call_count,
        sum(cells.covered_call_count) as covered_call_count, sum(cells.unknown_high) as unknown_high,
        min(cells.first_gap_reason) as first_gap_reason, max(cells.last_gap_reason) as last_gap_reason
    from cells
    inner join sides on cells.period_id = sides.period_id
    group by sides.pair_id, sides.side, cells.measure, cells.workflow_id

),

totals_seen as (

    {%- for type, id in perimeters.items() %}
    select
        found.pair_id, found.measure, '{{ type }}' as perimeter_type, {{ id }} as perimeter_id
        {%- for side in ['base', 'compared'] %},
        {%- set here = "case when found.side = '" ~ side ~ "' then found." %}
        -- no use is zero, use of which nothing is known is not
        case when count({{ here }}side end) = 0 then 0 else sum({{ here }}quantity end) end as {{ side }}_quantity,
        {{ ratio('sum(' ~ here ~ 'covered_call_count end)', 'sum(' ~ here ~ 'call_count end)') }} as {{ side }}_coverage_ratio,
        sum({{ here }}unknown_high end) as {{ side }}_unknown_high
        {%- endfor %},
        case when min(found.first_gap_reason) = max(found.last_gap_reason) then min(found.first_gap_reason)
            when min(found.first_gap_reason) is not null then 'several' end as gap_reason
    from uses as found
    left join workflows on found.workflow_id = workflows.workflow_id
    {{ "where workflows.unit_id is not null" if type == 'unit' }}
    group by 1, 2, 3, 4
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

effects as (

    select
        totals_seen.*, seen.part, seen.factor, seen.activity_unit, seen.effect_quantity,
        cast(null as decimal(38, 12)) as effect_low, cast(null as decimal(38, 12)) as effect_high
    from totals_seen
    inner join seen
        on totals_seen.pair_id = seen.pair_id
        and totals_seen.measure = seen.measure
        and totals_seen.perimeter_type = seen.perimeter_type
        and totals_seen.perimeter_id = seen.perimeter_id

    union all

    -- what is not known may have been anything up to its bound, on either side
    select
        *, 'unknown', 'unknown', null, null,
        cast(-coalesce(base_unknown_high, 0) as decimal(38, 12)), cast(coalesce(compared_unknown_high, 0) as decimal(38, 12))
    from totals_seen
    where gap_reason is not null

)
{%- endmacro %}
