-- One row per hour x site or market that instruments are stated for: their pool, and the rates of what it leaves.
{{ config(materialized='ephemeral') }}

with

available as (select * from {{ ref('int_instrument__available') }}),

-- instruments of one place are used in proportion: none is picked for being cleaner
pooled as (

    select
        usage_hour_utc, site_id, market_boundary,
        sum(cast(available_nano_kwh as decimal(20, 0))) as pool_nano_kwh,
        {{ rounded_quotient('sum(' ~ nano_times_micro('available_nano_kwh', micro_grams('gco2e_per_kwh')) ~ ')',
            'sum(cast(available_nano_kwh as decimal(20, 0)))') }} as pool_micro_grams,
        -- what has no amount applies to what is left; the source lets no two of a place and kind overlap
        {%- for kind in ['supplier_tariff', 'residual_mix'] %}
        max(case when available_nano_kwh is null and instrument_kind = '{{ kind }}' then {{ micro_grams('gco2e_per_kwh') }} end)
            as {{ kind }}_micro_grams{{ ',' if not loop.last }}
        {%- endfor %}
    from available
    group by usage_hour_utc, site_id, market_boundary

)

select * from pooled
