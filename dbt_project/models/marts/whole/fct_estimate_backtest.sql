-- One row per month x model x factor: the energy that meters read against what the factor would have said of the calls.

with

observed as (

    select
        *,
        {{ month_of('usage_date') }} as usage_month,
        metered_kwh - coalesce(idle_kwh, 0) as busy_kwh
    from {{ ref('int_backtest__observed') }}

),

factors as (select factor_id, gsd_ratio from {{ ref('dim_factor') }}),

-- no factor of a model holds the time in which nobody called it; null where nothing was compared
rated as (

    select
        observed.*,
        ln(nullif(observed.busy_kwh, 0) / nullif(observed.estimated_kwh, 0)) as log_ratio,
        cast({{ interval_of_gsd('factors.gsd_ratio') }} as decimal(24, 6)) as range_ratio
    from observed
    left join factors on observed.factor_id = factors.factor_id

),

backtest as (

    select
        usage_month, provider, model_id, factor_id, evidence_tier,
        cast(sum(call_count) as decimal(38, 0)) as call_count,
        cast(sum(compared_call_count) as decimal(38, 0)) as compared_call_count,
        cast(count(log_ratio) as bigint) as observation_count,
        cast(sum(metered_kwh) as decimal(38, 9)) as metered_kwh,
        cast(sum(busy_kwh) as decimal(38, 9)) as busy_kwh,
        cast(sum(idle_kwh) as decimal(38, 9)) as idle_kwh,
        cast(sum(estimated_kwh) as decimal(38, 9)) as estimated_kwh,
        {{ ratio('sum(idle_kwh)', 'sum(metered_kwh)') }} as idle_ratio,
        {{ ratio('sum(metered_kwh)', 'sum(estimated_kwh)') }} as metered_over_estimated_ratio,
        cast(exp(avg(log_ratio)) as decimal(24, 6)) as geometric_mean_ratio,
        cast(case when count(log_ratio) > 1 then exp(stddev_samp(log_ratio)) end as decimal(24, 6)) as gsd_ratio,
        max(range_ratio) as range_ratio
    from rated
    group by usage_month, provider, model_id, factor_id, evidence_tier

),

explained as (

    select
        *,
        case
            when geometric_mean_ratio is null or range_ratio is null then null
            when geometric_mean_ratio between 1 / range_ratio and range_ratio then 'within_range'
            when geometric_mean_ratio < 1 then 'below_range'
            when idle_kwh >= busy_kwh then 'mostly_idle'
            else 'above_range'
        end as finding
    from backtest

)

select * from explained
