-- One row per grid zone x hour x boundary.
{{ config(materialized="ephemeral") }}

with

landed as (select * from {{ source('grid_file', 'intensity') }}),

renamed as (

    select
        cast(hour_utc as date) as usage_date,
        zone,
        hour_utc as usage_hour_utc,
        gco2e_per_kwh,
        grid_boundary,
        publisher,
        -- what does not say that it was measured was not
        coalesce(is_estimated, true) as is_estimated
    from landed

)

select * from renamed
