-- One row per hour x host: what its meters read, what its GPUs took of it, and what may be concluded for the rest.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

meters as (

    select * from {{ ref('int_meter__hourly') }} where {{ in_days('usage_date') }} and host is not null

),

gpus as (

    select * from {{ ref('int_gpu_energy__hourly') }} where {{ in_days('usage_date') }} and host is not null

),

read as (

    select
        usage_date, usage_hour_utc, host, meter_kind, meter_id,
        max(site_id) as site_id,
        sum(energy_millijoules) as millijoules,
        sum(case when method = 'unmeasured' then metered_seconds else 0 end) = 0 as is_whole
    from meters
    group by usage_date, usage_hour_utc, host, meter_kind, meter_id

),

-- meters of one kind feed a host together; of two kinds, the one nearer to the wall counts and the other corroborates
told as (

    select
        usage_date, usage_hour_utc, host, meter_kind,
        max(site_id) as site_id,
        sum(millijoules) as millijoules,
        count(*) as meter_count,
        row_number() over (
            partition by usage_hour_utc, host order by case meter_kind when 'pdu' then 1 when 'host' then 2 else 3 end
        ) as choice
    from read
    group by usage_date, usage_hour_utc, host, meter_kind
    having min(case when is_whole then 1 else 0 end) = 1

),

taken as (

    select
        usage_date, usage_hour_utc, host,
        max(gpu_model) as gpu_model,
        sum(case when method in ('counter_delta', 'power_integral', 'power_integral_gappy') then energy_millijoules
            else 0 end) as counted_millijoules,
        sum(case when method in ('tdp_utilisation', 'runtime_fitted', 'runtime_default') then energy_millijoules
            else 0 end) as estimated_millijoules,
        sum(case when method in ('counter_delta', 'power_integral', 'power_integral_gappy') then 0
            else gpu_seconds end) as unread_gpu_seconds
    from gpus
    group by usage_date, usage_hour_utc, host

),

-- machines of which more than their processors is known, by the first part of their names
known as (

    select usage_hour_utc, split_part(host, '.', 1) as machine from taken
    union
    select usage_hour_utc, split_part(host, '.', 1) from told where meter_kind <> 'cpu'

),

-- counters of processors say nothing of boards and power supplies: they stand where nothing else does
kinds as (

    select told.*
    from told
    left join known
        on told.usage_hour_utc = known.usage_hour_utc and split_part(told.host, '.', 1) = known.machine
    where told.meter_kind <> 'cpu' or known.machine is null

),

hosts as (

    select usage_date, usage_hour_utc, host from read
    union
    select usage_date, usage_hour_utc, host from taken

),

joined as (

    select
        hosts.usage_date,
        hosts.usage_hour_utc,
        hosts.host,
        kinds.site_id,
        taken.gpu_model,
        kinds.meter_kind,
        kinds.meter_count,
        cast(kinds.millijoules as decimal(18, 0)) as meter_millijoules,
        cast(coalesce(taken.counted_millijoules, 0) as decimal(18, 0)) as counted_millijoules,
        cast(coalesce(taken.estimated_millijoules, 0) as decimal(18, 0)) as estimated_millijoules,
        cast(coalesce(taken.unread_gpu_seconds, 0) as decimal(18, 0)) as unread_gpu_seconds,
        cast(kinds.millijoules - coalesce(taken.counted_millijoules, 0) - coalesce(taken.estimated_millijoules, 0)
            as decimal(18, 0)) as residual_millijoules
    from hosts
    left join kinds
        on hosts.usage_hour_utc = kinds.usage_hour_utc and hosts.host = kinds.host and kinds.choice = 1
    left join taken on hosts.usage_hour_utc = taken.usage_hour_utc and hosts.host = taken.host

),

judged as (

    select
        *,
        case
            when meter_millijoules is null then 'no_meter'
            when residual_millijoules < 0 then 'contradicted'
            when unread_gpu_seconds > 0 then 'open'
            else 'closed'
        end as host_state
    from joined

)

select * from judged
