-- One row per landed day x GPU (gpu_number) x interval that no two usable counter readings span, by the best rung there is.
{{ config(materialized='ephemeral') }}

with

instants as (select * from {{ ref('int_gpu_reading__instants') }}),

counted as (select * from {{ ref('int_gpu_energy__counted') }}),

series as (select * from {{ ref('int_gpu_reading__series') }}),

boards as (select * from {{ ref('gpu_model') }}),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

powers as ({{ gpu_powers('series', 'gpu_model') }}),

-- before a GPU's first counter reading, between two that say nothing, after the last
stretches as (

    select gpu_number, counters_before, is_reset from counted where not is_usable
    union all
    select gpu_number, count(counter_millijoules) as counters_before, false as is_reset
    from instants
    group by gpu_number

),

fitted as ({{ proxies_in_force('series', 'landed_date', 'gpu_model') }}),

boards_of as (

    select
        series.series_number, powers.busy_milliwatts, powers.idle_milliwatts,
        case
            when series.pod is null then powers.idle_milliwatts
            else coalesce(fitted.fitted_milliwatts, powers.busy_milliwatts)
        end as proxy_milliwatts,
        series.pod is not null and fitted.fitted_milliwatts is not null as is_fitted
    from series
    left join powers on series.gpu_model = powers.gpu_model
    left join fitted on series.landed_date = fitted.used_date and series.gpu_model = fitted.gpu_model

),

spans as (

    select
        instants.*, boards_of.idle_milliwatts, boards_of.busy_milliwatts, boards_of.proxy_milliwatts,
        boards_of.is_fitted,
        instants.sampled_at_ms - instants.previous_ms as length_ms,
        instants.sampled_at_ms - instants.previous_ms <= 2 * instants.step_ms as is_short,
        -- across a reset the machine may have been off: only what was read in time is believed
        not stretches.is_reset and instants.sampled_at_ms - instants.previous_ms <= instants.bridged_ms as is_bridged
    from instants
    inner join stretches
        on instants.gpu_number = stretches.gpu_number and instants.counters_before = stretches.counters_before
    inner join boards_of on instants.series_number = boards_of.series_number
    where instants.previous_ms is not null

),

-- power is what is known at the end of an interval, so it counts for the interval before it
rungs as (

    select
        *,
        case
            when {{ reaches_too_far('previous_ms', 'sampled_at_ms', 'start_ms') }} then 'unmeasured'
            when is_short and power_milliwatts is not null then 'power_integral'
            when is_bridged and power_milliwatts + previous_milliwatts is not null then 'power_integral_gappy'
            when (is_short or is_bridged) and busy_thousandths is not null and busy_milliwatts is not null
                then 'tdp_utilisation'
            when is_bridged and is_fitted then 'runtime_fitted'
            when is_bridged and proxy_milliwatts is not null then 'runtime_default'
            else 'unmeasured'
        end as method
    from spans

),

doubled as (

    select
        *,
        -- twice the mean power, so that a mean of two stays whole
        case
            when method = 'power_integral' then 2 * power_milliwatts
            when method = 'power_integral_gappy' then power_milliwatts + previous_milliwatts
            when method = 'tdp_utilisation' and busy_thousandths > 1000 then 2 * busy_milliwatts
            when method = 'tdp_utilisation' then 2 * (idle_milliwatts + cast({{ whole_quotient(
                '(busy_milliwatts - idle_milliwatts) * busy_thousandths', 1000) }} as bigint))
            when method in ('runtime_fitted', 'runtime_default') then 2 * proxy_milliwatts
        end as double_milliwatts
    from rungs

),

uncounted as (

    select
        gpu_number, start_ms, previous_ms, sampled_at_ms, series_number, is_shared, method,
        not is_short and method <> 'unmeasured' as is_gap_filled,
        cast({{ whole_quotient('double_milliwatts * length_ms + 1000', 2000) }} as bigint) as energy_millijoules
    from doubled

)

select * from uncounted
