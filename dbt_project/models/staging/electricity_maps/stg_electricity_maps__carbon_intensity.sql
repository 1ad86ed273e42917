-- One row per grid zone x hour x boundary.

with

landed as (select * from {{ source('electricity_maps', 'carbon_intensity') }}),

renamed as (

    select
        zone,
        -- landing puts every hour into the file of its own day; named by the folder, whole files can be skipped
        cast(dt as date) as usage_date,
        cast(dt as date) as landed_date,
        datetime_utc as usage_hour_utc,
        carbon_intensity_gco2e_per_kwh as gco2e_per_kwh,
        coalesce(emission_factor_type, 'lifecycle') as grid_boundary,
        -- what does not say that it was measured was not
        coalesce(is_estimated, true) as is_estimated,
        estimation_method,
        updated_at_utc
    from landed

)

select * from renamed
