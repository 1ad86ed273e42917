-- One row per grid zone x hour: the measured or estimated intensity that is known for it, and the direct part of it.

with

intensity as (select * from {{ ref('stg_electricity_maps__carbon_intensity') }}),

-- side by side, never added: direct is a part of lifecycle
beside as (

    select
        usage_date, zone, usage_hour_utc,
        max(case when grid_boundary = 'lifecycle' then gco2e_per_kwh end) as gco2e_per_kwh,
        max(case when grid_boundary = 'direct' then gco2e_per_kwh end) as told_direct_gco2e_per_kwh,
        max(case when grid_boundary = 'lifecycle' and is_estimated then 1 else 0 end) as is_estimated
    from intensity
    group by usage_date, zone, usage_hour_utc

),

hourly as (

    select
        usage_date,
        zone,
        usage_hour_utc,
        gco2e_per_kwh,
        case when is_estimated = 1 then 'hourly_estimated' else 'hourly_measured' end as grid_rung,
        'electricity_maps' as grid_source,
        'lifecycle' as grid_boundary,
        'electricity_maps/' || zone || '/lifecycle' as grid_factor_id,
        case when told_direct_gco2e_per_kwh <= gco2e_per_kwh then told_direct_gco2e_per_kwh end
            as direct_gco2e_per_kwh,
        case
            when told_direct_gco2e_per_kwh is null then 'not_delivered'
            when told_direct_gco2e_per_kwh > gco2e_per_kwh then 'above_lifecycle'
        end as direct_gap_reason
    from beside
    -- an hour that is told directly alone would mix two publishers
    where gco2e_per_kwh is not null

)

select * from hourly
