-- One row per instrument x hour of the days that the ledger holds: what it had to give, and what was used of it.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

available as (select * from {{ ref('int_instrument__available') }}),

matched as (select * from {{ ref('int_market__hourly') }} where {{ in_days('usage_date') }}),

markets as (

    -- the same in all sites of a market's hour
    select
        usage_hour_utc, market_boundary,
        max(case when is_own_or_leased then market_instrument_kwh end) as instrument_kwh,
        max(case when is_own_or_leased then residual_mix_kwh end)
            as own_residual_mix_kwh,
        max(case when not is_own_or_leased then residual_mix_kwh end) as vendor_residual_mix_kwh
    from matched
    group by usage_hour_utc, market_boundary

),

pooled as (

    select
        available.*,
        sum(available_nano_kwh) over pool as pool_nano_kwh,
        sum(available_nano_kwh) over (
            partition by usage_hour_utc, site_id, market_boundary order by instrument_id, period_start_utc
            rows between unbounded preceding and current row
        ) as until_nano_kwh
    from available
    window pool as (partition by usage_hour_utc, site_id, market_boundary)

),

shared as (

    select
        pooled.*,
        case
            when pooled.available_nano_kwh is null and pooled.instrument_kind = 'supplier_tariff'
                then {{ nano_kwh('matched.tariff_kwh') }}
            when pooled.available_nano_kwh is null then {{ nano_kwh(
                'coalesce(markets.own_residual_mix_kwh, 0) + coalesce(markets.vendor_residual_mix_kwh, 0)') }}
            when pooled.site_id is not null then {{ nano_kwh('matched.site_instrument_kwh') }}
            else {{ nano_kwh('markets.instrument_kwh') }}
        end as pool_used_nano
    from pooled
    left join matched on pooled.usage_hour_utc = matched.usage_hour_utc and pooled.site_id = matched.site_id
    left join markets
        on pooled.usage_hour_utc = markets.usage_hour_utc and pooled.market_boundary = markets.market_boundary

),

used as (

    select
        usage_date, usage_hour_utc, instrument_id, period_start_utc, site_id, market_boundary, instrument_kind,
        gco2e_per_kwh,
        {{ kwh_from_nano('available_nano_kwh') }} as available_kwh,
        -- in proportion to what each had to give; neighbouring parts add up to what the pool gave
        {{ kwh_from_nano(
            'case when available_nano_kwh is null then coalesce(pool_used_nano, 0) else coalesce('
            ~ part_between('pool_used_nano', 'until_nano_kwh - available_nano_kwh', 'until_nano_kwh',
                'nullif(cast(pool_nano_kwh as bigint), 0)') ~ ', 0) end') }} as used_kwh
    from shared

)

select * from used
