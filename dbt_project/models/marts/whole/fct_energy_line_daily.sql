-- One row per day x host x line x whether a meter of the host holds it: where the energy of own hardware went.

with

gpus as (select * from {{ ref('int_gpu_energy__hourly') }} where energy_millijoules is not null),

hosts as (select * from {{ ref('int_host_energy__hourly') }}),

boards as (select * from {{ ref('gpu_model') }}),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

powers as ({{ gpu_powers('gpus', 'gpu_model') }}),

-- a board that is held draws its idle power in any case: its holder pays for holding it
placed as (

    select
        gpus.usage_date,
        gpus.host,
        gpus.line,
        coalesce(hosts.host_state, 'no_meter') <> 'no_meter' as is_metered,
        gpus.energy_millijoules,
        case when gpus.line = 'direct'
            then least(gpus.energy_millijoules, coalesce(powers.idle_milliwatts, 0) * gpus.gpu_seconds) end
            as held_idle_millijoules
    from gpus
    left join hosts on gpus.usage_hour_utc = hosts.usage_hour_utc and gpus.host = hosts.host
    left join powers on gpus.gpu_model = powers.gpu_model

),

lines as (

    select usage_date, host, is_metered, 'gpu_active' as line, energy_millijoules - held_idle_millijoules as millijoules
    from placed
    where line = 'direct'
    union all
    select usage_date, host, is_metered, 'gpu_idle_allocated', held_idle_millijoules from placed where line = 'direct'
    union all
    select usage_date, host, is_metered, 'gpu_idle_unallocated', energy_millijoules from placed where line = 'idle'
    union all
    -- with its sign: what the meter read too little is kept, never cut off
    select usage_date, host, meter_kind <> 'cpu', case when residual_millijoules < 0 then 'meter_below_counters' else 'host_share' end,
        residual_millijoules
    from hosts
    where host_state <> 'no_meter'

),

daily as (

    select
        usage_date, host, line, is_metered,
        sum(millijoules) as millijoules
    from lines
    group by usage_date, host, line, is_metered

),

named as (

    select
        usage_date, host, line, is_metered,
        {{ joules_from_millijoules('millijoules') }} as energy_j,
        cast({{ millijoules_to_kwh('abs(millijoules)') }} * sign(millijoules) as decimal(38, 9)) as energy_kwh
    from daily

)

select * from named
