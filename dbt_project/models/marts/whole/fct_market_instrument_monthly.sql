-- One row per month x instrument and period: what it had to give on the days of the ledger, what was used and what is left over.

with

hourly as (select * from {{ ref('int_instrument__hourly') }}),

instruments as (select * from {{ ref('stg_instruments__instruments') }}),

monthly as (

    select
        cast(date_trunc('month', usage_date) as date) as usage_month, instrument_id, period_start_utc,
        cast(sum(available_kwh) as decimal(38, 9)) as available_kwh,
        cast(sum(used_kwh) as decimal(38, 9)) as used_kwh,
        cast(sum(available_kwh - used_kwh) as decimal(38, 9)) as left_over_kwh
    from hourly
    group by date_trunc('month', usage_date), instrument_id, period_start_utc

),

named as (

    select
        monthly.usage_month, monthly.instrument_id, monthly.period_start_utc, instruments.period_end_utc,
        instruments.instrument_kind, instruments.site_id, instruments.market_boundary, instruments.gco2e_per_kwh,
        monthly.available_kwh, monthly.used_kwh, monthly.left_over_kwh, instruments.issued_by, instruments.evidence
    from monthly
    inner join instruments
        on monthly.instrument_id = instruments.instrument_id
        and monthly.period_start_utc = instruments.period_start_utc

)

select * from named
