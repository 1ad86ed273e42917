-- One row per whole week x workflow: what it used, where every activity source has delivered all seven days.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

coverage as (select * from {{ ref('fct_coverage_daily') }}),

delivered as (

    select usage_date, cast(date_trunc('week', usage_date) as date) as week_date
    from coverage
    where source in ({% for source in var('activity_sources') %}'{{ source }}'{{ ', ' if not loop.last }}{% endfor %})
    group by usage_date
    having sum(received_tables) = sum(expected_tables)

),

whole as (

    select week_date
    from delivered
    group by week_date
    having count(*) = 7

),

used as (

    select
        usage_date, cast(date_trunc('week', usage_date) as date) as week_date, workflow_id, team_id, call_count,
        energy_kwh,
        case when coalesce(gap_reason, '') in ('', 'metered_elsewhere') then 0 else 1 end as is_gap
    from footprint

),

weekly as (

    select
        used.week_date, used.workflow_id, max_by(used.team_id, used.usage_date) as team_id,
        -- a week of which a part is unknown has no energy: what is lost from sight is no saving
        cast(case when max(used.is_gap) = 0 then coalesce(sum(used.energy_kwh), 0) end as decimal(38, 9)) as energy_kwh,
        cast(coalesce(sum(used.call_count), 0) as decimal(38, 0)) as call_count
    from used
    inner join whole on used.week_date = whole.week_date
    group by used.week_date, used.workflow_id

)

select * from weekly
