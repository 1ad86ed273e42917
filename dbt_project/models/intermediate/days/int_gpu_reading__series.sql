-- One row per landed day x GPU x holder (namespace, pod), numbered, so that millions of readings need not carry text.
{{ config(materialized='ephemeral') }}

with

samples as (

    select * from {{ ref('stg_gpu_prometheus__samples') }} where {{ in_days('landed_date') }}

),

seen as (

    select
        landed_date,
        uuid,
        namespace,
        pod,
        max(host) as host,
        max(gpu_model) as gpu_model,
        max(sampled_at_ms) as seen_ms,
        sum(case
            when sampled_at_ms >= {{ unix_milliseconds('cast(landed_date as timestamp)') }}
                and sampled_at_ms < {{ unix_milliseconds('cast(landed_date as timestamp)') }} + 86400000 then 1
            else 0
        end) as own_count,
        sum(case
            when sampled_at_ms >= {{ unix_milliseconds('cast(landed_date as timestamp)') }}
                and sampled_at_ms < {{ unix_milliseconds('cast(landed_date as timestamp)') }} + 86400000
                and quantity in ('energy_j', 'power_w') then 1
            else 0
        end) as metered_count
    from samples
    group by landed_date, uuid, namespace, pod

),

series as (

    select
        *,
        {{ unix_milliseconds('cast(landed_date as timestamp)') }} as start_ms,
        sum(metered_count) over (partition by landed_date, uuid) > 0 as has_meter,
        dense_rank() over (order by landed_date, uuid) as gpu_number,
        -- in the order of the names, so that sharing by this number is the same on every run
        dense_rank() over (order by landed_date, uuid, coalesce(namespace, ''), coalesce(pod, '')) as series_number
    from seen

)

select * from series
