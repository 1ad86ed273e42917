-- One row per grid zone x hour: the measured or estimated intensity that is known for it.

with

intensity as (select * from {{ ref('stg_electricity_maps__carbon_intensity') }}),

hourly as (

    select
        usage_date,
        zone,
        usage_hour_utc,
        gco2e_per_kwh,
        case when is_estimated then 'hourly_estimated' else 'hourly_measured' end as grid_rung,
        'electricity_maps' as grid_source,
        grid_boundary,
        'electricity_maps/' || zone || '/' || grid_boundary as grid_factor_id
    from intensity

)

select * from hourly
