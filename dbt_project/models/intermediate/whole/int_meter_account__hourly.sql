-- One row per hour x site x host x kind x boundary of meters: what they read together, and what else is known of the same machines.

with

-- counters of processors are less than the machine, which is all that could be compared
meters as (select * from {{ ref('int_meter__hourly') }} where meter_kind <> 'cpu'),

hosts as (select * from {{ ref('int_host_energy__hourly') }}),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

sites as (select * from {{ ref('int_site__named') }}),

ratios as (

    select
        max(case when quantity = 'host_share_ratio' then value end) as host_share_ratio,
        max(case when quantity = 'reconciliation_ratio' then value end) as tolerance_ratio
    from hardware

),

-- meters of one kind that feed the same thing are read together
accounts as (

    select
        usage_date, usage_hour_utc, site_id, host, meter_kind, boundary,
        min(meter_id) as meter_id,
        count(distinct meter_id) as meter_count,
        sum(energy_millijoules) as meter_millijoules,
        sum(case when method = 'unmeasured' then metered_seconds else 0 end) as unread_seconds
    from meters
    group by usage_date, usage_hour_utc, site_id, host, meter_kind, boundary

),

-- without a meter: the boards, and the usual share of a host
estimated as (

    select
        hosts.usage_hour_utc, hosts.host,
        hosts.counted_millijoules + hosts.estimated_millijoules as boards_millijoules,
        hosts.unread_gpu_seconds,
        cast(round((hosts.counted_millijoules + hosts.estimated_millijoules)
            * cast(1 + ratios.host_share_ratio as decimal(12, 6)), 0) as decimal(24, 0)) as host_millijoules,
        case when hosts.host_state in ('open', 'closed') then hosts.meter_millijoules end as read_millijoules
    from hosts
    cross join ratios

),

rooms as (

    select
        usage_hour_utc,
        sum(boards_millijoules) as boards_millijoules,
        sum(unread_gpu_seconds) as unread_gpu_seconds,
        sum(coalesce(read_millijoules, host_millijoules)) as host_millijoules
    from estimated
    group by usage_hour_utc

),

joined as (

    select
        accounts.*,
        ratios.tolerance_ratio,
        coalesce(case when accounts.meter_kind = 'site' then rooms.unread_gpu_seconds
            else estimated.unread_gpu_seconds end, 0) as unread_gpu_seconds,
        coalesce(case when accounts.meter_kind = 'site' then rooms.boards_millijoules
            else estimated.boards_millijoules end, 0) as boards_millijoules,
        coalesce(case when accounts.meter_kind <> 'site' then estimated.host_millijoules
            when accounts.boundary = 'it' then rooms.host_millijoules
            else cast(round(rooms.host_millijoules * cast(sites.pue_ratio as decimal(12, 6)), 0) as decimal(38, 0))
        end, 0) as estimate_millijoules
    from accounts
    cross join ratios
    left join sites on accounts.site_id = sites.site_id
    left join estimated on accounts.usage_hour_utc = estimated.usage_hour_utc and accounts.host = estimated.host
    left join rooms on accounts.usage_hour_utc = rooms.usage_hour_utc
    -- a power strip of several machines says nothing that could be compared
    where accounts.meter_kind = 'site' or accounts.host is not null

)

select * from joined
