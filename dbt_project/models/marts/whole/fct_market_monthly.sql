-- One row per month x market x who controls the sites: consumption and what covers it.

with

hourly as (select * from {{ ref('int_market__hourly') }}),

-- what covers a market's rest is the same in each of its sites' rows
by_hour as (

    select
        usage_date, usage_hour_utc, market_boundary, is_own_or_leased,
        sum(energy_kwh) as energy_kwh, sum(site_instrument_kwh) as site_instrument_kwh, sum(tariff_kwh) as tariff_kwh,
        max(market_instrument_kwh) as market_instrument_kwh, max(residual_mix_kwh) as residual_mix_kwh,
        max(unknown_kwh) as unknown_kwh
    from hourly
    group by usage_date, usage_hour_utc, market_boundary, is_own_or_leased

),

monthly as (

    select
        cast(date_trunc('month', usage_date) as date) as usage_month, market_boundary, is_own_or_leased,
        cast(sum(energy_kwh) as decimal(38, 9)) as energy_kwh,
        cast(sum(site_instrument_kwh + market_instrument_kwh) as decimal(38, 9)) as instrument_kwh,
        cast(sum(tariff_kwh) as decimal(38, 9)) as tariff_kwh,
        cast(sum(residual_mix_kwh) as decimal(38, 9)) as residual_mix_kwh,
        cast(sum(unknown_kwh) as decimal(38, 9)) as unknown_kwh
    from by_hour
    group by date_trunc('month', usage_date), market_boundary, is_own_or_leased

)

select * from monthly
