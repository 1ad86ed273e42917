-- One row per pair of measurements of one comparison: their ratio, which conditions differ, and what that lets one say.

{%- set conditions = ['unit', 'energy_boundary', 'hardware', 'driver', 'serving_stack', 'stack_version', 'model', 'precision',
    'batch_size', 'input_tokens', 'output_tokens'] %}

with

measurements as (

    select
        *,
        case phase when 'before' then 1 when 'vendor_claim' then 2 else 3 end as place
    from {{ ref('stg_measurements__results') }}

),

pairs as (

    select
        compared.comparison_id,
        reference.measurement_id as reference_measurement_id,
        compared.measurement_id as compared_measurement_id,
        reference.subject as reference_subject, compared.subject as compared_subject,
        reference.phase as reference_phase, compared.phase as compared_phase,
        reference.measured_date as reference_date, compared.measured_date as compared_date,
        -- both sides have to name the same condition, or none is set aside
        case when reference.tested_condition = compared.tested_condition then compared.tested_condition end
            as tested_condition,
        {%- for end in ['_low', '', '_high'] %}
        reference.energy_wh_per_unit{{ end }} as reference_energy_wh_per_unit{{ end }},
        compared.energy_wh_per_unit{{ end }} as compared_energy_wh_per_unit{{ end }},
        {%- endfor %}
        {%- for name in conditions %}
        reference.{{ name }} as reference_{{ name }}, compared.{{ name }} as compared_{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from measurements as compared
    inner join measurements as reference
        on compared.comparison_id = reference.comparison_id and compared.place > reference.place

),

judged as (

    select
        *,
        concat_ws(', '
            {%- for name in conditions %}
            , case when coalesce(tested_condition, '') <> '{{ name }}'
                and reference_{{ name }} <> compared_{{ name }} then '{{ name }}' end
            {%- endfor %}) as differing_conditions,
        concat_ws(', '
            {%- for name in conditions %}
            , case when reference_{{ name }} is null or compared_{{ name }} is null then '{{ name }}' end
            {%- endfor %}) as unstated_conditions
    from pairs

),

described as (

    select
        comparison_id, reference_measurement_id, compared_measurement_id,
        reference_subject, compared_subject, reference_phase, compared_phase, reference_date, compared_date,
        tested_condition,
        {%- for side in ['reference', 'compared'] %}{% for end in ['_low', '', '_high'] %}
        {{ side }}_energy_wh_per_unit{{ end }},
        {%- endfor %}{% endfor %}
        {{ ratio('compared_energy_wh_per_unit_low', 'reference_energy_wh_per_unit_high', 9) }} as energy_ratio_low,
        {{ ratio('compared_energy_wh_per_unit', 'reference_energy_wh_per_unit', 9) }} as energy_ratio,
        {{ ratio('compared_energy_wh_per_unit_high', 'reference_energy_wh_per_unit_low', 9) }} as energy_ratio_high,
        differing_conditions,
        unstated_conditions,
        case
            when differing_conditions || unstated_conditions <> '' then 'not comparable: ' || concat_ws('; ',
                case when differing_conditions <> '' then differing_conditions || ' differ' end,
                case when unstated_conditions <> '' then unstated_conditions || ' not stated' end)
            when reference_energy_wh_per_unit_low is null or compared_energy_wh_per_unit_low is null
                then 'not comparable: range not stated'
            when compared_energy_wh_per_unit_high < reference_energy_wh_per_unit_low then 'more efficient'
            when compared_energy_wh_per_unit_low > reference_energy_wh_per_unit_high then 'less efficient'
            else 'no difference shown'
        end as verdict
    from judged

)

select * from described
