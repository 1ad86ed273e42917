-- One row per row of fct_footprint_daily: what perimeters and ranges read of it.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

ranged as (

    select
        usage_date, team_id, workflow_id, provider, factor_id, call_count, gpu_seconds, cost_usd,
        -- the four kinds are apart from one another; a kind that is not told is none of what is known
        case
            when coalesce(input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens) is not null
                then {{ all_input_tokens() }}
                    + coalesce(output_tokens, 0)
        end as token_count,
        energy_kwh_low, energy_kwh, energy_kwh_high,
        location_gco2e_low, location_gco2e, location_gco2e_high, market_gco2e_low, market_gco2e, market_gco2e_high
    from footprint

)

select * from ranged
