{#- The effects: what each factor changed, workflow by workflow, each workflow's adding up to its change.

    The shares above a workflow are a mix for who looks from above, and activity for who looks at the workflow. -#}
{% macro upper_factors() -%}
    {{ return(['days', 'activity', 'unit_mix', 'team_mix', 'workflow_mix', 'calls_per_outcome']) }}
{%- endmacro %}
{% macro lower_factors() -%}
    {{ return(['model_mix', 'coverage', 'tokens', 'estimation', 'energy_per_token', 'energy_per_unit', 'overhead',
        'grid_intensity']) }}
{%- endmacro %}

{#- CTEs from `chained_cells`, `nodes` and `lengths` (pair_id, base_day_count, compared_day_count) to `leaves`: one row per
    pair x measure x part x workflow, with a column for each factor.

    At a zero the analytical limits hold (Wood and Lenzen 2006, Energy Policy 34:1326): the whole change is the effect of
    the one factor that is zero, the highest that is defined; what is not defined on a side is as on the other. -#}
{% macro factor_effects() -%}
intense as (

    select
        *,
        {%- for side in ['base', 'compared'] %}
        {{ real(side ~ '_it_kwh') }} / nullif({{ side }}_units * {{ side }}_coverage
            * case when is_by_token then {{ side }}_tokens else 1 end, 0) as {{ side }}_intensity,
        {%- endfor %}
        coalesce(compared_quantity, 0) - coalesce(base_quantity, 0) as change,
        {{ log_change('base_quantity', 'compared_quantity') }} as log_quantity
    from chained_cells

),

weighted as (

    select
        intense.*,
        nodes.base_units as base_node_units, nodes.compared_units as compared_node_units,
        {{ logarithmic_mean('intense.base_quantity', 'intense.compared_quantity', 'intense.log_quantity') }} as weight,
        case
            when intense.log_quantity is not null then 'nowhere'
            when least(nodes.base_units, nodes.compared_units) = 0 then 'above'
            when intense.base_state <> intense.compared_state then 'model_mix'
            when least(intense.base_it_kwh, intense.compared_it_kwh) = 0 then 'intensity'
            else 'grid_intensity'
        end as zero_at,
        case when intense.is_estimated_anew then 'estimation' when intense.is_by_token then 'energy_per_token'
            else 'energy_per_unit' end as intensity_factor
    from intense
    inner join nodes
        on intense.pair_id = nodes.pair_id
        and intense.measure = nodes.measure
        and intense.part = nodes.part
        and intense.workflow_id = nodes.workflow_id

),

terms as (

    select
        *,
        weight * {{ log_share('_units', '_node_units') }} as model_mix,
        weight * {{ log_change('base_coverage', 'compared_coverage') }} as coverage,
        case when is_by_token then weight * {{ log_change('base_tokens', 'compared_tokens') }} end as tokens,
        weight * {{ log_change('base_intensity', 'compared_intensity') }} as intensity,
        weight * {{ log_share('_facility_kwh', '_it_kwh') }} as overhead,
        weight * {{ log_share('_quantity', '_facility_kwh') }} as grid_intensity
    from weighted

),

leaves as (

    select
        pair_id, measure, part, workflow_id,
        sum({{ effect('weight') }}) as weight,
        sum(case when zero_at = 'above' then change else 0 end) as above
        {%- for name in lower_factors() %},
        {%- if name in ['estimation', 'energy_per_token', 'energy_per_unit'] %}
        sum(case when intensity_factor = '{{ name }}' then {{ effect("case when zero_at = 'intensity' then change else intensity end") }}
            else 0 end) as {{ name }}
        {%- else %}
        sum({{ effect("case when zero_at = '" ~ name ~ "' then change else " ~ name ~ ' end') }}) as {{ name }}
        {%- endif %}
        {%- endfor %}
    from terms
    group by pair_id, measure, part, workflow_id

)
{%- endmacro %}
