-- One row per instrument x hour of the days that the ledger holds: what it has to give then, spread flat over its period.
{{ config(materialized='ephemeral') }}

with

instruments as (select * from {{ ref('stg_instruments__instruments') }}),

days as (select distinct usage_date from {{ ref('int_site_energy__hourly') }} where {{ in_days('usage_date') }}),

hours as (

    select
        days.usage_date,
        {{ instant_of_milliseconds(unix_milliseconds('cast(days.usage_date as timestamp)') ~ ' + numbers.number * 3600000') }}
            as usage_hour_utc
    from days
    cross join {{ whole_numbers(24) }} as numbers

),

running as (

    select
        hours.usage_date, hours.usage_hour_utc,
        instruments.instrument_id, instruments.period_start_utc, instruments.site_id, instruments.market_boundary,
        instruments.instrument_kind, instruments.gco2e_per_kwh, instruments.mwh,
        {{ hours_between('instruments.period_start_utc', 'hours.usage_hour_utc') }} as hour_index,
        {{ hours_between('instruments.period_start_utc', 'instruments.period_end_utc') }} as period_hours
    from instruments
    inner join hours
        on hours.usage_hour_utc >= instruments.period_start_utc
        and hours.usage_hour_utc < instruments.period_end_utc

),

available as (

    select
        usage_date, usage_hour_utc, instrument_id, period_start_utc, site_id, market_boundary, instrument_kind,
        gco2e_per_kwh,
        -- null = all that is left
        {{ part_between(nano_kwh_from_mwh('mwh'), 'hour_index', 'hour_index + 1', 'period_hours') }} as available_nano_kwh
    from running

)

select * from available
