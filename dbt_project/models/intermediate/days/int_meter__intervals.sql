-- One row per landed day x meter x interval between two readings, whole, even where it reaches into a neighbouring day.
{{ config(materialized='ephemeral') }}

{%- set chain = 'partition by landed_date, meter_id order by sampled_at_ms' %}
{%- set near_ms = 86400000 %}

with

readings as (

    select *, {{ unix_milliseconds('cast(landed_date as timestamp)') }} as start_ms
    from {{ ref('stg_meters__readings') }}
    where {{ in_days('landed_date') }}

),

chained as (

    select
        *,
        lag(sampled_at_ms) over ({{ chain }}) as from_ms,
        lead(sampled_at_ms) over ({{ chain }}) as next_ms,
        counter_millijoules - lag(counter_millijoules) over ({{ chain }}) as delta_millijoules,
        power_milliwatts + lag(power_milliwatts) over ({{ chain }}) as double_milliwatts
    from readings

),

-- a counter that fell was reset; power is read at both ends of an interval
judged as (

    select
        *,
        case
            when {{ reaches_too_far('from_ms', 'sampled_at_ms', 'start_ms', near_ms) }} then 'unmeasured'
            when delta_millijoules >= 0 then 'counter_delta'
            when double_milliwatts is not null and sampled_at_ms - from_ms <= 2000 * step_seconds then 'power_integral'
            else 'unmeasured'
        end as method
    from chained

),

intervals as (

    select
        landed_date, meter_id, start_ms, from_ms, sampled_at_ms as to_ms, method,
        method <> 'unmeasured' and sampled_at_ms - from_ms > 2000 * step_seconds as is_gap_filled,
        case method
            when 'counter_delta' then delta_millijoules
            when 'power_integral'
                then cast({{ whole_quotient('double_milliwatts * (sampled_at_ms - from_ms) + 1000', 2000) }} as bigint)
        end as energy_millijoules
    from judged
    where from_ms is not null
    union all
    -- the day before the first reading and after the last
    select landed_date, meter_id, start_ms, start_ms, sampled_at_ms, 'unmeasured', false, null
    from judged
    where from_ms is null and sampled_at_ms > start_ms
    union all
    select landed_date, meter_id, start_ms, sampled_at_ms, start_ms + 86400000, 'unmeasured', false, null
    from judged
    where next_ms is null and sampled_at_ms < start_ms + 86400000

)

select * from intervals
