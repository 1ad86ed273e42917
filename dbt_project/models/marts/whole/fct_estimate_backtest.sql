-- One row per month x model x factor: the energy that meters read against what the factor would have said of the calls.

with

observed as (

    select
        *,
        {{ month_of('usage_date') }} as usage_month,
        -- null where nothing was compared
        ln(nullif(metered_kwh, 0) / nullif(estimated_kwh, 0)) as log_ratio
    from {{ ref('int_backtest__observed') }}

),

backtest as (

    select
        usage_month, provider, model_id, factor_id, evidence_tier,
        cast(sum(call_count) as decimal(38, 0)) as call_count,
        cast(sum(compared_call_count) as decimal(38, 0)) as compared_call_count,
        cast(count(log_ratio) as bigint) as observation_count,
        cast(sum(metered_kwh) as decimal(38, 9)) as metered_kwh,
        cast(sum(estimated_kwh) as decimal(38, 9)) as estimated_kwh,
        {{ ratio('sum(metered_kwh)', 'sum(estimated_kwh)') }} as metered_over_estimated_ratio,
        cast(exp(avg(log_ratio)) as decimal(24, 6)) as geometric_mean_ratio,
        cast(case when count(log_ratio) > 1 then exp(stddev_samp(log_ratio)) end as decimal(24, 6)) as gsd_ratio
    from observed
    group by usage_month, provider, model_id, factor_id, evidence_tier

)

select * from backtest
