-- One row per day x site x host x kind x boundary of meters: meter against counters against estimate.

{%- set account = 'site_id, host, meter_kind, boundary' %}

with

hours as (select * from {{ ref('int_meter_account__hourly') }}),

silent as (select * from {{ ref('int_meter_account__silent') }}),

-- only hours that the meter read whole are compared
daily as (

    select
        usage_date, {{ account }}, min(meter_id) as meter_id,
        cast(max(meter_count) as bigint) as meter_count, max(tolerance_ratio) as tolerance_ratio,
        cast(sum(case when unread_seconds = 0 then 1 else 0 end) as bigint) as compared_hours,
        sum(case when unread_seconds = 0 then unread_gpu_seconds else 0 end) as unread_gpu_seconds,
        sum(meter_millijoules) as read_millijoules,
        {%- for name in ['meter', 'boards', 'estimate'] %}
        sum(case when unread_seconds = 0 then {{ name }}_millijoules end) as {{ name }}_millijoules{{ ',' if not loop.last }}
        {%- endfor %}
    from hours
    group by usage_date, {{ account }}
    union all
    select usage_date, {{ account }}, meter_id, meter_count, tolerance_ratio, 0, 0, null, null, null, null
    from silent

),

compared as (

    select
        *,
        meter_millijoules - estimate_millijoules as gap_millijoules,
        coalesce(abs(meter_millijoules - estimate_millijoules)
            <= cast(tolerance_ratio as decimal(12, 6)) * meter_millijoules, false) as is_within
    from daily

),

explained as (

    select
        *,
        case
            when compared_hours = 0 then 'meter_not_read'
            when meter_millijoules < boards_millijoules then 'meter_below_counters'
            when is_within then null
            when unread_gpu_seconds > 0 then 'gpus_not_read'
            when meter_kind <> 'site' then 'host_share'
            when gap_millijoules > 0 then 'unlisted_equipment'
            else 'overhead'
        end as cause
    from compared

),

-- days without a finding part a gap from the next: it is as old as its first day
numbered as (

    select *,
        sum(case when cause is null then 1 else 0 end) over (
            partition by {{ account }} order by usage_date rows between unbounded preceding and current row
        ) as finding_number
    from explained

),

aged as (

    select *,
        case when cause is not null then min(case when cause is not null then usage_date end) over (
            partition by {{ account }}, finding_number
        ) end as opened_date
    from numbered

),

reconciled as (

    select
        usage_date, site_id, host, meter_kind, boundary, meter_id, meter_count, compared_hours,
        cast({{ millijoules_to_kwh('read_millijoules') }} as decimal(38, 9)) as read_kwh,
        cast({{ millijoules_to_kwh('meter_millijoules') }} as decimal(38, 9)) as meter_kwh,
        cast({{ millijoules_to_kwh('boards_millijoules') }} as decimal(38, 9)) as counters_kwh,
        cast({{ millijoules_to_kwh('estimate_millijoules') }} as decimal(38, 9)) as estimate_kwh,
        cast({{ millijoules_to_kwh('meter_millijoules') }} - {{ millijoules_to_kwh('boards_millijoules') }}
            as decimal(38, 9)) as residual_kwh,
        cast({{ millijoules_to_kwh('meter_millijoules') }} - {{ millijoules_to_kwh('estimate_millijoules') }}
            as decimal(38, 9)) as gap_kwh,
        {{ ratio('gap_millijoules', 'meter_millijoules') }} as gap_ratio,
        cast(tolerance_ratio as decimal(9, 6)) as tolerance_ratio,
        case when compared_hours > 0 then is_within end as is_within,
        cause, opened_date,
        cast({{ days_between('opened_date', 'usage_date') }} + 1 as bigint) as open_days
    from aged

)

select * from reconciled
