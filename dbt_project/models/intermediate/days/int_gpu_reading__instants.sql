-- One row per landed day x GPU (gpu_number) x instant with a reading of energy or power, of utilisation where a day has neither.
{{ config(materialized='ephemeral') }}

{%- set chain = 'partition by gpu_number order by sampled_at_ms' %}

with

samples as (

    select * from {{ ref('stg_gpu_prometheus__samples') }}
    where {{ in_days('landed_date') }}

),

series as (select * from {{ ref('int_gpu_reading__series') }}),

-- MIG instances and time-sliced pods repeat the readings of the whole board: the largest stands for all copies
instants as (

    select
        series.gpu_number,
        samples.sampled_at_ms,
        max(series.start_ms) as start_ms,
        max(samples.step_seconds) * 1000 as step_ms,
        coalesce(max(samples.bridged_seconds), 3600) * 1000 as bridged_ms,
        max(case when samples.quantity = 'energy_j' then samples.value_thousandths end) as counter_millijoules,
        max(case when samples.quantity = 'power_w' then samples.value_thousandths end) as power_milliwatts,
        -- of the board, or the mean of its instances by their slices
        coalesce(
            max(case
                when samples.quantity = 'util_ratio' and samples.gpu_instance_id is null then samples.value_thousandths
            end),
            cast({{ whole_quotient(
                "sum(case when samples.quantity = 'util_ratio'
                    then samples.value_thousandths * coalesce(samples.gpu_instance_slices, 1) end)",
                "nullif(sum(case when samples.quantity = 'util_ratio'
                    then coalesce(samples.gpu_instance_slices, 1) end), 0)"
            ) }} as bigint)
        ) as busy_thousandths,
        -- an empty MIG instance beside others that are held holds nothing
        coalesce(
            min(case when samples.pod is not null then series.series_number end), min(series.series_number)
        ) as series_number,
        coalesce(
            max(case when samples.pod is not null then series.series_number end), min(series.series_number)
        ) as last_series_number,
        max(case when samples.gpu_instance_id is not null then 1 else 0 end) = 1 as is_cut
    from samples
    inner join series
        on samples.landed_date = series.landed_date
        and samples.uuid = series.uuid
        and coalesce(samples.namespace, '') = coalesce(series.namespace, '')
        and coalesce(samples.pod, '') = coalesce(series.pod, '')
    where samples.quantity in ('energy_j', 'power_w') or not series.has_meter
    group by series.gpu_number, samples.sampled_at_ms

),

-- how many counter readings came before: what lies between two of them has the same number as the later one
chained as (

    select
        *,
        is_cut or series_number <> last_series_number as is_shared,
        lag(sampled_at_ms) over ({{ chain }}) as previous_ms,
        lag(power_milliwatts) over ({{ chain }}) as previous_milliwatts,
        coalesce(sum(case when counter_millijoules is not null then 1 else 0 end) over (
            {{ chain }} rows between unbounded preceding and 1 preceding
        ), 0) as counters_before
    from instants

)

select * from chained
