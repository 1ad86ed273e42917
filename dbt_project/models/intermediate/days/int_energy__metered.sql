-- One row per attributed activity that a meter read or should have read: its energy, or the bound of what it may have been.
{{ config(materialized='ephemeral') }}

with

activity as (select * from {{ ref('int_activity__placed') }} where meter_method <> ''),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

sites as (select * from {{ ref('int_site__named') }}),

embodied as (select value from hardware where quantity = 'embodied_gco2e_per_gpu_second'),

largest as (select value from hardware where quantity = 'largest_kwh_per_gpu_second'),

metered as (

    select
        {{ energy_columns('activity') }},
        hardware.gpu_factor_id as factor_id,
        hardware.evidence_tier,
        case when hardware.gpu_factor_id is null then 'no_meter' end as gap_reason,
        {%- for end in ['_low', ''] %}
        cast({{ millijoules_to_kwh('activity.energy_millijoules') }} * cast(hardware.value{{ end }} as decimal(12, 6))
            as decimal(24, 9)) as energy_kwh{{ end }},
        {%- endfor %}
        -- time that no meter read is bounded by the hungriest GPU there is
        cast(coalesce(
            {{ millijoules_to_kwh('activity.energy_millijoules') }} * cast(hardware.value_high as decimal(12, 6)),
            activity.gpu_seconds * cast(largest.value as decimal(18, 18))
        ) as decimal(24, 9)) as energy_kwh_high,
        cast(activity.gpu_seconds * cast(embodied.value as decimal(18, 18)) as decimal(24, 9)) as embodied_gco2e,
        sites.onsite_water_litres_per_kwh
    from activity
    cross join embodied
    cross join largest
    left join sites on activity.site_id = sites.site_id
    left join hardware
        on hardware.quantity = case activity.meter_method
            when 'counter_delta' then 'energy_counter_ratio'
            when 'power_integral' then 'power_integral_ratio'
        end
        and activity.energy_millijoules is not null

)

select * from metered
