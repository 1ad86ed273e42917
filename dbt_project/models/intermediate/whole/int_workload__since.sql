-- One row per line of the inventory: the day its declared volume was passed on, and since when no outcome has been counted.

with

inventory as (select workflow_id, expected_monthly_calls from {{ ref('fct_workload_inventory') }}),

days as (select * from {{ ref('int_workload__window') }}),

daily as (select * from {{ ref('fct_workflow_daily') }}),

outcomes as (

    select workflow_id, max(usage_date) as last_date from {{ ref('fct_outcome_daily') }}
    where outcome_count > 0
    group by workflow_id

),

running as (

    select
        daily.workflow_id, daily.usage_date,
        sum(case when daily.usage_date >= days.month_first_date then daily.call_count end) over (
            partition by daily.workflow_id order by daily.usage_date
        ) as calls_so_far_count
    from daily
    cross join days

),

dated as (

    select
        inventory.workflow_id,
        min(case when running.calls_so_far_count > inventory.expected_monthly_calls then running.usage_date end) as passed_date,
        coalesce(max(outcomes.last_date), min(running.usage_date)) as without_outcome_since_date
    from inventory
    left join running on inventory.workflow_id = running.workflow_id
    left join outcomes on inventory.workflow_id = outcomes.workflow_id
    group by inventory.workflow_id

)

select * from dated
