{#- The effects: what each factor changed, workflow by workflow, each workflow's adding up to its change.

    Workflows are what LMDI-I sums over. What a unit of a workflow takes is split once more, over its models, as in the
    multilevel-hierarchical form of Xu and Ang (2014, Energy Economics 44:375): so a workflow that changes all of its models
    still has its activity, and the change of models its own effect. -#}

{#- CTEs from `compared_cells` and `nodes` to `leaves`: one row per pair x measure x part x workflow, with a column for each
    factor within it.

    At a zero the analytical limits hold (Wood and Lenzen 2006, Energy Policy 34:1326): the whole change is the effect of
    the one factor that is zero, the highest that is defined; what is not defined on a side is as on the other. -#}
{% macro factor_effects() -%}
{%- set intensities = ['estimation', 'energy_per_token', 'energy_per_unit'] %}
weighted_nodes as (

    select
        *,
        {{ log_change('base_quantity', 'compared_quantity') }} as log_quantity,
        {{ log_share('_quantity', '_known_units') }} as log_intensity,
        {%- for side in ['base', 'compared'] %}
        {{ real(side ~ '_quantity') }} / nullif({{ side }}_known_units, 0) as {{ side }}_intensity,
        {%- endfor %}
        compared_quantity - base_quantity as change
    from nodes

),

intense as (

    select
        cells.*,
        nodes.base_known_units, nodes.compared_known_units,
        {%- for side in ['base', 'compared'] %}
        {{ real('cells.' ~ side ~ '_quantity') }} / nullif(nodes.{{ side }}_known_units, 0) as {{ side }}_share,
        {{ real('cells.' ~ side ~ '_it_kwh') }} / nullif(cells.{{ side }}_units * cells.{{ side }}_coverage
            * case when cells.is_by_token then cells.{{ side }}_tokens else 1 end, 0) as {{ side }}_intensity,
        {%- endfor %}
        -- kWh of the workflow for each kWh of a unit; where it took nothing on a side, the cells' own change is the limit
        {{ logarithmic_mean('nodes.base_quantity', 'nodes.compared_quantity', 'nodes.log_quantity') }}
        / {{ logarithmic_mean('nodes.base_intensity', 'nodes.compared_intensity', 'nodes.log_intensity') }} as scale,
        case
            when least(nodes.base_known_units, nodes.compared_known_units) = 0 then 'above'
            when cells.base_quantity > 0 and cells.compared_quantity > 0 then 'nowhere'
            when cells.base_state <> cells.compared_state then 'model_mix'
            when least(cells.base_it_kwh, cells.compared_it_kwh) = 0 then 'intensity'
            else 'grid_intensity'
        end as zero_at,
        case when cells.is_estimated_anew then 'estimation' when cells.is_by_token then 'energy_per_token'
            else 'energy_per_unit' end as intensity_factor
    from compared_cells as cells
    inner join weighted_nodes as nodes
        on cells.pair_id = nodes.pair_id
        and cells.measure = nodes.measure
        and cells.part = nodes.part
        and cells.workflow_id = nodes.workflow_id
    where cells.comparison = 'chained'

),

logged as (select *, {{ log_change('base_share', 'compared_share') }} as log_share from intense),

weighted as (

    select
        *,
        scale * {{ logarithmic_mean('base_share', 'compared_share', 'log_share') }} as weight,
        coalesce(scale * (coalesce(compared_share, 0) - coalesce(base_share, 0)), change) as limit_change
    from logged

),

terms as (

    select
        *,
        weight * {{ log_share('_units', '_known_units') }} as model_mix,
        weight * {{ log_change('base_coverage', 'compared_coverage') }} as coverage,
        case when is_by_token then weight * {{ log_change('base_tokens', 'compared_tokens') }} end as tokens,
        weight * {{ log_change('base_intensity', 'compared_intensity') }} as intensity,
        weight * {{ log_share('_facility_kwh', '_it_kwh') }} as overhead,
        weight * {{ log_share('_quantity', '_facility_kwh') }} as grid_intensity
    from weighted

),

leaves as (

    select
        pair_id, measure, part, workflow_id
        {%- for name in lower_factors() %},
        {%- set at = 'intensity' if name in intensities else name %}
        sum({{ effect("case when zero_at = '" ~ at ~ "' then limit_change else " ~ at ~ ' end') }}
            {%- if name in intensities %} * case when intensity_factor = '{{ name }}' then 1 else 0 end{% endif %}) as {{ name }}
        {%- endfor %}
    from terms
    group by pair_id, measure, part, workflow_id

)
{%- endmacro %}
