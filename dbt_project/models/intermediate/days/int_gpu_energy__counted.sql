-- One row per landed day x GPU (gpu_number) x reading of the energy counter, with the difference to the reading before.
{{ config(materialized='ephemeral') }}

{%- set chain = 'partition by gpu_number order by sampled_at_ms' %}

with

instants as (select * from {{ ref('int_gpu_reading__instants') }}),

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
            delta_millijoules < 0
            or delta_millijoules > {{ var('gpu_largest_w') }} * (sampled_at_ms - from_ms + 2 * step_ms), false
        ) as is_reset
    from deltas

),

counted as (

    select
        *,
        from_ms is not null and not is_reset
            and not {{ reaches_too_far('from_ms', 'sampled_at_ms', 'start_ms') }} as is_usable
    from judged

)

select * from counted
