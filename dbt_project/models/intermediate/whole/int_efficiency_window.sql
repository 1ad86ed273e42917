-- One row per change x workflow x review: the weeks after the change beside as many like those before it, and what is missing.

{%- set ends = ['_low', '', '_high'] %}

with

spans as (select * from {{ ref('int_efficiency_span') }}),

parts as (select * from {{ ref('int_efficiency_part') }}),

refactored as (

    -- a model whose factor was replaced: its energy moved without the work
    select change_id, workflow_id, after_days
    from (
        select change_id, workflow_id, after_days, model_id, max(case when is_on_both_sides then 1 else 0 end) as is_kept
        from parts
        group by change_id, workflow_id, after_days, model_id
        having sum(before_covered_call_count) > 0 and sum(after_covered_call_count) > 0
    ) as models
    group by change_id, workflow_id, after_days
    having min(is_kept) = 0

),

summed as (

    select
        change_id, workflow_id, after_days,
        {%- for side in ['before', 'after'] %}
        {%- for name in compared_counts() %}
        cast(sum({{ side }}_{{ name }}) as decimal(38, 0)) as {{ side }}_{{ name }},
        {%- endfor %}
        {%- endfor %}
        {%- for name in ['before', 'after', 'saved'] %}
        {%- for end in ends if name ~ end != 'saved' %}
        cast(sum({{ name }}_energy_kwh{{ end }}) as decimal(38, 9)) as {{ name }}_energy_kwh{{ end }},
        {%- endfor %}
        {%- endfor %}
        {{ listed("case when before_call_count > 0 then nullif(model_id, '') end") }} as before_model_ids,
        {{ listed("case when after_call_count > 0 then nullif(model_id, '') end") }} as after_model_ids
    from parts
    group by change_id, workflow_id, after_days

),

joined as (

    select
        spans.change_id, spans.workflow_id, spans.after_days, spans.change_date, spans.day_count, spans.due_date, spans.as_of_date,
        {%- for side in ['before', 'after'] %}
        {%- for name in compared_counts() %}
        summed.{{ side }}_{{ name }},
        {%- endfor %}
        summed.{{ side }}_model_ids,
        {%- endfor %}
        {%- for name in ['before', 'after', 'saved'] %}
        {%- for end in ends if name ~ end != 'saved' %}
        summed.{{ name }}_energy_kwh{{ end }},
        {%- endfor %}
        {%- endfor %}
        cast(summed.before_energy_kwh - summed.after_energy_kwh as decimal(38, 9)) as saved_energy_kwh,
        case
            when spans.gap_reason is not null then spans.gap_reason
            when summed.before_call_count is null then 'no_use'
            when refactored.change_id is not null then 'factor_changed'
            when summed.before_covered_call_count < summed.before_call_count
                or summed.after_covered_call_count < summed.after_call_count then 'energy_unknown'
        end as gap_reason
    from spans
    left join summed
        on spans.change_id = summed.change_id and spans.workflow_id = summed.workflow_id
        and spans.after_days = summed.after_days
    left join refactored
        on spans.change_id = refactored.change_id and spans.workflow_id = refactored.workflow_id
        and spans.after_days = refactored.after_days

)

select * from joined
