-- One row per ledger: the days that a workload's month and its trend are taken from, counted back from its last day.

with

footprint as (select usage_date from {{ ref('fct_footprint_daily') }}),

ends as (select min(usage_date) as first_date, max(usage_date) as as_of_date from footprint),

counted as (

    select
        ends.as_of_date,
        {{ add_days('ends.as_of_date', '1 - ' ~ var('workload_days')) }} as month_first_date,
        {{ add_days('ends.as_of_date', '1 - ' ~ var('trend_days')) }} as later_first_date,
        {{ add_days('ends.as_of_date', '1 - 2 * ' ~ var('trend_days')) }} as earlier_first_date,
        cast(count(distinct case when footprint.usage_date > {{ add_days('ends.as_of_date', '-' ~ var('workload_days')) }}
            then footprint.usage_date end) as decimal(38, 0)) as day_count,
        -- without all days before it, what came earlier cannot be told from what was not looked at
        min(ends.first_date) <= {{ add_days('ends.as_of_date', '1 - 2 * ' ~ var('trend_days')) }} as is_trend_known
    from footprint
    cross join ends
    group by ends.as_of_date

)

select * from counted
