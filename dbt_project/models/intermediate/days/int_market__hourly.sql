-- One row per site x hour in which energy is known: which contracts cover it, and the intensity that they give.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

used as (select * from {{ ref('int_site_energy__hourly') }} where {{ in_days('usage_date') }}),

pools as (select * from {{ ref('int_instrument__pooled') }}),

by_site as (

    select
        used.usage_date, used.usage_hour_utc, used.site_id, used.market_boundary,
        used.control <> 'vendor' as is_own_or_leased,
        {{ nano_kwh('used.energy_kwh') }} as energy_nano,
        least({{ nano_kwh('used.energy_kwh') }}, coalesce(pools.pool_nano_kwh, 0)) as site_instrument_nano,
        coalesce(pools.pool_micro_grams, 0) as site_micro_grams,
        coalesce(pools.supplier_tariff_micro_grams, {{ micro_grams('used.tariff_gco2e_per_kwh') }}) as tariff_micro_grams
    from used
    left join pools on used.usage_hour_utc = pools.usage_hour_utc and used.site_id = pools.site_id

),

left_over as (

    select
        *,
        case when tariff_micro_grams is null then 0 else energy_nano - site_instrument_nano end as tariff_nano,
        case when tariff_micro_grams is null then energy_nano - site_instrument_nano else 0 end as left_nano
    from by_site

),

-- certificates of a market cover own and leased sites; what a vendor runs is not covered by its customer's
by_market as (

    select
        left_over.*,
        case when left_over.is_own_or_leased then coalesce(pools.pool_nano_kwh, 0) else 0 end as pool_nano_kwh,
        coalesce(pools.pool_micro_grams, 0) as pool_micro_grams,
        pools.residual_mix_micro_grams,
        sum(left_over.left_nano) over (
            partition by left_over.usage_hour_utc, left_over.market_boundary, left_over.is_own_or_leased
        ) as market_left_nano
    from left_over
    left join pools
        on left_over.usage_hour_utc = pools.usage_hour_utc and left_over.market_boundary = pools.market_boundary

),

covered as (

    select
        *,
        least(market_left_nano, pool_nano_kwh) as market_instrument_nano,
        market_left_nano - least(market_left_nano, pool_nano_kwh) as rest_nano
    from by_market

),

priced as (

    select
        *,
        case when residual_mix_micro_grams is null then 0 else rest_nano end as residual_mix_nano,
        case when residual_mix_micro_grams is null then rest_nano else 0 end as unknown_nano,
        {{ rounded_quotient(nano_times_micro('market_instrument_nano', 'pool_micro_grams')
            ~ ' + ' ~ nano_times_micro('rest_nano', 'coalesce(residual_mix_micro_grams, 0)'), 'market_left_nano') }}
            as left_micro_grams
    from covered

),

matched as (

    select
        usage_date, usage_hour_utc, site_id, market_boundary, is_own_or_leased,
        {%- for name in ['energy', 'site_instrument', 'tariff', 'left', 'market_left', 'market_instrument',
            'residual_mix', 'unknown'] %}
        {{ kwh_from_nano(name ~ '_nano') }} as {{ name }}_kwh,
        {%- endfor %}
        -- rounded to a millionth of a gram: each pool, what is left of a market, and the site's hour
        case when left_nano = 0 or unknown_nano = 0 then {{ grams_from_micro(rounded_quotient(
            nano_times_micro('site_instrument_nano', 'site_micro_grams')
            ~ ' + ' ~ nano_times_micro('tariff_nano', 'coalesce(tariff_micro_grams, 0)')
            ~ ' + ' ~ nano_times_micro('left_nano', 'coalesce(left_micro_grams, 0)'), 'energy_nano')) }}
        end as market_gco2e_per_kwh
    from priced

)

select * from matched
