-- One row per landed day x GPU (gpu_number) x interval between two readings, whole, even where it reaches into a neighbouring day.
{{ config(materialized='ephemeral') }}

{%- set chain = 'partition by gpu_number order by sampled_at_ms' %}

with

instants as (select * from {{ ref('int_gpu_reading__instants') }}),

series as (select * from {{ ref('int_gpu_reading__series') }}),

deltas as (

    select
        *,
        lag(sampled_at_ms) over ({{ chain }}) as from_ms,
        counter_millijoules - lag(counter_millijoules) over ({{ chain }}) as delta_millijoules
    from instants
    where counter_millijoules is not null

),

-- a counter that fell was reset; one that rose by more than any card can draw was wrong at one of its ends
judged as (

    select
        *,
        coalesce(
            delta_millijoules >= 0
            and delta_millijoules <= {{ var('gpu_largest_w') }} * (sampled_at_ms - from_ms + 2 * step_ms)
            and not {{ reaches_too_far('from_ms', 'sampled_at_ms', 'start_ms') }}, false
        ) as is_usable
    from deltas

),

gpus as (

    select gpu_number, max(start_ms) as start_ms, max(start_ms) + 86400000 as end_ms, max(series_number) as series_number
    from series
    group by gpu_number
    having sum(own_count) > 0

),

extents as (

    select gpu_number, count(counter_millijoules) as counter_count,
        min(sampled_at_ms) as first_ms, max(sampled_at_ms) as last_ms
    from instants
    group by gpu_number

),

-- stretches that no usable pair of counter readings spans: before the first reading, between two, after the last
uncounted as (

    select gpu_number, counters_before from judged where not is_usable
    union all
    select gpu_number, counter_count as counters_before from extents

),

-- power is what is known at the end of an interval, so it counts for the interval before it, if that is no gap
integrated as (

    select
        instants.*,
        case
            when sampled_at_ms - previous_ms <= 2 * step_ms
                and not {{ reaches_too_far('previous_ms', 'sampled_at_ms', 'start_ms') }}
                then cast({{ whole_quotient('power_milliwatts * (sampled_at_ms - previous_ms) + 500', 1000) }} as bigint)
        end as energy_millijoules
    from instants
    inner join uncounted
        on instants.gpu_number = uncounted.gpu_number and instants.counters_before = uncounted.counters_before
    where previous_ms is not null

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
        series_number, last_series_number, delta_millijoules as energy_millijoules, 'counter_delta' as method,
        sampled_at_ms - from_ms > 2 * step_ms as is_gap_filled
    from judged
    where is_usable
    union all
    select
        gpu_number, start_ms, previous_ms as from_ms, sampled_at_ms as to_ms, sampled_at_ms as holder_ms,
        series_number, last_series_number, energy_millijoules,
        case when energy_millijoules is null then 'unmeasured' else 'power_integral' end as method,
        false as is_gap_filled
    from integrated
    union all
    select
        edges.gpu_number, edges.start_ms, edges.from_ms, edges.to_ms, edges.holder_ms,
        coalesce(instants.series_number, edges.series_number) as series_number,
        coalesce(instants.last_series_number, edges.series_number) as last_series_number,
        cast(null as bigint) as energy_millijoules, 'unmeasured' as method, false as is_gap_filled
    from edges
    left join instants on edges.gpu_number = instants.gpu_number and edges.holder_ms = instants.sampled_at_ms

)

select * from intervals
