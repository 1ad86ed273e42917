-- One row per month x organisation, team or workflow x metric: the joint 95 % range of what was used.

with

ranges as (select * from {{ ref('int_total_range') }} where total_kind = 'month'),

parts as (select * from {{ ref('int_total_part') }} where total_kind = 'month'),

added as (

    select
        subject_id, metric, total_date,
        sum(part_low) as low, sum(part_quantity) as central, sum(part_high) as high
    from parts
    group by subject_id, metric, total_date

),

joint as (

    select
        ranges.total_date as usage_month, ranges.perimeter_type, ranges.perimeter_id, ranges.metric,
        -- drawn ends have six digits: the exact central value lies between them, and they between the added ends
        cast(least(greatest(ranges.total_low, added.low), added.central) as decimal(38, 9)) as low,
        cast(added.central as decimal(38, 9)) as central,
        cast(ranges.total_mean as decimal(38, 9)) as mean,
        cast(least(greatest(ranges.total_high, coalesce(added.central, 0)), added.high) as decimal(38, 9)) as high
    from ranges
    inner join added
        on ranges.subject_id = added.subject_id
        and ranges.metric = added.metric
        and ranges.total_date = added.total_date

)

select * from joint
