-- One row per landed day x meter x instant.
with

source as (

    {%- for name in ['meters', 'host_prometheus', 'redfish'] %}
    select dt, meter_id, site, host, meter_kind, boundary, sampled_at_utc, energy_kwh, power_w, step_seconds
    from {{ source(name, 'readings') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

readings as (

    select
        cast(dt as date) as landed_date,
        meter_id,
        site as site_id,
        host,
        meter_kind,
        boundary,
        sampled_at_utc,
        {{ unix_milliseconds('sampled_at_utc') }} as sampled_at_ms,
        {{ millijoules_from_kwh('energy_kwh') }} as counter_millijoules,
        cast(power_w * cast(1000 as decimal(4, 0)) as bigint) as power_milliwatts,
        step_seconds
    from source

)

select * from readings
