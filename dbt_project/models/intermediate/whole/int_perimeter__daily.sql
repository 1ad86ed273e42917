-- One row per day x perimeter x metric: what a perimeter used; orphaned and unattributed use counts in the organisation.

with

parts as (select * from {{ ref('int_range_part__daily') }}),

measured as (

    select
        usage_date, perimeter_type, perimeter_id, metric,
        cast(sum(part_low) as decimal(38, 9)) as used_low,
        cast(sum(part_quantity) as decimal(38, 9)) as used_quantity,
        cast(sum(part_high) as decimal(38, 9)) as used_high
    from parts
    group by usage_date, perimeter_type, perimeter_id, metric

)

select * from measured
