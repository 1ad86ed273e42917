-- One row per account x state x team: the last month of days, told apart by one question; each account holds all of it.

{%- set ends = ['_low', '', '_high'] %}
{%- set figures = 'call_count, energy_kwh_low, energy_kwh, energy_kwh_high' %}

with

inventory as (select *, workflow_id in ('orphan', 'unattributed') as is_nobody from {{ ref('fct_workload_inventory') }}),

orphans as (select * from {{ ref('int_orphan__lines') }}),

-- what goes beyond the declared calls, at the month's mean energy of a call
beyond as (

    select
        team_id, as_of_date, excess_call_count,
        call_count - excess_call_count as within_call_count,
        {%- for end in ends %}
        energy_kwh{{ end }},
        {{ share_of_kwh('energy_kwh' ~ end, ratio('excess_call_count', 'call_count')) }} as excess_kwh{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from inventory
    where excess_call_count > 0

),

answered as (

    select 'owner' as account, case when is_nobody then workflow_id when owner is null then 'no_owner' else 'owned' end
        as state, team_id, as_of_date, 1 as item_count, {{ figures }}
    from inventory

    union all

    select 'description', case when job_description is null then 'missing'
        when declared_until_date <= as_of_date then 'expired' else 'current' end, team_id, as_of_date, 1, {{ figures }}
    from inventory

    union all

    select 'review', case when review_due_date is null then 'not_dated' when is_review_overdue then 'overdue'
        else 'current' end, team_id, as_of_date, 1, {{ figures }}
    from inventory

    union all

    select 'expectation', case when expected_monthly_calls is null then 'not_declared'
        when excess_call_count is null then 'days_missing' else 'within' end, team_id, as_of_date, 1, {{ figures }}
    from inventory
    where coalesce(excess_call_count, 0) = 0

    union all

    select 'expectation', 'within', team_id, as_of_date, 0, within_call_count
        {%- for end in ends %}, energy_kwh{{ end }} - excess_kwh{{ end }}{% endfor %}
    from beyond

    union all

    select 'expectation', 'beyond', team_id, as_of_date, 1, excess_call_count
        {%- for end in ends %}, excess_kwh{{ end }}{% endfor %}
    from beyond

    union all

    select 'orphan_age', 'owned', team_id, as_of_date, 1, {{ figures }}
    from inventory
    where not is_nobody

    union all

    select 'orphan_age', case when age_days_count <= 30 then 'up_to_30_days' when age_days_count <= 90 then 'up_to_90_days'
        else 'over_90_days' end, team_id, as_of_date, 1, {{ figures }}
    from orphans

),

summed as (

    select
        account, state, team_id, as_of_date, cast(sum(item_count) as decimal(38, 0)) as item_count,
        cast(sum(call_count) as decimal(38, 0)) as call_count
        {%- for end in ends %}, cast(sum(energy_kwh{{ end }}) as decimal(38, 9)) as energy_kwh{{ end }}{% endfor %}
    from answered
    group by account, state, team_id, as_of_date

)

select * from summed
