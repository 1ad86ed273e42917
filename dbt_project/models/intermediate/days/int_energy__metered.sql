-- One row per attributed activity that a meter read or should have read, and one for the share of a host that no meter read: energy, or the bound of what it may have been.
{{ config(materialized='ephemeral') }}

with

activity as (

    select *, {{ quantity_of_method('meter_method') }} as quantity
    from {{ ref('int_activity__placed') }}
    where meter_method not in ('', 'declared')

),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

boards as (select * from {{ ref('gpu_model') }}),

proxies as ({{ proxies_in_force('activity', 'usage_date', 'model_canonical') }}),

powers as ({{ gpu_powers('activity', 'model_canonical') }}),

sites as (select * from {{ ref('int_site__named') }}),

-- the factors that stand for all boards, one row
common as (

    select
        max(case when quantity = 'embodied_gco2e_per_gpu_second' then value end) as embodied,
        max(case when quantity = 'largest_kwh_per_gpu_second' then value end) as largest,
        max(case when quantity = 'energy_counter_ratio' then value_high end) as counter_high,
        {%- for end in ['_low', '', '_high'] %}
        max(case when quantity = 'host_share_ratio' then value{{ end }} end) as host_share{{ end }},
        {%- endfor %}
        max(case when quantity = 'host_share_ratio' then gpu_factor_id end) as host_factor_id,
        max(case when quantity = 'host_share_ratio' then evidence_tier end) as host_tier
    from hardware

),

readings as (

    select
        activity.*,
        hardware.gpu_factor_id, hardware.evidence_tier, common.embodied,
        case when hardware.gpu_factor_id is not null
            then {{ millijoules_to_kwh('activity.energy_millijoules') }} end as read_kwh,
        cast(least(hardware.value_low, coalesce(proxies.low_ratio, hardware.value_low)) as decimal(12, 6)) as low_ratio,
        cast(hardware.value as decimal(12, 6)) as central_ratio,
        cast(greatest(hardware.value_high, coalesce(proxies.high_ratio, hardware.value_high)) as decimal(12, 6))
            as high_ratio,
        -- what the board, or where it is not known the hungriest there is, may have drawn, as wrongly told as by a counter
        cast(coalesce(
            {{ millijoules_to_kwh('activity.gpu_seconds * powers.tdp_milliwatts') }},
            activity.gpu_seconds * cast(common.largest as decimal(18, 18))
        ) as decimal(24, 9)) * cast(common.counter_high as decimal(12, 6)) as rated_kwh
    from activity
    cross join common
    left join hardware on activity.quantity = hardware.quantity and activity.energy_millijoules is not null
    left join powers on activity.model_canonical = powers.gpu_model
    left join proxies
        on activity.usage_date = proxies.used_date
        and activity.model_canonical = proxies.gpu_model
        and activity.quantity = 'runtime_fitted_ratio'

),

metered as (

    select
        {{ energy_columns('readings') }},
        gpu_factor_id as factor_id,
        evidence_tier,
        case when gpu_factor_id is null then 'no_meter' end as gap_reason,
        cast(read_kwh * low_ratio as decimal(24, 9)) as energy_kwh_low,
        cast(read_kwh * central_ratio as decimal(24, 9)) as energy_kwh,
        -- time whose power was not read through is bounded by the rating
        cast(case
            when quantity in ('metered_host_ratio', 'host_residual_ratio', 'energy_counter_ratio', 'power_integral_ratio')
                and read_kwh is not null then read_kwh * high_ratio
            else greatest(coalesce(read_kwh * high_ratio, rated_kwh), rated_kwh)
        end as decimal(24, 9)) as energy_kwh_high,
        cast(gpu_seconds * cast(embodied as decimal(18, 18)) as decimal(24, 9)) as embodied_gco2e
    from readings

),

-- what a host takes beside its boards, where no meter of the host read it
hosts as (

    select
        {{ energy_columns('metered', zero=activity_counts() + ['cost_nano_usd'], line="case when metered.energy_line = 'idle' then 'idle' else 'shared' end") }},
        case when metered.energy_kwh is not null then common.host_factor_id end as factor_id,
        case when metered.energy_kwh is not null then common.host_tier end as evidence_tier,
        metered.gap_reason,
        {%- for end in ['_low', '', '_high'] %}
        cast(metered.energy_kwh{{ end }} * cast(common.host_share{{ end }} as decimal(12, 6)) as decimal(24, 9))
            as energy_kwh{{ end }},
        {%- endfor %}
        cast(0 as decimal(24, 9)) as embodied_gco2e
    from metered
    cross join common
    where metered.meter_method not in ('host_residual', 'job_counter')
        and metered.meter_method not like '%!_host' escape '!'

),

united as (

    select * from metered
    union all
    select * from hosts

),

named as (

    select united.*, sites.onsite_water_litres_per_kwh
    from united
    left join sites on united.site_id = sites.site_id

)

select * from named
