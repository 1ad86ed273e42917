-- One row per day x source: how many of its tables were delivered, out of those that should have been.

with

receipts as (select * from {{ ref('stg_landing__receipts') }} where is_current and usage_date is not null),

expected as (select * from {{ ref('stg_landing__expected') }}),

days as (select distinct usage_date from receipts),

delivered as (

    select
        days.usage_date,
        expected.source,
        count(*) as expected_tables,
        count(receipts.table_name) as received_tables,
        coalesce(sum(receipts.row_count), 0) as received_rows
    from days
    cross join expected
    left join receipts
        on days.usage_date = receipts.usage_date
        and expected.source = receipts.source
        and expected.table_name = receipts.table_name
    group by days.usage_date, expected.source

)

select * from delivered
