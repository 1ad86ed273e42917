-- One row per landed day x quantity x GPU x MIG instance x holder x instant.
with

source as (select * from {{ source('gpu_prometheus', 'samples') }}),

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
        step_seconds
    from source

)

select * from samples
