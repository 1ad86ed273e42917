-- The effects of a perimeter are the whole change between two months, and a month is what the ledger says of it.

with

decomposition as (select * from {{ ref('fct_decomposition_monthly') }}),

ledger as (

    select {{ month_of('usage_date') }} as usage_month, sum(energy_kwh) as energy_kwh
    from {{ ref('fct_footprint_daily') }}
    group by {{ month_of('usage_date') }}

),

changes as (

    select
        chain, base_first_date, perimeter_type, perimeter_id, measure,
        sum(coalesce(effect_quantity, 0)) as explained,
        max(coalesce(compared_quantity, 0) - coalesce(base_quantity, 0)) as change
    from decomposition
    group by chain, base_first_date, perimeter_type, perimeter_id, measure

),

months as (

    select distinct {{ month_of('compared_first_date') }} as usage_month, compared_quantity
    from decomposition
    where perimeter_type = 'organisation' and measure = 'energy_kwh'

)

select perimeter_type, perimeter_id, explained, change from changes where explained <> change
union all
select 'month', cast(months.usage_month as varchar), months.compared_quantity, ledger.energy_kwh
from months
inner join ledger on months.usage_month = ledger.usage_month
where months.compared_quantity <> ledger.energy_kwh
