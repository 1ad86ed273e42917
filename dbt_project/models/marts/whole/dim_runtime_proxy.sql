-- One row per GPU model that was read while it was held: what a held board draws, fitted to the organisation's own hours.

with

gpus as (select * from {{ ref('int_gpu_energy__hourly') }}),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

widths as (

    select max(case when quantity = 'runtime_fitted_ratio' then gsd_ratio end) as least_gsd_ratio from hardware

),

-- a GPU-hour counts if one pod or another held the board for all of it and its counter read all of it
hours as (

    select
        usage_date, usage_hour_utc, uuid,
        max(gpu_model) as gpu_model,
        sum(energy_millijoules) as millijoules,
        sum(gpu_seconds) as held_seconds
    from gpus
    group by usage_date, usage_hour_utc, uuid
    having min(case when line = 'direct' and method = 'counter_delta' and not gap_filled then 1 else 0 end) = 1
        and sum(gpu_seconds) = 3600 and sum(energy_millijoules) > 0

),

-- the mean is what totals need; the spread is that of the hours around each other, on the logarithm
fits as (

    select
        gpu_model,
        cast(count(*) as bigint) as metered_hours,
        min(usage_date) as fitted_from,
        max(usage_date) as fitted_to,
        cast({{ whole_quotient('sum(millijoules)', 'sum(held_seconds)') }} as decimal(18, 0)) as fitted_milliwatts,
        cast(exp(coalesce(stddev_pop(ln(cast(millijoules as bigint))), 0)) as decimal(12, 6)) as gsd_ratio
    from hours
    where gpu_model is not null
    group by gpu_model

),

ranged as (

    select
        fits.*,
        cast(greatest(fits.gsd_ratio, widths.least_gsd_ratio) as decimal(12, 6)) as wide_gsd_ratio
    from fits
    cross join widths

),

proxies as (

    select
        gpu_model,
        cast({{ joules_from_millijoules('fitted_milliwatts') }} / {{ interval_of_gsd('wide_gsd_ratio') }} as decimal(12, 3)) as low_w,
        cast({{ joules_from_millijoules('fitted_milliwatts') }} as decimal(12, 3)) as fitted_w,
        cast({{ joules_from_millijoules('fitted_milliwatts') }} * {{ interval_of_gsd('wide_gsd_ratio') }} as decimal(12, 3)) as high_w,
        gsd_ratio,
        metered_hours,
        fitted_from as fitted_from_date,
        fitted_to as fitted_to_date,
        metered_hours >= {{ var('runtime_fit_hours') }} as is_usable
    from ranged

)

select * from proxies
