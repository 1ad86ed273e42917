-- The central values of the months are the exact sums of the ledger, and lie in their ranges.
{{ config(meta={'dagster': {'ref': {'name': 'fct_range_monthly'}}}) }}

with

ranges as (select * from {{ ref('fct_range_monthly') }}),

ledger as (

    select
        cast(date_trunc('month', usage_date) as date) as usage_month,
        sum(energy_kwh) as energy_kwh, sum({{ kg_from_g('location_gco2e') }}) as location_kgco2e
    from {{ ref('fct_organisation_daily') }}
    group by date_trunc('month', usage_date)

),

months as (

    select usage_month, 'energy_kwh' as metric, energy_kwh as central from ledger where energy_kwh is not null
    union all
    select usage_month, 'location_kgco2e' as metric, location_kgco2e as central
    from ledger
    where location_kgco2e is not null

),

drifted as (

    select months.usage_month, months.metric, months.central, ranges.central as published
    from months
    left join ranges
        on months.usage_month = ranges.usage_month
        and months.metric = ranges.metric
        and ranges.perimeter_type = 'organisation'
    where ranges.central is null or cast(months.central as decimal(38, 9)) <> ranges.central

),

outside as (

    select usage_month, metric, central, low as published
    from ranges
    where low > central or central > high or mean > high or (central is null) <> (low is null)

)

select * from drifted
union all
select * from outside
