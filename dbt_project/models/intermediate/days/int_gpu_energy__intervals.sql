-- One row per landed day x GPU (gpu_number) x interval between two readings, whole, even where it reaches into a neighbouring day.
{{ config(materialized='ephemeral') }}

with

instants as (select * from {{ ref('int_gpu_reading__instants') }}),

series as (select * from {{ ref('int_gpu_reading__series') }}),

counted as (select * from {{ ref('int_gpu_energy__counted') }}),

uncounted as (select * from {{ ref('int_gpu_energy__uncounted') }}),

gpus as (

    select gpu_number, max(start_ms) as start_ms, max(start_ms) + 86400000 as end_ms, max(series_number) as series_number
    from series
    group by gpu_number
    having sum(own_count) > 0

),

extents as (

    select gpu_number, min(sampled_at_ms) as first_ms, max(sampled_at_ms) as last_ms
    from instants
    group by gpu_number

),

-- the day before a GPU's first reading and after its last, or all of it
edges as (

    select
        gpus.gpu_number, gpus.start_ms, gpus.start_ms as from_ms, coalesce(extents.first_ms, gpus.end_ms) as to_ms,
        extents.first_ms as holder_ms, gpus.series_number
    from gpus
    left join extents on gpus.gpu_number = extents.gpu_number
    where coalesce(extents.first_ms, gpus.end_ms) > gpus.start_ms
    union all
    select gpus.gpu_number, gpus.start_ms, extents.last_ms as from_ms, gpus.end_ms as to_ms,
        extents.last_ms as holder_ms, gpus.series_number
    from gpus
    inner join extents on gpus.gpu_number = extents.gpu_number
    where extents.last_ms < gpus.end_ms

),

intervals as (

    select
        gpu_number, start_ms, from_ms, sampled_at_ms as to_ms, sampled_at_ms as holder_ms,
        series_number, is_shared, delta_millijoules as energy_millijoules, 'counter_delta' as method,
        sampled_at_ms - from_ms > 2 * step_ms as is_gap_filled
    from counted
    where is_usable
    union all
    select
        gpu_number, start_ms, previous_ms as from_ms, sampled_at_ms as to_ms, sampled_at_ms as holder_ms,
        series_number, is_shared, energy_millijoules, method, is_gap_filled
    from uncounted
    union all
    select
        edges.gpu_number, edges.start_ms, edges.from_ms, edges.to_ms, edges.holder_ms,
        coalesce(instants.series_number, edges.series_number) as series_number,
        coalesce(instants.is_shared, false) as is_shared,
        cast(null as bigint) as energy_millijoules, 'unmeasured' as method, false as is_gap_filled
    from edges
    left join instants on edges.gpu_number = instants.gpu_number and edges.holder_ms = instants.sampled_at_ms

)

select * from intervals
