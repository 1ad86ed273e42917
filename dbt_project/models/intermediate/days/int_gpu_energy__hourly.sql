-- One row per hour x GPU x holder (namespace, pod) x line x method.
{{ config(materialized='incremental', incremental_strategy='replace_days') }}

with

samples as (

    select * from {{ ref('stg_gpu_prometheus__samples') }} where {{ in_days('landed_date') }}

),

series as (select * from {{ ref('int_gpu_reading__series') }}),

pieces as (select * from {{ ref('int_gpu_energy__pieces') }}),

shared_instants as (

    select distinct gpu_number, holder_ms from pieces where series_number <> last_series_number

),

holders as (

    select
        series.gpu_number,
        series.series_number,
        samples.sampled_at_ms,
        sum(case when samples.quantity = 'util_ratio' then samples.value_thousandths else 0 end) as busy
    from samples
    inner join series
        on samples.landed_date = series.landed_date
        and samples.uuid = series.uuid
        and coalesce(samples.namespace, '') = coalesce(series.namespace, '')
        and samples.pod = series.pod
    inner join shared_instants
        on series.gpu_number = shared_instants.gpu_number and samples.sampled_at_ms = shared_instants.holder_ms
    group by series.gpu_number, series.series_number, samples.sampled_at_ms

),

-- a GPU that several pods hold at once is shared by how busy each keeps it, or evenly where nothing tells
weighted as (

    select
        *,
        case when sum(busy) over (partition by gpu_number, sampled_at_ms) > 0 then busy else 1 end as weight
    from holders

),

shares as (

    select
        *,
        cast(sum(weight) over (partition by gpu_number, sampled_at_ms) as bigint) as total,
        cast(sum(weight) over (
            partition by gpu_number, sampled_at_ms order by series_number
            rows between unbounded preceding and current row
        ) as bigint) as high
    from weighted

),

parts as (

    select gpu_number, series_number, hour_low_ms, method, is_gap_filled, seconds, millijoules
    from pieces
    where series_number = last_series_number
    union all
    select pieces.gpu_number, shares.series_number, hour_low_ms, method, is_gap_filled,
        {{ part_between('seconds', 'high - weight', 'high', 'total') }} as seconds,
        {{ part_between('millijoules', 'high - weight', 'high', 'total') }} as millijoules
    from pieces
    inner join shares on pieces.gpu_number = shares.gpu_number and pieces.holder_ms = shares.sampled_at_ms
    where pieces.series_number <> pieces.last_series_number

),

summed as (

    select gpu_number, series_number, hour_low_ms, method,
        sum(seconds) as seconds,
        sum(millijoules) as millijoules,
        max(case when is_gap_filled then 1 else 0 end) = 1 as gap_filled
    from parts
    group by gpu_number, series_number, hour_low_ms, method

),

hourly as (

    select
        series.landed_date as usage_date,
        {{ instant_of_milliseconds('series.start_ms + summed.hour_low_ms') }} as usage_hour_utc,
        series.host,
        series.uuid,
        series.gpu_model,
        series.namespace,
        series.pod,
        case when series.pod is null then 'idle' else 'direct' end as line,
        summed.method,
        cast(summed.seconds as decimal(18, 0)) as gpu_seconds,
        cast(summed.millijoules as decimal(18, 0)) as energy_millijoules,
        cast(case when summed.method = 'unmeasured' then summed.seconds else 0 end as decimal(18, 0))
            as unmeasured_seconds,
        summed.gap_filled
    from summed
    inner join series on summed.series_number = series.series_number

)

select * from hourly
