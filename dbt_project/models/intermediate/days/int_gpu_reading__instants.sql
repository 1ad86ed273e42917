-- One row per landed day x GPU (gpu_number) x instant with a reading of energy or power.
{{ config(materialized='ephemeral') }}

{%- set chain = 'partition by gpu_number order by sampled_at_ms' %}

with

samples as (

    select * from {{ ref('stg_gpu_prometheus__samples') }}
    where {{ in_days('landed_date') }} and quantity in ('energy_j', 'power_w')

),

series as (select * from {{ ref('int_gpu_reading__series') }}),

-- MIG instances and time-sliced pods repeat the readings of the whole board: the largest stands for all copies
instants as (

    select
        series.gpu_number,
        samples.sampled_at_ms,
        max(series.start_ms) as start_ms,
        max(samples.step_seconds) * 1000 as step_ms,
        max(case when samples.quantity = 'energy_j' then samples.value_thousandths end) as counter_millijoules,
        max(case when samples.quantity = 'power_w' then samples.value_thousandths end) as power_milliwatts,
        -- an empty MIG instance beside others that are held holds nothing
        coalesce(
            min(case when samples.pod is not null then series.series_number end), min(series.series_number)
        ) as series_number,
        coalesce(
            max(case when samples.pod is not null then series.series_number end), min(series.series_number)
        ) as last_series_number
    from samples
    inner join series
        on samples.landed_date = series.landed_date
        and samples.uuid = series.uuid
        and coalesce(samples.namespace, '') = coalesce(series.namespace, '')
        and coalesce(samples.pod, '') = coalesce(series.pod, '')
    group by series.gpu_number, samples.sampled_at_ms

),

-- how many counter readings came before: what lies between two of them has the same number as the later one
chained as (

    select
        *,
        lag(sampled_at_ms) over ({{ chain }}) as previous_ms,
        coalesce(sum(case when counter_millijoules is not null then 1 else 0 end) over (
            {{ chain }} rows between unbounded preceding and 1 preceding
        ), 0) as counters_before
    from instants

)

select * from chained
