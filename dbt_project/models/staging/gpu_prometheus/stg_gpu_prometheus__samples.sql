-- One row per landed day x quantity x GPU x MIG instance x holder x instant.
with

exported as (select * from {{ source('gpu_prometheus', 'samples') }}),

-- read a second time: one CTE for both would be made whole, for all days
metered as (

    select distinct dt, uuid, date_trunc('hour', sampled_at_utc) as hour_utc
    from {{ source('gpu_prometheus', 'samples') }}
    where quantity in ('energy_j', 'power_w')

),

logged as (select * from {{ source('nvidia_smi', 'samples') }}),

-- a board of which an exporter tells is counted by the exporter in that hour
source as (

    select
        dt, quantity, uuid, gpu_model, hostname, gpu_instance_id, gpu_instance_profile, namespace, pod, container,
        sampled_at_utc, value, step_seconds, cast(null as integer) as bridged_seconds
    from exported
    union all
    select
        logged.dt, logged.quantity, logged.uuid, logged.gpu_model, logged.hostname, null, null, null, logged.pod, null,
        logged.sampled_at_utc, logged.value, logged.step_seconds, logged.bridged_seconds
    from logged
    left join metered
        on logged.dt = metered.dt
        and logged.uuid = metered.uuid
        and date_trunc('hour', logged.sampled_at_utc) = metered.hour_utc
    where metered.uuid is null

),

samples as (

    select
        cast(dt as date) as landed_date,
        quantity,
        uuid,
        gpu_model,
        hostname as host,
        gpu_instance_id,
        -- 3 of 3g.40gb
        cast(nullif(regexp_extract(gpu_instance_profile, '([0-9]+)g', 1), '') as integer) as gpu_instance_slices,
        namespace,
        pod,
        container,
        sampled_at_utc,
        {{ unix_milliseconds('sampled_at_utc') }} as sampled_at_ms,
        -- whole millijoules, milliwatts, thousandths of a ratio; this narrow product is exact in 64 bits
        cast(cast(value as decimal(14, 3)) * cast(1000 as decimal(4, 0)) as bigint) as value_thousandths,
        value,
        step_seconds,
        bridged_seconds
    from source

)

select * from samples
