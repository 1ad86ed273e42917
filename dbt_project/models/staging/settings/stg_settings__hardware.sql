-- One row per purchase of hardware.

with

landed as (select * from {{ source('settings', 'hardware') }}),

renamed as (

    select
        hardware_id, site as site_id, gpu_model, count as piece_count, purchased_on as purchase_date,
        embodied_kgco2e_low, embodied_kgco2e, embodied_kgco2e_high, source as embodied_source, lifetime_years
    from landed

)

select * from renamed
