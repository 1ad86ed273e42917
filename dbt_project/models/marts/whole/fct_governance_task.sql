-- One row per thing that a team owes: what, since when, and the month of days behind it. One energy may stand behind several.

{%- set figures = 'call_count, energy_kwh_low, energy_kwh, energy_kwh_high' %}
{%- set columns = 'team_id, workflow_id, workflow_name, owner, as_of_date' %}

with

inventory as (

    select * from {{ ref('fct_workload_inventory') }}
    where workflow_id not in ('orphan', 'unattributed')
        -- what is declared ended, and has ended, owes nothing
        and (call_count > 0 or energy_kwh_high > 0 or coalesce(declared_until_date > as_of_date, true))

),

orphans as (select * from {{ ref('int_orphan__lines') }}),

days as (select * from {{ ref('int_workload__window') }}),

daily as (select * from {{ ref('fct_workflow_daily') }}),

outcomes as (

    select workflow_id, max(usage_date) as last_date from {{ ref('fct_outcome_daily') }}
    where outcome_count > 0
    group by workflow_id

),

first_used as (select workflow_id, min(usage_date) as first_date from daily group by workflow_id),

running as (

    select
        daily.workflow_id, daily.usage_date,
        sum(daily.call_count) over (partition by daily.workflow_id order by daily.usage_date) as calls_so_far_count
    from daily
    cross join days
    where daily.usage_date >= days.month_first_date

),

changed as (

    select entries.workflow_id, entries.owner as change_owner, reviews.due_date,
        reviews.change_id || ' after ' || cast(reviews.after_days as varchar) || ' days' as detail
    from {{ ref('fct_workload_review') }} as reviews
    inner join {{ ref('int_efficiency_change') }} as entries on reviews.change_id = entries.change_id
    where reviews.status in ('due', 'owed')

),

passed as (

    select running.workflow_id, min(running.usage_date) as passed_date
    from running
    inner join inventory on running.workflow_id = inventory.workflow_id
    where running.calls_so_far_count > inventory.expected_monthly_calls
    group by running.workflow_id

),

owed as (

    select 'name_owner' as task, {{ columns }}, cast(null as date) as since_date, '' as detail, {{ figures }}
    from inventory
    where owner is null

    union all

    select 'write_description', {{ columns }}, null, '', {{ figures }}
    from inventory
    where job_description is null

    union all

    select 'renew_description', {{ columns }}, declared_until_date, '', {{ figures }}
    from inventory
    where declared_until_date <= as_of_date

    union all

    select 'review', {{ columns }}, review_due_date, '', {{ figures }}
    from inventory
    where is_review_overdue

    union all

    select 'review_change', team_id, inventory.workflow_id, workflow_name, coalesce(changed.change_owner, owner),
        as_of_date, changed.due_date, changed.detail, {{ figures }}
    from inventory
    inner join changed on inventory.workflow_id = changed.workflow_id

    union all

    select
        'explain_volume', inventory.team_id, inventory.workflow_id, workflow_name, owner, as_of_date, passed.passed_date,
        cast(call_count as varchar) || ' calls, ' || cast(expected_monthly_calls as varchar) || ' declared',
        excess_call_count
        {%- for end in ['_low', '', '_high'] %}
        , {{ share_of_kwh('energy_kwh' ~ end, ratio('excess_call_count', 'call_count')) }}
        {%- endfor %}
    from inventory
    left join passed on inventory.workflow_id = passed.workflow_id
    where excess_call_count > 0

    union all

    select 'count_outcomes', inventory.team_id, inventory.workflow_id, workflow_name, owner, as_of_date,
        coalesce(outcomes.last_date, first_used.first_date), coalesce(retire_reasons, ''), {{ figures }}
    from inventory
    left join outcomes on inventory.workflow_id = outcomes.workflow_id
    left join first_used on inventory.workflow_id = first_used.workflow_id
    where outcome_type_count = 0 and (call_count > 0 or energy_kwh_high > 0)

    union all

    select case workflow_id when 'orphan' then 'claim_key' else 'name_caller' end, team_id, workflow_id, null, null,
        as_of_date, first_seen_date, concat_ws(', ', source, nullif(model_id, '')), {{ figures }}
    from orphans

),

described as (

    select
        task, {{ columns }}, since_date, {{ days_between('since_date', 'as_of_date') }} as waiting_days_count,
        nullif(detail, '') as detail,
        cast(call_count as decimal(38, 0)) as call_count
        {%- for end in ['_low', '', '_high'] %}, cast(energy_kwh{{ end }} as decimal(38, 9)) as energy_kwh{{ end }}{% endfor %}
    from owed

)

select * from described
