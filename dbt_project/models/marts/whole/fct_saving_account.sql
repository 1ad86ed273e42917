-- One row per team x month: what changes saved, what growth took back of it, and what was handed back as a lower ceiling.

{%- set before_days = var('review_weeks').values() | first %}

with

windows as (

    select * from {{ ref('int_efficiency_window') }}
    where after_days = {{ var('review_weeks') | first }} and before_call_count > 0
        and coalesce(gap_reason, '') not in ('no_days_before', 'no_use', 'days_missing', 'factor_changed')
        and before_covered_call_count = before_call_count

),

changes as (

    -- a day belongs to the change before it: its saving is measured from there
    select
        change_id, workflow_id, change_date, before_call_count, before_energy_kwh,
        lead(change_date) over (partition by workflow_id order by change_date, change_id) as next_date
    from windows

),

days as (

    select *, {{ month_of('usage_date') }} as usage_month from {{ ref('fct_workflow_daily') }}
    where covered_call_count = call_count

),

proposals as (select * from {{ ref('fct_ratchet_proposal') }} where status = 'adopted'),

monthly as (

    select
        days.team_id, days.usage_month, changes.change_id, changes.workflow_id,
        cast(coalesce(sum(days.energy_kwh), 0) as decimal(38, 9)) as energy_kwh,
        -- as much as before the change, and what the calls of before take now
        cast(cast(min(changes.before_energy_kwh) as decimal(24, 9)) * count(*) / {{ before_days }} as decimal(38, 9))
            as as_before_energy_kwh,
        cast(coalesce(
            cast(sum(days.energy_kwh) as decimal(24, 9)) * cast(min(changes.before_call_count) * count(*) as decimal(14, 0))
            / nullif({{ before_days }} * sum(days.call_count), 0), 0) as decimal(38, 9)) as same_calls_energy_kwh
    from changes
    inner join days
        on changes.workflow_id = days.workflow_id and days.usage_date >= changes.change_date
        and (changes.next_date is null or days.usage_date < changes.next_date)
    group by days.team_id, days.usage_month, changes.change_id, changes.workflow_id

),

booked as (

    select
        team_id, usage_month, as_before_energy_kwh - same_calls_energy_kwh as saved_energy_kwh,
        energy_kwh - same_calls_energy_kwh as taken_back_energy_kwh, cast(0 as decimal(38, 9)) as handed_back_energy_kwh
    from monthly

    union all

    select
        case when perimeter_type = 'organisation' then perimeter_id else team_ids end, {{ month_of('cast(decided_at_utc as date)') }},
        0, 0, limit_kwh - proposed_limit_kwh
    from proposals

),

summed as (

    select
        team_id, usage_month, cast(sum(saved_energy_kwh) as decimal(38, 9)) as saved_energy_kwh,
        cast(sum(taken_back_energy_kwh) as decimal(38, 9)) as taken_back_energy_kwh,
        cast(sum(handed_back_energy_kwh) as decimal(38, 9)) as handed_back_energy_kwh
    from booked
    group by team_id, usage_month

),

accounted as (

    select
        *,
        cast(saved_energy_kwh - taken_back_energy_kwh as decimal(38, 9)) as net_energy_kwh,
        cast(sum(saved_energy_kwh - taken_back_energy_kwh - handed_back_energy_kwh) over (
            partition by team_id order by usage_month rows between unbounded preceding and current row
        ) as decimal(38, 9)) as balance_energy_kwh
    from summed

)

select * from accounted
