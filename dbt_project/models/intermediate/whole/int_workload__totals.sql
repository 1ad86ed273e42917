-- One row per workflow: what it did in the last month of days, how that moved, and what came of it.

{%- set counts = ['call_count', 'covered_call_count', 'retry_count', 'retry_known_call_count', 'error_count', 'input_tokens',
    'cached_input_tokens', 'output_tokens'] %}

with

workflows as (select workflow_id from {{ ref('dim_workflow') }}),

days as (select * from {{ ref('int_workload__window') }}),

lines as (select * from {{ ref('int_workload__lines') }}),

daily as (select * from {{ ref('fct_workflow_daily') }}),

outcomes as (select * from {{ ref('fct_outcome_daily') }}),

month as (

    select
        workflow_id,
        {{ listed("nullif(provider, '')") }} as providers,
        {{ listed("nullif(model_id, '')") }} as model_ids,
        {%- for name in counts %}
        cast(sum({{ name }}) as decimal(38, 0)) as {{ name }},
        {%- endfor %}
        cast(sum(case when call_purpose = 'background' then call_count else 0 end) as decimal(38, 0))
            as background_call_count,
        -- repeats and evaluations have no purpose of their own to serve
        cast(sum(case when call_purpose in ('background', 'retry', 'evaluation') then 0 else call_count end)
            as decimal(38, 0)) as other_call_count,
        {%- for end in ['_low', '', '_high'] %}
        cast(sum(energy_kwh{{ end }}) as decimal(38, 9)) as energy_kwh{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from lines
    group by workflow_id

),

moved as (

    select
        daily.workflow_id,
        {%- for side, first, last in [('earlier', 'earlier_first_date', 'later_first_date'), ('later', 'later_first_date', none)] %}
        {%- for name, scale in [('call_count', 0), ('energy_kwh', 9)] %}
        cast(sum(case when daily.usage_date >= days.{{ first }}{% if last %} and daily.usage_date < days.{{ last }}{% endif %}
            then daily.{{ name }} end) as decimal(38, {{ scale }})) as {{ side }}_{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}{{ ',' if not loop.last }}
        {%- endfor %}
    from daily
    cross join days
    where days.is_trend_known
    group by daily.workflow_id

),

reached as (

    select
        outcomes.workflow_id,
        {{ listed('outcomes.outcome_type') }} as outcome_types,
        cast(count(distinct outcomes.outcome_type) as decimal(38, 0)) as outcome_type_count,
        cast(sum(outcomes.outcome_count) as decimal(38, 0)) as all_outcome_count,
        cast(sum(outcomes.accepted_count) as decimal(38, 0)) as accepted_count,
        cast(sum(case when outcomes.accepted_count is not null then outcomes.outcome_count end) as decimal(38, 0))
            as judged_count
    from outcomes
    cross join days
    where outcomes.usage_date >= days.month_first_date and outcomes.usage_date <= days.as_of_date
        and outcomes.outcome_count > 0
    group by outcomes.workflow_id

),

joined as (

    select
        workflows.workflow_id, days.as_of_date, days.day_count,
        month.providers, month.model_ids,
        {%- for name in counts + ['background_call_count', 'other_call_count'] %}
        month.{{ name }},
        {%- endfor %}
        month.energy_kwh_low, month.energy_kwh, month.energy_kwh_high,
        moved.earlier_call_count, moved.later_call_count, moved.earlier_energy_kwh, moved.later_energy_kwh,
        reached.outcome_types, coalesce(reached.outcome_type_count, 0) as outcome_type_count, reached.all_outcome_count,
        reached.accepted_count, reached.judged_count,
        coalesce(month.call_count > 0 or month.energy_kwh_high > 0, false) as is_used
    from workflows
    cross join days
    left join month on workflows.workflow_id = month.workflow_id
    left join moved on workflows.workflow_id = moved.workflow_id
    left join reached on workflows.workflow_id = reached.workflow_id

)

select * from joined
