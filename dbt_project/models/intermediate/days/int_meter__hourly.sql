-- One row per hour x meter x method.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

intervals as (select * from {{ ref('int_meter__intervals') }}),

meters as (

    select landed_date, meter_id, max(site_id) as site_id, max(host) as host, max(meter_kind) as meter_kind,
        max(boundary) as boundary
    from {{ ref('stg_meters__readings') }}
    where {{ in_days('landed_date') }} and cast(sampled_at_utc as date) = landed_date
    group by landed_date, meter_id

),

hours as ({{ hours_of_day() }}),

-- what lies outside the day is the neighbouring day's; times are milliseconds since the day began
cut as (

    select
        intervals.*,
        hours.hour_low_ms,
        greatest(intervals.from_ms - intervals.start_ms, hours.hour_low_ms) as low_ms,
        least(intervals.to_ms - intervals.start_ms, hours.hour_high_ms) as high_ms
    from intervals
    inner join hours
        on intervals.from_ms - intervals.start_ms < hours.hour_high_ms
        and intervals.to_ms - intervals.start_ms > hours.hour_low_ms

),

pieces as (

    select
        landed_date, meter_id, start_ms, hour_low_ms, method, is_gap_filled,
        -- whole seconds of the clock that end inside the piece: 3600 in each hour, however it is cut
        {{ whole_quotient('high_ms', 1000) }} - {{ whole_quotient('low_ms', 1000) }} as seconds,
        {{ part_between('energy_millijoules', 'low_ms - (from_ms - start_ms)', 'high_ms - (from_ms - start_ms)',
            '(to_ms - from_ms)') }} as millijoules
    from cut

),

hourly as (

    select
        pieces.landed_date as usage_date,
        {{ instant_of_milliseconds('max(pieces.start_ms) + pieces.hour_low_ms') }} as usage_hour_utc,
        pieces.meter_id,
        max(meters.site_id) as site_id,
        max(meters.host) as host,
        max(meters.meter_kind) as meter_kind,
        max(meters.boundary) as boundary,
        pieces.method,
        cast(sum(pieces.seconds) as decimal(18, 0)) as metered_seconds,
        cast(sum(pieces.millijoules) as decimal(18, 0)) as energy_millijoules,
        max(case when pieces.is_gap_filled then 1 else 0 end) = 1 as gap_filled
    from pieces
    inner join meters on pieces.landed_date = meters.landed_date and pieces.meter_id = meters.meter_id
    group by pieces.landed_date, pieces.meter_id, pieces.hour_low_ms, pieces.method

)

select * from hourly
