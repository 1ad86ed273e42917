-- One row per day x region: what one more kWh would have emitted; no part of the ledger.

with

steps as (select * from {{ ref('stg_watttime__marginal') }}),

daily as (

    select
        usage_date, zone as grid_zone, region_id, max(model_version) as model_version,
        cast(sum(cast(marginal_gco2_per_kwh * 1000000 as decimal(18, 0)) * period_seconds) as decimal(38, 0))
            as micro_gram_seconds,
        cast(sum(period_seconds) as decimal(18, 0)) as known_seconds,
        min(marginal_gco2_per_kwh) as least_gco2_per_kwh,
        max(marginal_gco2_per_kwh) as most_gco2_per_kwh
    from steps
    group by usage_date, zone, region_id

),

averaged as (

    select
        usage_date, grid_zone, region_id, model_version,
        cast({{ millionths(whole_quotient('2 * micro_gram_seconds + known_seconds', '(2 * known_seconds)')) }}
            as decimal(12, 6)) as mean_gco2_per_kwh,
        least_gco2_per_kwh, most_gco2_per_kwh, known_seconds
    from daily

)

select * from averaged
