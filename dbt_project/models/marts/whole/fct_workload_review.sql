-- One row per efficiency change x review after 30 or 90 days: who owes it since when, what the data answer, what was decided.

{%- set outcomes = ['outcome_count', 'accepted_count'] %}

with

entries as (select * from {{ ref('fct_efficiency_change') }}),

windows as (select * from {{ ref('int_efficiency_window') }}),

neighbours as (select * from {{ ref('int_efficiency_neighbour') }}),

workflows as (select workflow_id, latency_tier from {{ ref('dim_workflow') }}),

reached as (select * from {{ ref('fct_outcome_daily') }}),

spans as (select * from {{ ref('int_efficiency_span') }}),

answers as (select * from {{ ref('stg_registry__reviews') }}),

-- what changed
compared as (

    select
        windows.change_id, windows.after_days, min(windows.due_date) as due_date, min(windows.as_of_date) as as_of_date,
        {{ over_workflows(['call_count', 'retry_count', 'background_call_count', 'all_tokens']) }},
        {{ listed('windows.before_model_ids') }} as before_model_ids,
        {{ listed('windows.after_model_ids') }} as after_model_ids,
        {{ listed('workflows.latency_tier') }} as latency_tiers
    from windows
    left join workflows on windows.workflow_id = workflows.workflow_id
    group by windows.change_id, windows.after_days

),

-- what expanded, and what was retired
around as (

    select
        change_id, after_days,
        {{ listed('case when is_expanded then workflow_id end') }} as expanded_workflow_ids,
        {{ listed('case when is_retired then workflow_id end') }} as retired_workflow_ids,
        {{ listed('lost_model_ids') }} as retired_model_ids
    from neighbours
    group by change_id, after_days

),

-- what is measured
brought as (

    select
        spans.change_id, spans.after_days, {{ listed('reached.outcome_type') }} as outcome_types
        {%- for side, times, sign in [('before', 'spans.repeated_count', '<'), ('after', '1', '>=')] %}
        {%- for name in outcomes %},
        cast(sum(case when reached.usage_date {{ sign }} spans.change_date then {{ times }} * reached.{{ name }} end)
            as decimal(38, 0)) as {{ side }}_{{ name }}
        {%- endfor %}
        {%- endfor %}
    from spans
    inner join reached
        on spans.workflow_id = reached.workflow_id
        and reached.usage_date >= spans.before_first_date and reached.usage_date <= spans.after_last_date
    group by spans.change_id, spans.after_days

),

described as (

    select
        compared.change_id, compared.after_days, compared.due_date, compared.as_of_date, entries.owner, entries.team_ids,
        entries.workflow_ids, entries.change_type, entries.change_date,
        case
            when answers.review_id is not null then 'answered'
            when compared.as_of_date < compared.due_date then 'not yet due'
            when {{ days_between('compared.due_date', 'compared.as_of_date') }} <= {{ var('review_grace_days') }} then 'due'
            else 'owed'
        end as status,
        {{ realised('compared', '') }}
        {%- for name in ['before_model_ids', 'after_model_ids', 'before_retry_count', 'after_retry_count',
            'before_background_call_count', 'after_background_call_count', 'before_all_tokens', 'after_all_tokens',
            'expanded_workflow_ids', 'retired_workflow_ids', 'retired_model_ids', 'before_outcome_count',
            'after_outcome_count', 'before_accepted_count', 'after_accepted_count'] %},
        case when {{ is_whole('compared') }} then {{ name }} end as {{ name }}
        {%- endfor %},
        compared.latency_tiers, brought.outcome_types,
        answers.outcome, answers.decided_by, answers.decided_at_utc, answers.reason
    from compared
    inner join entries on compared.change_id = entries.change_id
    left join around on compared.change_id = around.change_id and compared.after_days = around.after_days
    left join brought on compared.change_id = brought.change_id and compared.after_days = brought.after_days
    left join answers on compared.change_id = answers.change_id and compared.after_days = answers.after_days

)

select * from described
