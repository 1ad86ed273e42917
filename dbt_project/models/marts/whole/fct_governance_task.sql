-- One row per thing that a team owes: what, since when, and the month of days behind it. One energy may stand behind several.

{%- set figures = 'call_count, energy_kwh_low, energy_kwh, energy_kwh_high' %}
{%- set columns = 'team_id, workflow_id, workflow_name, owner, as_of_date' %}
{#- what a line of the inventory owes: since when, with which detail, and where it does #}
{%- set tasks = {
    'name_owner': ['cast(null as date)', "''", 'owner is null'],
    'write_description': ['null', "''", 'job_description is null'],
    'renew_description': ['declared_until_date', "''", 'declared_until_date <= as_of_date'],
    'review': ['review_due_date', "''", 'is_review_overdue'],
    'count_outcomes': ['without_outcome_since_date', "coalesce(retire_reasons, '')",
        'outcome_type_count = 0 and (call_count > 0 or energy_kwh_high > 0)'],
} %}

with

lines as (select * from {{ ref('fct_workload_inventory') }}),

since as (select * from {{ ref('int_workload__since') }}),

orphans as (select * from {{ ref('int_orphan__lines') }}),

changes as (select * from {{ ref('int_efficiency_change') }}),

reviews as (select * from {{ ref('fct_workload_review') }}),

inventory as (

    select lines.*, since.passed_date, since.without_outcome_since_date
    from lines
    left join since on lines.workflow_id = since.workflow_id
    where lines.workflow_id not in ('orphan', 'unattributed')
        -- what is declared ended, and has ended, owes nothing
        and (lines.call_count > 0 or lines.energy_kwh_high > 0 or coalesce(lines.declared_until_date > lines.as_of_date, true))

),

changed as (

    select
        changes.workflow_id, changes.owner as change_owner, reviews.due_date,
        reviews.change_id || ' after ' || cast(reviews.after_days as varchar) || ' days' as detail
    from reviews
    inner join changes on reviews.change_id = changes.change_id
    where reviews.status in ('due', 'owed')

),

owed as (

    {%- for task, (since_date, detail, condition) in tasks.items() %}
    select '{{ task }}' as task, {{ columns }}, {{ since_date }} as since_date, {{ detail }} as detail, {{ figures }}
    from inventory
    where {{ condition }}

    union all
    {% endfor %}

    select 'review_change', team_id, inventory.workflow_id, workflow_name, coalesce(changed.change_owner, owner),
        as_of_date, changed.due_date, changed.detail, {{ figures }}
    from inventory
    inner join changed on inventory.workflow_id = changed.workflow_id

    union all

    select 'explain_volume', {{ columns }}, passed_date,
        cast(call_count as varchar) || ' calls, ' || cast(expected_monthly_calls as varchar) || ' declared',
        excess_call_count
        {%- for end in ['_low', '', '_high'] %}
        , {{ share_of_kwh('energy_kwh' ~ end, ratio('excess_call_count', 'call_count')) }}
        {%- endfor %}
    from inventory
    where excess_call_count > 0

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
