-- One row per day x source table x column x delivery: what was reported first and what is known now, for days that changed.

with

totals as (select * from {{ ref('stg_landing__totals') }}),

changed as (

    select source, table_name, usage_date
    from totals
    where usage_date is not null
    group by source, table_name, usage_date
    having max(version) > 1

),

restated as (

    select
        totals.source, totals.table_name, totals.usage_date, totals.version, totals.quantity,
        totals.landed_total,
        totals.landed_total - lag(totals.landed_total) over (
            partition by totals.source, totals.table_name, totals.usage_date, totals.quantity order by totals.version
        ) as change_total,
        totals.is_current
    from totals
    inner join changed
        on totals.source = changed.source
        and totals.table_name = changed.table_name
        and totals.usage_date = changed.usage_date

)

select * from restated
