-- One row per interval between two readings x hour of its own day.
{{ config(materialized='ephemeral') }}

{%- set hour_ms = 3600000 %}

with

intervals as (select * from {{ ref('int_gpu_energy__intervals') }}),

-- what lies outside the day is the neighbouring day's; times are milliseconds since the day began
clipped as (

    select
        gpu_number,
        holder_ms,
        series_number,
        is_shared,
        method,
        is_gap_filled,
        energy_millijoules,
        to_ms - from_ms as length_ms,
        from_ms - start_ms as begin_ms,
        greatest(from_ms - start_ms, 0) as low_ms,
        least(to_ms - start_ms, 24 * {{ hour_ms }}) as high_ms
    from intervals
    where from_ms < start_ms + 24 * {{ hour_ms }} and to_ms > start_ms

),

hours as (

    select number * {{ hour_ms }} as hour_low_ms, (number + 1) * {{ hour_ms }} as hour_high_ms
    from {{ whole_numbers(24) }} as numbers

),

cut as (

    select
        clipped.*,
        hours.hour_low_ms,
        greatest(clipped.low_ms, hours.hour_low_ms) as piece_low_ms,
        least(clipped.high_ms, hours.hour_high_ms) as piece_high_ms
    from clipped
    inner join hours on clipped.low_ms < hours.hour_high_ms and clipped.high_ms > hours.hour_low_ms

),

pieces as (

    select
        gpu_number,
        holder_ms,
        series_number,
        is_shared,
        hour_low_ms,
        method,
        is_gap_filled,
        -- whole seconds of the clock that end inside the piece: 3600 in each hour, however it is cut
        cast({{ whole_quotient('piece_high_ms', 1000) }} - {{ whole_quotient('piece_low_ms', 1000) }} as bigint)
            as seconds,
        case
            when piece_high_ms - piece_low_ms = length_ms then energy_millijoules
            else {{ part_between(
                'energy_millijoules', 'piece_low_ms - begin_ms', 'piece_high_ms - begin_ms', 'length_ms'
            ) }}
        end as millijoules
    from cut

)

select * from pieces
