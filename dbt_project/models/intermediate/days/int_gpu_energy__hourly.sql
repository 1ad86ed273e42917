-- One row per hour x GPU x holder (namespace, pod) x line x method x share method.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

series as (select * from {{ ref('int_gpu_reading__series') }}),

pieces as (select * from {{ ref('int_gpu_energy__pieces') }}),

shares as (select * from {{ ref('int_gpu_holder__shares') }}),

gpus as (

    select
        gpu_number, max(landed_date) as landed_date, max(start_ms) as start_ms, max(uuid) as uuid, max(host) as host,
        max(gpu_model) as gpu_model
    from series
    group by gpu_number

),

-- holding a board costs its idle power, whatever is done with it. Where that is not known, all is held or all is used
shared as (

    select
        pieces.*,
        shares.series_number as holder_number,
        shares.share_method, shares.held_weight, shares.held_high, shares.held_total, shares.use_weight,
        shares.use_high, shares.use_total,
        case
            when shares.idle_milliwatts is not null then least(pieces.millijoules, shares.idle_milliwatts * pieces.seconds)
            when shares.is_use_known then 0
            else pieces.millijoules
        end as held_millijoules
    from pieces
    inner join shares on pieces.gpu_number = shares.gpu_number and pieces.holder_ms = shares.sampled_at_ms
    where pieces.is_shared

),

parts as (

    select gpu_number, series_number, 'whole' as share_method, hour_low_ms, method, is_gap_filled, seconds, millijoules
    from pieces
    where not is_shared
    union all
    select gpu_number, holder_number, share_method, hour_low_ms, method, is_gap_filled,
        {{ part_between('seconds', 'held_high - held_weight', 'held_high', 'held_total') }} as seconds,
        {{ part_between('held_millijoules', 'held_high - held_weight', 'held_high', 'held_total') }}
        + {{ part_between('millijoules - held_millijoules', 'use_high - use_weight', 'use_high', 'use_total') }}
            as millijoules
    from shared

),

summed as (

    select gpu_number, series_number, share_method, hour_low_ms, method,
        sum(seconds) as seconds,
        sum(millijoules) as millijoules,
        max(case when is_gap_filled then 1 else 0 end) = 1 as gap_filled
    from parts
    group by gpu_number, series_number, share_method, hour_low_ms, method

),

hourly as (

    select
        gpus.landed_date as usage_date,
        {{ instant_of_milliseconds('gpus.start_ms + summed.hour_low_ms') }} as usage_hour_utc,
        coalesce(series.host, gpus.host) as host,
        gpus.uuid,
        coalesce(series.gpu_model, gpus.gpu_model) as gpu_model,
        series.namespace,
        series.pod,
        case when series.pod is null then 'idle' else 'direct' end as line,
        summed.method,
        summed.share_method,
        cast(summed.seconds as decimal(18, 0)) as gpu_seconds,
        cast(summed.millijoules as decimal(18, 0)) as energy_millijoules,
        cast(case when summed.method = 'unmeasured' then summed.seconds else 0 end as decimal(18, 0))
            as unmeasured_seconds,
        summed.gap_filled
    from summed
    inner join gpus on summed.gpu_number = gpus.gpu_number
    left join series on summed.series_number = series.series_number

)

select * from hourly
