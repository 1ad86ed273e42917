-- One row per source x model of what nobody owns: since when it has been seen, and its last month of days.

with

footprint as (select * from {{ ref('fct_footprint_daily') }} where workflow_id in ('orphan', 'unattributed')),

days as (select * from {{ ref('int_workload__window') }}),

summed as (

    select
        footprint.workflow_id, footprint.team_id, footprint.source, footprint.model_id, days.as_of_date,
        min(footprint.usage_date) as first_seen_date,
        coalesce(sum(case when footprint.usage_date >= days.month_first_date then footprint.call_count end), 0)
            as call_count,
        {%- for end in ['_low', '', '_high'] %}
        cast(sum(case when footprint.usage_date >= days.month_first_date then footprint.energy_kwh{{ end }} end)
            as decimal(38, 9)) as energy_kwh{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from footprint
    cross join days
    where footprint.call_count > 0 or footprint.gpu_seconds > 0 or footprint.energy_kwh_high is not null
    group by footprint.workflow_id, footprint.team_id, footprint.source, footprint.model_id, days.as_of_date
    having max(footprint.usage_date) >= max(days.month_first_date)

),

aged as (select *, {{ days_between('first_seen_date', 'as_of_date') }} + 1 as age_days_count from summed)

select * from aged
