-- One row per site where electricity is used.

with

landed as (select * from {{ source('settings', 'sites') }}),

renamed as (

    select
        site_id, zone, country, pue_ratio, pue_source, market_gco2e_per_kwh, water_litres_per_kwh, control,
        coalesce(market_boundary, country) as market_boundary,
        grid_pin,
        cloud_region
    from landed

)

select * from renamed
